"""Integer expressions: their bounds and fracs, literals, and the few forms that several lowerings need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuroport.program import intervals
from neuroport.program.fixed import LIMIT
from neuroport.program.intervals import Interval
from neuroport.program.ir import Apply, Const, Expr, Int, Round


def bounds(expr: Expr) -> Interval:
    """The exact bounds of an integer expression."""
    assert isinstance(expr.type, Int)
    return expr.type.lo, expr.type.hi


def frac(expr: Expr) -> int:
    """The fractional bits of an integer expression."""
    assert isinstance(expr.type, Int)
    return expr.type.frac


def literal(raw: int, frac_: int = 0) -> Const:
    """An integer constant."""
    return Const(raw, Int(raw, raw, frac_))


def fits(*parts: Interval) -> bool:
    """Whether all bounds lie within 62 bits plus sign."""
    return all(lo >= -LIMIT and hi <= LIMIT for lo, hi in parts)


def size(x: Interval) -> int:
    """The largest magnitude of an interval."""
    return max(abs(x[0]), abs(x[1]))


def whole(expr: Expr) -> Expr:
    """The same raw value as a plain int, such as a table offset that counts entries."""
    assert isinstance(expr.type, Int)
    return replace(expr, type=replace(expr.type, frac=0))


def clipped(value: Expr, lo: int, hi: int) -> Expr:
    """A value limited to raw ends at its own frac; the value itself where it cannot be outside."""
    if lo <= bounds(value)[0] and bounds(value)[1] <= hi:
        return value
    ends = intervals.clip(bounds(value), (lo, lo), (hi, hi))
    limits = (literal(lo, frac(value)), literal(hi, frac(value)))
    return Apply("clip", (value, *limits), Int(*ends, frac(value)))


def rounded(x: Expr, shift: int) -> Expr:
    """A plain int times 2**-shift, rounded to nearest; 0 where all of it is below half a unit."""
    if shift == 0:
        return x
    if shift > 62:
        return literal(0)
    return Round(x, shift, "nearest", Int(*intervals.rounded(bounds(x), shift, "nearest")))


def real_ends(x: Expr) -> tuple[float, float]:
    """The bounds of an expression as numbers."""
    with np.errstate(over="ignore"):  # numbers beyond float64 are told as infinite
        lo, hi = (float(np.ldexp(float(end), -frac(x))) for end in bounds(x))
    return lo, hi


def real_range(x: Expr) -> str:
    """The range of an expression as numbers, for messages."""
    lo, hi = real_ends(x)
    return f"{lo:.6g}..{hi:.6g}" if lo < hi else f"{lo:.6g}"
