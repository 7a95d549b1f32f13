"""Neurons that spike several times in a step: every spike is told as often as its neuron spiked.

Executors know who spiked. How often stands in a variable of the population, which is sampled in every step beside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neuroport.program.executor import Backend, Capture, Executor
from neuroport.program.machine import Program, Record
from neuroport.program.names import of_compiler
from neuroport.program.state import State

MOST = 2**20
"""About so many counts are held at once."""


def opened(backend: Backend, program: Program, seed: int, record_spikes: Sequence[str]) -> Executor:
    """An executor of the backend whose spikes are as many as its neurons counted."""
    counts = {p.name: p.count for p in program.populations if p.count}
    if not counts:
        return backend.open(program, seed, record_spikes)
    records = {name: Record(array, 1, of_compiler(name, "count", 0)) for name, array in counts.items()}
    sampled = replace(program, records=(*program.records, *records.values()))
    executor = backend.open(sampled, seed, record_spikes)
    kind = Kept if hasattr(executor, "save") else Counted
    return cast(Executor, kind(executor, program, records))


class Counted:
    """An Executor with the spikes of another one, each as often as its neuron counted. What is not here is the other's.

    `records`: by population the Record of the counts.
    """

    def __init__(self, executor: Executor, program: Program, records: Mapping[str, Record]) -> None:
        self._executor, self._records = executor, records
        self._hidden = tuple(record.name for record in records.values())
        self._more = dict.fromkeys(records, 0)
        """Spikes beyond the first of a neuron in a step, of each population since the executor's own count."""
        self._pieces: list[Capture] = []
        sizes = (program.population(name).size * program.copies for name in records)
        self._most = max(1, MOST // max(1, sum(sizes)))
        executor.begin_item(self._hidden, {})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """See Executor."""
        self._executor.begin_item((*readouts, *self._hidden), schedules)

    def advance(self, steps: int) -> None:
        """See Executor."""
        for first in range(0, steps, self._most):
            self._executor.advance(min(self._most, steps - first))
            self._take()

    def drain(self) -> Capture:
        """See Executor."""
        self._take()
        pieces, self._pieces = self._pieces, []
        return pieces[0] if len(pieces) == 1 else _joined(pieces)

    def spike_counts(self) -> dict[str, int]:
        """See Executor."""
        return {name: count + self._more.get(name, 0) for name, count in self._executor.spike_counts().items()}

    def _take(self) -> None:
        """What the executor recorded, with every spike as often as its neuron counted."""
        captured = self._executor.drain()
        for name, record in self._records.items():
            steps, values = captured.records.pop(record.name)
            if name in captured.spikes:
                captured.spikes[name] = self._repeated(name, captured.spikes[name], steps, values)
        self._pieces.append(captured)

    def _repeated(
        self, name: str, spikes: tuple[NDArray[np.int64], NDArray[np.int64]], steps: NDArray[np.int64], values: Any
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        when, who = spikes
        counts = values.reshape(len(steps), -1)[when - steps[0], who] if len(when) else np.zeros(0, np.int64)
        self._more[name] += int(counts.sum()) - len(when)
        return np.repeat(when, counts), np.repeat(who, counts)


class Kept(Counted):
    """The same of an executor whose state can be saved."""

    def save(self) -> State:
        """See Executor."""
        state = self._executor.save()
        shown = tuple(name for name in state.readouts if name not in self._hidden)
        return replace(state, readouts=shown, counts=self.spike_counts())

    def load(self, state: State) -> None:
        """See Executor."""
        self._executor.load(replace(state, readouts=(*state.readouts, *self._hidden)))
        self._executor.drain()
        self._pieces, self._more = [], dict.fromkeys(self._more, 0)


def _joined(pieces: Sequence[Capture]) -> Capture:
    """Captures one after the other, as one."""
    first = pieces[0]
    spikes = {name: _chained([piece.spikes[name] for piece in pieces]) for name in first.spikes}
    return Capture(spikes, {name: _chained([piece.records[name] for piece in pieces]) for name in first.records})


def _chained(parts: Sequence[tuple[NDArray[np.int64], NDArray[Any]]]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    return np.concatenate([steps for steps, _ in parts]), np.concatenate([values for _, values in parts])
