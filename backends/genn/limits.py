"""What cannot be executed with GeNN, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from neuroport.backends.genn import bounds, places, reach
from neuroport.backends.genn.split import split
from neuroport.errors import Unsupported
from neuroport.program import stated
from neuroport.program.ir import Body, Read, Send, parts, reads, stored
from neuroport.program.machine import Event, Program, Projection

LARGEST_HISTOGRAM = 24
MOST_COPIES = 128


def problems(program: Program) -> tuple[str, ...]:
    """Every reason why this program cannot be executed with GeNN."""
    if program.copies == 1:
        return tuple(dict.fromkeys(_problems(split(program).program)))
    if program.copies > MOST_COPIES:
        return (
            f"the network has {program.copies} copies that share what they learn; with GeNN each is made of groups of "
            f"its own, and at most {MOST_COPIES} are accepted. Take fewer (--set copies=4), or another backend.",
        )
    from neuroport.copies.unbatch import unbatch

    try:
        found = _problems(split(unbatch(program)).program)
        return tuple(dict.fromkeys(reach.one_copy(text) for text in found))
    except Unsupported as error:
        return (str(error),)


def _problems(program: Program) -> Iterator[str]:
    yield from stated.problems(program)
    changed = program.stored()
    for population in program.populations:
        yield from _own_only(population.name, population.body)
        if population.size < 1:
            yield f"the population '{population.name}' has no neurons; GeNN needs at least one."
    for event in program.events:
        yield from _event(program, event)
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


def _own_only(where: str, body: Body, places: Collection[str] = ("own", "scalar")) -> Iterator[str]:
    for expr in parts(body):
        if isinstance(expr, Read) and (expr.lag != 0 or expr.at not in places):
            yield f"{where}: reads the past or another neuron's '{expr.array}', which GeNN offers to synapses only."


def _event(program: Program, event: Event) -> Iterator[str]:
    where = f"event {event.name} of {event.owner}"
    twins = {e.array for e in parts(event.body) if isinstance(e, Read) and e.at == "twin"}
    yield from _own_only(where, event.body, ("own", "scalar", "pre", "post", "twin"))
    for name in sorted(twins & stored(event.body)):
        yield (
            f"{where}: reads '{name}' of the twin and assigns it too; on a GPU all synapses do so at the same time. "
            f"Assign it in an event of its own."
        )
    at = event.over
    others = sorted({a.owner for name, a in reach.far(event, program).items() if name not in twins and a.at == at})
    if event.over == "synapse":
        mine = program.projection(event.owner)
        unlike = [name for name in others if not places.alike(mine, program.projection(name))]
    else:
        size = program.population(event.owner).size
        unlike = [name for name in others if program.population(name).size != size]
    for name in unlike:
        yield f"{where}: reaches '{name}', which is of another shape; only copies of the same shape can be reached."


def _projection(program: Program, projection: Projection, changed: set[str]) -> Iterator[str]:
    name = projection.name.partition("~")[0]
    if any(isinstance(s, Send) and s.to == "post" for s in projection.post_body):
        yield f"the projection '{name}' sends forward on postsynaptic spikes; GeNN sends only back there."
    longest = projection.longest_delay
    if longest >= 2**16:
        yield f"the projection '{name}' has dendritic delays of up to {longest} steps; up to 65535 work."
    for expr in (read for body in projection.bodies for read in reads(body)):
        if expr.at in ("own", "scalar") or expr.array not in changed:
            continue
        if expr.at == "pre" and expr.lag != projection.delay - 1:
            yield (
                f"the projection '{name}' reads '{expr.array}' of its source {expr.lag} steps back; with an axonal "
                f"delay of {projection.delay} GeNN has it {projection.delay - 1} steps back."
            )
        if expr.at == "post" and expr.lag not in (0, "synapse"):
            yield f"the projection '{name}' reads '{expr.array}' of its target {expr.lag} steps back; GeNN has it now."
