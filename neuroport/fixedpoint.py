"""Lowering of real expressions to integer ones: rules 1 to 7 and 9 of docs/arithmetic.md.

Every integer expression carries its format and exact bounds in its type. Nothing is rounded but by an explicit Round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from neuroport import intervals, tables
from neuroport.arithmetic import LIMIT, constant, fit_frac, round_shift
from neuroport.chip import Chip
from neuroport.derived import evaluate
from neuroport.formats import Notes, is_parameter
from neuroport.intervals import Interval
from neuroport.program import (
    BOOL,
    Apply,
    Array,
    Bool,
    Const,
    Derived,
    Expr,
    Int,
    Let,
    Lookup,
    Numbers,
    Projection,
    Random,
    Read,
    Real,
    Round,
    Rounding,
    Stmt,
    Sum,
    Temp,
    Type,
    walk,
)
from neuroport.rng import stream_number

DIVIDEND_BITS = 62
"""Bits of a dividend: those of the quotient and those of the divisor together."""
MAX_STOCHASTIC = 32
_COMPARISONS = frozenset("lt le gt ge eq ne".split())
_WHOLE = frozenset("trunc_div shl shr wrap".split())
_TABLE_STEP = 29
LARGEST_EXPONENT = 700
"""exp of more than this is refused: no format could hold it beside its other values."""


@dataclass(slots=True)
class Shared:
    """What all bodies of one program share while they are lowered."""

    chip: Chip
    notes: Notes
    real: dict[str, Array]
    arrays: dict[str, Array]
    constants: dict[str, Numbers]
    range_of: Callable[[Read], tuple[float, float]]
    coefficient: Callable[[str, NDArray[np.float64], tuple[float, float]], tuple[Int, NDArray[np.int64]]]
    copies: int = 1
    tables: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    derived: list[Derived] = field(default_factory=list)
    known_tables: dict[tuple[str, int, int, int, int], str] = field(default_factory=dict)
    reciprocals: dict[tuple[str, Expr], Read] = field(default_factory=dict)
    sites: dict[str, int] = field(default_factory=dict)
    inputs: dict[str, Int] = field(default_factory=dict)

    def stream(self, name: str) -> int:
        """A new stream for the next rounding that belongs to this name."""
        site = self.sites.get(name, 0)
        self.sites[name] = site + 1
        return stream_number(name, str(site), "round")


def bounds(expr: Expr) -> Interval:
    """The exact bounds of an integer expression."""
    assert isinstance(expr.type, Int)
    return expr.type.lo, expr.type.hi


def frac(expr: Expr) -> int:
    """The fractional bits of an integer expression."""
    assert isinstance(expr.type, Int)
    return expr.type.frac


def literal(raw: int, frac_: int = 0) -> Const:
    """An integer constant."""
    return Const(raw, Int(raw, raw, frac_))


def fits(*parts: Interval) -> bool:
    """Whether all bounds lie within 62 bits plus sign."""
    return all(lo >= -LIMIT and hi <= LIMIT for lo, hi in parts)


@dataclass(slots=True)
class Lowerer:
    """Lowers the expressions of one body. `out` receives the Lets that it needs; None: it must do without."""

    shared: Shared
    label: str
    owner: str
    projection: Projection | None = None
    out: list[Stmt] | None = None
    temps: dict[str, Type] = field(default_factory=dict)
    fixed: dict[str, Expr] = field(default_factory=dict)
    _named: int = 0

    # ------------------------------------------------------------------------------------------------- expressions

    def let(self, name: str, value: Expr) -> None:
        """Lower a Let of the real body."""
        resolved = self._resolve(value)
        if resolved is not None and not isinstance(resolved, Const):
            self.fixed[name] = resolved
        lowered = self.lower(value)
        self.temps[name] = lowered.type
        assert self.out is not None
        self.out.append(Let(name, lowered))

    def truth(self, expr: Expr) -> Expr:
        """A condition; a number counts as true when it is not 0."""
        lowered = self.lower(expr)
        if isinstance(lowered.type, Bool):
            return lowered
        return Apply("ne", (lowered, literal(0, frac(lowered))), BOOL)

    def number(self, expr: Expr) -> Expr:
        """An integer expression for a number; a truth value counts as 0 or 1."""
        return _as_number(self.lower(expr))

    def lower(self, expr: Expr) -> Expr:
        """The integer form of a real expression."""
        match expr:
            case Const():
                return self._constant(expr)
            case Read():
                return self._read(expr)
            case Temp(name=name):
                return Temp(name, self.temps[name])
            case Random(part=part):
                return replace(expr, type=Int(0, 2**32 - 1, 32) if part is None else Int(0, 2**16 - 1, 16))
            case Apply():
                return self._apply(expr)
            case Sum(x=x):
                out, self.out = self.out, None  # a Let would stand outside the sum, once for all copies
                inside = self.number(x)
                self.out = out
                return self.total(inside)
            case _:
                raise ValueError(f"{expr} cannot stand in a real program")

    def _constant(self, expr: Const) -> Expr:
        if isinstance(expr.type, Bool):
            return expr
        if isinstance(expr.type, Int) or isinstance(expr.value, int):
            return literal(int(expr.value))
        if not np.isfinite(expr.value):
            self.shared.notes.problem(f"{self.label}: a constant is {expr.value}; integers have no infinity or NaN")
            return literal(0)
        bits = self.shared.chip.word("coefficient").bits
        if expr.value.is_integer() and abs(expr.value) < 2**53:
            return literal(int(expr.value))
        raw, frac_ = constant(expr.value, bits)
        error = abs(Fraction(raw) / Fraction(2) ** frac_ - Fraction(expr.value))
        if error:
            self.shared.notes.line(
                self.label,
                "constant",
                f"the constant {expr.value:.9g} is held as {raw} * 2^{-frac_} (error {float(error):.2g})",
                raw=raw,
                frac=frac_,
                error=float(error),
            )
        return literal(raw, frac_)

    def _read(self, expr: Read) -> Expr:
        bound = self.shared.inputs.get(expr.array)
        if bound is None:
            array = self.shared.arrays.get(expr.array)
            if array is None:
                raise ValueError(f"{self.label} reads {expr.array}, which has no integer format yet")
            return replace(expr, type=array.type)
        read = replace(expr, type=bound)
        return self._accumulated(read, bound)

    def _accumulated(self, read: Read, bound: Int) -> Expr:
        """An input as the neuron sees it: the chip's accumulator rule applied to the exact sum."""
        rule = self.shared.chip.word("accumulator")
        lo, hi = -(2 ** (rule.bits - 1)), 2 ** (rule.bits - 1) - 1
        if lo <= bound.lo and bound.hi <= hi:
            return read
        if rule.overflow == "wrap":
            return Apply("wrap", (read, literal(rule.bits)), Int(lo, hi, bound.frac))
        kept = Int(max(lo, bound.lo), min(hi, bound.hi), bound.frac)
        return Apply("clip", (read, literal(lo, bound.frac), literal(hi, bound.frac)), kept)

    def _apply(self, expr: Apply) -> Expr:
        fn = expr.fn
        if fn in tables.FUNCTIONS:
            return self._function(fn, expr)
        if fn == "div":
            return self._divide(expr)
        if fn in ("and", "or", "not"):
            return Apply(fn, tuple(self.truth(a) for a in expr.args), BOOL)
        if fn == "select":
            return self._select(expr)
        args = [self.number(a) for a in expr.args]
        if fn in _COMPARISONS:
            return Apply(fn, tuple(self._align(args, lambda parts: parts)), BOOL)
        if fn == "to_real":
            return args[0]
        if fn == "mul":
            return self.multiply(args[0], args[1])
        if fn in ("neg", "abs"):
            return self._made(fn, args, frac(args[0]))
        if fn in _WHOLE:
            return self._whole(fn, args)
        aligned = self._align(args, lambda parts: [intervals.apply(fn, parts)])
        return self._made(fn, aligned, 0 if fn in ("floordiv", "round_div") else frac(aligned[0]))

    def _made(self, fn: str, args: Sequence[Expr], frac_: int) -> Expr:
        lo, hi = intervals.apply(fn, [bounds(a) for a in args])
        if not fits((lo, hi)):
            self.shared.notes.problem(
                f"{self.label}: {fn} can reach {lo if abs(lo) > hi else hi}, which needs more than 62 bits; "
                f"narrow the ranges of what it is computed from"
            )
            return literal(0, frac_)
        if all(isinstance(a, Const) for a in args) and lo == hi:
            return literal(lo, frac_)
        return Apply(fn, tuple(args), Int(lo, hi, frac_))

    def _whole(self, fn: str, args: list[Expr]) -> Expr:
        """Functions of plain ints. Bit counts must be constants."""
        if fn != "trunc_div" and not isinstance(args[1], Const):
            self.shared.notes.problem(f"{self.label}: the number of bits of '{fn}' must be a literal number")
            return literal(0)
        plain = [self.scale(a, 0, "width") if frac(a) else a for a in args]
        if fn in ("shl", "shr"):
            count = bounds(plain[1])[0]
            if not 0 <= count <= 62:
                self.shared.notes.problem(f"{self.label}: a shift by {count} bits; shifts go from 0 to 62")
                return literal(0)
        return self._made(fn, plain, 0)

    def _select(self, expr: Apply) -> Expr:
        condition = self.truth(expr.args[0])
        one, other = self.lower(expr.args[1]), self.lower(expr.args[2])
        if isinstance(one.type, Bool) and isinstance(other.type, Bool):
            return Apply("select", (condition, one, other), BOOL)
        one, other = self._align([_as_number(one), _as_number(other)], lambda parts: parts)
        lo, hi = intervals.hull(bounds(one), bounds(other))
        return Apply("select", (condition, one, other), Int(lo, hi, frac(one)))

    # ------------------------------------------------------------------------------------------------ rules 2 to 4

    def _align(self, args: Sequence[Expr], results: Callable[[list[Interval]], list[Interval]]) -> list[Expr]:
        """The arguments at one frac: the largest of theirs at which they and the results fit."""
        fracs = [frac(a) for a in args if not (isinstance(a, Const) and a.value == 0)]
        wanted = common = max(fracs, default=0)
        rule = self.shared.chip.word("state").rounding
        while True:
            parts = [_scaled(bounds(a), frac(a), common, rule) for a in args]
            if fits(*parts) and fits(*results(parts)):
                break
            common -= 1
        if common < wanted:
            self._width("an alignment", wanted - common)
        return [self.scale(a, common, "width") for a in args]

    def multiply(self, a: Expr, b: Expr) -> Expr:
        """The exact product, after rounding the wider operand as far as 62 bits demand."""
        rule = self.shared.chip.word("state").rounding
        ia, ib = bounds(a), bounds(b)
        fa, fb = frac(a), frac(b)
        while not fits(intervals.apply("mul", [_scaled(ia, frac(a), fa, rule), _scaled(ib, frac(b), fb, rule)])):
            wide_a = _size(_scaled(ia, frac(a), fa, rule)) >= _size(_scaled(ib, frac(b), fb, rule))
            fa, fb = (fa - 1, fb) if wide_a else (fa, fb - 1)
        lost = frac(a) - fa + frac(b) - fb
        if lost:
            self._width("a product", lost)
        return self._made("mul", [self.scale(a, fa, "width"), self.scale(b, fb, "width")], fa + fb)

    def total(self, x: Expr) -> Expr:
        """An integer value added up over the copies, after rounding it as far as 62 bits demand."""
        copies, f = self.shared.copies, frac(x)
        rule = self.shared.chip.word("state").rounding
        while not fits(_times(_scaled(bounds(x), frac(x), f, rule), copies)):
            f -= 1
        if f < frac(x):
            self._width("a sum over copies", frac(x) - f)
            x = self.scale(x, f, "width")
        return Sum(x, Int(*_times(bounds(x), copies), frac(x)))

    def _width(self, what: str, lost: int) -> None:
        self.shared.notes.line(
            self.label,
            "width",
            f"{what} would need more than 62 bits: its operands are rounded by {lost} bits together before it",
            bits=lost,
        )

    def scale(self, x: Expr, wanted: int, site: str, rule: Rounding | None = None) -> Expr:
        """The same value at another frac: an exact shift left, or a rounding by the rule (the chip's for states)."""
        shift = frac(x) - wanted
        mode = rule or self.shared.chip.word("state").rounding
        if isinstance(x, Const):
            raw = int(x.value)
            nearest: Rounding = "nearest" if mode == "stochastic" else mode
            return literal(raw << -shift if shift <= 0 else round_shift(raw, shift, nearest), wanted)
        if shift == 0:
            return x
        lo, hi = bounds(x)
        if shift < 0:
            return Apply("shl", (x, literal(-shift)), Int(lo << -shift, hi << -shift, wanted))
        step = MAX_STOCHASTIC if mode == "stochastic" else 62
        if shift > step:
            first: Rounding = "nearest" if mode == "stochastic" else mode
            while shift > step:
                part = min(shift - step, 62)
                ends = intervals.rounded(bounds(x), part, first)
                x = Round(x, part, first, Int(*ends, frac(x) - part))
                shift -= part
        ends = intervals.rounded(bounds(x), shift, mode)
        stream = self.shared.stream(f"{self.label}.{site}") if mode == "stochastic" else 0
        return Round(x, shift, mode, Int(*ends, wanted), stream)

    # ------------------------------------------------------------------------------------------------- rule 6: division

    def _divide(self, expr: Apply) -> Expr:
        constant_divisor = self._resolve(expr.args[1])
        if constant_divisor is not None:
            factor = self._reciprocal(constant_divisor)
            if factor is not None:
                return self.multiply(self.number(expr.args[0]), factor)
        a, b = self.number(expr.args[0]), self.number(expr.args[1])
        (alo, ahi), (blo, bhi) = bounds(a), bounds(b)
        if blo <= 0 <= bhi:
            self._no_divisor(Fraction(blo) / Fraction(2) ** frac(b), Fraction(bhi) / Fraction(2) ** frac(b))
            return literal(0)
        bits = self.shared.chip.table_bits
        b = self._narrow_divisor(b, DIVIDEND_BITS - bits)
        blo, bhi = bounds(b)
        largest = Fraction(max(abs(alo), abs(ahi), 1), min(abs(blo), abs(bhi))) / Fraction(2) ** (frac(a) - frac(b))
        shift = max(0, fit_frac(-largest, largest, bits) - frac(a) + frac(b))
        while shift and not fits((alo << shift, ahi << shift)):
            shift -= 1
        return self._made("round_div", [self.scale(a, frac(a) + shift, "width"), b], frac(a) + shift - frac(b))

    def _narrow_divisor(self, b: Expr, width: int) -> Expr:
        """The divisor in a word that leaves the dividend room for all bits of the quotient; never rounded to 0."""
        smallest = min(abs(end) for end in bounds(b))
        dropped = min(_size(bounds(b)).bit_length() - width, smallest.bit_length() - 1)
        if dropped <= 0:
            return b
        self._width("a division", dropped)
        return self.scale(b, frac(b) - dropped, "width")

    def _no_divisor(self, lo: Fraction | float, hi: Fraction | float) -> None:
        self.shared.notes.problem(
            f"{self.label}: a division whose divisor, in {float(lo):g}..{float(hi):g}, can be 0; "
            f"keep it away from 0, for example with max(x, 0.001)"
        )

    def _resolve(self, expr: Expr) -> Expr | None:
        """The expression over parameters and constants alone that this one stands for, or None."""
        match expr:
            case Temp(name=name):
                return self.fixed.get(name)
            case Apply(args=args):
                parts = [self._resolve(a) for a in args]
                if any(p is None for p in parts):
                    return None
                return replace(expr, args=tuple(p for p in parts if p is not None))
            case _:
                return expr if is_parameter(expr, self.shared.real) else None

    def _reciprocal(self, divisor: Expr) -> Expr | None:
        one = Const(1.0, Real())
        return self._hoist(Apply("div", (one, divisor), Real()), "recip")

    def _hoist(self, value: Expr, kind: str) -> Expr | None:
        """An expression over parameters as a coefficient, recomputed at switches if one of them is dynamic.

        None where its parameters belong to different objects and so cannot be one array.
        """
        reads = [e for e in walk(value) if isinstance(e, Read)]
        if not reads:
            number = float(evaluate(value, {}))
            if not np.isfinite(number):
                self._no_divisor(0.0, 0.0)
                return literal(0)
            return self._constant(Const(number, Real()))
        places = {(self.shared.real[r.array].owner, r.at) for r in reads if r.at != "scalar"}
        if len(places) > 1:
            return None
        at = reads[0].at if not places else next(iter(places))[1]
        key = (self.owner if not places else next(iter(places))[0], _canonical(value))
        known = self.shared.reciprocals.get(key)
        if known is None:
            known = self._new_parameter(key[0], key[1], kind, bool(places))
            if known is None:
                return literal(0)
            self.shared.reciprocals[key] = known
        return replace(known, at=at)

    def _new_parameter(self, owner: str, value: Expr, kind: str, elements: bool) -> Read | None:
        reads = [e for e in walk(value) if isinstance(e, Read)]
        inputs = {r.array: self._initial(r.array) for r in reads}
        lo, hi = intervals.real(value, self.shared.range_of)
        moving = any(self.shared.real[n].dynamic or n == "run.T" for n in inputs) or any(
            d.array in inputs for d in self.shared.derived
        )
        values = np.asarray(evaluate(value, inputs), np.float64)
        if not (np.isfinite(values).all() and (not moving or (np.isfinite(lo) and np.isfinite(hi)))):
            if kind == "recip" and isinstance(value, Apply):
                self._no_divisor(*intervals.real(value.args[1], self.shared.range_of))
            else:
                self.shared.notes.problem(f"{self.label}: a constant computed from {', '.join(inputs)} is not finite")
            return None
        if not moving:
            lo, hi = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        number = sum(1 for name in self.shared.arrays if name.startswith(f"{owner}.{kind}_"))
        name = f"{owner}.{kind}_{number}"
        type_, raw = self.shared.coefficient(name, values, (lo, hi))
        like = next(self.shared.real[r.array] for r in reads if (r.at != "scalar") == elements)
        rule = self.shared.chip.word("coefficient")
        self.shared.arrays[name] = Array(
            name,
            owner,
            like.at if elements else "scalar",
            "parameter",
            type_,
            raw,
            kind_class="coefficient",
            dynamic=moving,
            range=(lo, hi) if moving else None,
            rounding=rule.rounding,
        )
        if moving:
            self.shared.derived.append(Derived(name, value, type_))
            for n, initial in inputs.items():
                self.shared.constants.setdefault(n, initial)
            self.shared.constants[name] = values
        self.shared.notes.line(
            name,
            "format",
            f"{type_}, a coefficient computed from {', '.join(sorted(inputs))}"
            f"{', again at every switch' if moving else ''}",
            bits=type_.bits,
            frac=type_.frac,
        )
        return Read(name, "own", type_)

    def _initial(self, name: str) -> Numbers:
        array = self.shared.real[name]
        known = self.shared.constants.get(name, array.initial)
        if array.range is not None and (array.dynamic or name == "run.T"):
            return np.clip(known, array.range[0], array.range[1])
        return known

    # ------------------------------------------------------------------------------------------------ rule 6: tables

    def name(self, value: Expr) -> Expr:
        """A name for a value that is used more than once (the value itself where no Let can stand)."""
        if self.out is None or isinstance(value, Temp | Const | Read):
            return value
        name = f"_q{self._named}"
        self._named += 1
        self.out.append(Let(name, value))
        return Temp(name, value.type)

    def _function(self, fn: str, expr: Apply) -> Expr:
        resolved = self._resolve(expr)
        if resolved is not None:
            hoisted = self._hoist(resolved, "const")
            if hoisted is not None:
                return hoisted
        x = self.number(expr.args[0])
        lo, hi = bounds(x)
        if fn == "log" and lo <= 0:
            self.shared.notes.problem(
                f"{self.label}: log of a value that can be as small as {lo * 2.0 ** -frac(x):g}; "
                f"keep it above 0, for example with max(x, 0.001)"
            )
            return literal(0)
        if fn == "exp" and np.ldexp(float(hi), -frac(x)) > LARGEST_EXPONENT:
            self.shared.notes.problem(
                f"{self.label}: exp of a value that can be as large as {np.ldexp(float(hi), -frac(x)):g}; "
                f"limit it, for example with min(x, 10)"
            )
            return literal(0)
        return self._look_up(fn, x)

    def _look_up(self, fn: str, x: Expr) -> Expr:
        chip = self.shared.chip
        f = frac(x)
        lo, hi = self._domain(fn, bounds(x), f)
        step = _step(lo, hi, chip.table_intervals)
        if step > _TABLE_STEP:
            x = self.scale(x, f - (step - _TABLE_STEP), "table", "nearest")
            self._width(f"a look-up of {fn}", step - _TABLE_STEP)
            f = frac(x)
            lo, hi = self._domain(fn, bounds(x), f)
            step = _step(lo, hi, chip.table_intervals)
        if (lo, hi) != bounds(x):
            clipped = Int(*intervals.apply("clip", [bounds(x), (lo, lo), (hi, hi)]), f)
            x = Apply("clip", (x, literal(lo, f), literal(hi, f)), clipped)
        base = lo if fn == "log" else (lo >> step) << step
        last = (hi - base) >> step
        count = last + (2 if step else 1)
        built = tables.table(fn, base, step, count, f, chip.table_bits)
        table = self._table(fn, base, step, count, f, built)
        x = self.name(x)
        offset = self._made("sub", [x, literal(base, f)], f) if base else x
        offset = self.name(_relabel(offset))
        index = self.name(self._made("shr", [offset, literal(step)], 0)) if step else offset
        first = _entries(table, index, built, 0, last)
        if step == 0:
            return first
        following = Apply("add", (index, literal(1)), Int(1, last + 1))
        second = _entries(table, following, built, 1, last + 1)
        start = Apply("shl", (index, literal(step)), Int(0, last << step))
        rest = Apply("sub", (offset, start), Int(0, (1 << step) - 1))
        first = self.name(first)
        rises = np.diff(built.entries)
        slope = Apply("sub", (second, first), Int(int(rises.min()), int(rises.max()), built.frac))
        product = self._made("mul", [slope, rest], built.frac + step)
        rounded = Round(product, step, "nearest", Int(*intervals.rounded(bounds(product), step, "nearest"), built.frac))
        return Apply("add", (first, rounded), Int(int(built.entries.min()), int(built.entries.max()), built.frac))

    def _domain(self, fn: str, ends: Interval, f: int) -> Interval:
        """The part of an interval where the function is neither saturated in the table's format nor undefined."""
        lo, hi = ends
        if fn == "sqrt":
            return max(lo, 0), max(hi, 0)
        low, high = tables.saturation(fn, self._out_frac(fn, lo, hi, f))
        if np.isfinite(low):
            edge = int(np.floor(np.ldexp(low, f)))
            lo, hi = max(lo, edge), max(hi, edge)
        if np.isfinite(high):
            edge = int(np.ceil(np.ldexp(high, f)))
            lo, hi = min(lo, edge), min(hi, edge)
        return lo, hi

    def _out_frac(self, fn: str, lo: int, hi: int, f: int) -> int:
        if fn in ("sigmoid", "tanh"):
            return self.shared.chip.table_bits - 1
        if fn in ("exp", "softplus"):
            top = tables.bounds(fn, hi, hi, f)[0]
            return fit_frac(top, top, self.shared.chip.table_bits)
        return 0

    def _table(self, fn: str, base: int, step: int, count: int, f: int, built: tables.Table) -> str:
        key = (fn, base, step, count, f)
        name = self.shared.known_tables.get(key)
        if name is None:
            name = f"{fn}_{sum(1 for k in self.shared.known_tables if k[0] == fn)}"
            self.shared.known_tables[key] = name
            self.shared.tables[name] = built.entries
            low, high = (float(np.ldexp(float(v), -f)) for v in (base, base + ((count - 1) << step)))
            self.shared.notes.line(
                name,
                "table",
                f"{fn} on {low:.6g}..{high:.6g} in {count - 1} intervals, entries with {built.frac} fractional bits; "
                f"interpolation error up to {built.error:.2g}",
                entries=count,
                frac=built.frac,
                error=built.error,
            )
        return name


