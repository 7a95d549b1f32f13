"""Translate bodies of a program of several copies: what the copies share once, what each has of its own in a loop.

Arrays of the copies' own are flat, element * width + copy, so that the loop over copies is contiguous, and several are
computed at a time. The width is the number of copies rounded up to a multiple of 8: what is computed for copies that do
not exist is neither summed, nor counted, nor shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from neuroport.backends.emulator.body import Writer
from neuroport.backends.emulator.numbers import kind_of
from neuroport.backends.generated import Value, storage
from neuroport.copies.axis import is_own
from neuroport.program.ir import Apply, Body, Expr, Random, Read, Round, Send, Stmt, Store, Sum, Temp, children

Level = Literal["row", "element", "copy"]
"""How often a value is computed: once for the inner loop, once per neuron or synapse, or for every copy."""
ORDER: tuple[Level, ...] = ("row", "element", "copy")


@dataclass(slots=True)
class BatchWriter(Writer):
    """Writes one body of a program of several copies.

    Afterwards `element` stands before the loop over copies, `lines` in it, and `after` behind it. `once`: the body is
    an event that is computed once for all copies; its loops over copies, for sums, stand in `element`.
    """

    once: bool = False
    element: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    sums: int = 0
    _levels: dict[str, Level] = field(default_factory=dict)
    _own_lets: dict[str, Expr] = field(default_factory=dict)
    _in_sum: bool = False
    _in_all: bool = False
    _in_copies: bool = False

    # ------------------------------------------------------------------------------------------------------ memory

    def get(self, ident: str, index: str) -> str:
        """The text of an array element."""
        return f"{ident}[{index}]"

    def put(self, ident: str, index: str, value: str) -> str:
        """The line that assigns an array element."""
        return f"{ident}[{index}] = {value}"

    def copies(self) -> str:
        """The number of copies."""
        return self.use("copies", "")

    def each_copy(self, lines: list[str]) -> list[str]:
        """A loop over the copies."""
        width = self.use("width", "") if lines else ""
        return [f"for c in range({width}):", *("    " + line for line in lines)] if lines else []

    def place_of(self, array: str, at: str) -> str:
        """The index of an array element, within the loop over copies where they have their own."""
        index = self._index(at)
        if not is_own(self.program.arrays[array]):
            return index
        known = ("first", index) in self.names.given
        ident = self.names(f"at_{index if index.isidentifier() else at}", "first", index)
        if not known:
            lines = self.outer if at == self.place.fixed else self.element
            lines.append(f"{ident} = np.int64({index}) * {self.use('width', '')}")
        return f"{ident} + c"

    def _index(self, at: str) -> str:
        if at != "twin" or not self.place.twin.startswith("@"):
            return Writer._index(self, at)
        known = ("twin", self.place.own) in self.names.given
        ident = self.names("twin", "twin", self.place.own)
        if not known:
            self.element.append(f"{ident} = {self.get(self.use('twin', self.place.twin[1:]), self.place.own)}")
        return ident

    # ------------------------------------------------------------------------------------------------------ levels

    def level(self, expr: Expr) -> Level:
        """How often the expression has to be computed."""
        match expr:
            case Read(array=array, at=at):
                if is_own(self.program.arrays[array]):
                    return "copy"
                return "row" if at in ("scalar", self.place.fixed) else "element"
            case Temp(name=name):
                return self._levels[name]
            case Sum():
                return "element"
            case Random():
                return "element" if self.once and not self._in_sum else "copy"
        levels = [self.level(part) for part in children(expr)]
        if isinstance(expr, Round) and expr.mode == "stochastic":
            levels.append("element" if self.once and not self._in_sum else "copy")
        return max(levels, key=ORDER.index, default="row")

    def _lines_of(self, level: Level) -> list[str]:
        if level == "copy":
            return self.lines
        return self.outer if level == "row" and self.place.fixed else self.element

    # -------------------------------------------------------------------------------------------------- statements

    def body(self, body: Body) -> None:
        """Translate all statements, then write changed variables back."""
        self.statements(body)
        for array, name in self._stored.items():
            line = self.put(self.home(array), self.place_of(array, "own"), name)
            (self.lines if is_own(self.program.arrays[array]) else self.after).append(line)
        self.lines[:0] = self._loads

    def _growing(self) -> tuple[list[str], ...]:
        return self.outer, self.element, self.lines, self.after

    def statement(self, stmt: Stmt) -> None:
        """Translate one statement."""
        if not isinstance(stmt, Store):
            Writer.statement(self, stmt)
        elif isinstance(stmt.value, Sum) and not self.once:
            self._store_sum(stmt, stmt.value)
        elif self.once and is_own(self.program.arrays[stmt.array]):
            self._store_in_all(stmt)
        else:
            copy_lines = self.lines
            self._in_copies = is_own(self.program.arrays[stmt.array])
            self.lines = self._lines_of("copy" if self._in_copies else "element")
            Writer._store(self, stmt)
            self.lines, self._in_copies = copy_lines, False

    def _let(self, name: str, expr: Expr) -> None:
        level = self.level(expr)
        self._levels[name] = level
        if self.once and level == "copy":
            self._own_lets[name] = expr
            return
        copy_lines, self.lines = self.lines, self._lines_of(level)
        value = self.cast(self.expr(expr), kind_of(expr.type, self.program))
        ident = self.names.fresh(name)
        self.lines.append(f"{ident} = {value.text}")
        self._temps[name] = Value(ident, value.kind, atom=True)
        self.lines = copy_lines

    def _store_sum(self, stmt: Store, total: Sum) -> None:
        """A shared variable gets what all copies contribute; nothing in the body reads it."""
        value = self._total(total, self.lines, self.element, self.after)
        copy_lines, self.lines = self.lines, self.after
        self._stored_value(stmt, value)
        self.lines = copy_lines

    def _store_in_all(self, stmt: Store) -> None:
        """Every copy's own variable gets the same value."""
        copy_lines, self.lines = self.lines, self.element
        self._in_all = True
        self._stored_value(stmt, self.expr(stmt.value))
        self._in_all = False
        self.lines = copy_lines

    def _stored_value(self, stmt: Store, value: Value) -> None:
        """Store a value at once."""
        guard = None if stmt.guard is None else self.atom(self.expr_as(stmt.guard, "b"))
        if stmt.overflow != "none" and not self._inside(stmt):
            value = self._limited(stmt, value, guard)
        value = self.atom(self.cast(value, kind_of(self.program.arrays[stmt.array].type, self.program)))
        lines = [self.put(self.use("array", stmt.array), self.place_of(stmt.array, "own"), value.text)]
        if is_own(self.program.arrays[stmt.array]):
            lines = self.each_copy(lines)
        if guard is not None:
            lines = [f"if {guard.text}:", *("    " + line for line in lines)]
        self.lines += lines

    def _counting(self, count: str, outside: str, narrow: bool) -> tuple[str, str]:
        met = f"np.int64({outside})"
        return f"{count} = 0", f"{count} += {self.copies()} * {met}" if self._in_all else f"{count} += {met}"

    def _outside(self, value: Value, lo: str, hi: str, guard: Value | None) -> str:
        outside = Writer._outside(self, value, lo, hi, guard)
        return f"{outside} & (c < {self.copies()})" if self._in_copies else outside

    def _send(self, stmt: Send) -> None:
        kind = kind_of(self.program.arrays[stmt.input].type, self.program)
        value = self.expr_as(stmt.value, kind)
        if stmt.guard is not None:
            guard = self.expr_as(stmt.guard, "b")
            value = self.atom(value)
            nothing = self.atom(self.cast(Value("0", "lit", atom=True), kind))
            value = Value(f"({value.text} if {guard.text} else {nothing.text})", kind)
        now = self.current(self.use("array", stmt.input))
        place = self.place_of(stmt.input, stmt.to)
        self.lines.append(self.put(now, place, f"{self.get(now, place)} + {value.text}"))

    # ------------------------------------------------------------------------------------------------------- reads

    def _own_variable(self, array: str) -> Value:
        if array not in self._own:
            declared = self.program.arrays[array]
            kind = kind_of(declared.type, self.program)
            ident = self.names.fresh(array.rsplit(".", 1)[-1])
            lines = self._loads if is_own(declared) else self.element
            lines.append(f"{ident} = {self._typed(self.get(self.home(array), self.place_of(array, 'own')), kind)}")
            self._own[array] = Value(ident, kind, atom=True)
        return self._own[array]

    def _read(self, read: Read) -> Value:
        own = is_own(self.program.arrays[read.array])
        if read.at == "scalar":
            return Writer._read(self, read)
        if read.at == "own" and read.lag == 0 and not (own and self.once):
            return self._own_variable(read.array)
        index = self.place_of(read.array, read.at)
        key = (read.array, index, read.lag)
        if key in self._reads:
            return self._reads[key]
        array = self.program.arrays[read.array]
        kind = kind_of(array.type, self.program)
        lag = int(read.lag) if array.history and read.lag != "synapse" else 0
        wanted = read.array.rsplit(".", 1)[-1]
        wanted = wanted if read.at == "own" else f"{read.at}_{wanted}"
        if lag:
            past = self.use("history", read.array)
            wanted = f"{wanted}_{lag}_ago"
            row = f"(t - {self.place.since + lag}) & ({past}.shape[0] - 1)"
            source = self.before_all(f"{past}_{lag}_ago", f"{past}[{row}]", "past", past, str(lag))
        else:
            source = self.home(read.array)
        local = self.names.fresh(wanted)
        level = self.level(read)
        lines = self._loads if level == "copy" else self._lines_of(level)
        lines.append(f"{local} = {self._typed(self.get(source, index), kind)}")
        self._reads[key] = Value(local, kind, atom=True)
        return self._reads[key]

    # ------------------------------------------------------------------------------------------------- expressions

    def _expr(self, expr: Expr) -> Value:
        if isinstance(expr, Temp) and expr.name in self._own_lets:
            return self.expr(self._own_lets[expr.name])
        return Writer._expr(self, expr)

    def _sum(self, expr: Sum) -> Value:
        """The sum, by a loop over the copies before the value is used."""
        reads, words, target = dict(self._reads), dict(self._words), self.lines
        self.lines, self._loads, self._words, self._in_sum = [], [], {}, True
        before: list[str] = []
        after: list[str] = []
        total = self._total(expr, self.lines, before, after)
        target += [*before, *self.each_copy(self._loads + self.lines), *after]
        for key in [k for k in self._reads if k not in reads and is_own(self.program.arrays[k[0]])]:
            del self._reads[key]
        self.lines, self._loads, self._words, self._in_sum = target, [], words, False
        return total

    def _total(self, expr: Sum, lines: list[str], before: list[str], after: list[str]) -> Value:
        """The sum over a loop of these lines."""
        kind = kind_of(expr.type, self.program)
        total = self.names.fresh("total")
        if kind == "f":
            after.append(f"{total} = {self._product_sum(expr.x) or self._term_sum(expr.x, lines)}")
            return Value(total, "f", atom=True)
        value = self.expr_as(expr.x, "i8")
        before.append(f"{total} = 0")
        lines.append(f"{total} += {value.text} if c < {self.copies()} else 0")
        return self.cast(Value(total, "i8", atom=True), kind)

    def _term_sum(self, x: Expr, lines: list[str]) -> str:
        """A sum whose terms a loop over the copies writes down."""
        number = str(self.sums)
        self.sums += 1
        value = self.expr_as(x, "f")
        terms = self.before_all(f"terms_{number}", f"{self.use('terms', '')}[{number}]", "terms", number)
        lines.append(self.put(terms, "c", value.text))
        return f"sum_lanes({terms}, {self.copies()})"

    def _product_sum(self, x: Expr) -> str:
        """A sum of products of what a synapse's neurons have, which needs no terms; or nothing."""
        if not (isinstance(x, Apply) and x.fn == "mul"):
            return ""
        places = []
        for factor in x.args:
            if not (isinstance(factor, Read) and factor.at in ("pre", "post") and factor.lag == 0):
                return ""
            array = self.program.arrays[factor.array]
            if not is_own(array) or array.role == "input" or storage(array, self.program) != self.program.precision:
                return ""
            places.append(f"{self.use('array', factor.array)}, {self.place_of(factor.array, factor.at).split(' ')[0]}")
        return f"sum_products({', '.join(places)}, {self.copies()})"

    def _draw_element(self) -> str:
        element = self.place.element
        if element.startswith("@"):
            known = ("element", self.place.own) in self.names.given
            ident = self.names("element", "element", self.place.own)
            if not known:
                self.element.append(f"{ident} = {self.get(self.use('element', element[1:]), self.place.own)}")
            element = ident
        return element if self.once and not self._in_sum else f"{element} + (np.uint64(c) << SHIFT_40)"
