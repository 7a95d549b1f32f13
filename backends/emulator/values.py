"""Translate expressions: what a body reads and computes, each value where it is computed as seldom as it can be.

Whole numbers are added and multiplied in 64 bits. So every value has a known kind (i2, i4, i8, f, b, or `lit` for an
integer literal) and every narrow result is cast where it is made: LLVM then computes in 32 bits, and several at a time.

Arrays of which every copy has its own are flat, element * width + copy, so that the loop over copies is contiguous, and
several are computed at a time. The width is the number of copies rounded up to a multiple of 8: what is computed for
copies that there are not is neither summed, nor counted, nor shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from neuroport.backends.emulator.function import Function
from neuroport.backends.emulator.layout import RUN_SCALARS
from neuroport.backends.emulator.levels import Level, Levels
from neuroport.backends.emulator.lines import Block, Line, Section
from neuroport.backends.emulator.numbers import BITS, NUMBER, kind_for, kind_of
from neuroport.backends.emulator.spelling import SPELL
from neuroport.backends.generated import Value, fits, spelled, storage
from neuroport.backends.turns import Row
from neuroport.program.ir import Apply, Const, Expr, Lookup, Random, Read, Real, Reduce, Round, Sum, Temp, Type
from neuroport.program.machine import Program
from neuroport.program.names import STEP
from neuroport.program.stated import bounds

WIDEST_LINE = 100


@dataclass(slots=True)
class Site:
    """Where a body runs, as texts: its index, its presynaptic and postsynaptic neuron, the element of its draws.

    `fixed` tells which neuron stays the same in the inner loop: "pre" in rows, "post" in columns, "" otherwise.
    `twin` is the corresponding synapse of the twin projection, "@NAME" where an index array has it. `places` is the
    projection if an index array has where in the ring of sums what a synapse sends comes to, counted from now.
    `kernel`: which entry of a kernel the synapse has, or the projection if an index array has it, "" where synapses
    share none. `since`: how many steps before step t the state is that the body sees: 0 of a body that runs at the end
    of it.
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
    kernel: str = ""
    since: int = 1


