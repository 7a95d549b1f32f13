"""How large the results of functions can get: exact bounds of ints, outer bounds of real numbers.

`program.functions` names the rules of each entry; those of expressions follow in `program.reach`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import TypeVar

from neuroport.program import whole
from neuroport.program.fixed import round_shift
from neuroport.program.ir import Rounding

Interval = tuple[int, int]
RealInterval = tuple[float, float]
N = TypeVar("N", int, float)

UNLIMITED: RealInterval = (-math.inf, math.inf)


def rounded(x: Interval, shift: int, mode: Rounding) -> Interval:
    """Bounds of x * 2**-shift rounded. Every mode but `stochastic` is monotone."""
    if mode == "stochastic" and shift > 0:
        lo, hi = (abs(v) >> shift for v in x)
        up = [((abs(v) + (1 << shift) - 1) >> shift) for v in x]
        return (-up[0] if x[0] < 0 else lo), (-hi if x[1] < 0 else up[1])
    return round_shift(x[0], shift, mode), round_shift(x[1], shift, mode)


# -------------------------------------------------------------------------------------------- of ints and real numbers


def hull(*parts: tuple[N, N]) -> tuple[N, N]:
    """The smallest interval that holds all of them."""
    return min(p[0] for p in parts), max(p[1] for p in parts)


def repeated(x: tuple[N, N], least: int, most: int) -> tuple[N, N]:
    """Bounds of a sum of `least` to `most` terms."""
    return hull((x[0] * least, x[1] * least), (x[0] * most, x[1] * most))


def same(x: tuple[N, N]) -> tuple[N, N]:
    """Those of a function that changes nothing."""
    return x


def add(a: tuple[N, N], b: tuple[N, N]) -> tuple[N, N]:
    """Bounds of a + b."""
    return a[0] + b[0], a[1] + b[1]


def sub(a: tuple[N, N], b: tuple[N, N]) -> tuple[N, N]:
    """Bounds of a - b."""
    return a[0] - b[1], a[1] - b[0]


def neg(x: tuple[N, N]) -> tuple[N, N]:
    """Bounds of -x."""
    return -x[1], -x[0]


def least(*parts: tuple[N, N]) -> tuple[N, N]:
    """Bounds of the smallest."""
    return min(p[0] for p in parts), min(p[1] for p in parts)


def most(*parts: tuple[N, N]) -> tuple[N, N]:
    """Bounds of the largest."""
    return max(p[0] for p in parts), max(p[1] for p in parts)


def clip(x: tuple[N, N], low: tuple[N, N], high: tuple[N, N]) -> tuple[N, N]:
    """Bounds of min(max(x, low), high)."""
    return min(max(x[0], low[0]), high[0]), min(max(x[1], low[1]), high[1])


def select(_: tuple[N, N], one: tuple[N, N], other: tuple[N, N]) -> tuple[N, N]:
    """Bounds of one of two."""
    return hull(one, other)


# ------------------------------------------------------------------------------------------------------------- of ints


def truth(*_: Interval) -> Interval:
    """Those of a condition."""
    return 0, 1


def mul(a: Interval, b: Interval) -> Interval:
    """Bounds of a * b."""
    corners = [x * y for x, y in product(a, b)]
    return min(corners), max(corners)


def magnitude(x: Interval) -> Interval:
    """Bounds of |x|."""
    return (0 if x[0] <= 0 <= x[1] else min(abs(x[0]), abs(x[1]))), max(abs(x[0]), abs(x[1]))


def floor_div(a: Interval, b: Interval) -> Interval:
    """Bounds of a // b."""
    return _quotient(a, b, whole.floor_div)


def trunc_div(a: Interval, b: Interval) -> Interval:
    """Bounds of the quotient rounded toward zero."""
    return _quotient(a, b, whole.trunc_div)


def round_div(a: Interval, b: Interval) -> Interval:
    """Bounds of the quotient rounded to the nearest."""
    return _quotient(a, b, whole.round_div)


def _quotient(a: Interval, b: Interval, divide: Callable[[int, int], int]) -> Interval:
    divisors = [d for d in (b[0], b[1], -1, 1) if d and b[0] <= d <= b[1]]
    values = [divide(x, d) for x in a for d in divisors]
    if b[0] <= 0 <= b[1]:
        values.append(0)
    if a[0] <= 0 <= a[1]:
        values.append(0)
    return min(values), max(values)


def mod(a: Interval, b: Interval) -> Interval:
    """Bounds of a % b."""
    parts: list[Interval] = []
    if b[0] <= 0 <= b[1]:
        parts.append((0, 0))
    if b[1] > 0:
        untouched = a[0] >= 0 and b[0] > 0 and a[1] < b[0]
        parts.append(a if untouched else (0, b[1] - 1))
    if b[0] < 0:
        parts.append((b[0] + 1, 0))
    return hull(*parts)


