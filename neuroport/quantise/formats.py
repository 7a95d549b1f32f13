"""Which integer format each array of a program gets on a chip, and what is lost by it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from neuroport.chips.chip import Chip, WordRule
from neuroport.errors import Place, Problem
from neuroport.program import printer
from neuroport.program.fixed import (
    LIMIT,
    LONGEST,
    FloatArray,
    IntArray,
    decode,
    encode,
    fine_frac,
    finest_frac,
    fit,
    fit_frac,
    round_fraction,
    word,
)
from neuroport.program.ir import Const, Expr, Int, Read, Real
from neuroport.program.machine import Array, Arrays, Derived, Program, ReportLine
from neuroport.program.names import ITEM_STEP, LENGTH, STEP, of_run
from neuroport.program.reach import reach_of
from neuroport.program.repeated import alike, are_finite, once, pieces

_RUN = {STEP, ITEM_STEP}
TOLD = 0.01
"""What is lost is told before a run if it is more than this part of what there is."""
LEARNED = 0.1
"""What is lost of the first values of what learns is told from this part on: their range is for what they become."""


FARTHEST = 300
"""Formats go from steps of 2**-FARTHEST to 2**FARTHEST: what is computed with them stays far inside float64."""


@dataclass(slots=True)
class Notes:
    """What a quantisation found: report lines in order, and problems. Repeated problems are kept once."""

    lines: list[ReportLine] = field(default_factory=list)
    problems: dict[Problem, None] = field(default_factory=dict)

    def line(
        self,
        subject: str,
        topic: str,
        text: str,
        *,
        notice: bool = False,
        place: Place | None = None,
        **values: float | int | str,
    ) -> None:
        """Add a report line; `notice` where a person must know it before anything runs."""
        self.lines.append(ReportLine(subject, topic, text, dict(values), notice, place))

    def problem(self, place: Place | None, text: str) -> None:
        """Add a problem."""
        self.problems[Problem(place, text)] = None

    def fitting(self, name: str, place: Place | None, kind: Int, largest: float) -> Int:
        """A format; a problem, and one that can be computed with, where it is that of far too small or large numbers.

        `largest`: the largest magnitude of what it is for.
        """
        if abs(kind.frac) <= FARTHEST or largest == 0:
            return kind
        small = "small" if kind.frac > 0 else "large"
        self.problem(place, f"{name} is {largest:g}, too {small} for any number format; rescale it")
        return replace(kind, frac=0)


def word_class(array: Array) -> str:
    """The chip's word class that holds an array."""
    match array.role:
        case "parameter":
            return "coefficient"
        case "input":
            return "accumulator"
        case _:
            return "state" if array.kind_class == "coefficient" else array.kind_class


def real_bounds(array: Array) -> tuple[float, float]:
    """The range that a parameter's values may take: on any specimen of the chip, or declared if it can be switched.

    Otherwise it is that of its values.
    """
    if array.range is not None and (array.dynamic or of_run(array.name)):
        return array.range
    if array.designed is not None:
        return array.designed
    if array.initial.size == 0:
        return 0.0, 0.0
    return float(once(array.initial).min()), float(once(array.initial).max())


def _numbers(array: Array) -> FloatArray:
    """The initial values as real numbers."""
    return alike(np.asarray(once(array.initial), dtype=np.float64), array.initial)