@dataclass(slots=True)
class Values:
    """Writes the values of one body of a function.

    sections: the lines of each level. level: that at which lines are written now. rows: where sums over synapses and
    names of earlier turns are.
    """

    program: Program
    function: Function
    place: Site
    levels: Levels
    sections: dict[Level, Section] = field(init=False)
    level: Level = field(init=False)
    rows: Mapping[Expr | str, Row] = field(default_factory=dict)
    _temps: dict[str, Value] = field(default_factory=dict)
    _repeated: dict[str, Expr] = field(default_factory=dict)
    _sums: int = 0

    def __post_init__(self) -> None:
        self.level = self.levels.innermost
        self.sections = {
            "row": Section(),
            "element": Section(ahead=self.level == "element"),
            "copy": Section(ahead=True),
            "after": Section(),
        }

    # ------------------------------------------------------------------------------------------------------- lines

    @contextmanager
    def at(self, level: Level) -> Iterator[None]:
        """Write lines at a level."""
        before, self.level = self.level, level
        yield
        self.level = before

    @property
    def here(self) -> Section:
        """The section to which lines are written now."""
        return self.sections[self.level]

    def put(self, *lines: Line) -> None:
        """Write lines."""
        self.here.put(*lines)

    def use(self, kind: str, name: str = "") -> str:
        """The identifier of an argument of the function."""
        return self.function.use(kind, name)

    def fresh(self, wanted: str) -> str:
        """The identifier of a new local variable."""
        return self.function.names.fresh(wanted)

    def row(self) -> list[Line]:
        """What is computed before the inner loop."""
        return self.sections["row"].lines

    def inner(self) -> list[Line]:
        """What is computed for one element."""
        return [*self.sections["element"].lines, *self._copies(), *self.sections["after"].lines]

    def each_copy(self, *lines: Line) -> list[Line]:
        """Lines in a loop over the copies, and over those that fill them up."""
        return [Block(f"for c in range({self.use('width')}):", lines)] if lines else []

    def _copies(self) -> list[Line]:
        """The lines of the level of copies."""
        return self.each_copy(*self.sections["copy"].lines)

    # ------------------------------------------------------------------------------------------------------- places

    def current(self, ident: str) -> str:
        """The row of an input for the present step."""
        return self.function.before_all(f"{ident}_now", f"{ident}[t & ({ident}.shape[0] - 1)]", "now", ident)

    def home(self, array: str) -> str:
        """Where an array's values of the present step are."""
        ident = self.use("array", array)
        return self.current(ident) if self.program.arrays[array].role == "input" else ident

    def index(self, array: str, at: str) -> str:
        """The index of an element of an array, of the copy's own where it has one."""
        if at in ("single", "scalar"):
            return "c" if self.levels.of_array(array) == "copy" else "0"
        where = "entry" if at == "own" and self.program.arrays[array].at == "kernel" else at
        return f"{self._first(where)} + c" if self.levels.of_array(array) == "copy" else self._element(where)

    def _element(self, at: str) -> str:
        """The number of a neuron, synapse or entry of a kernel."""
        place = self.place
        if at == "entry" and place.kernel != "k":
            return self._named("element", "entry", f"{self.use('entry', place.kernel)}[{place.own}]", "entry")
        if at == "entry":
            return place.kernel
        if at != "twin":
            return {"own": place.own, "pre": place.pre, "post": place.post}[at]
        if not place.twin.startswith("@"):
            return place.twin
        return self._named("element", "twin", f"{self.use('twin', place.twin[1:])}[{place.own}]", "twin")

    def _first(self, at: str) -> str:
        """Where the copies of a neuron or synapse begin."""
        element = self._element(at)
        wanted = f"at_{element if element.isidentifier() else at}"
        level: Level = "row" if at == self.place.fixed else "element"
        return self._named(level, wanted, f"np.int64({element}) * {self.use('width')}", "first", element)

    def _named(self, level: Level, wanted: str, text: str, *key: str) -> str:
        return self.function.named(self.sections[level], wanted, text, *key)

    def mask(self, ident: str) -> str:
        """What takes a step to its place in a ring of rows."""
        return self.function.before_all(f"mask_{ident}", f"{ident}.shape[0] - 1", "mask", ident)

    def dendritic(self) -> str:
        """The synapse's dendritic delay."""
        delay = f"np.int64({self.use('dendritic', self.place.dendritic)}[{self.place.own}])"
        return self._named("element", "d", delay, "dendritic")

    def in_ring(self, acc: str) -> str:
        """The sum that the synapse adds to, with all rows of the ring one behind the other."""
        before_all = self.function.before_all
        sums = before_all(f"{acc}_all", f"{acc}.ravel()", "all", acc)
        length = before_all(f"length_{acc}", f"np.uint32({acc}.shape[0] * {acc}.shape[1])", "length", acc)
        now = f"np.uint32((t & ({acc}.shape[0] - 1)) * {acc}.shape[1])"
        now = before_all(f"begin_{acc}", now, "begin", acc)
        later = f"np.uint32({self.use('places', self.place.places)}[{self.place.own}] + {now})"
        later = self._named("element", "later", later, "later")
        place = self._named("element", "place", f"min({later}, np.uint32({later} - {length}))", "place")
        return f"{sums}[{place}]"

    # ------------------------------------------------------------------------------------------------------- reads

    def read(self, read: Read) -> Value:
        """What a body reads, loaded once."""
        if self.program.arrays[read.array].single:
            return self._scalar(read.array)
        section = self.sections[self.levels.of(read)]
        key = read.array, read.at, read.lag
        if key not in section.known:
            element, ago = self._past(read)
            kind = kind_of(self.program.arrays[read.array].type, self.program)
            variable = read.array.rsplit(".", 1)[-1]
            local = self.fresh(f"{variable if read.at == 'own' else f'{read.at}_{variable}'}{ago}")
            section.load(f"{local} = {_typed(self._arrived(read.array, element), kind)}")
            section.known[key] = Value(local, kind, atom=True)
        return section.known[key]

    def nothing(self, array: str) -> str:
        """What an input holds where nothing has been sent."""
        value = self.program.arrays[array].nothing
        return self._real(value) if isinstance(value, float) else literal(value)

    def _arrived(self, array: str, element: str) -> str:
        """What an input is, by the text of what it holds."""
        declared = self.program.arrays[array]
        if declared.reduce == "sum":
            return element
        if isinstance(declared.type, Real):
            zero = self._real(0.0)
            return f"({element} if {element} != {self.nothing(array)} else {zero}) + {zero}"
        return f"({element} if {element} != {self.nothing(array)} else 0)"

    def _scalar(self, array: str) -> Value:
        if array in RUN_SCALARS:
            return Value("t" if array == STEP else "item_step", "i8", atom=True)
        return Value(self.use("scalar", array), kind_of(self.program.arrays[array].type, self.program), atom=True)

    def _past(self, read: Read) -> tuple[str, str]:
        """The element of an array that is read, and how the name of its value ends."""
        array, lag, index = read.array, read.lag, self.index(read.array, read.at)
        if not self.program.arrays[array].history or lag == 0 or (lag == "synapse" and not self.place.dendritic):
            return f"{self.home(array)}[{index}]", ""
        past = self.use("history", array)
        if lag == "synapse":
            return f"{past}[(t - 1 - {self.dendritic()}) & {self.mask(past)}, {index}]", "_d_ago"
        ago = f"_{lag}_ago"
        row = f"{past}[(t - {self.place.since + lag}) & ({past}.shape[0] - 1)]"
        return f"{self.function.before_all(past + ago, row, 'past', past, ago)}[{index}]", ago

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
                return self.read(expr)
            case Temp(name=name) if name in self.rows:
                return self._in_row(self.rows[name], expr.type)
            case Temp(name=name):
                return self.expr(self._repeated[name]) if name in self._repeated else self._temps[name]
            case Apply():
                return self._apply(expr)
            case Round():
                return self._round(expr)
            case Lookup(table=table, index=index, type=type_):
                position = self.expr(index)
                unsigned = position.text if position.kind == "lit" else f"np.uint32({position.text})"
                kind = kind_of(type_, self.program)
                return Value(_typed(f"{self.use('table', table)}[{unsigned}]", kind), kind)
            case Random():
                return self._random(expr)
            case Sum():
                return self._sum(expr)
            case Reduce() if expr in self.rows:
                return self._in_row(self.rows[expr], expr.type)
            case Reduce():
                raise ValueError("a sum over elements stands in a body that was not unfolded")

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
        ident = self.fresh("tmp")
        self.put(f"{ident} = {value.text}")
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

    # ------------------------------------------------------------------------------------------------------- draws

    def _word(self, stream: int) -> str:
        """The 64 random bits of this stream, step and element."""
        known = self.here.known
        if ("word", stream) not in known:
            index = self.function.index("stream", stream)
            key = self.function.before_all(f"key_{index}", f"step_key({self.use('keys')}[{index}], t)", "key", index)
            word = self.fresh(f"word_{index}")
            self.put(f"{word} = random_word({key}, {self._draw_element()})")
            known["word", stream] = Value(word, "i8", atom=True)
        return known["word", stream].text

    def _draw_element(self) -> str:
        """The number by which the element's draws are keyed, those of a copy by its own."""
        element = self.place.element
        if element.startswith("@"):
            element = f"{self.use('element', element[1:])}[{self.place.own}]"
            element = self._named("element", "element", element, "element")
        return f"{element} + (np.uint64(c) << SHIFT_40)" if self.level == "copy" else element

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

    # -------------------------------------------------------------------------------------------------------- rows

    def row_place(self, row: Row) -> str:
        """The number of this entry in a row, of this copy where each has one."""
        kind = "sums" if row.real else "whole_sums"
        number = str(row.number)
        values = self.function.before_all(f"{kind}_{number}", f"{self.use(kind)}[{number}]", kind, number)
        if not row.own:
            return f"{values}[{self._element('entry')}]"
        return f"{values}[{self._first('entry')}{' + c' if self.level == 'copy' else ''}]"

    def _in_row(self, row: Row, type_: Type) -> Value:
        """What a row has of this entry."""
        kind = kind_of(type_, self.program)
        return self.cast(Value(self.row_place(row), "f" if row.real else "i8"), kind)

    # -------------------------------------------------------------------------------------------------------- sums

    def total(self, expr: Sum) -> tuple[Value, list[Line]]:
        """A sum that lines of the level of copies add up, and the lines behind the loop over copies that finish it."""
        kind = kind_of(expr.type, self.program)
        total = self.fresh("total")
        with self.at("copy"):
            if kind == "f":
                return Value(total, "f", atom=True), [f"{total} = {self._products(expr.x) or self._terms(expr.x)}"]
            value = self.expr_as(expr.x, "i8")
            self.sections["element"].put(f"{total} = 0")
            self.put(f"{total} += {value.text} if c < {self.use('copies')} else 0")
        return self.cast(Value(total, "i8", atom=True), kind), []

    def _sum(self, expr: Sum) -> Value:
        """A sum, by a loop over the copies of its own."""
        others, self.sections["copy"] = self.sections["copy"], Section(ahead=True)
        value, after = self.total(expr)
        self.put(*self._copies(), *after)
        self.sections["copy"] = others
        return value

    def _terms(self, x: Expr) -> str:
        """A sum whose terms the loop over the copies writes down."""
        number = str(self._sums)
        self._sums += 1
        value = self.expr_as(x, "f")
        terms = self.function.before_all(f"terms_{number}", f"{self.use('terms')}[{number}]", "terms", number)
        self.put(f"{terms}[c] = {value.text}")
        return f"sum_lanes({terms}, {self.use('copies')})"

    def _products(self, x: Expr) -> str:
        """A sum of products of what a synapse's neurons have, which needs no terms; or nothing."""
        if not (isinstance(x, Apply) and x.fn == "mul"):
            return ""
        places = []
        for factor in x.args:
            if not (isinstance(factor, Read) and self._summed_in_place(factor)):
                return ""
            places.append(f"{self.use('array', factor.array)}, {self._first(factor.at)}")
        return f"sum_products({', '.join(places)}, {self.use('copies')})"

    def _summed_in_place(self, read: Read) -> bool:
        """Whether the values of all copies lie one after the other as they are calculated with."""
        array = self.program.arrays[read.array]
        own = self.levels.of_array(read.array) == "copy" and array.role != "input"
        there = read.at in ("pre", "post") and read.lag == 0
        return own and there and storage(array, self.program) == self.program.precision


def literal(value: int) -> str:
    """An integer literal that can stand anywhere in an expression."""
    return str(value) if value >= 0 else f"({value})"


def _typed(element: str, kind: str) -> str:
    """An array element as a value of its kind (arrays are stored narrower than they are computed with)."""
    return f"{NUMBER[kind]}({element})" if kind in NUMBER else element
