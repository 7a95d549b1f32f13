"""Ways from neurons and inputs to neurons and outputs, through what is linear between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from neuroport.nir.graph import Graph
from neuroport.nir.maps import Delayed, Map, Matrix, Real, Scaled, Windowed
from neuroport.nir.shapes import Shapes

MOST = 4096


@dataclass(frozen=True, eq=False)
class Chain:
    """A way from `source` to `target` through linear `nodes`, which are `maps`."""

    source: str
    target: str
    nodes: tuple[str, ...]
    maps: tuple[Map, ...]

    @property
    def delay(self) -> int:
        """How many steps everything is held back on it at least."""
        return sum(int(map_.steps.min()) for map_ in self.maps if isinstance(map_, Delayed))

    @property
    def returns(self) -> bool:
        """Whether it is a neuron's own loop on which something is not held back, and so comes one step later."""
        return self.source == self.target and not self.delay

    @property
    def changes(self) -> tuple[Map, ...]:
        """The maps that change values."""
        return tuple(map_ for map_ in self.maps if isinstance(map_, Matrix | Scaled | Windowed))

    def later(self, sources: int, targets: int) -> NDArray[np.int64] | None:
        """By how many steps more than the least each pair (source, target) is held back; None where none is.

        On a neuron's own loop nothing is held back less than one step. ValueError, with the node, where that depends on
        what is between a source and a target.
        """
        varied = [(k, m) for k, m in enumerate(self.maps) if isinstance(m, Delayed) and m.steps.min() < m.steps.max()]
        if not varied:
            return None
        whole = np.zeros((sources, targets), np.int64)
        for k, map_ in varied:
            own = map_.steps.reshape(-1) - map_.steps.min()
            before, after = (
                any(isinstance(m, Matrix | Windowed) for m in part) for part in (self.maps[:k], self.maps[k:])
            )
            if before and after:
                raise ValueError(self.nodes[k])
            whole += own[:, None] if not before else own[None, :]
        return np.maximum(whole - 1, 0) if self.returns else whole


def chains(graph: Graph, shapes: Shapes) -> list[Chain]:
    """All ways between neurons and ends, in the order of the nodes; too many are refused in the graph."""
    found: list[Chain] = []
    for name, node in graph.nodes.items():
        if node.kind == "Output" or node.is_neuron:
            ways = _ways(graph, name)
            mine = [(source, nodes) for source, nodes in ways if source in shapes.gives]
            if len(mine) > MOST:
                graph.refuse(name, f"more than {MOST:,} ways lead to it through linear nodes; join some of these")
            found += [Chain(s, name, nodes, tuple(shapes.maps[n] for n in nodes)) for s, nodes in mine[:MOST]]
    order = {name: k for k, name in enumerate(graph.nodes)}
    return sorted(found, key=lambda chain: (order[chain.target], order[chain.source]))


def _ways(graph: Graph, target: str) -> list[tuple[str, tuple[str, ...]]]:
    """The nodes where ways to one begin, each with the linear nodes on it."""
    found: list[tuple[str, tuple[str, ...]]] = []
    open_: list[tuple[str, tuple[str, ...]]] = [(before, ()) for before in graph.before(target)]
    while open_ and len(found) <= MOST:
        name, path = open_.pop(0)
        if graph.nodes[name].is_linear:
            open_ += [(before, (name, *path)) for before in graph.before(name)]
        else:
            found.append((name, path))
    return found


def bias(graph: Graph, shapes: Shapes, target: str) -> Real:
    """What linear nodes add to every value that a node takes, whatever comes through them."""
    known: dict[str, Real] = {}

    def given(name: str) -> Real:
        map_ = shapes.maps.get(name)
        if map_ is None:
            return np.zeros(prod(shapes.gives[name]))
        if name not in known:
            total = np.zeros(prod(map_.ins))
            for before in graph.before(name):
                total = total + given(before)
            known[name] = map_(total.reshape(1, *map_.ins)).reshape(-1)
        return known[name]

    whole = np.zeros(prod(shapes.gives[target]))
    for before in graph.before(target):
        whole = whole + given(before)
    return whole


def early(graph: Graph, shapes: Shapes) -> Iterator[str]:
    """Delays that hold back something, and through which a bias comes."""
    for name, map_ in shapes.maps.items():
        if isinstance(map_, Delayed) and map_.steps.any() and np.any(bias(graph, shapes, name) != 0):
            yield name


def silent(graph: Graph, used: Sequence[Chain]) -> Iterator[str]:
    """Linear nodes on no way."""
    on = {name for chain in used for name in chain.nodes}
    yield from (name for name, node in graph.nodes.items() if node.is_linear and name not in on)
