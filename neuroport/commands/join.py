"""neuroport join: traces of runs that were killed, or could not write their own."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Make a trace of the parts that a killed run left.")
@click.argument("parts", metavar="FILE.h5.part…", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE.h5", help="The trace to write [default: the parts' name without .part].")
@click.option("--overwrite", is_flag=True, help="Replace an existing trace.")
def join(parts: tuple[str, ...], output: str | None, overwrite: bool) -> None:
    """Make a trace of the parts that a run left which was killed, or whose disk was full; then remove them.

    The trace says that it is incomplete, unless only the joining was missing. Of several folders each becomes a trace.
    """
    from neuroport.trace.join import repair
    from neuroport.trace.read import open_trace

    if output is not None and len(parts) > 1:
        raise click.UsageError("-o names one trace; join several folders without it, or one after another.")
    for part in parts:
        path = repair(Path(part), overwrite, output)
        trace = open_trace(path)
        marked = "complete" if trace.complete else "marked incomplete"
        click.echo(f"{path}: {trace.steps:,} steps, {marked}")
