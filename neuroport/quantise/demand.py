"""What the place where a value goes needs of it: a range and a precision, from the stores backward to every operand.

A store that saturates keeps clip(f(a, b, ...), L, H). Where f does not fall in a, an `a` beyond the point at which f
has passed H whatever the other operands are changes nothing; likewise below. So an operand that can be enormous (an
exp, a quotient, a product of counters) needs only the range that can still matter, and only the fractional bits that
the store can see through the factors on its way. Ranges here reach two units beyond the ends of the store, so that it
still counts what it cuts. Ints need nothing said: they are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from neuroport.program.factors import power
from neuroport.program.fixed import LIMIT
from neuroport.program.functions import FUNCTIONS
from neuroport.program.intervals import UNLIMITED, RealInterval
from neuroport.program.ir import (
    Apply,
    Body,
    Bool,
    Expr,
    Int,
    Let,
    Random,
    Read,
    Real,
    Reduce,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
)
from neuroport.program.reach import reach_of, reduced

GUARD = 4
"""Bits behind the last one of a store, so that roundings on the way stay far below one unit of it."""
COARSE = 16
"""A result must be right to so many bits of its range, also where the store has more."""
SMALL = 16
"""A divisor that a condition keeps away from 0 is taken to be at least 2**-SMALL."""
FARTHEST = 500
"""No demand is finer than 2**-FARTHEST or coarser than 2**FARTHEST: powers of two stay floats."""
LEAST_EXPONENT = -200
"""That of 0, below which nothing matters."""

Reach = Callable[[Expr], RealInterval]


@dataclass(frozen=True, slots=True)
class Demand:
    """A value is needed between lo and hi with `frac` fractional bits, and is wrong with fewer than `least`.

    Values beyond lo..hi may be replaced by these. None: nothing is known of the place where it goes.
    """

    lo: float = -math.inf
    hi: float = math.inf
    frac: int | None = None
    least: int | None = None

    def finer(self, bits: int) -> Demand:
        """The same range with more (or, negative, fewer) fractional bits."""
        return replace(self, frac=_moved(self.frac, bits), least=_moved(self.least, bits))

    def within(self, lo: float, hi: float, bits: int = 0) -> Demand:
        """Another range, with so many more fractional bits. Not-a-number stands for no limit.

        Where nothing is left of the range any value serves, such as its lower end.
        """
        lo, hi = -math.inf if math.isnan(lo) else lo, math.inf if math.isnan(hi) else hi
        return replace(self.finer(bits), lo=lo, hi=max(lo, hi))

    def joined(self, other: Demand) -> Demand:
        """What serves both places."""
        return Demand(
            min(self.lo, other.lo), max(self.hi, other.hi), _most(self.frac, other.frac), _most(self.least, other.least)
        )


def _moved(frac: int | None, bits: int) -> int | None:
    return None if frac is None else max(-FARTHEST, min(FARTHEST, frac + bits))


ANY = Demand()


def of_store(kind: Int, saturates: bool) -> Demand:
    """What a variable of this format needs of a value that it is given."""
    unit = math.ldexp(1.0, -kind.frac)
    least = kind.frac - max(0, kind.bits - COARSE)
    if not saturates:
        return Demand(frac=kind.frac + GUARD, least=least)
    return Demand((kind.lo - 2) * unit, (kind.hi + 2) * unit, kind.frac + GUARD, least)


def exponent(x: RealInterval) -> int:
    """The smallest e with |x| <= 2**e everywhere, from LEAST_EXPONENT on."""
    largest = max(abs(x[0]), abs(x[1]))
    if largest == 0:
        return LEAST_EXPONENT
    return max(math.frexp(largest)[1], LEAST_EXPONENT) if math.isfinite(largest) else 1024


@dataclass(slots=True)
class Demands:
    """The demands on every local name of a body, from what its statements do with their values.

    `reach` gives the range of a leaf that is not a local name. `stored` gives what an assignment or a send needs.
    """

    body: Body
    leaf: Reach
    stored: Callable[[Stmt], Demand]
    copies: int = 1
    locals: dict[str, Demand] = field(default_factory=dict)
    _reached: dict[str, RealInterval] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for stmt in self.body:
            if isinstance(stmt, Let):
                self._reached[stmt.name] = self.reach(stmt.value)
        for stmt in reversed(self.body):
            self._statement(stmt)

    def reach(self, expr: Expr) -> RealInterval:
        """The range of a real expression, from the ranges of what it reads."""
        return reach_of(expr, self._leaf)

    def _leaf(self, expr: Expr) -> RealInterval:
        match expr:
            case Temp(name=name):
                return self._reached.get(name, (-math.inf, math.inf))
            case Random():
                return 0.0, 1.0
            case Sum(x=x):
                lo, hi = self.reach(x)
                return lo * self.copies, hi * self.copies
            case Reduce(x=x):
                return reduced(expr, self.reach(x))
            case _:
                return self.leaf(expr)

    def _statement(self, stmt: Stmt) -> None:
        match stmt:
            case Let(name=name, value=value):
                self._note(value, self.locals.get(name, ANY))
            case Store() | Send():
                self._note(stmt.value, self.stored(stmt))
                if stmt.guard is not None:
                    self._note(stmt.guard, ANY)
            case Spike(condition=condition):
                self._note(condition, ANY)

    def _note(self, expr: Expr, want: Demand) -> None:
        match expr:
            case Temp(name=name):
                known = self.locals.get(name)
                self.locals[name] = want if known is None else known.joined(want)
            case Apply(args=args):
                for arg, demand in zip(args, operands(expr, want, self.reach), strict=True):
                    self._note(arg, demand)
            case Sum(x=x):
                self._note(x, of_sum(want, self.copies))
            case Reduce(x=x):
                self._note(x, of_reduced(expr, want))
            case _:
                pass


def of_sum(want: Demand, terms: int) -> Demand:
    """What a sum over copies, or elements, needs of each."""
    return want.within(-math.inf, math.inf, (terms - 1).bit_length())


def of_reduced(expr: Reduce, want: Demand) -> Demand:
    """What a sum, or the largest, over elements needs of each: limits of the largest are limits of all."""
    return of_sum(want, expr.terms) if expr.op == "sum" else want


def operands(expr: Apply, want: Demand, reach: Reach) -> Sequence[Demand]:
    """What a function needs of its operands for the result that is wanted of it."""
    if expr.fn == "to_int":
        return [Demand(-float(LIMIT), float(LIMIT), COARSE + GUARD, 0)]
    if isinstance(expr.type, Int) or not any(isinstance(a.type, Real) for a in expr.args):
        return [ANY] * len(expr.args)
    if isinstance(expr.type, Bool):
        return _of_condition(expr, reach)
    parts = [reach(a) for a in expr.args]
    return _RULES.get(expr.fn, _curve)(want, parts, expr)


def _of_condition(expr: Apply, reach: Reach) -> Sequence[Demand]:
    if FUNCTIONS[expr.fn].types == "truths":
        return [ANY] * len(expr.args)
    if len(expr.args) == 1:
        return [ANY]
    frac = max(_grid(a) for a in expr.args)
    margin = math.ldexp(1.0, -frac)
    a, b = (reach(x) for x in expr.args)
    wanted = Demand(frac=frac + GUARD, least=min(frac, COARSE))
    return [wanted.within(b[0] - margin, b[1] + margin), wanted.within(a[0] - margin, a[1] + margin)]


def _grid(expr: Expr) -> int:
    """How finely two sides are compared: as finely as what they read, or with 16 bits."""
    return max((_leaf_grid(leaf) for leaf in _leaves(expr)), default=COARSE)


def _leaves(expr: Expr) -> Iterable[Expr]:
    if isinstance(expr, Apply):
        for arg in expr.args:
            yield from _leaves(arg)
    else:
        yield expr


def _leaf_grid(leaf: Expr) -> int:
    if isinstance(leaf, Random):
        return 32
    return COARSE if isinstance(leaf, Read | Temp) else 0


def _most(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else max(a, b)


# ------------------------------------------------------------------------------------------------------------ the rules

Rule = Callable[[Demand, list[RealInterval], Apply], Sequence[Demand]]


def _add(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    a, b = parts
    return [want.within(want.lo - b[1], want.hi - b[0], 1), want.within(want.lo - a[1], want.hi - a[0], 1)]


def _sub(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    a, b = parts
    return [want.within(want.lo + b[0], want.hi + b[1], 1), want.within(a[0] - want.hi, a[1] - want.lo, 1)]


def _mul(want: Demand, parts: list[RealInterval], expr: Apply) -> Sequence[Demand]:
    a, b = parts
    (base, n), (other, m) = power(expr.args[0]), power(expr.args[1])
    if base == other:  # beyond the root of the end of the product neither matters
        root = max(abs(want.lo), abs(want.hi)) ** (1 / (n + m))
        ends = min(root**n, 2.0**1000), min(root**m, 2.0**1000)
        first = want.within(-ends[0], ends[0], min(exponent(b), exponent((0.0, ends[1]))) + 2)
        return [first, want.within(-ends[1], ends[1], min(exponent(a), exponent((0.0, ends[0]))) + 2)]
    return [_factor(want, b, a), _factor(want, a, b)]


def _factor(want: Demand, other: RealInterval, own: RealInterval) -> Demand:
    """What a factor is needed for: beyond the end of the product the other one no longer matters."""
    smallest = 0.0 if own[0] <= 0 <= own[1] else min(abs(own[0]), abs(own[1]))
    matters = max(abs(want.lo), abs(want.hi)) / smallest if smallest else math.inf
    bits = min(exponent(other), exponent((0.0, matters))) + 1
    if other[0] >= 0:
        lo, hi = want.lo, want.hi
    elif other[1] <= 0:
        lo, hi, other = -want.hi, -want.lo, (-other[1], -other[0])
    else:
        return want.within(-math.inf, math.inf, bits)
    return want.within(-_needed(-lo, other[0]), _needed(hi, other[0]), bits)


def _needed(end: float, smallest: float) -> float:
    """How large a factor can matter when its product, with one of at least `smallest`, is cut at `end`."""
    if end <= 0:
        return 0.0
    return end / smallest if smallest > 0 else math.inf


def _div(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    a, b = parts
    sign = 1 if b[0] > 0 else -1 if b[1] < 0 else 0
    if sign == 0:  # under a condition: as exact as the quotient where the divisor is not much smaller than 2**-SMALL
        end = _vanishing(want, a)
        return [want.within(-math.inf, math.inf, SMALL), want.within(-end, end, exponent(a) + SMALL)]
    lo, hi = (want.lo, want.hi) if sign > 0 else (-want.hi, -want.lo)
    least, most = min(abs(b[0]), abs(b[1])), max(abs(b[0]), abs(b[1]))
    dividend = want.within(lo * most if lo < 0 else 0.0, hi * most if hi > 0 else 0.0, 1 - math.frexp(least)[1] + 1)
    largest = min(max(abs(a[0]), abs(a[1])) / least, max(abs(want.lo), abs(want.hi)))
    bits = exponent((0.0, largest)) - math.frexp(least)[1] + 2
    end = _vanishing(want, a)
    return [dividend, want.within(*((-math.inf, end) if sign > 0 else (-end, math.inf)), bits)]


def _vanishing(want: Demand, dividend: RealInterval) -> float:
    """A divisor beyond which a quotient hardly matters: half way between what is wanted of it and what must be right.

    A divisor has to be precise where it is small, so that its range and its fractional bits share one word.
    """
    if want.frac is None or want.least is None:
        return math.inf
    frac = (want.frac + want.least) // 2
    frac = max(-1000, min(1000, frac))  # powers that are float64
    return max(abs(dividend[0]), abs(dividend[1]), 2.0**-frac) * 2.0 ** (frac + 2)


def _same(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    return [want] * len(parts)


def _neg(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    return [want.within(-want.hi, -want.lo)]


def _abs(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    most = max(want.hi, 0.0)
    return [want.within(-most, most)]


def _min(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    a, b = parts
    return [want.within(want.lo, min(want.hi, b[1])), want.within(want.lo, min(want.hi, a[1]))]


def _max(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    a, b = parts
    return [want.within(max(want.lo, b[0]), want.hi), want.within(max(want.lo, a[0]), want.hi)]


def _clip(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    _x, low, high = parts
    return [want.within(max(want.lo, low[0]), min(want.hi, high[1])), want, want]


def _select(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    return [ANY, want, want]


def _unlimited(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    return [want.within(*UNLIMITED)] * len(parts)


def _curve(want: Demand, parts: list[RealInterval], expr: Apply) -> Sequence[Demand]:
    """What a function without a rule of its own needs: a curve as many more bits as it is steep, to where it is flat.

    Of any other nothing is known, which is right for all: its operands stay whole, or are refused.
    """
    curve = FUNCTIONS[expr.fn].curve
    if curve is None:
        return [ANY] * len(parts)
    ends = UNLIMITED if curve.flat is None or want.frac is None else curve.flat(max(want.frac, -1))
    return [want.within(*ends, max(0, exponent((0.0, curve.slope(*parts[0])))))]


def _exp(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    largest = min(parts[0][1], math.log(want.hi) if 0 < want.hi < math.inf else math.inf)
    bits = math.ceil(max(-700.0, min(largest, 700.0)) / math.log(2)) + 1
    hi = math.log(want.hi) if 0 < want.hi < math.inf else math.inf
    lo = math.log(want.lo) if 0 < want.lo < math.inf else -_tail(want)
    return [want.within(lo, hi, bits)]


def _tail(want: Demand) -> float:
    """Where exp(-x) is below a quarter of what is needed."""
    return math.inf if want.frac is None else max(want.frac + 2, 1) * math.log(2)


def _log(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    smallest = max(parts[0][0], 0.0)
    bits = 1 - math.frexp(smallest)[1] + 1 if smallest > 0 else 2 * SMALL  # a condition keeps it from 0
    return [want.within(-math.inf, math.exp(want.hi) if want.hi < 700 else math.inf, bits)]


def _sqrt(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    hi = max(want.hi, 0.0) ** 2 if want.hi < 1e150 else math.inf
    return [want.within(-math.inf, hi, COARSE)]


def _tanh(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    return [want.within(-_tail(want), _tail(want))]


def _softplus(want: Demand, parts: list[RealInterval], _: Apply) -> Sequence[Demand]:
    return [want.within(-_tail(want), want.hi)]


_RULES: dict[str, Rule] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "to_real": _same,
    "neg": _neg,
    "abs": _abs,
    "min": _min,
    "max": _max,
    "clip": _clip,
    "select": _select,
    "floordiv": _unlimited,
    "mod": _unlimited,
    "floor": _unlimited,
    "exp": _exp,
    "log": _log,
    "sqrt": _sqrt,
    "tanh": _tanh,
    "softplus": _softplus,
}
