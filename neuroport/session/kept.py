"""What was recorded and stays with a session: found by step at the cost of what is found, however long it has run."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.numerics.given import found
from neuroport.numerics.steps import steps_of
from neuroport.numerics.units import Quantity
from neuroport.program.state import raw

BLOCK = 2**14
"""Bytes for which there is room at least."""
LARGE, GROWTH = 2**25, 8
"""Bytes of values that are not moved while all of them stay, and which part of them they grow by."""

Rows = tuple[NDArray[np.int64], NDArray[Any]]


@dataclass(frozen=True, eq=False, slots=True)
class Left:
    """Rows of a trail, by step, and how many there were before them."""

    gone: int
    steps: NDArray[np.int64]
    values: NDArray[Any]


def label(array: str, neurons: NDArray[np.int64]) -> str:
    """Under which name what was recorded of a part of an array is kept: that of the array, and which part."""
    return f"{array}[{len(neurons)} {hashlib.sha256(neurons.tobytes()).hexdigest()[:16]}]"


@dataclass(frozen=True, eq=False, slots=True)
class Taken:
    """How many rows of something were taken under some name."""

    of: str
    rows: int


@dataclass(frozen=True, eq=False, slots=True)
class Kept:
    """What was recorded and is kept from step `first` on, by population or array, and what was taken, by output."""

    first: int = 0
    left: Mapping[str, Left] = field(default_factory=dict)
    taken: Mapping[str, Taken] = field(default_factory=dict)


def kept_steps(keep: Any, dt: Quantity) -> int | None:
    """For how many steps what is recorded stays: None for all, 0 for none. InvalidInput for what says neither.

    `keep`: True or "all", False, a number of steps, or a time such as "1 s".
    """
    if keep is True or (isinstance(keep, str) and keep == "all"):
        return None
    if keep is False:
        return 0
    try:
        steps = steps_of(keep, dt)
    except InvalidInput as error:
        raise InvalidInput.one(None, f"keep: {error}; or 'all'") from None
    if steps < 0:
        raise InvalidInput.one(None, f"keep must not be negative; found {found(keep)}; give 'all', 0 or a time")
    return steps


class Trail:
    """What was recorded of one thing: steps, ascending, each with a value of the given shape and kind.

    `gone`: how many rows were let go. All others are numbered from there on.
    """

    def __init__(self, shape: tuple[int, ...], kind: Any) -> None:
        self.gone = 0
        self._begin = self._end = 0
        self._steps = np.empty(0, np.int64)
        self._values = np.empty((0, *shape), kind)
        self._least = max(1, BLOCK // max(1, self._values.dtype.itemsize * math.prod(shape)))

    def left(self, oldest: int) -> Left:
        """The rows from step `oldest` on, copies: int64, or float64 of real numbers."""
        steps, values = self.since(oldest)
        return Left(self.count - len(steps), steps, raw(values))

    def hold(self, left: Left) -> None:
        """Hold what another one has left, and nothing else."""
        self.skip(0)
        self.add(left.steps, left.values, 0)
        self.gone = left.gone

    @property
    def count(self) -> int:
        """How many rows there ever were."""
        return self.gone + self._end - self._begin

    def add(self, steps: NDArray[np.int64], values: NDArray[Any], oldest: int) -> None:
        """Take more rows. Those of steps before `oldest` may be let go, and are where their room is needed."""
        end = self._end + len(steps)
        if end > len(self._steps):
            self._make_room(len(steps), oldest)
            end = self._end + len(steps)
        self._steps[self._end : end] = steps
        self._values[self._end : end] = values
        self._end = end

    def skip(self, rows: int) -> None:
        """Let go of everything, and of so many rows more."""
        self.gone = self.count + rows
        self._begin = self._end = 0

    def since(self, step: int) -> Rows:
        """The rows from a step on: steps (k,) and values (k, …), copies."""
        return self._from(self._begin + self._before(step))

    def after(self, number: int, oldest: int) -> tuple[Rows, int]:
        """The rows from a number on that are of no step before `oldest`, and how many others there were."""
        first = self._begin + max(number - self.gone, 0)
        if first < self._end and self._steps[first] < oldest:
            first = self._begin + self._before(oldest)
        return self._from(first), self.gone + first - self._begin - number

    def _before(self, step: int) -> int:
        """How many of the rows here are of steps before that one."""
        return int(np.searchsorted(self._steps[self._begin : self._end], step))

    def _from(self, first: int) -> Rows:
        return self._steps[first : self._end].copy(), self._values[first : self._end].copy()

    def _make_room(self, rows: int, oldest: int) -> None:
        """Let go of what may go, and move the rest to where there is room for twice as much.

        What is large and stays is not there twice: it gets longer where it is.
        """
        let_go = self._before(oldest)
        self.gone += let_go
        kept = slice(self._begin + let_go, self._end)
        count = kept.stop - kept.start
        size = self._least + 2 * (count + rows)
        if kept.start >= count and size <= len(self._steps):
            self._steps[:count], self._values[:count] = self._steps[kept], self._values[kept]
            self._begin, self._end = 0, count
            return
        if not kept.start and self._values.nbytes >= LARGE:
            size = self._least + count + rows + count // GROWTH
            self._steps.resize(size, refcheck=False)
            self._values.resize((size, *self._values.shape[1:]), refcheck=False)
            return
        steps, values = np.empty(size, np.int64), np.empty((size, *self._values.shape[1:]), self._values.dtype)
        steps[:count], values[:count] = self._steps[kept], self._values[kept]
        self._steps, self._values = steps, values
        self._begin, self._end = 0, count
