"""Files of NIR graphs: how they are called, and what they replace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from neuroport.disk.findings import DAMAGE
from neuroport.disk.output import check_output

ENDINGS = (".nir",)


def is_graph_name(path: str | Path) -> bool:
    """Whether a file of that name is one of a graph."""
    return Path(path).suffix.lower() in ENDINGS


def check(path: str | Path, overwrite: bool = False, inputs: Iterable[str | Path] = ()) -> None:
    """Raise InvalidInput if no graph can be written to `path`; with `overwrite`, only one is replaced."""
    check_output(path, overwrite, "a NIR graph", ENDINGS, inputs, is_graph)


def is_graph(path: str | Path) -> bool:
    """Whether a file is a graph of NIR: HDF5 with a version and a node."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return {"version", "node"} <= set(file)
    except DAMAGE:
        return False
