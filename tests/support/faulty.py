"""An executor with a planted error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neuroport.backends.reference import Reference
from neuroport.program.machine import Program


class Faulty(Reference):
    """The reference executor with one planted error; `plant(executor)` is called before step `at`."""

    name = "faulty"

    def __init__(self, at: int, plant: Any) -> None:
        super().__init__()
        self.at, self.plant = at, plant

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Any:
        return _Planted(super().open(program, seed, record_spikes), self.at, self.plant)


class _Planted:
    def __init__(self, executor: Any, at: int, plant: Any) -> None:
        self._executor, self._at, self._plant = executor, at, plant

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)

    def advance(self, steps: int) -> None:
        before = self._at - self._executor.step
        if 0 <= before < steps:
            self._executor.advance(before)
            self._plant(self._executor)
            self._executor.advance(steps - before)
        else:
            self._executor.advance(steps)


def flip(array: str, element: int, bit: int = 0) -> Any:
    """Flip one bit of one element of an array."""

    def plant(executor: Any) -> None:
        values = executor.read(array)
        values[element] ^= 1 << bit
        executor.write(array, values)

    return plant
