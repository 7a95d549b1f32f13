"""Events that read or assign what belongs to other objects, and what follows from that.

GeNN's custom updates see the variables of one synapse group, or those of neurons of which at most one group keeps the
past; but they see the extra global parameters of all groups. So the arrays that such an event needs are extra global
parameters of their group, with one place for each neuron or synapse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from neuroport.program.ir import Expr, Read, Store, Sum, parts, reads, stored, walk
from neuroport.program.machine import Array, Event, Program


def arrays(event: Event, program: Program) -> dict[str, Array]:
    """The arrays of neurons or synapses that an event reads or assigns."""
    names = [read.array for read in reads(event.body)]
    names += [s.array for s in event.body if isinstance(s, Store)]
    return {name: program.arrays[name] for name in names if program.arrays[name].at != "scalar"}


def far(event: Event, program: Program) -> dict[str, Array]:
    """The arrays of other objects among them."""
    return {name: a for name, a in arrays(event, program).items() if a.owner != event.owner}


def open_to_others(program: Program, uniform: set[str]) -> set[str]:
    """Arrays that events of other objects need, and those of the same name in other copies.

    All copies have the array in the same way, so that GeNN sees that their code is the same.
    """
    wanted = {one_copy(name) for event in program.events for name in far(event, program) if name not in uniform}
    if program.copies > 1:
        wanted |= _of_all_copies(program)
    return {name for name in program.arrays if one_copy(name) in wanted} - uniform


def _of_all_copies(program: Program) -> set[str]:
    """Arrays of a batch that events need of all copies, and what all share of which synapses see the past."""
    read = {read.array for event in program.events for part in parts(event.body) for read in _summed(part)}
    once = {name for event in program.events if event.once for name in arrays(event, program)}
    found = {name for name in read | once if program.arrays[name].own and program.arrays[name].at != "scalar"}
    shared = {name for name in program.stored() if not program.arrays[name].own}
    return found | (shared & read_by_synapses(program) & {a.name for a in program.arrays.values() if a.at == "neuron"})


def _summed(expr: Expr) -> Iterator[Read]:
    """What is read of copies in a sum over them."""
    return (part for part in walk(expr) if isinstance(part, Read)) if isinstance(expr, Sum) else iter(())


def remembered(program: Program) -> set[str]:
    """Arrays of neurons that events of synapses read as they were, and those of the same name in other copies."""
    events = (event for event in program.events if event.over == "synapse")
    wanted = {one_copy(read.array) for event in events for read in reads(event.body) if read.lag != 0}
    return {name for name in program.arrays if one_copy(name) in wanted}


def read_by_synapses(program: Program) -> set[str]:
    """Arrays of neurons that the code of synapses reads in a step."""
    bodies = (body for p in program.projections if p.synapses for body in p.bodies)
    return {read.array for body in bodies for read in reads(body) if read.at in ("pre", "post")}


def mirrored(program: Program) -> set[str]:
    """Arrays of a kernel's entries whose values synapses have."""
    return {array.mirror for array in program.arrays.values() if array.mirror}


@cache
def one_copy(name: str) -> str:
    """A name without what tells copies apart."""
    return re.sub(r"#\d+", "", name)


def after_step(program: Program) -> tuple[list[Event], set[str]]:
    """Events of neurons with `every_step` that cannot be part of the neurons' code, and the arrays they assign.

    They reach other populations, or concern all copies of a batch, or something is reduced before them, or they come
    after one that is so of theirs.
    """
    late: list[Event] = []
    populations: set[str] = set()
    changed: set[str] = set()
    for event in program.events:
        apart = bool(event.totals or far(event, program) or stored(event.body) & mirrored(program))
        apart = apart or event.once or any(isinstance(part, Sum) for part in parts(event.body))
        if event.over == "neuron" and event.every_step and (apart or event.owner in populations):
            late.append(event)
            populations |= {event.owner} | {a.owner for a in arrays(event, program).values()}
            changed |= stored(event.body)
    return late, changed
