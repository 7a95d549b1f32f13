"""Elaboration: a network becomes a program with real numbers, in which everything is concrete.

Afterwards: every size, connection, initial value and constant is an array; every block is a straight-line body; parts
that depend on parameters alone are arrays of their own; what a chip instance deviates in has been applied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroport import instance as instances
from neuroport import units
from neuroport.batch import shares, with_copies
from neuroport.chip import Chip, ChipInstance
from neuroport.connect import Synapses, make_synapses
from neuroport.derived import evaluate
from neuroport.errors import InvalidInput, Problem
from neuroport.finish import trimmed, with_histories
from neuroport.hoist import Hoister
from neuroport.language import EACH_STEP, TRIGGERED, once, synapse_allowed, twin_read
from neuroport.lowering import Lowering
from neuroport.materialise import Elements, Materialiser
from neuroport.memory import refuse_too_large
from neuroport.model import Input, NeuronModel, Parameter, State, SynapseModel, Trace
from neuroport.naming import (
    FACTOR,
    SPIKED,
    ConstantNames,
    Constants,
    NeuronNames,
    Side,
    SynapseNames,
    Twin,
    declared_type,
)
from neuroport.network import (
    Network,
    Population,
    Projection,
    StateHistogram,
)
from neuroport.program import (
    BOOL,
    REAL,
    Apply,
    Array,
    Body,
    Const,
    Derived,
    Event,
    Expr,
    Injection,
    Int,
    Numbers,
    Program,
    Read,
    Readout,
    Real,
    Record,
    Role,
    Send,
    Series,
    Spike,
    Store,
    Sum,
    Type,
    walk,
)
from neuroport.program import Population as ProgramPopulation
from neuroport.program import Projection as ProgramProjection
from neuroport.samples import sample_records
from neuroport.stimuli import elaborate_stimulus, run_lengths
from neuroport.twins import twin_index
from neuroport.values import Quantity, Value

Over = Literal["scalar", "neuron", "synapse"]


def elaborate(network: Network, chip: Chip, instance: ChipInstance | None = None) -> Program:
    """Make the real program of a network for a chip.

    The chip matters only through its instance (deviating parameters) and its precision. Raises InvalidInput with every
    problem found; nothing large is allocated before the network is known to fit into memory.
    """
    refuse_too_large(network)
    return _Elaboration(network, chip, instance or ChipInstance(chip, 0)).program()


@dataclass(eq=False)
class _Object:
    """What is known of a population or projection while its program is made."""

    name: str
    circuits: NDArray[np.int64]
    elements: Elements
    constants: Constants
    mismatch: bool = True
    factors: set[str] = field(default_factory=set)
    traces: list[tuple[Trace, Projection]] = field(default_factory=list)


@dataclass(eq=False)
class _Elaboration:
    network: Network
    chip: Chip
    instance: ChipInstance
    arrays: dict[str, Array] = field(default_factory=dict)
    values: dict[str, Numbers] = field(default_factory=dict)
    derived: list[tuple[str, Expr]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    objects: dict[str, _Object] = field(default_factory=dict)
    synapses: dict[str, Synapses] = field(default_factory=dict)
    spiked: set[str] = field(default_factory=set)

    def program(self) -> Program:
        network = self.network
        self.materialiser = Materialiser(network)
        self.copies = network.copies if shares(network) else 1
        self.dt = units.coherent(network.dt.number, network.dt.unit)[0]
        self._run_scalars()
        first = 0
        for population in network.populations:
            self._population_arrays(population, first)
            first += population.size
        for projection in network.projections:
            self._projection_arrays(projection)
        self._stop_on_problems()
        projections = tuple(self._projection(p) for p in network.projections)
        populations = tuple(self._population(p) for p in network.populations)
        events = tuple(self._events())
        stimuli = [elaborate_stimulus(s, network, self.materialiser) for s in network.stimuli]
        readouts = tuple(self._readout(r) for r in network.histograms)
        records = tuple(
            Record(s.of, self.materialiser.steps(s.every, f"record of {s.of}")) for s in network.record.states
        )
        records += sample_records(network, self.materialiser)
        self._stop_on_problems()
        program = Program(
            name=network.name,
            dt=self.dt,
            seed=network.seed,
            chip=self.chip.name,
            integer=False,
            precision="float32" if self.chip.arithmetic == "float32" else "float64",
            arrays=self.arrays,
            populations=populations,
            projections=projections,
            events=events,
            readouts=readouts,
            records=records,
            injections=tuple(s for s in stimuli if isinstance(s, Injection)),
            series=tuple(s for s in stimuli if isinstance(s, Series)),
            tables={},
            derived=self._dynamic_derived(),
        )
        return with_copies(trimmed(with_histories(program), self.values), self.copies)

    # --------------------------------------------------------------------------------------------------- arrays

    def _run_scalars(self) -> None:
        steps = list(run_lengths(self.network, self.materialiser))
        low, high = (min(steps), max(steps)) if steps else (1, 10**6)
        for name, limits in (("T", (low, high)), ("t", None), ("item_step", None)):
            type_ = Int(low, high) if limits else Int(0, 2**62)
            initial = np.asarray(high if limits else 0, np.int64)
            full = f"run.{name}"
            dynamic = limits is not None
            self.arrays[full] = Array(full, "run", "scalar", "parameter", type_, initial, dynamic=dynamic, range=limits)
            if dynamic:
                self.values[full] = initial

    def _population_arrays(self, population: Population, first: int) -> None:
        model, name, size = population.neuron, population.name, population.size
        elements = Elements(size, np.arange(size, dtype=np.uint64))
        circuits = first + np.arange(size, dtype=np.int64)
        obj = _Object(name, circuits, elements, Constants(name, {}), population.mismatch)
        self.objects[name] = obj
        self._parameters(obj, model, dict(population.parameters), "neuron", dict(population.ranges))
        for state in model.states:
            limits = self._limits(state, population.ranges)
            self._state(obj, state, dict(population.initial).get(state.name, state.init), "neuron", limits)
            learned = state.variable_class in ("plastic", "weight") and state.type == "real"
            if learned and self._deviates(obj, state.kind):
                self._factor(obj, state, "neuron")
        for sum_ in model.inputs:
            limits = self._limits(sum_, population.ranges)
            type_ = _typed(sum_, limits)
            initial = np.zeros(size, np.int64 if isinstance(type_, Int) else np.float64)
            full = f"{name}.{sum_.name}"
            self.arrays[full] = Array(
                full, name, "neuron", "input", type_, initial, kind_class="accumulator", range=limits
            )

    def _projection_arrays(self, projection: Projection) -> None:
        name, model = projection.name, projection.synapse
        source, target = self.network.population(projection.source), self.network.population(projection.target)
        try:
            synapses = make_synapses(projection, source.size, target.size, self.network.seed, self.network.folder)
        except InvalidInput as error:
            self.problems += error.problems
            return
        except (OSError, KeyError, ValueError) as error:
            text = f"the connections of '{name}' cannot be read: {error}"
            self.problems.append(Problem(projection.connect.place or projection.place, text))
            return
        self.synapses[name] = synapses
        circuits = self._synapse_circuits(projection, synapses)
        obj = _Object(name, circuits, synapses.elements, Constants(name, {}), projection.mismatch)
        self.objects[name] = obj
        self._parameters(obj, model, dict(projection.parameters), "synapse", dict(projection.ranges))
        stores = [s for _, body in self._synapse_bodies(projection) for s in body if isinstance(s, Store)]
        stored = {s.array for s in stores}
        summed = {s.array for s in stores if isinstance(s.value, Sum)}
        for state in model.states:
            given = dict(projection.initial).get(state.name, state.init)
            plastic = f"{name}.{state.name}" in stored
            if state.weight:
                given = projection.weight if projection.weight is not None else given
                state = replace(state, variable_class="plastic" if plastic else "weight", kind=state.kind or "weight")
            limits = self._limits(state, projection.ranges)
            self._state(obj, state, given, "synapse", limits, common=f"{name}.{state.name}" not in stored)
            if f"{name}.{state.name}" in summed:
                self._widen(f"{name}.{state.name}")
            if state.weight and state.type == "real" and self._deviates(obj, state.kind):
                if plastic:
                    self._factor(obj, state, "synapse")
                else:
                    self._deviate_static(f"{name}.{state.name}", state.kind, obj.circuits)
        for trace in model.traces:
            owner = projection.source if trace.side == "pre" else projection.target
            self.objects[owner].traces.append((trace, projection))
            limits = self.materialiser.limits(trace.range, "")
            initial = np.zeros(self.network.population(owner).size)
            full = f"{name}.{trace.name}"
            self.arrays[full] = Array(full, owner, "neuron", "state", REAL, initial, kind_class="trace", range=limits)

    def _parameters(
        self,
        obj: _Object,
        model: NeuronModel | SynapseModel,
        given: dict[str, Value],
        at: Over,
        ranges: dict[str, tuple[float, float]],
    ) -> None:
        """Arrays of an object's parameters and derived constants; scalars where all elements are equal."""
        types: dict[str, Type] = {}
        scalars: set[str] = set()
        for parameter in model.parameters:
            value = given.get(parameter.name, parameter.default)
            full = f"{obj.name}.{parameter.name}"
            if value is None:
                text = f"'{obj.name}' needs a value for parameter '{parameter.name}' of model '{model.name}'"
                self.problems.append(Problem(parameter.place, text))
                value = Quantity(0)
            integer = parameter.type == "int"
            numbers = self.materialiser.array(value, parameter.unit, integer, obj.name, parameter.name, obj.elements)
            limits = self.materialiser.limits(ranges.get(parameter.name, parameter.range), parameter.unit)
            self.materialiser.check_range(numbers, limits, value, obj.name, parameter.name)
            numbers = self._deviated(parameter, numbers, obj)
            scalar = self._parameter_array(obj, full, parameter.dynamic, _typed(parameter, None), numbers, limits, at)
            types[parameter.name] = self.arrays[full].type
            if scalar:
                scalars.add(parameter.name)
        obj.constants = Constants(obj.name, types, frozenset(scalars))
        for name, expression in model.derived:
            constants = ConstantNames(obj.constants, self.dt)
            lowering = Lowering(constants, obj.name, f"derived {name}", copies=self.copies)
            value_expr = lowering.value(expression)
            self.problems += lowering.problems
            if value_expr is None:
                continue
            full = f"{obj.name}.{name}"
            numbers = evaluate(value_expr, self.values)
            if not np.all(np.isfinite(numbers)):
                text = (
                    f"derived constant '{name}' of '{obj.name}' is not finite; check the parameters that it is made of"
                )
                self.problems.append(Problem(expression.place, text))
            dynamic = self._is_dynamic(value_expr)
            if self._parameter_array(obj, full, dynamic, value_expr.type, numbers, None, at):
                scalars.add(name)
            types[name] = self.arrays[full].type
            self.derived.append((full, value_expr))
            obj.constants = Constants(obj.name, types, frozenset(scalars))

    def _parameter_array(
        self,
        obj: _Object,
        full: str,
        dynamic: bool,
        type_: Type,
        numbers: Numbers,
        limits: tuple[float, float] | None,
        at: Over,
    ) -> bool:
        scalar = numbers.ndim == 0
        if isinstance(type_, Int):
            low, high = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)
            type_ = Int(int(limits[0]), int(limits[1])) if dynamic and limits else Int(low, high)
        where: Over = "scalar" if scalar else at
        initial = np.array(numbers)
        self.values[full] = initial
        limits = limits if dynamic else None
        self.arrays[full] = Array(
            full, obj.name, where, "parameter", type_, initial, kind_class="coefficient", dynamic=dynamic, range=limits
        )  # fmt: skip
        return scalar

    def _state(
        self,
        obj: _Object,
        state: State,
        value: Value | None,
        at: Over,
        limits: tuple[float, float] | None,
        common: bool = False,
    ) -> None:
        """The array of a variable. `common`: no block assigns it, so that all copies share it anyway."""
        type_ = _typed(state, limits)
        integer = isinstance(type_, Int)
        if value is None:
            value = Quantity(0)
        numbers = self.materialiser.array(value, state.unit, integer, obj.name, state.name, obj.elements)
        self.materialiser.check_range(numbers, limits, value, obj.name, state.name)
        initial = np.array(np.broadcast_to(numbers, (obj.elements.size,)))
        full = f"{obj.name}.{state.name}"
        if at == "synapse":
            self.materialiser.made[full] = (initial, obj.elements)
        role: Role = "weight" if state.weight else "state"
        self.arrays[full] = Array(
            full, obj.name, at, role, type_, initial, kind_class=state.variable_class, range=limits,
            shared=self.copies > 1 and (common or state.over_copies == "shared"),
        )  # fmt: skip

    def _widen(self, full: str) -> None:
        """An int that is a sum over copies holds as many times what the range of one copy's part allows."""
        array = self.arrays[full]
        if isinstance(array.type, Int) and array.range is not None:
            wide = Int(array.type.lo * self.copies, array.type.hi * self.copies)
            self.arrays[full] = replace(array, type=wide)

    def _limits(
        self, declared: State | Input, ranges: tuple[tuple[str, tuple[float, float]], ...]
    ) -> tuple[float, float] | None:
        return self.materialiser.limits(dict(ranges).get(declared.name, declared.range), declared.unit)

    # ------------------------------------------------------------------------------------------- chip instances

    def _deviates(self, obj: _Object, kind: str) -> bool:
        return obj.mismatch and bool(kind) and kind in dict(self.chip.mismatch)

    def _deviated(self, parameter: Parameter, numbers: Numbers, obj: _Object) -> Numbers:
        if not self._deviates(obj, parameter.kind):
            return numbers
        circuits = obj.circuits
        if parameter.type == "int":
            offset = instances.offset(self.instance, parameter.kind, circuits)
            if not np.any(offset):
                return numbers
            low, high = parameter.range or (-np.inf, np.inf)
            return np.clip(numbers + offset, low, high).astype(np.int64)
        return np.asarray(numbers * instances.factor(self.instance, parameter.kind, circuits), np.float64)

    def _factor(self, obj: _Object, state: State, at: Over) -> None:
        """A learned value cannot deviate (it would be learned away): its circuit's factor applies where it is used."""
        numbers = instances.factor(self.instance, state.kind, obj.circuits)
        self._parameter_array(obj, f"{obj.name}.{state.name}_{FACTOR}", False, REAL, numbers, None, at)
        obj.factors.add(state.name)

    def _deviate_static(self, full: str, kind: str, circuits: NDArray[np.int64]) -> None:
        array = self.arrays[full]
        initial = array.initial * instances.factor(self.instance, kind, circuits)
        self.arrays[full] = replace(array, initial=np.asarray(initial, np.float64))

    def _synapse_circuits(self, projection: Projection, synapses: Synapses) -> NDArray[np.int64]:
        """Circuit numbers: the rank of a synapse among all those of its postsynaptic neuron, in file order."""
        target = self.objects[projection.target]
        taken = np.zeros(len(target.circuits), np.int64)
        for other in self.network.projections:
            if other.name == projection.name:
                break
            if other.target == projection.target and other.name in self.synapses:
                taken += np.bincount(self.synapses[other.name].post, minlength=len(taken))
        order = np.argsort(synapses.post, kind="stable")
        post = synapses.post[order]
        first = np.searchsorted(post, post, side="left")
        rank = np.empty(len(post), np.int64)
        rank[order] = np.arange(len(post)) - first
        return instances.synapse_circuits(target.circuits[synapses.post], taken[synapses.post] + rank)

    # --------------------------------------------------------------------------------------------------- bodies

    def _population(self, population: Population) -> ProgramPopulation:
        obj, model = self.objects[population.name], population.neuron
        names = NeuronNames(model, population.name, obj.constants, self.dt, frozenset(obj.factors))
        lowering = Lowering(names, population.name, "update", copies=self.copies)
        lowering.block(model.update)
        fired = lowering.spike(model.spike) if model.spike else None
        lowering.block(model.on_spike, fired)
        lowering.block(model.after)
        self.problems += lowering.problems
        body = list(lowering.finish())
        if population.name in self.spiked and fired is not None:
            one, zero = Const(1, Int(1, 1)), Const(0, Int(0, 0))
            full = f"{population.name}.{SPIKED}"
            body.append(Store(full, Apply("select", (fired, one, zero), Int(0, 1))))
            self.arrays[full] = Array(
                full, population.name, "neuron", "state", Int(0, 1), np.zeros(population.size, np.int64), range=(0, 1)
            )
        for trace, projection in obj.traces:
            body += self._trace(trace, projection, fired)
        inputs = tuple(f"{population.name}.{i.name}" for i in model.inputs)
        spiking = any(isinstance(stmt, Spike) for stmt in body)
        outgoing = [self._delay(p) for p in self.network.projections if p.source == population.name]
        hoisted = self._hoisted(population.name, tuple(body))
        return ProgramPopulation(population.name, population.size, hoisted, inputs, spiking, max(outgoing, default=1))

    def _trace(self, trace: Trace, projection: Projection, fired: Expr | None) -> list[Store]:
        if fired is None:
            owner = projection.source if trace.side == "pre" else projection.target
            text = f"trace '{trace.name}' of projection '{projection.name}' needs spikes, but '{owner}' has none"
            self.problems.append(Problem(projection.place, text))
            return []
        names = ConstantNames(self.objects[projection.name].constants, self.dt)
        lowering = Lowering(names, projection.name, f"trace {trace.name}", copies=self.copies)
        decay, increment = lowering.value(trace.decay), lowering.value(trace.increment)
        self.problems += lowering.problems
        if decay is None or increment is None:
            return []
        if any(isinstance(e, Read) and e.at != "scalar" for x in (decay, increment) for e in walk(x)):
            text = f"trace '{trace.name}' of projection '{projection.name}' needs parameters that all synapses share"
            self.problems.append(Problem(projection.place, text))
            return []
        full = f"{projection.name}.{trace.name}"
        decayed: Expr = Apply("mul", (Read(full, "own", REAL), _real(decay)), REAL)
        if trace.mode == "set":
            return [Store(full, Apply("select", (fired, _real(increment), decayed), REAL))]
        added = Apply("select", (fired, _real(increment), Const(0.0, REAL)), REAL)
        return [Store(full, Apply("add", (decayed, added), REAL))]

    def _projection(self, projection: Projection) -> ProgramProjection:
        synapses = self.synapses[projection.name]
        bodies = {name: self._hoisted(projection.name, body) for name, body in self._synapse_bodies(projection, True)}
        sources = self.network.population(projection.source).size
        targets = self.network.population(projection.target).size
        return ProgramProjection(
            name=projection.name,
            source=projection.source,
            target=projection.target,
            source_size=sources,
            target_size=targets,
            delay=self._delay(projection),
            pre=synapses.pre,
            post=synapses.post,
            indptr=synapses.indptr,
            element=synapses.elements.keys,
            dendritic=self._dendritic(projection),
            step=bodies["step"],
            arrive=bodies["on_pre"],
            post_body=bodies["on_post"],
            row_condition=_row_condition(bodies["step"]),
            twin=self._twin_index(projection),
        )

    def _twin_index(self, projection: Projection) -> NDArray[np.int64] | None:
        if projection.twin is None or twin_read(projection.synapse) is None:
            return None
        other = self.network.projection(projection.twin.of)
        try:
            return twin_index(projection, self.synapses[projection.name], other, self.synapses[other.name])
        except InvalidInput as error:
            self.problems += error.problems
            return None

    def _synapse_names(self, projection: Projection, sides: bool = True) -> SynapseNames:
        obj = self.objects[projection.name]
        ends = []
        for end in (projection.source, projection.target):
            ends.append(Side(end, self.network.population(end).neuron, self.objects[end].constants))
        weight = projection.synapse.weight.name
        factor = weight in obj.factors
        twin = None
        if projection.twin is not None and not sides:
            of = projection.twin.of
            known = self.objects.get(of)
            twin = Twin(of, self.network.projection(of).synapse, known.constants) if known else Twin(of)
        return SynapseNames(
            projection.synapse, projection.name, obj.constants, self.dt, ends[0], ends[1], projection.input,
            self._delay(projection), factor, sides, twin, self.spiked,
        )  # fmt: skip

    def _synapse_bodies(self, projection: Projection, report: bool = False) -> Iterable[tuple[str, Body]]:
        """The bodies of step, on_pre and on_post, and (when not reporting) of the events."""
        model = projection.synapse
        blocks = [("step", model.step), ("on_pre", model.on_pre), ("on_post", model.on_post)]
        dendritic = projection.dendritic is not None
        bodies: dict[str, Body] = {}
        for name, block in blocks:
            names = self._synapse_names(projection)
            lowering = Lowering(names, projection.name, name, synapse_allowed(name), dendritic, self.copies)
            lowering.block(block)
            if report:
                self.problems += lowering.problems
                self._needs_spikes(projection, name, bool(block.tree))
            bodies[name] = lowering.finish()
        if not any(isinstance(s, Send) for body in bodies.values() for s in body):
            bodies["on_pre"] = (self._default_send(projection, dendritic, report), *bodies["on_pre"])
        yield from bodies.items()
        if not report:
            for event, block in model.on_event:
                names = self._synapse_names(projection, False)
                lowering = Lowering(names, projection.name, f"on_event {event}", TRIGGERED)
                lowering.block(block)
                yield event, lowering.finish()

    def _needs_spikes(self, projection: Projection, block: str, used: bool) -> None:
        end = {"on_pre": projection.source, "on_post": projection.target}.get(block)
        if used and end is not None and self.network.population(end).neuron.spike is None:
            text = (
                f"'{block}' of synapse model '{projection.synapse.name}' never runs: population '{end}' does not spike"
            )
            self.problems.append(Problem(projection.place, text))

    def _default_send(self, projection: Projection, dendritic: bool, report: bool) -> Send:
        """`send(target, weight)`, which starts on_pre when a model sends nothing."""
        if report:
            self._needs_spikes(projection, "on_pre", True)
        names = self._synapse_names(projection)
        weight = names.variable(projection.synapse.weight.name)
        target = names.input("target", back=False)
        assert weight is not None
        assert target is not None
        value = names.sent(Read(weight.array, "own", weight.type))
        if isinstance(target.type, Real) and isinstance(weight.type, Int):
            value = Apply("to_real", (value,), REAL)
        elif isinstance(target.type, Int) and isinstance(weight.type, Real):
            text = f"input '{projection.input}' takes ints, but the weight of '{projection.name}' is real"
            self.problems.append(Problem(projection.place, text))
        return Send(target.array, value, None, "post", "synapse" if dendritic else 0)

    def _events(self) -> Iterable[Event]:
        for population in self.network.populations:
            obj = self.objects[population.name]
            names = NeuronNames(population.neuron, population.name, obj.constants, self.dt, inputs=False)
            for event, block in population.neuron.on_event:
                common = once(block, population.neuron)
                lowering = Lowering(names, population.name, f"on_event {event}", TRIGGERED, False, self.copies, common)
                lowering.block(block)
                self.problems += lowering.problems
                body = self._hoisted(population.name, lowering.finish())
                single = common and self.copies > 1
                yield Event(event, population.name, "neuron", body, event == EACH_STEP, single)
        for projection in self.network.projections:
            for event, block in projection.synapse.on_event:
                synapse_names = self._synapse_names(projection, sides=False)
                common = once(block, projection.synapse)
                lowering = Lowering(
                    synapse_names, projection.name, f"on_event {event}", TRIGGERED, False, self.copies, common
                )
                lowering.block(block)
                self.problems += lowering.problems
                body = self._hoisted(projection.name, lowering.finish())
                single = common and self.copies > 1
                yield Event(event, projection.name, "synapse", body, event == EACH_STEP, single)

    def _hoisted(self, owner: str, body: Body) -> Body:
        """Constant parts become parameter arrays of the owner."""
        hoister = Hoister(f"{owner}", self.values)
        hoister.made = [(name, expr) for name, expr in self.derived if name.startswith(f"{owner}.const")]
        before = len(hoister.made)
        body = hoister.body(body)
        for name, expr in hoister.made[before:]:
            value = self.values[name]
            dynamic = self._is_dynamic(expr)
            at: Over = "scalar" if value.ndim == 0 else self._where(owner)
            if not np.all(np.isfinite(value)):
                text = f"a constant part of the model of '{owner}' is not finite; check its parameters"
                self.problems.append(Problem(None, text))
            type_: Type = REAL
            if isinstance(expr.type, Int):
                type_ = Int() if dynamic else Int(int(value.min()), int(value.max())) if value.size else Int(0, 0)
            self.arrays[name] = Array(
                name, owner, at, "parameter", type_, value, kind_class="coefficient", dynamic=dynamic
            )  # fmt: skip
            self.derived.append((name, expr))
        return body

    def _where(self, owner: str) -> Over:
        return "neuron" if any(p.name == owner for p in self.network.populations) else "synapse"

    # ------------------------------------------------------------------------- stimuli, readouts, times, protocol

    def _readout(self, readout: StateHistogram) -> Readout:
        population = self.network.population(readout.population)
        obj = self.objects[readout.population]
        names = NeuronNames(population.neuron, population.name, obj.constants, self.dt, inputs=False)
        lowering = Lowering(names, readout.name, "state", copies=self.copies)
        value = lowering.value(readout.state)
        self.problems += lowering.problems
        if value is None:
            value = Const(False, BOOL)
        if isinstance(value.type, Int):
            value = Apply("ne", (value, Const(0, Int(0, 0))), BOOL)
        if isinstance(value.type, Real):
            self.problems.append(
                Problem(readout.state.place, "a state is true or false; compare the value with something")
            )
        (bit,) = self._hoisted(population.name, (Spike(value),))
        assert isinstance(bit, Spike)
        every = self.materialiser.steps(readout.every, readout.name)
        phase = int(units.steps(readout.phase, self.network.dt)) if readout.phase.unit else int(readout.phase.number)
        return Readout(readout.name, readout.population, bit.condition, every, phase)

    def _delay(self, projection: Projection) -> int:
        return int(units.steps(projection.delay, self.network.dt))

    def _dendritic(self, projection: Projection) -> NDArray[np.int64] | None:
        if projection.dendritic is None:
            return None
        elements = self.objects[projection.name].elements
        value = projection.dendritic
        steps = self.materialiser.array(value, "step", False, projection.name, "dendritic_delay", elements)
        whole: NDArray[np.int64] = np.rint(np.broadcast_to(steps, (elements.size,))).astype(np.int64)
        if whole.size and whole.min() < 0:
            text = f"projection '{projection.name}' has a dendritic delay of {whole.min()} steps; 0 is the least"
            self.problems.append(Problem(value.place, text))
            whole = np.maximum(whole, 0)
        return whole

    # ---------------------------------------------------------------------------------------------- finishing up

    def _is_dynamic(self, expr: Expr) -> bool:
        return any(isinstance(e, Read) and self.arrays[e.array].dynamic for e in walk(expr) if isinstance(e, Read))

    def _dynamic_derived(self) -> tuple[Derived, ...]:
        return tuple(Derived(name, expr) for name, expr in self.derived if self.arrays[name].dynamic)

    def _stop_on_problems(self) -> None:
        problems = self.problems + self.materialiser.problems
        if problems:
            raise InvalidInput(dict.fromkeys(problems))


def _typed(declared: Parameter | State | Input, limits: tuple[float, float] | None) -> Type:
    """The type of a declared thing, with overridden limits for ints."""
    if declared.type == "int" and limits is not None:
        return Int(int(limits[0]), int(limits[1]))
    return declared_type(declared)


def _real(expr: Expr) -> Expr:
    return Apply("to_real", (expr,), REAL) if isinstance(expr.type, Int) else expr


def _row_condition(step: Body) -> Expr | None:
    """The condition under which a row does anything, if it depends on the presynaptic neuron alone."""
    if len(step) != 1 or not isinstance(step[0], Send) or step[0].guard is None:
        return None
    guard = step[0].guard
    reads = [part for part in walk(guard) if isinstance(part, Read)]
    return guard if all(read.at in ("pre", "scalar") for read in reads) else None
