"""Samples readouts: which steps an executor samples, and one row per shown pattern made of what it sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.ir import Int
from neuroport.program.machine import Program, Record
from neuroport.program.plan import Window

Rows = NDArray[np.float64]
LARGE_ROW = 128
"""Rows of so many numbers are added fastest one by one."""


# ------------------------------------------------------------------------------------------------ while a run goes on


@dataclass(frozen=True, eq=False)
class Shown:
    """Rows of one item: `patterns` int64 (rows,), numbers of the patterns of `stimulus` ("": a run), `values` real."""

    stimulus: str
    patterns: NDArray[np.int64]
    values: Rows


@dataclass(frozen=True, eq=False)
class Holds:
    """A readout while an item runs that began at step `begin`: sums of the samples of every hold of `hold` steps.

    patterns: int64 (holds, copies). sums: (holds, *shape of the array), raw. counts: int64 (holds,).
    """

    begin: int
    hold: int
    stimulus: str
    patterns: NDArray[np.int64]
    sums: NDArray[Any]
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Samples:
    """What a sampler holds, by readout: rows that were not taken away, and those of the item that runs."""

    rows: Mapping[str, Sequence[Shown]] = field(default_factory=dict)
    items: Mapping[str, Holds] = field(default_factory=dict)


@dataclass(eq=False)
class Sampler:
    """The rows of all samples readouts of a program since they were last taken away."""

    windows: Mapping[str, Window]
    program: Program
    rows: dict[str, list[Shown]] = field(init=False)
    ended: dict[str, Rows] = field(init=False, default_factory=dict)
    """Rows of the item that ended last, by readout."""

    def __post_init__(self) -> None:
        self.rows = {name: [] for name in self.windows}
        self._records = {r.readout: r for r in self.program.records if r.readout}
        self._items: dict[str, Holds] = {}
        self._windows: dict[str, Window] = {}

    @property
    def samples(self) -> Samples:
        """What it holds."""
        items = {n: replace(i, sums=i.sums.copy(), counts=i.counts.copy()) for n, i in self._items.items()}
        return Samples({name: tuple(shown) for name, shown in self.rows.items()}, items)

    def hold(self, samples: Samples) -> None:
        """Hold what another sampler of the same readouts held."""
        self.rows = {name: list(samples.rows.get(name, ())) for name in self.windows}
        items = samples.items.items()
        self._items = {n: replace(i, sums=i.sums.copy(), counts=i.counts.copy()) for n, i in items}
        self._windows = {name: self._window(name, item.hold) for name, item in self._items.items()}

    def _window(self, name: str, span: int) -> Window:
        """The steps of a hold of `span` steps that a readout wants."""
        window = self.windows[name]
        return _last_sampled(window, span, self._records[name]) if window.reduce == "last" else window

    def begin(
        self, step: int, length: int, readouts: Sequence[str], stimulus: str = "", schedule: Any = None, hold: int = 0
    ) -> None:
        """Start an item of `length` steps; `schedule` are its pattern numbers by hold, (holds,) or (holds, copies)."""
        self._items = {}
        for name in readouts:
            if name not in self._records:
                continue
            array = self.program.arrays[self._records[name].array]
            shown = np.full((1, self.program.copies), -1, np.int64)
            if schedule is not None:
                shown = np.asarray(schedule, np.int64).reshape(-1, self.program.copies)
            sums = np.zeros((len(shown), *self._records[name].of(array.initial).shape), array.dtype)
            counts = np.zeros(len(shown), np.int64)
            span = length if schedule is None else hold
            self._windows[name] = self._window(name, span)
            self._items[name] = Holds(step, span, stimulus, shown, sums, counts)

    def feed(self, name: str, steps: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Take samples in the order of their steps; the sums do not depend on how they are cut into pieces."""
        item = self._items.get(name)
        if item is None or not len(steps):
            return
        window = self._windows[name]
        number, at = np.divmod(steps - item.begin, item.hold)
        keep = (at >= window.start) & (number < len(item.counts)) & ((at - window.start) % window.every == 0)
        if window.stop is not None:
            keep &= at < window.stop
        if not keep.all():
            number, at, values = number[keep], at[keep], values[keep]
        if not len(number):
            return
        first = int(number[0])
        item.counts[first : int(number[-1]) + 1] += np.bincount(number - first)
        _add(item.sums, number, (at - window.start) // window.every, values)

    def finish(self) -> None:
        """End the item: its holds become rows."""
        self.ended = {}
        for name, item in self._items.items():
            kept = item.counts > 0
            sums, patterns = item.sums[kept], item.patterns[kept]
            kind = self.program.arrays[self._records[name].array].type
            values = np.ldexp(np.asarray(sums, np.float64), -kind.frac if isinstance(kind, Int) else 0)
            if self.windows[name].reduce == "mean":
                values /= item.counts[kept].reshape(-1, *[1] * (values.ndim - 1))
            if values.ndim == 2:
                values = np.broadcast_to(values[..., None], (*values.shape, self.program.copies))
            flat = np.ascontiguousarray(values.transpose(0, 2, 1)).reshape(-1, values.shape[1])
            self.ended[name] = flat
            self.rows[name].append(Shown(item.stimulus, patterns.ravel(), flat))
        self._items = {}

    def joined(self, name: str) -> tuple[NDArray[np.int64], Rows]:
        """All rows of a readout: pattern numbers (k,), -1 for a `run` item, and values (k, cells)."""
        shown = self.rows[name]
        record = self._records[name]
        cells = len(record.of(self.program.arrays[record.array].initial))
        numbers = np.concatenate([np.zeros(0, np.int64), *(s.patterns for s in shown)])
        return numbers, np.concatenate([np.zeros((0, cells)), *(s.values for s in shown)])

    def clear(self, name: str) -> None:
        """Forget the rows of a readout."""
        self.rows[name] = []


def _last_sampled(window: Window, length: int, record: Record) -> Window:
    """The window of the one last step in a pattern of that length that is sampled."""
    wanted = replace(window, reduce="sum").within(length)
    found = next((k for k in reversed(wanted[-record.every :]) if k % record.every == record.phase), None)
    return Window(length, None, 1, "last") if found is None else Window(found, found + 1, 1, "last")


def _add(sums: NDArray[Any], number: NDArray[np.int64], slot: NDArray[np.int64], values: NDArray[Any]) -> None:
    """Add samples one after another to the sums of their holds.

    `slot`: a sample's place among those of its hold. Every sum has one order, that of the steps.
    """
    if values[0].size >= LARGE_ROW:
        for k, row in zip(number, values, strict=True):
            sums[k] += row
        return
    holds = int(number[-1] - number[0]) + 1
    if holds * 2 < len(number) // holds:
        edges = np.searchsorted(number, np.arange(number[0], number[-1] + 2))
        for k, (a, b) in enumerate(pairwise(edges), int(number[0])):
            sums[k] = np.add.accumulate(np.concatenate([sums[k][None], values[a:b]]), axis=0)[-1]
        return
    order = np.argsort(slot, kind="stable")
    slot = slot[order]
    edges = np.flatnonzero(np.diff(slot, prepend=slot[0] - 1, append=slot[-1] + 1))
    for a, b in pairwise(edges):
        chosen = order[a:b]
        sums[number[chosen]] += values[chosen]
