"""The arrays of a program, with all their initial values, from the populations and projections of a network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neuroport.chips import instance as instances
from neuroport.elaborate.circuits import (
    designed_factors,
    designed_steps,
    deviates,
    is_deviating,
    made_by,
    synapse_circuits,
)
from neuroport.elaborate.connect import make_synapses
from neuroport.elaborate.deviating import Deviating
from neuroport.elaborate.kernels import unshared_weight
from neuroport.elaborate.redrawn import is_redrawn, refusals
from neuroport.elaborate.state import Elaboration, Object, Over
from neuroport.elaborate.stimuli import run_lengths
from neuroport.elaborate.values import Elements
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.language.blocks import assigned, over_kernel, read_before, step_sums
from neuroport.language.lower import Lowering
from neuroport.language.names import ConstantNames, Constants, before_spike, declared_type
from neuroport.network.model import Input, NeuronModel, Parameter, SpikeTrace, State, SynapseModel
from neuroport.network.objects import Population, Projection
from neuroport.network.values import Distribution, Value
from neuroport.numerics.units import Quantity
from neuroport.program.constants import evaluate
from neuroport.program.ir import REAL, Expr, Int, Numbers, Type
from neuroport.program.machine import Array, ReportLine, Role
from neuroport.program.names import ITEM_STEP, LENGTH, RUN, STEP
from neuroport.program.plan import lengths
from neuroport.program.whole import NoValue


def run_scalars(made: Elaboration) -> None:
    """The run's own numbers: the length T of a protocol item, the step t, and the step of the item."""
    protocol = made.protocol
    steps = list(run_lengths(made.network, made.materialiser) if protocol is None else lengths(protocol))
    low, high = (min(steps), max(steps)) if steps else (1, 10**6)
    for full, limits in ((LENGTH, (low, high)), (STEP, None), (ITEM_STEP, None)):
        type_ = Int(low, high) if limits else Int(0, 2**62)
        initial = np.asarray(high if limits else 0, np.int64)
        dynamic = limits is not None
        made.arrays.add(Array(full, RUN, "scalar", "parameter", type_, initial, dynamic=dynamic, range=limits))
        if dynamic:
            made.values[full] = initial


def population_arrays(made: Elaboration, population: Population, first: int) -> None:
    """The arrays of a population, whose first neuron sits on circuit `first`."""
    model, name, size = population.neuron, population.name, population.size
    elements = Elements.counted(size)
    circuits = first + np.arange(size, dtype=np.int64)
    obj = Object(name, lambda: circuits, elements, Constants(name, {}), population.mismatch)
    made.objects[name] = obj
    _parameters(made, obj, model, dict(population.parameters), "neuron", dict(population.ranges))
    for state in model.states:
        limits = _limits(made, state, population.ranges)
        _state(made, obj, state, dict(population.initial).get(state.name, state.init), "neuron", limits, elements)
        learned = state.variable_class in ("plastic", "weight") and state.type == "real"
        if learned and deviates(made, obj, state.kind):
            _factor(made, obj, state, "neuron")
    for sum_ in model.inputs:
        limits = _limits(made, sum_, population.ranges)
        type_ = _typed(sum_, limits)
        nothing = np.zeros(1, np.int64 if isinstance(type_, Int) else np.float64)
        initial = np.broadcast_to(nothing, (size,))
        full = f"{name}.{sum_.name}"
        array = Array(
            full, name, "neuron", "input", type_, initial, kind_class="accumulator", range=limits, reduce=sum_.reduce,
            place=sum_.place,
        )  # fmt: skip
        made.arrays.add(array)


