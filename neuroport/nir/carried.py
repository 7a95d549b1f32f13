"""The network itself in the metadata of its graph, so that nothing is lost on the way back.

The key `neuroport` of a graph's metadata has: `network`, the text of a network file; `arrays`, its large arrays, each
with the name that the text has for it; `graph`, a sum of the graph's nodes and edges, which tells whether somebody
changed them; `version`; `lost`, what another tool does not see, a sentence a line; and for a graph that was changed
`dt`, `time_unit` and, where all nodes have one, `integrate`, `current`, `reset` and `input`, as `neuroport import`
knows them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.files import apart
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.nir.tree import OWN
from neuroport.numerics import units
from neuroport.version import __version__


def carry(graph: Any, network: Network, folder: str | Path, lost: Sequence[str], meaning: Mapping[str, str]) -> None:
    """Put a network into the metadata of its graph. `folder`: where the file will lie, and paths in the text start."""
    text, arrays = apart.written(network, folder=folder)
    graph.metadata[OWN] = {
        "version": __version__,
        "network": text,
        "arrays": {str(k): {"name": name, "values": array} for k, (name, array) in enumerate(arrays.items())},
        "dt": units.show(network.dt),
        "time_unit": "s",
        **meaning,
        "lost": "\n".join(lost),
        "graph": fingerprint(graph),
    }
    if not arrays:
        del graph.metadata[OWN]["arrays"]


def carried(graph: Any, file: str | Path) -> Network | None:
    """The network that the metadata of a graph have; None where there is none, or where the graph is another one since.

    The graph is a `nir.NIRGraph`, or what has its `metadata`, and `kind`, `fields`, `nodes` and `edges`. `file`: the
    one that it was read from; relative paths start in its folder. InvalidInput for a damaged text.
    """
    found = graph.metadata.get(OWN)
    if not isinstance(found, Mapping) or not isinstance(found.get("network"), str) or is_changed(graph):
        return None
    stored = found.get("arrays")
    kept = stored.values() if isinstance(stored, Mapping) else ()
    whole = [one for one in kept if isinstance(one, Mapping) and isinstance(one.get("name"), str)]
    arrays = {one["name"]: np.asarray(one.get("values")) for one in whole}
    return reader.loads(found["network"], str(file), str(Path(file).parent), arrays=arrays.get)


def is_changed(graph: Any) -> bool:
    """Whether somebody has changed the nodes or edges of a graph that was written here."""
    found = graph.metadata.get(OWN)
    return isinstance(found, Mapping) and str(found.get("graph")) != fingerprint(graph)


def fingerprint(graph: Any) -> str:
    """A sum of the nodes and edges of a graph, without metadata."""
    total = hashlib.sha256()
    _add(total, _mapping(graph))
    return total.hexdigest()


def _mapping(graph: Any) -> Mapping[str, Any]:
    """The graph in the form in which nir writes it."""
    if hasattr(graph, "to_dict"):
        found: Mapping[str, Any] = graph.to_dict()
        return found
    inner = {"nodes": {name: _mapping(node) for name, node in graph.nodes.items()}, "edges": graph.edges}
    return {"type": graph.kind, **graph.fields, **(inner if graph.nodes else {})}


def _add(total: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        for key in sorted(value):
            if key != "metadata" and value[key] is not None:
                total.update(f"{key}:".encode())
                _add(total, sorted(map(tuple, value[key])) if key == "edges" else value[key])
        total.update(b";")
    else:
        total.update(_bytes(np.asarray(value)))


def _bytes(array: NDArray[Any]) -> bytes:
    """Kind, shape and values, whatever the width of the numbers."""
    if array.dtype.kind in "iub":
        array = array.astype("<i8")
    elif array.dtype.kind == "f":
        array = array.astype("<f8")
    else:
        return repr(array.tolist()).encode()
    return f"{array.dtype.kind}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()
