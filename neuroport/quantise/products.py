"""Products that do not fit the widest word, computed in two halves (rule 3 of docs/arithmetic.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from neuroport.program import intervals
from neuroport.program.factors import sign
from neuroport.program.ir import Expr, Int
from neuroport.quantise.demand import Demand
from neuroport.quantise.integers import bounds, clipped, frac, literal, rounded, size, whole

if TYPE_CHECKING:
    from neuroport.quantise.expressions import IntegerForm

WIDEST = 61
"""Bits of the product of either half."""
RESULT = 58
"""Bits of the result in the range in which it is needed."""


def in_halves(lowerer: IntegerForm, a: Expr, b: Expr, wants: Sequence[Demand], want: Demand) -> Expr:
    """The product a * b in the range in which it is needed, with the fractional bits that are needed of it.

    Where both together are too much for one word, the range goes first.

    a = high * 2**k + low, and a * b = (high * b) * 2**k + low * b: each is rounded, to nearest, to the frac of the
    result before they are added. Operands that together are too long for this are rounded off first.
    """
    square, known = a == b, sign(a, b, bounds)
    before = frac(a), frac(b)
    a, b = _fitting(lowerer, a, b, wants)
    if dropped := sum(before) - frac(a) - frac(b):
        lowerer.width("a product", dropped)
    if any(_missing(frac(x), f, w) for x, f, w in zip((a, b), before, wants, strict=True)):
        lowerer.too_wide("a product", [a, b], want)
    b = a if square else b
    a, b = (a, b) if _bits(a) >= _bits(b) else (b, a)
    a = lowerer.name(a)
    b = a if square else lowerer.name(b)
    k = WIDEST - _bits(b)
    high = lowerer.made("mul", lowerer.made("shr", whole(a), literal(k)), whole(b))
    low = lowerer.made("mul", lowerer.made("mod", whole(a), literal(2**k)), whole(b))
    full = frac(a) + frac(b)
    out = min(_frac(a, b, want), full)
    if _missing(out, full, want):
        lowerer.too_wide("a product", [a, b], want)
    rest = rounded(low, full - out)
    up = out - (full - k)
    lo, hi = _needed(a, b, want, out, known)
    if up <= 0:
        total = lowerer.made("add", rounded(high, -up), rest)
    else:
        slack = size(bounds(rest))
        high = clipped(high, (lo - slack) >> up, -((-hi - slack) >> up))
        total = lowerer.made("add", lowerer.made("shl", high, literal(up)), rest)
    return _labelled(clipped(total, lo, hi), out)


def _fitting(lowerer: IntegerForm, a: Expr, b: Expr, wants: Sequence[Demand]) -> tuple[Expr, Expr]:
    """The operands, rounded so far that halves of one times the other fit: the one with more to spare first."""
    bits, fracs = [_bits(a), _bits(b)], [frac(a), frac(b)]
    least = [0 if w.least is None else w.least for w in wants]
    while 2 * min(bits) + max(bits) > 2 * WIDEST:
        k = 0 if (fracs[0] - least[0], bits[0]) >= (fracs[1] - least[1], bits[1]) else 1
        bits[k], fracs[k] = bits[k] - 1, fracs[k] - 1
    return lowerer.scale(a, fracs[0], "width", "nearest"), lowerer.scale(b, fracs[1], "width", "nearest")


def _bits(x: Expr) -> int:
    return size(bounds(x)).bit_length()


def _frac(a: Expr, b: Expr, want: Demand) -> int:
    """The frac that is needed, as far as the range leaves room for it."""
    assert want.frac is not None
    most = size(intervals.mul(bounds(a), bounds(b))).bit_length() - frac(a) - frac(b)
    ends = max(abs(want.lo), abs(want.hi))
    if 0 < ends < math.inf:
        most = min(most, math.frexp(ends)[1])
    return min(want.frac, RESULT - most)


def _missing(frac_: int, exact: int, want: Demand) -> bool:
    """Whether a value that is exact with so many fractional bits has fewer than it needs."""
    return want.least is not None and frac_ < min(want.least, exact)


def _needed(a: Expr, b: Expr, want: Demand, out: int, known: int) -> intervals.Interval:
    """The raw range of the result: that in which it is needed, or narrower if the product cannot be so large."""
    right = frac(a) + frac(b) - out
    low, high = (end >> right for end in intervals.mul(bounds(a), bounds(b)))
    low, high = (max(low, 0) if known > 0 else low), (min(high, 0) if known < 0 else high + 1)
    lo = max(low, math.floor(math.ldexp(want.lo, out))) if _reached(want.lo, out) else low
    hi = min(high, math.ceil(math.ldexp(want.hi, out))) if _reached(want.hi, out) else high
    return min(lo, high), max(hi, min(lo, high))


def _reached(end: float, out: int) -> bool:
    return math.isfinite(end) and math.frexp(end)[1] + out <= 62


def _labelled(x: Expr, frac_: int) -> Expr:
    assert isinstance(x.type, Int)
    return replace(x, type=replace(x.type, frac=frac_))