def projection_arrays(made: Elaboration, projection: Projection) -> None:
    """The synapses of a projection and their arrays; its traces become arrays of the neurons at its ends."""
    name, model = projection.name, projection.synapse
    if is_redrawn(projection) and (refused := list(refusals(projection, made.network, made.chip))):
        made.problems += refused
        return
    try:
        synapses = make_synapses(projection, made.network)
    except InvalidInput as error:
        made.problems += error.problems
        return
    made.synapses[name] = synapses
    obj = Object(
        name,
        lambda: synapse_circuits(made, projection, synapses),
        synapses.values,
        Constants(name, {}),
        projection.mismatch,
    )
    made.objects[name] = obj
    values_of: Over = "kernel" if synapses.shares else "synapse"
    _parameters(made, obj, model, dict(projection.parameters), values_of, dict(projection.ranges))
    changing, sums = assigned(model), step_sums(model)
    if synapses.shares:
        made.problems += unshared_weight(projection)
    for state in model.states:
        given = dict(projection.initial).get(state.name, state.init)
        plastic = state.name in changing
        if state.weight:
            given = projection.weight if projection.weight is not None else given
            state = replace(state, variable_class="plastic" if plastic else "weight", kind=state.kind or "weight")
        limits = _limits(made, state, projection.ranges)
        of_each = synapses.shares and state.name not in over_kernel(model)
        at: Over = "synapse" if of_each else values_of
        elements = synapses.elements if of_each else synapses.values
        _state(made, obj, state, given, at, limits, elements, common=not plastic)
        if state.name in sums:
            _widen(made, f"{name}.{state.name}")
        if state.weight and state.type == "int" and deviates(made, obj, state.kind):
            text = "its weights are whole numbers, which do not deviate; a real weight would"
            made.report.append(ReportLine(f"{name}.{state.name}", "as designed", text))
        if state.weight and state.type == "real" and deviates(made, obj, state.kind):
            if plastic:
                _factor(made, obj, state, values_of)
            else:
                _deviate_static(made, f"{name}.{state.name}", state.kind, obj.circuits)
        open_ = state.name in dict(projection.ranges) or f"{name}.{state.name}" in made.written_by_host
        if state.weight and state.type == "real" and not plastic and open_:
            _open_range(made, f"{name}.{state.name}", state.kind)
    for trace in model.traces:
        _trace(made, projection, trace)


def _trace(made: Elaboration, projection: Projection, trace: SpikeTrace) -> None:
    """The array of a trace, and of what it is without the spike of the step where a block reads that."""
    owner = projection.source if trace.side == "pre" else projection.target
    made.objects[owner].traces.append((trace, projection))
    limits = made.materialiser.limits(dict(projection.ranges).get(trace.name, trace.range), "")
    before = [before_spike(trace.name)] if trace.name in read_before(projection.synapse) else []
    for name in (trace.name, *before):
        initial = np.zeros(made.network.population(owner).size)
        full = f"{projection.name}.{name}"
        array = Array(
            full, owner, "neuron", "state", REAL, initial, kind_class="trace", range=limits, place=trace.place
        )
        made.arrays.add(array)


def _parameters(
    made: Elaboration,
    obj: Object,
    model: NeuronModel | SynapseModel,
    given: dict[str, Value],
    at: Over,
    ranges: dict[str, tuple[float, float]],
) -> None:
    """Arrays of an object's parameters and derived constants; scalars where all elements are equal."""
    types: dict[str, Type] = {}
    scalars: set[str] = set()
    own = dict(made.network.own_parameters)
    for parameter in model.parameters:
        value = given.get(parameter.name, parameter.default)
        full = f"{obj.name}.{parameter.name}"
        if value is None:
            text = f"'{obj.name}' needs a value for parameter '{parameter.name}' of model '{model.name}'"
            made.problems.append(Problem(parameter.place, text))
            value = Quantity(0)
        integer = parameter.type == "int"
        numbers = made.materialiser.array(value, parameter.unit, integer, obj.name, parameter.name, obj.elements)
        limits = made.materialiser.limits(ranges.get(parameter.name, parameter.range), parameter.unit)
        made.materialiser.check_range(numbers, limits, value, obj.name, parameter.name)
        dynamic = parameter.dynamic
        if full in made.set_in_parts:
            numbers = _one_each(made, parameter, full, numbers, obj.elements.size, full in own)
        if full in own:
            numbers, limits = _of_copies(made, parameter, full, own[full], limits)
            dynamic = True
        limits, allowed = (limits if dynamic else None), limits
        designed = None
        if is_deviating(made, parameter, obj):
            numbers, designed = _deviating(made, parameter, full, numbers, allowed, obj.circuits, dynamic)
            limits = designed if dynamic else None
        type_ = _typed(parameter, None)
        scalar = _parameter_array(
            made, obj.name, full, dynamic, type_, numbers, limits, at, parameter.place, designed, full in own
        )
        types[parameter.name] = made.arrays[full].type
        if scalar:
            scalars.add(parameter.name)
    varied = {name for name in types if f"{obj.name}.{name}" in own}
    obj.constants = Constants(obj.name, types, frozenset(scalars), frozenset(varied))
    for name, expression in model.derived:
        constants = ConstantNames(obj.constants, made.dt)
        lowering = Lowering(constants, obj.name, f"derived {name}", copies=made.copies)
        value_expr = lowering.value(expression)
        made.problems += lowering.problems
        if value_expr is None:
            continue
        what = f"derived constant '{name}' of '{obj.name}'"
        type_, scalar = derived_array(made, obj.name, f"{obj.name}.{name}", value_expr, at, what, expression.place)
        if scalar:
            scalars.add(name)
        types[name] = type_
        if made.varies(value_expr):
            varied.add(name)
        obj.constants = Constants(obj.name, types, frozenset(scalars), frozenset(varied))


