"""Random graphs of NIR of all its classes: maps and vectors, ways of unequal depth, loops, delays, graphs in graphs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

DT = 1e-3
KINDS = ("CubaLI", "CubaLIF", "I", "IF", "LI", "LIF", "Threshold")
Shape = tuple[int, ...]


@dataclass
class Making:
    """A graph so far: what its nodes give, and which of them are neurons, in the order in which they were made.

    `delays` draws those that differ, so that all else is the same with and without them.
    """

    rng: np.random.Generator
    delays: np.random.Generator
    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    cells: list[str] = field(default_factory=list)

    def add(self, node: Any, shape: Shape, *before: str, name: str = "") -> str:
        """A node behind others."""
        name = name or f"{type(node).__name__.lower()}{len(self.nodes)}"
        self.nodes[name], self.shapes[name] = node, shape
        self.edges += [(one, name) for one in before]
        return name

    def chance(self, p: float) -> bool:
        """Whether something happens that happens so often."""
        return bool(self.rng.random() < p)

    def held(self, at: str, p: float) -> str:
        """A node, or so often a Delay behind it, of 0 to 4 steps for each value."""
        import nir

        if self.delays.random() >= p:
            return at
        shape = self.shapes[at]
        return self.add(nir.Delay(self.delays.integers(0, 5, shape) * DT), shape, at)

    def weights(self, *shape: int) -> Any:
        """Numbers of which few are equal."""
        return np.round(self.rng.normal(0, 0.8, shape), 3)


def cell(rng: np.random.Generator, kind: str, shape: Shape) -> Any:
    """Neurons of a class with parameters of their own."""
    import nir

    def between(low: float, high: float) -> Any:
        return np.round(rng.uniform(low, high, shape), 4)

    given = {
        "I": {"r": between(50, 200)},
        "IF": {"r": between(100, 400), "v_threshold": between(0.2, 1), "v_reset": between(-0.2, 0.1)},
        "LI": {"tau": between(0.003, 0.02), "r": between(0.5, 2), "v_leak": between(-0.1, 0.1)},
        "Threshold": {"threshold": between(0.1, 1)},
    }
    given["LIF"] = given["LI"] | {"v_threshold": between(0.1, 0.5), "v_reset": between(-0.2, 0.05)}
    given["CubaLI"] = {
        "tau_syn": between(0.002, 0.01), "tau_mem": between(0.003, 0.02), "r": between(0.5, 2),
        "v_leak": between(-0.1, 0.1), "w_in": between(0.5, 2),
    }  # fmt: skip
    given["CubaLIF"] = given["CubaLI"] | {"v_threshold": between(0.05, 0.3), "v_reset": between(-0.2, 0.02)}
    return getattr(nir, kind)(**given[kind])


def random_graph(seed: int) -> tuple[Any, dict[str, Shape]]:
    """A graph and the shapes of its inputs."""
    import nir

    making = Making(np.random.default_rng(seed), np.random.default_rng([seed, 1]))
    rng = making.rng
    vectors = [_vector(making)]
    if making.chance(0.5):
        vectors.append(_image(making))
    if making.chance(0.3):
        vectors.append(_signal(making))
    for _ in range(int(rng.integers(2, 5))):
        vectors.append(_layer(making, vectors))
    _loops(making)
    inside = {a for a, _ in making.edges}
    for name in [name for name in making.nodes if name not in inside]:
        shape = making.shapes[name]
        making.add(nir.Output(np.array(shape)), shape, name, name=f"out_{name}")
    inputs = {n: making.shapes[n] for n, node in making.nodes.items() if type(node).__name__ == "Input"}
    return nir.NIRGraph(making.nodes, making.edges, type_check=False), inputs


def _vector(making: Making) -> str:
    import nir

    size = int(making.rng.integers(2, 5))
    return making.add(nir.Input(np.array([size])), (size,), name="given")


def _layer(making: Making, vectors: list[str]) -> str:
    """Neurons behind one or two of what there is, sometimes in a graph of their own."""
    import nir

    rng, size = making.rng, int(making.rng.integers(2, 5))
    before = [str(name) for name in rng.permutation(vectors)[: int(rng.integers(1, 3))]]
    ends = [_way(making, name, size) for name in before]
    kind = str(rng.choice(KINDS))
    if making.chance(0.25):
        inner = nir.NIRGraph(
            {
                "input": nir.Input(np.array([size])),
                "scale": nir.Scale(making.weights(size) + 1.5),
                "cells": cell(rng, kind, (size,)),
                "output": nir.Output(np.array([size])),
            },
            [("input", "scale"), ("scale", "cells"), ("cells", "output")],
            type_check=False,
        )
        return making.add(inner, (size,), *ends, name=f"graph{len(making.nodes)}")
    name = making.add(cell(rng, kind, (size,)), (size,), *ends)
    making.cells.append(name)
    return name


def _way(making: Making, start: str, size: int) -> str:
    """Nodes without neurons from one node to a vector of a size."""
    import nir

    rng, at = making.rng, start
    [ins] = making.shapes[start]
    if making.chance(0.3):
        delays = rng.integers(0, 4, ins) if making.chance(0.5) else np.full(ins, rng.integers(1, 4))
        at = making.add(nir.Delay(delays * DT), (ins,), at)
    if making.chance(0.3):
        at = making.add(nir.Scale(making.weights(ins) + 1), (ins,), at)
    if ins != size or making.chance(0.7) or at == start:
        matrix = making.weights(size, ins)
        node = nir.Affine(matrix, making.weights(size) / 4) if making.chance(0.5) else nir.Linear(matrix)
        at = making.add(node, (size,), at)
        at = making.held(at, 0.3 if type(node).__name__ == "Linear" else 0)
    if making.chance(0.2):
        at = making.add(nir.Scale(making.weights(size) + 1), (size,), at)
    return at


def _loops(making: Making) -> None:
    """Neurons that lead to themselves, and to earlier ones through a delay that is long enough."""
    import nir

    for k, name in enumerate(making.cells):
        size = making.shapes[name][0]
        if len(making.shapes[name]) == 1 and making.chance(0.4):
            at = name
            if making.chance(0.4):
                at = making.add(nir.Delay(np.full(size, making.rng.integers(1, 4)) * DT), (size,), at)
            at = making.held(at, 0.4)
            at = making.add(nir.Linear(making.weights(size, size) / 3), (size,), at)
            making.edges.append((making.held(at, 0.4), name))
        earlier = [one for one in making.cells[:k] if len(making.shapes[one]) == 1]
        if len(making.shapes[name]) == 1 and earlier and making.chance(0.3):
            to = str(making.rng.choice(earlier))
            held = making.add(nir.Delay(np.full(size, 8) * DT), (size,), name)
            making.add(nir.Linear(making.weights(making.shapes[to][0], size) / 3), making.shapes[to], held)
            making.edges.append((list(making.nodes)[-1], to))


def _image(making: Making) -> str:
    """A map through convolutions and a pool to a vector."""
    import nir

    rng = making.rng
    channels, height, width = (2, *map(int, rng.integers(5, 8, 2)))
    at = making.add(nir.Input(np.array([channels, height, width])), (channels, height, width), name="image")
    for _ in range(int(rng.integers(1, 3))):
        at = _convolution(making, at)
        at = making.add(cell(rng, str(rng.choice(KINDS)), making.shapes[at]), making.shapes[at], at)
        making.cells.append(at)
    if min(making.shapes[at][1:]) >= 2 and making.chance(0.6):
        kind = nir.SumPool2d if making.chance(0.5) else nir.AvgPool2d
        c, h, w = making.shapes[at]
        size, stride = np.array([2, 2]), rng.integers(1, 3, 2)
        shape = (c, (h - 2) // int(stride[0]) + 1, (w - 2) // int(stride[1]) + 1)
        at = making.add(kind(size, stride, np.array([0, 0])), shape, at)
    return _flat(making, at)


def _convolution(making: Making, start: str) -> str:
    import nir

    rng = making.rng
    ins, height, width = making.shapes[start]
    outs = int(rng.choice([2, 4]))
    groups = int(rng.choice([1, 2])) if ins % 2 == 0 else 1
    kernel, dilation = rng.integers(1, 4, 2), rng.integers(1, 3, 2)
    extents = dilation * (kernel - 1) + 1
    numbers, same = rng.integers(0, 2, 2), extents - 1
    paddings = {"same": same, "valid": 0 * same, (int(numbers[0]), int(numbers[1])): 2 * numbers}
    padding, around = list(paddings.items())[int(rng.integers(3))]
    stride = np.array([1, 1]) if padding == "same" else rng.integers(1, 3, 2)
    shape = (np.array([height, width]) + around - extents) // stride + 1
    if shape.min() < 1:
        return _convolution(making, start)
    node = nir.Conv2d(
        (height, width), making.weights(outs, ins // groups, *kernel), tuple(map(int, stride)), padding,
        tuple(map(int, dilation)), groups, making.weights(outs) / 4,
    )  # fmt: skip
    return making.add(node, (outs, int(shape[0]), int(shape[1])), start)


def _signal(making: Making) -> str:
    """A signal of one axis through a convolution to a vector."""
    import nir

    rng, length, stride = making.rng, int(making.rng.integers(6, 10)), int(making.rng.integers(1, 3))
    at = making.add(nir.Input(np.array([2, length])), (2, length), name="signal")
    node = nir.Conv1d(length, making.weights(3, 2, 3), stride, 1, 1, 1, making.weights(3) / 4)
    shape = (3, (length + 2 - 3) // stride + 1)
    at = making.add(node, shape, at)
    at = making.add(cell(rng, str(rng.choice(KINDS)), shape), shape, at)
    making.cells.append(at)
    return _flat(making, at)


def _flat(making: Making, start: str) -> str:
    import nir

    shape = making.shapes[start]
    size = int(np.prod(shape))
    at = making.add(nir.Flatten(np.array(shape), 0, -1), (size,), start)
    at = making.add(nir.Linear(making.weights(3, size) / 2), (3,), at)
    name = making.add(cell(making.rng, "LIF", (3,)), (3,), at)
    making.cells.append(name)
    return name