@dataclass(slots=True)
class Formats:
    """Gives every array but the inputs its integer form; new arrays (visible weights) are added."""

    program: Program
    chip: Chip
    notes: Notes
    arrays: Arrays = field(default_factory=Arrays)
    derived: list[Derived] = field(default_factory=list)
    summed: frozenset[str] = frozenset()

    def run(self) -> None:
        """Fill `arrays` and `derived`."""
        self.summed = self.program.summed()
        written = self.program.stored()
        follows = {d.array: d for d in self.program.derived}
        for array in self.program.arrays.values():
            if array.role == "input":
                continue
            if not are_finite(array.initial):
                text = f"{array.name} holds a value that is not finite; give it finite numbers"
                self.notes.problem(array.place, text)
                array = replace(array, initial=np.nan_to_num(np.asarray(array.initial), posinf=0.0, neginf=0.0))
            if of_run(array.name):
                self.arrays.add(_counter(array))
            elif isinstance(array.type, Real):
                self._real(array, array.name in written, follows.get(array.name))
            elif isinstance(array.type, Int):
                self._integer(array)
            else:
                self.arrays.add(array)
        for entry in self.program.derived:
            target = self.arrays.get(entry.array)
            kind = target.type if target is not None and isinstance(target.type, Int) else entry.type
            self.derived.append(replace(entry, type=kind))

    def coefficient(
        self,
        name: str,
        place: Place | None,
        values: FloatArray,
        bounds: tuple[float, float],
        open_: bool,
        deviates: bool = False,
        varied: bool = False,
    ) -> tuple[Int, IntArray]:
        """The format of a parameter with these values and bounds, and its raw values.

        `place`: where it comes from. `open_`: it may take any value within the bounds, by a switch or on another
        specimen of the chip. `deviates`: its values are those of one specimen, and the format is that of all;
        `varied`: each copy has its own, and the format is that of all values within the bounds.
        """
        rule = self.chip.word("coefficient")
        kind = fit(*bounds, rule.bits)
        exact = finest_frac(values)
        if not open_ and np.unique(values).size <= 64 and exact < kind.frac:
            kind = _at_frac(bounds, exact)
        else:
            ends = np.array(bounds, np.float64)
            for first in (ends, *map(np.asarray, ends)) if varied else (ends if deviates else values,):
                kind = _finer(kind, first, bounds, rule)
        kind = self.notes.fitting(name, place, kind, max(map(abs, bounds)))
        raw = encode(values, kind)
        if open_:
            self._held(name, values, raw, kind, bounds)
        return kind, raw

    def _held(
        self,
        name: str,
        values: FloatArray,
        raw: IntArray,
        kind: Int,
        bounds: tuple[float, float],
        part: float = TOLD,
    ) -> None:
        """Tell where something that can be switched, deviates or learns loses what it is to what it may become.

        `part`: from which part of it on.
        """
        error, largest = _off(raw, values, kind.frac)
        if error > largest * part:
            value = next((f"= {printer.expression(d.value)} " for d in self.program.derived if d.array == name), "")
            from_ = ", or that of what it follows from" if value else ""
            off = percent(error / largest) if largest else f"{error:.3g}"
            self.notes.line(
                name,
                "lost",
                f"{value}is {largest:g} at the start and may be {bounds[0]:g}..{bounds[1]:g}, so that it is held in "
                f"steps of {math.ldexp(1, -kind.frac):.3g} and {off} off; narrow its range{from_}",
                notice=True,
                place=self._owner(name),
                largest=largest,
                error=error,
            )

    # ------------------------------------------------------------------------------------------------------ arrays

    def _real(self, array: Array, written: bool, derived: Derived | None) -> None:
        values = _numbers(array)
        kind = word_class(array)
        if array.role == "parameter":
            bounds = real_bounds(array)
            if array.dynamic and array.range is None and array.designed is None and derived is not None:
                bounds = self._derived_bounds(array, derived, values)
            open_ = array.dynamic or array.designed is not None
            deviates = array.designed is not None
            type_, raw = self.coefficient(array.name, array.place, values, bounds, open_, deviates, array.varied)
            self._keep(array, type_, raw, values, kind, self.chip.word(kind))
            return
        if array.role == "weight":
            self._weight(array, values, written)
            return
        if array.range is None:
            self._no_range(array)
            return
        rule = self.chip.word(kind)
        type_ = self._fit(array, array.range, rule)
        if array.name in self.summed:
            type_, kind = self._total(array, type_), f"{kind}, summed over {self.program.copies} copies,"
        self._keep(array, type_, encode(values, type_), values, kind, rule)

    def _fit(self, array: Array, ends: tuple[float, float], rule: WordRule) -> Int:
        """The format of a variable with this range."""
        return self.notes.fitting(array.name, array.place, fit(*ends, rule.bits), max(map(abs, ends)))

    def _total(self, array: Array, part: Int) -> Int:
        """The format of a sum over copies from that of one copy's part."""
        copies = self.program.copies
        if part.lo * copies >= -LIMIT and part.hi * copies <= LIMIT:
            return Int(part.lo * copies, part.hi * copies, part.frac)
        self.notes.problem(
            array.place,
            f"{array.name}, a sum over {copies} copies, needs more than 62 bits; "
            f"give the chip shorter words, or take fewer copies",
        )
        return part

    def _weight(self, array: Array, values: FloatArray, written: bool) -> None:
        rule = self.chip.word("weight")
        if not written and array.kind_class != "plastic":
            type_, few = static_weights(once(values), rule, array.designed)
            raw = alike(few, values)
            type_ = self.notes.fitting(array.name, array.place, type_, max(-_low(values), _high(values)))
            self._keep(array, type_, raw, values, "weight", rule)
            if array.designed is not None:
                self._held(array.name, values, raw, type_, array.designed)
            return
        if array.range is None:
            self._no_range(array)
            return
        hidden = self.chip.word("plastic")
        type_ = self._fit(array, array.range, hidden)
        seen = self._fit(array, array.range, rule)
        if seen == type_ and not array.factor:
            self._keep(array, type_, encode(values, type_, type_.dtype), values, "plastic", hidden)
            return
        visible = f"{array.name}.visible"
        learned = replace(array, visible=visible)
        self._keep(learned, type_, encode(values, type_, type_.dtype), values, "plastic", hidden)
        part = replace(array, name=visible, role="visible", kind_class="weight", history=0)
        part = replace(part, hidden=array.name, factor="")
        raw = encode(values, seen, seen.dtype)
        self._keep(part, seen, raw, values, "weight", rule)
        if raw.any():  # else it is told that they became zero
            self._held(visible, values, raw, seen, array.range, LEARNED)

    def _integer(self, array: Array) -> None:
        assert isinstance(array.type, Int)
        kind, rule = word_class(array), self.chip.word(word_class(array))
        raw = np.asarray(array.initial, dtype=np.int64)
        type_ = replace(array.type, frac=0)
        if array.role == "parameter" and (array.range is not None or not array.dynamic):
            fixed = not array.dynamic and array.designed is None and raw.size > 0
            ends = (int(raw.min()), int(raw.max())) if fixed else real_bounds(array)
            type_ = Int(math.ceil(ends[0]), math.floor(ends[1]), 0)
        if type_.lo < -LIMIT or type_.hi > LIMIT:
            self.notes.problem(
                array.place,
                f"{array.name} is an int without bounds, or with more than 62 bits; "
                f"declare `range: [lowest, highest]` for it in its model, or under `ranges:` in the network file, "
                f"as `neuroport calibrate` does",
            )
            type_ = Int(-(2**31), 2**31 - 1, 0)
        if array.role == "weight" and rule.sign == "per_projection":
            raw = alike(self._magnitudes(array, once(raw), rule, raw.size), raw)
        if raw.size and (once(raw).min() < type_.lo or once(raw).max() > type_.hi):
            outside = int(((raw < type_.lo) | (raw > type_.hi)).sum())
            self.notes.line(
                array.name,
                "saturated",
                f"{outside} initial values are outside {type_.lo}..{type_.hi} and start at its ends",
                notice=True,
                place=self._owner(array.name),
                count=outside,
            )
            raw = np.clip(raw, type_.lo, type_.hi)
        overflow = rule.overflow if array.overflow == "none" else array.overflow
        made = replace(array, type=type_, rounding=rule.rounding, overflow=overflow)
        self.arrays.add(replace(made, initial=alike(once(raw).astype(made.kept(integer=True), copy=False), raw)))
        if array.role != "parameter":
            note = f", wider than the chip's {rule.bits}-bit {kind} word" if type_.bits > rule.bits + 1 else ""
            self.notes.line(
                array.name,
                "format",
                f"{type_}, an int of its declared range {type_.lo}..{type_.hi}{note}",
                kind=kind,
                bits=type_.bits,
                frac=0,
                low=type_.lo,
                high=type_.hi,
            )

    def _magnitudes(self, array: Array, raw: IntArray, rule: WordRule, weights: int) -> IntArray:
        """Whole-number weights on a chip whose projections have one sign or lose a bit to it.

        `raw`: all of so many weights, or the one that they have in common.
        """
        top = 2**rule.bits
        if raw.size == 0:
            return raw
        mixed = raw.min() < 0 < raw.max()
        lo, hi = (-top, top - 2) if mixed else ((0, top - 1) if raw.min() >= 0 else (-top, 0))
        if raw.min() < lo or raw.max() > hi:
            self.notes.problem(
                array.place,
                f"{array.name} holds weights from {raw.min()} to {raw.max()}; this chip has {lo}..{hi}"
                f"{' in steps of 2 for projections of mixed sign' if mixed else ''}; rescale them",
            )
        odd = int((raw % 2 != 0).sum()) * (weights // raw.size) if mixed else 0
        if odd:
            self.notes.line(
                array.name,
                "rounded",
                f"{odd} odd weights lose their last bit to the sign of the projection",
                notice=True,
                place=self._owner(array.name),
                count=odd,
            )
            raw = np.sign(raw) * (np.abs(raw) // 2 * 2)
        return np.clip(raw, lo, hi)

    def _derived_bounds(self, array: Array, derived: Derived, values: FloatArray) -> tuple[float, float]:
        lo, hi = reach_of(derived.value, self.range_of)
        if not (math.isfinite(lo) and math.isfinite(hi)):
            self.notes.problem(
                array.place,
                f"{array.name} = {printer.expression(derived.value)} can become infinite within the ranges of the "
                f"parameters that it follows from; narrow their ranges",
            )
            return _low(values), _high(values)
        return min(lo, _low(values)), max(hi, _high(values))

    def range_of(self, read: Expr) -> tuple[float, float]:
        """The range of a parameter array, in real units."""
        if not isinstance(read, Read):
            return -math.inf, math.inf
        array = self.program.arrays.get(read.array)
        if array is None:
            values = self.program.constants.get(read.array)
            if values is None or values.size == 0:
                return -math.inf, math.inf
            return float(values.min()), float(values.max())
        derived = next((d for d in self.program.derived if d.array == array.name), None)
        if array.range is None and array.designed is None and derived is not None:
            return reach_of(derived.value, self.range_of)
        return real_bounds(array)

    def _no_range(self, array: Array) -> None:
        self.notes.problem(
            array.place,
            f"{array.name} has no range, so no integer format can be chosen for it on chip '{self.chip.name}'; "
            f"add `range: [lowest, highest]` to it in its model, or under `ranges:` in the network file, "
            f"as `neuroport calibrate` does",
        )
        values = np.asarray(array.initial, dtype=np.float64)
        made = replace(array, type=word(32, 16))
        self.arrays.add(replace(made, initial=encode(values, word(32, 16), made.kept(integer=True))))

    # ------------------------------------------------------------------------------------------------------ report

    def _keep(self, array: Array, type_: Int, raw: IntArray, values: FloatArray, kind: str, rule: WordRule) -> None:
        rounding, overflow = rule.rounding, rule.overflow
        self.arrays.add(replace(array, type=type_, initial=raw, rounding=rounding, overflow=overflow))
        self._report(array, type_, raw, values, kind, rule.bits)

    def _report(self, array: Array, type_: Int, raw: IntArray, values: FloatArray, kind: str, bits: int) -> None:
        frac = type_.frac
        error, largest, lost = _loss(array, raw, values, frac)
        low, high = math.ldexp(type_.lo, -frac), math.ldexp(type_.hi, -frac)
        shown = "" if array.range is None else f" for the range {array.range[0]:g}..{array.range[1]:g}"
        self.notes.line(
            array.name,
            "format",
            f"Q({bits},{frac}), {kind}{shown}: holds {low:.6g}..{high:.6g} in steps of {math.ldexp(1, -frac):.3g}; "
            f"largest initial |value| {largest:.6g}, largest error {error:.3g}",
            kind=kind,
            bits=bits,
            frac=frac,
            low=low,
            high=high,
            largest=largest,
            error=error,
        )
        if array.role in ("state", "weight", "visible", "parameter") and lost:
            self.notes.line(
                array.name,
                "saturated",
                f"{lost} values do not fit and are held at the end of the format (error up to {error:.3g})",
                notice=True,
                place=self._owner(array.name),
                count=lost,
                error=error,
            )
        gone, there = _zeros(raw, values)
        if gone:
            what = "weights" if array.role in ("weight", "visible") else "values"
            text = f"{gone} of {values.size} {what} became zero"
            open_ = array.role == "parameter" and (array.dynamic or array.designed is not None)  # told as lost
            told = gone > TOLD * there and not open_
            self.notes.line(array.name, "zero", text, notice=told, place=self._owner(array.name), count=gone)

    def _owner(self, name: str) -> Place | None:
        """Where the population or projection stands whose array it is."""
        owner = self.program.arrays[name].owner if name in self.program.arrays else name.partition(".")[0]
        places = {one.name: one.place for one in self.program.populations}
        return (places | {one.name: one.place for one in self.program.projections}).get(owner)


def percent(part: float) -> str:
    """A part of 1 as text."""
    return f"{100 * part:.2g} %" if part < 1 else f"{100 * part:,.0f} %"


def static_weights(
    values: FloatArray, rule: WordRule, designed: tuple[float, float] | None = None
) -> tuple[Int, IntArray]:
    """Format and raw values of weights that nothing changes: the largest frac at which none of them saturates.

    `designed`: what they can be on any specimen of the chip, if they deviate. Weights without negative ones spend no
    bit on the sign. With sign="per_projection", weights of one sign use all bits for the magnitude, mixed ones go in
    steps of two. The raw values have the `dtype` of the format.
    """
    lo, hi = (_low(values), _high(values)) if designed is None else designed
    if rule.sign == "twos_complement":
        type_ = _unsaturated(lo, hi, rule.bits)
    elif lo < 0 < hi:
        type_ = word(rule.bits, fit_frac(lo, hi, rule.bits))
    else:
        top, frac = 2**rule.bits - 1, fit_frac(lo, hi, rule.bits + 1)
        type_ = Int(0, top, frac) if lo >= 0 else Int(-top, 0, frac)
    raw = encode(values, type_, type_.dtype)
    if designed is not None and raw.size:
        return type_, raw
    least, most = int(raw.min(initial=0)), int(raw.max(initial=0))
    if rule.sign == "twos_complement" or not lo < 0 < hi or designed is not None:
        kind = replace(type_, lo=least, hi=most)
        return kind, raw.astype(kind.dtype, copy=False)
    kind = Int(2 * least, 2 * most, type_.frac + 1)
    return kind, np.multiply(raw, 2, dtype=kind.dtype)


def _unsaturated(lo: float, hi: float, bits: int) -> Int:
    """The finest word in which both ends are rounded and not cut."""
    bits = bits if lo < 0 else min(bits, LIMIT.bit_length() - 1)
    frac = fit_frac(lo, hi, bits if lo < 0 else bits + 1)
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if lo < 0 else (0, 2**bits - 1)
    if round_fraction(Fraction(hi) * Fraction(2) ** frac) > most:
        frac -= 1
    return Int(least, most, frac)


def _at_frac(bounds: tuple[float, float], frac: int) -> Int:
    lo, hi = (round_fraction(Fraction(end) * Fraction(2) ** frac) for end in bounds)
    return Int(lo, hi, frac)


def _finer(kind: Int, values: FloatArray, bounds: tuple[float, float], rule: WordRule) -> Int:
    """The format with more fractional bits, where a decay near 1 or a small first value needs them."""
    if not rule.distance_bits or values.size == 0:
        return kind
    needed = max(fine_frac(float(end), rule.distance_bits) for end in (values.min(), values.max()))
    if values.ndim == 0 and values != 0:
        needed = max(needed, rule.distance_bits - math.frexp(float(values))[1])
    longest = fit(*bounds, LONGEST - 1)
    return _at_frac(bounds, min(needed, longest.frac)) if needed > kind.frac else kind


def _counter(array: Array) -> Array:
    assert isinstance(array.type, Int)
    lo, hi = array.type.lo, array.type.hi
    if array.name == LENGTH and array.range is not None:
        lo, hi = int(array.range[0]), int(array.range[1])
    return replace(array, type=Int(lo, hi, 0), initial=np.asarray(array.initial, dtype=np.int64))


def _low(values: FloatArray) -> float:
    return float(once(values).min()) if values.size else 0.0


def _high(values: FloatArray) -> float:
    return float(once(values).max()) if values.size else 0.0


def _off(raw: IntArray, values: FloatArray, frac: int) -> tuple[float, float]:
    """By how much raw integers are off at most, and the largest magnitude there should be."""
    error, largest, few, wanted = 0.0, 0.0, once(raw).reshape(-1), once(values).reshape(-1)
    for piece in pieces(wanted.size):
        error = max(error, float(np.abs(decode(few[piece], frac) - wanted[piece]).max()))
        largest = max(largest, float(np.abs(wanted[piece]).max()))
    return error, largest


def _zeros(raw: IntArray, values: FloatArray) -> tuple[int, int]:
    """How many of the numbers that are not 0 became 0, and how many these are."""
    gone, there, few, wanted = 0, 0, once(raw).reshape(-1), once(values).reshape(-1)
    for piece in pieces(wanted.size):
        present = wanted[piece] != 0
        gone += int(np.count_nonzero(present & (few[piece] == 0)))
        there += int(np.count_nonzero(present))
    each = values.size // max(wanted.size, 1)
    return gone * each, there * each


def _loss(array: Array, raw: IntArray, values: FloatArray, frac: int) -> tuple[float, float, int]:
    """By how much raw integers are off at most, the largest magnitude there should be, and how many do not fit."""
    error, largest, lost, limit = 0.0, 0.0, 0, math.ldexp(0.5, -frac) * 1.0000001
    few, wanted = once(raw).reshape(-1), once(values).reshape(-1)
    for piece in pieces(wanted.size):
        off = np.abs(decode(few[piece], frac) - wanted[piece])
        clipped = off > limit
        if array.range is not None:
            clipped &= wanted[piece] != array.range[1]  # the upper end of a range is the last value of its format
        error = max(error, float(off.max()))
        largest = max(largest, float(np.abs(wanted[piece]).max()))
        lost += int(clipped.sum())
    return error, largest, lost * (values.size // max(wanted.size, 1))


def is_parameter(expr: Expr, arrays: Mapping[str, Array]) -> bool:
    """Whether a leaf is a constant or a parameter."""
    if isinstance(expr, Const):
        return True
    if not isinstance(expr, Read) or expr.lag:
        return False
    array = arrays.get(expr.array)
    return array is not None and (array.role == "parameter" or array.name == LENGTH) and array.name not in _RUN
