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

import neuroport.connections as connections
from neuroport.connections import Ends
from neuroport.connections.listed import Listed
from neuroport.elaborate.connect import make_synapses
from neuroport.errors import InvalidInput, Place
from neuroport.language.blocks import assigned
from neuroport.network.model import NeuronModel, State, SynapseModel
from neuroport.network.network import Network
from neuroport.network.objects import Connect, Population, Projection
from neuroport.network.protocol import Anneal, Set, walk
from neuroport.network.switches import matching
from neuroport.network.values import ArrayValue, Frozen, Value
from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.trace.checked import KIND
from neuroport.trace.read import LEFT_OUT, Trace
from neuroport.trace.write import unit_of

LEARNED = ("weight", "plastic")


def with_learned(network: Network, trace: Trace) -> Network:
    """The network as it was when the trace ended: run on the same specimen, it starts with the values that the run had.

    Every variable of class weight or plastic that some block assigns is as it was learned, and what was set while the
    network ran is set. All else stays as the network says: a specimen's circuits deviate from that again. When the run
    was cut off, the last recorded values are taken. InvalidInput when some were not recorded, and if a value is no
    number to start from.
    """
    _refuse_missing(network, trace)
    populations = tuple(_population(p, trace) for p in network.populations)
    projections = tuple(_projection(p, network, trace) for p in network.projections)
    own = tuple((name, _own(name, given, network, trace)) for name, given in network.own_parameters)
    return replace(network, populations=populations, projections=projections, own_parameters=own)


def _own(name: str, given: Value, network: Network, trace: Trace) -> Value:
    """What the copies have of a parameter of their own, as it is set at the end."""
    if name not in trace.settings:
        return given
    return ArrayValue(Frozen(np.broadcast_to(trace.setting(name), (trace.copies,))), unit_of(network, name))


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


def cut_off(network: Network, trace: Trace) -> Iterator[str]:
    """What to say of the steps from which the values are that `with_learned` takes, when the run was cut off."""
    if not trace.complete:
        for name in _learned(network):
            step = trace.record(name).steps[-1] if name in trace.whole_records else trace.weights(name).step
            yield f"the run was cut off; '{name}' is as it was after step {step}"


def _learned(network: Network) -> Iterator[str]:
    """The arrays that a run of the network learns."""
    models: list[tuple[str, NeuronModel | SynapseModel]] = [(p.name, p.neuron) for p in network.populations]
    models += [(p.name, p.synapse) for p in network.projections]
    for owner, model in models:
        yield from (f"{owner}.{state.name}" for state in learned_states(model))


def learned_states(model: NeuronModel | SynapseModel) -> list[State]:
    """The variables of a model that its rules learn: weights and those of class plastic that some block assigns."""
    changing = assigned(model)
    return [s for s in model.states if (s.weight or s.variable_class in LEARNED) and s.name in changing]


def _switched(network: Network) -> Iterator[str]:
    """The dynamic parameters that the protocol switches."""
    owners: list[Population | Projection] = [*network.populations, *network.projections]
    texts: list[str] = []
    for item in walk(network.protocol):
        match item:
            case Set():
                texts += [text for text, _ in item.values] + [name for name, _, _ in item.some]
            case Anneal():
                texts += item.parameters
    found = [f"{owner.name}.{parameter.name}" for text in texts for owner, parameter in matching(owners, text)]
    yield from dict.fromkeys(found)


def _refuse_missing(network: Network, trace: Trace) -> None:
    """InvalidInput when learned or switched values are nowhere in the trace: it has no synapses, or was cut off."""
    if any(trace.left_out()):
        text = f"cannot be made a network of: it {LEFT_OUT}; run it again without that"
        raise InvalidInput.one(Place(str(trace.path)), text)
    if trace.complete:
        return
    missing = [name for name in _learned(network) if name not in trace.whole_records and name not in trace.snapshots]
    switched = [] if trace.knows_settings else list(_switched(network))
    if missing or switched:
        text = f"is of a run that was cut off, and does not hold what {_listed([*missing, *switched])} came to; with "
        text += "the values of the start beside learned ones the network would be one that never was. Let a run end"
        if missing:
            text += ", or record these in one (record: states, weights)"
        raise InvalidInput.one(Place(str(trace.path)), text)


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _population(population: Population, trace: Trace) -> Population:
    initial, ranges = dict(population.initial), dict(population.ranges)
    for state in learned_states(population.neuron):
        values = _last(trace, f"{population.name}.{state.name}")
        if values is not None:
            initial[state.name] = _value(values, state, population.name, ranges, trace)
    parameters = dict(population.parameters) | dict(_settings(population.name, population.neuron, trace))
    return replace(
        population,
        parameters=tuple(parameters.items()),
        initial=tuple(initial.items()),
        ranges=tuple(ranges.items()),
    )


