"""A network as it was after a run: learned values of the trace take the place of the initial ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport import units
from neuroport.errors import InvalidInput, Place
from neuroport.model import State
from neuroport.network import Network, Population, Projection
from neuroport.trace import Trace
from neuroport.values import ArrayValue, Frozen, Value

LEARNED = ("weight", "plastic")


def with_learned(network: Network, trace: Trace) -> Network:
    """The network with every variable of class weight or plastic starting where the trace ended.

    Weights are taken from the last snapshot when the run was cut off before its end.
    """
    populations = tuple(_population(p, trace) for p in network.populations)
    projections = tuple(_projection(p, trace) for p in network.projections)
    return replace(network, populations=populations, projections=projections)


def _population(population: Population, trace: Trace) -> Population:
    initial = dict(population.initial)
    for state in population.neuron.states:
        values = _last(trace, f"{population.name}.{state.name}")
        if state.variable_class in LEARNED and values is not None:
            initial[state.name] = _value(values, state)
    return replace(population, initial=tuple(initial.items()))


def _projection(projection: Projection, trace: Trace) -> Projection:
    initial, weight = dict(projection.initial), projection.weight
    for state in projection.synapse.states:
        values = _last(trace, f"{projection.name}.{state.name}")
        if values is None:
            continue
        if state.weight:
            weight = _value(values, state)
        elif state.variable_class in LEARNED:
            initial[state.name] = _value(values, state)
    if weight == projection.weight and projection.synapse.weight.init is None and trace.steps:
        text = f"holds no weights of projection '{projection.name}'; the run that wrote it was cut off"
        if not trace.complete:
            raise InvalidInput.one(Place(str(trace.path)), text)
    return replace(projection, weight=weight, initial=tuple(initial.items()))


def _last(trace: Trace, array: str) -> NDArray[np.float64] | None:
    if array in trace.final:
        return trace.final_array(array).values
    if array in trace.snapshots:
        return trace.weights(array).values
    if array in trace.records:
        return np.asarray(trace.record(array).values[-1])
    return None


def _value(values: NDArray[Any], state: State) -> Value:
    """An array in the unit that the model declares; the trace has coherent units."""
    values = np.asarray(values, dtype=np.int64 if state.type == "int" else np.float64).reshape(-1)
    if state.unit and not units.is_step(state.unit) and units.coherent(1, state.unit)[0] != 1.0:
        values = values / units.coherent(1, state.unit)[0]
    return ArrayValue(Frozen(values), state.unit)
