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
    return np.sign(x) * np.sign(y) * floordiv(np.abs(x), np.abs(y))


def round_div(x: A, y: A) -> A:
    """The integer quotient rounded to the nearest, halves away from zero; 0 where y is 0."""
    magnitude, divisor = np.abs(x), np.abs(y)
    quotient = floordiv(magnitude, divisor)
    remainder = magnitude - quotient * divisor
    up = np.not_equal(divisor, 0) & (remainder >= divisor - remainder)
    return np.sign(x) * np.sign(y) * (quotient + up)


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
