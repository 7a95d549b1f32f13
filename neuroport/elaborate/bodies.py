"""The populations, projections, events and readouts of a program, whose arrays have been made: their bodies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.elaborate.redrawn import is_redrawn, refused_bodies
from neuroport.elaborate.state import Elaboration
from neuroport.elaborate.synapses import synapse_bodies, synapse_names, times
from neuroport.elaborate.twins import twin_index
from neuroport.errors import InvalidInput, Problem, with_text
from neuroport.language.blocks import EACH_STEP, once, over_entries, twin_read
from neuroport.language.check import TRIGGERED
from neuroport.language.lower import Lowering, Names
from neuroport.language.names import SPIKED, ConstantNames, NeuronNames, before_spike
from neuroport.network.model import NeuronModel, SpikeTrace, SynapseModel
from neuroport.network.objects import Population, Projection
from neuroport.network.results import StateHistogram
from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.program.ir import BOOL, REAL, Apply, Axis, Body, Const, Expr, Int, Read, Real, Send, Spike, Store, walk
from neuroport.program.machine import Array, Event, Over, Readout, ReportLine
from neuroport.program.machine import Population as ProgramPopulation
from neuroport.program.machine import Projection as ProgramProjection
from neuroport.program.reductions import most_terms


def population_body(made: Elaboration, population: Population) -> ProgramPopulation:
    """A population with what its neurons do in every step, the traces of its projections included."""
    obj, model = made.objects[population.name], population.neuron
    names = NeuronNames(model, population.name, obj.constants, made.dt, obj.factors)
    lowering = Lowering(names, population.name, "update", copies=made.copies)
    lowering.block(model.update)
    fired = lowering.spike(model.spike) if model.spike else None
    lowering.block(model.on_spike, fired, "on_spike")
    lowering.block(model.after, key="after")
    made.problems += lowering.problems
    body = list(lowering.finish())
    spike = next((stmt for stmt in body if isinstance(stmt, Spike)), None)
    if population.name in made.spiked and fired is not None and spike is not None:
        one, zero = Const(1, Int(1, 1)), Const(0, Int(0, 0))
        full = f"{population.name}.{SPIKED}"
        body.append(Store(full, Apply("select", (fired, one, zero), Int(0, 1)), place=spike.place))
        silent = np.zeros(population.size, np.int64)
        array = Array(full, population.name, "neuron", "state", Int(0, 1), silent, range=(0, 1), place=spike.place)
        made.arrays.add(array)
    for trace, projection in obj.traces:
        body += _trace(made, trace, projection, fired)
    inputs = tuple(f"{population.name}.{i.name}" for i in model.inputs)
    outgoing = [made.delay(p) for p in made.network.projections if p.source == population.name]
    slots = max(outgoing, default=1)
    return ProgramPopulation(
        population.name, population.size, tuple(body), inputs, spike is not None, slots, place=population.place,
        count=f"{population.name}.{model.spike_count}" if model.spike_count else "",
    )  # fmt: skip


def _trace(made: Elaboration, trace: SpikeTrace, projection: Projection, fired: Expr | None) -> list[Store]:
    if fired is None:
        owner = projection.source if trace.side == "pre" else projection.target
        text = f"trace '{trace.name}' of projection '{projection.name}' needs spikes, but '{owner}' has none"
        made.problems.append(Problem(projection.place, text))
        return []
    names = ConstantNames(made.objects[projection.name].constants, made.dt)
    lowering = Lowering(names, projection.name, f"trace {trace.name}", copies=made.copies)
    decay, increment = lowering.value(trace.decay), lowering.value(trace.increment)
    made.problems += lowering.problems
    if decay is None or increment is None:
        return []
    reads = [e for x in (decay, increment) for e in walk(x) if isinstance(e, Read) and e.at != "scalar"]
    if reads:
        text = f"trace '{trace.name}' of projection '{projection.name}' needs parameters that all synapses share, and "
        made.problems.append(Problem(projection.place, text + _not_shared(made, projection, reads)))
        return []
    full, place = f"{projection.name}.{trace.name}", with_text(trace.place, f"trace {trace.name}")
    decayed: Expr = Apply("mul", (Read(full, "own", REAL), _real(decay)), REAL)
    before = f"{projection.name}.{before_spike(trace.name)}"
    kept = [Store(before, decayed, place=place)] if before in made.arrays else []
    if trace.mode == "set":
        return [*kept, Store(full, Apply("select", (fired, _real(increment), decayed), REAL), place=place)]
    counting = made.network.population(projection.source if trace.side == "pre" else projection.target)
    if name := counting.neuron.spike_count:
        increment = times(
            _real(increment), Read(f"{counting.name}.{name}", "own", made.arrays[f"{counting.name}.{name}"].type)
        )
    added = Apply("select", (fired, _real(increment), Const(0.0, REAL)), REAL)
    return [*kept, Store(full, Apply("add", (decayed, added), REAL), place=place)]


def _not_shared(made: Elaboration, projection: Projection, reads: Sequence[Read]) -> str:
    """Which parameters synapses do not share, why, and what to do."""
    names = ", ".join(dict.fromkeys(f"'{read.array.partition('.')[2]}'" for read in reads))
    several = len({read.array for read in reads}) > 1
    if any(made.deviates(read) for read in reads):
        of = {made.arrays[read.array].name for read in reads}
        kinds = sorted({p.kind for p in projection.synapse.parameters if f"{projection.name}.{p.name}" in of})
        text = f"on chip '{made.chip.name}' {names} {'deviate' if several else 'deviates'} from circuit to circuit "
        text += f"({', '.join(kinds)}); take a chip of which that does not deviate, or give the projection "
        return f"{text}`mismatch: false`"
    return f"{names} {'have' if several else 'has'} a value for each; give one for all"


def projection_bodies(made: Elaboration, projection: Projection) -> ProgramProjection:
    """A projection with what its synapses do in every step, at arrivals and at postsynaptic spikes."""
    synapses = made.synapses[projection.name]
    bodies = synapse_bodies(made, projection)
    sources = made.network.population(projection.source).size
    targets = made.network.population(projection.target).size
    found = ProgramProjection(
        name=projection.name,
        source=projection.source,
        target=projection.target,
        source_size=sources,
        target_size=targets,
        delay=made.delay(projection),
        wiring=synapses.wiring,
        dendritic=_dendritic(made, projection),
        step=bodies["step"],
        arrive=bodies["on_pre"],
        post_body=bodies["on_post"],
        row_condition=_row_condition(bodies["step"]),
        twin=_twin_index(made, projection),
        place=projection.place,
    )
    if is_redrawn(projection):
        made.problems += refused_bodies(projection, found)
        text = f"{found.synapses:,} synapses are not stored: the emulator draws them anew for every spike"
        made.report.append(ReportLine(projection.name, "not stored", text, {"synapses": found.synapses}))
    return found


def _twin_index(made: Elaboration, projection: Projection) -> NDArray[np.int64] | None:
    if projection.twin is None or twin_read(projection.synapse) is None:
        return None
    other = made.network.projection(projection.twin.of)
    try:
        return twin_index(projection, made.synapses[projection.name], other, made.synapses[other.name])
    except InvalidInput as error:
        made.problems += error.problems
        return None


def _dendritic(made: Elaboration, projection: Projection) -> NDArray[np.int64] | None:
    """What each synapse waits before it sends: its dendritic delay, and what its axonal one has beyond the least."""
    late: NDArray[np.int64] | None = None
    if projection.dendritic is not None:
        late = made.whole_steps(projection.dendritic, projection, "dendritic_delay", 0)
    if not isinstance(projection.delay, Quantity):
        beyond = made.delays(projection) - made.delay(projection)
        late = beyond if late is None else late + beyond
    return late


def events(made: Elaboration) -> Iterable[Event]:
    """What populations and projections do when an event is triggered."""
    for population in made.network.populations:
        constants = made.objects[population.name].constants
        names = NeuronNames(population.neuron, population.name, constants, made.dt, inputs=False)
        terms: dict[Axis, int] = {"population": max(1, population.size)}
        yield from _events(made, population.name, "neuron", population.neuron, names, terms)
    for projection in made.network.projections:
        seen = synapse_names(made, projection, triggered=True)
        found = _terms(made, projection)
        yield from _events(made, projection.name, "synapse", projection.synapse, seen, found)


def _terms(made: Elaboration, projection: Projection) -> Mapping[Axis, int]:
    """Of how many synapses sums over them are at most."""
    synapses = made.synapses[projection.name]
    sizes = (made.network.population(projection.source).size, made.network.population(projection.target).size)
    axes: tuple[Axis, ...] = ("incoming", "outgoing", "shared") if synapses.shares else ("incoming", "outgoing")
    return {axis: most_terms(synapses.wiring, sizes, axis) for axis in axes}


def _events(
    made: Elaboration,
    owner: str,
    over: Literal["neuron", "synapse"],
    model: NeuronModel | SynapseModel,
    names: Names,
    terms: Mapping[Axis, int],
) -> Iterable[Event]:
    for event, block in model.on_event:
        common = once(block, model)
        entries = isinstance(model, SynapseModel) and over_entries(block, model)
        kind, allowed = f"on_event {event}", TRIGGERED[over]
        lowering = Lowering(names, owner, kind, allowed, False, made.copies, common, terms, entries)
        lowering.block(block)
        made.problems += lowering.problems
        of: Over = "kernel" if entries and "shared" in terms else over
        yield Event(event, owner, of, lowering.finish(), event == EACH_STEP, common and made.copies > 1)


def histogram(made: Elaboration, readout: StateHistogram) -> Readout:
    """A histogram of joint states, with the condition for a neuron's bit."""
    population = made.network.population(readout.population)
    obj = made.objects[readout.population]
    names = NeuronNames(population.neuron, population.name, obj.constants, made.dt, inputs=False)
    lowering = Lowering(names, readout.name, "state", copies=made.copies)
    value = lowering.value(readout.state)
    made.problems += lowering.problems
    if value is None:
        value = Const(False, BOOL)
    if isinstance(value.type, Int):
        value = Apply("ne", (value, Const(0, Int(0, 0))), BOOL)
    if isinstance(value.type, Real):
        made.problems.append(Problem(readout.state.place, "a state is true or false; compare the value with something"))
    every = made.materialiser.steps(readout.every, readout.name)
    phase = int(units.steps(readout.phase, made.network.dt)) if readout.phase.unit else int(readout.phase.number)
    neurons = None if readout.part is None else readout.part.neurons
    return Readout(readout.name, readout.population, value, every, phase, readout.state.place, neurons)


def _real(expr: Expr) -> Expr:
    return Apply("to_real", (expr,), REAL) if isinstance(expr.type, Int) else expr


def _row_condition(step: Body) -> Expr | None:
    """The condition under which a row does anything, if it depends on the presynaptic neuron alone."""
    if len(step) != 1 or not isinstance(step[0], Send) or step[0].guard is None:
        return None
    guard = step[0].guard
    reads = [part for part in walk(guard) if isinstance(part, Read)]
    return guard if all(read.at in ("pre", "scalar") for read in reads) else None
