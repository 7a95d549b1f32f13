"""neuroport export: a network file, with learned values when they come from a trace."""

from __future__ import annotations

import os

import click

from neuroport.commands.common import load_network, set_option
from neuroport.errors import InvalidInput, Place


@click.command(short_help="Write a network file, with what a trace has learned.")
@click.argument("source", metavar="NET|FILE.h5")
@click.option("-o", "--output", metavar="OUT.yaml", help="The network file to write.")
@click.option("--spikes", metavar="OUT.csv|.npz|.nwb", help="Write the spikes of a trace, instead of a network file.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@set_option
def export(source: str, output: str | None, spikes: str | None, overwrite: bool, sets: tuple[str, ...]) -> None:
    """Write a network file; from a trace, with the weights and other values that were learned, or its spikes.

    Large arrays go into an HDF5 file beside the network file, of the same name.
    """
    if (output is None) == (spikes is None):
        text = "give -o OUT.yaml for a network file, or --spikes OUT.csv for the spikes of a trace"
        raise InvalidInput.one(None, text)
    if spikes is not None:
        _spikes(source, spikes, overwrite, sets)
    elif output is not None:
        _network(source, output, overwrite, sets)


def _spikes(source: str, output: str, overwrite: bool, sets: tuple[str, ...]) -> None:
    """Write the spikes of a trace."""
    from neuroport.disk.output import check_output
    from neuroport.trace import read as trace
    from neuroport.trace.tables import FILES, write_spikes

    if sets:
        raise InvalidInput.one(None, "--set changes a network file, not a trace; leave it out")
    check_output(output, overwrite, "a file of spikes", FILES, (source,))
    if not trace.is_trace(source):
        raise InvalidInput.one(Place(source), "this is no trace, and has no spikes; run the network with -o first")
    opened = trace.open_trace(source)
    for text in opened.cut_off():
        click.echo(f"note: {text}", err=True)
    write_spikes(opened, output)
    click.echo(output)


def _network(source: str, output: str, overwrite: bool, sets: tuple[str, ...]) -> None:
    """Write a network file."""
    from pathlib import Path

    from neuroport.disk.output import check_output
    from neuroport.files import writer
    from neuroport.numerics.given import OUTPUT
    from neuroport.trace import read as trace
    from neuroport.trace.learned import cut_off, widened, with_learned
    from neuroport.trace.read import other_arithmetic

    if not OUTPUT.fits(output):
        raise InvalidInput.one(None, f"-o must be the path of a file; found '{output}'")
    beside = Path(output).with_suffix(".h5")
    if beside == Path(output):
        raise InvalidInput.one(
            None, f"'{output}' would be overwritten by its own arrays; give a name that ends in .yaml"
        )
    traced = trace.is_trace(source)
    if traced and os.path.realpath(source) == os.path.realpath(beside):
        raise InvalidInput.one(
            None, f"'{source}' would be overwritten by the arrays of '{output}'; give the network file another name"
        )
    check_output(output, overwrite, "a network file", writer.ENDINGS)
    if traced:
        if sets:
            raise InvalidInput.one(
                None, "--set changes a network file, not a trace; set it in the exported file instead"
            )
        opened = trace.open_trace(source)
        before = opened.network()
        network = with_learned(before, opened)
        for text in (*opened.cut_off(), *other_arithmetic(opened), *cut_off(before, opened), *widened(before, network)):
            click.echo(f"note: {text}", err=True)
    else:
        network = load_network(source, sets)
    for path in writer.write(network, output, overwrite, (source,)):
        click.echo(str(path))
