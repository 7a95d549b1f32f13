"""A network as it was after a run: learned values of the trace take the place of the initial ones.

Floating point does not heed ranges. Where a learned value left its range, the range is widened, so that the network can
be loaded again, and a chip's words hold the value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport import units
from neuroport.connect import make_synapses
from neuroport.errors import InvalidInput, Place
from neuroport.model import State
from neuroport.network import Connect, Network, Population, Projection
from neuroport.trace import Trace
from neuroport.values import ArrayValue, Frozen, Value

LEARNED = ("weight", "plastic")


def with_learned(network: Network, trace: Trace) -> Network:
    """The network with every variable of class weight or plastic starting where the trace ended.

    Weights are taken from the last snapshot when the run was cut off before its end. InvalidInput if a value is no
    number to start from.
    """
    populations = tuple(_population(p, trace) for p in network.populations)
    projections = tuple(_projection(p, network, trace) for p in network.projections)
    return replace(network, populations=populations, projections=projections)


def widened(before: Network, after: Network) -> Iterator[str]:
    """What to say of the ranges in which the networks differ."""
    pairs: list[tuple[Population | Projection, Population | Projection]] = [
        *zip(before.populations, after.populations, strict=True),
        *zip(before.projections, after.projections, strict=True),
    ]
    for old, new in pairs:
        for name, (low, high) in new.ranges:
            if (name, (low, high)) not in old.ranges:
                yield f"'{new.name}.{name}' left its range in the run; the range is now {low:g} to {high:g}"


def _population(population: Population, trace: Trace) -> Population:
    initial, ranges = dict(population.initial), dict(population.ranges)
    for state in population.neuron.states:
        values = _last(trace, f"{population.name}.{state.name}") if state.variable_class in LEARNED else None
        if values is not None:
            initial[state.name] = _value(values, state, population.name, ranges, trace)
    return replace(population, initial=tuple(initial.items()), ranges=tuple(ranges.items()))


def _projection(projection: Projection, network: Network, trace: Trace) -> Projection:
    initial, weight, ranges = dict(projection.initial), projection.weight, dict(projection.ranges)
    synapses = _Synapses.of(projection, network, trace)
    for state in projection.synapse.states:
        learned = state.weight or state.variable_class in LEARNED
        values = _last(trace, f"{projection.name}.{state.name}") if learned else None
        if values is None or synapses is None:
            continue
        value = _value(synapses.arranged(values), state, projection.name, ranges, trace)
        if state.weight:
            weight = value
        else:
            initial[state.name] = value
    if synapses is not None:
        projection = replace(projection, connect=synapses.connect)
    if weight == projection.weight and projection.synapse.weight.init is None and trace.steps:
        text = f"holds no weights of projection '{projection.name}'; the run that wrote it was cut off"
        if not trace.complete:
            raise InvalidInput.one(Place(str(trace.path)), text)
    return replace(projection, weight=weight, initial=tuple(initial.items()), ranges=tuple(ranges.items()))


@dataclass(frozen=True, eq=False)
class _Synapses:
    """How the values of a projection's synapses, sorted by pre and post in a trace, are written in a network file.

    All-to-all connections take a matrix. Drawn ones become explicit pairs, so that the values keep their synapses
    whatever the network's seed. Explicit ones keep their order.
    """

    connect: Connect
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    shape: tuple[int, int]
    given: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, projection: Projection, network: Network, trace: Trace) -> _Synapses | None:
        """None when the trace holds no weights of the projection."""
        array = f"{projection.name}.{projection.synapse.weight.name}"
        if array not in trace.final and array not in trace.snapshots:
            return None
        found = trace.weights(projection.name)
        shape = (network.population(projection.source).size, network.population(projection.target).size)
        connect = projection.connect
        if connect.kind in ("fixed_probability", "fixed_in_degree"):
            pairs = Frozen(np.stack([found.pre, found.post], axis=1))
            connect = Connect(kind="pairs", pairs=pairs, place=connect.place)
        elif connect.kind in ("pairs", "file"):
            synapses = make_synapses(projection, *shape, network.seed, network.folder)
            return cls(connect, found.pre, found.post, shape, synapses.elements.given)
        return cls(connect, found.pre, found.post, shape)

    def arranged(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values as the connection rule takes them: a matrix (source, target), or one by one."""
        if self.connect.kind == "all_to_all":
            matrix = np.zeros(self.shape, values.dtype)
            matrix[self.pre, self.post] = values
            return matrix
        if self.given is None:
            return values
        ordered = np.empty_like(values)
        ordered[self.given] = values
        return ordered


def _last(trace: Trace, array: str) -> NDArray[np.float64] | None:
    if array in trace.final:
        return _of_all_copies(trace, array, trace.final_array(array).values)
    if array in trace.snapshots:
        return _of_all_copies(trace, array, trace.weights(array).values)
    if array in trace.records:
        values = np.asarray(trace.record(array).values[-1])
        own = values.size == trace.populations.get(array.partition(".")[0])
        return _of_all_copies(trace, array, values.reshape(-1, trace.copies) if own else values)
    return None


def _of_all_copies(trace: Trace, array: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values with which all copies can start."""
    if values.ndim == 1:
        return values
    if np.any(values != values[:, :1]):
        text = f"has another '{array}' in each of its {trace.copies} copies, and a network file gives all copies the "
        text += "same; declare it 'over_copies: shared', or run one copy"
        raise InvalidInput.one(Place(str(trace.path)), text)
    return values[:, 0]


def _value(
    values: NDArray[Any], state: State, owner: str, ranges: dict[str, tuple[float, float]], trace: Trace
) -> Value:
    """An array in the unit that the model declares (the trace has coherent units), and a range that it fits."""
    values = np.asarray(values, dtype=np.int64 if state.type == "int" else np.float64)
    if state.unit and not units.is_step(state.unit) and units.coherent(1, state.unit)[0] != 1.0:
        values = values / units.coherent(1, state.unit)[0]
    if not np.isfinite(values).all():
        text = (
            f"ended with '{owner}.{state.name}' at {values[~np.isfinite(values)][0]}, from where no network can start"
        )
        raise InvalidInput.one(Place(str(trace.path)), text)
    span = ranges.get(state.name, state.range)
    if span is not None and values.size:
        low, high = float(values.min()), float(values.max())
        wide = (span[0] if low >= span[0] else -_bound(-low), span[1] if high <= span[1] else _bound(high))
        if wide != span:
            ranges[state.name] = wide
    return ArrayValue(Frozen(values), state.unit)


def _bound(value: float) -> float:
    """The least power of two that is not below the value, 0 if that is not positive."""
    return 2.0 ** math.ceil(math.log2(value)) if value > 0 else 0.0
