"""How two runs of one network in different arithmetic drift apart: their arrays, spikes, rates and metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.trace.read import Samples, Trace, real
from neuroport.trace.trains import TAU, WITHIN, Distance, Trains

Reals = NDArray[np.float64]
BLOCK = 2**18
"""Numbers of sampled arrays that are compared at once."""
DIGITS = 3
"""Of a number of steps that arrays are compared after; its other digits are 0."""


@dataclass(frozen=True, slots=True)
class Gap:
    """How far an array is apart after so many steps: its largest difference, and the root of the mean square."""

    steps: int
    largest: float
    rms: float


@dataclass(frozen=True, slots=True)
class Course:
    """How an array drifts apart in two runs.

    `scale`: its largest magnitude in the first, where they were compared. `unit`: the coarser resolution of the two;
    None where both are real. `differs`, `beyond`: the steps after which it was first seen to differ at all, and by a
    unit or more (None: never). `gaps`: after 0, 1, 2, 5, 10, 20, ... steps and at the end. `largest`: the largest
    difference wherever they were compared.
    """

    array: str
    scale: float
    unit: float | None
    differs: int | None
    beyond: int | None
    gaps: tuple[Gap, ...]
    largest: float


@dataclass(frozen=True, slots=True)
class Drift:
    """How two runs drift apart. `metrics`: name -> (step, value in the first, value in the second) as measured.

    `overflows`: array -> stores that met the end of its range, in the first and the second.
    """

    steps: int
    dt: float  # ms
    arrays: tuple[Course, ...]
    trains: tuple[Distance, ...]
    metrics: Mapping[str, Sequence[tuple[int, Any, Any]]]
    overflows: Mapping[str, tuple[int, int]]

    @property
    def first(self) -> Course | None:
        """The array that is the first to differ at all; of several the first in the order of the program."""
        return min((c for c in self.arrays if c.differs is not None), key=lambda c: c.differs or 0, default=None)

    @property
    def first_beyond(self) -> Course | None:
        """The array that is the first to differ by a unit of its format or more."""
        return min((c for c in self.arrays if c.beyond is not None), key=lambda c: c.beyond or 0, default=None)

    @property
    def first_spikes(self) -> Distance | None:
        """The population that has the first spike that only one of the runs has."""
        other = [d for d in self.trains if d.first is not None]
        return min(other, key=lambda d: d.first.step if d.first else 0, default=None)


def next_shown(steps: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, ... after that many steps."""
    power = int("1" + "0" * (len(str(steps)) - 1))
    return next(power * k for k in (1, 2, 5, 10) if power * k > steps)


def until_compared(steps: int) -> int:
    """How many steps more until arrays are compared next: after each of 1000, then after every tenth, and so on."""
    apart = int("1" + "0" * (len(str(steps)) - DIGITS))
    return apart - steps % apart


def is_compared(steps: int) -> bool:
    """Whether arrays are compared after so many steps."""
    return not str(steps)[DIGITS:].strip("0")


class Growth:
    """Takes an array as it is in two runs, again and again; `unit` as in Course."""

    def __init__(self, array: str, unit: float | None) -> None:
        self.array, self.unit = array, unit
        self._scale = self._largest = 0.0
        self._differs: int | None = None
        self._beyond: int | None = None
        self._gaps: list[Gap] = []
        self._last: Gap | None = None

    def take(self, steps: NDArray[np.int64], a: Reals, b: Reals) -> None:
        """Take rows, in the order of time: all elements of both after so many steps each, (k,) and (k, size)."""
        apart = _apart(a, b)
        largest = apart.max(axis=1, initial=0.0)
        self._scale = max(self._scale, float(np.abs(a[np.isfinite(a)]).max(initial=0.0)))
        self._largest = max(self._largest, float(largest.max(initial=0.0)))
        self._differs = _first(self._differs, steps, largest > 0)
        if self.unit is not None:
            self._beyond = _first(self._beyond, steps, largest >= self.unit)
        for gap in map(Gap, steps.tolist(), largest.tolist(), _rms(apart, largest).tolist()):
            self._keep(gap)

    def _keep(self, gap: Gap) -> None:
        """Keep the gaps at the steps that are shown, or at the first ones after them, and the last one."""
        if self._last is not None and self._last.steps < gap.steps and self._is_shown(self._last.steps):
            self._gaps.append(self._last)
        self._last = gap

    def is_due(self, steps: int) -> bool:
        """Whether to look after so many steps: until it is known where the runs part, then where gaps are shown."""
        parted = self._differs is not None and (self.unit is None or self._beyond is not None)
        return not parted or self._is_shown(steps)

    def _is_shown(self, steps: int) -> bool:
        return not self._gaps or steps >= next_shown(self._gaps[-1].steps)

    def course(self) -> Course:
        """What there was."""
        gaps = self._gaps if self._last is None else [*self._gaps, self._last]
        return Course(self.array, self._scale, self.unit, self._differs, self._beyond, tuple(gaps), self._largest)


def _first(known: int | None, steps: NDArray[np.int64], where: NDArray[np.bool_]) -> int | None:
    """The first of these steps where that holds, if no earlier one is known."""
    return int(steps[np.argmax(where)]) if known is None and where.any() else known


def _apart(a: Reals, b: Reals) -> Reals:
    """How far elements are apart; not at all where both are infinite or no number, infinitely where one is."""
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(a - b)
    apart[~np.isfinite(apart)] = np.inf
    apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    return apart


