"""neuroport join: traces of runs that were killed, or could not write their own."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Make a trace of the parts that a killed run left.")
@click.argument("parts", metavar="FILE.h5.part…", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE.h5", help="The trace to write [default: the parts' name without .part].")
@click.option("--readable", is_flag=True, help="Leave out parts that are damaged or missing; the folder stays then.")
@click.option("--overwrite", is_flag=True, help="Replace an existing trace.")
def join(parts: tuple[str, ...], output: str | None, readable: bool, overwrite: bool) -> None:
    """Make a trace of the parts that a run left which was killed, or whose disk was full; then remove them.

    The trace says that it is incomplete, unless only the joining was missing. Of several folders each becomes a trace.
    With --readable also what is left of damaged parts, where the trace says of which steps nothing is known.
    """
    from neuroport.trace.join import repair, salvage
    from neuroport.trace.read import open_trace

    if output is not None and len(parts) > 1:
        raise click.UsageError("-o names one trace; join several folders without it, or one after another.")
    for part in parts:
        if readable:
            path, left_out = salvage(Path(part), overwrite, output)
        else:
            path, left_out = repair(Path(part), overwrite, output), ()
        trace = open_trace(path)
        marked = "complete" if trace.complete else "marked incomplete"
        click.echo(f"{path}: {trace.steps:,} steps, {marked}")
        if left_out:
            lost = f"; of {trace.lost} nothing is known" if trace.missing else ""
            click.echo(f"note: {path} is without {', '.join(left_out)}{lost}; all parts stay where they are", err=True)
