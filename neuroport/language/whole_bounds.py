"""Whole numbers in model texts: how large they can become, as far as declared ranges and literals tell.

A shift goes by 0 to 62 bits, and no value may need more than 64: what the ranges say to go further is refused on every
arithmetic, where the text is read. Whole numbers without a range are unknown, and so is what follows from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from neuroport.program import functions, intervals
from neuroport.program.intervals import Interval, RealInterval
from neuroport.program.ir import Apply, Const, Expr, Int, Read, Temp, walk
from neuroport.program.names import ITEM_STEP, LENGTH, STEP
from neuroport.program.reach import reach_of

UNKNOWN: Interval = (-(2**63), 2**63 - 1)
COUNTERS = (STEP, ITEM_STEP, LENGTH)
LAST_STEP = 2**24
"""Steps are counted up to here."""
MOST_BITS = 62


def bounds(expr: Expr, lets: Mapping[str, Interval]) -> Interval:
    """The bounds of a whole number; `lets` has the bounds of names. UNKNOWN where the ranges do not tell."""
    match expr:
        case Const():
            return int(expr.value), int(expr.value)
        case Temp(name=name) if name in lets:
            return lets[name]
        case Read(array=array) if array in COUNTERS:
            return 0, LAST_STEP
        case Apply(fn="to_int", args=(x,)):
            return _converted(reach_of(x, lambda leaf: _reach(leaf, lets)))
        case Apply(fn=fn, args=args) if isinstance(expr.type, Int) and fn != "select":
            return _applied(fn, [bounds(a, lets) for a in args])
        case Apply(fn="select", args=(_, one, other)) if isinstance(expr.type, Int):
            return intervals.hull(bounds(one, lets), bounds(other, lets))
    if isinstance(expr.type, Int):
        return expr.type.lo, expr.type.hi
    return UNKNOWN


def _converted(x: RealInterval) -> Interval:
    """What an int can be that is made of a real number, where text and ranges tell both of its ends."""
    if not (math.isfinite(x[0]) and math.isfinite(x[1])):
        return UNKNOWN
    lo, hi = intervals.to_int(x)
    return int(lo), int(hi)


def _reach(leaf: Expr, lets: Mapping[str, Interval]) -> RealInterval:
    """The bounds of an int among real numbers; of what is real nothing is known."""
    found = bounds(leaf, lets) if isinstance(leaf.type, Int) else UNKNOWN
    return intervals.UNLIMITED if unknown(found) else (float(found[0]), float(found[1]))


def _applied(fn: str, args: list[Interval]) -> Interval:
    if fn in ("shl", "shr") and not 0 <= args[1][0] <= args[1][1] <= MOST_BITS:
        return UNKNOWN
    lo, hi = functions.bounds(fn, *args)
    if any(map(unknown, args)):
        return max(lo, UNKNOWN[0]), min(hi, UNKNOWN[1])
    return lo, hi


def unknown(x: Interval) -> bool:
    """Whether the ranges do not tell one of the ends."""
    return x[0] <= UNKNOWN[0] or x[1] >= UNKNOWN[1]


def too_large(expr: Expr, lets: Mapping[str, Interval]) -> Interval | None:
    """The bounds of a value that 64 bits do not hold; None when they do, or when it is unknown."""
    lo, hi = bounds(expr, lets)
    return (lo, hi) if lo < UNKNOWN[0] or hi > UNKNOWN[1] else None


def count(expr: Expr, lets: Mapping[str, Interval]) -> Expr | Interval:
    """A number of bits to shift by, as every arithmetic can take it; or its bounds, where they are not inside 0..62.

    A variable stays inside its declared range on chips only, so on the others it is limited here.
    """
    lo, hi = bounds(expr, lets)
    if not 0 <= lo <= hi <= MOST_BITS:
        return lo, hi
    if not any(isinstance(part, Read | Temp) for part in walk(expr)):
        return expr
    ends = (Const(0, Int(0, 0)), Const(MOST_BITS, Int(MOST_BITS, MOST_BITS)))
    return Apply("clip", (expr, *ends), Int(0, MOST_BITS))
