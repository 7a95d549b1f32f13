"""Files of NIR graphs, as networks are written to them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from neuroport.disk.findings import DAMAGE
from neuroport.disk.output import check_output, write_bytes
from neuroport.network.network import Network
from neuroport.nir.export import lost, to_nir
from neuroport.nir.forms import nir

ENDINGS = (".nir",)


def is_graph_name(path: str | Path) -> bool:
    """Whether a file of that name is one of a graph."""
    return Path(path).suffix.lower() in ENDINGS


def check(path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> None:
    """Raise InvalidInput if no graph can be written to `path`; with `overwrite`, only one is replaced."""
    check_output(path, overwrite, "a NIR graph", ENDINGS, inputs, is_graph)


def write(
    network: Network, path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()
) -> tuple[str, ...]:
    """Write a network as a graph of NIR (see to_nir). What another tool does not see of it, in sentences.

    InvalidInput where no file can be written there, or the network cannot be compiled; Unsupported without the package
    nir; NotWritten where the disk does not take it.
    """
    check(path, overwrite, (*inputs, *network.files))
    graph = to_nir(network, Path(path).parent)
    content = BytesIO()
    nir().write(content, graph)
    write_bytes(path, content.getvalue())
    return lost(graph)


def is_graph(path: str | Path) -> bool:
    """Whether a file is a graph of NIR: HDF5 with a version and a node."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return {"version", "node"} <= set(file)
    except DAMAGE:
        return False