def _rms(apart: Reals, largest: Reals) -> Reals:
    """The root of the mean square of each row, of numbers whose squares may be too large or small for float64."""
    scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)[:, np.newaxis]
    return np.asarray(scale[:, 0] * np.sqrt(np.mean((apart / scale) ** 2, axis=1)) if apart.size else largest)


def unit_of(*fracs: int | None) -> float | None:
    """The coarsest resolution of formats with so many binary places; None where all are real."""
    return max((2.0**-frac for frac in fracs if frac is not None), default=None)


# ------------------------------------------------------------------------------------------------------- two traces


def between(a: Trace, b: Trace, tau: float = TAU, within: float = WITHIN) -> Drift | None:
    """How what two traces have in common drifts apart; None where their steps are of different lengths.

    `tau` and `within` (ms): see `trace.trains`. Arrays are as exact in time as they were sampled.
    """
    if a.dt != b.dt:
        return None
    steps = min(a.steps, b.steps)
    return Drift(
        steps,
        a.dt,
        tuple(_courses(a, b)),
        tuple(_distance(a, b, name, steps, tau, within) for name in a.recorded if _alike(a, b, name)),
        {name: paired_metrics(a.metrics[name], b.metrics[name]) for name in a.metrics if name in b.metrics},
        {n: (a.overflows.get(n, 0), b.overflows.get(n, 0)) for n in dict.fromkeys((*a.overflows, *b.overflows))},
    )


def _alike(a: Trace, b: Trace, population: str) -> bool:
    if population not in b.recorded or a.populations.get(population) != b.populations.get(population):
        return False
    return np.array_equal(a.neurons(population), b.neurons(population))


def _distance(a: Trace, b: Trace, population: str, steps: int, tau: float, within: float) -> Distance:
    neurons = a.neurons(population)
    trains = Trains(population, len(neurons), tau / a.dt, window(within, a.dt))
    ours, theirs = (trace.spikes(population) for trace in (a, b))
    early = [(s.steps[s.steps < steps], np.searchsorted(neurons, s.neurons[s.steps < steps])) for s in (ours, theirs)]
    trains.take(early[0], early[1], steps)
    found = trains.distance(steps, a.dt)
    first = found.first and replace(found.first, neuron=int(neurons[found.first.neuron]))
    return replace(found, first=first)


def window(within: float, dt: float) -> int:
    """How many whole steps of `dt` a time is; for what is a hair below a whole one, that one."""
    return int(within / dt + 1e-9)


def _courses(a: Trace, b: Trace) -> Iterator[Course]:
    """Sampled states, then weights, then what has values at the end alone."""
    sampled = [name for name in (*a.records, *a.snapshots) if name in (*b.records, *b.snapshots)]
    for name in dict.fromkeys((*sampled, *(n for n in a.final if n in b.final))):
        growth = _growth(a, b, name)
        if growth is not None:
            yield growth.course()


def _growth(a: Trace, b: Trace, name: str) -> Growth | None:
    """How an array that both have grows apart; None for one of different size or connections."""
    if not _same_pairs(a, b, name.partition(".")[0]):
        return None
    growth: Growth | None = None
    for steps, ours, theirs in _rows(a, b, name):
        sizes = [math.prod(samples.raw.shape[1:]) for samples in (ours, theirs)]
        if sizes[0] != sizes[1]:
            return None
        growth = growth or Growth(name, unit_of(ours.frac, theirs.frac))
        block = max(1, BLOCK // max(sizes[0], 1))
        for start in range(0, len(steps), block):
            rows = slice(start, start + block)
            growth.take(steps[rows], _flat(ours, rows), _flat(theirs, rows))
    return growth


def _flat(samples: Samples, rows: slice) -> Reals:
    values = real(samples.raw[rows], samples.frac)
    return values.reshape(len(values), -1)


def _rows(a: Trace, b: Trace, name: str) -> Iterator[tuple[NDArray[np.int64], Samples, Samples]]:
    """Steps computed and values in both: where both sampled the array, then at a common end."""
    for read, names in ((Trace.record, (a.records, b.records)), (Trace.weight_samples, (a.snapshots, b.snapshots))):
        if all(name in known for known in names):
            ours, theirs = read(a, name), read(b, name)
            if ours.neurons is None or theirs.neurons is None or np.array_equal(ours.neurons, theirs.neurons):
                yield _common(ours, theirs)
    if a.steps == b.steps and name in a.final and name in b.final:
        end = np.array([a.steps - 1])
        yield _common(*(Samples(end, f.raw[np.newaxis], f.frac) for f in (a.final_array(name), b.final_array(name))))


def _common(a: Samples, b: Samples) -> tuple[NDArray[np.int64], Samples, Samples]:
    steps, ours, theirs = np.intersect1d(a.steps, b.steps, return_indices=True)
    return steps + 1, replace(a, steps=steps, raw=a.raw[ours]), replace(b, steps=steps, raw=b.raw[theirs])


def _same_pairs(a: Trace, b: Trace, owner: str) -> bool:
    """Whether the owner of an array connects the same neurons in both, if it is a projection."""
    if owner not in a.projections or owner not in b.projections:
        return True
    return all(np.array_equal(x, y) for x, y in zip(a.pairs(owner), b.pairs(owner), strict=True))


def paired_metrics(a: Sequence[tuple[int, Any]], b: Sequence[tuple[int, Any]]) -> list[tuple[int, Any, Any]]:
    """The measurements that were made at the same steps in both."""
    return [(step, x, y) for (step, x), (other, y) in zip(a, b, strict=False) if step == other]
