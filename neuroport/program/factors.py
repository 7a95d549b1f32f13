"""Products by their factors: their sign where equal factors pair up, and powers of one expression."""

from __future__ import annotations

from collections.abc import Callable

from neuroport.program.ir import Apply, Expr

Ends = tuple[float, float]


def sign(a: Expr, b: Expr, ends: Callable[[Expr], Ends]) -> int:
    """1 if a * b cannot be negative, -1 if it cannot be positive, 0 if neither is known.

    Equal factors in pairs are not negative, whatever they are; `ends` gives the range of the others.
    """
    known, leaves = _factors(a)
    more, others = _factors(b)
    known *= more
    single: list[Expr] = []
    for leaf in leaves + others:
        if leaf in single:
            single.remove(leaf)
        else:
            single.append(leaf)
    for leaf in single:
        lo, hi = ends(leaf)
        known *= 1 if lo >= 0 else -1 if hi <= 0 else 0
    return known


def _factors(expr: Expr) -> tuple[int, list[Expr]]:
    match expr:
        case Apply(fn="mul", args=(a, b)):
            one, first = _factors(a)
            other, second = _factors(b)
            return one * other, first + second
        case Apply(fn="neg", args=(x,)):
            known, leaves = _factors(x)
            return -known, leaves
        case _:
            return 1, [expr]


def power(expr: Expr) -> tuple[Expr, int]:
    """The expression as a power of another one: x * x * x is (x, 3), anything else (itself, 1)."""
    if isinstance(expr, Apply) and expr.fn == "mul":
        (base, n), (other, m) = power(expr.args[0]), power(expr.args[1])
        if base == other:
            return base, n + m
    return expr, 1
