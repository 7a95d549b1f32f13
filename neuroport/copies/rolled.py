"""An executor of a batch of independent copies, as one of the program in which these are written out (`unroll`).

Copy k of an object is named NAME#k. What all copies are asked for, one after the other, is done once: when the last one
has asked.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuroport.copies.states import belongs, number, own_name
from neuroport.copies.unroll import copy_name
from neuroport.errors import InternalError, InvalidInput
from neuroport.program.executor import Capture, Executor
from neuroport.program.machine import Array, Program
from neuroport.program.names import of_run
from neuroport.program.past import fitting
from neuroport.program.state import State
from neuroport.program.stated import checked

Whole = NDArray[np.int64]


@dataclass(slots=True)
class Tallies:
    """What an executor of a batch has counted, by name: of each copy, (copies,) or (copies, states)."""

    counts: dict[str, Whole]
    overflows: dict[str, Whole]
    histograms: dict[str, Whole]


class OfCopies(Executor, Protocol):
    """An executor of a batch that counts for each copy."""

    def tallies(self) -> Tallies:
        """What it has counted."""

    def count_on(self, tallies: Tallies) -> None:
        """Go on counting from there."""


@dataclass(slots=True)
class _Asked:
    """What copies have asked for, by what it is: of each copy that has asked, with what."""

    of: dict[tuple[str, str], dict[int, Any]] = field(default_factory=dict)

    def by_all(self, action: str, name: str, k: int, what: Any, copies: int) -> list[Any] | None:
        """Note that copy k asks; what each asks with, once all have."""
        asked = self.of.setdefault((action, name), {})
        asked[k] = what
        if len(asked) < copies:
            return None
        del self.of[action, name]
        return [asked[c] for c in range(copies)]


class Rolled:
    """See the module. `program` is that of the batch; its arrays are read from the executor once between steps."""

    def __init__(self, executor: OfCopies, program: Program) -> None:
        self.executor, self.program = executor, program
        self._copies = program.copies
        self._values: dict[str, NDArray[Any]] = {}
        self._written: set[str] = set()
        self._of_one: dict[str, Array] = {}
        self._asked = _Asked()
        self._tallied: Tallies | None = None

    @property
    def step(self) -> int:
        """See Executor."""
        return self.executor.step

    # ------------------------------------------------------------------------------------------------- together

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, Whole]) -> None:
        """See Executor."""
        self._together()
        rows: dict[str, Whole] = {}
        for series in self.program.series:
            of = [schedules.get(copy_name(series.name, k)) for k in range(self._copies)]
            given = [np.asarray(schedule) for schedule in of if schedule is not None]
            if given:
                rows[series.name] = np.stack(given, axis=-1)
        self.executor.begin_item([own_name(name) for name in readouts if belongs(name, 0)], rows)

    def advance(self, steps: int) -> None:
        """See Executor."""
        self._together()
        self.executor.advance(steps)

    def trigger(self, event: str) -> None:
        """See Executor."""
        self._together()
        self.executor.trigger(event)

    def reset(self, population: str) -> None:
        """See Executor."""
        if self._all("reset", population, None) is not None:
            self._together()
            self.executor.reset(own_name(population))

    def load_series(self, series: str, table: NDArray[Any]) -> None:
        """See Executor. All copies get the same table."""
        given = self._all("load_series", series, table)
        if given is not None:
            self.executor.load_series(own_name(series), self._alike(own_name(series), given))

    def clear_histogram(self, readout: str) -> None:
        """See Executor."""
        if self._all("clear_histogram", readout, None) is not None:
            self.executor.clear_histogram(own_name(readout))
            self._tallied = None

    def _all(self, action: str, name: str, what: Any) -> list[Any] | None:
        return self._asked.by_all(action, own_name(name), number(name), what, self._copies)

    def _alike(self, name: str, given: list[Any]) -> Any:
        """What all copies give to something that they share."""
        if not all(np.array_equal(one, given[0]) for one in given[1:]):
            text = f"{name}: the copies of a batch have this in common, and are given different values; give them one"
            raise InvalidInput.one(None, text)
        return given[0]

    def _together(self) -> None:
        """Give the executor what was written; from here on, what it holds may change."""
        if self._asked.of:
            raise InternalError(f"only some of {self._copies} copies asked for {', '.join(map(str, self._asked.of))}")
        for name in sorted(self._written):
            self.executor.write(name, self._values[name])
        self._written.clear()
        self._values.clear()
        self._tallied = None

    # ---------------------------------------------------------------------------------------------------- values

    def read(self, array: str) -> NDArray[Any]:
        """See Executor."""
        if of_run(array):
            return self.executor.read(array)
        return np.array(self._part(array))

    def write(self, array: str, values: NDArray[Any]) -> None:
        """See Executor."""
        if of_run(array):
            self.executor.write(array, values)
            return
        name = own_name(array)
        if self.program.arrays[name].own:
            self._part(array)[...] = checked(self.program, self._one(name), np.asarray(values))
            self._written.add(name)
            return
        given = self._all("write", array, values)
        if given is not None:
            self.executor.write(name, self._alike(name, given))

    def _part(self, array: str) -> NDArray[Any]:
        """What a copy has of an array."""
        name = own_name(array)
        if name not in self._values:
            self._values[name] = np.array(self.executor.read(name))
        held = self._values[name]
        return held[..., number(array)] if self.program.arrays[name].own else held

    def _one(self, name: str) -> Array:
        """An array as a copy has it."""
        if name not in self._of_one:
            array = self.program.arrays[name]
            self._of_one[name] = replace(array, initial=array.initial[..., 0], varied=False)
        return self._of_one[name]

    # -------------------------------------------------------------------------------------------------- recordings

    def histogram(self, readout: str) -> Whole:
        """See Executor."""
        counts: Whole = self._tallies().histograms[own_name(readout)][number(readout)]
        return counts

    def drain(self) -> Capture:
        """See Executor."""
        drained, copies = self.executor.drain(), range(self._copies)
        capture = Capture()
        for name, (steps, numbers) in drained.spikes.items():
            for k, mine in enumerate(self._by_copy(numbers)):
                capture.spikes[copy_name(name, k)] = steps[mine], numbers[mine] // self._copies
        arrays = {record.name: record.array for record in self.program.records}
        for name, (steps, values) in drained.records.items():
            own = self.program.arrays[arrays[name]].own
            for k in copies:
                capture.records[copy_name(name, k)] = steps, values[..., k] if own else values
        return capture

    def _by_copy(self, numbers: Whole) -> Iterator[Whole]:
        """Which of the spikes are each copy's, in their order."""
        of = numbers % self._copies
        order = np.argsort(of, kind="stable")
        ends = np.searchsorted(of[order], np.arange(self._copies + 1))
        return (order[first:last] for first, last in itertools.pairwise(ends))

    def spike_counts(self) -> dict[str, int]:
        """See Executor."""
        return self._named(self._tallies().counts)

    def overflows(self) -> dict[str, int]:
        """See Executor."""
        return {name: count for name, count in self._named(self._tallies().overflows).items() if count}

    def _tallies(self) -> Tallies:
        """What was counted, asked for once between steps."""
        if self._tallied is None:
            self._tallied = self.executor.tallies()
        return self._tallied

    def _named(self, counts: Mapping[str, Whole]) -> dict[str, int]:
        return {copy_name(name, k): count for name, of in counts.items() for k, count in enumerate(of.tolist())}

    # ------------------------------------------------------------------------------------------------------- states

    def save(self) -> State:
        """See Executor."""
        self._together()
        state, tallies, copies = self.executor.save(), self._tallies(), range(self._copies)

        def each(held: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            return {copy_name(n, k): self._of(n, values, k) for n, values in held.items() for k in copies}

        def spiked(lags: Whole, numbers: Whole) -> Iterator[tuple[Whole, Whole]]:
            return ((lags[mine], numbers[mine] // self._copies) for mine in self._by_copy(numbers))

        return replace(
            state,
            readouts=tuple(copy_name(name, k) for name in state.readouts for k in copies),
            schedules={copy_name(n, k): rows[:, k] for n, rows in state.schedules.items() for k in copies},
            arrays=each(state.arrays),
            inputs=each(state.inputs),
            histories=each(state.histories),
            spikes={copy_name(n, k): one for n, both in state.spikes.items() for k, one in enumerate(spiked(*both))},
            tables={copy_name(n, k): table for n, table in state.tables.items() for k in copies},
            histograms={copy_name(n, k): of[k] for n, of in tallies.histograms.items() for k in copies},
            counts=self._named(tallies.counts),
            overflows=self.overflows(),
            apart=each(state.apart),
        )

    def _of(self, name: str, values: NDArray[Any], k: int) -> NDArray[Any]:
        array = self.program.arrays.get(name)
        return values if array is not None and not array.own else values[..., k]

    def load(self, state: State) -> None:
        """See Executor."""
        self._together()
        copies = range(self._copies)

        def joined(held: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
            run = {name: values for name, values in held.items() if of_run(name)}
            return run | {name: self._joined(name, held) for name in _names(held)}

        def counted(held: Mapping[str, int]) -> dict[str, Whole]:
            return {n: np.array([held.get(copy_name(n, k), 0) for k in copies], np.int64) for n in _names(held)}

        def rows(name: str) -> Whole:
            return np.stack([state.schedules[copy_name(name, k)] for k in copies], axis=-1)

        counts, overflows = counted(state.counts), counted(state.overflows)
        of = {n: np.stack([state.histograms[copy_name(n, k)] for k in copies]) for n in _names(state.histograms)}
        whole = replace(
            state,
            readouts=tuple(own_name(name) for name in state.readouts if belongs(name, 0)),
            schedules={name: rows(name) for name in _names(state.schedules)},
            arrays=joined(state.arrays),
            inputs=joined(state.inputs),
            histories=joined(state.histories),
            spikes={name: self._spikes(name, state) for name in _names(state.spikes)},
            tables={n: self._alike(n, [state.tables[copy_name(n, k)] for k in copies]) for n in _names(state.tables)},
            histograms={name: counts.sum(axis=0) for name, counts in of.items()},
            counts={name: int(count.sum()) for name, count in counts.items()},
            overflows={name: int(count.sum()) for name, count in overflows.items()},
            apart=joined(state.apart),
        )
        fitting(self.program, whole)
        self.executor.load(whole)
        self.executor.count_on(Tallies(counts, overflows, of))

    def _joined(self, name: str, held: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        of = [held[copy_name(name, k)] for k in range(self._copies)]
        array = self.program.arrays.get(name)
        return self._alike(name, of) if array is not None and not array.own else np.stack(of, axis=-1)

    def _spikes(self, name: str, state: State) -> tuple[Whole, Whole]:
        of = [state.spikes[copy_name(name, k)] for k in range(self._copies)]
        lags = np.concatenate([lags for lags, _ in of])
        numbers = np.concatenate([numbers * self._copies + k for k, (_, numbers) in enumerate(of)])
        order = np.lexsort((numbers, lags))
        return lags[order], numbers[order]

    def close(self) -> None:
        """Give back what the executor holds, if it holds anything."""
        close = getattr(self.executor, "close", None)
        if close is not None:
            close()


def _names(held: Mapping[str, Any]) -> list[str]:
    """What copies call it that is in there under the names of all."""
    return list(dict.fromkeys(own_name(name) for name in held if not of_run(name)))
