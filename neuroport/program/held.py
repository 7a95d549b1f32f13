"""Real numbers as an array of the machine holds them, and what it cannot hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.fixed import encode
from neuroport.program.ir import Int, Numbers
from neuroport.program.machine import Array

_SHORT, _FEW = 2**51, 512
"""Types within these ends, with so few bits behind the point, are scaled exactly, far from the ends of float64."""
_SAME = 2.0**-50
"""Bounds are computed in float64 like values: both may be off by units in the last place."""


def held(values: Numbers, array: Array) -> tuple[Numbers, NDArray[np.bool_]]:
    """Finite numbers as an array holds them, and which of them it does not hold (these stand at an end of its type).

    Rounded to the nearest, half away from zero. The end of a declared range may lie one unit beyond its format.
    """
    kind = array.type
    if not isinstance(kind, Int):
        return np.asarray(values, np.float64), np.zeros(np.shape(values), bool)
    if is_short(kind) and _lie_inside(values, kind):
        return nearest(values, kind.frac), np.zeros(values.shape, bool)
    outside = _beyond(values, kind, 0)
    if array.range is not None:
        at_an_end = within(values, array.range) & ~_beyond(values, kind, 1)
        low, high = (not _beyond(np.asarray(end, np.float64), kind, 1) for end in array.range)
        above = np.ldexp(np.asarray(values, np.float64), kind.frac) > kind.hi
        outside &= ~(at_an_end & np.where(above, high, low))
    return encode(values, kind), outside


def is_short(kind: Int) -> bool:
    """Whether a type has so few bits that what lies inside it is scaled exactly."""
    return kind.lo > -_SHORT and kind.hi < _SHORT and abs(kind.frac) <= _FEW


def nearest(values: Numbers, frac: int) -> Numbers:
    """Numbers inside a short type as raw integers with so many bits behind the point: half away from zero."""
    halves = (values * math.ldexp(1.0, frac + 1)).astype(np.int64)
    raw: Numbers = (halves + (halves >= 0)) >> 1
    return raw


def _lie_inside(values: Numbers, kind: Int) -> bool:
    """Whether values lie between the ends of a short type: true of most, and found faster than which do not."""
    if not isinstance(values, np.ndarray) or not values.size:
        return False
    low, high = math.ldexp(kind.lo, -kind.frac), math.ldexp(kind.hi, -kind.frac)
    return bool(values.min() >= low and values.max() <= high)


def within(values: Numbers, limits: tuple[float, float]) -> NDArray[np.bool_]:
    """Which values lie in a range, up to the rounding of its ends."""
    slack = _SAME * max(abs(limits[0]), abs(limits[1])) if np.asarray(values).dtype.kind == "f" else 0
    return np.asarray((values >= limits[0] - slack) & (values <= limits[1] + slack), bool)


def _beyond(values: Numbers, kind: Int, units: int) -> NDArray[np.bool_]:
    """Which values lie more than so many units beyond the ends of a type, once they are rounded."""
    low, high = kind.lo - units, kind.hi + units
    numbers = np.asarray(values)
    if numbers.dtype.kind in "iu" and kind.frac == 0:
        return np.asarray((numbers < max(low, -(2**63))) | (numbers > min(high, 2**63 - 1)), bool)
    scaled = np.ldexp(numbers.astype(np.float64), kind.frac)
    nearest = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)
    nearest = np.where(np.abs(scaled) >= 2.0**52, scaled, nearest)  # whole already, and + 0.5 would round it
    return np.asarray((nearest < _float(low, up=True)) | (nearest > _float(high, up=False)), bool)


def _float(limit: int, up: bool) -> float:
    """The float64 nearest to a limit on its inner side: comparing with it is exact for whole float64 numbers."""
    number = float(limit)
    if up and number < limit:
        return float(np.nextafter(number, np.inf))
    if not up and number > limit:
        return float(np.nextafter(number, -np.inf))
    return number


def shown(value: Any) -> str:
    """A number for a message: the shortest text that tells it from its neighbours."""
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
