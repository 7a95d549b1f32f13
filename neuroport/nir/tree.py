"""A NIR graph as it is stored: of a file, or of an object of the package nir, which has the same fields.

A file is read by h5py, so that the package nir is not needed, and a file that it refuses can be told of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neuroport.disk.findings import Kind
from neuroport.disk.hdf5 import ANY, EVERY, TEXT, Group, opened
from neuroport.errors import InvalidInput, Place
from neuroport.numerics.given import found

FILE = Kind("NIR graph", "write it again")
GRAPH = "NIRGraph"
OWN = "neuroport"
"""What metadata for us are called."""
DEEPEST = 32


@dataclass(frozen=True, eq=False)
class Raw:
    """A node: its class, its fields, arrays and texts, and of a graph the nodes and edges in it."""

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, Raw] = field(default_factory=dict)
    edges: tuple[tuple[str, str], ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


def read(path: str | Path) -> tuple[Raw, str]:
    """The graph in a file, and the version of NIR that it names, "" without one. InvalidInput where there is none."""
    with opened(path, FILE) as root:
        if root.has_attribute("__type__"):
            text = "is NIR data, recordings without a network; give a file with a graph, as nir.write makes it"
            raise InvalidInput.one(Place(str(path)), text)
        version = root.content("version") if root.has("version") else ""
        raw = _node(root.group("node"), 0)
        root.findings.stop()
    if raw.kind != GRAPH:
        raise InvalidInput.one(Place(str(path)), f"holds a node of kind {raw.kind} alone; give a file with a graph")
    return raw, version


def _node(group: Group, depth: int) -> Raw:
    if depth > DEEPEST:
        group.findings.fail(f"{group} is nested more than {DEEPEST} times")
    fields: dict[str, Any] = {}
    nodes: dict[str, Raw] = {}
    edges: tuple[tuple[str, str], ...] = ()
    metadata: dict[str, Any] = {}
    for name in group.names():
        if name == "type":
            continue
        if name == "nodes":
            inner = group.group(name)
            nodes = {child: _node(inner.group(child), depth + 1) for child in inner.names()}
        elif name == "edges":
            edges = _edges(group)
        elif name == "metadata":
            metadata = _own(group.group(name))
        elif group.is_group(name):
            group.findings.add(f"{group}/{name} is a group; a node has numbers and texts")
        else:
            fields[name] = _value(group, name)
    return Raw(group.content("type"), fields, nodes, edges, metadata)


def _edges(group: Group) -> tuple[tuple[str, str], ...]:
    """Pairs of names; nir writes none as an empty array of numbers."""
    stored = group.array("edges", ANY)
    if stored.item is not None and 0 in stored.shape:
        return ()
    rows = group.array("edges", TEXT, (None, 2))
    values = [] if rows.item is None else rows.read().tolist()
    return tuple((_text(group, a), _text(group, b)) for a, b in values)


def _own(group: Group) -> dict[str, Any]:
    """What metadata say to neuroport; what they say to others is left alone."""
    if not group.has(OWN) or not group.is_group(OWN):
        return {}
    inner = group.group(OWN)
    return {OWN: {name: _value(inner, name) for name in inner.names() if not inner.is_group(name)}}


def _value(group: Group, name: str) -> Any:
    array = group.array(name, EVERY)
    if array.item is None:
        return np.zeros(())
    value = array.read()
    return _text(group, value) if isinstance(value, bytes | str) else np.asarray(value)


def _text(group: Group, value: bytes | str) -> str:
    try:
        return value if isinstance(value, str) else value.decode()
    except UnicodeDecodeError:
        group.findings.fail(f"{group} has a name that is no UTF-8 text")


def of_object(graph: Any) -> Raw:
    """The graph that an object of the package nir is. InvalidInput for anything else."""
    given = graph.to_dict() if hasattr(graph, "to_dict") and hasattr(graph, "edges") else None
    if not isinstance(given, Mapping) or given.get("type") != GRAPH:
        raise InvalidInput.one(None, f"graph must be the path of a NIR file or a nir.NIRGraph; found {found(graph)}")
    return _of_mapping(given)


def _of_mapping(given: Mapping[str, Any]) -> Raw:
    apart = ("type", "nodes", "edges", "metadata")
    fields = {name: _plain(value) for name, value in given.items() if name not in apart and value is not None}
    nodes = {str(name): _of_mapping(node) for name, node in (given.get("nodes") or {}).items()}
    edges = tuple((str(a), str(b)) for a, b in given.get("edges") or ())
    return Raw(str(given.get("type")), fields, nodes, edges, dict(given.get("metadata") or {}))


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | Mapping) else np.asarray(value)
