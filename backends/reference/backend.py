"""The reference backend as the session sees it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from neuroport.backends.reference.machine import Machine
from neuroport.backends.reference.room import room
from neuroport.program.machine import Program
from neuroport.program.room import Part
from neuroport.program.verify import given


class Reference:
    """Executes real programs in float64 or float32 and integer programs in int64, on NumPy alone.

    `checked` asserts that every intermediate of an integer program lies inside the bounds its type states.
    """

    name = "reference"

    def __init__(self, checked: bool = False) -> None:
        self.checked = checked

    def missing(self) -> str | None:
        """Nothing can be missing."""
        return None

    def check(self, program: Program) -> tuple[str, ...]:
        """Every legal program can be executed here."""
        return ()

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Machine:
        """Prepare the program for execution."""
        given(program, self.name)
        return Machine(program, seed, record_spikes, self.checked)

    def room(self, program: Program, synapses: Mapping[str, float], full: Collection[str]) -> Iterable[Part]:
        """What an executor takes; see `neuroport.program.executor.Backend`."""
        return room(program, synapses)

    def source(self, program: Program) -> str:
        """The NumPy text of every body of the program."""
        return Machine(program, program.seed, (), self.checked).source
