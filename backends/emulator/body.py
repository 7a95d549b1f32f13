"""Translate bodies: straight-line statements of the program into straight-line Python that LLVM compiles well.

The element's own variables are loaded once, changed as locals (a guard is a select), and stored once at the end: no
branches. What the copies of a program share is computed once, what each has of its own in a loop over them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from neuroport.backends.emulator.lines import Block, Line
from neuroport.backends.emulator.numbers import kind_of, working_kind
from neuroport.backends.emulator.spelling import clip
from neuroport.backends.emulator.values import Values, literal
from neuroport.backends.generated import Value
from neuroport.backends.turns import Row
from neuroport.program.ir import Body, Expr, Int, Let, Read, Send, Spike, Stmt, Store, Sum, Temp
from neuroport.program.places import by_line


@dataclass(slots=True)
class Writer(Values):
    """Writes one body of a function: afterwards `row()` stands before the inner loop, `inner()` in it."""

    _stored: dict[str, str] = field(default_factory=dict)

    def body(self, body: Body) -> None:
        """Translate all statements, then write changed variables back."""
        for line, group in by_line(body):
            self._comment(f"# {line}" if line else "")
            for stmt in group:
                self._statement(stmt)
        self._comment("")
        for array, name in self._stored.items():
            self.assign(array, name)

    def assign(self, array: str, value: str) -> None:
        """Give the element of an array a value, after all else."""
        with self.at("after" if self.levels.of_array(array) == "element" else "copy"):
            self.put(f"{self.home(array)}[{self.index(array, 'own')}] = {value}")

    def _comment(self, text: str) -> None:
        """What stands above the next line of each section."""
        for section in self.sections.values():
            section.comment = text

    def _statement(self, stmt: Stmt) -> None:
        """Translate one statement."""
        match stmt:
            case Let(name=name, value=value):
                self._let(name, value)
            case Store(value=Sum() as total) if not self.levels.once:
                self._store_sum(stmt, total)
            case Store(array=array) if self.levels.once and self.levels.of_array(array) == "copy":
                self._store_in_all(stmt)
            case Store():
                self._store(stmt)
            case Send():
                self._send(stmt)
            case Spike(condition=condition):
                flags = self.use("flags", self.place.source)
                self.put(f"{flags}[{self.place.own}] = {self.boolean(condition)}")

    def _let(self, name: str, expr: Expr) -> None:
        """Name a value; what every copy has of its own in a body that is computed once, the sums calculate."""
        level = self.levels.lets[name] = self.levels.of(expr)
        if self.levels.once and level == "copy":
            self._repeated[name] = expr
            return
        with self.at(level):
            value = self.cast(self.expr(expr), kind_of(expr.type, self.program))
            ident = self.fresh(name)
            self.put(f"{ident} = {value.text}")
        self._temps[name] = Value(ident, value.kind, atom=True)

    # -------------------------------------------------------------------------------------------------------- rows

    def add_to(self, row: Row, x: Expr) -> str:
        """Add a value of every synapse to what a row has of its entry; the line that clears a number of the row."""
        with self.at("copy" if row.own else "element"):
            value = self.expr_as(x, "f" if row.real else "i8")
            text = f"real({value.text})" if row.real else value.text
            place = self.row_place(row)
            self.put(f"{place} += {text}")
        return f"{place.partition('[')[0]}[nth] = 0"

    def keep(self, row: Row, name: Temp) -> None:
        """Put a named value of every entry into a row."""
        with self.at("copy" if row.own else "element"):
            value = self.expr_as(name, "f" if row.real else "i8")
            self.put(f"{self.row_place(row)} = {value.text}")

    # ------------------------------------------------------------------------------------------------------ stores

    def _store(self, stmt: Store) -> None:
        """Change the local that stands for the element's variable."""
        with self.at(self.levels.of_array(stmt.array)):
            old = self.read(Read(stmt.array, "own", self.program.arrays[stmt.array].type)).text
            value, guard = self._storable(stmt, self.expr(stmt.value))
            if guard is not None:
                self.put(f"{old} = {self.atom(value).text} if {guard.text} else {old}")
            else:
                self.put(f"{old} = {value.text}")
        self._stored[stmt.array] = old

    def _store_sum(self, stmt: Store, total: Sum) -> None:
        """A shared variable gets what all copies contribute; nothing in the body reads it."""
        value, after = self.total(total)
        with self.at("after"):
            self.put(*after)
            self._store_at_once(stmt, value)

    def _store_in_all(self, stmt: Store) -> None:
        """Every copy's own variable gets the same value."""
        with self.at("element"):
            self._store_at_once(stmt, self.expr(stmt.value))

    def _store_at_once(self, stmt: Store, value: Value) -> None:
        """Store a value where the variable is."""
        value, guard = self._storable(stmt, value)
        value = self.atom(value)
        lines: list[Line] = [f"{self.home(stmt.array)}[{self.index(stmt.array, 'own')}] = {value.text}"]
        if self.levels.of_array(stmt.array) == "copy":
            lines = self.each_copy(*lines)
        self.put(*([Block(f"if {guard.text}:", lines)] if guard is not None else lines))

    def _storable(self, stmt: Store, value: Value) -> tuple[Value, Value | None]:
        """The value that is stored, and the condition under which it is."""
        guard = self.atom(self.expr_as(stmt.guard, "b")) if stmt.guard is not None else None
        if stmt.overflow != "none" and not self._inside(stmt):
            value = self._limited(stmt, value, guard)
        return self.cast(value, kind_of(self.program.arrays[stmt.array].type, self.program)), guard

    def _inside(self, stmt: Store) -> bool:
        """Whether interval analysis already says that the value needs no overflow rule."""
        type_ = stmt.value.type
        return self.program.integer and isinstance(type_, Int) and stmt.lo <= type_.lo and type_.hi <= stmt.hi

    # ---------------------------------------------------------------------------------------------------- overflow

    def _limited(self, stmt: Store, value: Value, guard: Value | None) -> Value:
        """The value after the overflow rule, counting what it met."""
        if value.kind != "f":
            value = self.cast(value, working_kind(self.program, stmt.value, stmt.lo, stmt.hi))
        value = self.atom(value)
        lo, hi = (self.cast(Value(literal(limit), "lit", atom=True), value.kind).text for limit in (stmt.lo, stmt.hi))
        outside = self._outside(value, lo, hi, guard)
        if stmt.overflow == "error":
            self._fail(stmt.array, outside)
        else:
            self._count(stmt.array, outside, value.kind)
        if stmt.overflow == "wrap":
            return _wrapped(value, stmt.lo, stmt.hi - stmt.lo + 1)
        return clip(value, Value(lo, value.kind), Value(hi, value.kind))

    def _outside(self, value: Value, lo: str, hi: str, guard: Value | None) -> str:
        """Whether a value that is stored lies outside its range."""
        outside = f"(({value.text} < {lo}) | ({value.text} > {hi}))" + (f" & {guard.text}" if guard else "")
        return f"{outside} & (c < {self.use('copies')})" if self.level == "copy" else outside

    def _fail(self, array: str, outside: str) -> None:
        """Remember the first element whose value is outside its range."""
        function = self.function
        index = function.index("counter", array)
        failed, new = self._counted("failed", array, "NONE")
        if new:
            error = [f"ctl[ERROR_ARRAY] = {index}", f"ctl[ERROR_ELEMENT] = {failed}"]
            function.footer.put(Block(f"if {failed} != NONE:", error))
        bad = self.fresh("bad")
        self.put(f"{bad} = {outside}", f"{failed} = min({failed}, np.int64({self.place.own}) if {bad} else NONE)")
        self.use("ctl")
        function.may_fail = True

    def _count(self, array: str, outside: str, kind: str) -> None:
        """Count a value outside its range: in 32 bits, which the number of neurons fits, beside values of 32 bits."""
        index = self.function.index("counter", array)
        narrow = self.levels.innermost == "element" and kind in ("i2", "i4", "u4") and not self.place.pre
        count, new = self._counted("outside", array, "np.int32(0)" if narrow else "0")
        if new:
            self.function.footer.put(f"# {array}", f"{self.use('overflow')}[{index}] += {count}")
        met = f"np.int64({outside})"
        if narrow:
            self.put(f"{count} = np.int32({count} + np.int32({outside}))")
        elif self.levels.of_array(array) == "copy" and self.level == "element":
            self.put(f"{count} += {self.use('copies')} * {met}")
        else:
            self.put(f"{count} += {met}")

    def _counted(self, what: str, array: str, first: str) -> tuple[str, bool]:
        """The name of what begins so before all loops, and whether it is new."""
        new = (what, array, first) not in self.function.header.known
        return self.function.before_all(f"{what}_{array.rsplit('.', 1)[-1]}", first, what, array, first), new

    # ------------------------------------------------------------------------------------------------------- sends

    def _send(self, stmt: Send) -> None:
        """Add to an input: under its guard, or in a loop over copies, which has no branches, perhaps nothing."""
        kind = kind_of(self.program.arrays[stmt.input].type, self.program)
        value = self.expr_as(stmt.value, kind)
        if self.program.arrays[stmt.input].reduce == "max":
            value = self.cast(value, "f" if kind == "f" else "i8")
        if stmt.guard is not None and self.level == "copy":
            value = self._or_nothing(stmt, value, stmt.guard)
            self.put(self._sent(stmt, value))
            return
        sent = self._sent(stmt, value)
        if stmt.guard is None:
            self.put(sent)
            return
        guard = self.expr_as(stmt.guard, "b")
        if value.text.count("(") > 1:
            value = self.atom(value)
            sent = self._sent(stmt, value)
        self.put(Block(f"if {guard.text}:", [sent]))

    def _sent(self, stmt: Send, value: Value) -> str:
        """The line that adds a value to an input, or leaves the larger one in it."""
        target = self._target(stmt)
        if self.program.arrays[stmt.input].reduce == "sum":
            return f"{target} += {value.text}"
        larger = "real_max" if value.kind == "f" else "max"
        return f"{target} = {larger}({target}, {value.text})"

    def _or_nothing(self, stmt: Send, value: Value, guard: Expr) -> Value:
        """The value where a condition holds, otherwise what changes nothing."""
        condition = self.expr_as(guard, "b")
        value = self.atom(value)
        if self.program.arrays[stmt.input].reduce == "max":
            return Value(f"({value.text} if {condition.text} else {self.nothing(stmt.input)})", value.kind)
        nothing = self.atom(self.cast(Value("0", "lit", atom=True), value.kind))
        return Value(f"({value.text} if {condition.text} else {nothing.text})", value.kind)

    def _target(self, stmt: Send) -> str:
        """The element of an input to which is sent."""
        acc = self.use("array", stmt.input)
        if stmt.delay == "synapse" and self.place.places:
            return self.in_ring(acc)
        if stmt.delay == "synapse" and self.place.dendritic:
            return f"{acc}[(t + {self.dendritic()}) & {self.mask(acc)}, {self.index(stmt.input, stmt.to)}]"
        return f"{self.current(acc)}[{self.index(stmt.input, stmt.to)}]"


def _wrapped(value: Value, lo: int, span: int) -> Value:
    """The value in lo .. lo + span - 1 that differs from it by a multiple of the span."""
    if span >= 2**64:
        return value
    if span & (span - 1) == 0:
        return Value(f"((np.int64({value.text}) - {literal(lo)}) & {span - 1}) + {literal(lo)}", "i8")
    return Value(f"((np.int64({value.text}) % {span} - {lo % span}) % {span}) + {literal(lo)}", "i8")
