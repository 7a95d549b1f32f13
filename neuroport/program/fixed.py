"""Fixed-point numbers: formats, rounding and overflow, each in one place.

A number with `frac` fractional bits is an integer `raw` that stands for raw * 2**-frac; `frac` may be negative or
larger than the word. Everything here is exact: Python integers or int64 arrays in, the same out.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import DTypeLike, NDArray

from neuroport.program.ir import Int, Overflow, Rounding
from neuroport.program.repeated import PIECE, alike, is_repeated, pieces

VERSION = 2
"""Version of the integer arithmetic: programs of the same network and chip have the same bits within one version.

Raised when formats, rounding or functions of integer chips change. Traces carry it; those without are of version 1.
"""

LIMIT = 2**62
"""Intermediates lie in -LIMIT..LIMIT: 62 bits plus sign, so the product of two 32-bit words needs no rounding."""

LONGEST = 32
"""Bits of the longest word that a coefficient gets where its own word is too short for what must stay exact."""

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def word(bits: int, frac: int = 0) -> Int:
    """The two's complement format of that many bits."""
    return Int(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, frac)


def fit_frac(lo: float | Fraction, hi: float | Fraction, bits: int) -> int:
    """The largest frac for which lo..hi fits a signed word: |x| * 2**frac <= 2**(bits - 1). 0 for lo = hi = 0.

    A value of exactly +2**(bits - 1) counts as fitting and saturates to one unit less: -2..2 in 8 bits has frac 6.
    """
    largest = max(abs(Fraction(lo)), abs(Fraction(hi)))
    if largest == 0:
        return 0
    frac = bits - 1 - (largest.numerator.bit_length() - largest.denominator.bit_length())
    while largest * Fraction(2) ** frac > 2 ** (bits - 1):
        frac -= 1
    return frac


def fit(lo: float | Fraction, hi: float | Fraction, bits: int) -> Int:
    """The finest format of that many bits for a declared range, with the ends of the range as its own.

    A range without negative values spends no bit on the sign, and its upper end is exact wherever it can be. A range
    with negative values has the frac of `fit_frac`; an upper end of exactly +2**(bits - 1) becomes one unit less.
    """
    low, high = Fraction(lo), Fraction(hi)
    if low >= 0:
        bits = min(bits, LIMIT.bit_length() - 1)
        frac = fit_frac(low, high, bits + 1)
        if high * Fraction(2) ** frac > 2**bits - 1:
            frac -= 1
        top = 2**bits - 1
        return Int(
            round_fraction(low * Fraction(2) ** frac), min(round_fraction(high * Fraction(2) ** frac), top), frac
        )
    frac = fit_frac(low, high, bits)
    ends = word(bits, frac)
    scaled = [round_fraction(end * Fraction(2) ** frac) for end in (low, high)]
    return Int(max(scaled[0], ends.lo), min(scaled[1], ends.hi), frac)


def finest_frac(values: FloatArray) -> int:
    """The smallest frac >= 0 at which all the values are whole numbers."""
    mantissas, exponents = np.frexp(np.asarray(values, np.float64).ravel())
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    present = whole != 0
    if not present.any():
        return 0
    zeros = np.log2((whole & -whole)[present].astype(np.float64)).astype(np.int64)
    return max(0, int((53 - zeros - exponents[present]).max()))


def fine_frac(value: float, least: int) -> int:
    """The frac at which the distance of a value from 1 still has so many bits, for values that decay by it.

    0 for values that are not between 1/2 and 1, and where no bits are wanted.
    """
    if not (least and 0.5 <= value < 1.0):
        return 0
    return least - math.frexp(1.0 - value)[1]


def constant(value: float, bits: int, least: int = 0) -> tuple[int, int]:
    """A constant as (raw, frac): exact without trailing zeros if it fits the word, else rounded to the largest frac.

    `least`: a value just below 1 keeps so many bits of its distance from 1, in a longer word if need be.
    """
    exact = Fraction(value)
    if exact == 0:
        return 0, 0
    numerator, frac = exact.numerator, exact.denominator.bit_length() - 1
    zeros = (numerator & -numerator).bit_length() - 1
    if abs(numerator).bit_length() <= bits - 1:
        return numerator, frac
    if abs(numerator >> zeros).bit_length() <= bits - 1:
        return numerator >> zeros, frac - zeros
    frac, most = fit_frac(exact, exact, bits), 2 ** (bits - 1) - 1
    fine = min(fine_frac(value, least), LONGEST - 1)
    if fine > max(frac, 0):
        frac, most = fine, 2**fine - 1
    raw = min(round_fraction(exact * Fraction(2) ** frac), most)
    zeros = (raw & -raw).bit_length() - 1
    zeros = min(zeros, max(frac, 0))
    return raw >> zeros, frac - zeros


def round_fraction(value: Fraction) -> int:
    """The nearest integer, half away from zero."""
    magnitude = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return magnitude if value >= 0 else -magnitude