def _one_each(made: Elaboration, parameter: Parameter, full: str, numbers: Numbers, size: int, varies: bool) -> Numbers:
    """One number for each neuron of a parameter that the protocol sets for some of them."""
    if varies:
        text = (
            f"'{full}' is set for some neurons, and copies have values of their own of it; set it for all, or give the "
        )
        made.problems.append(Problem(parameter.place, f"{text}copies none"))
        return numbers
    return np.array(np.broadcast_to(numbers, (size,)))


def _of_copies(
    made: Elaboration, parameter: Parameter, full: str, value: Value, limits: tuple[float, float] | None
) -> tuple[Numbers, tuple[float, float]]:
    """The value that copy 0 has of a parameter of which each has its own, and what it may be in any of them."""
    copies = made.network.copies
    elements = Elements.counted(copies)
    integer = parameter.type == "int"
    numbers = made.materialiser.array(value, parameter.unit, integer, "copies", full, elements)
    made.materialiser.check_range(numbers, limits, value, "copies", full)
    numbers = np.array(np.broadcast_to(numbers, (copies,)))
    made.per_copy[full] = numbers
    if limits is None and made.chip.integer:
        owner, _, name = full.partition(".")
        text = f"each copy has its own {full}, and what number format chip '{made.chip.name}' gives all of them "
        text += f"follows from a range that is not declared; add it with `ranges: {{{name}: [LOW, HIGH]}}` at '{owner}'"
        made.problems.append(Problem(value.place, text))
    return numbers[0], limits or (numbers.min().item(), numbers.max().item())


def _deviating(
    made: Elaboration,
    parameter: Parameter,
    full: str,
    numbers: Numbers,
    limits: tuple[float, float] | None,
    circuits: NDArray[np.int64],
    dynamic: bool,
) -> tuple[Numbers, tuple[float, float]]:
    """A parameter's numbers as its circuits make them, and between what these lie on any specimen of the chip."""
    nominal = np.append(numbers, limits).astype(numbers.dtype) if dynamic and limits else numbers
    one = Deviating(full, parameter.kind, circuits, numbers, limits)
    ends: tuple[float, float]
    if parameter.type == "real":
        ends = designed_factors(made, parameter.kind, nominal)
    else:
        ends = counts = designed_steps(made, parameter.kind, nominal, limits)
        one = replace(one, counts=counts)
    values, designed = made_by(made, one)
    if dynamic and designed is not None:
        made.designed[full] = designed
    return values, ends


def derived_array(
    made: Elaboration, owner: str, full: str, expr: Expr, at: Over, what: str, place: Place | None
) -> tuple[Type, bool]:
    """The array of a constant that follows from parameters: its type, and whether it is one number for all elements.

    Where it can be switched or deviates, its bounds follow from the ranges of what it follows from.
    """
    dynamic, deviates = made.is_dynamic(expr), made.deviates(expr)
    try:
        numbers, limits = evaluate(expr, made.values), made.bounds(expr) if dynamic or deviates else None
    except NoValue as error:
        made.problems.append(Problem(place, f"{what} {error.reason}; narrow what it follows from"))
        numbers, limits = np.zeros((), np.int64 if isinstance(expr.type, Int) else np.float64), (0, 0)
    if not np.all(np.isfinite(numbers)):
        made.problems.append(Problem(place, f"{what} is not finite; check the parameters that it is made of"))
    if deviates and limits is None and made.chip.integer:
        text = (
            f"{what} can become infinite on a specimen of chip '{made.chip.name}', and so has no number format; keep "
        )
        text += "what it divides by away from 0, or let the chip deviate less"
        made.problems.append(Problem(place, text))
    designed = limits if deviates else None
    scalar = _parameter_array(
        made, owner, full, dynamic, expr.type, numbers, limits if dynamic else None, at, place, designed,
        made.varies(expr),
    )  # fmt: skip
    made.derived.append((full, expr))
    return made.arrays[full].type, scalar


