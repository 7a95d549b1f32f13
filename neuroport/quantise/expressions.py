"""Lowering of real expressions to integer ones: rules 1 to 7 and 9 of docs/arithmetic.md.

Every integer expression carries its format and exact bounds in its type. Nothing is rounded but by an explicit Round.
What a value is needed for (neuroport.quantise.demand) goes down with it: where the exact result would not fit, it says
which range and which bits matter. What cannot be had is a problem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count

import numpy as np
from numpy.typing import NDArray

from neuroport.chips.chip import Chip
from neuroport.errors import InternalError, Place
from neuroport.numerics.rng import stream_number
from neuroport.program import functions, intervals, printer
from neuroport.program.constants import evaluate
from neuroport.program.factors import sign
from neuroport.program.fixed import LIMIT, constant, round_shift
from neuroport.program.functions import FUNCTIONS
from neuroport.program.intervals import Interval
from neuroport.program.ir import (
    BOOL,
    Apply,
    Bool,
    Const,
    Expr,
    Int,
    Let,
    Numbers,
    Random,
    Read,
    Real,
    Reduce,
    Round,
    Rounding,
    Stmt,
    Sum,
    Temp,
    Type,
    walk,
)
from neuroport.program.machine import Array, Arrays, Derived, Projection
from neuroport.program.names import LENGTH, of_compiler, written
from neuroport.program.reach import reach_of
from neuroport.quantise import lookup, products, quotients, tables
from neuroport.quantise.demand import ANY, Demand, Demands, of_reduced, of_sum, operands
from neuroport.quantise.formats import TOLD, Notes, is_parameter
from neuroport.quantise.integers import bounds, clipped, fits, frac, literal, real_ends, real_range, size

MAX_STOCHASTIC = 32
SHOWN = 100
"""Characters of an expression in a message."""
SIGNIFICANT = 16
"""Bits of an operand that are kept as long as the other one has more."""
LEFT = 8
"""An operand whose largest raw value falls below this has lost its meaning."""
LARGEST_EXPONENT = 700
"""exp of more than this is refused: no format could hold it beside its other values. Of less than -this it is 0."""


Coefficient = Callable[
    [str, Place | None, NDArray[np.float64], tuple[float, float], bool, bool, bool], tuple[Int, NDArray[np.int64]]
]
"""See Formats.coefficient."""


@dataclass(slots=True)
class Shared:
    """What all bodies of one program share while they are lowered."""

    chip: Chip
    notes: Notes
    real: dict[str, Array]
    arrays: Arrays
    constants: dict[str, Numbers]
    range_of: Callable[[Expr], tuple[float, float]]
    coefficient: Coefficient
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


@dataclass(slots=True)
class IntegerForm:
    """Lowers the expressions of one body. `out` receives the Lets that it needs; None: it must do without.

    `demands`: what the body's local names are needed for. `place`: that of the statement being lowered.
    """

    shared: Shared
    label: str
    owner: str
    projection: Projection | None = None
    out: list[Stmt] | None = None
    demands: Demands | None = None
    temps: dict[str, Type] = field(default_factory=dict)
    fixed: dict[str, Expr] = field(default_factory=dict)
    place: Place | None = None
    _named: int = 0
    _conditions: int = 0

    # ------------------------------------------------------------------------------------------------- expressions

    def let(self, name: str, value: Expr) -> None:
        """Lower a Let of the real body."""
        resolved = self._resolve(value)
        if resolved is not None and not isinstance(resolved, Const):
            self.fixed[name] = resolved
        want = self.demands.locals.get(name, ANY) if self.demands is not None else ANY
        lowered = self.lower(value, want)
        self.temps[name] = lowered.type
        assert self.out is not None
        self.out.append(Let(name, lowered, self.place))

    def truth(self, expr: Expr) -> Expr:
        """A condition; a number counts as true when it is not 0."""
        lowered = self.lower(expr, ANY)
        if isinstance(lowered.type, Bool):
            return lowered
        return Apply("ne", (lowered, literal(0, frac(lowered))), BOOL)

    def number(self, expr: Expr, want: Demand = ANY) -> Expr:
        """An integer expression for a number; a truth value counts as 0 or 1."""
        return _as_number(self.lower(expr, want))

    def reach(self, expr: Expr) -> intervals.RealInterval:
        """The range of a real expression."""
        if self.demands is not None:
            return self.demands.reach(expr)
        return reach_of(expr, self.leaf)

    def leaf(self, expr: Expr) -> intervals.RealInterval:
        """The range of what is read, from its format."""
        read = self._read(expr) if isinstance(expr, Read) else expr
        if not isinstance(read.type, Int):
            return (0.0, 1.0) if isinstance(read.type, Bool) else (-math.inf, math.inf)
        return real_ends(read)

    def lower(self, expr: Expr, want: Demand = ANY) -> Expr:
        """The integer form of a real expression, for what it is needed."""
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
                return self._apply(expr, want)
            case Sum(x=x):
                out, self.out = self.out, None  # a Let would stand outside the sum, once for all copies
                inside = self.number(x, of_sum(want, self.shared.copies))
                self.out = out
                return self.total(inside)
            case Reduce():
                return self._reduced(expr, want)
            case _:
                raise InternalError(f"{printer.expression(expr)} cannot stand in a real program")

    def _constant(self, expr: Const) -> Expr:
        if isinstance(expr.type, Bool):
            return expr
        if isinstance(expr.type, Int) or isinstance(expr.value, int):
            return literal(int(expr.value))
        if not np.isfinite(expr.value):
            self._problem(f"a constant is {expr.value}; integers have no infinity or NaN")
            return literal(0)
        rule = self.shared.chip.word("coefficient")
        if expr.value.is_integer() and abs(expr.value) < 2**53:
            return literal(int(expr.value))
        raw, frac_ = constant(expr.value, rule.bits, rule.distance_bits)
        size_, label = abs(expr.value), f"{self.label}: a constant"
        frac_ = self.shared.notes.fitting(label, self.place, Int(raw, raw, frac_), size_).frac
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
                raise InternalError(f"{expr.array} is read, and has no integer format yet")
            return replace(expr, type=array.type)
        return replace(expr, type=bound)

    def _apply(self, expr: Apply, want: Demand) -> Expr:
        fn = expr.fn
        function = FUNCTIONS[fn]
        if function.curve is not None:
            return self._function(fn, expr, want)
        if fn == "div":
            return self._divide(expr, want)
        if function.types == "truths":
            return Apply(fn, tuple(self.truth(a) for a in expr.args), BOOL)
        if fn == "select":
            return self._select(expr, want)
        wants = operands(expr, want, self.reach)
        args = [self.number(a, w) for a, w in zip(expr.args, wants, strict=True)]
        if fn == "to_int":
            return self._whole(args[0])
        if isinstance(expr.type, Int):
            return self._exact(fn, args)
        if function.types == "comparison":
            return Apply(fn, tuple(self._align(args, wants, lambda parts: parts, wants[0])), BOOL)
        if fn == "to_real":
            return args[0]
        if fn == "floor":
            return self.scale(args[0], min(frac(args[0]), 0), "floor", "floor")
        if fn == "mul":
            known = sign(expr.args[0], expr.args[1], self.reach)
            return _signed(self.multiply(args[0], args[1], wants, want), known)
        if fn in ("neg", "abs"):
            return self._made(fn, args, frac(args[0]))
        aligned = self._align(args, wants, lambda parts: [functions.bounds(fn, *parts)], want)
        if function.degree is None:
            raise ValueError(f"{self.label}: no rule brings {printer.expression(expr)} into integers")
        return self._made(fn, aligned, function.degree * frac(aligned[0]))

    def _exact(self, fn: str, args: list[Expr]) -> Expr:
        """A function of ints: exact, or refused."""
        if fn in ("shl", "shr", "wrap"):
            lo, hi = bounds(args[1])
            least, most = (1, 63) if fn == "wrap" else (0, 62)
            if not least <= lo <= hi <= most:
                shown = str(lo) if lo == hi else f"{lo}..{hi}"
                self._problem(
                    f"'{fn}' by {shown} bits; its number of bits goes from {least} to {most}: "
                    f"give what it is taken from a range within that"
                )
                return literal(0)
        return self._made(fn, args, 0)

    def _whole(self, x: Expr) -> Expr:
        """What stands before the point, held within 62 bits as on every arithmetic."""
        end = LIMIT >> max(0, -frac(x))
        if end == 0:
            self._problem(f"int of values in {real_range(x)}, of which none but 0 fits 62 bits; narrow their range")
            return literal(0)
        return self.scale(clipped(x, -end, end), 0, "int", "toward_zero")

    def made(self, fn: str, *args: Expr, frac_: int = 0) -> Expr:
        """A function of integer expressions, with its bounds."""
        return self._made(fn, args, frac_)

    def _made(self, fn: str, args: Sequence[Expr], frac_: int) -> Expr:
        lo, hi = functions.bounds(fn, *(bounds(a) for a in args))
        if fn == "mul":
            known = sign(args[0], args[1], bounds)
            square = args[0] == args[1]
            most = max(bounds(args[0])[0] ** 2, bounds(args[0])[1] ** 2) if square else hi
            lo, hi = (max(lo, 0), most) if known > 0 else (lo, min(hi, 0)) if known < 0 else (lo, hi)
        if not fits((lo, hi)):
            self._problem(
                f"{fn} can reach {lo if abs(lo) > hi else hi}, which needs more than 62 bits; "
                f"narrow the ranges of what it is computed from"
            )
            return literal(0, frac_)
        if all(isinstance(a, Const) for a in args) and lo == hi:
            return literal(lo, frac_)
        return Apply(fn, tuple(args), Int(lo, hi, frac_))

    def _select(self, expr: Apply, want: Demand) -> Expr:
        condition = self.truth(expr.args[0])
        with self.under_condition():
            one, other = self.lower(expr.args[1], want), self.lower(expr.args[2], want)
        if isinstance(one.type, Bool) and isinstance(other.type, Bool):
            return Apply("select", (condition, one, other), BOOL)
        args = [_as_number(one), _as_number(other)]
        one, other = self._align(args, [want, want], lambda parts: parts, want)
        lo, hi = intervals.hull(bounds(one), bounds(other))
        return Apply("select", (condition, one, other), Int(lo, hi, frac(one)))

    # ------------------------------------------------------------------------------------------------ rules 2 to 4

    def _align(
        self,
        args: Sequence[Expr],
        wants: Sequence[Demand],
        results: Callable[[list[Interval]], list[Interval]],
        want: Demand,
    ) -> list[Expr]:
        """The arguments at one frac: the largest of theirs at which they and the results fit."""
        rule = self.shared.chip.word("state").rounding

        def fit_at(common: int) -> bool:
            parts = [_scaled(bounds(a), frac(a), common, rule) for a in args]
            return fits(*parts) and fits(*results(parts))

        wanted = common = max((frac(a) for a in args if not _is_zero(a)), default=0)
        if not fit_at(common):
            args = [self.limited(a, w) for a, w in zip(args, wants, strict=True)]
        while not fit_at(common):
            common -= 1
        if common < wanted:
            self._rounded("an alignment", [(a, common) for a in args], want)
        return [self.scale(a, common, "width") for a in args]

    def multiply(self, a: Expr, b: Expr, wants: Sequence[Demand] = (ANY, ANY), want: Demand = ANY) -> Expr:
        """The exact product; where it would not fit, of operands cut and rounded to what is needed of them."""
        rule = self.shared.chip.word("state").rounding

        def fit_at(fa: int, fb: int) -> bool:
            parts = [_scaled(bounds(a), frac(a), fa, rule), _scaled(bounds(b), frac(b), fb, rule)]
            return fits(intervals.mul(*parts))

        if not fit_at(frac(a), frac(b)):
            same = a == b
            a = self.limited(a, wants[0])
            b = a if same else self.limited(b, wants[1])
        fa, fb = frac(a), frac(b)
        while not fit_at(fa, fb):
            spare = _spare(a, fa, wants[0], rule), _spare(b, fb, wants[1], rule)
            if max(spare)[0] == 0 and want.frac is not None:
                one, other = self.scale(a, fa, "width"), self.scale(b, fb, "width")
                return products.in_halves(self, one, one if a == b and fa == fb else other, wants, want)
            fa, fb = (fa - 1, fb) if spare[0] >= spare[1] else (fa, fb - 1)
        if (fa, fb) != (frac(a), frac(b)):
            self._rounded("a product", [(a, fa)], wants[0])
            self._rounded("a product", [(b, fb)], wants[1])
        one = self.scale(a, fa, "width")
        other = one if a == b and fa == fb and not _drawn(one) else self.scale(b, fb, "width")
        return self._made("mul", [one, other], fa + fb)

    def sum(self, a: Expr, b: Expr) -> Expr:
        """The sum of two integer expressions of different fracs."""
        one, other = self._align([a, b], (ANY, ANY), lambda parts: [intervals.add(*parts)], ANY)
        return self._made("add", [one, other], frac(one))

    def compared(self, fn: str, x: Expr, raw: int) -> Expr:
        """A comparison with a raw number."""
        return Apply(fn, (x, literal(raw, frac(x))), BOOL)

    def chosen(self, condition: Expr, one: Expr, other: Expr) -> Expr:
        """One of two expressions of the same frac."""
        return Apply("select", (condition, one, other), Int(*intervals.hull(bounds(one), bounds(other)), frac(one)))

    def total(self, x: Expr) -> Expr:
        """An integer value added up over the copies, after rounding it as far as 62 bits demand."""
        copies, f = self.shared.copies, frac(x)
        rule = self.shared.chip.word("state").rounding
        while not fits(_times(_scaled(bounds(x), frac(x), f, rule), copies)):
            f -= 1
        if f < frac(x):
            self._rounded("a sum over copies", [(x, f)], ANY)
            x = self.scale(x, f, "width")
        return Sum(x, Int(*_times(bounds(x), copies), frac(x)))

    def _reduced(self, expr: Reduce, want: Demand) -> Expr:
        """A sum over elements, after rounding its terms as far as 62 bits demand, or the largest of them."""
        x = self.number(expr.x, of_reduced(expr, want))
        if expr.op == "max":
            return replace(expr, x=x, type=x.type)
        f, rule = frac(x), self.shared.chip.word("state").rounding
        while not fits(intervals.repeated(_scaled(bounds(x), frac(x), f, rule), expr.least, expr.terms)):
            f -= 1
        if f < frac(x) and isinstance(expr.type, Int):
            self._problem(
                f"{expr.name} adds up to {expr.terms} ints in {real_range(x)}, which can need more than 62 bits; "
                f"narrow the ranges of what is added"
            )
        elif f < frac(x):
            self._rounded("a sum of many terms", [(x, f)], of_reduced(expr, want))
        x = self.scale(x, f, "width")
        return replace(expr, x=x, type=Int(*intervals.repeated(bounds(x), expr.least, expr.terms), f))

    def limited(self, x: Expr, want: Demand) -> Expr:
        """The value cut to the range in which it is needed, if that takes fewer bits."""
        lo, hi = bounds(x)
        f = frac(x)
        low = max(lo, int(np.floor(np.ldexp(want.lo, f)))) if _finite(want.lo, f) else lo
        high = min(hi, int(np.ceil(np.ldexp(want.hi, f)))) if _finite(want.hi, f) else hi
        low, high = min(low, hi), max(high, lo)
        if size((low, high)).bit_length() >= size((lo, hi)).bit_length():
            return x
        return clipped(x, low, max(low, high))

    def _rounded(self, what: str, parts: Sequence[tuple[Expr, int]], want: Demand) -> None:
        """Note that operands are rounded to a frac before something; a problem where that leaves nothing of one."""
        lost = sum(max(0, frac(x) - f) for x, f in parts)
        if not lost:
            return
        if any(_gone(x, f, want) for x, f in parts):
            self.too_wide(what, [x for x, _ in parts], want)
        self.width(what, lost)

    def too_wide(self, what: str, operands_: Sequence[Expr], want: Demand) -> None:
        """A problem: what is needed of a result does not fit the widest word."""
        shown = " and ".join(f"{real_range(x)}" for x in operands_)
        least = want.least if want.least is not None and abs(want.least) < 100 else None
        needed = "" if least is None else f", where the result needs steps of {2.0**-least:.3g},"
        self._problem(
            f"{what} of values in {shown}{needed} does not fit 62 bits and would lose the smaller one; "
            f"narrow the ranges of what it is computed from, or limit the larger part with min(x, ...) or clip(x, ...)"
        )

    def too_large(self, fn: str, x: Expr, want: Demand) -> None:
        """A problem: a function whose largest value leaves no room for the steps that are needed."""
        assert want.least is not None
        self._problem(
            f"{fn} of values in {real_range(x)} needs steps of {2.0**-want.least:.3g} where its result "
            f"goes, and 62 bits do not hold both; limit its argument, for example with min(x, 10)"
        )

    def _problem(self, text: str) -> None:
        """A problem of the statement being lowered."""
        self.shared.notes.problem(self.place, f"{self.label}: {text}")

    def width(self, what: str, lost: int) -> None:
        """Note that operands lose bits to the width of the machine."""
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
        if shift < 0 and lo == hi == 0:
            return literal(0, wanted)
        if shift < 0:
            if not fits((lo << -shift, hi << -shift)):
                if self.shared.notes.problems:  # it is refused anyway
                    return literal(0, wanted)
                raise InternalError(f"{real_range(x)} cannot be held in steps of 2^{-wanted}")
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

    @contextmanager
    def under_condition(self) -> Iterator[None]:
        """While a value is lowered that counts under a condition only, which may keep a divisor from 0."""
        self._conditions += 1
        yield
        self._conditions -= 1

    def _divide(self, expr: Apply, want: Demand) -> Expr:
        wants = operands(expr, want, self.reach)
        constant_divisor = self._resolve(expr.args[1])
        if constant_divisor is not None and not (self._conditions and self._may_be_zero(constant_divisor)):
            factor = self._reciprocal(constant_divisor)
            if factor is not None:
                return self.multiply(self.number(expr.args[0], wants[0]), factor, (wants[0], ANY), want)
        a, b = (self.number(x, w) for x, w in zip(expr.args, wants, strict=True))
        blo, bhi = bounds(b)
        if blo <= 0 <= bhi:
            guarded = self._conditions > 0 and self.shared.chip.tables == "normalised"
            if guarded and blo == bhi:
                return literal(0)
            if not guarded:
                self._no_divisor(real_ends(b), expr)
                return literal(0)
        return quotients.quotient(self, a, b, want)

    def _may_be_zero(self, parameters: Expr) -> bool:
        """Whether what follows from parameters alone can be 0."""
        lo, hi = reach_of(parameters, self.shared.range_of)
        return lo <= 0 <= hi

    def _no_divisor(self, ends: tuple[float, float], division: Expr) -> None:
        self._problem(
            f"in {_shown(division)} the divisor, in {ends[0]:g}..{ends[1]:g}, can be 0; "
            f"keep it away from 0, for example with max(x, 0.001), or write a / b if b > 0.001 else ..."
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
                self._no_divisor((0.0, 0.0), value)
                return literal(0)
            return self._constant(Const(number, Real()))
        places = {(self.shared.real[r.array].owner, r.at) for r in reads if r.at != "scalar"}
        if len(places) > 1:
            return None
        at = reads[0].at if not places else next(iter(places))[1]
        key = (self.owner if not places else next(iter(places))[0], canonical(value))
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
        lo, hi = reach_of(value, self.shared.range_of)
        moving = any(self.shared.real[n].dynamic or n == LENGTH for n in inputs) or any(
            d.array in inputs for d in self.shared.derived
        )
        deviates = any(self.shared.real[n].designed is not None for n in inputs)
        varied = any(self.shared.real[n].varied for n in inputs)
        open_ = moving or deviates
        values = np.asarray(evaluate(value, inputs), np.float64)
        if not (np.isfinite(values).all() and (not open_ or (np.isfinite(lo) and np.isfinite(hi)))):
            if kind == "recip" and isinstance(value, Apply):
                self._no_divisor(reach_of(value.args[1], self.shared.range_of), value)
            else:
                named = ", ".join(map(written, inputs))
                self._problem(f"a constant computed from {named} is not finite")
            return None
        if not open_:
            lo, hi = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
        name = next(name for n in count() if (name := of_compiler(owner, kind, n)) not in self.shared.arrays)
        type_, raw = self.shared.coefficient(name, self.place, values, (lo, hi), open_, deviates, varied)
        like = next(self.shared.real[r.array] for r in reads if (r.at != "scalar") == elements)
        rule = self.shared.chip.word("coefficient")
        array = Array(
            name,
            owner,
            like.at if elements else "scalar",
            "parameter",
            type_,
            raw,
            kind_class="coefficient",
            dynamic=moving,
            range=(lo, hi) if moving else None,
            designed=(lo, hi) if deviates else None,
            varied=varied,
            rounding=rule.rounding,
            place=self.place,
        )
        self.shared.arrays.add(array)
        if moving:
            self.shared.derived.append(Derived(name, value, type_))
            for n, initial in inputs.items():
                self.shared.constants.setdefault(n, initial)
            self.shared.constants[name] = values
        self.shared.notes.line(
            name,
            "format",
            f"{type_}, a coefficient computed from {', '.join(sorted(map(written, inputs)))}"
            f"{', again at every switch' if moving else ''}",
            kind="coefficient",
            bits=type_.bits,
            frac=type_.frac,
            low=math.ldexp(type_.lo, -type_.frac),
            high=math.ldexp(type_.hi, -type_.frac),
        )
        return Read(name, "own", type_)

    def _initial(self, name: str) -> Numbers:
        array = self.shared.real[name]
        known = self.shared.constants.get(name, array.initial)
        if array.range is not None and (array.dynamic or name == LENGTH):
            return np.clip(known, array.range[0], array.range[1])
        return known

    # ------------------------------------------------------------------------------------------------ rule 6: tables

    def name(self, value: Expr) -> Expr:
        """A name for a value that is used more than once (the value itself where no Let can stand)."""
        if self.out is None or isinstance(value, Temp | Const | Read):
            return value
        name = f"$q{self._named}"
        self._named += 1
        self.out.append(Let(name, value, self.place))
        return Temp(name, value.type)

    def _function(self, fn: str, expr: Apply, want: Demand) -> Expr:
        resolved = self._resolve(expr)
        reached = (0.0, 0.0) if resolved is None else reach_of(resolved, self.shared.range_of)
        if resolved is not None and (np.isfinite(reached).all() or not self._conditions):
            hoisted = self._hoist(resolved, "fixed")
            if hoisted is not None:
                return hoisted
        inner = operands(expr, want, self.reach)[0]
        x = self.number(expr.args[0], inner)
        domain = tables.curve(fn).domain
        if domain is not None and self._conditions and bounds(x)[1] >= domain.least:
            x = clipped(x, domain.least, bounds(x)[1])
        least, most = real_ends(x)
        if domain is not None and bounds(x)[0] < domain.least:
            self._problem(f"{_shown(expr)} of a value that can be as small as {least:g}; {domain.remedy}")
            return literal(0)
        if fn == "exp":
            x = self._limited_exponent(x, inner)
            if real_ends(x)[1] < -LARGEST_EXPONENT:
                return literal(0)
        if fn in ("exp", "exprel") and real_ends(x)[1] > LARGEST_EXPONENT:
            self._problem(
                f"{_shown(expr)} of a value that can be as large as {most:g}; limit it, for example with min(x, 10)"
            )
            return literal(0)
        return lookup.look_up(self, fn, x, want)

    def _limited_exponent(self, x: Expr, want: Demand) -> Expr:
        """The argument of an exp cut where its value no longer matters."""
        lo = bounds(x)[0]
        if not _finite(want.hi, frac(x)):
            return x
        end = max(lo, int(np.ceil(np.ldexp(want.hi, frac(x)))) + 1)
        return clipped(x, lo, end)

    def table(self, name: str, entries: NDArray[np.int64], note: str, error: float, frac_: int) -> str:
        """Add a table to the program, with a line in the report."""
        if name not in self.shared.tables:
            self.shared.tables[name] = entries
            told = error > TOLD * math.ldexp(float(np.abs(entries).max()), -frac_)
            self.shared.notes.line(
                name, "table", note, notice=told, place=self.place, entries=len(entries), frac=frac_, error=error
            )
        return name


def _as_number(lowered: Expr) -> Expr:
    if isinstance(lowered.type, Bool):
        return Apply("select", (lowered, literal(1), literal(0)), Int(0, 1))
    return lowered


def _is_zero(x: Expr) -> bool:
    return isinstance(x, Const) and x.value == 0


def _gone(x: Expr, f: int, want: Demand) -> bool:
    """Whether next to nothing is left of an operand at another frac, though the result needs it."""
    most = size(bounds(x))
    needed = LEFT if want.least is None else max(LEFT, 1 << max(0, frac(x) - want.least))
    return f < frac(x) and most >= needed and most >> (frac(x) - f) < LEFT


def _finite(end: float, frac_: int) -> bool:
    """Whether an end of a demanded range is a number that raw integers can reach."""
    return math.isfinite(end) and math.frexp(end)[1] + frac_ <= 62


def _signed(x: Expr, known: int) -> Expr:
    """A value whose sign is known, though its operands were rounded."""
    lo, hi = bounds(x)
    return clipped(x, max(lo, 0) if known > 0 else lo, min(hi, 0) if known < 0 else hi)


def _shown(expr: Expr) -> str:
    """An expression for a message."""
    text = printer.expression(expr)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


def _drawn(x: Expr) -> bool:
    return any(isinstance(part, Round) and part.mode == "stochastic" for part in walk(x))


def _spare(x: Expr, f: int, want: Demand, rule: Rounding) -> tuple[int, int, int]:
    """How many bits of an operand nobody needs, how many it has beyond SIGNIFICANT, and how wide it is.

    The last bit of a whole number counts as much as its first: counters are small compared with how far they can go.
    """
    spare = 0 if want.frac is None else max(0, f - want.frac)
    wide = size(_scaled(bounds(x), frac(x), f, rule)).bit_length()
    return spare, (wide if f > 0 else 0) - SIGNIFICANT, wide


def _scaled(x: Interval, from_frac: int, to_frac: int, rule: Rounding) -> Interval:
    shift = from_frac - to_frac
    return (x[0] << -shift, x[1] << -shift) if shift <= 0 else intervals.rounded(x, shift, rule)


def _times(x: Interval, count: int) -> Interval:
    return x[0] * count, x[1] * count


def canonical(expr: Expr) -> Expr:
    """An expression over parameters as the array's own elements see it."""
    match expr:
        case Read(at="pre" | "post" | "twin"):
            return replace(expr, at="own")
        case Apply(args=args):
            return replace(expr, args=tuple(canonical(a) for a in args))
        case _:
            return expr
