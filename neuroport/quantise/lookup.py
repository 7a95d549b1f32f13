"""Functions of variables as tables of equal intervals, where these are fine enough (rule 7 of docs/arithmetic.md)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from neuroport.program import intervals
from neuroport.program.curves import POSITIVE
from neuroport.program.fixed import fit_frac
from neuroport.program.intervals import Interval
from neuroport.program.ir import Apply, Expr, Int, Lookup, Round
from neuroport.quantise import normalised, tables
from neuroport.quantise.demand import Demand
from neuroport.quantise.integers import bounds, clipped, frac, literal, whole

if TYPE_CHECKING:
    from neuroport.quantise.expressions import IntegerForm

STEP_BITS = 29
"""Bits of an argument within one interval, at most."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """A table of equal intervals of 2**step raw units from `base` on, and the argument as it takes it."""

    fn: str
    x: Expr
    base: int
    step: int
    built: tables.Table
    lost: int

    @property
    def last(self) -> int:
        """The largest index of an argument."""
        return (bounds(self.x)[1] - self.base) >> self.step


def look_up(lowerer: IntegerForm, fn: str, x: Expr, want: Demand) -> Expr:
    """A function of a variable, in the table that gives what is needed of it."""
    table = uniform(lowerer, fn, x)
    wide = _WIDE.get(fn) if lowerer.shared.chip.tables == "normalised" else None
    if wide is not None and not normalised.precise(table.built.error, table.built.frac, want):
        return wide(lowerer, x, want)
    return _written(lowerer, table)


def _softplus(lowerer: IntegerForm, x: Expr, want: Demand) -> Expr:
    """Softplus over a wide range: the larger of x and 0, and what is missing beside it."""
    x = lowerer.name(x)
    rest = look_up(lowerer, "tail", lowerer.made("abs", x, frac_=frac(x)), want)
    return lowerer.sum(lowerer.made("max", x, literal(0, frac(x)), frac_=frac(x)), rest)


_WIDE: dict[str, Callable[[IntegerForm, Expr, Demand], Expr]] = {
    "exp": normalised.exp,
    "log": normalised.log,
    "sqrt": normalised.sqrt,
    "softplus": _softplus,
}
"""What a function becomes over a range too wide for a table of equal intervals; those that are flat there need none."""


def uniform(lowerer: IntegerForm, fn: str, x: Expr) -> Uniform:
    """The table of a function over the bounds of its argument, as far as the function matters there."""
    chip = lowerer.shared.chip
    lost = 0
    lo, hi = _domain(fn, bounds(x), frac(x), chip.table_bits)
    step = _step(lo, hi, chip.table_intervals)
    if step > STEP_BITS:
        lost = step - STEP_BITS
        x = lowerer.scale(x, frac(x) - lost, "table", "nearest")
        lo, hi = _domain(fn, bounds(x), frac(x), chip.table_bits)
        step = _step(lo, hi, chip.table_intervals)
    x = clipped(x, lo, hi)
    base = lo if tables.curve(fn).domain is POSITIVE else (lo >> step) << step  # every entry has a value
    count = ((hi - base) >> step) + (2 if step else 1)
    return Uniform(fn, x, base, step, tables.table(fn, base, step, count, frac(x), chip.table_bits), lost)


def _written(lowerer: IntegerForm, table: Uniform) -> Expr:
    """The look-up, interpolated where an interval has more than one argument."""
    if table.lost:
        lowerer.width(f"a look-up of {table.fn}", table.lost)
    built, step, f = table.built, table.step, frac(table.x)
    name = _name(lowerer, table)
    x = lowerer.name(table.x)
    offset = lowerer.made("sub", x, literal(table.base, f), frac_=f) if table.base else x
    offset = lowerer.name(whole(offset))
    index = lowerer.name(lowerer.made("shr", offset, literal(step))) if step else offset
    first = _entries(name, index, built, 0, table.last)
    if step == 0:
        return first
    following = Apply("add", (index, literal(1)), Int(1, table.last + 1))
    second = _entries(name, following, built, 1, table.last + 1)
    start = Apply("shl", (index, literal(step)), Int(0, table.last << step))
    rest = Apply("sub", (offset, start), Int(0, (1 << step) - 1))
    first = lowerer.name(first)
    rises = np.diff(built.entries)
    slope = Apply("sub", (second, first), Int(int(rises.min()), int(rises.max()), built.frac))
    product = lowerer.made("mul", slope, rest, frac_=built.frac + step)
    rounded = Round(product, step, "nearest", Int(*intervals.rounded(bounds(product), step, "nearest"), built.frac))
    return Apply("add", (first, rounded), Int(int(built.entries.min()), int(built.entries.max()), built.frac))


def _name(lowerer: IntegerForm, table: Uniform) -> str:
    """The name of the table in the program; equal tables are one."""
    known, f, built = lowerer.shared.known_tables, frac(table.x), table.built
    key = (table.fn, table.base, table.step, len(built.entries), f)
    if key not in known:
        known[key] = f"{table.fn}_{sum(1 for k in known if k[0] == table.fn)}"
    count = len(built.entries)
    low, high = (float(np.ldexp(float(v), -f)) for v in (table.base, table.base + ((count - 1) << table.step)))
    note = (
        f"{table.fn} on {low:.6g}..{high:.6g} in {count - 1} intervals, entries with {built.frac} fractional bits; "
        f"interpolation error up to {built.error:.2g}"
    )
    return lowerer.table(known[key], built.entries, note, built.error, built.frac)


def _domain(fn: str, ends: Interval, f: int, bits: int) -> Interval:
    """The part of an interval where the function is neither saturated in the table's format nor undefined."""
    lo, hi = ends
    curve = tables.curve(fn)
    if curve.domain is not None:  # what rounding brings below, or out of, the domain
        lo, hi = max(lo, curve.domain.least), max(hi, curve.domain.least)
    if curve.flat is None:
        return lo, hi
    low, high = curve.flat(_out_frac(fn, hi, f, bits))
    if np.isfinite(low):
        edge = math.floor(Fraction(low) * Fraction(2) ** f)
        lo, hi = max(lo, edge), max(hi, edge)
    if np.isfinite(high):
        edge = math.ceil(Fraction(high) * Fraction(2) ** f)
        lo, hi = min(lo, edge), min(hi, edge)
    return lo, hi


def _out_frac(fn: str, hi: int, f: int, bits: int) -> int:
    """The frac of values up to the one at the largest argument."""
    largest = tables.curve(fn).largest
    top = Fraction(largest) if math.isfinite(largest) else tables.bounds(fn, hi, hi, f)[0]
    return fit_frac(top, top, bits)


def _entries(table: str, index: Expr, built: tables.Table, first: int, last: int) -> Expr:
    part = built.entries[first : last + 1]
    return Lookup(table, index, Int(int(part.min()), int(part.max()), built.frac))


def _step(lo: int, hi: int, count: int) -> int:
    step = 0
    while (hi >> step) - (lo >> step) + 1 > count:
        step += 1
    return step
