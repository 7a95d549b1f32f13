"""What a real expression can reach: outer bounds in real numbers, from those of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from neuroport.program import intervals
from neuroport.program.factors import sign
from neuroport.program.functions import FUNCTIONS
from neuroport.program.intervals import RealInterval
from neuroport.program.ir import Apply, Const, Expr, Reduce, Temp

RangeOf = Callable[[Expr], RealInterval]


def reach_of(expr: Expr, range_of: RangeOf) -> RealInterval:
    """Bounds of an expression in real numbers; (-inf, inf) where a divisor or logarithm reaches 0.

    `range_of` gives those of everything that is neither a literal nor a function: reads, names, draws, sums.
    """
    match expr:
        case Const():
            return float(expr.value), float(expr.value)
        case Apply(fn="mul", args=(a, b)) if a == b:
            lo, hi = reach_of(a, range_of)
            return (0.0 if lo <= 0 <= hi else min(lo * lo, hi * hi)), max(lo * lo, hi * hi)
        case Apply(fn="mul", args=(a, b)):
            lo, hi = intervals.real_mul(reach_of(a, range_of), reach_of(b, range_of))
            known = sign(a, b, lambda leaf: reach_of(leaf, range_of))
            return (max(lo, 0.0) if known > 0 else lo), (min(hi, 0.0) if known < 0 else hi)
        case Apply(fn="select", args=(condition, one, other)):
            taken, not_taken = _where(condition, range_of), _where(condition, range_of, negated=True)
            return intervals.hull(reach_of(one, taken), reach_of(other, not_taken))
        case Apply(fn=fn, args=args):
            return FUNCTIONS[fn].reals.bounds(*(reach_of(a, range_of) for a in args))
        case _:
            return range_of(expr)


def reduced(expr: Reduce, x: RealInterval) -> RealInterval:
    """What a reduction reaches whose terms lie in x; of a sum there are `least` to `terms` of them."""
    return intervals.repeated(x, expr.least, expr.terms) if expr.op == "sum" else x


def named(names: Mapping[str, Expr], range_of: RangeOf) -> RangeOf:
    """`range_of` that also knows local names of a body: the reach of what each stands for, found once."""
    known: dict[str, RealInterval] = {}

    def leaf(expr: Expr) -> RealInterval:
        if not isinstance(expr, Temp) or expr.name not in names:
            return range_of(expr)
        if expr.name not in known:
            known[expr.name] = reach_of(names[expr.name], leaf)
        return known[expr.name]

    return leaf


def _where(condition: Expr, range_of: RangeOf, negated: bool = False) -> RangeOf:
    """The ranges of leaves where a condition holds (or does not), if it compares one of them with a literal."""
    match condition:
        case Apply(fn="gt" | "ge" | "lt" | "le" as fn, args=(x, Const(value=value))) if not isinstance(x, Apply):
            above = (fn in ("gt", "ge")) != negated

            def within(leaf: Expr) -> RealInterval:
                lo, hi = range_of(leaf)
                if leaf != x:
                    return lo, hi
                return (
                    (max(lo, float(value)), max(hi, float(value)))
                    if above
                    else (min(lo, float(value)), min(hi, float(value)))
                )

            return within
        case _:
            return range_of
