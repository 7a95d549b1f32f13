"""What the emulator cannot execute; what its compiled code relies on without looking, every legal program keeps."""

from __future__ import annotations

from collections.abc import Iterator

from neuroport.backends.emulator.blocks import alone
from neuroport.backends.unfold import unfolded
from neuroport.copies.unbatch import unbatch
from neuroport.errors import Unsupported
from neuroport.program.ir import reads, stored
from neuroport.program.machine import Program


def problems(program: Program, threads: int = 1) -> tuple[str, ...]:
    """Every reason why the emulator cannot execute the program, on so many threads."""
    if threads > 1:
        start = f"network '{program.name}' cannot be computed on {threads} threads"
        end = "leave the number of threads out, and it is computed on one"
        found = (f"{start}: {reason}; {end}" for reason in alone(program, threads))
        return (*dict.fromkeys(found), *problems(program))
    if program.copies == 1 or copies_together(program):
        return tuple(dict.fromkeys(_problems(program)))
    try:
        return tuple(dict.fromkeys(_problems(unbatch(program))))
    except Unsupported as error:
        return (str(error),)


def copies_together(program: Program) -> bool:
    """Whether several copies are computed with a loop over them; otherwise each is written out (`unbatch`).

    Spikes, histograms and dendritic delays have no form for several copies.
    """
    return not (
        any(p.spiking for p in program.populations)
        or any(p.dendritic is not None for p in program.projections)
        or program.readouts
    )


def executed(program: Program) -> Program:
    """The program whose module is compiled: the same, or one with copies and sums over elements written out."""
    return unfolded(program if program.copies == 1 or copies_together(program) else unbatch(program))


def _problems(program: Program) -> Iterator[str]:
    for event in program.events:
        twins = {read.array for read in reads(event.body) if read.at == "twin"}
        for name in sorted(twins & stored(event.body)):
            where = f"event {event.name} of {event.owner}"
            yield f"{where}: {name} is read from the twin and assigned in the same block; the order decides."