def _parameter_array(
    made: Elaboration,
    owner: str,
    full: str,
    dynamic: bool,
    type_: Type,
    numbers: Numbers,
    limits: tuple[float, float] | None,
    at: Over,
    place: Place | None,
    designed: tuple[float, float] | None = None,
    varied: bool = False,
) -> bool:
    """The array of a parameter; whether it is one number for all.

    `limits`: what it may be, if it can be switched; `designed`: on any specimen, if it deviates; `varied`: each copy
    has its own.
    """
    scalar = numbers.ndim == 0
    if isinstance(type_, Int):
        low, high = (numbers.min(), numbers.max()) if numbers.size else (0, 0)
        low, high = designed or limits or (low, high)
        type_ = Int(int(low), int(high))
    where: Over = "scalar" if scalar else at
    initial = np.array(numbers)
    made.values[full] = initial
    array = Array(
        full, owner, where, "parameter", type_, initial, kind_class="coefficient", dynamic=dynamic, range=limits,
        designed=designed, varied=varied, place=place,
    )  # fmt: skip
    made.arrays.add(array)
    return scalar


def _state(
    made: Elaboration,
    obj: Object,
    state: State,
    value: Value | None,
    at: Over,
    limits: tuple[float, float] | None,
    elements: Elements,
    common: bool = False,
) -> None:
    """The array of a variable, of these elements. `common`: no block assigns it, so that all copies share it anyway."""
    type_ = _typed(state, limits)
    integer = isinstance(type_, Int)
    if value is None:
        value = Quantity(0)
    numbers = made.materialiser.array(value, state.unit, integer, obj.name, state.name, elements)
    made.materialiser.check_range(numbers, limits, value, obj.name, state.name)
    initial = np.broadcast_to(numbers, (elements.size,))
    if not (isinstance(value, Distribution) or (isinstance(value, Quantity) and at == "synapse")):
        initial = np.array(initial)
    full = f"{obj.name}.{state.name}"
    if at in ("synapse", "kernel"):
        made.materialiser.made[full] = (initial, elements)
    role: Role = "weight" if state.weight else "state"
    array = Array(
        full, obj.name, at, role, type_, initial, kind_class=state.variable_class, range=limits,
        shared=made.copies > 1 and (common or state.over_copies == "shared"), place=state.place,
    )  # fmt: skip
    made.arrays.add(array)


def _widen(made: Elaboration, full: str) -> None:
    """An int that is a sum over copies holds as many times what the range of one copy's part allows."""
    array = made.arrays[full]
    if isinstance(array.type, Int) and array.range is not None:
        wide = Int(array.type.lo * made.copies, array.type.hi * made.copies)
        made.arrays.change(replace(array, type=wide))


def _limits(
    made: Elaboration, declared: State | Input, ranges: tuple[tuple[str, tuple[float, float]], ...]
) -> tuple[float, float] | None:
    return made.materialiser.limits(dict(ranges).get(declared.name, declared.range), declared.unit)


def _factor(made: Elaboration, obj: Object, state: State, at: Over) -> None:
    """A learned value cannot deviate (it would be learned away): its circuit's factor applies where it is used."""
    learned = f"{obj.name}.{state.name}"
    full, ends = f"{learned}$circuit", instances.factor_range(made.chip, state.kind)
    numbers, _ = made_by(made, Deviating(full, state.kind, obj.circuits, None))
    _parameter_array(made, obj.name, full, False, REAL, numbers, None, at, state.place, ends)
    made.arrays.change(replace(made.arrays[learned], factor=full))
    obj.factors[state.name] = full


def _deviate_static(made: Elaboration, full: str, kind: str, circuits: NDArray[np.int64]) -> None:
    array = made.arrays[full]
    numbers, designed = made_by(made, Deviating(full, kind, circuits, array.initial, array.range))
    assert designed is not None
    made.designed[full] = designed
    made.arrays.change(replace(array, initial=numbers, designed=designed_factors(made, kind, array.initial)))


def _open_range(made: Elaboration, full: str, kind: str) -> None:
    """Static weights whose range the network file gives, or that a port writes: the format holds all of the range."""
    array = made.arrays[full]
    if array.range is not None:
        ends = np.array(array.range)
        designed = designed_factors(made, kind, ends) if array.designed is not None else array.range
        made.arrays.change(replace(array, designed=designed))


def _typed(declared: Parameter | State | Input, limits: tuple[float, float] | None) -> Type:
    """The type of a declared thing, with overridden limits for ints."""
    if declared.type == "int" and limits is not None:
        return Int(int(limits[0]), int(limits[1]))
    return declared_type(declared)
