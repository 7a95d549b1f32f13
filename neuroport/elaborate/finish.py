"""The last passes of elaboration: memory of the past where something reads it, and nothing that nobody reads."""

from __future__ import annotations

from dataclasses import replace

from neuroport.elaborate.hoist import depends_on
from neuroport.program.ir import Int, Numbers, Read, Send, parts, walk
from neuroport.program.machine import Program
from neuroport.program.names import ITEM_STEP, RUN, STEP

HORIZON = 2**24
"""Steps for which a program's counters are made, if its protocol is not longer: 16.8 million."""


def with_horizon(program: Program, steps: int) -> Program:
    """The counters of steps with bounds: no run goes on for more than so many."""
    arrays = dict(program.arrays)
    for name in (STEP, ITEM_STEP):
        arrays[name] = replace(arrays[name], type=Int(0, steps))
    return replace(program, arrays=arrays)


def with_histories(program: Program) -> Program:
    """Arrays that are read further back than the last step keep the slots they need; inputs their delays."""
    arrays = dict(program.arrays)
    for projection in program.projections:
        longest = int(projection.dendritic.max(initial=0)) if projection.dendritic is not None else 0
        for body in (projection.step, projection.arrive, projection.post_body):
            for part in parts(body):
                if isinstance(part, Read) and part.lag != 0:
                    slots = longest + 1 if part.lag == "synapse" else part.lag + 1
                    array = arrays[part.array]
                    arrays[part.array] = replace(array, history=max(array.history, slots))
            for stmt in body:
                if isinstance(stmt, Send) and stmt.delay == "synapse":
                    array = arrays[stmt.input]
                    arrays[stmt.input] = replace(array, slots=max(array.slots, longest + 1))
    return replace(program, arrays=arrays)


def trimmed(program: Program, values: dict[str, Numbers]) -> Program:
    """Drop parameter arrays that nothing reads; those that can be switched exist all the same.

    The constants keep the real values that switches start from, and circuits' deviations.
    """
    bodies = [p.body for p in program.populations]
    bodies += [b for p in program.projections for b in (p.step, p.arrive, p.post_body)]
    bodies += [e.body for e in program.events]
    read = {e.array for body in bodies for e in parts(body) if isinstance(e, Read)}
    read |= {e.array for r in program.readouts for e in walk(r.bit) if isinstance(e, Read)}
    follows = {d.array for d in program.derived}
    needed = read | {n for n, a in program.arrays.items() if a.dynamic and a.owner != RUN and n not in follows}
    for derived in reversed(program.derived):
        if derived.array in needed:
            needed |= {e.array for e in walk(derived.value) if isinstance(e, Read)}
    arrays = {n: a for n, a in program.arrays.items() if a.role != "parameter" or n in needed}
    kept = needed | {a.factor for a in program.arrays.values()}
    constants = {n: v for n, v in values.items() if n in kept}
    derived_kept = tuple(d for d in program.derived if d.array in needed)
    assert not any(depends_on(d.value, {STEP, ITEM_STEP}) for d in derived_kept)
    designed = {n: d for n, d in program.designed.items() if n in arrays}
    return replace(program, arrays=arrays, derived=derived_kept, constants=constants, designed=designed)
