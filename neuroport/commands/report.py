"""neuroport report: traces, and records of sessions, as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from neuroport.errors import InvalidInput, Place

if TYPE_CHECKING:
    from neuroport.trace.report.document import Beside


@click.command(short_help="Tell all of a run, or of several, on one page.")
@click.argument("files", metavar="FILE.h5|FILE.hil|FOLDER...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT.html", help="The report to write.")
@click.option("--overwrite", is_flag=True, help="Replace an existing report.")
def report(files: tuple[str, ...], output: str, overwrite: bool) -> None:
    """Tell of runs in one HTML file: what ran, what came out, figures, and what the chip made of the numbers.

    Where a run on a chip and one on the chip ideal are given, of one network and seed, also where they part. Of a
    FILE.hil, the record of a session: how long messages took, and what its link delayed and lost. A FOLDER stands for
    all FILE.h5 and FILE.hil in it. The file needs nothing else: it can be sent, printed, and read in light and dark.
    """
    from neuroport.hil.record import is_record
    from neuroport.trace.read import open_trace
    from neuroport.trace.report import document

    paths = [path for given in files for path in _paths(given)]
    records = {path for path in paths if is_record(path) or path.suffix == ".hil"}
    opened = [open_trace(path) for path in paths if path not in records]
    beside = [_told(path) for path in paths if path in records]
    for trace in opened:
        for text in trace.cut_off():
            click.echo(f"note: {text}", err=True)
    document.write(opened, output, overwrite, beside)
    click.echo(output)


def _told(path: Path) -> Beside:
    """What is told of a record."""
    from neuroport.hil import record, told
    from neuroport.hil.address import Address
    from neuroport.hil.endpoints import require
    from neuroport.trace.report.document import Beside

    require(Address("plain"))
    found = record.read(path)
    if found.digest is None:
        click.echo(f"note: '{path}' was cut off before its end; all of it that is whole is told", err=True)
    return Beside(path, path.stem, told.pages(found))


def _paths(given: str) -> list[Path]:
    """The files that an argument stands for."""
    path = Path(given)
    if not path.is_dir() or path.suffix == ".part":
        return [path]
    found = sorted((*path.glob("*.h5"), *path.glob("*.hil")))
    if not found:
        raise InvalidInput.one(Place(given), "has no FILE.h5 and no FILE.hil in it; run a network with -o first")
    return found
