"""How an executor without an axis of copies computes a program that has one: `unbatch` and the view `Unbatched`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from neuroport.copies.states import (
    by_copy,
    joined,
    of_all,
    of_batch,
    of_copies,
    of_unbatched,
    overflows_of_batch,
    own_name,
    parted,
)
from neuroport.copies.unbatch import unbatch
from neuroport.copies.unroll import copy_name
from neuroport.program.executor import Capture, Executor, Timed, TimedExecutor
from neuroport.program.machine import Program
from neuroport.program.names import of_run
from neuroport.program.past import fitting
from neuroport.program.state import State


def open_unbatched(
    open_: Callable[[Program, int, Sequence[str]], Executor], program: Program, seed: int, record_spikes: Sequence[str]
) -> Unbatched:
    """A program of several copies on a backend whose `open` takes programs of one."""
    names = [copy_name(name, k) for name in record_spikes for k in range(program.copies)]
    return Unbatched(open_(unbatch(program), seed, names), program)


class Unbatched:
    """An executor of `unbatch(program)` that shows the arrays, captures and counts of `program`."""

    def __init__(self, executor: Executor, program: Program) -> None:
        self.executor, self.program = executor, program
        self._copies = range(program.copies)

    @property
    def step(self) -> int:
        """See Executor."""
        return self.executor.step

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """See Executor."""
        rows = {copy_name(n, k): s[:, k] if s.ndim > 1 else s for n, s in schedules.items() for k in self._copies}
        self.executor.begin_item([copy_name(r, k) for r in readouts for k in self._copies], rows)

    def advance(self, steps: int) -> None:
        """See Executor."""
        self.executor.advance(steps)

    def trigger(self, event: str) -> None:
        """See Executor."""
        self.executor.trigger(event)

    def reset(self, population: str) -> None:
        """See Executor."""
        for k in self._copies:
            self.executor.reset(copy_name(population, k))

    def read(self, array: str) -> NDArray[Any]:
        """See Executor."""
        return joined(self.program, array, lambda k: self.executor.read(copy_name(array, k)))

    def write(self, array: str, values: NDArray[Any]) -> None:
        """See Executor. Of what the copies contribute to, copy 0 gets the whole."""
        for name, part in parted(self.program, array, values).items():
            self.executor.write(name, part)

    def load_series(self, series: str, table: NDArray[Any]) -> None:
        """See Executor."""
        for k in self._copies:
            self.executor.load_series(copy_name(series, k), table)

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """See Executor."""
        counts = [self.executor.histogram(copy_name(readout, k)) for k in self._copies]
        return np.asarray(np.sum(counts, axis=0))

    def clear_histogram(self, readout: str) -> None:
        """See Executor."""
        for k in self._copies:
            self.executor.clear_histogram(copy_name(readout, k))

    def drain(self) -> Capture:
        """See Executor."""
        drained = self.executor.drain()
        populations = [p.name for p in self.program.populations if copy_name(p.name, 0) in drained.spikes]
        return Capture(
            {name: self._spikes(name, drained) for name in populations},
            {r.name: self._samples(r.name, r.array, drained) for r in self.program.records},
        )

    def spike_counts(self) -> dict[str, int]:
        """See Executor."""
        found = self.executor.spike_counts()
        return {
            p.name: sum(found[copy_name(p.name, k)] for k in self._copies)
            for p in self.program.populations
            if p.spiking
        }

    def overflows(self) -> dict[str, int]:
        """See Executor."""
        return overflows_of_batch(self.program, self.executor.overflows())

    def save(self) -> State:
        """See Executor."""
        return of_batch(self.program, self.executor.save())

    def load(self, state: State) -> None:
        """See Executor."""
        fitting(self.program, state)
        self.executor.load(of_unbatched(self.program, state))

    def built(self) -> Mapping[str, float]:
        """See `Backend`: the passes of building the one executor of all copies."""
        return cast(TimedExecutor, self.executor).built()

    def times(self) -> tuple[Timed, ...]:
        """See `Backend`: what an executor that takes times spent on all copies."""
        found: dict[tuple[str, str], Timed] = {}
        for part in cast(TimedExecutor, self.executor).times():
            key = part.what, own_name(part.of)
            before = found.get(key, replace(part, of=key[1], seconds=0.0, units=0.0))
            same = part.unit == "step" and key in found
            units = before.units if same else before.units + part.units
            found[key] = replace(before, seconds=before.seconds + part.seconds, units=units)
        return tuple(found.values())

    def close(self) -> None:
        """Give back what the executor holds, if it holds anything."""
        close = getattr(self.executor, "close", None)
        if close is not None:
            close()

    def _spikes(self, population: str, drained: Capture) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        of_copies = [drained.spikes[copy_name(population, k)] for k in self._copies]
        steps = np.concatenate([steps for steps, _ in of_copies])
        neurons = np.concatenate([neurons * len(self._copies) + k for k, (_, neurons) in enumerate(of_copies)])
        cells = self.program.population(population).size * len(self._copies)
        since = steps - steps[:1]  # so that no product is beyond 63 bits, however late it is
        order = np.argsort(since * cells + neurons, kind="stable")  # of runs that are in order
        return steps[order], neurons[order]

    def _samples(self, name: str, array: str, drained: Capture) -> tuple[NDArray[np.int64], NDArray[Any]]:
        of_copies = [drained.records[copy_name(name, k)] for k in self._copies]
        return of_copies[0][0], joined(self.program, array, lambda k: of_copies[k][1])


class Meeting:
    """Lets the threads of all copies do something once, together."""

    def __init__(self, executor: Executor, copies: int) -> None:
        self.executor = executor
        self.captures = [Capture() for _ in range(copies)]
        self.schedules: list[Mapping[str, NDArray[np.int64]]] = [{} for _ in range(copies)]
        self.lock = threading.Lock()
        self._copies = copies
        self._counted: dict[str, list[dict[str, int]]] = {}
        self._action: Callable[[], None] = lambda: None
        self.saved: list[State] = []
        self.loading: dict[int, State] = {}
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
        spikes, records = by_copy(whole.spikes, self._copies), by_copy(whole.records, self._copies)
        self.captures = [Capture(*mine) for mine in zip(spikes, records, strict=True)]

    def counted(self, what: str, k: int) -> dict[str, int]:
        """What copy k has of `spike_counts` or `overflows`."""
        with self.lock:
            if what not in self._counted:
                self._counted[what] = by_copy(getattr(self.executor, what)(), self._copies)
            return dict(self._counted[what][k])

    def _act(self) -> None:
        self._error = None
        self._counted.clear()
        try:
            self._action()
        except BaseException as error:  # the barrier would turn it into a BrokenBarrierError
            self._error = error


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
        return self._meeting.counted("spike_counts", self._k)

    def overflows(self) -> dict[str, int]:
        """See Executor."""
        return self._meeting.counted("overflows", self._k)

    def save(self) -> State:
        """See Executor. All copies save at the same time."""
        meeting = self._meeting

        def save() -> None:
            meeting.saved = of_copies(self._executor.save(), len(meeting.captures))

        meeting.once(save)
        return meeting.saved[self._k]

    def load(self, state: State) -> None:
        """See Executor. All copies load at the same time, states of the same step."""
        meeting = self._meeting
        with meeting.lock:
            meeting.loading[self._k] = state
        meeting.once(lambda: self._executor.load(of_all([meeting.loading[k] for k in sorted(meeting.loading)])))
