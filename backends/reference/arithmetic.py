"""What every function of a program means, on NumPy arrays or scalars, elementwise.

Integers are int64; that nothing exceeds 63 bits is the promise of the program's types. Real numbers have the precision
of the arrays they come from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

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
    return np.sign(x) * np.sign(y) * floordiv(np.abs(x), np.abs(y))


def round_div(x: A, y: A) -> A:
    """The integer quotient rounded to the nearest, halves away from zero; 0 where y is 0."""
    magnitude, divisor = np.abs(x), np.abs(y)
    quotient = floordiv(magnitude, divisor)
    remainder = magnitude - quotient * divisor
    up = np.not_equal(divisor, 0) & (remainder >= divisor - remainder)
    return np.sign(x) * np.sign(y) * (quotient + up)


# -------------------------------------------------------------------------------------------------- real functions


def sigmoid(x: A) -> A:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def softplus(x: A) -> A:
    """log(1 + exp(x)), without overflow."""
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


# ------------------------------------------------------------------------------------------------ words and bounds


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
    return lo + np.remainder(x - lo, hi - lo + 1)


# -------------------------------------------------------------------------------------------------------- rounding


def _with_sign(x: A, magnitude: A) -> A:
    return np.where(np.less(x, 0), -magnitude, magnitude)


def toward_zero(x: A, shift: int) -> A:
    """Give x * 2**-shift without its fraction."""
    return _with_sign(x, np.abs(x) >> shift)


def floor(x: A, shift: int) -> A:
    """Give x * 2**-shift rounded down."""
    return x >> shift


def nearest(x: A, shift: int) -> A:
    """Give x * 2**-shift rounded to the nearest, halves away from zero."""
    return _with_sign(x, (np.abs(x) + (1 << (shift - 1))) >> shift)


def nearest_even(x: A, shift: int) -> A:
    """Give x * 2**-shift rounded to the nearest, halves to the even neighbour."""
    raised = x + (1 << (shift - 1))
    rounded = raised >> shift
    tie = (raised & ((1 << shift) - 1)) == 0
    return rounded - (rounded & tie)


def floor_min_step(x: A, shift: int) -> A:
    """Give x * 2**-shift rounded down, or the sign of x where that is 0."""
    rounded = x >> shift
    return np.where(np.equal(rounded, 0), np.sign(x), rounded)


def stochastic(x: A, shift: int, draw: A) -> A:
    """Give x * 2**-shift truncated after the low `shift` bits of a 32-bit draw were added to the magnitude."""
    return _with_sign(x, (np.abs(x) + (draw & ((1 << shift) - 1))) >> shift)