def round_shift(x: int, shift: int, mode: Rounding, draw: int = 0) -> int:
    """Round x * 2**-shift to an integer; `draw` is the random word of stochastic rounding. See program.Round."""
    if shift <= 0:
        return x << -shift
    magnitude, sign = abs(x), -1 if x < 0 else 1
    half, low = 1 << (shift - 1), magnitude & ((1 << shift) - 1)
    match mode:
        case "toward_zero":
            return sign * (magnitude >> shift)
        case "floor":
            return x >> shift
        case "nearest":
            return sign * ((magnitude + half) >> shift)
        case "nearest_even":
            down = magnitude >> shift
            return sign * (down + (low > half or (low == half and down & 1 == 1)))
        case "stochastic":
            return sign * ((magnitude + (draw & ((1 << shift) - 1))) >> shift)
        case "floor_min_step":
            return (x >> shift) or (0 if x == 0 else sign)
    raise ValueError(f"unknown rounding {mode!r}")


def round_shift_array(x: IntArray, shift: int, mode: Rounding, draw: NDArray[np.uint64] | None = None) -> IntArray:
    """The same rounding, elementwise, for |x| < 2**62 and shift <= 62."""
    if shift <= 0:
        return x << -shift
    s, half, mask = np.int64(shift), np.int64(1 << (shift - 1)), np.int64((1 << shift) - 1)
    magnitude = np.abs(x)
    match mode:
        case "toward_zero":
            rounded = magnitude >> s
        case "floor":
            return x >> s
        case "nearest":
            rounded = (magnitude + half) >> s
        case "nearest_even":
            rounded, low = magnitude >> s, magnitude & mask
            rounded = rounded + ((low > half) | ((low == half) & (rounded & 1 == 1)))
        case "stochastic":
            if draw is None:
                raise ValueError("stochastic rounding needs random words")
            rounded = (magnitude + (draw & np.uint64(mask)).astype(np.int64)) >> s
        case "floor_min_step":
            down = x >> s
            return np.where(down == 0, np.sign(x), down)
        case _:
            raise ValueError(f"unknown rounding {mode!r}")
    return np.where(x < 0, -rounded, rounded)


def overflow(x: int, lo: int, hi: int, rule: Overflow) -> int:
    """A value outside lo..hi by a chip's rule: saturate, or wrap modulo hi - lo + 1. `error` and `none` refuse it."""
    if lo <= x <= hi:
        return x
    match rule:
        case "saturate":
            return min(max(x, lo), hi)
        case "wrap":
            return (x - lo) % (hi - lo + 1) + lo
        case _:
            raise OverflowError(f"{x} is outside {lo}..{hi}")


def overflow_array(x: IntArray, lo: int, hi: int, rule: Overflow) -> IntArray:
    """The same rule, elementwise."""
    match rule:
        case "saturate":
            return np.clip(x, lo, hi)
        case "wrap":
            return (x - lo) % (hi - lo + 1) + lo
        case _:
            if ((x < lo) | (x > hi)).any():
                raise OverflowError(f"a value is outside {lo}..{hi}")
            return x


EXACT = 2**53
"""Whole numbers below this are floats."""


def encode(values: FloatArray | IntArray | float, kind: Int, dtype: DTypeLike = np.int64) -> IntArray:
    """Numbers as raw integers of a format: nearest, half away from zero, then saturated to its bounds.

    Values must be finite. `np.ldexp` scales exactly, so the result is the same on every machine. `dtype`: that of the
    integers, which holds the format.
    """
    if isinstance(values, np.ndarray) and is_repeated(values):
        return alike(encode(values[:1], kind, dtype), values)
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.size > PIECE:
        made: IntArray = np.empty(values.size, dtype)
        for piece in pieces(values.size):
            made[piece] = encode(values[piece], kind)
        return made
    return np.asarray(_encoded(values, kind), dtype)


def _encoded(values: FloatArray | IntArray | float, kind: Int) -> IntArray:
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and kind.frac == 0:
        return np.clip(values.astype(np.int64), kind.lo, kind.hi)
    with np.errstate(over="ignore"):  # what is beyond float64 is beyond the format
        scaled = np.ldexp(np.asarray(values, dtype=np.float64), kind.frac)
    scaled = np.clip(scaled, float(kind.lo), float(kind.hi))
    whole = np.trunc(scaled)
    whole = whole + np.trunc(2.0 * (scaled - whole))
    if kind.lo > -EXACT and kind.hi < EXACT:
        return np.asarray(whole, dtype=np.int64)
    # float(hi) may exceed hi by rounding when hi needs more than 53 bits
    raw: IntArray = np.where(whole >= float(kind.hi), kind.hi, np.where(whole <= float(kind.lo), kind.lo, 0))
    inside = (whole < float(kind.hi)) & (whole > float(kind.lo))
    return np.asarray(np.where(inside, np.where(inside, whole, 0.0).astype(np.int64), raw), dtype=np.int64)


def decode(raw: IntArray, frac: int) -> FloatArray:
    """The numbers that raw integers stand for (exact below 2**53)."""
    return np.asarray(np.ldexp(raw.astype(np.float64), -frac), dtype=np.float64)
