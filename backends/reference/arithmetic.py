"""What every function of a program means, on NumPy arrays or scalars, elementwise.

Integers are int64; that nothing exceeds 63 bits is the promise of the program's types. Real numbers have the precision
of the arrays they come from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neuroport.backends import functions

A = Any  # an array or a NumPy scalar


# ------------------------------------------------------------------------------------------------------- quotients


def floordiv(x: A, y: A) -> A:
    """The quotient rounded down, as Python's //; 0 where y is 0."""
    zero = np.equal(y, 0)
    return np.where(zero, 0, np.floor_divide(x, np.where(zero, 1, y)))


def mod(x: A, y: A) -> A:
    """The remainder with the sign of y, as Python's %; 0 where y is 0."""
    zero = np.equal(y, 0)
    return np.where(zero, 0, np.remainder(x, np.where(zero, 1, y)))


def trunc_div(x: A, y: A) -> A:
    """The quotient rounded toward zero, as C's /; 0 where y is 0."""
    down = floordiv(x, y)
    inexact = np.not_equal(y, 0) & np.not_equal(down * y, x)
    return down + (inexact & _unlike(x, y))


def round_div(x: A, y: A) -> A:
    """The integer quotient rounded to the nearest, halves away from zero; 0 where y is 0."""
    down = floordiv(x, y)
    rest = x - down * y
    more = y - rest
    nearer = np.where(np.greater(y, 0), np.greater(rest, more), np.less(rest, more))
    half = np.equal(rest, more) & ~_unlike(x, y)
    return down + (np.not_equal(y, 0) & (nearer | half))


def _unlike(x: A, y: A) -> A:
    """Whether a quotient is negative."""
    return np.not_equal(np.less(x, 0), np.less(y, 0))


# -------------------------------------------------------------------------------------------------- real functions


def select(condition: A, a: A, b: A) -> A:
    """Give a where the condition holds, otherwise b."""
    return np.where(condition, a, b)


def power_of_two(shifted: A, more: int) -> A:
    """2**(k + more) for shifted = k + 1.5 * 2**52, made from its bits."""
    return ((np.asarray(shifted).view(np.int64) + (1023 + more)) << 52).view(np.float64)


def exponent(x: A) -> A:
    """The whole k for which a normal x > 0 lies between 2**k and 2**(k + 1)."""
    return ((np.asarray(x).view(np.int64) >> 52) - 1023).astype(np.float64)


def significand(x: A) -> A:
    """A normal x > 0 divided by 2**exponent(x)."""
    return ((np.asarray(x).view(np.int64) & (2**52 - 1)) | (1023 << 52)).view(np.float64)


def real_functions(precision: type[np.floating[Any]]) -> dict[str, Callable[[A], A]]:
    """The functions of `backends.functions`: calculated in float64, then rounded to the precision."""
    made: dict[str, Any] = {"function": lambda f: f, **{f.__name__: f for f in (select, power_of_two)}}
    made |= {f.__name__: f for f in (exponent, significand)}
    exec(compile(functions.TEXT, "<functions>", "exec"), made)
    names = [f"real_{name}" for name in functions.NAMES]
    return {name: _in_float64(made[name], precision) for name in names}


def _in_float64(function: Callable[[A], A], precision: type[np.floating[Any]]) -> Callable[[A], A]:
    return lambda x: np.asarray(function(np.asarray(x, np.float64))).astype(precision)


# ------------------------------------------------------------------------------------------------ words and bounds


def to_int(x: A) -> A:
    """What stands before the point of a real number, between -2**62 and 2**62; 0 of what is not a number."""
    number = np.where(np.isnan(x), 0.0, np.asarray(x, np.float64))
    return np.clip(number, -(2.0**62), 2.0**62).astype(np.int64)


def bit_length(x: A) -> A:
    """The number of bits of |x|. Halves of 32 bits are exact as floats."""
    size = np.abs(np.asarray(x, np.int64)).astype(np.uint64)
    high, low = size >> np.uint64(32), size & np.uint64(0xFFFFFFFF)
    bits = np.where(high > 0, 32 + np.frexp(high.astype(np.float64))[1], np.frexp(low.astype(np.float64))[1])
    return bits.astype(np.int64)


def wrap(x: A, bits: int) -> A:
    """The value of the lowest `bits` bits as a two's complement number."""
    if bits >= 64:
        return x
    half = 1 << (bits - 1)
    return ((x + half) & ((1 << bits) - 1)) - half


def clip(x: A, lo: A, hi: A) -> A:
    """Give lo where x is below it, otherwise hi where x is above it, otherwise x."""
    return np.minimum(np.maximum(x, lo), hi)


def wrap_into(x: A, lo: int, hi: int) -> A:
    """The value in lo..hi that differs from x by a multiple of hi - lo + 1."""
    span = hi - lo + 1
    if span >= 2**64:
        return x
    if span == 2**63:
        return lo + ((x - lo) & (span - 1))
    return lo + np.remainder(np.remainder(x, span) - lo % span, span)


# -------------------------------------------------------------------------------------------------------- rounding
# Every number is the sum of its floor and of what is dropped, which is not negative; only to that anything is added, so
# that nothing leaves 64 bits.


def _raised(x: A, shift: int, more: A) -> A:
    """Give x * 2**-shift rounded down after something was added to what is dropped."""
    return (x >> shift) + (((x & ((1 << shift) - 1)) + more) >> shift)


def toward_zero(x: A, shift: int) -> A:
    """Give x * 2**-shift without its fraction."""
    return _raised(x, shift, np.where(np.less(x, 0), (1 << shift) - 1, 0))


def floor(x: A, shift: int) -> A:
    """Give x * 2**-shift rounded down."""
    return x >> shift


def nearest(x: A, shift: int) -> A:
    """Give x * 2**-shift rounded to the nearest, halves away from zero."""
    half = 1 << (shift - 1)
    return _raised(x, shift, np.where(np.less(x, 0), half - 1, half))


def nearest_even(x: A, shift: int) -> A:
    """Give x * 2**-shift rounded to the nearest, halves to the even neighbour."""
    return _raised(x, shift, (1 << (shift - 1)) - 1 + ((x >> shift) & 1))


def floor_min_step(x: A, shift: int) -> A:
    """Give x * 2**-shift rounded down, or the sign of x where that is 0."""
    rounded = x >> shift
    return np.where(np.equal(rounded, 0), np.sign(x), rounded)


def stochastic(x: A, shift: int, draw: A) -> A:
    """Give x * 2**-shift truncated after the low `shift` bits of a 32-bit draw were added to the magnitude."""
    mask = (1 << shift) - 1
    return _raised(x, shift, np.where(np.less(x, 0), mask - (draw & mask), draw & mask))
