"""Programs on several threads of the emulator, however small they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from neuroport.backends.emulator.threads import Threads
from neuroport.program.ir import Body, Send
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
        return Threads(program, seed, record_spikes, self.threads, smallest=1, **options)


def forward(program: Program) -> Program:
    """The program without what synapses send back to their sources."""
    return replace(program, projections=tuple(p.with_bodies(_forward) for p in program.projections))


def _forward(body: Body) -> Body:
    return tuple(stmt for stmt in body if not (isinstance(stmt, Send) and stmt.to == "pre"))
