"""Which copies are GeNN's batch: one network, computed for all copies at the same time, which only GPUs do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from neuroport.backends.expand import expanded
from neuroport.backends.genn.code import draws
from neuroport.backends.genn.shared import contributed
from neuroport.backends.genn.split import Split, split
from neuroport.backends.scratch import differs
from neuroport.backends.unfold import unfolded
from neuroport.program.ir import Let, Read, Store, walk
from neuroport.program.machine import Event, Program

NO_GPU = "GeNN has batches on GPUs only"


def obstacle(program: Program) -> str | None:
    """Why the copies of a program are not a batch on a GPU, as a part of a sentence, or None: they are."""
    return next(_obstacles(program), None)


def parted(program: Program) -> Split:
    """A program in what GeNN has a form for, of one copy or of a batch."""
    found = split(unfolded(expanded(program)))
    return replace(found, program=contributed(found.program), summed=found.program.summed())


def _obstacles(program: Program) -> Iterator[str]:
    summed = program.summed()
    for name in sorted(summed):
        if program.arrays[name].history:
            yield f"'{name}' is a sum over copies of which earlier values are read"
    for readout in program.readouts:
        if any(isinstance(part, Read) and part.array in summed for part in walk(readout.bit)):
            yield f"the readout '{readout.name}' looks at a sum over copies"
    whole = parted(program).program
    for event in (event for event in whole.events if event.once):
        yield from _once(whole, event)


def _once(program: Program, event: Event) -> Iterator[str]:
    """What in a body that is computed once for all copies GeNN would compute in each."""
    own: set[str] = set()
    where = f"event {event.name} of {event.owner.partition('$')[0]}"
    for stmt in event.body:
        match stmt:
            case Let() if differs(stmt.value, program.arrays, own):
                own.add(stmt.name)
                if draws((stmt,)):
                    yield f"{where} draws a random number in each copy"
            case Store(guard=guard):
                given = guard is not None and differs(guard, program.arrays, own)
                shared = not program.arrays[stmt.array].own
                if given or (shared and differs(stmt.value, program.arrays, own)):
                    yield f"{where} reduces over elements what differs from copy to copy"
