"""neuroport report: traces as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

from neuroport.errors import InvalidInput, Place


@click.command(short_help="Tell all of a run, or of several, on one page.")
@click.argument("traces", metavar="FILE.h5|FOLDER...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT.html", help="The report to write.")
@click.option("--overwrite", is_flag=True, help="Replace an existing report.")
def report(traces: tuple[str, ...], output: str, overwrite: bool) -> None:
    """Tell of traces in one HTML file: what ran, what came out, figures, and what the chip made of the numbers.

    A FOLDER stands for all FILE.h5 in it. The file needs nothing else: it can be sent, printed, and read in light and
    dark.
    """
    from neuroport.trace.read import open_trace
    from neuroport.trace.report import document

    opened = [open_trace(path) for given in traces for path in _traces(given)]
    for trace in opened:
        for text in trace.cut_off():
            click.echo(f"note: {text}", err=True)
    document.write(opened, output, overwrite)
    click.echo(output)


def _traces(given: str) -> list[Path]:
    """The traces that an argument stands for."""
    path = Path(given)
    if not path.is_dir() or path.suffix == ".part":
        return [path]
    found = sorted(path.glob("*.h5"))
    if not found:
        raise InvalidInput.one(Place(given), "has no FILE.h5 in it; run a network with -o first")
    return found
