"""How states move in a chip's steps: decays that stop too early or go too fast, increments that are lost.

A statement that assigns a * x + b to x, with 0 < a < 1, lets x decay toward b / (1 - a), by (1 - a) of its distance in
every step. x has whole units of its format: where (1 - a) of the distance is less than what rounding keeps, x stands
still, or falls by whole units. The distance at which that begins is the stall level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from neuroport.chips.chip import Chip
from neuroport.errors import Place
from neuroport.program.affine import ONE, ZERO, Affine, affine
from neuroport.program.constants import evaluate, real
from neuroport.program.fixed import FloatArray
from neuroport.program.ir import Apply, Const, Expr, Int, Let, Random, Read, Real, Store, Temp, walk
from neuroport.program.machine import Array, Program
from neuroport.program.reach import RangeOf, named, reach_of
from neuroport.quantise.formats import TOLD, Notes, is_parameter, percent, word_class
from neuroport.quantise.integers import bounds


@dataclass(frozen=True, slots=True)
class _Decay:
    """The factors a of a statement, as wanted and as the chip holds them; how wide the draws in its b are."""

    wanted: FloatArray
    held: FloatArray
    place: Place | None
    noise: float


@dataclass(frozen=True, slots=True)
class _Increment:
    """What a statement adds where the value stays as it is or decays: its values where these are `known`.

    Else the ends of its range, and the largest change when every trace in it is as one increment leaves it and every
    draw a standard deviation from its mean.
    """

    values: FloatArray
    known: bool
    place: Place | None
    once: Callable[[Mapping[str, float]], float]


@dataclass(slots=True)
class _Moves:
    """What the statements of a program do to one array."""

    decays: list[_Decay] = field(default_factory=list)
    increments: list[_Increment] = field(default_factory=list)

    @property
    def increment(self) -> float:
        """The smallest one that is known; inf where none is."""
        known = [np.abs(one.values[one.values != 0]) for one in self.increments if one.known]
        return min((float(part.min()) for part in known if part.size), default=math.inf)


def notice_moves(program: Program, arrays: Mapping[str, Array], chip: Chip, range_of: RangeOf, notes: Notes) -> None:
    """Add a line per array that decays, and one per increment that its format changes.

    `program`: in real numbers; `arrays`: the same in the chip's integers; `range_of`: the range of a parameter.
    """
    found = _moves(program, arrays, range_of)
    traces = {name: moves.increment for name, moves in found.items() if moves.decays and moves.increment < math.inf}
    for name, moves in found.items():
        array = arrays[name]
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


def _moves(program: Program, arrays: Mapping[str, Array], range_of: RangeOf) -> dict[str, _Moves]:
    found: dict[str, _Moves] = {}
    for owned in program.bodies():
        lets: dict[str, Expr] = {}
        drawn: set[str] = set()
        for stmt in owned.body:
            if isinstance(stmt, Let):
                lets[stmt.name] = stmt.value
                drawn |= {stmt.name} if _draws(stmt.value, drawn) else set()
            elif isinstance(stmt, Store) and isinstance(program.arrays[stmt.array].type, Real):
                values = _Values(program, arrays, dict(lets), range_of)
                forms = affine(stmt.value, Read(stmt.array, "own", program.arrays[stmt.array].type), lets)
                slopes = dict.fromkeys(form.slope for form in forms)
                moves = found.setdefault(stmt.array, _Moves())
                offsets = [form.offset for form in forms if _draws(form.offset, drawn)]
                noise = max(map(values.width, offsets), default=0.0)
                decays = [_Decay(*values.decay(slope), stmt.place, noise) for slope in slopes]
                moves.decays += [decay for decay in decays if decay.wanted.size]
                moves.increments += [values.increment(offset, stmt.place) for offset in _increments(forms)]
    return found


def _increments(forms: tuple[Affine, ...]) -> Iterator[Expr]:
    """What is added to a value that stays as it is, or does so or decays to 0 on another way."""
    resting = any(form.offset == ZERO and form.slope != ZERO for form in forms)
    for form in forms:
        if form.offset != ZERO and (resting or form.slope == ONE):
            yield form.offset


def _draws(expr: Expr, drawn: set[str]) -> bool:
    """Whether an expression has a draw in it; `drawn`: the local names that have one."""
    leaves = [part for part in walk(expr) if isinstance(part, Temp | Random)]
    return any(isinstance(leaf, Random) or leaf.name in drawn for leaf in leaves)


@dataclass(slots=True)
class _Values:
    """What expressions over parameters come to."""

    program: Program
    arrays: Mapping[str, Array]
    lets: Mapping[str, Expr]
    range_of: RangeOf

    def decay(self, slope: Expr) -> tuple[FloatArray, FloatArray]:
        """The factors of a decay as wanted and as the chip has them, in the same order; none where it is no decay."""
        reads = self._parameters(slope)
        if reads is None:
            ends = np.array(self._reach(slope))
            slowest = ends[(ends > 0) & (ends < 1)][-1:]
            return slowest, slowest
        wanted = evaluate(slope, {name: self.program.arrays[name].initial for name in reads})
        held = evaluate(slope, {name: real(self.arrays[name].initial, self.arrays[name]) for name in reads})
        wanted, held = np.broadcast_arrays(np.atleast_1d(wanted), np.atleast_1d(held))
        decays = (wanted > 0) & (wanted < 1)
        return wanted[decays], held[decays]

    def increment(self, value: Expr, place: Place | None) -> _Increment:
        """What an expression adds."""
        reads = self._parameters(value)
        if reads is not None:
            numbers = evaluate(value, {name: self.program.arrays[name].initial for name in reads})
            return _Increment(np.atleast_1d(numbers), True, place, lambda traces: math.inf)

        def once(traces: Mapping[str, float]) -> float:
            return max(map(abs, self._reach(value, traces)))

        return _Increment(np.array(self._reach(value)), False, place, once)

    def width(self, value: Expr) -> float:
        """How far apart the ends of an expression are."""
        low, high = self._reach(value)
        return high - low

    def _reach(self, value: Expr, traces: Mapping[str, float] | None = None) -> tuple[float, float]:
        return reach_of(value, named(self.lets, partial(self._range, traces=traces)))

    def _range(self, leaf: Expr, traces: Mapping[str, float] | None = None) -> tuple[float, float]:
        """The range of what stands in an expression and is no local name.

        With `traces`, theirs is from 0 to what one increment makes of them, and that of draws a standard deviation.
        """
        if isinstance(leaf, Random):
            return (0.0, 1.0) if traces is None else (0.5 - 12**-0.5, 0.5 + 12**-0.5)
        if not isinstance(leaf, Read) or is_parameter(leaf, self.program.arrays):
            return self.range_of(leaf)
        if traces is not None and leaf.array in traces:
            return 0.0, traces[leaf.array]
        return self.program.arrays[leaf.array].range or (-math.inf, math.inf)

    def _parameters(self, expr: Expr) -> list[str] | None:
        """The arrays that an expression reads, if these are parameters of one object."""
        leaves = [part for part in walk(expr) if not isinstance(part, Apply | Const)]
        reads = [leaf for leaf in leaves if isinstance(leaf, Read) and leaf.at in ("own", "scalar")]
        known = len(reads) == len(leaves) and all(is_parameter(read, self.program.arrays) for read in reads)
        return [read.array for read in reads] if known else None


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
        if moves.decays:
            self._decay(max(moves.decays, key=lambda decay: float(decay.wanted.max())), moves.increment)

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
        values = np.abs(one.values[one.values != 0])
        if not values.size or not np.isfinite(values).all():
            return
        if one.known:
            least = float(values.min())
            kept = self._kept(least) * self.unit
            if abs(kept - least) > TOLD * least:
                self._changed(f"the increment {least:.3g}", least, kept, one.place)
            return
        for largest, what in (
            (float(values.max()), "every change, at most {:.3g},"),
            (one.once(traces), "the change {:.3g} by traces after one spike and typical draws"),
        ):
            kept = self._kept(largest) * self.unit
            if largest > 0 and not largest / 2 <= kept <= 2 * largest:
                self._changed(what.format(largest), largest, kept, one.place)
                return

    def _changed(self, what: str, wanted: float, held: float, place: Place | None) -> None:
        made = "is lost" if not held else f"becomes {held:.3g}"
        text = f"{what} {made} in steps of {self.unit:.3g}"
        self.notes.line(self.real.name, "increment", text, notice=True, place=place, wanted=wanted, held=held)

    def _decay(self, decay: _Decay, increment: float) -> None:
        wanted, held, place = decay.wanted, decay.held, decay.place
        slowest = int(wanted.argmax())
        tau = -1 / math.log(wanted[slowest])
        gone = int(((held <= 0) | (held >= 1)).sum())
        if gone:
            text = f"{gone} of {held.size} decays became 0 or 1 (time constant {tau:.4g} steps): no decay is left"
            self.notes.line(self.real.name, "time constant", text, notice=True, place=place, steps=tau, count=gone)
            return
        error = 100 * float(np.abs(np.log(wanted) / np.log(held) - 1).max())
        text = f"time constant {tau:.4g} steps, off by up to {error:.2g} %"
        notice = error > 100 * TOLD
        self.notes.line(self.real.name, "time constant", text, notice=notice, place=place, steps=tau, percent=error)
        if decay.noise < self.unit:
            self._stall(1 - float(held[slowest]), place, increment)

    def _stall(self, rate: float, place: Place | None, increment: float) -> None:
        """`rate`: the part of its distance that the slowest one goes in a step."""
        rounding = self.held.rounding
        if rounding == "stochastic":
            return
        nearest = rounding in ("nearest", "nearest_even")
        level = self.unit / rate * (0.5 if nearest and not self.min_step else 1.0)
        low, high = self.real.range or (0.0, 0.0)
        size, of = min((increment, f"an increment of {increment:.3g}"), (high - low, f"its range of {high - low:.6g}"))
        if self.min_step and level > size:
            text = f"falls by whole steps of {self.unit:.3g}: {level / size:.3g} times too fast at {of}"
        elif self.min_step:
            text = f"falls by whole steps of {self.unit:.3g} below {level:.3g}, {_compared(level, size, of)}"
        else:
            text = f"stops decaying {level:.3g} from its rest, {_compared(level, size, of)}"
        told = level > TOLD * size
        self.notes.line(self.real.name, "stall", text, notice=told, place=place, level=level, unit=self.unit, rate=rate)


def _compared(level: float, size: float, of: str) -> str:
    return f"{percent(level / size)} of {of}" if level <= size else f"{level / size:,.3g} times {of}"