def _projection(projection: Projection, network: Network, trace: Trace) -> Projection:
    initial, weight, ranges = dict(projection.initial), projection.weight, dict(projection.ranges)
    synapses, model = _Synapses.of(projection, network, trace), projection.synapse
    for state in learned_states(model):
        values = _last(trace, f"{projection.name}.{state.name}")
        if values is None:
            continue
        value = _value(synapses.arranged(values), state, projection.name, ranges, trace)
        if state.weight:
            weight = value
        else:
            initial[state.name] = value
    if f"{projection.name}.{model.weight.name}" in trace.settings:
        weight = _setting(f"{projection.name}.{model.weight.name}", model.weight.unit, trace, synapses)
    parameters = dict(projection.parameters) | dict(_settings(projection.name, model, trace, synapses))
    return replace(
        projection,
        connect=synapses.connect,
        weight=weight,
        parameters=tuple(parameters.items()),
        initial=tuple(initial.items()),
        ranges=tuple(ranges.items()),
    )


def _settings(
    owner: str, model: NeuronModel | SynapseModel, trace: Trace, synapses: _Synapses | None = None
) -> Iterator[tuple[str, Value]]:
    """The parameters of an object that were switched in the run, but for those of which each copy has its own."""
    for parameter in model.parameters:
        name = f"{owner}.{parameter.name}"
        if name in trace.settings and name not in trace.own_parameters:
            yield parameter.name, _setting(name, parameter.unit, trace, synapses)


def _setting(name: str, unit: str, trace: Trace, synapses: _Synapses | None) -> Value:
    """What was set, in coherent units, so that nothing is rounded."""
    numbers = trace.setting(name)
    unit = units.coherent_unit(unit) if unit else ""
    if numbers.size and np.all(numbers == numbers.flat[0]):
        return Quantity(numbers.flat[0].item(), unit)
    values = _of_all_copies(trace, name, numbers)
    return ArrayValue(Frozen(values if synapses is None else synapses.arranged(values)), unit)


@dataclass(frozen=True, eq=False)
class _Synapses:
    """How the values of a projection's synapses, sorted by pre and post in a trace, are written in a network file.

    pre, post: neurons as they count at the ends of the projection.

    Drawn connections become explicit pairs, so that the values keep their synapses whatever the network's seed.
    Explicit ones keep their order (`given`). Others take a matrix (source, target), if they take no list.
    """

    connect: Connect
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    shape: tuple[int, int]
    given: NDArray[np.int64] | None = None
    as_matrix: bool = False

    @classmethod
    def of(cls, projection: Projection, network: Network, trace: Trace) -> _Synapses:
        """Those that the run had."""
        pre, post = trace.pairs(projection.name)
        ends = Ends.of(projection, network)
        within, shape = (ends.source.within(pre), ends.target.within(post)), ends.shape
        connect = projection.connect
        rule = connections.rule(connect)
        if rule.drawn:
            pairs = Frozen(np.stack(within, axis=1))
            return cls(Listed(pairs=pairs, place=connect.place), *within, shape)
        made = make_synapses(projection, network)
        if not (np.array_equal(made.pre, pre) and np.array_equal(made.post, post)):
            text = f"connects other neurons by '{projection.name}' than the network in it; {KIND.advice}"
            raise InvalidInput.one(Place(str(trace.path)), text)
        if rule.ordered:
            return cls(connect, *within, shape, made.values.given)
        return cls(connect, *within, shape, as_matrix=rule.axes is None and rule.count(connect, shape) is None)

    def arranged(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values as the connection rule takes them: a matrix (source, target), or one by one."""
        if self.as_matrix:
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
    if array in trace.whole_records:
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
    """An array in coherent units, as the trace has it, so that nothing is rounded, and a range that it fits."""
    values = np.asarray(values, dtype=np.int64 if state.type == "int" else np.float64)
    if not np.isfinite(values).all():
        text = (
            f"ended with '{owner}.{state.name}' at {values[~np.isfinite(values)][0]}, from where no network can start"
        )
        raise InvalidInput.one(Place(str(trace.path)), text)
    span = ranges.get(state.name, state.range)
    if span is not None and values.size:
        scale = 1.0 if not state.unit or units.is_step(state.unit) else units.coherent(1, state.unit)[0]
        low, high = float(values.min()) / scale, float(values.max()) / scale
        wide = (span[0] if low >= span[0] else -_bound(-low), span[1] if high <= span[1] else _bound(high))
        if wide != span:
            ranges[state.name] = wide
    return ArrayValue(Frozen(values), units.coherent_unit(state.unit) if state.unit else "")


def _bound(value: float) -> float:
    """The least power of two that is not below the value, 0 if that is not positive."""
    return 2.0 ** math.ceil(math.log2(value)) if value > 0 else 0.0
