"""Bodies of statements as the text that GeNN's transpiler takes.

GeNN's language is a part of C: it has no `>>` and no functions of one's own, and integer literals of 32 bits. So
- the floor shift is `(x & -2**k) / 2**k`: the masked number divides exactly, and compilers make one shift of it;
- rounding toward zero is C's division; the other roundings add to the number first;
- 64-bit constants are put together from halves;
- what needs a value twice gives it a name first.

Every value has a kind: `i4`, `i8`, `f`, `b`, or `lit` for an integer literal (see `kind_of`), and a local of its type.
In a float32 program, `d` is the double that a wide array has, and everything that is calculated from one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from neuroport.backends.generated import Identifiers, Value, fits, kind_of, spelled, storage, working_kind
from neuroport.backends.genn.literals import C_TYPE, integer, real, unsigned
from neuroport.backends.genn.spelling import REAL_KINDS, SPELL, bare, clip
from neuroport.copies.axis import LANES
from neuroport.program.ir import (
    Apply,
    Body,
    Const,
    Expr,
    Int,
    Let,
    Lookup,
    Random,
    Read,
    Reduce,
    Round,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
    children,
    parts,
    walk,
)
from neuroport.program.machine import Program
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.places import by_line
from neuroport.program.stated import bounds


class GennIdentifiers(Identifiers):
    """Identifiers that GeNN's scanner takes: they begin with a letter.

    They end in `_`, which no word of C++ does, and no name that GeNN makes in the same scope (`outPostInSyn0`, `ind`).

    What tells copies apart in a program's names (`#k`) is left out, so that GeNN sees that their code is the same.
    """

    ENDING = "_"

    def begun(self, wanted: str) -> str:
        """How an identifier for that text begins."""
        base = re.sub(r"\W", "_", re.sub(r"#\d+", "", wanted), flags=re.ASCII).strip("_")
        return f"x{base}" if not base or base[0].isdigit() else base


Row = Callable[[int, int], str]
"""Where in a ring of so many rows that stands which was so many steps before the state that a body sees."""


class Site(Protocol):
    """Where a body runs: what its reads and sends are called there."""

    def own(self, array: str) -> str:
        """The variable of this neuron or synapse."""

    def far(self, read: Read, row: Row) -> str:
        """A variable of the presynaptic or postsynaptic neuron; `row` tells where in a ring by step it is."""

    def scalar(self, array: str) -> str:
        """A number of the whole group."""

    def table(self, name: str) -> str:
        """A table."""

    def key(self, stream: int) -> str:
        """The key of a random stream."""

    def counter(self, array: str, kind: str) -> str:
        """Where overflows of an array are counted (kind "overflow") or the failing step is noted ("failed")."""

    def element(self) -> str:
        """The uint64_t number of this neuron or synapse that keys its random draws."""

    def send(self, send: Send, value: str) -> str:
        """The statement that sends a value."""

    copy: str | None
    """The copy of a batch that is computed, or None where that is done once for all."""
    once: bool
    """Whether the body is computed once for all copies."""

    def each(self, array: str) -> bool:
        """Whether every copy of a batch has an array for itself."""

    def contribution(self, array: str) -> bool:
        """Whether an array has what copies contribute to a sum: copy 0 gets the whole of what it is given."""


@dataclass(slots=True)
class Writer:
    """Writes one or more bodies into one block of code. `late`: the code runs after its step was counted."""

    program: Program
    place: Site
    names: GennIdentifiers = field(default_factory=GennIdentifiers)
    late: bool = False
    lines: list[str] = field(default_factory=list)
    _temps: dict[str, Value] = field(default_factory=dict)
    _words: dict[int, str] = field(default_factory=dict)
    _own: dict[str, Let] = field(default_factory=dict)
    _drawing: bool = False
    _uses_step: bool = False

    def text(self) -> str:
        """The block."""
        head = []
        if self._uses_step:
            head.append(f"const uint64_t step = (uint64_t)t{' - 1' if self.late else ''};")
        return "\n".join([*head, *self.lines])

    @property
    def timed(self) -> bool:
        """Whether anything needs the number of the step."""
        return self._uses_step

    def body(self, body: Body) -> None:
        """Write a body. Its names and draws are its own."""
        self._temps, self._words, self._own = {}, {}, {}
        self._drawing = draws(body)
        for line, group in by_line(body):
            if line:
                self.lines.append(f"// {line}")
            for stmt in group:
                self.statement(stmt)

    def step(self) -> str:
        """The number of the step, uint64_t."""
        self._uses_step = True
        return "step"

    def row(self, lag: int, rows: int) -> str:
        """See Row."""
        back = lag if self.late else 1 + lag
        return f"(({self.step()} + {unsigned(rows - back)}) % {unsigned(rows)})"

    # ------------------------------------------------------------------------------------------------- statements

    def statement(self, stmt: Stmt) -> None:
        """Write one statement."""
        match stmt:
            case Let(name=name, value=expr):
                if self.place.once and self._differs(expr):
                    self._own[name] = stmt
                else:
                    self._let(stmt)
            case Store():
                self._store(stmt)
            case Send():
                value = self.expr(stmt.value)
                guard = self.guard(stmt.guard)
                self.lines.append(f"{guard}{self.place.send(stmt, value.text)}")
            case Spike(condition=condition):
                self.lines.append(f"spiked = {self.condition(condition)};")

    def _let(self, let: Let) -> Value:
        value = self.expr(let.value)
        if value.kind != "d":
            value = self.cast(value, kind_of(let.value.type, self.program))
        named = self._temps[let.name] = self.name(value, let.name)
        return named

    def guard(self, guard: Expr | None) -> str:
        """The `if` in front of a statement."""
        return "" if guard is None else f"if ({bare(self.condition(guard))}) "

    def condition(self, expr: Expr) -> str:
        """The text of a truth value."""
        return self.cast(self.expr(expr), "b").text

    def name(self, value: Value, wanted: str = "v") -> Value:
        """Give a value a name."""
        ident = self.names.fresh(wanted)
        self.lines.append(f"const {self.type(value.kind)} {ident} = {bare(value.text)};")
        return Value(ident, value.kind, atom=True)

    def atom(self, value: Value) -> Value:
        """The value as something that may be written twice."""
        return value if value.atom else self.name(value)

    def type(self, kind: str) -> str:
        """The C type of a kind."""
        if kind == "f":
            return "double" if self.program.precision == "float64" else "float"
        return C_TYPE.get(kind, "int32_t")

    def _store(self, stmt: Store) -> None:
        if self.place.once and self.place.each(stmt.array):
            self._store_in_copies(stmt)
        else:
            guard = None if stmt.guard is None else self.atom(self.cast(self.expr(stmt.guard), "b"))
            self._stored(stmt, self.expr(stmt.value), guard)

    def _stored(self, stmt: Store, value: Value, guard: Value | None) -> None:
        array = self.program.arrays[stmt.array]
        target = self.place.own(stmt.array)
        if stmt.overflow != "none" and not self._inside(stmt):
            value = self._limited(stmt, value, guard)
        condition = "" if guard is None else f"if ({guard.text}) "
        ctype = c_type(storage(array, self.program))
        self.lines.append(f"{condition}{target} = ({ctype}){value.text};")

    def _inside(self, stmt: Store) -> bool:
        """Whether the value cannot be outside the bounds."""
        type_ = stmt.value.type
        return self.program.integer and isinstance(type_, Int) and stmt.lo <= type_.lo and type_.hi <= stmt.hi

    def _limited(self, stmt: Store, value: Value, guard: Value | None) -> Value:
        """The value after the overflow rule, counting what it met."""
        if value.kind not in REAL_KINDS:
            value = self.cast(value, working_kind(self.program, stmt.value, stmt.lo, stmt.hi))
        value = self.atom(value)
        low, high = (self._bound(limit, value.kind) for limit in (stmt.lo, stmt.hi))
        outside = f"({value.text} < {low} || {value.text} > {high})" + (f" && {guard.text}" if guard else "")
        if stmt.overflow == "error":
            failed = self.place.counter(stmt.array, "failed")
            self.lines.append(f"if (({outside}) && {failed} == 0) {failed} = {self.step()} + 1;")
            return value
        self.lines.append(
            f"if ({outside if guard else bare(outside)}) {self.place.counter(stmt.array, 'overflow')} += 1;"
        )
        if stmt.overflow == "saturate":
            return clip(self, value, Value(low, value.kind, True), Value(high, value.kind, True))
        span = stmt.hi - stmt.lo + 1
        if span >= 2**64:
            return value
        lo = integer(stmt.lo)
        if span & (span - 1) == 0:
            wide = f"((uint64_t)(int64_t){value.text} - (uint64_t)(int64_t){lo}) & {unsigned(span - 1)}"
            return self.cast(Value(f"((int64_t)({wide}) + {lo})", "i8"), value.kind)
        rest = f"((int64_t){value.text} % {integer(span)} - {integer(stmt.lo % span)}) % {integer(span)}"
        rest = self.name(Value(rest, "i8")).text
        return self.cast(Value(f"({lo} + ({rest} < 0 ? {rest} + {integer(span)} : {rest}))", "i8"), value.kind)

    def _bound(self, limit: int, kind: str) -> str:
        return real(float(limit), self.program.precision) if kind in REAL_KINDS else integer(limit)

    # ------------------------------------------------------------------------------------------------------ copies

    def _differs(self, expr: Expr) -> bool:
        """Whether a value differs from copy to copy."""
        match expr:
            case Read():
                return self.place.each(expr.array)
            case Temp():
                return expr.name in self._own
            case Sum():
                return False
        return any(map(self._differs, children(expr)))

    def _store_in_copies(self, stmt: Store) -> None:
        """Give every copy a value; of what copies contribute to, copy 0 gets the whole."""
        guard = None if stmt.guard is None else self.atom(self.cast(self.expr(stmt.guard), "b"))
        if self._differs(stmt.value):
            with self._copies() as copy:
                self.place.copy = copy
                self._stored(stmt, self.expr(stmt.value), guard)
            return
        value = self.atom(self.expr(stmt.value))
        if not self.place.contribution(stmt.array):
            with self._copies():
                self._stored(stmt, value, guard)
            return
        before, self.place.copy = self.place.copy, "0"
        self._stored(stmt, value, guard)
        self.place.copy = before
        with self._copies("1"):
            condition = "" if guard is None else f"if ({guard.text}) "
            self.lines.append(f"{condition}{self.place.own(stmt.array)} = 0;")

    def _sum(self, expr: Sum) -> Value:
        """A sum over copies, in the order of `sum_over_copies`; of integers every order gives the same."""
        kind = kind_of(expr.type, self.program)
        if kind != "f":
            total = self.names.fresh("total")
            self.lines.append(f"int64_t {total} = 0;")
            with self._copies():
                self.lines.append(f"{total} += {self.expr(expr.x).text};")
            return self.cast(Value(total, "i8", atom=True), kind)
        return self._ordered(expr.x)

    def _ordered(self, x: Expr) -> Value:
        """A sum of real numbers: copy c adds to lane c mod 8, and neighbours are added until there is one."""
        kind = "d" if self._wide(x) else "f"
        names = [self.names.fresh(wanted) for wanted in ("even", "pair", "half", "total", "lane", "sum")]
        even, pair, half, total, lane, added = names
        self.lines += [f"{self.type(kind)} {name} = 0.0;" for name in (even, pair, half, total)]
        self.lines += [f"uint32_t {lane} = 0;", f"while ({lane} < {LANES}) {{", f"{self.type(kind)} {added} = 0.0;"]
        with self._copies(lane, LANES):
            self.lines.append(f"{added} += {self.cast(self.expr(x), kind).text};")
        self.lines += [
            f"if ({lane} % 2 == 0) {even} = {added};",
            f"else if ({lane} % 4 == 1) {pair} = {even} + {added};",
            f"else if ({lane} == 3) {half} = {pair} + ({even} + {added});",
            f"else {total} = {half} + ({pair} + ({even} + {added}));",
            f"{lane} += 1;",
            "}",
        ]
        return Value(total, kind, atom=True)

    def _wide(self, x: Expr) -> bool:
        """Whether a value is a double in a float32 program."""
        if self.program.precision != "float32":
            return False
        return any(isinstance(part, Read) and self.program.arrays[part.array].wide for part in self._all_of(x))

    def _all_of(self, x: Expr) -> Iterator[Expr]:
        for part in walk(x):
            yield part
            if isinstance(part, Temp) and part.name in self._own:
                yield from self._all_of(self._own[part.name].value)

    @contextmanager
    def _copies(self, first: str = "0", step: int = 1) -> Iterator[str]:
        """A loop over copies; what is written within it is that of one after the other."""
        if self._drawing:
            self._constants()
        copy = self.names.fresh("copy")
        self.lines += [f"uint32_t {copy} = {first};", f"while ({copy} < {self.program.copies}) {{"]
        temps, words, before = dict(self._temps), self._words, self.place.copy
        self._words, self.place.copy = {}, copy
        yield copy
        self._temps, self._words, self.place.copy = temps, words, before
        self.lines += [f"{copy} += {step};", "}"]

    # ------------------------------------------------------------------------------------------------- expressions

    def expr(self, expr: Expr) -> Value:
        """Write what an expression needs and give its value."""
        kind = kind_of(expr.type, self.program)
        match expr:
            case Const(value=value):
                if kind == "b":
                    return Value("true" if value else "false", "b", atom=True)
                if kind == "f":
                    return Value(real(float(value), self.program.precision), "f", atom=True)
                return Value(integer(int(value)), "lit", atom=True)
            case Temp(name=name):
                return self._temps[name] if name in self._temps else self._let(self._own[name])
            case Read():
                return self._read(expr)
            case Apply():
                return self._apply(expr)
            case Round():
                return self._round(expr)
            case Lookup(table=table, index=index):
                position = self.expr(index)
                return Value(f"({self.type(kind)}){self.place.table(table)}[{bare(position.text)}]", kind)
            case Random():
                return self._random(expr)
            case Sum():
                return self._sum(expr)
            case Reduce():
                raise ValueError("a sum over elements stands in a body that was not unfolded")

    def _read(self, read: Read) -> Value:
        kind = kind_of(self.program.arrays[read.array].type, self.program)
        if kind == "f" and self.program.arrays[read.array].wide and self.program.precision == "float32":
            kind = "d"
        if read.array == STEP:
            return Value(f"(int64_t){self.step()}", "i8")
        if read.array == ITEM_STEP:
            return Value(f"((int64_t){self.step()} - {self.place.scalar(ITEM_STEP)})", "i8")
        if read.at == "scalar":
            text = self.place.scalar(read.array)
            return Value(f"({text} != 0)" if kind == "b" else text, kind, atom=kind != "b")
        text = self.place.own(read.array) if read.at == "own" else self.place.far(read, self.row)
        if kind == "b":
            return Value(f"({text} != 0)", "b")
        if c_type(storage(self.program.arrays[read.array], self.program)) == self.type(kind):
            return Value(text, kind, atom=read.at == "own")
        return Value(f"({self.type(kind)}){text}", kind)

    def cast(self, value: Value, kind: str) -> Value:
        """The value as another kind."""
        if value.kind == kind:
            return value
        if kind == "b":
            return Value(f"({value.text} != 0)", "b")
        if value.kind == "lit" and kind == "i4":
            return Value(value.text, "i4", atom=True)
        return Value(f"({self.type(kind)}){value.text}", kind, atom=value.kind == "lit")

    def reals(self, values: list[Value]) -> list[Value]:
        """The values as real numbers of one kind: double when one of them is."""
        kind = "d" if any(v.kind == "d" for v in values) else "f"
        return [self.cast(v, kind) for v in values]

    def _apply(self, expr: Apply) -> Value:
        return spelled(SPELL, expr.fn, "genn")(self, expr, [self.expr(a) for a in expr.args])

    def real(self, value: float) -> str:
        """A real literal."""
        return real(value, self.program.precision)

    def floor_shift(self, x: Value, shift: int) -> Value:
        """Give x * 2**-shift rounded down."""
        if shift == 0:
            return x
        if x.kind == "lit" or (x.kind == "i4" and shift > 30):
            x = self.cast(x, "i8")
        if shift > 62:
            return Value(f"({x.text} < 0 ? -1 : 0)", "i4")
        power = 1 << shift
        return Value(f"(({x.text} & {integer(-power)}) / {integer(power)})", x.kind)

    def _round(self, expr: Round) -> Value:
        """Drop low bits. C's division rounds toward zero; the other rules add to the number before."""
        result = kind_of(expr.type, self.program)
        shift, mask, half, power = expr.shift, (1 << expr.shift) - 1, 1 << (expr.shift - 1), 1 << expr.shift
        low, high = bounds(expr.x)
        kind = "i4" if shift <= 30 and fits(32, low - mask, high + mask) else "i8"
        x = self.cast(self.expr(expr.x), kind)
        if expr.mode == "floor":
            return self.cast(self.floor_shift(x, shift), result)
        if expr.mode == "toward_zero":
            return self.cast(Value(f"({x.text} / {integer(power)})", kind), result)
        x = self.atom(x)
        if expr.mode == "floor_min_step":
            down = self.name(self.floor_shift(x, shift)).text
            return self.cast(Value(f"({down} == 0 && {x.text} > 0 ? 1 : {down})", kind), result)
        r = self._drawn(expr, kind, mask) if expr.mode == "stochastic" else ""
        if not fits(64, low - mask, high + mask):
            return self.cast(self._round_low(expr, x, r), result)
        match expr.mode:
            case "nearest":
                sign = f"({x.text} < 0 ? {integer(-half)} : {integer(half)})"
                value = Value(f"(({x.text} + {sign}) / {integer(power)})", kind)
            case "nearest_even":
                odd = f"(({x.text} & {integer(power)}) != 0 ? 1 : 0)"
                value = self.floor_shift(Value(f"({x.text} + {integer(half - 1)} + {odd})", kind), shift)
            case _:
                value = Value(f"(({x.text} < 0 ? {x.text} - {r} : {x.text} + {r}) / {integer(power)})", kind)
        return self.cast(value, result)

    def _drawn(self, expr: Round, kind: str, mask: int) -> str:
        """As many random bits as a stochastic rounding drops."""
        draw = f"({self._word(expr.stream)} / {unsigned(2**32)}) & {unsigned(mask)}"
        return self.name(Value(f"({self.type(kind)})({draw})", kind), "r").text

    def _round_low(self, expr: Round, x: Value, r: str) -> Value:
        """Round a number so large that nothing can be added to it: what is added goes to the bits that are dropped."""
        mask, half = (1 << expr.shift) - 1, 1 << (expr.shift - 1)
        down = self.name(self.floor_shift(x, expr.shift)).text
        match expr.mode:
            case "nearest":
                more = f"({x.text} < 0 ? {integer(half - 1)} : {integer(half)})"
            case "nearest_even":
                more = f"{integer(half - 1)} + (({down} & 1) != 0 ? 1 : 0)"
            case _:
                more = f"({x.text} < 0 ? {integer(mask)} - {r} : {r})"
        low = f"({x.text} & {integer(mask)})"
        return Value(f"({down} + ({low} + {more}) / {integer(1 << expr.shift)})", "i8")

    # ---------------------------------------------------------------------------------------------------- randomness

    def _word(self, stream: int) -> str:
        """The 64 random bits of this stream, step and element."""
        if stream not in self._words:
            start = f"{self.place.key(stream)} + GAMMA * ({self.step()} + 1)"
            key = self._mix(start, f"key_{len(self._words)}")
            self._words[stream] = self._mix(f"{key} + GAMMA * ({self.place.element()} + 1)", f"word_{len(self._words)}")
        return self._words[stream]

    def _mix(self, text: str, wanted: str) -> str:
        """The finaliser of splitmix64 (neuroport.numerics.rng)."""
        self._constants()
        a, b, c = (self.names.fresh(wanted) for _ in range(3))
        self.lines += [
            f"const uint64_t {a} = {text};",
            f"const uint64_t {b} = ({a} ^ ({a} / {unsigned(2**30)})) * MULTIPLY_1;",
            f"const uint64_t {c} = ({b} ^ ({b} / {unsigned(2**27)})) * MULTIPLY_2;",
        ]
        last = self.names.fresh(wanted)
        self.lines.append(f"const uint64_t {last} = {c} ^ ({c} / {unsigned(2**31)});")
        return last

    def _constants(self) -> None:
        """Those of the finaliser, at the head of the block."""
        if ("gamma",) not in self.names.given:
            constants = (
                ("GAMMA", 0x9E3779B97F4A7C15),
                ("MULTIPLY_1", 0xBF58476D1CE4E5B9),
                ("MULTIPLY_2", 0x94D049BB133111EB),
            )
            for name, value in constants:
                self.names.taken.add(name)
                self.lines.insert(0, f"const uint64_t {name} = {unsigned(value)};")
            self.names.given["gamma",] = "GAMMA"

    def _random(self, expr: Random) -> Value:
        word = self._word(expr.stream)
        bits = 32 if expr.part is None else 16
        if expr.part is None:
            draw = f"({word} / {unsigned(2**32)})"
        else:
            draw = f"(({word} / {unsigned(2 ** (16 * expr.part))}) & {unsigned(0xFFFF)})"
        kind = kind_of(expr.type, self.program)
        if kind != "f":
            return Value(f"({self.type(kind)}){draw}", kind)
        if self.program.precision == "float32" and bits == 32:  # 24 bits, so that it stays below 1
            return Value(f"((float)(int32_t)({word} / {unsigned(2**40)}) * {self.real(2.0**-24)})", "f")
        return Value(f"({self.type('f')})((double)(int64_t){draw} * {real(2.0**-bits, 'float64')})", "f")


def draws(body: Body) -> bool:
    """Whether a body needs random numbers."""
    return any(isinstance(e, Random) or (isinstance(e, Round) and e.mode == "stochastic") for e in parts(body))


def c_type(dtype: np.dtype[np.generic]) -> str:
    """The C type of an array in which numbers are kept. Truth values are kept as bytes."""
    if dtype.kind == "f":
        return "double" if dtype.itemsize == 8 else "float"
    return "uint8_t" if dtype.kind == "b" else f"{'u' if dtype.kind == 'u' else ''}int{8 * dtype.itemsize}_t"
