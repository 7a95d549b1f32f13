"""Exact bounds of integer expressions, and outer bounds of real ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product

from neuroport.program.factors import sign
from neuroport.program.fixed import round_shift
from neuroport.program.ir import Apply, Const, Expr, Rounding

Interval = tuple[int, int]
RealInterval = tuple[float, float]


def hull(*parts: Interval) -> Interval:
    """The smallest interval that holds all of them."""
    return min(p[0] for p in parts), max(p[1] for p in parts)


def rounded(x: Interval, shift: int, mode: Rounding) -> Interval:
    """Bounds of x * 2**-shift rounded. Every mode but `stochastic` is monotone."""
    if mode == "stochastic" and shift > 0:
        lo, hi = (abs(v) >> shift for v in x)
        up = [((abs(v) + (1 << shift) - 1) >> shift) for v in x]
        return (-up[0] if x[0] < 0 else lo), (-hi if x[1] < 0 else up[1])
    return round_shift(x[0], shift, mode), round_shift(x[1], shift, mode)


def trunc_div(a: int, b: int) -> int:
    """The quotient rounded toward zero; 0 for b = 0."""
    if b == 0:
        return 0
    magnitude = abs(a) // abs(b)
    return magnitude if (a < 0) == (b < 0) else -magnitude


def floor_div(a: int, b: int) -> int:
    """Python's a // b; 0 for b = 0."""
    return a // b if b else 0


def round_div(a: int, b: int) -> int:
    """The quotient to the nearest integer, half away from zero; 0 for b = 0."""
    if b == 0:
        return 0
    magnitude = (2 * abs(a) + abs(b)) // (2 * abs(b))
    return magnitude if (a < 0) == (b < 0) else -magnitude


def _quotient(a: Interval, b: Interval, divide: Callable[[int, int], int]) -> Interval:
    divisors = [d for d in (b[0], b[1], -1, 1) if d and b[0] <= d <= b[1]]
    values = [divide(x, d) for x in a for d in divisors]
    if b[0] <= 0 <= b[1]:
        values.append(0)
    if a[0] <= 0 <= a[1]:
        values.append(0)
    return min(values), max(values)


def _modulo(a: Interval, b: Interval) -> Interval:
    parts: list[Interval] = []
    if b[0] <= 0 <= b[1]:
        parts.append((0, 0))
    if b[1] > 0:
        untouched = a[0] >= 0 and b[0] > 0 and a[1] < b[0]
        parts.append(a if untouched else (0, b[1] - 1))
    if b[0] < 0:
        parts.append((b[0] + 1, 0))
    return hull(*parts)


def apply(fn: str, args: Sequence[Interval]) -> Interval:
    """Bounds of a function of FUNCTIONS on integers; comparisons and logic give (0, 1)."""
    a = args[0]
    b = args[1] if len(args) > 1 else (0, 0)
    match fn:
        case "add":
            return a[0] + b[0], a[1] + b[1]
        case "sub":
            return a[0] - b[1], a[1] - b[0]
        case "mul":
            corners = [x * y for x, y in product(a, b)]
            return min(corners), max(corners)
        case "neg":
            return -a[1], -a[0]
        case "abs":
            return (0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))), max(abs(a[0]), abs(a[1]))
        case "min":
            return min(x[0] for x in args), min(x[1] for x in args)
        case "max":
            return max(x[0] for x in args), max(x[1] for x in args)
        case "clip":
            low, high = args[1], args[2]
            return min(max(a[0], low[0]), high[0]), min(max(a[1], low[1]), high[1])
        case "select":
            return hull(args[1], args[2])
        case "floordiv":
            return _quotient(a, b, floor_div)
        case "trunc_div":
            return _quotient(a, b, trunc_div)
        case "round_div":
            return _quotient(a, b, round_div)
        case "mod":
            return _modulo(a, b)
        case "shl":
            return hull(*((x << k, x << k) for x, k in product(a, b)))
        case "shr":
            return hull(*((x >> k, x >> k) for x, k in product(a, b)))
        case "bit_length":
            nearest = 0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))
            return nearest.bit_length(), max(a[0].bit_length(), a[1].bit_length())
        case "wrap":
            lo, hi = -(1 << (b[0] - 1)), (1 << (b[0] - 1)) - 1
            return a if lo <= a[0] and a[1] <= hi else (lo, hi)
        case "to_real":
            return a
        case "lt" | "le" | "gt" | "ge" | "eq" | "ne" | "and" | "or" | "not":
            return 0, 1
    raise ValueError(f"no integer meaning for {fn!r}")