def _as_number(lowered: Expr) -> Expr:
    if isinstance(lowered.type, Bool):
        return Apply("select", (lowered, literal(1), literal(0)), Int(0, 1))
    return lowered


def _entries(table: str, index: Expr, built: tables.Table, first: int, last: int) -> Expr:
    part = built.entries[first : last + 1]
    return Lookup(table, index, Int(int(part.min()), int(part.max()), built.frac))


def _relabel(x: Expr) -> Expr:
    """A table offset counts entries: frac 0."""
    if isinstance(x, Apply):
        return replace(x, type=replace(x.type, frac=0) if isinstance(x.type, Int) else x.type)
    return x


def _step(lo: int, hi: int, count: int) -> int:
    step = 0
    while (hi >> step) - (lo >> step) + 1 > count:
        step += 1
    return step


def _scaled(x: Interval, from_frac: int, to_frac: int, rule: Rounding) -> Interval:
    shift = from_frac - to_frac
    return (x[0] << -shift, x[1] << -shift) if shift <= 0 else intervals.rounded(x, shift, rule)


def _times(x: Interval, count: int) -> Interval:
    return x[0] * count, x[1] * count


def _size(x: Interval) -> int:
    return max(abs(x[0]), abs(x[1]))


def _canonical(expr: Expr) -> Expr:
    """The expression as the array's own elements see it."""
    match expr:
        case Read(at="pre" | "post" | "twin"):
            return replace(expr, at="own")
        case Apply(args=args):
            return replace(expr, args=tuple(_canonical(a) for a in args))
        case _:
            return expr
