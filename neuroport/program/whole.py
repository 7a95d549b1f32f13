"""Whole numbers on the host: the exact meaning of every function of ints, elementwise over arrays where need be.

Each function is on Python ints of any size; `program.functions` names the one of each entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput, Problem

LONGEST_SHIFT = 64
"""A number that is shifted further to the left does not fit into 63 bits."""
TOO_LONG = "needs more than 63 bits"
MOST = 2**62
"""An int that is made of a real number lies between -MOST and MOST."""


class NoValue(InvalidInput):
    """An expression over parameters that has no value. `reason` is a predicate: "needs more than 63 bits"."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__([Problem(None, f"a constant that follows from parameters {reason}")])


def elementwise(function: Callable[..., int], args: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """A function of ints on arrays of them. NoValue where a result needs more than 63 bits."""
    exact = np.frompyfunc(function, len(args), 1)
    result = np.asarray(exact(*(np.asarray(a).astype(object) for a in args)), object)
    try:
        return result.astype(np.int64)
    except OverflowError:
        raise NoValue(TOO_LONG) from None


# ------------------------------------------------------------------------------------------------------- quotients


def floor_div(a: int, b: int) -> int:
    """Python's a // b; 0 for b = 0."""
    return a // b if b else 0


def mod(a: int, b: int) -> int:
    """Python's a % b, with the sign of b; 0 for b = 0."""
    return a % b if b else 0


def trunc_div(a: int, b: int) -> int:
    """The quotient rounded toward zero; 0 for b = 0."""
    if b == 0:
        return 0
    magnitude = abs(a) // abs(b)
    return magnitude if (a < 0) == (b < 0) else -magnitude


def round_div(a: int, b: int) -> int:
    """The quotient to the nearest integer, half away from zero; 0 for b = 0."""
    if b == 0:
        return 0
    magnitude = (2 * abs(a) + abs(b)) // (2 * abs(b))
    return magnitude if (a < 0) == (b < 0) else -magnitude


# ----------------------------------------------------------------------------------------------------------- words


def shl(x: int, bits: int) -> int:
    """The number times 2**bits."""
    return x << _count(bits)


def shr(x: int, bits: int) -> int:
    """The number times 2**-bits, rounded down."""
    return x >> _count(bits)


def _count(bits: int) -> int:
    if bits < 0:
        raise NoValue("shifts by a negative number of bits")
    return min(bits, LONGEST_SHIFT)


def bit_length(x: int) -> int:
    """The number of bits of |x|, as Python's."""
    return x.bit_length()


def wrap(x: int, bits: int) -> int:
    """The value of the lowest `bits` bits as a two's complement number."""
    half = 1 << (bits - 1)
    return (x + half) % (2 * half) - half


# ----------------------------------------------------------------------------------------------------- choices, logic


def to_int(x: float) -> int:
    """What stands before the point. NoValue where that is no number of at most 62 bits."""
    if not math.isfinite(x):
        raise NoValue("makes an int of what is not finite")
    if abs(int(x)) > MOST:
        raise NoValue(TOO_LONG)
    return int(x)


def clip(x: int, low: int, high: int) -> int:
    """Give low where x is below it, otherwise high where x is above it, otherwise x."""
    return min(max(x, low), high)


def select(condition: int, one: int, other: int) -> int:
    """One number where the condition holds, otherwise the other."""
    return one if condition else other


def both(a: int, b: int) -> int:
    """Whether both hold."""
    return bool(a) and bool(b)


def either(a: int, b: int) -> int:
    """Whether one of them holds."""
    return bool(a) or bool(b)
