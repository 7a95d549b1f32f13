"""What a constant that follows from parameters may be: its interval, from the declared ranges of these.

Bounds of ints are exact Python integers of 63 bits; those of reals are float64, infinite where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

from neuroport.errors import InternalError
from neuroport.program import functions, whole
from neuroport.program.intervals import Interval, RealInterval
from neuroport.program.ir import Apply, Bool, Const, Expr, Int, Read, with_children
from neuroport.program.printer import expression
from neuroport.program.reach import reach_of
from neuroport.program.whole import LONGEST_SHIFT, TOO_LONG, NoValue

Bounds = tuple[int, int] | tuple[float, float]
RangeOf = Callable[[Read], Bounds]


def bounds(expr: Expr, range_of: RangeOf) -> Bounds:
    """The interval of an expression over parameters, when `range_of` says what each of these may be.

    NoValue where an int may need more than 63 bits.
    """
    if isinstance(expr.type, Bool):
        return 0, 1
    if isinstance(expr.type, Int):
        return _whole(expr, range_of)
    parts: dict[str, Bounds] = {}
    outer = _with_ints_named(expr, range_of, parts)

    def leaf(part: Expr) -> RealInterval:
        if not isinstance(part, Read):
            return -math.inf, math.inf
        return parts[part.array] if part.array in parts else range_of(part)

    return reach_of(outer, leaf)


def _with_ints_named(expr: Expr, range_of: RangeOf, parts: dict[str, Bounds]) -> Expr:
    """The expression with a Read in place of each of its largest parts that are ints: their bounds are exact."""
    if not isinstance(expr.type, Int):
        return with_children(expr, lambda part: _with_ints_named(part, range_of, parts))
    name = f"{len(parts)}"
    parts[name] = _whole(expr, range_of)
    return Read(name, "scalar", expr.type)


def _whole(expr: Expr, range_of: RangeOf) -> Interval:
    low, high = _exact(expr, range_of)
    if low < -(2**63) or high >= 2**63:
        raise NoValue(f"{TOO_LONG} for some values within the declared ranges")
    return low, high


def _exact(expr: Expr, range_of: RangeOf) -> Interval:
    match expr:
        case Const(value=value):
            return int(value), int(value)
        case Read():
            low, high = range_of(expr)
            return int(low), int(high)
        case Apply(fn="mul", args=(one, other)) if one == other:
            low, high = _whole(one, range_of)
            return 0 if low <= 0 <= high else min(low * low, high * high), max(low * low, high * high)
        case Apply(fn="shl" | "shr" as fn, args=(x, bits)):
            return _shifted(fn, _whole(x, range_of), _whole(bits, range_of))
        case Apply(fn="to_int", args=(x,)):
            return _converted(bounds(x, range_of))
        case Apply(fn=fn, args=args):
            return functions.bounds(fn, *(_argument(a, range_of) for a in args))
        case _:
            raise InternalError(f"{expression(expr)} does not depend on parameters alone")


def _converted(x: Bounds) -> Interval:
    """Bounds of what is before the point; NoValue where there is no int of at most 62 bits."""
    return whole.to_int(x[0]), whole.to_int(x[1])


def _argument(expr: Expr, range_of: RangeOf) -> Interval:
    return _whole(expr, range_of) if isinstance(expr.type, Int) else (0, 1)


def _shifted(fn: str, x: Interval, bits: Interval) -> Interval:
    by = [min(max(k, 0), LONGEST_SHIFT) for k in bits]  # a negative number of bits has no value
    corners = [v << k if fn == "shl" else v >> k for v, k in product(x, by)]
    return min(corners), max(corners)
