"""Quotients of two variables in integers (rule 6 of docs/arithmetic.md)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from neuroport.program.fixed import LIMIT, fit_frac
from neuroport.program.ir import Expr, Int
from neuroport.quantise.demand import SMALL, Demand, exponent
from neuroport.quantise.integers import bounds, frac, literal, real_ends, size, whole
from neuroport.quantise.normalised import PLAIN_FRAC, cut, shifted, shifted_left, wanted

if TYPE_CHECKING:
    from neuroport.quantise.expressions import IntegerForm

DIVIDEND_BITS = 62
"""Bits of a dividend: those of the quotient and those of the divisor together."""
DIVISOR_BITS = 31
"""Bits to which a divisor over a wide range is brought, by its leading one; a dividend gets the rest of 60."""
QUOTIENT_BITS = 58
"""Bits of the largest result: its leading 29 are computed, the rest are 0."""
SIGNIFICANT = 16
"""Bits that the smallest divisor must keep."""


def quotient(lowerer: IntegerForm, a: Expr, b: Expr, want: Demand) -> Expr:
    """The quotient a / b; 0 where b is 0.

    One integer division where it gives what is needed: of a dividend shifted left as far as `tables.bits` of the
    quotient ask for. Else both are brought to full words by their leading ones, divided, and shifted back.
    """
    if bounds(b)[0] <= 0 <= bounds(b)[1]:
        return _guarded(lowerer, a, b, want)
    plain = _Plain(lowerer, a, b)
    good = plain.keeps >= SIGNIFICANT and plain.frac >= wanted(want)
    if good or lowerer.shared.chip.tables == "uniform":
        return plain.expr(lowerer)
    return _normalised(lowerer, a, b, want)


class _Plain:
    """How a plain integer division would be made, and how good it would be."""

    def __init__(self, lowerer: IntegerForm, a: Expr, b: Expr) -> None:
        self.a, self.b = a, b
        bits = lowerer.shared.chip.table_bits
        smallest, most = min(abs(end) for end in bounds(b)), size(bounds(a))
        room = size(bounds(b)).bit_length() - (DIVIDEND_BITS - bits)
        self.dropped = max(0, min(room, smallest.bit_length() - 1))
        self.keeps = smallest.bit_length() - self.dropped if self.dropped else 64
        fa, fb = frac(a), frac(b) - self.dropped
        largest = Fraction(max(most, 1), max(1, smallest >> self.dropped)) / Fraction(2) ** (fa - fb)
        self.shift = max(0, fit_frac(-largest, largest, bits) - fa + fb)
        while self.shift and most << self.shift > LIMIT:
            self.shift -= 1
        self.frac = fa + self.shift - fb

    def expr(self, lowerer: IntegerForm) -> Expr:
        """The division."""
        if self.dropped:
            lowerer.width("a division", self.dropped)
        b = lowerer.scale(self.b, frac(self.b) - self.dropped, "width") if self.dropped else self.b
        a = lowerer.scale(self.a, frac(self.a) + self.shift, "width")
        return lowerer.made("round_div", a, b, frac_=self.frac)


def _guarded(lowerer: IntegerForm, a: Expr, b: Expr, want: Demand) -> Expr:
    """A quotient in the range in which it is needed, of any divisor."""
    b = lowerer.name(b)
    divisor = lowerer.made("max", lowerer.made("abs", b, frac_=frac(b)), literal(1, frac(b)), frac_=frac(b))
    largest = exponent(real_ends(a))
    fine = (wanted(want) + PLAIN_FRAC) // 2  # range and steps share one word
    most = 2.0 ** (largest + max(SMALL, min(frac(b), QUOTIENT_BITS - 2 - fine - largest)))
    ends = max(-most, min(want.lo, -want.hi)), min(most, max(want.hi, -want.lo))
    lowerer.shared.notes.line(
        lowerer.label,
        "division",
        f"a division by what may be 0 stands under a condition; where the divisor is 0 the quotient is 0, and it is "
        f"held within {ends[0]:.6g}..{ends[1]:.6g}",
    )
    found = lowerer.name(_normalised(lowerer, a, divisor, replace(want, lo=ends[0], hi=ends[1])))
    signed = lowerer.chosen(lowerer.compared("lt", b, 0), lowerer.made("neg", found, frac_=frac(found)), found)
    return lowerer.chosen(lowerer.compared("eq", b, 0), literal(0, frac(found)), signed)


def _normalised(lowerer: IntegerForm, a: Expr, b: Expr, want: Demand) -> Expr:
    if bounds(b)[0] < 0:
        a, b = (lowerer.made("neg", x, frac_=frac(x)) for x in (a, b))
    a, b = lowerer.name(_at_most(lowerer, a, DIVIDEND_BITS - 2)), lowerer.name(b)
    lo, hi, out = _result(lowerer, a, b, want)
    na, nb = (lowerer.name(lowerer.made("bit_length", whole(x))) for x in (a, b))
    top = DIVIDEND_BITS - 2
    up = lowerer.made("sub", literal(top), na)
    least = 0 if bounds(a)[0] >= 0 else -(2**top)
    dividend = shifted_left(whole(a), up, Int(least, 2**top))
    divisor = _leading(lowerer, b, nb)
    ratio = lowerer.made("round_div", dividend, divisor)
    # a / b = ratio * 2**(na - nb - (top - DIVISOR_BITS) - frac(a) + frac(b))
    fixed = top - DIVISOR_BITS + frac(a) - frac(b) - out
    right = lowerer.made("add", literal(fixed), lowerer.made("sub", nb, na))
    return cut(shifted(lowerer, ratio, right, out), lo, hi)


def _at_most(lowerer: IntegerForm, x: Expr, bits: int) -> Expr:
    """The value rounded to so many bits."""
    over = size(bounds(x)).bit_length() - bits
    return lowerer.scale(x, frac(x) - over, "width", "toward_zero") if over > 0 else x


def _leading(lowerer: IntegerForm, b: Expr, bits: Expr) -> Expr:
    """A positive value shifted so that its leading one is the top bit of DIVISOR_BITS."""
    width = max(DIVISOR_BITS, bounds(b)[1].bit_length())
    up = lowerer.made("sub", literal(width), bits)
    full = shifted_left(whole(b), up, Int(2 ** (width - 1), 2**width - 1))
    return lowerer.made("shr", full, literal(width - DIVISOR_BITS)) if width > DIVISOR_BITS else full


def _result(lowerer: IntegerForm, a: Expr, b: Expr, want: Demand) -> tuple[Fraction, Fraction, int]:
    """The range in which the quotient is needed, and its frac."""
    scale = Fraction(2) ** (frac(b) - frac(a))
    corners = [Fraction(x, y) * scale for x in bounds(a) for y in bounds(b)]
    lo, hi = max(min(corners), _exact(want.lo, min(corners))), min(max(corners), _exact(want.hi, max(corners)))
    lo, hi = min(lo, max(corners)), max(hi, min(corners))
    most = fit_frac(lo, max(lo, hi), QUOTIENT_BITS + 1)
    out = min(wanted(want) + 2, most) if lo or hi else 0
    return lo, max(lo, hi), out


def _exact(end: float, otherwise: Fraction) -> Fraction:
    return Fraction(end) if abs(end) < 2.0**1000 else otherwise