def shl(x: Interval, bits: Interval) -> Interval:
    """Bounds of x << bits."""
    return hull(*((v << k, v << k) for v, k in product(x, bits)))


def shr(x: Interval, bits: Interval) -> Interval:
    """Bounds of x >> bits."""
    return hull(*((v >> k, v >> k) for v, k in product(x, bits)))


def bit_length(x: Interval) -> Interval:
    """Bounds of the number of bits of |x|."""
    nearest = 0 if x[0] <= 0 <= x[1] else min(abs(x[0]), abs(x[1]))
    return nearest.bit_length(), max(x[0].bit_length(), x[1].bit_length())


def wrap(x: Interval, bits: Interval) -> Interval:
    """Bounds of the lowest bits as a number of two's complement."""
    lo, hi = -(1 << (bits[0] - 1)), (1 << (bits[0] - 1)) - 1
    return x if lo <= x[0] and x[1] <= hi else (lo, hi)


# ---------------------------------------------------------------------------------------------------- of real numbers


def unlimited(*_: RealInterval) -> RealInterval:
    """Those of which nothing is known."""
    return UNLIMITED


def real_truth(*_: RealInterval) -> RealInterval:
    """Those of a condition."""
    return 0.0, 1.0


def real_mul(a: RealInterval, b: RealInterval) -> RealInterval:
    """Bounds of a * b; nothing times what is unlimited is 0."""
    corners = [0.0 if 0 in (x, y) else x * y for x, y in product(a, b)]
    return min(corners), max(corners)


def real_div(a: RealInterval, b: RealInterval) -> RealInterval:
    """Bounds of a / b; none where b reaches 0."""
    if b[0] <= 0 <= b[1]:
        return UNLIMITED
    corners = [x / y for x, y in product(a, b)]
    return UNLIMITED if any(math.isnan(c) for c in corners) else (min(corners), max(corners))


def real_whole_div(a: RealInterval, b: RealInterval) -> RealInterval:
    """Bounds of a quotient rounded to a whole number in any way."""
    lo, hi = real_div(a, b)
    return lo - 1, hi + 1


def real_mod(_: RealInterval, b: RealInterval) -> RealInterval:
    """Bounds of a remainder with the sign of b."""
    most = max(abs(b[0]), abs(b[1]))
    return (0.0 if b[0] >= 0 else -most), (0.0 if b[1] <= 0 else most)


def real_magnitude(x: RealInterval) -> RealInterval:
    """Bounds of |x|."""
    return (0.0 if x[0] <= 0 <= x[1] else min(abs(x[0]), abs(x[1]))), max(abs(x[0]), abs(x[1]))


def real_wrap(_: RealInterval, bits: RealInterval) -> RealInterval:
    """Bounds of the lowest bits as a number of two's complement."""
    half = 2.0 ** (bits[1] - 1)
    return -half, half


def rising(function: Callable[[float], float]) -> Callable[[RealInterval], RealInterval]:
    """The rule of a function that does not fall: its values at the ends."""

    def rule(x: RealInterval) -> RealInterval:
        return function(x[0]), function(x[1])

    return rule


def exp(x: RealInterval) -> RealInterval:
    """Bounds of an exponential."""
    return math.exp(min(x[0], 700.0)), math.exp(min(x[1], 700.0)) if x[1] <= 700 else math.inf


def _exprel(x: float) -> float:
    if x == 0:
        return 1.0
    return math.inf if x > 700 else math.expm1(x) / x


exprel = rising(_exprel)


def log(x: RealInterval) -> RealInterval:
    """Bounds of a logarithm; none where x reaches 0."""
    return (math.log(x[0]), math.log(x[1])) if x[0] > 0 else UNLIMITED


def sqrt(x: RealInterval) -> RealInterval:
    """Bounds of a square root, of what is not negative in x."""
    return math.sqrt(max(x[0], 0.0)), math.sqrt(max(x[1], 0.0))


def to_int(x: RealInterval) -> RealInterval:
    """Bounds of what stands before the point, held within 62 bits."""
    most = float(whole.MOST)
    return float(math.trunc(min(max(x[0], -most), most))), float(math.trunc(min(max(x[1], -most), most)))


floor = rising(lambda x: float(math.floor(x)) if math.isfinite(x) else x)
tanh = rising(math.tanh)
sigmoid = rising(lambda x: math.exp(x) if x < -700 else 1 / (1 + math.exp(-x)))
softplus = rising(lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))))
