"""Translate bodies: straight-line statements of the program into straight-line Python that LLVM compiles well.

Whole numbers are added and multiplied in 64 bits. So every value has a known kind (i2, i4, i8, f, b, or `lit` for an
integer literal) and every narrow result is cast where it is made: LLVM then computes in 32 bits, and several at a time.
The element's own variables are loaded once, changed as locals (a guard is a select), and stored once at the end: no
branches.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from neuroport.backends.emulator.layout import RUN_SCALARS
from neuroport.backends.emulator.numbers import BITS, NUMBER, kind_for, kind_of, working_kind
from neuroport.backends.emulator.spelling import SPELL, clip
from neuroport.backends.generated import Identifiers, Value, fits, spelled
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
    Round,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
    walk,
)
from neuroport.program.machine import Program
from neuroport.program.names import STEP
from neuroport.program.places import by_line
from neuroport.program.stated import bounds

WIDEST_LINE = 100


@dataclass(slots=True)
class Site:
    """Where a body runs, as texts: its index, its presynaptic and postsynaptic neuron, the element of its draws.

    `fixed` tells which neuron stays the same in the inner loop: "pre" in rows, "post" in columns, "" otherwise.
    `twin` is the corresponding synapse of the twin projection, "@NAME" where an index array has it. `places` is the
    projection if an index array has where in the ring of sums what a synapse sends comes to, counted from now.
    `since`: how many steps before step t the state is that the body sees: 0 of a body that runs at the end of it.
    """

    own: str
    pre: str = ""
    post: str = ""
    element: str = ""
    fixed: str = ""
    source: str = ""
    target: str = ""
    dendritic: str = ""
    twin: str = ""
    places: str = ""
    since: int = 1


@dataclass(slots=True)
class Writer:
    """Writes one body.

    use(kind, name) asks the function being written for an argument and returns its identifier; control(topic, name)
    and stream(number) and counter(array) return indices. Afterwards: `header` stands before all loops, `outer` before
    the inner loop, `lines` inside it, `footer` after all loops.
    """

    program: Program
    place: Site
    names: Identifiers
    use: Callable[[str, str], str]
    stream: Callable[[int], str]
    counter: Callable[[str], str]
    header: list[str] = field(default_factory=list)
    outer: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    footer: list[str] = field(default_factory=list)
    may_fail: bool = False
    _loads: list[str] = field(default_factory=list)
    _own: dict[str, Value] = field(default_factory=dict)
    _stored: dict[str, str] = field(default_factory=dict)
    _reads: dict[tuple[str, str, object], Value] = field(default_factory=dict)
    _words: dict[int, str] = field(default_factory=dict)
    _temps: dict[str, Value] = field(default_factory=dict)
    _hoisted: set[str] = field(default_factory=set)

    # ------------------------------------------------------------------------------------------------- statements

    def body(self, body: Body) -> None:
        """Translate all statements, then write changed variables back."""
        self.statements(body)
        for array, name in self._stored.items():
            self.lines.append(f"{self.home(array)}[{self.place.own}] = {name}")
        self.lines[:0] = self._loads

    def statements(self, body: Body) -> None:
        """Translate all statements, with comments above what came from one line of a model's text."""
        for line, group in by_line(body):
            before = [(lines, len(lines)) for lines in self._growing()]
            for stmt in group:
                self.statement(stmt)
            for lines, count in before:
                if line and len(lines) > count:
                    lines.insert(count, f"# {line}")

    def _growing(self) -> tuple[list[str], ...]:
        """The lists to which statements add lines."""
        return self.outer, self.lines

    def statement(self, stmt: Stmt) -> None:
        """Translate one statement."""
        match stmt:
            case Let(name=name, value=value):
                self._let(name, value)
            case Store():
                self._store(stmt)
            case Send():
                self._send(stmt)
            case Spike(condition=condition):
                flags = self.use("flags", self.place.source)
                self.lines.append(f"{flags}[{self.place.own}] = {self.boolean(condition)}")

    def _let(self, name: str, expr: Expr) -> None:
        hoist = self._constant_in_row(expr)
        lines = self.lines
        if hoist:
            self.lines = self.outer
            self._hoisted.add(name)
        value = self.cast(self.expr(expr), kind_of(expr.type, self.program))
        ident = self.names.fresh(name)
        self.lines.append(f"{ident} = {value.text}")
        self._temps[name] = Value(ident, value.kind, atom=True)
        self.lines = lines

    def _constant_in_row(self, expr: Expr) -> bool:
        """Whether the value is the same for the whole inner loop."""
        if not self.place.fixed:
            return False
        for part in walk(expr):
            match part:
                case Read(at=at, lag=lag) if at not in ("scalar", self.place.fixed) or lag == "synapse":
                    return False
                case Random() | Round(mode="stochastic"):
                    return False
                case Temp(name=name) if name not in self._hoisted:
                    return False
        return True

    def _store(self, stmt: Store) -> None:
        array = self.program.arrays[stmt.array]
        old = self._own_variable(stmt.array)
        value = self.expr(stmt.value)
        guard = self.atom(self.expr_as(stmt.guard, "b")) if stmt.guard is not None else None
        if stmt.overflow != "none" and not self._inside(stmt):
            value = self._limited(stmt, value, guard)
        value = self.cast(value, kind_of(array.type, self.program))
        if guard is not None:
            value = self.atom(value)
            self.lines.append(f"{old.text} = {value.text} if {guard.text} else {old.text}")
        else:
            self.lines.append(f"{old.text} = {value.text}")
        self._stored[stmt.array] = old.text

    def _inside(self, stmt: Store) -> bool:
        """Whether interval analysis already says that the value needs no overflow rule."""
        type_ = stmt.value.type
        return self.program.integer and isinstance(type_, Int) and stmt.lo <= type_.lo and type_.hi <= stmt.hi

    def _limited(self, stmt: Store, value: Value, guard: Value | None) -> Value:
        """The value after the overflow rule, counting what it met."""
        if value.kind != "f":
            value = self.cast(value, working_kind(self.program, stmt.value, stmt.lo, stmt.hi))
        value = self.atom(value)
        lo, hi = (self.cast(Value(literal(limit), "lit", atom=True), value.kind).text for limit in (stmt.lo, stmt.hi))
        outside = self._outside(value, lo, hi, guard)
        index = self.counter(stmt.array)
        if stmt.overflow == "error":
            failed = self.names(f"failed_{stmt.array.rsplit('.', 1)[-1]}", "failed", stmt.array)
            if f"{failed} = NONE" not in self.header:
                self.header.append(f"{failed} = NONE")
                self.footer += [
                    f"if {failed} != NONE:",
                    f"    ctl[ERROR_ARRAY] = {index}",
                    f"    ctl[ERROR_ELEMENT] = {failed}",
                ]
            bad = self.names.fresh("bad")
            self.lines.append(f"{bad} = {outside}")
            self.lines.append(f"{failed} = min({failed}, np.int64({self.place.own}) if {bad} else NONE)")
            self.use("ctl", "")
            self.may_fail = True
        else:
            narrow = value.kind in ("i2", "i4", "u4") and not self.place.pre
            count = self.names(f"outside_{stmt.array.rsplit('.', 1)[-1]}", "outside", stmt.array, str(narrow))
            zero, more = self._counting(count, outside, narrow)
            if zero not in self.header:
                self.header.append(zero)
                self.footer.append(f"{self.use('overflow', '')}[{index}] += {count}  # {stmt.array}")
            self.lines.append(more)
        if stmt.overflow == "wrap":
            return self._wrapped(value, stmt.lo, stmt.hi - stmt.lo + 1)
        return clip(value, Value(lo, value.kind), Value(hi, value.kind))

    def _outside(self, value: Value, lo: str, hi: str, guard: Value | None) -> str:
        """Whether a value that is stored lies outside its range."""
        return f"(({value.text} < {lo}) | ({value.text} > {hi}))" + (f" & {guard.text}" if guard else "")

    def _counting(self, count: str, outside: str, narrow: bool) -> tuple[str, str]:
        """How a count begins and grows: in 32 bits, which that of neurons fits, beside values of 32 bits."""
        if narrow:
            return f"{count} = np.int32(0)", f"{count} = np.int32({count} + np.int32({outside}))"
        return f"{count} = 0", f"{count} += np.int64({outside})"

    def _wrapped(self, value: Value, lo: int, span: int) -> Value:
        """The value in lo .. lo + span - 1 that differs from it by a multiple of the span."""
        if span >= 2**64:
            return value
        if span & (span - 1) == 0:
            return Value(f"((np.int64({value.text}) - {literal(lo)}) & {span - 1}) + {literal(lo)}", "i8")
        return Value(f"((np.int64({value.text}) % {span} - {lo % span}) % {span}) + {literal(lo)}", "i8")

    def _send(self, stmt: Send) -> None:
        array = self.program.arrays[stmt.input]
        kind = kind_of(array.type, self.program)
        value = self.expr_as(stmt.value, kind)
        acc = self.use("array", stmt.input)
        neuron = self.place.post if stmt.to == "post" else self.place.pre
        if stmt.delay == "synapse" and self.place.places:
            element = self._in_ring(acc)
        elif stmt.delay == "synapse" and self.place.dendritic:
            element = f"{acc}[(t + {self._dendritic()}) & {self._mask(acc)}, {neuron}]"
        else:
            element = f"{self.current(acc)}[{neuron}]"
        if stmt.guard is not None:
            guard = self.expr_as(stmt.guard, "b")
            if value.text.count("(") > 1:
                value = self.atom(value)
            self.lines.append(f"if {guard.text}:")
            self.lines.append(f"    {element} += {value.text}")
        else:
            self.lines.append(f"{element} += {value.text}")

    # ------------------------------------------------------------------------------------------------------- reads

    def before_all(self, wanted: str, text: str, *key: str) -> str:
        """A local computed before all loops."""
        known = key in self.names.given
        ident = self.names(wanted, *key)
        if not known:
            self.header.append(f"{ident} = {text}")
        return ident

    def current(self, ident: str) -> str:
        """The row of an input for the present step."""
        return self.before_all(f"{ident}_now", f"{ident}[t & ({ident}.shape[0] - 1)]", "now", ident)

    def home(self, array: str) -> str:
        """Where an array's values of the present step are."""
        ident = self.use("array", array)
        return self.current(ident) if self.program.arrays[array].role == "input" else ident

    def _mask(self, ident: str) -> str:
        return self.before_all(f"mask_{ident}", f"{ident}.shape[0] - 1", "mask", ident)

    def _in_ring(self, acc: str) -> str:
        """The sum that the synapse adds to, with all rows of the ring one behind the other."""
        sums = self.before_all(f"{acc}_all", f"{acc}.ravel()", "all", acc)
        length = self.before_all(f"length_{acc}", f"np.uint32({acc}.shape[0] * {acc}.shape[1])", "length", acc)
        now = f"np.uint32((t & ({acc}.shape[0] - 1)) * {acc}.shape[1])"
        now = self.before_all(f"begin_{acc}", now, "begin", acc)
        place = self.names("place", "place")
        whole = f"{place} = np.uint32({self.use('places', self.place.places)}[{self.place.own}] + {now})"
        if whole not in self._loads:
            self._loads += [whole, f"{place} = min({place}, np.uint32({place} - {length}))"]
        return f"{sums}[{place}]"

    def _dendritic(self) -> str:
        """The synapse's dendritic delay."""
        ident = self.names("d", "dendritic")
        load = f"{ident} = np.int64({self.use('dendritic', self.place.dendritic)}[{self.place.own}])"
        if load not in self._loads:
            self._loads.insert(0, load)
        return ident

    def _own_variable(self, array: str) -> Value:
        """The local that stands for the element's own variable."""
        if array not in self._own:
            declared = self.program.arrays[array]
            kind = kind_of(declared.type, self.program)
            ident = self.names.fresh(array.rsplit(".", 1)[-1])
            element = f"{self.home(array)}[{self.place.own}]"
            self._loads.append(f"{ident} = {self._typed(element, kind)}")
            self._own[array] = Value(ident, kind, atom=True)
        return self._own[array]

    def _index(self, at: str) -> str:
        """The index of an element that the body reads."""
        if at != "twin":
            return {"own": self.place.own, "pre": self.place.pre, "post": self.place.post}[at]
        if not self.place.twin.startswith("@"):
            return self.place.twin
        known = ("twin",) in self.names.given
        ident = self.names("twin", "twin")
        if not known:
            self._loads.insert(0, f"{ident} = {self.use('twin', self.place.twin[1:])}[{self.place.own}]")
        return ident

    def _typed(self, element: str, kind: str) -> str:
        """An array element as a value of its kind (arrays are stored narrower than they are computed with)."""
        return f"{NUMBER[kind]}({element})" if kind in NUMBER else element

    def _read(self, read: Read) -> Value:
        array = self.program.arrays[read.array]
        kind = kind_of(array.type, self.program)
        if read.at == "scalar":
            if read.array in RUN_SCALARS:
                return Value("t" if read.array == STEP else "item_step", "i8", atom=True)
            return Value(self.use("scalar", read.array), kind, atom=True)
        if read.at == "own" and read.lag == 0:
            return self._own_variable(read.array)
        key = (read.array, read.at, read.lag)
        if key in self._reads:
            return self._reads[key]
        neuron = self._index(read.at)
        lag = read.lag
        if not array.history or (lag == "synapse" and not self.place.dendritic):
            lag = 0
        variable = read.array.rsplit(".", 1)[-1]
        wanted = variable if read.at == "own" else f"{read.at}_{variable}"
        if lag == 0:
            element = f"{self.home(read.array)}[{neuron}]"
        else:
            ident = self.use("history", read.array)
            wanted = f"{wanted}_{lag}_ago" if lag != "synapse" else f"{wanted}_d_ago"
            if lag == "synapse":
                element = f"{ident}[(t - 1 - {self._dendritic()}) & {self._mask(ident)}, {neuron}]"
            else:
                slot = self.before_all(
                    f"slot_{ident}_{lag}",
                    f"(t - {self.place.since + int(lag)}) & ({ident}.shape[0] - 1)",
                    "past",
                    ident,
                    str(lag),
                )
                element = f"{ident}[{slot}, {neuron}]"
        local = self.names.fresh(wanted)
        line = f"{local} = {self._typed(element, kind)}"
        if read.at == self.place.fixed and read.lag != "synapse":
            self.outer.append(line)
        else:
            self._loads.append(line)
        self._reads[key] = Value(local, kind, atom=True)
        return self._reads[key]

    # ------------------------------------------------------------------------------------------------- expressions

    def boolean(self, expr: Expr) -> str:
        """The text of a condition."""
        return self.expr_as(expr, "b").text

    def expr_as(self, expr: Expr, kind: str) -> Value:
        """An expression converted to a kind."""
        return self.cast(self.expr(expr), kind)

    def expr(self, expr: Expr) -> Value:
        """Translate an expression; long ones are cut into locals."""
        value = self._expr(expr)
        return self.atom(value) if len(value.text) > WIDEST_LINE else value

    def _expr(self, expr: Expr) -> Value:
        match expr:
            case Const(value=value, type=type_):
                return self._constant(value, kind_of(type_, self.program))
            case Read():
                return self._read(expr)
            case Temp(name=name):
                return self._temps[name]
            case Apply():
                return self._apply(expr)
            case Round():
                return self._round(expr)
            case Lookup(table=table, index=index, type=type_):
                position = self.expr(index)
                unsigned = position.text if position.kind == "lit" else f"np.uint32({position.text})"
                kind = kind_of(type_, self.program)
                return Value(self._typed(f"{self.use('table', table)}[{unsigned}]", kind), kind)
            case Random():
                return self._random(expr)
            case Sum():
                return self._sum(expr)

    def _sum(self, expr: Sum) -> Value:
        raise ValueError("a program sums over copies where there are none")

    def _constant(self, value: float | int | bool, kind: str) -> Value:
        if kind == "b":
            return Value(str(bool(value)), "b", atom=True)
        if kind != "f":
            return Value(literal(int(value)), "lit", atom=True)
        return Value(self._real(float(value)), "f", atom=True)

    def _real(self, value: float) -> str:
        if math.isnan(value):
            text = "math.nan"
        elif math.isinf(value):
            text = "math.inf" if value > 0 else "(-math.inf)"
        else:
            text = repr(value) if value >= 0 else f"({value!r})"
        return text if self.program.precision == "float64" else f"real({text})"

    def cast(self, value: Value, kind: str) -> Value:
        """The value as another kind."""
        if value.kind == kind:
            return value
        if kind == "f":
            if value.kind == "lit":
                return Value(self._real(float(int(value.text.strip("()")))), "f", atom=True)
            return Value(f"real({value.text})", "f")
        if kind == "b":
            return Value(f"({value.text} != 0)", "b")
        return Value(f"{NUMBER[kind]}({value.text})", kind)

    def atom(self, value: Value) -> Value:
        """The value as a name."""
        if value.atom:
            return value
        ident = self.names.fresh("tmp")
        self.lines.append(f"{ident} = {value.text}")
        return Value(ident, value.kind, atom=True)

    def _apply(self, expr: Apply) -> Value:
        """Translate a function application."""
        return spelled(SPELL, expr.fn, "emulator")(self, expr, [self.expr(a) for a in expr.args])

    def _round(self, expr: Round) -> Value:
        """Shift right with rounding. All forms work on two's complement: `>>` is floor."""
        result = kind_of(expr.type, self.program)
        shift, mask, half = expr.shift, (1 << expr.shift) - 1, 1 << (expr.shift - 1)
        low, high = bounds(expr.x)
        least = low - mask if low < 0 else 0
        kind = kind_for(least, high + mask)
        x = self.atom(self.cast(self.expr(expr.x), kind)).text
        number = NUMBER[kind]
        below = f"({x} >> {BITS[kind] - 1})"
        mode = "floor" if expr.mode == "toward_zero" and low >= 0 else expr.mode
        match mode:
            case "floor":
                return self.cast(Value(f"({x} >> {shift})", "shifted"), result)
            case "floor_min_step":
                text = f"(({x} >> {shift}) + np.int64(({x} > 0) & (({x} >> {shift}) == 0)))"
                return self.cast(Value(text, "shifted"), result)
            case "toward_zero":
                raised = f"({below} & {mask})"
            case "nearest":  # half away from zero: negative numbers get one less than half
                raised = f"{half} + {below}" if low < 0 else f"{half}"
            case "nearest_even":
                raised = f"{half - 1} + (({x} >> {shift}) & 1)"
            case "stochastic":  # on the magnitude: for a negative number, mask - r instead of r
                word = f"np.int64({self._word(expr.stream)} >> SHIFT_32)"
                r = self.atom(Value(f"{number}({word} & {mask})", kind)).text
                raised = f"({r} ^ ({below} & {mask}))" if low < 0 else r
        if fits(64, least, high + mask):
            text = f"({number}({x} + {raised}) >> {shift})"
        else:  # the sum would not fit: only what is dropped is added to
            text = f"(({x} >> {shift}) + ((({x} & {mask}) + {raised}) >> {shift}))"
        return self.cast(Value(text, "shifted"), result)

    def _word(self, stream: int) -> str:
        """The 64 random bits of this stream, step and element."""
        if stream not in self._words:
            index = self.stream(stream)
            key = self.before_all(f"key_{index}", f"step_key({self.use('keys', '')}[{index}], t)", "key", index)
            word = self.names.fresh(f"word_{index}")
            self.lines.append(f"{word} = random_word({key}, {self._draw_element()})")
            self._words[stream] = word
        return self._words[stream]

    def _draw_element(self) -> str:
        """The number by which the element's draws are keyed."""
        element = self.place.element
        return f"{self.use('element', element[1:])}[{self.place.own}]" if element.startswith("@") else element

    def _random(self, expr: Random) -> Value:
        word = self._word(expr.stream)
        bits = 32 if expr.part is None else 16
        draw = f"{word} >> SHIFT_32" if expr.part is None else f"({word} >> SHIFT_{16 * expr.part}) & LOW_16"
        kind = kind_of(expr.type, self.program)
        if kind != "f":
            return self.cast(Value(f"np.int64({draw})", "i8"), kind)
        if self.program.precision == "float32" and bits == 32:  # 24 bits, so that it stays below 1
            return Value(f"(real(np.int64({word} >> SHIFT_40)) * real({2.0**-24!r}))", "f")
        return Value(f"(real(np.int64({draw})) * {self._real(2.0**-bits)})", "f")


def literal(value: int) -> str:
    """An integer literal that can stand anywhere in an expression."""
    return str(value) if value >= 0 else f"({value})"
