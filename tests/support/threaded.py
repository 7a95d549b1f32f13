"""Programs on several threads of the emulator, however small they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from neuroport.backends.emulator.threads import Threads
from neuroport.backends.unfold import unfolded
from neuroport.program.ir import Body, Expr, Reduce, Send, parts
from neuroport.program.machine import Program


@dataclass(frozen=True)
class Threaded:
    """A backend that computes programs on so many threads, with blocks of one neuron or more."""

    threads: int
    name: str = "threads"

    def check(self, program: Program) -> tuple[str, ...]:
        """Nothing is refused."""
        return ()

    def open(self, program: Program, seed: int, record_spikes: Sequence[str], **options: Any) -> Threads:
        """Prepare the program."""
        return Threads(unfolded(program), seed, record_spikes, self.threads, smallest=1, **options)


def forward(program: Program) -> Program:
    """The program without what synapses send back to their sources, and sums over what several threads have."""
    events = tuple(event for event in program.events if not any(map(_is_of_several, parts(event.body))))
    return replace(program, projections=tuple(p.with_bodies(_forward) for p in program.projections), events=events)


def _is_of_several(part: Expr) -> bool:
    return isinstance(part, Reduce) and part.axis in ("population", "outgoing")


def _forward(body: Body) -> Body:
    return tuple(stmt for stmt in body if not (isinstance(stmt, Send) and stmt.to == "pre"))
