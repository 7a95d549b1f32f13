"""Integer tables of functions, with correctly rounded entries.

Entry i of a table is f((base + i * 2**step) * 2**-frac) * 2**out_frac, rounded to the nearest integer (half away from
zero) and saturated to the word. Between entries executors interpolate linearly in integers; the program spells it out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics import detmath
from neuroport.program import functions
from neuroport.program.curves import Curve, tail
from neuroport.program.fixed import fit_frac
from neuroport.program.functions import FUNCTIONS

LN_2 = Decimal("0.693147180559945309417232121458176568075500134360255")
LOG2_E = Decimal("1.442695040888963407359924681001892137426645954152986")

LEAST = Decimal(2) ** -1000
"""What is smaller is 0 in every format."""


@dataclass(frozen=True, eq=False)
class Table:
    """The entries (int64, read-only), their frac, and the largest absolute error of linear interpolation."""

    entries: NDArray[np.int64]
    frac: int
    error: float


TAIL = Curve(
    lambda x: (1 + (-abs(x)).exp()).ln(),
    slope=lambda lo, hi: 0.5,
    largest=1.0,
    flat=lambda frac: (-math.inf, tail(frac)),
)
"""softplus(x) = max(x, 0) + tail(|x|)."""


def curve(fn: str) -> Curve:
    """The curve of a function, or of `tail`."""
    found = TAIL if fn == "tail" else FUNCTIONS[fn].curve
    if found is None:
        raise ValueError(f"no table for {fn!r}")
    return found


def host(fn: str) -> Callable[..., NDArray[np.float64]]:
    """The meaning of a curve on float64 arrays."""
    return (lambda x: detmath.softplus(-abs(x))) if fn == "tail" else functions.host(fn)


def _exact(numerator: int, frac: int) -> Decimal:
    return Decimal(numerator) / Decimal(2) ** frac if frac >= 0 else Decimal(numerator * 2**-frac)


def _argument_context() -> Context:
    return Context(prec=80, Emax=10**9, Emin=-(10**9))


@lru_cache(maxsize=256)
def bounds(fn: str, lo: int, hi: int, frac: int) -> tuple[Fraction, Fraction]:
    """The least and the largest of the function's values between lo and hi * 2**-frac (it is monotone)."""
    with localcontext(_argument_context()):
        values = [curve(fn).value(_exact(x, frac)) for x in (lo, hi)]
    ends = [Fraction(value) if abs(value) >= LEAST else Fraction(0) for value in values]
    return min(ends), max(ends)


@lru_cache(maxsize=256)
def table(fn: str, base: int, step: int, count: int, frac: int, bits: int) -> Table:
    """The table of `count` entries; its frac is the largest for which all of them fit `bits`."""
    ends = bounds(fn, base, base + ((count - 1) << step), frac)
    out = fit_frac(ends[0], ends[1], bits)
    top = 2 ** (bits - 1) - 1
    entries = np.empty(count, dtype=np.int64)
    digits = 30 + max(0, (abs(out) * 3) // 10)
    with localcontext(_argument_context()) as context:
        scale = _exact(1, -out)
        inputs = [_exact(base + (i << step), frac) for i in range(count)]
        context.prec = digits
        for i, x in enumerate(inputs):
            scaled = curve(fn).value(x) * scale
            entries[i] = min(int(scaled.to_integral_value(rounding="ROUND_HALF_UP")), top)
    entries.setflags(write=False)
    return Table(entries, out, _interpolation_error(fn, base, step, frac, entries, out))


@lru_cache(maxsize=16)
def normalised(fn: str, index_bits: int, bits: int) -> NDArray[np.int64]:
    """The entries over one power of two, 2**-index_bits apart, with bits - 1 fractional bits.

    exp: 2**x for x in 0..1 without its end; log: of 1..2; sqrt: of 1/4..1.
    """
    count = 2**index_bits
    first, last = {"exp": (0, count - 1), "log": (count, 2 * count), "sqrt": (count // 4, count)}[fn]
    with localcontext(Context(prec=50)):
        points = [Decimal(i) / count for i in range(first, last + 1)]
        values = [(x * LN_2).exp() if fn == "exp" else curve(fn).value(x) for x in points]
        scaled = [x * 2 ** (bits - 1) for x in values]
        entries = np.array([int(x.to_integral_value(rounding="ROUND_HALF_UP")) for x in scaled], np.int64)
    entries.setflags(write=False)
    return entries


def _interpolation_error(fn: str, base: int, step: int, frac: int, entries: NDArray[np.int64], out: int) -> float:
    if step == 0 or len(entries) < 2:
        return math.ldexp(0.5, -out)
    middle = np.ldexp(base + (np.arange(len(entries) - 1) + 0.5) * float(2**step), -frac)
    with np.errstate(all="ignore"):
        true = host(fn)(middle)
    line = np.ldexp((entries[:-1] + entries[1:]) / 2.0, -out)
    return float(np.abs(line - true).max()) + math.ldexp(1.0, -out)
