"""Lower a real program to the integers of a chip.

    formats     every array but the inputs gets a format and raw initial values (neuroport.quantise.formats)
    bodies      projections first: what they send bounds the inputs; then populations, events, readouts
    inputs      a format that holds the largest sum that can arrive

Afterwards every number of the program is an integer with exact bounds, and every rounding, clip and look-up is
explicit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from neuroport.chips.chip import Chip
from neuroport.copies.given import outermost
from neuroport.errors import InvalidInput, Place, with_text
from neuroport.program.faults import inside
from neuroport.program.fixed import (
    LIMIT,
    FloatArray,
    IntArray,
    encode,
    finest_frac,
    fit,
    fit_frac,
    overflow_array,
    round_fraction,
    round_shift_array,
    word,
)
from neuroport.program.held import shown
from neuroport.program.ir import (
    BOOL,
    Apply,
    Body,
    Const,
    Expr,
    Int,
    Let,
    Overflow,
    Read,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
)
from neuroport.program.machine import Array, Event, Injection, Population, Port, Program, Projection, Readout, Series
from neuroport.program.repeated import is_repeated
from neuroport.program.sent import as_sent
from neuroport.program.verify import verified
from neuroport.quantise.demand import ANY, Demand, Demands, of_store
from neuroport.quantise.expressions import IntegerForm, Shared
from neuroport.quantise.formats import TOLD, Formats, Notes, percent, word_class
from neuroport.quantise.held import Held
from neuroport.quantise.integers import bounds, clipped, fits, frac, literal, size
from neuroport.quantise.movement import notice_ends, notice_moves
from neuroport.quantise.settings import Setting, Settings

HOST_BITS = 16
"""An input with a declared range has at least so many bits for it, whatever is sent: the host may add any value."""
EXACT = 40
"""A stimulus whose values need more fractional bits than this counts as not exactly representable."""


@verified
def quantise(program: Program, chip: Chip, settings: Sequence[Setting] = ()) -> Program:
    """The program in the integers of a chip; for an ideal chip the same program in its precision.

    `settings`: what the protocol will set parameters to, for the report. Raises InvalidInput with everything that
    cannot be represented. The report gains a line for everything that is lost.
    """
    if not chip.integer:
        return replace(program, chip=chip.name, precision="float32" if chip.arithmetic == "float32" else "float64")
    return _Quantiser(program, chip, settings).run()


def visible(program: Program, weight: str, hidden: IntArray) -> IntArray | None:
    """Raw visible weights that belong to raw hidden ones, to nearest; None if the weight has no visible part.

    For weights that are set from outside a run (the host writes both arrays).
    """
    source = program.arrays.get(weight)
    target = None if source is None else program.arrays.get(source.visible)
    if target is None or source is None or not isinstance(target.type, Int) or not isinstance(source.type, Int):
        return None
    rounded = round_shift_array(hidden, source.type.frac - target.type.frac, "nearest")
    return overflow_array(rounded, target.type.lo, target.type.hi, "saturate")


@dataclass(slots=True)
class _Arriving:
    """What one Send, injection or series can add to an input in one step, per neuron: raw bounds at a frac."""

    frac: int
    low: FloatArray
    high: FloatArray
    synapses: FloatArray

    def at(self, wanted: int) -> tuple[FloatArray, FloatArray]:
        """The bounds at another frac; a rounding may add one unit per synapse."""
        with np.errstate(over="ignore"):  # what is beyond float64 is beyond every word
            low, high = np.ldexp(self.low, wanted - self.frac), np.ldexp(self.high, wanted - self.frac)
        if wanted >= self.frac:
            return low, high
        low, high = low - self.synapses, high + self.synapses
        return np.where(self.low < 0, np.floor(low), 0.0), np.where(self.high > 0, np.ceil(high), 0.0)


@dataclass(slots=True)
class _Quantiser:
    program: Program
    chip: Chip
    settings: Sequence[Setting] = ()
    notes: Notes = field(default_factory=Notes)
    visible: dict[str, str] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    arriving: dict[str, list[_Arriving]] = field(default_factory=dict)
    limits: dict[str, Store] = field(default_factory=dict)

    def run(self) -> Program:
        program, notes = self.program, self.notes
        formats = Formats(program, self.chip, notes)
        formats.run()
        self.visible = {a.name: a.visible for a in formats.arrays.values() if a.visible}
        self.written = program.stored()
        shared = Shared(
            self.chip,
            notes,
            real=program.arrays,
            arrays=formats.arrays,
            constants=dict(program.constants),
            range_of=formats.range_of,
            coefficient=formats.coefficient,
            copies=program.copies,
            derived=formats.derived,
        )
        half_done = [self._projection(shared, p) for p in program.projections]
        self._stimuli()
        self._inputs(shared)
        projections = tuple(self._deliver(shared, p) for p in half_done)
        populations = tuple(self._population(shared, p) for p in program.populations)
        events = tuple(self._event(shared, e) for e in program.events)
        readouts = tuple(self._readout(shared, r) for r in program.readouts)
        injections = tuple(self._injection(shared, i) for i in program.injections)
        series = tuple(self._series(shared, s) for s in program.series)
        if notes.problems:
            raise InvalidInput(notes.problems)
        computed = {expr: read for (_, expr), read in shared.reciprocals.items()}
        on_chip = Held(program.arrays, shared.arrays, self.chip.word("coefficient"), computed)
        notice_moves(on_chip, program, self.chip, formats.range_of, notes)
        set_to = Settings(program, on_chip, shared.derived, shared.constants, self.settings, outermost(program))
        set_to.notice(self.chip, formats.range_of, notes)
        made = replace(
            program,
            chip=self.chip.name,
            integer=True,
            precision="float64",
            arrays=shared.arrays,
            populations=populations,
            projections=projections,
            events=events,
            readouts=readouts,
            injections=injections,
            series=series,
            tables=shared.tables,
            derived=tuple(shared.derived),
            constants=shared.constants,
        )
        notice_ends(made, notes)
        lines = {(n.subject, n.topic, n.text): n for n in notes.lines}.values()
        return replace(made, report=(*program.report, *lines))

    # ------------------------------------------------------------------------------------------------------- bodies

    def _lowerer(self, shared: Shared, owner: str, block: str, projection: Projection | None = None) -> IntegerForm:
        return IntegerForm(shared, f"{owner}.{block}", owner, projection, out=[])

    def _body(self, lowerer: IntegerForm, body: Body, where: Literal["", "step", "once"] = "") -> Body:
        """A body in integers; Sends keep the frac of their value. `where`: a step, or an event once for all copies."""
        assert lowerer.out is not None
        out = lowerer.out
        lowerer.demands = Demands(body, lowerer.leaf, self._needed(lowerer.shared, where), self.program.copies)
        for stmt in body:
            lowerer.place = stmt.place
            with inside(lowerer.label, stmt):
                self._statement(lowerer, stmt, out, where)
        return tuple(out)

    def _statement(self, lowerer: IntegerForm, stmt: Stmt, out: list[Stmt], where: str) -> None:
        match stmt:
            case Let(name=name, value=value):
                lowerer.let(name, value)
            case Store(value=Sum(x=x)) if where == "step":
                out.append(self._total(lowerer, lowerer.shared.arrays[stmt.array], lowerer.number(x)))
            case Store():
                self._store(lowerer, stmt, out, where == "once")
            case Send():
                guard = None if stmt.guard is None else lowerer.truth(stmt.guard)
                with lowerer.under_condition() if guard is not None else nullcontext():
                    value = lowerer.number(stmt.value, self._of_send(stmt))
                out.append(replace(stmt, value=value, guard=guard))
            case Spike(condition=condition):
                out.append(replace(stmt, condition=lowerer.truth(condition)))

    def _needed(self, shared: Shared, where: str) -> Callable[[Stmt], Demand]:
        """What the statements of a body need of the values that they are given."""

        def needed(stmt: Stmt) -> Demand:
            if isinstance(stmt, Send):
                return self._of_send(stmt)
            if not isinstance(stmt, Store):
                return ANY
            array = shared.arrays[stmt.array]
            summed = where == "step" and isinstance(stmt.value, Sum)
            return (
                of_store(array.type, array.overflow == "saturate" and not summed)
                if isinstance(array.type, Int)
                else ANY
            )

        return needed

    def _of_send(self, send: Send) -> Demand:
        """What an input needs of a value: no more bits than the word that fits its declared range."""
        array = self.program.arrays[send.input]
        if array.range is None or isinstance(array.type, Int):
            return ANY
        return of_store(fit(*array.range, self.chip.word("accumulator").bits), saturates=False)

    def _total(self, lowerer: IntegerForm, array: Array, part: Expr) -> Store:
        """A sum over copies, each of whose parts is rounded to the array's format and limited to its share of it."""
        kind, copies = array.type, self.program.copies
        assert isinstance(kind, Int)
        share = replace(kind, lo=kind.lo // copies, hi=kind.hi // copies)  # both ends are multiples
        part = self._rounded(lowerer, array, part, share, "saturate")
        part = clipped(part, share.lo, share.hi)
        return Store(array.name, lowerer.total(part), None, "none", kind.lo, kind.hi, lowerer.place)

    def _store(self, lowerer: IntegerForm, stmt: Store, out: list[Stmt], once: bool) -> None:
        array = lowerer.shared.arrays[stmt.array]
        guard = None if stmt.guard is None else lowerer.truth(stmt.guard)
        if not isinstance(array.type, Int):
            out.append(replace(stmt, value=lowerer.truth(stmt.value), guard=guard))
            return
        with lowerer.under_condition() if guard is not None else nullcontext():
            value = lowerer.number(stmt.value, of_store(array.type, array.overflow == "saturate"))
        shown = self.visible.get(stmt.array)
        if shown is not None and guard is not None:
            guard = lowerer.name(guard)
        store = self._assign(lowerer, array, value, guard)
        if shown is None:
            out.append(store)
            return
        now: Expr = Read(stmt.array, "own", array.type)
        if once and not array.shared:  # every copy's hidden value, which a body for all copies cannot read
            store = replace(store, value=lowerer.name(store.value))
            now = _overflowed(store)
        out.append(store)
        out.append(self._assign(lowerer, lowerer.shared.arrays[shown], now, guard))

    def _assign(self, lowerer: IntegerForm, array: Array, value: Expr, guard: Expr | None) -> Store:
        """One rounding to the array's format, then its overflow rule."""
        kind = array.type
        assert isinstance(kind, Int)
        exact = value
        shift = kind.frac - frac(value)
        if array.overflow != "wrap" and shift > 0 and not fits((bounds(value)[0] << shift, bounds(value)[1] << shift)):
            raised = _raised(lowerer, value, kind, shift)
            return Store(array.name, raised, guard, array.overflow, kind.lo, kind.hi, lowerer.place)
        value = self._rounded(lowerer, array, value, kind, array.overflow)
        if self.chip.word(word_class(array)).min_step and exact is not value and array.rounding != "stochastic":
            value = _moved(lowerer, array, exact, value)
        self._report_lost(array.name, "it is given", exact, value, lowerer.place)
        if not isinstance(self.program.arrays[array.hidden or array.name].type, Int):
            value = _at_the_end(value, array, kind, self.chip.word("coefficient").bits, lowerer)
        lo, hi = bounds(value)
        inside = kind.lo <= lo and hi <= kind.hi
        overflow = "none" if inside else array.overflow
        return Store(array.name, value, guard, overflow, kind.lo, kind.hi, lowerer.place)

    def _report_lost(self, name: str, which: str, exact: Expr, value: Expr, place: Place | None) -> None:
        """Tell where a value that is not 0 is always rounded to 0."""
        if bounds(value) != (0, 0) or bounds(exact) == (0, 0):
            return
        largest, step = (math.ldexp(float(raw), -frac(of)) for raw, of in ((size(bounds(exact)), exact), (1, value)))
        text = f"every value that {which}, at most {largest:.3g}, becomes 0 in steps of {step:.3g}"
        self.notes.line(name, "lost", text, notice=True, place=place, largest=largest, step=step)

    def _rounded(self, lowerer: IntegerForm, array: Array, value: Expr, kind: Int, rule: Overflow) -> Expr:
        """A value rounded to the frac of a format, by the array's rounding."""
        shift = kind.frac - frac(value)
        lo, hi = bounds(value)
        if shift > 0 and not fits((lo << shift, hi << shift)):
            if rule == "wrap" and kind.bits > shift:
                value = _wrapped(value, kind.bits - shift)
            else:
                return _raised(lowerer, value, kind, shift)
        return lowerer.scale(value, kind.frac, array.name, array.rounding)

    def _as_sent(self, read: Read) -> Read:
        """A hidden weight leaves its synapse as the visible one."""
        return replace(read, array=self.visible.get(read.array, read.array))

    def _population(self, shared: Shared, population: Population) -> Population:
        lowerer = self._lowerer(shared, population.name, "update")
        limits = tuple(self.limits[name] for name in population.inputs if name in self.limits)
        return replace(population, body=(*limits, *self._body(lowerer, population.body)))

    def _event(self, shared: Shared, event: Event) -> Event:
        projection = None
        if event.over != "neuron":
            projection = self.program.projection(event.owner)
        lowerer = self._lowerer(shared, event.owner, event.name, projection)
        return replace(event, body=self._body(lowerer, event.body, "once" if event.once else ""))

    def _readout(self, shared: Shared, readout: Readout) -> Readout:
        lowerer = IntegerForm(shared, f"readout {readout.name}", readout.population, place=readout.place)
        return replace(readout, bit=lowerer.truth(readout.bit))

    def _projection(self, shared: Shared, projection: Projection) -> Projection:
        made: dict[str, Body] = {}
        for block in ("step", "arrive", "post_body"):
            lowerer = self._lowerer(shared, projection.name, block, projection)
            body = as_sent(getattr(projection, block), self._as_sent)
            made[block] = self._body(lowerer, body, "step" if block == "step" else "")
            for stmt in made[block]:
                if isinstance(stmt, Send):
                    self._sent(shared, projection, stmt)
        condition = None
        if projection.row_condition is not None:
            place = projection.step[0].place
            lowerer = IntegerForm(shared, f"{projection.name}.step", projection.name, place=place)
            condition = lowerer.truth(projection.row_condition)
        return replace(
            projection,
            step=made["step"],
            arrive=made["arrive"],
            post_body=made["post_body"],
            row_condition=condition,
        )

    # ------------------------------------------------------------------------------------------------------- inputs

    def _sent(self, shared: Shared, projection: Projection, send: Send) -> None:
        """Note what a Send can make of the input of each neuron in a step."""
        onto, array = send.to == "post", self.program.arrays[send.input]
        size, wiring = projection.target_size if onto else projection.source_size, projection.wiring
        counts = (wiring.incoming(size) if onto else wiring.outgoing(size)).astype(np.float64)
        if array.reduce == "max":
            counts = np.minimum(counts, 1)
        fixed = self._fixed_values(shared, projection, send.value)
        if fixed is None:
            lo, hi = bounds(send.value)
            low, high = counts * min(lo, 0), counts * max(hi, 0)
        else:
            low, high = _ends(array.reduce, projection, onto, fixed, counts)
        self.arriving.setdefault(send.input, []).append(_Arriving(frac(send.value), low, high, counts))

    def _fixed_values(self, shared: Shared, projection: Projection, value: Expr) -> FloatArray | None:
        """The raw value that every synapse sends, if it depends on constants alone; None otherwise."""
        match value:
            case Const():
                return np.broadcast_to(float(value.value), (projection.synapses,))
            case Read(array=name, at=at) if name in shared.arrays and value.lag == 0:
                array = shared.arrays[name]
                if array.dynamic or array.designed is not None or array.role != "parameter":
                    return None
                raw = array.initial.astype(np.float64)
                if at == "pre":
                    raw = raw[projection.pre]
                elif at == "post":
                    raw = raw[projection.post]
                elif array.at == "kernel" and projection.wiring.entry is not None:
                    raw = raw[projection.wiring.entry]
                return np.broadcast_to(raw, (projection.synapses,))
            case Apply(fn="mul" | "shl", args=(a, b)):
                one, two = (self._fixed_values(shared, projection, x) for x in (a, b))
                if one is None or two is None:
                    return None
                return one * (two if value.fn == "mul" else np.exp2(two))
            case _:
                return None

    def _stimuli(self) -> None:
        for injection in self.program.injections:
            size = self._size(injection.input)
            values = np.asarray(injection.values, np.float64)
            low, high, count = (np.zeros(size) for _ in range(3))
            if values.size:
                keys = injection.steps * size + injection.neurons
                unique, place = np.unique(keys, return_inverse=True)
                at = unique % size
                np.minimum.at(low, at, np.bincount(place, np.minimum(values, 0.0)))
                np.maximum.at(high, at, np.bincount(place, np.maximum(values, 0.0)))
                np.maximum.at(count, at, np.bincount(place).astype(np.float64))
            self._add_stimulus(injection.input, values, low, high, count)
        for series in self.program.series:
            table = np.asarray(series.table, np.float64)
            if series.captured:
                table = self._captured(series, table)
            low = np.minimum(table.min(axis=0, initial=0.0), 0.0)
            high = np.maximum(table.max(axis=0, initial=0.0), 0.0)
            self._add_stimulus(series.input, table, low, high, np.ones(len(low)))

    def _captured(self, series: Series, table: FloatArray) -> FloatArray:
        """Rows between which lie all that a run may put in the place of a table, as fine as the input can be."""
        limits = self.program.arrays[series.input].range
        if limits is None:
            owner, _, name = series.input.partition(".")
            text = f"what a run captures for stimulus '{series.name}' is not known beforehand; give the input a range, "
            text += f"such as ranges: {{{name}: [-1, 1]}} at population '{owner}'"
            self.notes.problem(self.program.population(owner).place, text)
            return table
        fine = np.full(table.shape[1], np.ldexp(1.0, -EXACT))
        return np.stack([np.full(table.shape[1], limits[0]), fine, np.full(table.shape[1], limits[1])])

    def _size(self, name: str) -> int:
        return self.program.population(self.program.arrays[name].owner).size

    def _add_stimulus(
        self, name: str, values: FloatArray, low: FloatArray, high: FloatArray, count: FloatArray
    ) -> None:
        if not np.isfinite(values).all():
            text = f"a stimulus of {name} holds a value that is not finite; give it finite numbers"
            self.notes.problem(self.program.arrays[name].place, text)
            return
        needed = min(EXACT, finest_frac(values))
        self.arriving.setdefault(name, []).append(
            _Arriving(needed, np.ldexp(low, needed), np.ldexp(high, needed), count)
        )

    def _inputs(self, shared: Shared) -> None:
        rule = self.chip.word("accumulator")
        for array in self.program.arrays.values():
            if array.role != "input":
                continue
            kind = self._input(array, self.arriving.get(array.name, []))
            nothing = np.broadcast_to(np.zeros(1, np.int64), array.initial.shape)
            made = replace(array, type=kind, initial=nothing)
            shared.arrays.add(replace(made, rounding=rule.rounding, overflow=rule.overflow))
            held = self._held(array, kind.frac)
            shared.inputs[array.name] = kind
            if not _within((kind.lo, kind.hi), held):
                kept = Int(max(held.lo, min(kind.lo, held.hi)), min(held.hi, max(kind.hi, held.lo)), kind.frac)
                shared.inputs[array.name] = held if rule.overflow == "wrap" else kept
                coefficient = self.chip.word("coefficient").bits
                total = _at_the_end(Read(array.name, "own", kind), shared.arrays[array.name], held, coefficient)
                place = with_text(array.place, f"input {array.name.partition('.')[2]}")
                self.limits[array.name] = Store(array.name, total, None, rule.overflow, held.lo, held.hi, place)

    def _held(self, array: Array, frac_: int) -> Int:
        """What a neuron can see of an input: its declared range, or the accumulator's word."""
        rule = self.chip.word("accumulator")
        limit = word(rule.bits, frac_)
        if array.range is None or rule.overflow == "wrap":
            return limit
        lo, hi = (round_fraction(Fraction(end) * Fraction(2) ** frac_) for end in array.range)
        return Int(max(lo, limit.lo), min(hi, max(limit.hi, 2**rule.bits - 1 if lo >= 0 else 0)), frac_)

    def _input(self, array: Array, sent: Sequence[_Arriving]) -> Int:
        bits = self.chip.word("accumulator").bits
        port = next((p for p in self.program.ports if p.direction == "inject" and p.target == array.name), None)
        injected = [] if port is None else self._injected(port, array)
        parts = [*sent, *injected]
        wanted = self._frac_of_sum(array, parts, bool(injected))
        held, arrives = self._held(array, wanted), _reached(array, parts, wanted)
        if port is not None and injected and not _within(arrives, self._room(array, arrives)):
            self._no_room(port, array, _total(sent, wanted), wanted)
            return Int(word(bits).lo, word(bits).hi, wanted)
        # where no port says what the host may add in one step: what the declared range allows, or as much as arrives
        free = arrives if array.range is None else (min(held.lo, 0), max(held.hi, 0))
        lo, hi = arrives if injected or array.reduce == "max" else (arrives[0] + free[0], arrives[1] + free[1])
        if lo < -LIMIT or hi > LIMIT:
            self.notes.problem(
                array.place,
                f"the sum that can arrive at {array.name} needs more than 62 bits; "
                f"give the input a range or narrow what is sent",
            )
            return Int(word(bits).lo, word(bits).hi, wanted)
        self._report_input(array, sent, wanted, arrives, not _within(arrives, held))
        if port is not None and injected and not isinstance(array.type, Int):
            self._report_port(port, math.ldexp(1.0, -wanted))
        return Int(lo, hi, wanted)

    def _injected(self, port: Port, array: Array) -> list[_Arriving]:
        """What a port may add to each neuron in a step: ints, or as fine as HOST_BITS of its range are."""
        if port.range is None:
            return []
        fine = 0
        if not isinstance(array.type, Int):
            kind, largest = fit(*port.range, HOST_BITS), max(map(abs, port.range))
            fine = self.notes.fitting(f"what port '{port.name}' adds", port.place, kind, largest).frac
        size = len(array.initial)  # a host may add to all of them by the name of the input
        low, high = (np.full(size, np.ldexp(end, fine)) for end in port.range)
        return [_Arriving(fine, low, high, np.zeros(size))]  # rounded once, outward

    def _report_port(self, port: Port, step: float) -> None:
        """Tell where what a host adds is lost between the steps of a sum that what the network sends makes coarse."""
        assert port.range is not None
        largest = max(map(abs, port.range))
        if step / 2 > TOLD * largest:
            text = (
                f"port '{port.name}' adds up to {largest:g} to it, and it is held in steps of {step:.3g}, so that what "
            )
            text += f"is added is up to {percent(step / 2 / largest)} off; send less, or narrow the range of the input"
            self.notes.line(port.target, "lost", text, notice=True, place=port.place, largest=largest, step=step)

    def _frac_of_sum(self, array: Array, parts: Sequence[_Arriving], hosted: bool) -> int:
        """The fractional bits of an input's sum: those of what arrives, as far as the accumulator has room for them.

        A declared range has HOST_BITS of it at least, and where a port adds to the input, the whole sum has room.
        """
        bits = self.chip.word("accumulator").bits
        wanted = max((p.frac for p in parts), default=0)
        if isinstance(array.type, Int):
            return 0
        if array.range is not None:
            least = fit(*array.range, HOST_BITS).frac
            wanted = min(max(wanted, least), fit(*array.range, bits).frac)
            while hosted and wanted > least and not _within(ends := _total(parts, wanted), self._room(array, ends)):
                wanted -= 1
            return wanted
        lo, hi = _reached(array, parts, wanted)
        largest = Fraction(max(-lo, hi)) / Fraction(2) ** wanted
        wanted = min(wanted, fit_frac(-largest, largest, bits)) if largest else wanted
        for _ in range(bits):
            if _within(_reached(array, parts, wanted), word(bits)):
                break
            wanted -= 1
        return wanted

    def _room(self, array: Array, ends: tuple[int, int]) -> Int:
        """What the accumulator holds of a sum with these ends: without a sign where neither range nor sum has one."""
        bits = self.chip.word("accumulator").bits
        unsigned = array.range is not None and array.range[0] >= 0 and ends[0] >= 0
        return Int(0, 2**bits - 1) if unsigned else word(bits)

    def _no_room(self, port: Port, array: Array, sent: tuple[int, int], frac_: int) -> None:
        """Refuse a port that may add more than there is room for beside what the network sends."""
        assert port.range is not None
        bits, (low, high) = self.chip.word("accumulator").bits, (np.ldexp(float(end), -frac_) for end in sent)
        wider = f", or give the input a wider range with `ranges: {{{array.name.partition('.')[2]}: [LOW, HIGH]}}` at "
        wider = "" if isinstance(array.type, Int) else f"{wider}'{array.owner}'"
        self.notes.problem(
            port.place,
            f"port '{port.name}' may add {shown(port.range[0])} .. {shown(port.range[1])} to {array.name} in a step, "
            f"and the network sends {shown(low)} .. {shown(high)} to it; that is more than the accumulator of chip "
            f"'{self.chip.name}' holds with its {bits} bits; narrow the range of the port or send less{wider}",
        )

    def _report_input(
        self, array: Array, sent: Sequence[_Arriving], wanted: int, arrives: tuple[int, int], beyond: bool
    ) -> None:
        """Tell what format an input has and what it makes of what arrives."""
        rule = self.chip.word("accumulator")
        if beyond and rule.overflow == "error":
            self.notes.problem(
                array.place,
                f"the sum that can arrive at {array.name}, {arrives[0]}..{arrives[1]}, does not fit the chip's "
                f"accumulator of {rule.bits} bits; declare a wider range for the input or send less",
            )
        what_arrives = "sums reach" if array.reduce == "sum" else "the largest reaches"
        what = {"saturate": "saturates and is counted", "wrap": "wraps"}.get(rule.overflow, "fails")
        self.notes.line(
            array.name,
            "format",
            f"Q({rule.bits},{wanted}), accumulator: {what_arrives} {arrives[0] * 2.0**-wanted:.6g}.."
            f"{arrives[1] * 2.0**-wanted:.6g} in steps of {2.0**-wanted:.3g}"
            + (f"; a sum beyond the word {what} when it is read" if beyond else ""),
            kind="accumulator",
            bits=rule.bits,
            frac=wanted,
            low=arrives[0] * 2.0**-wanted,
            high=arrives[1] * 2.0**-wanted,
        )
        lost = max((p.frac for p in sent), default=wanted) - wanted
        if lost > 0:
            text = f"values sent to it lose up to {lost} bits to the accumulator's format"
            self.notes.line(array.name, "rounded", text, bits=lost)

    def _deliver(self, shared: Shared, projection: Projection) -> Projection:
        """The projection with its Sends in the formats of the inputs."""

        def delivered(body: Body, block: str) -> Body:
            lowerer = IntegerForm(shared, f"{projection.name}.{block}", projection.name, projection)
            rule = self.chip.word("accumulator").rounding

            def sent(send: Send) -> Send:
                if not projection.synapses:  # never sent, and perhaps beyond what the input has to hold
                    return replace(send, value=literal(0, shared.inputs[send.input].frac))
                value = lowerer.scale(send.value, shared.inputs[send.input].frac, "send", rule)
                self._report_lost(send.input, f"'{projection.name}' sends to it", send.value, value, send.place)
                return replace(send, value=value)

            return tuple(sent(s) if isinstance(s, Send) else s for s in body)

        return replace(
            projection,
            step=delivered(projection.step, "step"),
            arrive=delivered(projection.arrive, "arrive"),
            post_body=delivered(projection.post_body, "post_body"),
        )

    def _injection(self, shared: Shared, injection: Injection) -> Injection:
        return replace(injection, values=self._stimulus(shared, injection.input, injection.name, injection.values))

    def _series(self, shared: Shared, series: Series) -> Series:
        return replace(series, table=self._stimulus(shared, series.input, series.name, series.table))

    def _stimulus(self, shared: Shared, name: str, stimulus: str, values: FloatArray | IntArray) -> IntArray:
        kind = word(62, shared.inputs[name].frac)
        real = np.asarray(values, np.float64)
        raw = encode(real, kind)
        error = float(np.abs(np.ldexp(raw.astype(np.float64), -kind.frac) - real).max()) if raw.size else 0.0
        if error:
            text = f"its values change by up to {error:.3g} in the input's format"
            self.notes.line(stimulus, "rounded", text, error=error)
        return raw


def _at_the_end(value: Expr, array: Array, kind: Int, bits: int, lowerer: IntegerForm | None = None) -> Expr:
    """The value, where it is an end of its range that the word just does not hold, as the end of its format.

    So a value that is the end of its range is not counted as one beyond it: the upper end of a signed range, and what a
    coefficient of so many bits makes of an end.
    """
    if array.overflow != "saturate" or array.range is None:
        return value
    for end, limit, sign in ((array.range[1], kind.hi, 1), (array.range[0], kind.lo, -1)):
        slack = _slack(end, max(map(abs, array.range)), limit, kind.frac, bits)
        beyond = limit + sign, limit + sign * slack
        if slack and bounds(value)[0] <= max(beyond) and min(beyond) <= bounds(value)[1]:
            value = _held(value, (min(beyond), max(beyond)), literal(limit, kind.frac), lowerer)
    return value


def _slack(end: float, largest: float, limit: int, frac_: int, bits: int) -> int:
    """How many raw units beyond the end of a format still are the declared end, of a range up to `largest`."""
    if np.ldexp(end, frac_) == limit + 1:
        return 1
    exact = Fraction(end) * Fraction(2) ** (bits - 1 - math.frexp(largest)[1])
    if exact.denominator == 1 or round_fraction(Fraction(end) * Fraction(2) ** frac_) != limit:
        return 0
    half = Fraction(2) ** (frac_ - bits + math.frexp(largest)[1])
    return math.ceil(half) + 1 if half >= 1 else 0


def _held(value: Expr, beyond: tuple[int, int], end: Const, lowerer: IntegerForm | None) -> Expr:
    """The end of a format in place of what is just beyond it."""
    low, high = beyond
    if isinstance(value, Const):
        return end if low <= int(value.value) <= high else value
    value = value if lowerer is None else lowerer.name(value)
    lo, hi = bounds(value)
    ends = [(fn, literal(limit, frac(end))) for fn, limit in (("ge", low), ("le", high))]
    tests = tuple(Apply(fn, (value, limit), BOOL) for fn, limit in ends)
    at_end = Apply("and", tests, BOOL) if low < high else Apply("eq", (value, literal(low, frac(end))), BOOL)
    raw = int(end.value)
    return Apply("select", (at_end, end, value), Int(min(lo, raw), max(hi, raw), frac(end)))


def _wrapped(value: Expr, bits: int) -> Expr:
    return Apply("wrap", (value, literal(bits)), Int(-(1 << (bits - 1)), (1 << (bits - 1)) - 1, frac(value)))


def _raised(lowerer: IntegerForm, value: Expr, kind: Int, shift: int) -> Expr:
    """A value shifted left by so many bits; one unit beyond the format where it is outside."""
    value = lowerer.name(value)
    low, high = -(-kind.lo >> shift), kind.hi >> shift
    inside = clipped(value, low, high) if low <= high else literal(0, frac(value))  # none is inside
    up = lowerer.scale(inside, kind.frac, "")
    for fn, end, beyond in (("gt", high, kind.hi + 1), ("lt", low, kind.lo - 1)):
        outside = lowerer.compared(fn, value, end)
        up = lowerer.chosen(outside, literal(beyond, kind.frac), up)
    return up


def _moved(lowerer: IntegerForm, array: Array, exact: Expr, rounded: Expr) -> Expr:
    """A rounded value that is the old one though the exact value is not: one unit from it toward the exact value."""
    kind = array.type
    shift = frac(exact) - frac(rounded)
    if not isinstance(kind, Int) or shift <= 0 or not fits((kind.lo << shift, kind.hi << shift)):
        return rounded
    old = Read(array.name, "own", kind)
    exact, rounded = lowerer.name(exact), lowerer.name(rounded)
    before = Apply("shl", (old, literal(shift)), Int(kind.lo << shift, kind.hi << shift, frac(exact)))
    step = lowerer.chosen(Apply("lt", (exact, before), BOOL), literal(-1, kind.frac), literal(1, kind.frac))
    stalled = Apply("and", (Apply("eq", (rounded, old), BOOL), Apply("ne", (exact, before), BOOL)), BOOL)
    return lowerer.chosen(stalled, lowerer.made("add", old, step, frac_=kind.frac), rounded)


def _overflowed(store: Store) -> Expr:
    """The value that a Store leaves behind, from the value that it is given."""
    kind = Int(store.lo, store.hi)
    if store.overflow == "none":
        return store.value
    if store.overflow == "wrap" and kind.lo == -(1 << (kind.bits - 1)) and kind.hi == (1 << (kind.bits - 1)) - 1:
        return Apply("wrap", (store.value, literal(kind.bits)), replace(kind, frac=frac(store.value)))
    return clipped(store.value, kind.lo, kind.hi)


def _ends(
    reduce: Literal["sum", "max"], projection: Projection, onto: bool, values: FloatArray, counts: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The least and the largest that values, each sent once or not, make of the inputs of these neurons."""
    if is_repeated(values):
        return counts * min(values[0], 0.0), counts * max(values[0], 0.0)
    to, size = projection.post if onto else projection.pre, len(counts)
    low, high = np.zeros(size), np.zeros(size)
    least, largest = (np.add, np.add) if reduce == "sum" else (np.minimum, np.maximum)
    least.at(low, to, np.minimum(values, 0.0))
    largest.at(high, to, np.maximum(values, 0.0))
    return low, high


def _reached(array: Array, parts: Sequence[_Arriving], wanted: int) -> tuple[int, int]:
    """Bounds of what an input makes of all that arrives at one neuron, rounded outward."""
    if array.reduce == "sum" or not parts:
        return _total(parts, wanted)
    ends = [_total([part], wanted) for part in parts]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _total(parts: Sequence[_Arriving], wanted: int) -> tuple[int, int]:
    """Bounds of the sum of all that arrives at one neuron, rounded outward."""
    if not parts:
        return 0, 0
    ends = [p.at(wanted) for p in parts]
    low = float(np.sum([e[0] for e in ends], axis=0).min(initial=0.0))
    high = float(np.sum([e[1] for e in ends], axis=0).max(initial=0.0))
    return _outward(low), _outward(high)


def _outward(value: float) -> int:
    """Sums of floats are exact below 2**53; beyond, allow for their rounding."""
    if math.isinf(value):
        return int(math.copysign(2.0**1023, value))
    if abs(value) >= 2**53:
        value += np.copysign(abs(value) * 2.0**-40, value)
    return int(np.floor(value)) if value < 0 else int(np.ceil(value))


def _within(ends: tuple[int, int], limit: Int) -> bool:
    return limit.lo <= ends[0] and ends[1] <= limit.hi
