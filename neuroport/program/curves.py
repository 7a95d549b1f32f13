"""Functions of one variable as tables need them: right to every digit, and where they matter.

A chip has no exp; the quantiser makes a table of integers of it (rule 7 of docs/arithmetic.md). What it must know for
that of a function that only rises or only falls is its Curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from neuroport.program.intervals import RealInterval


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a function has values: from the raw argument `least` on. `remedy`: how a text keeps its argument there."""

    least: int
    remedy: str


POSITIVE = Domain(1, "keep it above 0, for example with max(x, 0.001)")
NOT_NEGATIVE = Domain(0, "keep it from going below 0, for example with max(x, 0)")


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of one variable that only rises or only falls.

    value: right to the digits of the decimal context.
    slope: how steep it is at most between two arguments: so much finer must the argument be than the result.
    largest: the largest magnitude of a value; infinite if it grows with its argument.
    flat: beyond which arguments it differs from its limits by less than a quarter of 2**-frac; None: it has none.
    domain: None: every number.
    """

    value: Callable[[Decimal], Decimal]
    slope: Callable[[float, float], float]
    largest: float = math.inf
    flat: Callable[[int], RealInterval] | None = None
    domain: Domain | None = None


def tail(frac: int) -> float:
    """The x for which exp(-x) is a quarter of 2**-frac."""
    return (frac + 2) * math.log(2)


FARTHEST = Decimal(10**4)
"""Beyond this argument tanh and the logistic function differ from their limits in no digit of any context."""


def _near(x: Decimal) -> Decimal:
    """The argument, or one with the same value of a function that is flat beyond FARTHEST."""
    return min(max(x, -FARTHEST), FARTHEST)


def _tanh(x: Decimal) -> Decimal:
    grown = (2 * abs(_near(x))).exp()
    return ((grown - 1) / (grown + 1)).copy_sign(x)


def _exprel(x: Decimal) -> Decimal:
    if not x:
        return Decimal(1)
    with localcontext() as context:
        context.prec += max(0, -x.adjusted()) + 1  # so many digits are lost in the difference
        quotient = (max(x, -FARTHEST).exp() - 1) / x
    return +quotient


def _slope_of_exprel(_: float, hi: float) -> float:
    """It is steeper the larger its argument is."""
    if abs(hi) < 1e-3:
        return 0.5 + max(hi, 0.0)
    grown = math.exp(min(hi, 700.0))
    return (grown * (hi - 1) + 1) / hi**2


def _both_tails(frac: int) -> RealInterval:
    return -tail(frac), tail(frac)


def _lower_tail(frac: int) -> RealInterval:
    return -tail(frac), math.inf


def _half_tails(frac: int) -> RealInterval:
    half = (tail(frac) + 1) / 2
    return -half, half


EXP = Curve(Decimal.exp, slope=lambda lo, hi: math.exp(min(hi, 700.0)), flat=_lower_tail)
EXPREL = Curve(_exprel, slope=_slope_of_exprel)
LOG = Curve(Decimal.ln, slope=lambda lo, hi: 1 / lo if lo > 0 else math.inf, domain=POSITIVE)
SQRT = Curve(Decimal.sqrt, slope=lambda lo, hi: 0.5 / math.sqrt(lo) if lo > 0 else math.inf, domain=NOT_NEGATIVE)
TANH = Curve(_tanh, slope=lambda lo, hi: 1.0, largest=1.0, flat=_half_tails)
SIGMOID = Curve(lambda x: 1 / (1 + (-_near(x)).exp()), slope=lambda lo, hi: 0.25, largest=1.0, flat=_both_tails)
SOFTPLUS = Curve(lambda x: max(x, Decimal(0)) + (1 + (-abs(x)).exp()).ln(), slope=lambda lo, hi: 1.0, flat=_lower_tail)
