"""Parts of populations: some of the neurons, by their numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Part:
    """Neurons by number: ranges (first, end) or (first, end, step), ascending and apart from each other.

    `of` makes equal ones of the same neurons, however these were written.
    """

    ranges: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, ranges: Iterable[range]) -> Part:
        """The neurons of these ranges, which follow each other."""
        rest, runs = deque(one for one in ranges if one), list[range]()
        while rest:
            runs.append(_first_run(rest))
        return cls(tuple((run[0], run[-1] + 1, run.step)[: 2 + (run.step > 1)] for run in runs))

    @property
    def pieces(self) -> tuple[range, ...]:
        """The numbers as ranges."""
        return tuple(range(*one) for one in self.ranges)

    @property
    def neurons(self) -> NDArray[np.int64]:
        """Their numbers, ascending."""
        return np.concatenate([np.arange(*one, dtype=np.int64) for one in self.ranges])

    def meets(self, other: Part) -> bool:
        """Whether some neurons are in both."""
        return any(_meet(one, its) for one in self.pieces for its in other.pieces)

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    def __str__(self) -> str:
        return f"[{', '.join(map(_shown, self.pieces))}]"


def numbered(neurons: NDArray[np.int64] | None) -> Part | None:
    """The part that has these neurons, ascending; None for all."""
    return None if neurons is None else Part.of(range(k, k + 1) for k in neurons.tolist())


def named(name: str, part: Part | None) -> str:
    """How a network file names some or all neurons: "a.v[0:10]", "a.v"."""
    return name if part is None else f"{name}{part}"


def _shown(piece: range) -> str:
    if len(piece) == 1:
        return str(piece[0])
    return f"{piece.start}:{piece.stop}" + (f":{piece.step}" if piece.step > 1 else "")


def _first_run(rest: deque[range]) -> range:
    """As many of the first numbers as have the same distance from each other, which are then gone.

    Three at least, or two that are neighbours; otherwise the first one alone.
    """
    first = rest.popleft()
    second = first[1] if len(first) > 1 else rest[0][0] if rest else first[0] + 1
    step = second - first[0]
    run = range(first[0], first[-1] + 1, step)
    while rest and rest[0][0] == run[-1] + step:
        piece = rest.popleft()
        goes_on = len(piece) == 1 or piece.step == step
        run = range(run[0], (piece[-1] if goes_on else piece[0]) + 1, step)
        if not goes_on:
            rest.appendleft(piece[1:])
            break
    if step > 1 and len(run) < 3:
        if len(run) == 2:
            rest.appendleft(range(run[1], run[1] + 1))
        return range(run[0], run[0] + 1)
    return run


def _meet(one: range, other: range) -> bool:
    """Whether two ranges have a number in common."""
    common = gcd(one.step, other.step)
    apart = other.start - one.start
    if apart % common:
        return False
    every = other.step // common
    times = apart // common * pow(one.step // common, -1, every) % every
    period, first = one.step * every, one.start + one.step * times
    least = max(one.start, other.start)
    first += max(0, -(-(least - first) // period)) * period
    return first <= min(one[-1], other[-1])
