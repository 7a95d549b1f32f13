"""What cannot be executed with GeNN, and why."""

from __future__ import annotations

from collections.abc import Iterator

from neuroport.backends.genn import bounds, reach
from neuroport.backends.genn.batch import parted
from neuroport.errors import Unsupported
from neuroport.program.ir import Send, reads, stored
from neuroport.program.machine import Event, Program, Projection

MOST_COPIES = 128


def problems(program: Program, batch: bool = False) -> tuple[str, ...]:
    """Every reason why this program cannot be executed with GeNN. batch: its copies are one."""
    if program.copies == 1 or batch:
        return tuple(dict.fromkeys(_problems(parted(program).program)))
    if program.copies > MOST_COPIES:
        return (
            f"the network has {program.copies} copies that share what they learn; with GeNN each is made of groups of "
            f"its own, and at most {MOST_COPIES} are accepted. Take fewer (--set copies=4), or another backend.",
        )
    from neuroport.copies.unbatch import unbatch

    try:
        found = _problems(parted(unbatch(program)).program)
        return tuple(dict.fromkeys(reach.one_copy(text) for text in found))
    except Unsupported as error:
        return (str(error),)


def _problems(program: Program) -> Iterator[str]:
    changed = program.stored()
    for population in program.populations:
        if population.size < 1:
            yield f"the population '{population.name}' has no neurons; GeNN needs at least one."
    for name in (a.name for a in program.arrays.values() if a.reduce == "max"):
        yield f"the input '{name}' takes the largest of what arrives; GeNN adds up. Take another backend."
    for event in program.events:
        yield from _event(event)
    for projection in program.projections:
        yield from _projection(program, projection, changed)
    yield from bounds.problems(program)


def _event(event: Event) -> Iterator[str]:
    twins = {read.array for read in reads(event.body) if read.at == "twin"}
    for name in sorted(twins & stored(event.body)):
        yield (
            f"event {event.name} of {event.owner}: reads '{name}' of the twin and assigns it too; on a GPU all "
            f"synapses do so at the same time. Assign it in an event of its own."
        )


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
