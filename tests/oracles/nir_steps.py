"""Graphs of NIR step by step, with NumPy alone: an independent program beside what neuroport makes of them.

It takes the nodes as they are in nir 1.0.8, by the names of their classes. What NIR leaves open is said by a `Meaning`.
A value that a node gives in a step reaches all nodes behind it in the same step. A loop needs a Delay of a step or
more; where only one neuron is in it, what no Delay holds back comes to it again one step later. Several edges into a
node add up.

Written after the equations in the documentation of NIR's primitives and of PyTorch's convolutions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
NEURONS = ("CubaLI", "CubaLIF", "I", "IF", "LI", "LIF", "Threshold")
ENDS = ("Input", "Output")


@dataclass(frozen=True)
class Meaning:
    """What NIR leaves open. `dt` is in the graph's unit of time."""

    dt: float
    exact: bool = False
    updated: bool = False
    subtract: bool = False


@dataclass
class Ran:
    """What every node gave, and the voltages and currents of neurons after each step: name -> (steps, *shape)."""

    given: dict[str, Reals] = field(default_factory=dict)
    v: dict[str, Reals] = field(default_factory=dict)
    i: dict[str, Reals] = field(default_factory=dict)


def flat(graph: Any, before: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Nodes and edges without graphs in graphs, whose nodes are called GRAPH.NODE."""
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    starts: dict[str, list[str]] = {}
    ends: dict[str, list[str]] = {}
    for name, node in graph.nodes.items():
        full = before + name
        starts[name], ends[name] = [full], [full]
        if type(node).__name__ != "NIRGraph":
            nodes[full] = node
            continue
        inner, joined = flat(node, f"{full}.")
        nodes |= inner
        edges += joined
        starts[name] = [f"{full}.{n}" for n, one in node.nodes.items() if type(one).__name__ == "Input"]
        ends[name] = [f"{full}.{n}" for n, one in node.nodes.items() if type(one).__name__ == "Output"]
    edges += [(a, b) for one, other in graph.edges for a in ends[one] for b in starts[other]]
    return nodes, edges


def run(graph: Any, inputs: Mapping[str, Any], meaning: Meaning, first: Mapping[str, Any] | None = None) -> Ran:
    """Run as many steps as there are rows of values for the graph's inputs: name -> (steps, *shape).

    `first`: the voltages with which neurons begin, where these are not 0.
    """
    nodes, edges = flat(graph)
    walk = Walk(nodes, edges, inputs, {name: machine(node, meaning) for name, node in nodes.items()})
    for name, v in (first or {}).items():
        walk.machines[name].v = np.broadcast_to(np.asarray(v, np.float64), np.shape(walk.machines[name].v))
    states: dict[str, list[tuple[Any, Any]]] = {name: [] for name in nodes}
    for _ in range(len(next(iter(inputs.values())))):
        walk.step()
        for name, one in walk.machines.items():
            states[name].append((np.copy(one.v), np.copy(one.i)))
    ran = Ran({}, {}, {})
    for name in nodes:
        ran.given[name] = np.array(walk.rows[name])
        if type(nodes[name]).__name__ in NEURONS:
            ran.v[name] = np.array([v for v, _ in states[name]])
            ran.i[name] = np.array([i for _, i in states[name]])
    return ran


class Walk:
    """Nodes of which each asks those before it for what they give. `rows`: by node, what it gave in each step."""

    def __init__(
        self,
        nodes: Mapping[str, Any],
        edges: list[tuple[str, str]],
        inputs: Mapping[str, Any],
        machines: dict[str, Machine],
    ) -> None:
        self.inputs, self.machines = inputs, machines
        self.rows: dict[str, list[Any]] = {name: [] for name in nodes}
        self._nodes = nodes
        self._into = {name: [a for a, b in edges if b == name] for name in nodes}
        self._cells = {name for name, node in nodes.items() if type(node).__name__ in NEURONS}
        self._behind = {name: self._reached(name, edges) for name in self._cells}
        self._known: dict[tuple[str, str], Any] = {}
        self._now = 0

    def step(self) -> None:
        """All nodes do a step."""
        self._known = {}
        now = {name: self._given(name, "") for name in self._nodes}
        for name, value in now.items():
            self.rows[name].append(value)
        self._now += 1

    def _reached(self, cell: str, edges: list[tuple[str, str]]) -> set[str]:
        """What a neuron leads to through nodes that are no neurons."""
        found, ahead = {cell}, [cell]
        while ahead:
            name = ahead.pop()
            new = {b for a, b in edges if a == name} - self._cells - found
            found |= new
            ahead += new
        return found

    def _given(self, name: str, asking: str) -> Any:
        """What a node gives in this step to a neuron that asks; a neuron has of itself only the step before."""
        if asking and name == asking:
            return self.rows[name][-1] if self._now else np.zeros(np.shape(self.machines[name].v))
        key = (name, asking if asking and name in self._behind[asking] and name not in self._cells else "")
        if key not in self._known:
            self._known[key] = self._made(name, name if name in self._cells else key[1])
        return self._known[key]

    def _made(self, name: str, asking: str) -> Any:
        one, before = self.machines[name], self._into[name]
        if name in self.inputs:
            return np.asarray(self.inputs[name][self._now], np.float64)
        if type(self._nodes[name]).__name__ == "Input" and not before:
            return np.zeros(tuple(self._nodes[name].input_type["input"]))
        if isinstance(one, Delay):
            return one.gives(lambda ago: self._sum(before, asking, ago), self._now)
        return one.step(self._sum(before, asking, 0))

    def _sum(self, before: list[str], asking: str, ago: int) -> Any:
        """What nodes gave so many steps ago, together."""
        return sum(self.rows[a][self._now - ago] if ago else self._given(a, asking) for a in before)


class Machine:
    """One node: what it holds, and what it gives for what arrives in a step."""

    v: Any = 0.0
    i: Any = 0.0

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def step(self, arriving: Any) -> Any:
        """What it gives."""
        return self._function(arriving)


class Neuron(Machine):
    """An integrator, leaky or not, with a synaptic current or not, that spikes or not."""

    def __init__(self, node: Any, meaning: Meaning) -> None:
        self._node, self._meaning = node, meaning
        self._kind = type(node).__name__
        shape = node.threshold.shape if self._kind == "Threshold" else node.r.shape
        self.v, self.i = np.zeros(shape), np.zeros(shape)

    def step(self, arriving: Any) -> Any:
        """What it gives: spikes, or its voltage."""
        node, meaning = self._node, self._meaning
        if self._kind == "Threshold":
            self.v = np.broadcast_to(arriving, self.v.shape)
            return (self.v > node.threshold).astype(np.float64)
        current: Any = arriving
        if self._kind.startswith("Cuba"):
            old = self.i
            self.i = self._relaxed(old, node.w_in * arriving, node.tau_syn)
            current = self.i if meaning.updated else old
        if self._kind in ("I", "IF"):
            self.v = self.v + meaning.dt * node.r * current
        else:
            tau = node.tau_mem if self._kind.startswith("Cuba") else node.tau
            self.v = node.v_leak + self._relaxed(self.v - node.v_leak, node.r * current, tau)
        if self._kind not in ("IF", "LIF", "CubaLIF"):
            return self.v
        spiking = self.v > node.v_threshold
        after = self.v - node.v_threshold if meaning.subtract else np.broadcast_to(node.v_reset, self.v.shape)
        self.v = np.where(spiking, after, self.v)
        return spiking.astype(np.float64)

    def _relaxed(self, x: Any, towards: Any, tau: Any) -> Any:
        """A step of tau dx/dt = towards - x."""
        if self._meaning.exact:
            kept = np.exp(-self._meaning.dt / tau)
            return x * kept + towards * (1 - kept)
        return x + self._meaning.dt / tau * (towards - x)


class Delay(Machine):
    """What arrived so many steps ago, one number of steps per element; 0 before anything has come through."""

    def __init__(self, node: Any, meaning: Meaning) -> None:
        self._steps = np.rint(np.asarray(node.delay) / meaning.dt).astype(int)

    def gives(self, arrived: Callable[[int], Any], now: int) -> Any:
        """What it gives in a step; `arrived`: what came so many steps before it."""
        out = np.zeros(self._steps.shape)
        for ago in np.unique(self._steps[self._steps <= now]):
            mine = self._steps == ago
            out[mine] = np.broadcast_to(arrived(int(ago)), mine.shape)[mine]
        return out


def machine(node: Any, meaning: Meaning) -> Machine:
    """The machine of a node."""
    kind = type(node).__name__
    if kind in NEURONS:
        return Neuron(node, meaning)
    if kind == "Delay":
        return Delay(node, meaning)
    functions: dict[str, Callable[[Any], Any]] = {
        "Input": np.asarray,
        "Output": np.asarray,
        "Linear": lambda x: node.weight @ x,
        "Affine": lambda x: node.weight @ x + node.bias,
        "Scale": lambda x: node.scale * x,
        "Flatten": lambda x: flattened(node, x),
        "Conv1d": lambda x: convolved(x, node, 1),
        "Conv2d": lambda x: convolved(x, node, 2),
        "SumPool2d": lambda x: pooled(x, node),
        "AvgPool2d": lambda x: pooled(x, node) / np.prod(pair(node.kernel_size, 2)),
    }
    return Machine(functions[kind])


def pair(value: Any, axes: int) -> tuple[int, ...]:
    """One number per axis."""
    return tuple(int(one) for one in np.broadcast_to(np.asarray(value), (axes,)))


def flattened(node: Any, x: Any) -> Any:
    """Dimensions start_dim to end_dim in one."""
    first, last = int(node.start_dim) % x.ndim, int(node.end_dim) % x.ndim
    return x.reshape(*x.shape[:first], -1, *x.shape[last + 1 :])


def edges_of(padding: Any, extents: tuple[int, ...]) -> list[tuple[int, int]]:
    """How many zeros stand before and after each axis; of an odd number for "same", one more after."""
    if isinstance(padding, str | bytes | np.bytes_):
        word = padding if isinstance(padding, str) else padding.decode()
        return [((e - 1) // 2, (e - 1) - (e - 1) // 2) if word == "same" else (0, 0) for e in extents]
    return [(p, p) for p in pair(padding, len(extents))]


def convolved(x: Any, node: Any, axes: int) -> Any:
    """A convolution (cross-correlation) of (channels, *axes), with stride, dilation and groups."""
    weight, groups = node.weight, int(np.asarray(node.groups))
    stride, dilation = pair(node.stride, axes), pair(node.dilation, axes)
    kernel = weight.shape[2:]
    extents = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
    x = np.pad(x, [(0, 0), *edges_of(node.padding, extents)])
    shape = tuple((n - e) // s + 1 for n, e, s in zip(x.shape[1:], extents, stride, strict=True))
    out = np.zeros((weight.shape[0], *shape))
    per_in, per_out = x.shape[0] // groups, weight.shape[0] // groups
    for at in product(*map(range, kernel)):
        window = tuple(
            slice(d * k, d * k + s * (n - 1) + 1, s) for d, k, s, n in zip(dilation, at, stride, shape, strict=True)
        )
        for group in range(groups):
            seen = x[(slice(group * per_in, (group + 1) * per_in), *window)]
            taken = weight[(slice(group * per_out, (group + 1) * per_out), slice(None), *at)]
            out[group * per_out : (group + 1) * per_out] += np.tensordot(taken, seen, 1)
    return out + np.asarray(node.bias).reshape(-1, *([1] * axes))


def pooled(x: Any, node: Any) -> Any:
    """Sums over windows of (channels, height, width)."""
    kernel, stride = pair(node.kernel_size, 2), pair(node.stride, 2)
    x = np.pad(x, [(0, 0), *((p, p) for p in pair(node.padding, 2))])
    shape = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:], kernel, stride, strict=True)]
    out = np.zeros((x.shape[0], *shape))
    for a, b in product(*map(range, kernel)):
        out += x[
            :,
            a : a + stride[0] * (shape[0] - 1) + 1 : stride[0],
            b : b + stride[1] * (shape[1] - 1) + 1 : stride[1],
        ]
    return out
