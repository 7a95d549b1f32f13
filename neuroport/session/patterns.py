"""The patterns of stimuli while a run goes on: their numbers, which `capture` items replace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.program.constants import real
from neuroport.program.executor import Executor
from neuroport.program.held import held
from neuroport.program.machine import Array, Program
from neuroport.program.plan import Capture, patterns_of
from neuroport.session.sample import Shown


@dataclass(frozen=True, eq=False)
class Captured:
    """What `capture` items have done: tables by stimulus, in real units, and how many values did not fit by input."""

    tables: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    saturated: Mapping[str, int] = field(default_factory=dict)


class PatternTables:
    """The patterns of every stimulus as they are now, in real units.

    `saturated` counts captured values outside the declared range of an input, on a chip: they stand at its end.
    """

    def __init__(self, program: Program, executor: Executor) -> None:
        self.program, self.executor = program, executor
        self.saturated: dict[str, int] = {}
        self._written: dict[str, NDArray[np.float64]] = {}
        self._captured: dict[str, NDArray[np.float64]] = {}

    @property
    def captured(self) -> Captured:
        """What was captured so far."""
        return Captured(dict(self._captured), dict(self.saturated))

    def hold(self, captured: Captured) -> None:
        """Hold what was captured in another session; the executor has its tables already."""
        self._captured, self.saturated = dict(captured.tables), dict(captured.saturated)

    def table(self, stimulus: str) -> NDArray[np.float64]:
        """The patterns of a stimulus, one per row; to be looked at only."""
        return patterns_of(stimulus, self.program).of(self._whole(stimulus))

    def _whole(self, stimulus: str) -> NDArray[np.float64]:
        """The patterns with what all neurons of the population get."""
        if stimulus in self._captured:
            return self._captured[stimulus]
        if stimulus not in self._written:
            series = patterns_of(stimulus, self.program)
            self._written[stimulus] = real(series.table, self.program.arrays[series.input])
        return self._written[stimulus]

    def capture(self, stimulus: str, readout: str, rows: Sequence[Shown], item: Capture) -> None:
        """The rows of a readout become the patterns of a stimulus."""
        table = self.table(stimulus).copy()
        series = patterns_of(stimulus, self.program)
        given = np.zeros(len(table), bool)
        for shown in rows:
            if len(shown.patterns) and not 0 <= shown.patterns.min() <= shown.patterns.max() < len(table):
                what = f"pattern {shown.patterns.max()} of '{shown.stimulus}'" if shown.stimulus else "a run"
                text = f"'{stimulus}' cannot take what readout '{readout}' saw of {what}; it has {len(table)} patterns"
                raise InvalidInput.one(item.place, text)
            table[shown.patterns] = shown.values
            given[shown.patterns] = True
        if item.all_shown and not given.all():
            first = int(np.argmin(given))
            text = f"readout '{readout}' has rows of {given.sum()} of the {len(table)} patterns of '{stimulus}'; the "
            text += f"first that was not shown is {first}; present all of them before 'capture'"
            raise InvalidInput.one(item.place, text)
        array = self.program.arrays[series.input]
        if not np.all(np.isfinite(table)):
            text = f"what readout '{readout}' saw is not finite, and cannot become patterns of '{stimulus}'"
            raise InvalidInput.one(item.place, text)
        whole = self._whole(stimulus).copy()
        whole[:, slice(None) if series.neurons is None else series.neurons] = self._limited(array, table)
        numbers = held(whole, array)[0]
        self._captured[stimulus] = real(numbers, array)
        self.executor.load_series(stimulus, numbers)

    def _limited(self, array: Array, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Captured values within what an input may get: a chip limits them to its declared range, which is counted."""
        if self.program.integer and array.range is not None:
            within = np.clip(table, *array.range)
            outside = int(np.count_nonzero(within != table))
            if outside:
                self.saturated[array.name] = self.saturated.get(array.name, 0) + outside
            table = within
        return table
