"""How states move in a chip's steps: decays that stop too early or go too fast, increments that are lost.

A statement that assigns a * x + b to x, with 0 < a < 1, lets x decay toward b / (1 - a), by (1 - a) of its distance in
every step. x has whole units of its format: where (1 - a) of the distance is less than what rounding keeps, x stands
still, or falls by whole units. The distance at which that begins is the stall level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from neuroport.chips.chip import Chip
from neuroport.errors import Place
from neuroport.program.affine import MOST, ONE, ZERO, Affine, affine, inlined, longer, ways
from neuroport.program.fixed import FloatArray
from neuroport.program.intervals import UNLIMITED, RealInterval, hull
from neuroport.program.ir import REAL, Apply, Const, Expr, Int, Let, Random, Read, Real, Store, Temp, walk
from neuroport.program.machine import Array, Program
from neuroport.program.reach import RangeOf, named, reach_of
from neuroport.quantise.formats import TOLD, Notes, is_parameter, percent, word_class
from neuroport.quantise.held import Held
from neuroport.quantise.integers import bounds

BoolArray = NDArray[np.bool_]
SPREAD = 12**-0.5
"""The standard deviation of a draw between 0 and 1."""


@dataclass(frozen=True, slots=True)
class _Factor:
    """The factors a of a statement, as wanted and as the chip holds them, and what is around it.

    rest: the ends of b / (1 - a), where x stays. noise: the standard deviation of the draws in b.
    """

    wanted: FloatArray
    held: FloatArray
    place: Place | None
    rest: RealInterval
    noise: float

    def only(self, chosen: BoolArray) -> _Factor:
        """Some of them."""
        return replace(self, wanted=self.wanted[chosen], held=self.held[chosen])


@dataclass(frozen=True, slots=True)
class _Increment:
    """What a statement adds where the value stays as it is or decays: its values where these are `known`.

    Else the ends of its range. `held`: the same on the chip. `typical`: for what has no known value, the largest change
    when every trace in it is as one increment leaves it and every draw typical, and what this is by; `first`: that by
    the first values of all that is in it.
    """

    values: FloatArray
    held: FloatArray
    known: bool
    place: Place | None
    typical: Callable[[Mapping[str, float]], tuple[float, str]]
    first: float = math.inf


@dataclass(slots=True)
class _Moves:
    """What the statements of a program do to one array. `extent`: what it can be, by them and its first values."""

    extent: RealInterval
    decays: list[_Factor] = field(default_factory=list)
    growths: list[_Factor] = field(default_factory=list)
    increments: list[_Increment] = field(default_factory=list)

    @property
    def increment(self) -> float:
        """The smallest one that is known; inf where none is."""
        known = [np.abs(one.values[one.values != 0]) for one in self.increments if one.known]
        return min((float(part.min()) for part in known if part.size), default=math.inf)

    def reaches(self, ends: RealInterval) -> None:
        """It can be this too."""
        self.extent = hull(self.extent, ends)


def notice_moves(held: Held, program: Program, chip: Chip, range_of: RangeOf, notes: Notes) -> None:
    """Add lines for every array that decays or grows, and one per increment that its format changes.

    `held`: what the chip makes of parameters; `program`: in real numbers; `range_of`: the range of a parameter.
    """
    found = _moves(program, held, range_of)
    traces = {name: moves.increment for name, moves in found.items() if moves.decays and moves.increment < math.inf}
    for name, moves in found.items():
        array = held.arrays[name]
        _Teller(program.arrays[name], array, chip.word(word_class(array)).min_step, notes).tell(moves, traces)


def notice_ends(program: Program, notes: Notes) -> None:
    """Add a line per array of an integer program whose values can leave its format, as far as bounds can tell."""
    reached: dict[str, tuple[Store, float, float]] = {}
    for owned in program.bodies():
        for stmt in owned.body:
            if isinstance(stmt, Store) and stmt.overflow in ("saturate", "wrap"):
                lo, hi = bounds(stmt.value)
                _, low, high = reached.get(stmt.array, (stmt, lo, hi))
                reached[stmt.array] = stmt, min(low, lo), max(high, hi)
    for name, (store, low, high) in reached.items():
        kind = program.arrays[name].type
        unit = math.ldexp(1, -kind.frac) if isinstance(kind, Int) else 1.0
        what = "held at its end" if store.overflow == "saturate" else "wrapped"
        ends = f"{store.lo * unit:.6g}..{store.hi * unit:.6g}"
        given = f"statements can give {low * unit:.6g}..{high * unit:.6g}"
        beyond = max(store.lo - low, high - store.hi) / max(1, store.hi - store.lo)
        notes.line(
            name,
            "saturation",
            f"{given}; what lies outside {ends} is {what} and counted",
            place=store.place,
            low=low * unit,
            high=high * unit,
            beyond=beyond,
        )


def _moves(program: Program, held: Held, range_of: RangeOf) -> dict[str, _Moves]:
    found: dict[str, _Moves] = {}
    for owned in program.bodies():
        values = _Values(program, held, range_of)
        for stmt in owned.body:
            if isinstance(stmt, Let):
                values.named(stmt)
            elif isinstance(stmt, Store) and isinstance(program.arrays[stmt.array].type, Real):
                first = program.arrays[stmt.array].initial
                start = (float(first.min()), float(first.max())) if first.size else (0.0, 0.0)
                values.store(stmt, found.setdefault(stmt.array, _Moves(start)))
    return found


def _forms(stmt: Store, lets: Mapping[str, Expr], short: Mapping[str, Expr]) -> list[Affine]:
    """What a statement makes of the old value, once for each way through its choices."""
    found: dict[Affine, None] = {}
    for form in affine(stmt.value, Read(stmt.array, "own", REAL), lets):
        parts = [ways(inlined(part, short)) for part in (form.slope, form.offset)]
        parts = parts if math.prod(map(len, parts)) <= MOST else [(form.slope,), (form.offset,)]
        found |= dict.fromkeys(Affine(slope, offset) for slope, offset in product(*parts))
    return list(found)


def _increments(forms: Sequence[Affine]) -> Iterator[Expr]:
    """What is added to a value that stays as it is, or does so or decays to 0 on another way."""
    resting = any(form.offset == ZERO and form.slope != ZERO for form in forms)
    for form in forms:
        if form.offset != ZERO and (resting or form.slope == ONE):
            yield form.offset


@dataclass(slots=True)
class _Values:
    """What the expressions of a body over parameters come to.

    `lets`: its names; `short`: what those that are not too long stand for; `draws`: those that stand in them.
    """

    program: Program
    held: Held
    range_of: RangeOf
    lets: dict[str, Expr] = field(default_factory=dict)
    short: dict[str, Expr] = field(default_factory=dict)
    draws: dict[str, frozenset[Random]] = field(default_factory=dict)

    def named(self, let: Let) -> None:
        """A name from here on."""
        self.lets[let.name], self.draws[let.name] = let.value, self._drawn(let.value)
        value = inlined(let.value, self.short)
        if not longer(value):
            self.short[let.name] = value

    def store(self, stmt: Store, moves: _Moves) -> None:
        """Add what a statement does."""
        forms = _forms(stmt, self.lets, self.short)
        for form in forms:
            factor = self._factor(form, stmt.place)
            moves.decays += self._some(factor, (factor.wanted > 0) & (factor.wanted < 1))
            moves.growths += self._some(factor, factor.wanted > 1)
            if form.slope != ONE or form.offset != ZERO:
                moves.reaches(factor.rest)
        if not forms:
            moves.reaches(UNLIMITED)
        for offset in dict.fromkeys(_increments(forms)):
            moves.increments.append(self._increment(offset, stmt.place))

    def _some(self, factor: _Factor, chosen: BoolArray) -> list[_Factor]:
        return [factor.only(chosen)] if chosen.any() else []

    def _factor(self, form: Affine, place: Place | None) -> _Factor:
        """The slope of a form; of one that is not known, where it is a decay, its slowest end."""
        noise = self._deviation(form.offset)
        if self._parameters(form.slope):
            wanted, held = self.held.values(form.slope)
            return _Factor(wanted, held, place, self._rest(form, wanted), noise)
        ends = self.held.reach(form.slope, self.lets, self._whole)
        wanted, held = (np.array(part) for part in ends)
        slowest = np.flatnonzero((wanted > 0) & (wanted < 1))[-1:]
        return _Factor(wanted[slowest], held[slowest], place, UNLIMITED, noise)

    def _rest(self, form: Affine, factors: FloatArray) -> RealInterval:
        """The ends of b / (1 - a); no limit where a is 1 or not between 0 and 1 for all."""
        if not factors.size or (factors == 1).any() or (factors < 0).any() or factors.min() < 1 < factors.max():
            return UNLIMITED
        low, high = self._reach(form.offset)
        rests = [end / (1 - float(factor)) for end in (low, high) for factor in (factors.min(), factors.max())]
        return min(rests), max(rests)

    def _increment(self, value: Expr, place: Place | None) -> _Increment:
        """What an expression adds."""
        if self._parameters(value):
            return _Increment(*self.held.values(value), True, place, lambda traces: (math.inf, ""))
        wanted, held = (np.array(ends) for ends in self.held.reach(value, self.lets, self._whole))
        first = max(map(abs, self._reach(value, self._first)))
        return _Increment(wanted, held, False, place, partial(self._typical, value), first)

    def _typical(self, value: Expr, traces: Mapping[str, float]) -> tuple[float, str]:
        """The largest change by traces after one increment and draws one standard deviation from their mean."""
        leaf = partial(self._range, traces=traces)
        read = {part.array for part in self._leaves(value) if isinstance(part, Read)} & traces.keys()
        causes = ["traces after one spike"] * bool(read) + ["typical draws"] * bool(self._drawn(value))
        largest = max(map(abs, self._reach(value, leaf))) + self._deviation(value, traces)
        return largest, "by " + " and ".join(causes) if causes else ""

    def _deviation(self, value: Expr, traces: Mapping[str, float] | None = None) -> float:
        """The standard deviation by all draws in an expression, where it is linear in them."""

        def half(drawn: Random) -> float:
            low, high = self._reach(value, partial(self._range, traces=traces, drawn=drawn))
            return (high - low) / 2

        drawn = self._drawn(value)
        if not drawn:
            return 0.0
        low, high = self._reach(value, partial(self._range, traces=traces))
        parts = [half(one) - (high - low) / 2 for one in drawn]
        return math.hypot(*parts) if all(map(math.isfinite, parts)) else math.inf

    def _leaves(self, value: Expr) -> Iterator[Expr]:
        """What stands in an expression and in the names that it has."""
        return (part for part in walk(inlined(value, self.short)) if not isinstance(part, Apply | Const))

    def _drawn(self, value: Expr) -> frozenset[Random]:
        leaves = [part for part in walk(value) if isinstance(part, Temp | Random)]
        own = frozenset(leaf for leaf in leaves if isinstance(leaf, Random))
        return own.union(*(self.draws.get(leaf.name, frozenset()) for leaf in leaves if isinstance(leaf, Temp)))

    def _reach(self, value: Expr, leaf: RangeOf | None = None) -> RealInterval:
        return reach_of(value, named(self.lets, leaf or self._whole))

    def _first(self, leaf: Expr) -> RealInterval:
        """The range of the first values."""
        if not isinstance(leaf, Read) or self.program.arrays[leaf.array].role == "input":
            return self._range(leaf)
        first = self.program.arrays[leaf.array].initial
        return (float(first.min()), float(first.max())) if first.size else (0.0, 0.0)

    def _whole(self, leaf: Expr) -> RealInterval:
        return (0.0, 1.0) if isinstance(leaf, Random) else self._range(leaf)

    def _range(
        self, leaf: Expr, traces: Mapping[str, float] | None = None, drawn: Random | None = None
    ) -> RealInterval:
        """The range of what stands in an expression and is no local name.

        Of draws their mean, and of the one `drawn` a standard deviation around it; of `traces` from 0 to what one
        increment makes of them.
        """
        if isinstance(leaf, Random):
            return (0.5 - SPREAD, 0.5 + SPREAD) if leaf == drawn else (0.5, 0.5)
        if not isinstance(leaf, Read) or is_parameter(leaf, self.program.arrays):
            return self.range_of(leaf)
        if traces is not None and leaf.array in traces:
            return 0.0, traces[leaf.array]
        return self.program.arrays[leaf.array].range or UNLIMITED

    def _parameters(self, expr: Expr) -> bool:
        """Whether an expression is over parameters of one object alone."""
        reads = [part for part in walk(expr) if isinstance(part, Read)]
        return self.held.fixed(expr) and all(read.at in ("own", "scalar") for read in reads)


@dataclass(frozen=True, slots=True)
class _Change:
    """One change and what is kept of it, which may be off by a factor."""

    what: str
    wanted: float
    held: float
    factor: float

    @property
    def told(self) -> bool:
        """Whether it is off by more."""
        return self.wanted > 0 and not self.wanted / self.factor <= self.held <= self.factor * self.wanted


@dataclass(slots=True)
class _Teller:
    """Tells of one array. `real`: in real numbers; `held`: on the chip."""

    real: Array
    held: Array
    min_step: bool
    notes: Notes

    def tell(self, moves: _Moves, traces: Mapping[str, float]) -> None:
        """Add its lines."""
        for one in moves.increments:
            self._increment(one, traces)
        decays = sorted(moves.decays, key=lambda decay: -float(decay.wanted.max()))
        for decay in decays:
            self._constant(decay, slowest=decay is decays[0])
        if decays and decays[0].noise * math.sqrt(12) < self.unit:
            self._stall(decays[0], moves)
        for growth in moves.growths:
            self._growth(growth)

    @property
    def unit(self) -> float:
        """The value of the last bit."""
        assert isinstance(self.held.type, Int)
        return math.ldexp(1, -self.held.type.frac)

    def _kept(self, change: float) -> float:
        """What rounding makes of a change that is added to a value of the format, in units; drawn ones on average."""
        units = change / self.unit
        match self.held.rounding:
            case "stochastic":
                return units
            case "nearest" | "nearest_even":
                kept = math.copysign(math.floor(abs(units) + 0.5), units)
            case _:
                kept = math.floor(units)
        return math.copysign(max(abs(kept), 1.0), units) if self.min_step and units else kept

    def _increment(self, one: _Increment, traces: Mapping[str, float]) -> None:
        wanted, held = np.abs(one.values[one.values != 0]), np.abs(one.held[one.values != 0])
        if not wanted.size or not np.isfinite(wanted).all():
            return
        if one.known:
            least = int(wanted.argmin())
            self._known(float(wanted[least]), float(held[least]), one.place)
            return
        off = [change for change in self._candidates(one, float(wanted.max()), traces) if change.told]
        for change in sorted(off, key=lambda change: change.held != 0)[:1]:
            self._changed(change.what, change.wanted, change.held, one.place)

    def _known(self, wanted: float, held: float, place: Place | None) -> None:
        """The smallest increment of those that are known, which the chip has as `held` before it adds it."""
        kept = self._kept(held) * self.unit
        if abs(kept - wanted) <= TOLD * wanted:
            return
        if abs(kept - held) > TOLD * held:
            self._changed(f"the increment {wanted:.3g}", wanted, kept, place)
            return
        text = f"the increment {wanted:.3g} is held as {held:.3g} in a coefficient"
        self.notes.line(self.real.name, "increment", text, notice=True, place=place, wanted=wanted, held=kept)

    def _candidates(self, one: _Increment, largest: float, traces: Mapping[str, float]) -> Iterator[_Change]:
        """The changes by which to judge one whose value is not known."""
        typical, causes = one.typical(traces)
        kept = self._kept(largest) * self.unit
        what = f"the largest change, {largest:.3g}," if kept else f"every change, at most {largest:.3g},"
        factor = 2.0 if causes else 1.1
        yield _Change(what, largest, kept, factor)
        if causes:
            yield _Change(f"the change {typical:.3g} {causes}", typical, self._kept(typical) * self.unit, factor)
        if largest / 10 <= one.first < math.inf:
            what = f"the change {one.first:.3g} by the first values"
            yield _Change(what, one.first, self._kept(one.first) * self.unit, factor)

    def _changed(self, what: str, wanted: float, held: float, place: Place | None) -> None:
        made = "is lost" if not held else f"becomes {held:.3g}"
        text = f"{what} {made} in steps of {self.unit:.3g}"
        self.notes.line(self.real.name, "increment", text, notice=True, place=place, wanted=wanted, held=held)

    def _constant(self, decay: _Factor, slowest: bool) -> None:
        """The time constant of a decay: in any case of the slowest one, of others what is off."""
        wanted, held = decay.wanted, decay.held
        steps = -1 / math.log(wanted.max())
        gone = int(((held <= 0) | (held >= 1)).sum())
        if gone:
            text = f"{gone} of {held.size} decays became 0 or 1 (time constant {steps:.4g} steps): no decay is left"
            self._time_constant(text, True, decay.place, steps=steps, count=gone)
            return
        error = _off(decay)
        if slowest or error > 100 * TOLD:
            text = f"time constant {steps:.4g} steps, off by up to {error:.2g} %"
            self._time_constant(text, error > 100 * TOLD, decay.place, steps=steps, percent=error)

    def _time_constant(self, text: str, told: bool, place: Place | None, **values: float) -> None:
        self.notes.line(self.real.name, "time constant", text, notice=told, place=place, **values)

    def _growth(self, growth: _Factor) -> None:
        """Where a value that departs from b / (1 - a) does not, or at another pace."""
        wanted, held = growth.wanted, growth.held
        steps = 1 / math.log(wanted.min())
        gone = int((held <= 1).sum())
        if gone:
            text = f"{gone} of {held.size} growths became 1 (time constant {steps:.4g} steps): nothing grows"
            self._time_constant(text, True, growth.place, steps=steps, count=gone)
            return
        error = _off(growth)
        if error > 100 * TOLD:
            text = f"grows with time constant {steps:.4g} steps, off by up to {error:.2g} %"
            self._time_constant(text, True, growth.place, steps=steps, percent=error)
        low, high = growth.rest
        away = max((abs(float(v) - low) for v in np.ravel(self.real.initial)), default=0.0) if low == high else 0.0
        if self.held.rounding == "stochastic" or self.min_step or not away or growth.noise * math.sqrt(12) >= self.unit:
            return
        level = self._level(float(held.min()) - 1)
        compared = _compared(level, away, f"the {away:.3g} from there at which it starts")
        text = f"stops growing {level:.3g} from where it rests, {compared}"
        told = level > TOLD * away
        self.notes.line(self.real.name, "stall", text, notice=told, place=growth.place, level=level, unit=self.unit)

    def _level(self, rate: float) -> float:
        """The distance below which `rate`, the part of it that goes in a step, is less than rounding keeps."""
        nearest = self.held.rounding in ("nearest", "nearest_even") and not self.min_step
        return self.unit / rate * (0.5 if nearest else 1.0)

    def _stall(self, decay: _Factor, moves: _Moves) -> None:
        """Where the slowest decay stops, or goes by whole units."""
        rate = 1 - float(decay.held[decay.wanted.argmax()])
        if self.held.rounding == "stochastic" or not 0 < rate < 1:
            return
        level = self._level(rate)
        size, of = min(self._sizes(moves))
        if self.min_step and level > size:
            text = f"falls by whole steps of {self.unit:.3g}: {level / size:.3g} times too fast at {of}"
        elif self.min_step:
            text = f"falls by whole steps of {self.unit:.3g} below {level:.3g}, {_compared(level, size, of)}"
        else:
            text = f"stops decaying {level:.3g} from its rest, {_compared(level, size, of)}"
        values = {"level": level, "unit": self.unit, "rate": rate}
        self.notes.line(self.real.name, "stall", text, notice=level > TOLD * size, place=decay.place, **values)

    def _sizes(self, moves: _Moves) -> Iterator[tuple[float, str]]:
        """What the variable moves by: its range, less if its statements keep it in less, and its smallest increment."""
        ends = self.real.range or (0.0, 0.0)
        whole, extent = ends[1] - ends[0], max(0.0, min(ends[1], moves.extent[1]) - max(ends[0], moves.extent[0]))
        yield whole, f"its range of {whole:.6g}"
        if 0 < extent < whole:
            yield extent, f"the {extent:.3g} that it can go"
        yield moves.increment, f"an increment of {moves.increment:.3g}"


def _off(factor: _Factor) -> float:
    """How far the time constants of factors are off, in percent."""
    return 100 * float(np.abs(np.log(factor.wanted) / np.log(factor.held) - 1).max())


def _compared(level: float, size: float, of: str) -> str:
    return f"{percent(level / size)} of {of}" if level <= size else f"{level / size:,.3g} times {of}"
