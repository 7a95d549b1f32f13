"""neuroport export: a network file or a NIR graph, with learned values when they come from a trace; or spikes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from neuroport.commands.common import load_network, set_option

if TYPE_CHECKING:
    from neuroport.network.network import Network
    from neuroport.trace.spike_files import Write


@click.command(short_help="Write a network file, with what a trace has learned; or spikes for other tools.")
@click.argument("source", metavar="NET|FILE.h5|FILE.hil")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="A network file .yaml or NIR graph .nir; or spikes: .csv, .npz, .nwb, NIR data .nird, of a record SONATA .h5.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@set_option
def export(source: str, output: str, overwrite: bool, sets: tuple[str, ...]) -> None:
    """Write a network file; from a trace, with the weights and other values that were learned.

    Large arrays go into an HDF5 file beside it, of the same name. To a name that ends in .nir, a graph is written for
    tools that read NIR, with the whole network in its metadata; what they do not see of it is told. To a name that
    ends in .csv, .npz, .nwb or .nird, the spikes of a trace are written. The record of a session (hil serve --record)
    is done again, and the spikes of all populations are written, also as SONATA has them, in a trace.
    """
    from neuroport.hil.record import is_record
    from neuroport.trace.spike_files import writer

    write = writer(output)
    if is_record(source):
        _record(source, output, overwrite, sets, write)
    elif write is not None:
        _data(source, output, overwrite, sets, write)
    else:
        _network(source, output, overwrite, sets)


def _not_set(sets: tuple[str, ...], what: str) -> None:
    from neuroport.errors import InvalidInput

    if sets:
        raise InvalidInput.one(None, f"--set changes a network file, not {what}; leave it out")


def _data(source: str, output: str, overwrite: bool, sets: tuple[str, ...], write: Write) -> None:
    """Write the spikes of a trace."""
    from neuroport.trace import read

    _not_set(sets, "a trace")
    opened = read.open_trace(source)
    write(opened, output, overwrite)
    for text in opened.cut_off():
        click.echo(f"note: {text}", err=True)
    click.echo(output)


def _record(source: str, output: str, overwrite: bool, sets: tuple[str, ...], write: Write | None) -> None:
    """Do a recorded session again, twice: whether it comes again, and with its spikes."""
    import tempfile
    from pathlib import Path

    from neuroport.disk.output import HDF5, check_output
    from neuroport.errors import RunFailed
    from neuroport.hil import record
    from neuroport.hil.address import Address
    from neuroport.hil.endpoints import require
    from neuroport.hil.replay import replay
    from neuroport.trace import read
    from neuroport.trace.spike_files import WRITERS

    require(Address("plain"))
    _not_set(sets, "a record")
    check_output(output, overwrite, "what spiked in a session", (*HDF5, *WRITERS), (source,))
    found = record.read(source)
    outcome = replay(found)
    if outcome.difference:
        raise RunFailed(f"{source}: does not come again, so that nothing was written: {outcome.difference}")
    with tempfile.TemporaryDirectory() as folder:
        trace = str(Path(folder) / "spikes.h5") if write else output
        replay(found, trace=trace, overwrite=overwrite, all_spikes=True)
        if write:
            write(read.open_trace(trace), output, overwrite)
    if found.digest is None:
        click.echo(f"note: '{source}' was cut off; what is in it was written", err=True)
    click.echo(output)


def _network(source: str, output: str, overwrite: bool, sets: tuple[str, ...]) -> None:
    """Write a network file or a graph; from a trace, with what was learned."""
    from pathlib import Path

    from neuroport.disk.output import check_output
    from neuroport.errors import InvalidInput
    from neuroport.files import writer
    from neuroport.nir import graphs
    from neuroport.numerics.given import OUTPUT
    from neuroport.trace import read as trace
    from neuroport.trace.spike_files import WRITERS

    if not OUTPUT.fits(output):
        raise InvalidInput.one(None, f"-o must be the path of a file; found '{output}'")
    beside = Path(output).with_suffix(".h5")
    if beside == Path(output):
        raise InvalidInput.one(
            None, f"'{output}' would be overwritten by its own arrays; give a name that ends in .yaml"
        )
    traced, is_graph = trace.is_trace(source), graphs.is_graph_name(output)
    if traced and not is_graph and os.path.realpath(source) == os.path.realpath(beside):
        raise InvalidInput.one(
            None, f"'{source}' would be overwritten by the arrays of '{output}'; give the network file another name"
        )
    if is_graph:
        graphs.check(output, overwrite, (source,))
    else:
        what = "the network of a trace, or its spikes," if traced else "a network file"
        check_output(output, overwrite, what, (*writer.ENDINGS, *graphs.ENDINGS, *(WRITERS if traced else ())))
    network = _learned(source, sets) if traced else load_network(source, sets)
    if is_graph:
        from neuroport.api.to_nir import write_nir

        for text in write_nir(network, output, overwrite, (source,)):
            click.echo(f"note: {text}", err=True)
        click.echo(output)
        return
    for path in writer.write(network, output, overwrite, (source,)):
        click.echo(str(path))


def _learned(source: str, sets: tuple[str, ...]) -> Network:
    """The network of a trace with what was learned; what is to be known of that is told."""
    from neuroport.errors import InvalidInput
    from neuroport.trace import read as trace
    from neuroport.trace.learned import cut_off, widened, with_learned

    if sets:
        raise InvalidInput.one(None, "--set changes a network file, not a trace; set it in the exported file instead")
    opened = trace.open_trace(source)
    before = opened.network()
    network = with_learned(before, opened)
    told = (*opened.cut_off(), *trace.other_arithmetic(opened), *cut_off(before, opened), *widened(before, network))
    for text in told:
        click.echo(f"note: {text}", err=True)
    return network
