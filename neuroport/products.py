"""Products that do not fit the widest word, computed in two halves (rule 3 of docs/arithmetic.md)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from neuroport import intervals
from neuroport.demand import Demand
from neuroport.integers import bounds, clipped, frac, literal, size, whole
from neuroport.program import Expr, Int, Round

if TYPE_CHECKING:
    from neuroport.fixedpoint import Lowerer

WIDEST = 61
"""Bits of the product of either half."""
LEAST = 31
"""Bits that are left of a finer operand before the other one is rounded too."""
RESULT = 58
"""Bits of the result in the range in which it is needed."""


def in_halves(lowerer: Lowerer, a: Expr, b: Expr, want: Demand) -> Expr:
    """The product a * b in the range in which it is needed, with the fractional bits that are needed of it.

    Where both together are too much for one word, the range goes first.

    a = high * 2**k + low, and a * b = (high * b) * 2**k + low * b: each is rounded, to nearest, to the frac of the
    result before they are added. Operands that together are too long for this are rounded off first.
    """
    square = a == b
    a, b = _fitting(lowerer, a, b)
    b = a if square else b
    a, b = (a, b) if _bits(a) >= _bits(b) else (b, a)
    a = lowerer.name(a)
    b = a if square else lowerer.name(b)
    k = WIDEST - _bits(b)
    high = lowerer.made("mul", lowerer.made("shr", whole(a), literal(k)), whole(b))
    low = lowerer.made("mul", lowerer.made("mod", whole(a), literal(2**k)), whole(b))
    full = frac(a) + frac(b)
    out = min(_frac(a, b, want), full)
    rest = _rounded(low, full - out)
    up = out - (full - k)
    lo, hi = _needed(a, b, want, out, square)
    if up <= 0:
        total = lowerer.made("add", _rounded(high, -up), rest)
    else:
        slack = size(bounds(rest))
        high = clipped(high, (lo - slack) >> up, -((-hi - slack) >> up))
        total = lowerer.made("add", lowerer.made("shl", high, literal(up)), rest)
    return _labelled(clipped(total, lo, hi), out)


def _fitting(lowerer: Lowerer, a: Expr, b: Expr) -> tuple[Expr, Expr]:
    """The operands, rounded so far that halves of one times the other fit: the one with the finer steps first."""
    one, other = [_bits(a), frac(a)], [_bits(b), frac(b)]
    while 2 * min(one[0], other[0]) + max(one[0], other[0]) > 2 * WIDEST:
        finer = one if (one[0] > LEAST, one[1]) >= (other[0] > LEAST, other[1]) else other
        finer[0], finer[1] = finer[0] - 1, finer[1] - 1
    return lowerer.scale(a, one[1], "width", "nearest"), lowerer.scale(b, other[1], "width", "nearest")


def _bits(x: Expr) -> int:
    return size(bounds(x)).bit_length()


def _frac(a: Expr, b: Expr, want: Demand) -> int:
    """The frac that is needed, as far as the range leaves room for it."""
    assert want.frac is not None
    most = size(intervals.apply("mul", [bounds(a), bounds(b)])).bit_length() - frac(a) - frac(b)
    ends = max(abs(want.lo), abs(want.hi))
    if 0 < ends < math.inf:
        most = min(most, math.frexp(ends)[1])
    return min(want.frac, RESULT - most)


def _needed(a: Expr, b: Expr, want: Demand, out: int, square: bool) -> intervals.Interval:
    """The raw range of the result: that in which it is needed, or narrower if the product cannot be so large."""
    right = frac(a) + frac(b) - out
    low, high = (end >> right for end in intervals.apply("mul", [bounds(a), bounds(b)]))
    low = max(low, 0) if square else low
    lo = max(low, math.floor(math.ldexp(want.lo, out))) if math.isfinite(want.lo) else low
    hi = min(high + 1, math.ceil(math.ldexp(want.hi, out))) if math.isfinite(want.hi) else high + 1
    return min(lo, high + 1), max(hi, min(lo, high + 1))


def _rounded(x: Expr, shift: int) -> Expr:
    if shift == 0:
        return x
    if shift > 62:  # all of it is below half a unit
        return literal(0)
    return Round(x, shift, "nearest", Int(*intervals.rounded(bounds(x), shift, "nearest")))


def _labelled(x: Expr, frac_: int) -> Expr:
    assert isinstance(x.type, Int)
    return replace(x, type=replace(x.type, frac=frac_))
