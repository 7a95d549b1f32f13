"""Texts of networks whose large arrays lie apart from them, by their names: for files that keep both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.network.values import Frozen
from neuroport.numerics.units import quoted
from neuroport.yaml import text as emit
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import ListNode, MapNode, Node, Numbers, ScalarNode

LARGE = 10_000
"""Arrays of more numbers lie apart."""
NAME, SUM = "stored", "sha256"
Arrays = Callable[[str], NDArray[Any] | None]
"""The array that lies apart under a name; None where there is none."""


@dataclass(slots=True)
class _Apart(Sink):
    """Takes arrays of more than `most` numbers, and writes their names and what tells them from others."""

    most: int = 0

    def array(self, values: Frozen, at: str) -> Any:
        array = values.array
        if array.size <= self.most:
            return array.tolist()
        self.arrays[at] = array
        return {NAME: at, SUM: _sum(array)}


def written(
    network: Network, most: int | None = None, folder: str | Path | None = None
) -> tuple[str, dict[str, NDArray[Any]]]:
    """The text of a network, and its arrays of more than `most` (LARGE) numbers by the names that it has for them.

    `folder`: where the paths in the text start (None: where those of the network do).
    """
    start = Path(network.folder if folder is None else folder)
    sink = _Apart(network.folder, None, start, most=LARGE if most is None else most)
    return emit.document(writer.plain(network, sink)), sink.arrays


def joined(report: Report, node: MapNode, arrays: Arrays) -> MapNode:
    """The tree of such a text with its arrays in it; for those that are not there, problems are noted."""
    entries = {key: (at, _part(report, value, arrays)) for key, at, value in node.values()}
    return MapNode(node.file, node.line, node.column, entries)


def _part(report: Report, node: Node, arrays: Arrays) -> Node:
    if not isinstance(node, MapNode):
        return node
    name, wanted = node.get(NAME), node.get(SUM)
    if len(node.entries) == 2 and isinstance(name, ScalarNode) and isinstance(wanted, ScalarNode):
        return _found(report, node, arrays(name.text), name.text, wanted.text)
    return joined(report, node, arrays)


def _found(report: Report, node: Node, array: NDArray[Any] | None, name: str, wanted: str) -> Node:
    """An array in the place of its name, if it is the one that was written."""
    if array is not None and array.ndim and _sum(array) == wanted:
        return ListNode(node.file, node.line, node.column, Numbers(array, node.place))
    what = "is missing" if array is None else "is not what it was"
    report.add(node, f"the array {quoted(name)} of the network {what}; without it the network cannot be had")
    return node


def _sum(array: NDArray[Any]) -> str:
    """What tells an array from another: of its kind, shape and values."""
    head = f"{array.dtype.kind}{array.shape}".encode()
    return hashlib.sha256(
        head + np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
    ).hexdigest()
