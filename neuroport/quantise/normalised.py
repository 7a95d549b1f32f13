"""exp, log and sqrt over wide ranges: one table over one power of two, and shifts (rule 7 of docs/arithmetic.md).

A table of equal intervals is too coarse where a function or its slope grows over many powers of two. With n the binary
logarithm of `tables.intervals` and entries of `tables.bits`:

    exp(x) = 2**k * 2**g        k, g: whole and broken part of x log2(e); 2**g = T[i] (1 + u), T[i] the entry below,
                                u = v + v*v/2 + v*v*v/6 with v = (g - i 2**-n) ln 2
    log(x) = (k - 1) ln 2 + log(m)      m = x 2**-(k-1) in 1..2, k the number of bits of x; log(m) interpolated
    sqrt(x) = 2**e sqrt(m)              m = x 2**-2e in 1/4..1; sqrt(m) interpolated

The entries of exp have 8 bits more, so that its relative error stays near 2**-(tables.bits + 7); log and sqrt have
that of linear interpolation, 2**-(2n + 2).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from neuroport.errors import InternalError
from neuroport.program.ir import Apply, Expr, Int, Lookup
from neuroport.program.printer import expression
from neuroport.quantise import tables
from neuroport.quantise.demand import COARSE, GUARD, Demand
from neuroport.quantise.integers import bounds, clipped, frac, literal, rounded, size, whole

if TYPE_CHECKING:
    from neuroport.quantise.expressions import IntegerForm

PLAIN_FRAC = 16
"""Fractional bits of a result when nothing is known of the place where it goes."""
LOG2_E = 44
"""Fractional bits of the constant log2(e)."""
ARGUMENT = 32
"""Bits of the argument of exp, its sign aside: with LOG2_E both halves of the product then fit 62 bits."""
EXPONENT = 40
"""Fractional bits of x log2(e)."""
THIRD = 12
"""Fractional bits of the constant 1/3."""
MORE = 8
"""Bits of the entries of exp beyond those of other tables."""
FULL = 42
"""Bits to which an argument of log or sqrt is shifted."""
WIDEST = 58
"""Bits of the largest result, and of an argument of log or sqrt."""


def wanted(want: Demand) -> int:
    """The frac that a result needs."""
    return PLAIN_FRAC if want.frac is None else want.frac


def result_frac(lowerer: IntegerForm, fn: str, x: Expr, top: float, want: Demand) -> int:
    """The frac of a result up to `top`: what is needed, at most what fits; a problem where that is too little."""
    most = math.frexp(top)[1]
    unknown = max(PLAIN_FRAC, lowerer.shared.chip.table_bits - 1 - most)
    out = min(unknown if want.frac is None else want.frac + 2, WIDEST - most)  # 2: it is rounded here and once more
    if want.least is not None and out < min(want.least, COARSE):
        lowerer.too_large(fn, x, want)
    return out


def exp(lowerer: IntegerForm, x: Expr, want: Demand) -> Expr:
    """The exponential; `x` is limited to what the format of the result can tell from 0."""
    top = math.exp(float(np.ldexp(float(bounds(x)[1]), -frac(x))))
    out = result_frac(lowerer, "exp", x, top, want)
    lowest = math.floor(Fraction(-(out + 2) * math.log(2)) * Fraction(2) ** frac(x))
    x = clipped(x, min(lowest, bounds(x)[1]), bounds(x)[1])
    over = size(bounds(x)).bit_length() - ARGUMENT
    if over > 0:
        x = lowerer.scale(x, frac(x) - over, "table", "nearest")
    ends = tables.bounds("exp", *bounds(x), frac(x))
    bits, n = lowerer.shared.chip.table_bits + MORE, _index_bits(lowerer)
    y = lowerer.name(_times_log2_e(lowerer, lowerer.name(x)))
    k = lowerer.name(lowerer.made("shr", y, literal(EXPONENT)))
    g = lowerer.name(lowerer.made("mod", y, literal(2**EXPONENT)))
    index = lowerer.made("shr", g, literal(EXPONENT - n))
    rest = lowerer.made("mod", g, literal(2 ** (EXPONENT - n)))
    low = 31
    v = lowerer.name(rounded(lowerer.made("mul", rest, literal(round(math.log(2) * 2**low))), low))
    square = lowerer.name(rounded(lowerer.made("mul", v, v), EXPONENT + 1))
    third = lowerer.made("mul", lowerer.made("mul", square, v), literal(round(2**THIRD / 3)))
    u = lowerer.made("add", lowerer.made("add", v, square), rounded(third, EXPONENT + THIRD))
    entry = lowerer.name(_entry(lowerer, "exp", index, n, bits))
    growth = lowerer.made("mul", lowerer.made("shr", entry, literal(MORE)), u)
    mantissa = lowerer.made("add", entry, rounded(growth, EXPONENT - MORE))
    right = lowerer.made("sub", literal(bits - 1 - out), k)
    return cut(shifted(lowerer, mantissa, right, out), *ends)


def _times_log2_e(lowerer: IntegerForm, x: Expr) -> Expr:
    """X log2(e) with EXPONENT fractional bits, in two halves where one product would not fit."""
    factor = literal(round(Fraction(tables.LOG2_E) * 2**LOG2_E))
    plain = whole(x)
    width = max(end.bit_length() for end in bounds(x))
    low = max(0, width + LOG2_E + 1 - 61)
    if low == 0:
        return _to_exponent(lowerer, lowerer.made("mul", plain, factor), frac(x))
    high = _to_exponent(lowerer, lowerer.made("mul", lowerer.made("shr", plain, literal(low)), factor), frac(x) - low)
    rest = lowerer.made("mod", plain, literal(2**low))
    return lowerer.made("add", high, _to_exponent(lowerer, lowerer.made("mul", rest, factor), frac(x)))


def _to_exponent(lowerer: IntegerForm, product: Expr, frac_: int) -> Expr:
    right = frac_ + LOG2_E - EXPONENT
    return rounded(product, right) if right > 0 else lowerer.made("shl", product, literal(-right))


def log(lowerer: IntegerForm, x: Expr, want: Demand) -> Expr:
    """The logarithm of a positive value."""
    ends = tables.bounds("log", *bounds(x), frac(x))
    bits, n = lowerer.shared.chip.table_bits, _index_bits(lowerer)
    x = _narrowed(lowerer, x)
    positive = _positive(lowerer, x)
    count = lowerer.name(lowerer.made("bit_length", positive))
    full = lowerer.name(_leading_one(lowerer, positive, count, FULL - 1))
    index = lowerer.made("sub", lowerer.made("shr", full, literal(FULL - 1 - n)), literal(2**n))
    part = _between(lowerer, "log", _kept(index, 2**n - 1), full, FULL - 1 - n, n, bits)
    power = lowerer.made("sub", count, literal(1 + frac(x)))
    step = literal(round(Fraction(tables.LN_2) * 2 ** (bits - 1)))
    total = lowerer.made("add", lowerer.made("mul", power, step), part, frac_=bits - 1)
    out = bits - 1 if want.frac is None else min(want.frac, bits - 1)
    return cut(lowerer.scale(total, out, "table", "nearest"), *ends)


def sqrt(lowerer: IntegerForm, x: Expr, want: Demand) -> Expr:
    """The square root of what is not negative."""
    if bounds(x)[1] == 0:
        return literal(0)
    ends = tables.bounds("sqrt", *bounds(x), frac(x))
    x = lowerer.name(_narrowed(lowerer, x))
    bits, n = lowerer.shared.chip.table_bits, _index_bits(lowerer)
    out = result_frac(lowerer, "sqrt", x, float(ends[1]), want)
    positive = _positive(lowerer, x)
    count = lowerer.made("bit_length", positive)
    odd = lowerer.made("mod", lowerer.made("add", count, literal(frac(x) & 1)), literal(2))
    even = lowerer.name(lowerer.made("add", count, odd))
    full = lowerer.name(_leading_one(lowerer, positive, even, FULL - 2))
    index = lowerer.made("sub", lowerer.made("shr", full, literal(FULL - n)), literal(2 ** (n - 2)))
    root = _between(lowerer, "sqrt", _kept(index, 3 * 2 ** (n - 2) - 1), full, FULL - n, n, bits)
    half = lowerer.made("shr", lowerer.made("sub", even, literal(frac(x))), literal(1))
    right = lowerer.made("sub", literal(bits - 1 - out), half)
    found = cut(shifted(lowerer, root, right, out), *ends)
    return found if bounds(x)[0] > 0 else lowerer.chosen(lowerer.compared("eq", x, 0), literal(0, out), found)


# --------------------------------------------------------------------------------------------------------- the pieces


def shifted(lowerer: IntegerForm, x: Expr, right: Expr, out: int) -> Expr:
    """The value x * 2**-right, rounded to nearest (half up), with `out` fractional bits.

    Where `right` is so far below 0 that the result needs more than 62 bits, it is something with at least as many bits
    as x.
    """
    up = min(max(0, -bounds(right)[0]), max(0, 61 - max(end.bit_length() for end in bounds(x))))
    amount = clipped(lowerer.made("add", right, literal(up)) if up else right, 0, 62)
    twice = lowerer.made("shl", x, literal(up + 1))
    half = lowerer.made("add", lowerer.made("shr", twice, amount), literal(1))
    return lowerer.made("shr", half, literal(1), frac_=out)


def shifted_left(x: Expr, count: Expr, known: Int) -> Expr:
    """A value shifted by a count that follows from it, so that its bounds are narrower than those of its parts."""
    if not 0 <= bounds(count)[0] <= bounds(count)[1] <= 62:
        raise InternalError(f"{expression(count)} is said to lie in {bounds(count)}, and is a number of bits")
    return Apply("shl", (x, count), known)


def cut(x: Expr, lo: Fraction, hi: Fraction) -> Expr:
    """A value limited to real ends, rounded outward."""
    scale = Fraction(2) ** frac(x)
    return clipped(x, math.floor(lo * scale), math.ceil(hi * scale))


def _narrowed(lowerer: IntegerForm, x: Expr) -> Expr:
    """The argument in a word that leaves room to shift it."""
    over = size(bounds(x)).bit_length() - WIDEST
    return lowerer.scale(x, frac(x) - over, "table", "nearest") if over > 0 else x


def _positive(lowerer: IntegerForm, x: Expr) -> Expr:
    """The raw argument, or its smallest unit where it is 0."""
    plain = whole(x)
    return lowerer.name(plain if bounds(x)[0] > 0 else lowerer.made("max", plain, literal(1)))


def _leading_one(lowerer: IntegerForm, x: Expr, count: Expr, least: int) -> Expr:
    """A positive value below 2**count shifted to FULL bits, so that it lies in 2**least .. 2**FULL."""
    width = max(FULL, bounds(count)[1])
    up = lowerer.made("sub", literal(width), count)
    full = shifted_left(whole(x), up, Int(2 ** (width - FULL + least), 2**width - 1))
    return lowerer.made("shr", full, literal(width - FULL)) if width > FULL else full


def _between(lowerer: IntegerForm, fn: str, index: Expr, full: Expr, step: int, n: int, bits: int) -> Expr:
    """Linear interpolation between entry `index` and the next one."""
    index = lowerer.name(index)
    rest = lowerer.made("mod", full, literal(2**step))
    one = lowerer.name(_entry(lowerer, fn, index, n, bits))
    other = _entry(lowerer, fn, lowerer.made("add", index, literal(1)), n, bits)
    rises = np.diff(tables.normalised(fn, n, bits))
    rise = Apply("sub", (other, one), Int(int(rises.min()), int(rises.max())))
    return lowerer.made("add", one, rounded(lowerer.made("mul", rise, rest), step))


def _entry(lowerer: IntegerForm, fn: str, index: Expr, n: int, bits: int) -> Expr:
    entries = tables.normalised(fn, n, bits)
    lo, hi = bounds(index)
    part = entries[lo : hi + 1]
    error = 2.0**-bits if fn == "exp" else 2.0 ** (-2 * n - 2)
    note = f"{fn} over one power of two in {2**n} intervals, entries of {bits} bits; relative error {error:.2g}"
    name = lowerer.table(f"{fn}!normal", entries, note, error, bits - 1)
    return Lookup(name, index, Int(int(part.min()), int(part.max())))


def _kept(index: Expr, last: int) -> Expr:
    """An index that is known to lie in 0..last."""
    assert isinstance(index, Apply)
    return Apply(index.fn, index.args, Int(0, last))


def _index_bits(lowerer: IntegerForm) -> int:
    return lowerer.shared.chip.table_intervals.bit_length() - 1


def precise(error: float, frac_: int, want: Demand) -> bool:
    """Whether a table of equal intervals gives what is needed."""
    return frac_ >= wanted(want) - GUARD and error <= math.ldexp(1.0, GUARD - 1 - wanted(want))
