"""The shape of what every node takes and gives, and the maps that linear nodes are."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from neuroport.nir import kinds
from neuroport.nir.graph import Graph, Node
from neuroport.nir.kinds import shown
from neuroport.nir.maps import Delayed, Map, Matrix, Pair, Scaled, Shape, Windowed, positions

MOST = 2**28
"""Values that a node may give, and entries that a kernel may have."""
LONGEST = 2**31
"""Steps that something may be held back."""


class Shapes:
    """What is known of the shapes of a graph. `gives`: by node, what it hands on; `maps`: of linear nodes."""

    def __init__(self, graph: Graph, dt: float) -> None:
        """Find all shapes; `dt`: the step in the time of the file. Nodes that do not fit are refused in the graph."""
        self.graph, self.dt = graph, dt
        self.gives: dict[str, Shape] = {}
        self.maps: dict[str, Map] = {}
        self.rounded: dict[str, float] = {}
        """Delays that were no whole number of steps: by how much of a step at most."""
        self._before = {name: graph.before(name) for name in graph.nodes}
        for name, node in graph.nodes.items():
            own = _own(node) if name not in graph.refused else None
            if own is not None and self._fits(name, own):
                self.gives[name] = own
        waiting = [name for name in graph.nodes if name not in graph.refused and graph.nodes[name].is_linear]
        waiting += [name for name in graph.nodes if name not in graph.refused and name not in self.gives]
        while waiting:
            later = [name for name in dict.fromkeys(waiting) if not self._found(name)]
            if len(later) == len(dict.fromkeys(waiting)):
                break
            waiting = later
        for name in graph.nodes:
            if name not in graph.refused and (name in self.gives or name in self.maps):
                self._check(name)

    def _taken(self, name: str) -> Shape | None:
        """The shape of what comes from the nodes before, where it is known of one."""
        return next((self.gives[b] for b in self._before[name] if b in self.gives), None)

    def _found(self, name: str) -> bool:
        """Whether all is known of a node now."""
        node, taken = self.graph.nodes[name], self._taken(name)
        if name in self.graph.refused:
            return True
        if not node.is_linear:
            if name not in self.gives and taken is not None:
                self.gives[name] = taken
            return name in self.gives
        made = self._map(node, taken)
        if isinstance(made, str):
            self.graph.refuse(name, made)
        elif made is not None and self._fits(name, made.outs):
            self.maps[name], self.gives[name] = made, made.outs
        return made is not None

    def _fits(self, name: str, shape: Shape) -> bool:
        """Whether a node gives no more values than there can be; if not, it is refused."""
        if prod(shape) <= MOST:
            return True
        self.graph.refuse(name, f"it gives values of shape {shown(shape)}, which are more than {MOST:,}")
        return False

    def _check(self, name: str) -> None:
        """Refuse a node whose input has another shape."""
        wanted = self.maps[name].ins if name in self.maps else self.gives[name]
        for before in self._before[name]:
            given = self.gives.get(before)
            if given is not None and given != wanted:
                flat = prod(given) == prod(wanted) and isinstance(self.maps.get(name), Matrix)
                if not flat:
                    text = f"it takes values of shape {shown(wanted)}, and '{before}' gives {shown(given)}"
                    self.graph.refuse(name, f"{text}; correct the graph where it was made")

    def _map(self, node: Node, taken: Shape | None) -> Map | str | None:
        """The map that a linear node is; None where too little is known yet, a text where there is none."""
        fields = node.fields
        if node.kind in ("Affine", "Linear"):
            weight = np.asarray(fields["weight"], np.float64)
            bias = np.asarray(fields.get("bias", np.zeros(len(weight))), np.float64)
            if bias.shape != weight.shape[:1]:
                return f"bias has {len(bias)} numbers and weight {len(weight)} rows; there must be one for each"
            return Matrix((weight.shape[1],), (weight.shape[0],), weight, bias)
        if node.kind == "Scale":
            scale = np.asarray(fields["scale"], np.float64)
            return _spread(scale, taken, lambda s, values: Scaled(s, s, values))
        if node.kind == "Delay":
            return _spread(np.asarray(fields["delay"], np.float64), taken, self._delayed(node.name))
        if node.kind in ("Conv1d", "Conv2d"):
            return _convolution(node, taken)
        if taken is None:
            return None
        if node.kind in ("SumPool2d", "AvgPool2d"):
            return _pool(node, taken)
        if node.kind == "Flatten":
            return _flatten(fields, taken)
        return Map(taken, taken)

    def _delayed(self, name: str) -> Any:
        def make(shape: Shape, delay: Any) -> Delayed:
            with np.errstate(over="ignore"):
                exact = delay / self.dt
            steps = np.round(exact)
            if steps.max() > LONGEST:
                self.graph.refuse(name, f"it holds back {steps.max():g} steps, and {LONGEST:,} are the most")
                return Delayed(shape, shape, np.zeros(shape, np.int64))
            off = float(np.abs(exact - steps).max())
            if off > 1e-6:
                self.rounded[name] = off
            return Delayed(shape, shape, steps.astype(np.int64))

        return make


def _spread(values: Any, taken: Shape | None, make: Any) -> Map | None:
    """A map of a number for each value, or of one for all."""
    if values.ndim == 0 or (values.shape == (1,) and taken not in (None, (1,))):
        return None if taken is None else make(taken, np.full(taken, values.reshape(-1)[0]))
    return make(values.shape, values)  # type: ignore[no-any-return]


def _own(node: Node) -> Shape | None:
    """The shape that a node says itself."""
    if node.is_neuron:
        shapes = [np.shape(node.fields[n]) for n in kinds.NEURONS[node.kind].params if n in node.fields]
        longest = max(shapes, key=lambda shape: (prod(shape), len(shape)), default=())
        return longest or None
    if node.is_end:
        return tuple(int(n) for n in np.asarray(node.fields["shape"]).reshape(-1)) if "shape" in node.fields else None
    return None


def _numbers(value: Any, rank: int) -> Pair | None:
    """A number for rows and columns, or one for each; of one direction that of columns."""
    values = [int(n) for n in np.asarray(value).reshape(-1)]
    if len(values) == 1:
        return (values[0], values[0]) if rank == 2 else (0, values[0])
    return (values[0], values[1]) if len(values) == 2 and rank == 2 else None


def _convolution(node: Node, taken: Shape | None) -> Map | str | None:
    fields, rank = node.fields, 2 if node.kind == "Conv2d" else 1
    kernel = np.asarray(fields["weight"], np.float64).reshape(*np.shape(fields["weight"])[:2], *((1,) * (2 - rank)), -1)
    kernel = np.asarray(fields["weight"], np.float64) if rank == 2 else kernel
    groups, bias = int(np.asarray(fields["groups"]).reshape(-1)[0]), np.asarray(fields["bias"], np.float64)
    outs, channels = kernel.shape[0], kernel.shape[1] * groups
    if bias.shape != (outs,):
        return f"bias has {len(bias)} numbers and weight {outs} channels; there must be one for each"
    if outs % groups:
        return f"groups is {groups}, which does not divide its {outs} channels"
    said = fields.get("input_shape")
    if taken is None and said is not None:
        taken = (channels, *(int(n) for n in np.asarray(said).reshape(-1)))
    if taken is None:
        return None
    if len(taken) != rank + 1 or taken[0] != channels:
        wanted = f"({channels}, {'rows, columns' if rank == 2 else 'places'})"
        return f"it takes values of shape {wanted}, and gets {shown(taken)}; correct the graph where it was made"
    return _windows(node.fields, kernel, bias, taken, rank, groups)


def _windows(
    fields: dict[str, Any], kernel: Any, bias: Any, taken: Shape, rank: int, groups: int, pool: bool = False
) -> Map | str:
    stride, dilation = _numbers(fields["stride"], rank), _numbers(fields.get("dilation", 1), rank)
    padding, sizes = fields["padding"], (taken[1], taken[2]) if rank == 2 else (1, taken[1])
    if stride is None or dilation is None:
        return f"stride and dilation must be one number, or one for each direction, of which it has {rank}"
    if rank == 1:
        stride, dilation = (1, stride[1]), (1, dilation[1])
    before: Pair
    after: Pair
    if isinstance(padding, str):
        spans = [(kernel.shape[k + 2] - 1) * dilation[k] if padding == "same" else 0 for k in (0, 1)]
        if padding == "same" and stride != (1, 1):
            return "padding is 'same' with a stride, which is said in different ways; give the padding in numbers"
        before = (spans[0] // 2, spans[1] // 2)
        after = (spans[0] - before[0], spans[1] - before[1])
    else:
        around = _numbers(padding, rank)
        if around is None:
            return f"padding must be one number, or one for each direction, of which it has {rank}"
        before = after = around
    counts = [positions(sizes[k], kernel.shape[k + 2], stride[k], before[k] + after[k], dilation[k]) for k in (0, 1)]
    if 0 in counts:
        return f"its kernel does not fit into {shown(taken)}; correct the graph where it was made"
    made = (kernel.shape[0], *(counts if rank == 2 else counts[1:]))
    return Windowed(taken, made, kernel, bias, stride, before, after, dilation, groups, pool)


def _pool(node: Node, taken: Shape) -> Map | str:
    if len(taken) != 3:
        return f"it takes maps (channels, rows, columns), and gets {shown(taken)}"
    size = _numbers(node.fields["kernel_size"], 2)
    if size is None:
        return "kernel_size must be one number, or one for rows and one for columns"
    if taken[0] * prod(size) > MOST:
        return f"its kernels have more than {MOST:,} entries"
    value = 1.0 if node.kind == "SumPool2d" else 1 / prod(size)
    kernel = np.full((taken[0], 1, *size), value)
    return _windows(node.fields, kernel, np.zeros(taken[0]), taken, 2, taken[0], pool=True)


def _flatten(fields: dict[str, Any], taken: Shape) -> Map | str:
    first, last = (int(np.asarray(fields.get(n, d)).reshape(-1)[0]) for n, d in kinds.OPTIONAL.items())
    first, last = (n + len(taken) if n < 0 else n for n in (first, last))
    if not 0 <= first <= last < len(taken):
        return f"start_dim and end_dim are {first} and {last}, and {shown(taken)} has {len(taken)} dimensions"
    return Map(taken, (*taken[:first], prod(taken[first : last + 1]), *taken[last + 1 :]))
