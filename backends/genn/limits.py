"""What cannot be executed with GeNN, and why."""

from __future__ import annotations

from collections.abc import Iterator

from neuroport.backends.genn import bounds
from neuroport.program import Body, Program, Projection, Read, Round, Send, Store, parts

LARGEST_HISTOGRAM = 24


def problems(program: Program) -> tuple[str, ...]:
    """Every reason why this program cannot be executed with GeNN."""
    return tuple(dict.fromkeys(_problems(program)))


def _problems(program: Program) -> Iterator[str]:
    changed = _changed(program)
    for population in program.populations:
        yield from _own_only(population.name, population.body)
        if population.size < 1:
            yield f"the population '{population.name}' has no neurons; GeNN needs at least one."
    for event in program.events:
        yield from _own_only(f"event {event.name} of {event.owner}", event.body)
        owner = {a.name for a in program.arrays.values() if a.role == "input"}
        used = {e.array for e in parts(event.body) if isinstance(e, Read)} & owner
        if used or any(isinstance(s, Send) for s in event.body):
            yield f"event {event.name} of {event.owner}: GeNN's custom updates cannot read or send input."
    for projection in program.projections:
        yield from _projection(program, projection, changed)
    for array in program.arrays.values():
        if array.at == "neuron" and array.owner not in {p.name for p in program.populations}:
            yield f"'{array.name}' has one value per neuron but belongs to no population."
    for readout in program.readouts:
        size = program.population(readout.population).size
        if size > LARGEST_HISTOGRAM:
            yield (
                f"the readout '{readout.name}' counts the joint states of {size} neurons; a histogram has room for "
                f"{LARGEST_HISTOGRAM}."
            )
    yield from bounds.problems(program)
    bodies = [p.body for p in program.populations] + [e.body for e in program.events]
    bodies += [b for p in program.projections for b in (p.step, p.arrive, p.post_body)]
    for expr in (e for body in bodies for e in parts(body)):
        if isinstance(expr, Round) and not 0 < expr.shift <= (32 if expr.mode == "stochastic" else 62):
            yield f"a rounding ({expr.mode}) drops {expr.shift} bits; 1 to 62 work, stochastically at most 32."


def _changed(program: Program) -> set[str]:
    """Arrays that some body assigns to."""
    bodies = [p.body for p in program.populations] + [e.body for e in program.events]
    bodies += [b for p in program.projections for b in (p.step, p.arrive, p.post_body)]
    return {s.array for body in bodies for s in body if isinstance(s, Store)}


def _own_only(where: str, body: Body) -> Iterator[str]:
    for expr in parts(body):
        if isinstance(expr, Read) and (expr.lag != 0 or expr.at not in ("own", "scalar")):
            yield f"{where}: reads the past or another neuron's '{expr.array}', which GeNN offers to synapses only."


def _projection(program: Program, projection: Projection, changed: set[str]) -> Iterator[str]:
    name = projection.name
    bodies = (projection.step, projection.arrive, projection.post_body)
    sends = [s for body in bodies for s in body if isinstance(s, Send)]
    for to, ends in (("post", "target"), ("pre", "source")):
        inputs = sorted({s.input for s in sends if s.to == to})
        if len(inputs) > 1:
            yield (
                f"the projection '{name}' sends to {len(inputs)} inputs of its {ends} ({', '.join(inputs)}); one of "
                f"GeNN's synapse groups has one. Split it into one projection per input."
            )
    if any(isinstance(s, Send) and s.to == "post" for s in projection.post_body):
        yield f"the projection '{name}' sends forward on postsynaptic spikes; GeNN sends only back there."
    longest = 0 if projection.dendritic is None else int(projection.dendritic.max(initial=0))
    if longest >= 2**16:
        yield f"the projection '{name}' has dendritic delays of up to {longest} steps; up to 65535 work."
    for expr in (e for body in bodies for e in parts(body)):
        if not isinstance(expr, Read) or expr.at in ("own", "scalar") or expr.array not in changed:
            continue
        if expr.at == "pre" and expr.lag != projection.delay - 1:
            yield (
                f"the projection '{name}' reads '{expr.array}' of its source {expr.lag} steps back; with an axonal "
                f"delay of {projection.delay} GeNN has it {projection.delay - 1} steps back."
            )
        if expr.at == "post" and expr.lag not in (0, "synapse"):
            yield f"the projection '{name}' reads '{expr.array}' of its target {expr.lag} steps back; GeNN has it now."
