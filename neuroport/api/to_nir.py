"""Graphs of NIR of networks."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroport.api.compile import NETWORK, lower
from neuroport.build.network import written
from neuroport.chips import description as chips
from neuroport.disk.output import write_bytes
from neuroport.nir import export, graphs
from neuroport.nir.forms import nir
from neuroport.numerics.given import PATH, takes

if TYPE_CHECKING:
    from neuroport.build.network import Network as Built
    from neuroport.network.network import Network


@takes(network=NETWORK, folder=PATH.or_none)
def to_nir(network: Network | Built, folder: str | Path | None = None) -> Any:
    """The network as a graph of NIR, a `nir.NIRGraph`, to be written by `nir.write` or given to another tool.

    Populations of the library's models that NIR has nodes for, what joins them, and where something comes in and goes
    out; times in s, voltages in mV and currents in nA, or without unit, as the models have them. The metadata have the
    whole network under the key `neuroport`, and there under `lost` what another tool does not see of it, a sentence a
    line. `folder`: where the file will lie, if the network names other files; the default is the network's folder.

    Raises InvalidInput for a network that cannot be compiled, Unsupported where the package nir is not installed.
    """
    network = written(network)
    start = network.folder if folder is None else folder
    return export.graph(network, start, lambda bare: lower(bare, chips.load("ideal"), None))


def write_nir(
    network: Network, path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()
) -> tuple[str, ...]:
    """Write a network as a graph of NIR (see to_nir). What another tool does not see of it, in sentences.

    InvalidInput where no file can be written there, or the network cannot be compiled; Unsupported without the package
    nir; NotWritten where the disk does not take it.
    """
    graphs.check(path, overwrite, (*inputs, *network.files))
    graph = to_nir(network, Path(path).parent)
    content = BytesIO()
    nir().write(content, graph)
    write_bytes(path, content.getvalue())
    return export.lost(graph)
