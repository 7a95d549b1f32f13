"""Copies in one executor: each copy's session sees its own part of an unrolled program and runs in a thread of its own.

All sessions do the same protocol. What concerns the whole machine (steps, events, items, resets) waits until every
session asks for it and is then done once; what concerns one copy's arrays goes through at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.copies.unroll import copy_name
from neuroport.program.executor import Capture, Executor
from neuroport.program.names import of_run


class Meeting:
    """Lets the threads of all copies do something once, together."""

    def __init__(self, executor: Executor, copies: int) -> None:
        self.executor = executor
        self.captures = [Capture() for _ in range(copies)]
        self.schedules: list[Mapping[str, NDArray[np.int64]]] = [{} for _ in range(copies)]
        self.lock = threading.Lock()
        self._copies = copies
        self._action: Callable[[], None] = lambda: None
        self._error: BaseException | None = None
        self._barrier = threading.Barrier(copies, action=self._act)

    def once(self, action: Callable[[], None]) -> None:
        """Wait for all copies, do it once, and go on; an error is raised in every copy."""
        self._action = action
        self._barrier.wait()
        if self._error is not None:
            raise self._error

    def abandon(self) -> None:
        """Let the others not wait for a copy that failed."""
        self._barrier.abort()

    def drain(self) -> None:
        """Distribute what was recorded to the copies."""
        whole = self.executor.drain()
        for k in range(self._copies):
            spikes = {_own(n): s for n, s in whole.spikes.items() if _belongs(n, k)}
            records = {_own(n): r for n, r in whole.records.items() if _belongs(n, k)}
            self.captures[k] = Capture(spikes, records)

    def _act(self) -> None:
        try:
            self._action()
        except BaseException as error:  # the barrier would turn it into a BrokenBarrierError
            self._error = error


def _belongs(name: str, k: int) -> bool:
    return name.partition(".")[0].endswith(f"#{k}")


def _own(name: str) -> str:
    owner, dot, variable = name.partition(".")
    return owner.rpartition("#")[0] + dot + variable


class CopyExecutor:
    """Copy k's view of the whole machine: an Executor under the names of a single program."""

    def __init__(self, meeting: Meeting, k: int) -> None:
        self._meeting, self._k = meeting, k
        self._executor = meeting.executor

    @property
    def step(self) -> int:
        """See Executor."""
        return self._executor.step

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """See Executor. The order of patterns may differ from copy to copy."""
        meeting = self._meeting
        meeting.schedules[self._k] = schedules

        def begin() -> None:
            names = [copy_name(r, k) for r in readouts for k in range(len(meeting.captures))]
            rows = {copy_name(n, k): s for k, own in enumerate(meeting.schedules) for n, s in own.items()}
            self._executor.begin_item(names, rows)

        meeting.once(begin)

    def advance(self, steps: int) -> None:
        """See Executor."""
        self._meeting.once(lambda: self._executor.advance(steps))

    def trigger(self, event: str) -> None:
        """See Executor."""
        self._meeting.once(lambda: self._executor.trigger(event))

    def reset(self, population: str) -> None:
        """See Executor."""
        copies = range(len(self._meeting.captures))

        def each() -> None:
            for k in copies:
                self._executor.reset(copy_name(population, k))

        self._meeting.once(each)

    def read(self, array: str) -> NDArray[Any]:
        """See Executor."""
        with self._meeting.lock:
            return self._executor.read(copy_name(array, self._k))

    def write(self, array: str, values: NDArray[Any]) -> None:
        """See Executor."""
        if of_run(array) and self._k > 0:
            return
        with self._meeting.lock:
            self._executor.write(copy_name(array, self._k), values)

    def load_series(self, series: str, table: NDArray[Any]) -> None:
        """See Executor."""
        with self._meeting.lock:
            self._executor.load_series(copy_name(series, self._k), table)

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """See Executor."""
        with self._meeting.lock:
            return self._executor.histogram(copy_name(readout, self._k))

    def clear_histogram(self, readout: str) -> None:
        """See Executor."""
        with self._meeting.lock:
            self._executor.clear_histogram(copy_name(readout, self._k))

    def drain(self) -> Capture:
        """See Executor."""
        self._meeting.once(self._meeting.drain)
        capture, self._meeting.captures[self._k] = self._meeting.captures[self._k], Capture()
        return capture

    def spike_counts(self) -> dict[str, int]:
        """See Executor."""
        return {_own(n): c for n, c in self._executor.spike_counts().items() if _belongs(n, self._k)}

    def overflows(self) -> dict[str, int]:
        """See Executor."""
        return {_own(n): c for n, c in self._executor.overflows().items() if _belongs(n, self._k)}
