"""How an executor without an axis of copies computes a program that has one: `unbatch` and the view `Unbatched`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.copies.axis import is_own, sum_over_copies
from neuroport.copies.unbatch import contributions, unbatch
from neuroport.copies.unroll import copy_name
from neuroport.program.executor import Capture, Executor
from neuroport.program.ir import Program

__all__ = ["Unbatched", "open_unbatched", "unbatch"]


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
        self._summed = contributions(program)

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
        if array in self._summed:
            return sum_over_copies(self._stacked(array))
        if is_own(self.program.arrays[array]):
            return self._stacked(array)
        return self.executor.read(copy_name(array, 0))

    def write(self, array: str, values: NDArray[Any]) -> None:
        """See Executor. Of what the copies contribute to, copy 0 gets the whole."""
        if copy_name(array, 0) == array:
            self.executor.write(array, values)
            return
        own = is_own(self.program.arrays[array])
        for k in self._copies:
            of_copy = values[..., k] if own else np.zeros_like(values) if k and array in self._summed else values
            self.executor.write(copy_name(array, k), of_copy)

    def load_series(self, series: str, table: NDArray[Any]) -> None:
        """See Executor."""
        for k in self._copies:
            self.executor.load_series(copy_name(series, k), table)

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """See Executor."""
        counts = [self.executor.histogram(copy_name(readout, k)) for k in self._copies]
        return sum_over_copies(np.stack(counts, axis=-1))

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
        found = self.executor.overflows()
        counts = {}
        for name, array in self.program.arrays.items():
            copies = self._copies if is_own(array) else range(1)
            counts[name] = sum(found.get(copy_name(name, k), 0) for k in copies)
        return {name: count for name, count in counts.items() if count}

    def close(self) -> None:
        """Give back what the executor holds, if it holds anything."""
        close = getattr(self.executor, "close", None)
        if close is not None:
            close()

    def _stacked(self, array: str) -> NDArray[Any]:
        return np.stack([self.executor.read(copy_name(array, k)) for k in self._copies], axis=-1)

    def _spikes(self, population: str, drained: Capture) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        of_copies = [drained.spikes[copy_name(population, k)] for k in self._copies]
        steps = np.concatenate([steps for steps, _ in of_copies])
        neurons = np.concatenate([neurons * len(self._copies) + k for k, (_, neurons) in enumerate(of_copies)])
        order = np.lexsort((neurons, steps))
        return steps[order], neurons[order]

    def _samples(self, name: str, array: str, drained: Capture) -> tuple[NDArray[np.int64], NDArray[Any]]:
        steps, first = drained.records[copy_name(name, 0)]
        if array not in self._summed and not is_own(self.program.arrays[array]):
            return steps, first
        stacked = np.stack([drained.records[copy_name(name, k)][1] for k in self._copies], axis=-1)
        return steps, sum_over_copies(stacked) if array in self._summed else stacked
