"""The lowest and highest value that every array has been given in a run, seen step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.executor import Capture, Executor
from neuroport.program.extremes import kept_for, watched
from neuroport.program.ir import Numbers
from neuroport.program.machine import Program
from neuroport.program.state import State


@dataclass(frozen=True, slots=True)
class Seen:
    """What an array held: its lowest and highest value, in coherent units, and whether any of its elements changed."""

    lowest: float
    highest: float
    moved: bool

    def with_(self, other: Seen) -> Seen:
        """What both saw together."""
        low, high = _least(self.lowest, other.lowest), _most(self.highest, other.highest)
        return Seen(low, high, self.moved or other.moved)

    @property
    def largest(self) -> float:
        """The largest magnitude; NaN where a value was none."""
        return _most(abs(self.lowest), abs(self.highest))


class Extremes:
    """An executor of `with_extremes(program)` that shows `program`, and what each array has held.

    What a reset forgets, and what the host writes, is taken note of when it happens.
    """

    def __init__(self, executor: Executor, program: Program, keeping: Program) -> None:
        self._executor, self._program, self._keeping = executor, program, keeping
        self._names = {name: tuple(kept_for(keeping, name)) for name in watched(program)}
        self._series = {s.name: s.input for s in program.series}
        still = (n for n, a in program.arrays.items() if a.role == "state" and "$" not in n and n not in self._names)
        self._seen = {name: self._first(name) for name in (*self._names, *still)}

    def _first(self, name: str) -> Seen:
        return _seen(self._program.arrays[name].initial, moved=False)

    def seen(self) -> dict[str, Seen]:
        """The extremes of every array so far, by name."""
        for name in self._names:
            self._take(name)
        return dict(self._seen)

    def _take(self, name: str) -> None:
        seen = self._seen[name]
        for low, high in self._names[name]:
            seen = seen.with_(self._between(name, self._executor.read(low), self._executor.read(high)))
        self._seen[name] = seen

    def _between(self, name: str, low: Numbers, high: Numbers) -> Seen:
        """What the arrays of extremes say; those that were given nothing have a highest value below the lowest."""
        given = ~(low > high)
        ends = np.stack([low[given], high[given]])
        started = np.broadcast_to(_columns(self._program.arrays[name].initial, low.ndim), low.shape)[given]
        return _seen(ends, moved=bool((ends != started).any())) if ends.size else self._seen[name]

    @property
    def step(self) -> int:
        """See Executor."""
        return self._executor.step

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """See Executor."""
        self._executor.begin_item(readouts, schedules)

    def advance(self, steps: int) -> None:
        """See Executor."""
        self._executor.advance(steps)

    def trigger(self, event: str) -> None:
        """See Executor."""
        self._executor.trigger(event)

    def reset(self, population: str) -> None:
        """See Executor."""
        for name in self._names:
            if self._program.arrays[name].owner == population:
                self._take(name)
        self._executor.reset(population)

    def read(self, array: str) -> NDArray[Any]:
        """See Executor."""
        return self._executor.read(array)

    def write(self, array: str, values: NDArray[Any]) -> None:
        """See Executor."""
        self._note(array, values)
        self._executor.write(array, values)

    def load_series(self, series: str, table: NDArray[Any]) -> None:
        """See Executor."""
        self._note(self._series[series], table)  # rows of a value for each neuron, as an input has them
        self._executor.load_series(series, table)

    def _note(self, array: str, values: NDArray[Any]) -> None:
        if array in self._seen and values.size:
            moved = bool(np.any(values != self._program.arrays[array].initial))
            self._seen[array] = self._seen[array].with_(_seen(values, moved))

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """See Executor."""
        return self._executor.histogram(readout)

    def clear_histogram(self, readout: str) -> None:
        """See Executor."""
        self._executor.clear_histogram(readout)

    def drain(self) -> Capture:
        """See Executor."""
        return self._executor.drain()

    def spike_counts(self) -> dict[str, int]:
        """See Executor."""
        return self._executor.spike_counts()

    def overflows(self) -> dict[str, int]:
        """See Executor."""
        return self._executor.overflows()

    def save(self) -> State:
        """See Executor. With the arrays that keep the extremes."""
        return self._executor.save()

    def load(self, state: State) -> None:
        """See Executor. What was held before was seen."""
        self.seen()
        self._executor.load(state)

    def close(self) -> None:
        """Give back what the executor holds, if it holds anything."""
        close = getattr(self._executor, "close", None)
        if close is not None:
            close()


def _seen(values: Numbers, moved: bool) -> Seen:
    """The extremes of some numbers; 0 of none."""
    if not values.size:
        return Seen(0.0, 0.0, moved)
    return Seen(float(values.min()), float(values.max()), moved)


def _least(one: float, other: float) -> float:
    return float(np.minimum(one, other))  # NaN of NaN


def _most(one: float, other: float) -> float:
    return float(np.maximum(one, other))


def _columns(initial: Numbers, ndim: int) -> Numbers:
    """Initial values beside those of all copies, or of one."""
    return initial if initial.ndim == ndim else initial[..., None] if initial.ndim < ndim else initial[..., 0]
