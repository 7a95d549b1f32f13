"""Elementary functions that give the same bits on every machine.

The numbers a network is built from (tables, derived constants, random draws) must not depend on the machine that
builds it, but `exp` and its like come from the C library or from vector code chosen by the processor, and differ in
the last place. The functions here use nothing but IEEE + - * / and sqrt, comparisons, rounding to an integer and
scaling by powers of two, each a NumPy call of its own, so that no compiler can fuse a multiplication with an addition.
A scalar takes the same path as an array.

All take float64 numbers or arrays and return float64 of the same shape. The largest error found against exact values
is below 0.6 units in the last place (1 where exp is subnormal; normal_quantile: relative 1e-15). Infinities, overflow,
underflow and NaN are as in C; log(0) is -inf and the log of a negative number NaN; no warning is given.

Method: a result is kept as an unevaluated sum of two numbers (Dekker 1971) until the last addition. exp: Cody & Waite
reduction by ln 2, then the power series; log: reduction to [sqrt(1/2), sqrt(2)), then the series of 2 artanh(f/(2+f)).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[Floats, Floats]

_BLOCK = 8192
_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")  # 32 bits: an exact multiple for every exponent
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_SPLIT = 134217729.0  # 2**27 + 1
_SQRT_HALF = float.fromhex("0x1.6a09e667f3bcdp-1")
_EXP_SERIES = tuple(1.0 / f for f in (6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800))
_LOG_SERIES = tuple(2.0 / k for k in range(3, 27, 2))


def _elementwise(function: Callable[[Floats], Floats]) -> Callable[[ArrayLike], Floats]:
    """Apply a function of one-dimensional arrays to numbers and arrays of any shape, block by block."""

    @wraps(function)
    def apply(x: ArrayLike) -> Floats:
        given = np.asarray(x, dtype=np.float64)
        flat = given.reshape(-1)
        out = np.empty_like(flat)
        with np.errstate(all="ignore"):
            for start in range(0, flat.size, _BLOCK):
                out[start : start + _BLOCK] = function(flat[start : start + _BLOCK])
        result: Floats = out.reshape(given.shape)[()]
        return result

    return apply


# ------------------------------------------------------------------------------------------------------ exact pieces


def _two_sum(a: Floats, b: Floats) -> Pair:
    """Return a + b as a rounded sum and its exact error (Knuth)."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


def _two_product(a: Floats, b: Floats) -> Pair:
    """Return a * b as a rounded product and its exact error (Dekker); no overflow or underflow."""
    p = a * b
    t = a * _SPLIT
    ah = t - (t - a)
    al = a - ah
    t = b * _SPLIT
    bh = t - (t - b)
    bl = b - bh
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def _divide(num: Pair, den: Pair) -> Floats:
    """The quotient of two pairs, rounded once up to a few 2**-100."""
    q = num[0] / den[0]
    p, e = _two_product(q, den[0])
    rest: Floats = (((num[0] - p) - e) + num[1]) - q * den[1]
    return q + rest / den[0]


def _power_of_two(k: NDArray[np.int64]) -> Floats:
    """2**k for -1022 <= k <= 1023, made from its bits."""
    return ((k + np.int64(1023)) << np.int64(52)).view(np.float64)


