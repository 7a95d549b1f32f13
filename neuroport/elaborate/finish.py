"""The last passes of elaboration: memory of the past where something reads it, and nothing that nobody reads."""

from __future__ import annotations

from dataclasses import replace

from neuroport.program.ir import Int, Read, Send, reads, walk
from neuroport.program.machine import Program
from neuroport.program.names import ITEM_STEP, RUN, STEP
from neuroport.program.verify import verified

HORIZON = 2**24
"""Steps for which a program's counters are made, if its protocol is not longer: 16.8 million."""


@verified
def with_horizon(program: Program, steps: int) -> Program:
    """The counters of steps with bounds: no run goes on for more than so many."""
    arrays = dict(program.arrays)
    for name in (STEP, ITEM_STEP):
        arrays[name] = replace(arrays[name], type=Int(0, steps))
    return replace(program, arrays=arrays)


@verified
def with_histories(program: Program) -> Program:
    """Arrays that are read further back than the last step keep the slots they need; inputs their delays."""
    arrays = dict(program.arrays)
    for read in (read for event in program.events for read in reads(event.body)):
        if isinstance(read.lag, int) and read.lag > 0:
            array = arrays[read.array]
            arrays[read.array] = replace(array, history=max(array.history, read.lag + 1))
    for projection in program.projections:
        longest = projection.longest_delay
        for body in projection.bodies:
            for read in reads(body):
                if read.lag != 0:
                    slots = longest + 1 if read.lag == "synapse" else read.lag + 1
                    array = arrays[read.array]
                    arrays[read.array] = replace(array, history=max(array.history, slots))
            for stmt in body:
                if isinstance(stmt, Send) and stmt.delay == "synapse":
                    array = arrays[stmt.input]
                    arrays[stmt.input] = replace(array, slots=max(array.slots, longest + 1))
    return replace(program, arrays=arrays)


@verified
def trimmed(program: Program) -> Program:
    """Drop parameter arrays that nothing reads; those that can be switched exist all the same.

    The constants keep the real values that switches start from, and circuits' deviations.
    """
    read = {r.array for r in program.reads()}
    follows = {d.array for d in program.derived}
    needed = read | {n for n, a in program.arrays.items() if a.dynamic and a.owner != RUN and n not in follows}
    for derived in reversed(program.derived):
        if derived.array in needed:
            needed |= {e.array for e in walk(derived.value) if isinstance(e, Read)}
    arrays = {n: a for n, a in program.arrays.items() if a.role != "parameter" or n in needed}
    kept = needed | {a.factor for a in program.arrays.values()}
    constants = {n: v for n, v in program.constants.items() if n in kept}
    derived_kept = tuple(d for d in program.derived if d.array in needed)
    assert not any(isinstance(e, Read) and e.array in (STEP, ITEM_STEP) for d in derived_kept for e in walk(d.value))
    designed = {n: d for n, d in program.designed.items() if n in arrays}
    return replace(program, arrays=arrays, derived=derived_kept, constants=constants, designed=designed)