def real(expr: Expr, range_of: Callable[[Expr], RealInterval]) -> RealInterval:
    """Bounds of an expression in real numbers; (-inf, inf) where a divisor or logarithm reaches 0.

    `range_of` gives those of everything that is neither a literal nor a function: reads, names, draws, sums.
    """
    match expr:
        case Const():
            return float(expr.value), float(expr.value)
        case Apply(fn="mul", args=(a, b)) if a == b:
            lo, hi = real(a, range_of)
            return (0.0 if lo <= 0 <= hi else min(lo * lo, hi * hi)), max(lo * lo, hi * hi)
        case Apply(fn="mul", args=(a, b)):
            lo, hi = _real_apply("mul", [real(a, range_of), real(b, range_of)])
            known = sign(a, b, lambda leaf: real(leaf, range_of))
            return (max(lo, 0.0) if known > 0 else lo), (min(hi, 0.0) if known < 0 else hi)
        case Apply(fn="select", args=(condition, one, other)):
            return _hull(real(one, _where(condition, range_of)), real(other, _where(condition, range_of, negated=True)))
        case Apply():
            return _real_apply(expr.fn, [real(a, range_of) for a in expr.args])
        case _:
            return range_of(expr)


def _hull(a: RealInterval, b: RealInterval) -> RealInterval:
    return min(a[0], b[0]), max(a[1], b[1])


def _where(
    condition: Expr, range_of: Callable[[Expr], RealInterval], negated: bool = False
) -> Callable[[Expr], RealInterval]:
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


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-min(abs(x), 700.0)))


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-min(max(x, -700.0), 700.0)))


def _real_apply(fn: str, args: list[RealInterval]) -> RealInterval:
    a = args[0]
    b = args[1] if len(args) > 1 else (0.0, 0.0)
    match fn:
        case "add":
            return a[0] + b[0], a[1] + b[1]
        case "sub":
            return a[0] - b[1], a[1] - b[0]
        case "mul":
            corners = [0.0 if 0 in (x, y) else x * y for x, y in product(a, b)]
            return min(corners), max(corners)
        case "div":
            if b[0] <= 0 <= b[1]:
                return -math.inf, math.inf
            corners = [x / y for x, y in product(a, b)]
            if any(math.isnan(c) for c in corners):
                return -math.inf, math.inf
            return min(corners), max(corners)
        case "neg":
            return -a[1], -a[0]
        case "abs":
            return (0.0 if a[0] <= 0 <= a[1] else min(abs(a[0]), abs(a[1]))), max(abs(a[0]), abs(a[1]))
        case "min":
            return min(x[0] for x in args), min(x[1] for x in args)
        case "max":
            return max(x[0] for x in args), max(x[1] for x in args)
        case "clip":
            return min(max(a[0], args[1][0]), args[2][0]), min(max(a[1], args[1][1]), args[2][1])
        case "select":
            return min(args[1][0], args[2][0]), max(args[1][1], args[2][1])
        case "to_real":
            return a
        case "exp":
            return math.exp(min(a[0], 700.0)), math.exp(min(a[1], 700.0)) if a[1] <= 700 else math.inf
        case "log":
            return (math.log(a[0]), math.log(a[1])) if a[0] > 0 else (-math.inf, math.inf)
        case "sqrt":
            return math.sqrt(max(a[0], 0.0)), math.sqrt(max(a[1], 0.0))
        case "tanh":
            return math.tanh(a[0]), math.tanh(a[1])
        case "sigmoid":
            return _sigmoid(a[0]), _sigmoid(a[1])
        case "softplus":
            return _softplus(a[0]), _softplus(a[1])
        case "floordiv" | "trunc_div" | "round_div":
            lo, hi = _real_apply("div", [a, b])
            return lo - 1, hi + 1
        case "mod":
            most = max(abs(b[0]), abs(b[1]))
            return (0.0 if b[0] >= 0 else -most), (0.0 if b[1] <= 0 else most)
        case "wrap":
            half = 2.0 ** (b[1] - 1)
            return -half, half
        case "lt" | "le" | "gt" | "ge" | "eq" | "ne" | "and" | "or" | "not":
            return 0.0, 1.0
    return -math.inf, math.inf
