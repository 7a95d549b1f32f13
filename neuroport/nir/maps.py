"""What is linear between neurons: maps of arrays with a shape, what a chain of them is, and what they add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Shape = tuple[int, ...]
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Map:
    """A map from arrays of the shape `ins` to those of the shape `outs`, after axes for several of them."""

    ins: Shape
    outs: Shape

    def __call__(self, values: Real) -> Real:
        """What it makes of values (n, *ins): (n, *outs), with what it adds."""
        return values.reshape(len(values), *self.outs)


@dataclass(frozen=True, eq=False)
class Matrix(Map):
    """weight (rows, columns) times a vector, plus bias."""

    weight: Real
    bias: Real

    def __call__(self, values: Real) -> Real:
        """See Map."""
        return values.reshape(len(values), -1) @ self.weight.T + self.bias


@dataclass(frozen=True, eq=False)
class Scaled(Map):
    """Each value times a number of its own."""

    scale: Real

    def __call__(self, values: Real) -> Real:
        """See Map."""
        return values * self.scale


@dataclass(frozen=True, eq=False)
class Delayed(Map):
    """Each value so many steps later."""

    steps: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Windowed(Map):
    """A kernel (channels out, channels in of a group, rows, columns) that slides over maps (channels, rows, columns).

    `before`, `after`: places of 0 around a map; pairs are for rows and for columns. `bias`: one for each channel out.
    """

    kernel: Real
    bias: Real
    stride: Pair = (1, 1)
    before: Pair = (0, 0)
    after: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    pool: bool = False

    @property
    def maps(self) -> tuple[Shape, Shape]:
        """Its maps (channels, rows, columns), also where there is one direction only."""
        return as_map(self.ins), as_map(self.outs)

    def __call__(self, values: Real) -> Real:
        """See Map."""
        (channels, rows, columns), (outs, high, wide) = self.maps
        padded = np.zeros((len(values), channels, rows + sum(_ends(self, 0)), columns + sum(_ends(self, 1))))
        top, left = self.before
        padded[:, :, top : top + rows, left : left + columns] = values.reshape(len(values), channels, rows, columns)
        made = np.zeros((len(values), self.groups, outs // self.groups, high, wide))
        parts = padded.reshape(len(values), self.groups, channels // self.groups, *padded.shape[2:])
        kernel = self.kernel.reshape(self.groups, outs // self.groups, *self.kernel.shape[1:])
        for i, j in np.ndindex(*self.kernel.shape[2:]):
            seen = parts[:, :, :, _taken(i, self, 0, high), _taken(j, self, 1, wide)]
            made += np.einsum("goc,ngcrs->ngors", kernel[:, :, :, i, j], seen)
        return (made.reshape(len(values), outs, high, wide) + self.bias[:, None, None]).reshape(len(values), *self.outs)


def _ends(windowed: Windowed, k: int) -> Pair:
    return windowed.before[k], windowed.after[k]


def _taken(at: int, windowed: Windowed, k: int, count: int) -> slice:
    """The places of one direction that an entry of the kernel sees."""
    start = at * windowed.dilation[k]
    return slice(start, start + (count - 1) * windowed.stride[k] + 1, windowed.stride[k])


def as_map(shape: Shape) -> tuple[int, int, int]:
    """The channels, rows and columns of a shape: (C, H, W), or (C, L) with one row."""
    return (shape[0], 1, shape[1]) if len(shape) == 2 else (shape[0], shape[1], shape[2])


def positions(size: int, kernel: int, stride: int, around: int, dilation: int) -> int:
    """How many positions a kernel has over so many places; 0 where it does not fit."""
    room = size + around - (kernel - 1) * dilation - 1
    return room // stride + 1 if room >= 0 else 0


# ------------------------------------------------------------------------------------------------- several of them


def without_bias(map_: Map) -> Map:
    """The same, adding nothing."""
    if isinstance(map_, Matrix):
        return Matrix(map_.ins, map_.outs, map_.weight, np.zeros(len(map_.bias)))
    if isinstance(map_, Windowed):
        return _like(map_, map_.kernel, np.zeros(len(map_.bias)))
    return map_


def _like(of: Windowed, kernel: Real, bias: Real) -> Windowed:
    return Windowed(
        of.ins,
        of.outs,
        kernel,
        bias,
        of.stride,
        of.before,
        of.after,
        of.dilation,
        of.groups,
        of.pool and of.kernel is kernel,
    )


def as_window(maps: Sequence[Map]) -> Windowed | None:
    """One kernel that does what maps do one after the other, without what they add; None where none does exactly."""
    made: Windowed | None = None
    factor: Real | None = None
    for map_ in maps:
        if isinstance(map_, Delayed):
            continue
        if isinstance(map_, Scaled):
            channels = map_.scale.reshape(map_.scale.shape[0], -1) if map_.scale.ndim > 1 else None
            if channels is None or np.any(channels != channels[:, :1]):
                return None
            if made is not None:
                made = _like(made, made.kernel * channels[:, :1, None, None], made.bias)
            else:
                factor = channels[:, 0] if factor is None else factor * channels[:, 0]
        elif isinstance(map_, Windowed):
            next_ = without_bias(map_)
            assert isinstance(next_, Windowed)
            if factor is not None:
                next_, factor = _scaled_before(next_, factor), None
            joined = next_ if made is None else _composed(made, next_)
            if joined is None:
                return None
            made = joined
        else:
            return None
    return made if factor is None else None


def _scaled_before(windowed: Windowed, factor: Real) -> Windowed:
    """The same of channels that are scaled before."""
    per_group = factor.reshape(windowed.groups, -1)
    rows = np.repeat(per_group, len(windowed.kernel) // windowed.groups, axis=0)
    return _like(windowed, windowed.kernel * rows[:, :, None, None], windowed.bias)


def _composed(first: Windowed, second: Windowed) -> Windowed | None:
    """One kernel for two; None where places around the map between them would not be 0."""
    for k in (0, 1):
        (low, high), size = _ends(second, k), first.maps[0][k + 1]
        span = (first.kernel.shape[k + 2] - 1) * first.dilation[k]
        if low and span - first.stride[k] - first.before[k] >= 0:
            return None
        if high and first.maps[1][k + 1] * first.stride[k] - first.before[k] < size:
            return None
    a, b = _dense(first), _dense(second)
    rows, columns = (
        (b.shape[k + 2] - 1) * second.dilation[k] * first.stride[k] + (a.shape[k + 2] - 1) * first.dilation[k] + 1
        for k in (0, 1)
    )
    kernel = np.zeros((b.shape[0], a.shape[1], rows, columns))
    for i, j in np.ndindex(*b.shape[2:]):
        for m, n in np.ndindex(*a.shape[2:]):
            row = i * second.dilation[0] * first.stride[0] + m * first.dilation[0]
            column = j * second.dilation[1] * first.stride[1] + n * first.dilation[1]
            kernel[:, :, row, column] += b[:, :, i, j] @ a[:, :, m, n]
    before, after = (
        tuple(getattr(first, end)[k] + getattr(second, end)[k] * first.stride[k] for k in (0, 1))
        for end in ("before", "after")
    )
    stride = (first.stride[0] * second.stride[0], first.stride[1] * second.stride[1])
    return Windowed(first.ins, second.outs, kernel, np.zeros(len(kernel)), stride, _pair(before), _pair(after))


def _pair(values: tuple[Any, ...]) -> Pair:
    return int(values[0]), int(values[1])


def _dense(windowed: Windowed) -> Real:
    """The kernel between all channels."""
    outs, part = windowed.kernel.shape[:2]
    dense = np.zeros((outs, part * windowed.groups, *windowed.kernel.shape[2:]))
    each = outs // windowed.groups
    for g in range(windowed.groups):
        dense[g * each : (g + 1) * each, g * part : (g + 1) * part] = windowed.kernel[g * each : (g + 1) * each]
    return dense


def applied(maps: Sequence[Map], values: Real) -> Real:
    """What maps make of values one after the other."""
    for map_ in maps:
        values = map_(values)
    return values


def matrix(maps: Sequence[Map]) -> Real:
    """What maps do one after the other, without what they add: (values in, values out)."""
    bare = [without_bias(map_) for map_ in maps]
    ins = bare[0].ins
    return applied(bare, np.eye(prod(ins)).reshape(prod(ins), *ins)).reshape(prod(ins), -1)