def _polynomial(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    """Horner's rule, lowest coefficient first."""
    total = np.full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        total = total * x + c
    return total


def _exp_reduced(x: Floats) -> tuple[NDArray[np.int64], Pair]:
    """Return k and p = (high, low) with exp(x) = 2**k * (1 + p), for finite x, |x| < 800."""
    n = np.rint(x * _LOG2_E)
    high = x - n * _LN2_HIGH
    low = n * _LN2_LOW
    r = high - low
    r_low = (high - r) - low
    square, square_low = _two_product(r, r)
    s, s_low = _two_sum(r, 0.5 * square)
    tail = (square * r) * _polynomial(r, _EXP_SERIES)
    return n.astype(np.int64), _two_sum(s, s_low + (tail + (0.5 * square_low + (r_low + r_low * r))))


def _exp_pair(x: Floats) -> Pair:
    """exp(x) as a pair, for -700 < x < 700."""
    k, p = _exp_reduced(x)
    s, e = _two_sum(np.ones_like(x), p[0])
    scale = _power_of_two(k)
    return s * scale, (e + p[1]) * scale


def _log_pair(x: Floats) -> Pair:
    """log(x) as a pair, for finite x > 0."""
    tiny = x < float.fromhex("0x1p-1022")
    x = np.where(tiny, x * float.fromhex("0x1p54"), x)
    bits = x.view(np.int64)
    k = (bits >> np.int64(52)) - np.int64(1022)
    m = ((bits & np.int64(0x000FFFFFFFFFFFFF)) | np.int64(0x3FE0000000000000)).view(np.float64)
    low_half = m < _SQRT_HALF
    m = np.where(low_half, m + m, m)
    n = (k - low_half.astype(np.int64)).astype(np.float64) - np.where(tiny, 54.0, 0.0)
    f = m - 1.0
    square, square_low = _two_product(f, f)
    half, half_low = 0.5 * square, 0.5 * square_low
    s = f / (2.0 + f)
    z = s * s
    series = s * (half + z * _polynomial(z, _LOG_SERIES))
    high, e1 = _two_sum(n * _LN2_HIGH, f)
    high, e2 = _two_sum(high, -half)
    low = (e1 + e2) + ((series - half_low) + n * _LN2_LOW)
    return _two_sum(high, low)


def _log1p_pair(x: Floats, x_low: Floats) -> Pair:
    """log(1 + x) as a pair, for a pair x > -1."""
    y, y_low = _two_sum(np.ones_like(x), x)
    high, low = _log_pair(y)
    tiny = np.abs(x) < 1e-6
    near = x_low - x * x * (0.5 - x * (1.0 / 3.0))
    return np.where(tiny, x, high), np.where(tiny, near, low + (y_low + x_low) / y)


# ---------------------------------------------------------------------------------------------------- the functions


@_elementwise
def exp(x: Floats) -> Floats:
    """e**x."""
    nan = np.isnan(x)
    k, p = _exp_reduced(np.clip(np.where(nan, 0.0, x), -746.0, 710.0))
    s, e = _two_sum(np.ones_like(x), p[0])
    first = k >> np.int64(1)
    result = ((s + (e + p[1])) * _power_of_two(first)) * _power_of_two(k - first)
    return np.where(nan, x, result)


@_elementwise
def log(x: Floats) -> Floats:
    """The natural logarithm."""
    proper = (x > 0.0) & (x < np.inf)
    high, low = _log_pair(np.where(proper, x, 1.0))
    special = np.where(x == 0.0, -np.inf, np.where(x < 0.0, np.nan, x))
    return np.where(proper, high + low, special)


@_elementwise
def log1p(x: Floats) -> Floats:
    """log(1 + x), also where x is so small that 1 + x is not it."""
    proper = (x > -1.0) & (x < np.inf)
    high, low = _log1p_pair(np.where(proper, x, 1.0), np.zeros_like(x))
    special = np.where(x == -1.0, -np.inf, np.where(x < -1.0, np.nan, x))
    return np.where(proper & (x != 0.0), high + low, special)


@_elementwise
def sqrt(x: Floats) -> Floats:
    """The square root, correctly rounded as IEEE demands."""
    return np.sqrt(x)


@_elementwise
def tanh(x: Floats) -> Floats:
    """The hyperbolic tangent."""
    size = np.abs(x)
    small = ~(size >= 1e-9)
    k, p = _exp_reduced(-2.0 * np.clip(np.where(small, 1.0, size), 0.0, 22.0))
    scale = _power_of_two(k)
    whole, whole_low = _two_sum(scale, -np.ones_like(x))
    t, e = _two_sum(whole, scale * p[0])  # t = exp(-2 |x|) - 1
    e = e + (whole_low + scale * p[1])
    d, d_low = _two_sum(np.full_like(x, 2.0), t)
    value = _divide((-t, -e), (d, d_low + e))
    return np.where(small, x, np.copysign(value, x))


@_elementwise
def exprel(x: Floats) -> Floats:
    """(exp(x) - 1) / x, and 1 at 0. Scaled by 2**-64 on the way, as exp(x) alone would be too large."""
    inner = (np.abs(x) >= 1e-9) & (x < 720.0)
    size = np.where(inner, x, 1.0)
    k, p = _exp_reduced(np.maximum(size, -45.0))
    scale = _power_of_two(k - np.int64(64))
    whole, whole_low = _two_sum(scale, np.full_like(x, -(2.0**-64)))
    t, e = _two_sum(whole, scale * p[0])
    far = size < -45.0  # the numerator is -1
    value = np.where(far, -1.0 / size, _divide((t, e + (whole_low + scale * p[1])), (size, np.zeros_like(x))) * 2.0**64)
    return np.where(inner, value, np.where(x >= 720.0, np.inf, 1.0 + 0.5 * x))


@_elementwise
def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x))."""
    nan = np.isnan(x)
    size = np.where(nan, 0.0, np.minimum(np.abs(x), 40.0))
    t, e = _exp_pair(-size)
    d, d_low = _two_sum(np.ones_like(x), t)
    upper = x >= 0.0
    value = _divide((np.where(upper, 1.0, t), np.where(upper, 0.0, e)), (d, d_low + e))
    return np.where(nan, x, np.where(x < -40.0, exp(x), value))


@_elementwise
def softplus(x: Floats) -> Floats:
    """log(1 + exp(x))."""
    nan = np.isnan(x)
    t, e = _exp_pair(-np.where(nan, 0.0, np.minimum(np.abs(x), 40.0)))
    high, low = _log1p_pair(t, e)
    total, rest = _two_sum(np.where(x > 0.0, np.minimum(x, 1e300), 0.0), high)
    value = np.where(x == np.inf, x, total + (rest + low))
    value = np.where(x >= 1e300, x, value)
    return np.where(nan, x, np.where(x < -40.0, exp(x), value))


# Wichura (1988), Algorithm AS 241, Applied Statistics 37, 477-484: numerators and denominators of PPND16.
_CENTRE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_MIDDLE = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)  # fmt: skip
_TAIL = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def _ratio(x: Floats, both: tuple[tuple[float, ...], tuple[float, ...]]) -> Floats:
    return _polynomial(x, both[0]) / _polynomial(x, both[1])


@_elementwise
def normal_quantile(p: Floats) -> Floats:
    """The number that a standard normal variable stays below with probability p; NaN outside 0..1."""
    inside = (p > 0.0) & (p < 1.0)
    q = np.where(inside, p, 0.5) - 0.5
    result = q * _ratio(0.180625 - q * q, _CENTRE)
    outer = np.abs(q) > 0.425
    if outer.any():
        side = q[outer]
        r = sqrt(-log(np.where(side < 0.0, p[outer], 1.0 - p[outer])))
        far = np.where(r <= 5.0, _ratio(r - 1.6, _MIDDLE), _ratio(r - 5.0, _TAIL))
        result[outer] = np.copysign(far, side)
    special = np.where(p == 0.0, -np.inf, np.where(p == 1.0, np.inf, np.nan))
    return np.where(inside, result, special)
