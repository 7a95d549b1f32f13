"""One run that executors hand on: each goes on from the state that the one before has saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from neuroport.copies.unbatch import unbatch
from neuroport.copies.views import open_unbatched
from neuroport.program.executor import Capture, Executor
from neuroport.program.machine import Program
from neuroport.program.state import State

PARTS = "arrays inputs histories tables schedules histograms apart".split()
NUMBERS = "step item_step readouts counts overflows".split()


def unlike(one: State, other: State) -> Iterator[str]:
    """What is not the same in two states, to the bit."""
    for part in NUMBERS:
        if getattr(one, part) != getattr(other, part):
            yield f"{part}: {getattr(one, part)} and {getattr(other, part)}"
    for part in [*PARTS, "spikes"]:
        mine, its = _flat(getattr(one, part)), _flat(getattr(other, part))
        for name in sorted(mine.keys() | its.keys()):
            if name not in mine or name not in its or not _same(mine[name], its[name]):
                yield f"{part} of {name}: {mine.get(name)} and {its.get(name)}"


def _flat(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a state, by name; the two arrays of spikes as one."""
    return {name: np.stack(values) if isinstance(values, tuple) else values for name, values in part.items()}


def _same(one: Any, other: Any) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


class WrittenOut:
    """A backend without an axis of copies: programs of several copies are written out for it."""

    def __init__(self, backend: Any) -> None:
        self.name, self._backend = f"{backend.name}, written out", backend

    def check(self, program: Program) -> tuple[str, ...]:
        """Every reason why this backend cannot execute the program."""
        found: tuple[str, ...] = self._backend.check(unbatch(program))
        return found

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Executor:
        """The copies beside each other."""
        return open_unbatched(self._backend.open, program, seed, record_spikes)


class Relay:
    """Runs a program on several executors in turn: within every run, and between actions, the next one is drawn."""

    def __init__(self, machines: Sequence[Any], seed: int) -> None:
        self.machines, self.program = machines, machines[0].program
        self.now = machines[0]
        self.handed: set[tuple[int, int]] = set()
        self.all_handed: list[tuple[int, int]] = []
        self.moments: set[int] = set()
        self._draw = np.random.default_rng(seed)
        self._kept: list[Capture] = []

    def hand_over(self) -> None:
        """Go on in another executor, or in the same, which then loads what it has saved."""
        self._kept.append(self.now.drain())
        state = self.now.save()
        here, places = self.machines.index(self.now), range(len(self.machines))
        untried = [place for place in places if (here, place) not in self.handed]
        place = int(self._draw.choice(untried or places))
        self.handed.add((here, place))
        self.all_handed.append((here, place))
        self.moments.add(state.step)
        self.now = self.machines[place]
        self.now.load(state)
        assert list(unlike(state, self.now.save())) == []

    def advance(self, steps: int) -> None:
        """Hand over somewhere on the way, at its ends too."""
        first = int(self._draw.integers(steps + 1))
        self.now.advance(first)
        self.hand_over()
        self.now.advance(steps - first)
        if self._draw.random() < 0.2:
            self.hand_over()

    def drain(self) -> Capture:
        """What all executors have recorded."""
        parts, self._kept = [*self._kept, self.now.drain()], []
        whole = Capture()
        for kind in ("spikes", "records"):
            for name in getattr(parts[0], kind):
                columns = zip(*(getattr(part, kind)[name] for part in parts), strict=True)
                getattr(whole, kind)[name] = tuple(np.concatenate(column) for column in columns)
        return whole

    def __getattr__(self, name: str) -> Any:
        """Everything else is done by the executor whose turn it is."""
        return getattr(self.now, name)
