"""What a host gave for steps to come: kept in the order in which it was given, and done in its step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Generic, TypeVar

What = TypeVar("What")
NEVER = 2**64
"""A step that never comes."""


@dataclass(frozen=True, eq=False, slots=True)
class Entry(Generic[What]):
    """Something to be done in every step from `first` until before `end`; the lower its number, the earlier.

    `size`: how many numbers are kept for it.
    """

    number: int
    first: int
    end: int
    what: What
    size: int


@dataclass(eq=False)
class Waiting(Generic[What]):
    """What is to be done in steps to come. `size`: how many numbers are kept for that."""

    size: int = 0
    _to_come: list[tuple[int, int, Entry[What]]] = field(default_factory=list)
    _active: list[Entry[What]] = field(default_factory=list)
    _given: int = 0
    _step: int = 0

    def add(self, first: int, end: int, what: What, size: int) -> None:
        """Do something in every step from `first`, which is to come, until before `end`."""
        if first < end:
            heappush(self._to_come, (first, self._given, Entry(self._given, first, end, what, size)))
            self._given += 1
            self.size += size

    @property
    def next(self) -> int:
        """The next step for which there is something."""
        if self._active:
            return self._step + 1
        return self._to_come[0][0] if self._to_come else NEVER

    def due(self, step: int) -> list[What]:
        """What is to be done in a step, in the order in which it was given; every step is asked for once."""
        started = []
        while self._to_come and self._to_come[0][0] <= step:
            started.append(heappop(self._to_come)[2])
        if started:
            self._active = sorted([*self._active, *started], key=lambda entry: entry.number)
        now = [entry.what for entry in self._active]
        self.size -= sum(entry.size for entry in self._active if entry.end <= step + 1)
        self._active = [entry for entry in self._active if entry.end > step + 1]
        self._step = step
        return now

    def __len__(self) -> int:
        return len(self._to_come) + len(self._active)

    def __iter__(self) -> Iterator[Entry[What]]:
        """All that is still to be done, in the order in which it was given."""
        return iter(sorted([*self._active, *(entry for _, _, entry in self._to_come)], key=lambda e: e.number))
