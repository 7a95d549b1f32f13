"""A body of statements as the text of a Python function on NumPy arrays, one expression per line.

A body runs over all elements of its object at once, or over a selection of synapses (`sel`, ascending). The text is
the same in both cases but for the indexing.

In a program of several copies it runs over all elements of all copies: an array of a copy's own is (elements, copies),
a shared one a column beside it, and a selection is of elements and copies (`sel`, `copy`). What an event computes
`once` is a column too.

Nothing in the text depends on the order of the elements, except that sends are added in the order of the synapses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from neuroport.backends import functions
from neuroport.backends.generated import NO_NAMES, spelled
from neuroport.copies.axis import is_own
from neuroport.program.ir import (
    Apply,
    Body,
    Bool,
    Const,
    Expr,
    Int,
    Let,
    Lookup,
    Random,
    Read,
    Real,
    Reduce,
    Round,
    Rounding,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
    Type,
    children,
)
from neuroport.program.machine import Array, Program, Projection
from neuroport.program.places import by_line
from neuroport.program.printer import expression, statement

SPELL: dict[str, str] = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "div": "np.true_divide({0}, {1})",
    "neg": "np.negative({0})",
    "abs": "np.abs({0})",
    "min": "np.minimum({0}, {1})",
    "max": "np.maximum({0}, {1})",
    "clip": "clip({0}, {1}, {2})",
    "lt": "{0} < {1}",
    "le": "{0} <= {1}",
    "gt": "{0} > {1}",
    "ge": "{0} >= {1}",
    "eq": "{0} == {1}",
    "ne": "{0} != {1}",
    "and": "np.logical_and({0}, {1})",
    "or": "np.logical_or({0}, {1})",
    "not": "np.logical_not({0})",
    "select": "np.where({0}, {1}, {2})",
    "floordiv": "floordiv({0}, {1})",
    "mod": "mod({0}, {1})",
    "trunc_div": "trunc_div({0}, {1})",
    "round_div": "round_div({0}, {1})",
    "shl": "{0} << {1}",
    "shr": "{0} >> {1}",
    "bit_length": "bit_length({0})",
    "wrap": "wrap({0}, {1})",
    "sqrt": "np.sqrt({0})",
    "floor": "np.floor({0})",
    **{fn: f"real_{fn}({{0}})" for fn in functions.NAMES},
    "to_real": "to_real({0})",
    "to_int": "to_int({0})",
}
"""How each function of a program is written, on the texts of its arguments."""


class Identifiers:
    """Python identifiers for what a program names, each thing its own and none of those of `outer`.

    Identifiers that start with RESERVED are given by `outer` as they are needed, so nothing else gets one.
    """

    RESERVED = ("draws_", "real_")

    def __init__(self, outer: Identifiers | None = None) -> None:
        self._outer = outer
        self._given: dict[tuple[str, str], str] = {}
        self._used = {text.partition("(")[0] for text in SPELL.values()} | {
            "np",
            "t",
            "sel",
            "copy",
            "pre",
            "post",
            "n",
            "spiked",
            "check_bounds",
        }
        self._used |= {"saturate", "wrap_into", "refuse", "sum_over_copies", "spread", "reduced", *get_args(Rounding)}

    def __call__(self, sort: str, name: str, stem: str = "") -> str:
        """The identifier of the thing of this sort and name, made from `stem` if that is given."""
        key = (sort, name)
        if key not in self._given:
            stem = re.sub(r"\W", "_", stem or name, flags=re.ASCII)
            if not stem or stem[0].isdigit() or stem in NO_NAMES or stem.startswith(self.RESERVED):
                stem = f"_{stem}"
            stem = f"draws_{stem}" if sort == "stream" else f"real_{stem}" if sort == "constant" else stem
            text, k = stem, 2
            while text in self._used or (self._outer is not None and text in self._outer._used):
                text, k = f"{stem}_{k}", k + 1
            self._used.add(text)
            self._given[key] = text
        return self._given[key]


@dataclass(frozen=True)
class Site:
    """Where a body runs: over the `size` elements of a population or projection, all of them or a selection.

    `once`: computed once for all copies. `late`: it runs at the end of a step, which is the last one for it. `kernel`:
    over the entries of a projection's kernel.
    """

    owner: str
    size: int
    projection: Projection | None
    selected: bool
    names: Identifiers
    block: Literal["step", "event"] = "step"
    once: bool = False
    late: bool = False
    kernel: bool = False


@dataclass
class Written:
    """A body as text, the random streams and the real constants that it names.

    Streams: (stream, part, real, of each copy, of entries of a kernel).
    """

    text: str
    streams: dict[str, tuple[int, int | None, bool, bool, bool]] = field(default_factory=dict)
    constants: dict[str, float] = field(default_factory=dict)


def write(
    function: str, body: Body, place: Site, program: Program, checked: bool, result: Expr | None = None
) -> Written:
    """The text of `function`, which runs the body at step t and returns the neurons that spiked.

    With `result`, the function returns that expression's value, over all elements, instead.
    """
    return _Writer(place, program, checked).write(function, body, result)


class _Writer:
    def __init__(self, place: Site, program: Program, checked: bool) -> None:
        self.place, self.program, self.checked = place, program, checked
        self.lines: list[str] = []
        self.done = Written("")
        self.locals = Identifiers(place.names)
        self.gathered: dict[Read, str] = {}
        self.vectors: set[str] = set()
        self.stored: set[str] = set()
        self.batched = program.copies > 1
        self.each = not place.once
        """Whether what is being written is computed by each copy."""
        self.own_lets: set[str] = set()
        self.inside = False
        """Whether what is being written is of every synapse, in a body over the entries of a kernel."""
        self.stmt: Stmt | None = None
        self.comments: dict[int, str] = {}
        """By the number of the line above which it stands."""

    # ------------------------------------------------------------------------------------------------ the function

    def write(self, function: str, body: Body, result: Expr | None) -> Written:
        self.stored = {s.array for s in body if isinstance(s, Store)}
        answer = "None"
        for line, group in by_line(body):
            if line:
                self.comments[len(self.lines)] = line
            for stmt in group:
                self.statement(stmt)
                answer = "spiked" if isinstance(stmt, Spike) else answer
        if result is not None:
            answer = self.full(result)
        used = set(re.findall(r"\b(?:n|pre|post)\b", "\n".join([*self.lines, answer])))
        head = ["n = sel.size"] if self.place.selected and "n" in used else []
        if self.place.projection is not None:
            head += [f"{side} = {self.synapses(side)}" for side in ("pre", "post") if side in used]
        arguments = "t" if not self.place.selected else "t, sel, copy" if self.batched else "t, sel"
        lines = [f"def {function}({arguments}):", *(f"    {line}" for line in [*head, *self.commented()])]
        self.done.text = "\n".join([*lines, f"    return {answer}", ""])
        return self.done

    def statement(self, stmt: Stmt) -> None:
        self.stmt = stmt
        match stmt:
            case Let(name, value):
                if each := self.each or self.reads_own(value):
                    self.own_lets.add(name)
                text = self.in_context(each, value)
                if isinstance(value, Read) and value.array in self.stored and self.is_live(value):
                    text = f"{text}.copy()"
                self.lines.append(f"{self.locals('let', name)} = {text}")
                if self.is_vector(value):
                    self.vectors.add(name)
            case Store():
                self.store(stmt)
            case Send():
                self.send(stmt)
            case Spike(condition):
                self.lines.append(f"spiked = np.flatnonzero({self.full(condition)})")

    def commented(self) -> Iterator[str]:
        """The lines, with comments above what came from one line of a model's text."""
        for number, line in enumerate(self.lines):
            if number in self.comments:
                yield f"# {self.comments[number]}"
            yield line

    def name(self, line: str, comment: str = "") -> str:
        """Give the value of a line a name of its own."""
        text = self.locals("value", f"v{len(self.lines)}")
        self.lines.append(f"{text} = {line}{f'  # {comment}' if comment else ''}")
        return text

    def synapses(self, what: str) -> str:
        """The text of a constant of every synapse: pre, post, dendritic, entry, twin."""
        constant = self.place.names("index", f"{self.place.owner}.{what}")
        return f"{constant}[sel]" if self.place.selected else constant

    @property
    def n(self) -> str:
        """How many elements the body runs over."""
        return "n" if self.place.selected else str(self.place.size)

    def shape(self, own: bool) -> str:
        """The shape of all values of an array of a copy's own, or of a shared one."""
        if not self.batched or self.place.selected:
            return self.n
        return f"({self.place.size}, {self.program.copies if own else 1})"

    def is_own(self, array: str) -> bool:
        """Whether each of several copies has the array for itself."""
        return self.batched and is_own(self.program.arrays[array])

    def reads_own(self, expr: Expr) -> bool:
        """Whether an expression, outside Sum, reads what each copy has of its own."""
        match expr:
            case Read():
                return self.is_own(expr.array)
            case Temp():
                return expr.name in self.own_lets
            case Sum():
                return False
            case _:
                return any(self.reads_own(part) for part in children(expr))

    # ------------------------------------------------------------------------------------------------- expressions

    def is_vector(self, expr: Expr) -> bool:
        """Whether the value has one number per element (otherwise one for all)."""
        match expr:
            case Const():
                return False
            case Read():
                own = self.is_own(expr.array)
                return expr.at not in ("scalar", "single") or (own and (self.place.selected or expr.at == "single"))
            case Temp():
                return expr.name in self.vectors
            case Random() | Sum() | Reduce():
                return True
            case Apply():
                return any(self.is_vector(a) for a in expr.args)
            case Round():
                return expr.mode == "stochastic" or self.is_vector(expr.x)
            case Lookup():
                return self.is_vector(expr.index)

    def is_live(self, read: Read) -> bool:
        """Whether the text of a read is the array itself and would change with it."""
        return read.at == "own" and not self.place.selected and not self.of_entry(read)

    def of_entry(self, read: Read) -> bool:
        """Whether a synapse reads what all of its kernel's entry share."""
        return read.at == "own" and self.program.arrays[read.array].at == "kernel" and not self.place.kernel

    def full(self, expr: Expr) -> str:
        """The text of an expression's value with one number per element."""
        text = self.expression(expr)
        if self.batched and not self.place.selected:
            return self.name(f"np.broadcast_to({text}, {self.shape(True)})")
        return text if self.is_vector(expr) else f"np.full({self.n}, {text})"

    def in_context(self, each: bool, expr: Expr) -> str:
        """The text of an expression that each copy computes, or that is computed once."""
        before, self.each = self.each, each
        text = self.expression(expr)
        self.each = before
        return text

    def expression(self, expr: Expr) -> str:
        """The name (or literal) of an expression's value, after the lines that calculate it."""
        text = self.calculated(expr)
        if self.checked and not isinstance(expr, Const):
            self.check(text, expr.type, expression(expr))
        return text

    def check(self, text: str, type_: Type, what: str) -> None:
        """Write a line that checks a value against the bounds of its type."""
        if self.program.integer and isinstance(type_, Int):
            line = "" if self.stmt is None else f", `{statement(self.stmt)}`"
            owner = "projection" if self.place.projection is not None else "population"
            where = f"{owner} {self.place.owner}{line}"
            self.lines.append(f"check_bounds({text}, {type_.lo}, {type_.hi}, {where!r}, t, {what!r})")

    def calculated(self, expr: Expr) -> str:
        match expr:
            case Const():
                return self.constant(expr)
            case Temp() if self.inside and expr.name in self.vectors:
                return self.name(f"{self.locals('let', expr.name)}[{self.synapses('entry')}]")
            case Temp():
                return self.locals("let", expr.name)
            case Read():
                return self.read(expr)
            case Apply():
                return self.name(self.apply(expr), str(expr.type))
            case Round():
                return self.name(self.round(expr), str(expr.type))
            case Lookup():
                table = self.place.names("table", expr.table)
                index = self.expression(expr.index)
                if self.checked:
                    last = len(self.program.tables[expr.table]) - 1
                    self.check(index, Int(0, last), expression(expr.index))
                return self.name(f"{table}[{index}]", str(expr.type))
            case Random():
                return self.random(expr.stream, expr.part, isinstance(expr.type, Real))
            case Sum():
                return self.name(self.sum(expr), str(expr.type))
            case Reduce():
                return self.name(self.reduced(expr), str(expr.type))

    def constant(self, const: Const) -> str:
        match const.type:
            case Bool():
                return repr(bool(const.value))
            case Int():
                return repr(int(const.value))
            case Real():
                value = float(const.value)
                if self.program.precision == "float64" and math.isfinite(value):
                    return f"({value!r})" if value < 0 else repr(value)
                name = self.place.names("constant", repr(value))
                self.done.constants[name] = value
                return name

    def read(self, read: Read) -> str:
        if read in self.gathered:
            return self.gathered[read]
        text = self.place.names("array", read.array)
        array = self.program.arrays[read.array]
        if read.lag == "synapse":
            index = self.index("pre" if read.at == "pre" else "post", read.array)
            ring = self.place.names("history", read.array, f"{read.array}.past")
            slot = f"(t - 1 - {self.synapses('dendritic')}) % {array.history}"
            text = self.name(f"{ring}[{slot}, {index}]{self.column(read.array)}", read.array)
        else:
            if read.lag:
                back = f"t - {read.lag}" if self.place.late else f"t - 1 - {read.lag}"
                text = f"{self.place.names('history', read.array)}[({back}) % {array.history}]"
            elif array.role == "input":
                text = f"{text}[t % {array.slots}]"
            match read.at:
                case "scalar" if self.place.selected and self.is_own(read.array):
                    text = self.name(f"{text}[copy]", read.array)
                case "scalar":
                    text = self.name(f"{text}[()]", read.array)
                case "pre" | "post":
                    text = self.name(f"{text}[{self.index(read.at, read.array)}]{self.column(read.array)}", read.array)
                case "twin" if self.inside:
                    twin = f"{self.synapses('twin')}[{self.synapses('entry')}]"
                    text = self.name(f"{text}[{twin}]{self.column(read.array)}", read.array)
                case "twin":
                    text = self.name(f"{text}[{self.synapses('twin')}]{self.column(read.array)}", read.array)
                case "single":
                    copy = ", copy" if self.place.selected and self.is_own(read.array) else ""
                    text = self.name(f"{text}[0{copy}]", read.array)
                case "own" if self.of_entry(read):
                    index = self.index(self.synapses("entry"), read.array)
                    text = self.name(f"{text}[{index}]{self.column(read.array)}", read.array)
                case "own" if self.place.selected:
                    text = self.name(f"{text}[{self.index('sel', read.array)}]", read.array)
                case "own":
                    return f"{text}{self.column(read.array)}"
        self.gathered[read] = text
        return text

    def index(self, elements: str, array: str) -> str:
        """The index of these elements of an array: a selection is of elements and copies."""
        return f"{elements}, copy" if self.place.selected and self.is_own(array) else elements

    def column(self, array: str) -> str:
        """What makes the values of a shared array a column beside those of the copies."""
        return "" if not self.batched or self.place.selected or self.is_own(array) else "[:, None]"

    def sum(self, expr: Sum) -> str:
        if not self.batched or self.place.selected:
            raise ValueError("a program sums over copies where there are none")
        x = self.in_context(True, expr.x)
        return f"sum_over_copies(np.broadcast_to({x}, {self.shape(True)}))[:, None]"

    def reduced(self, expr: Reduce) -> str:
        groups = self.place.names("groups", f"{self.place.owner}.{expr.axis}")
        if self.place.kernel:
            return f"reduced({expr.op!r}, {self.of_synapses(expr)}, {groups})"
        return f"spread({expr.op!r}, {self.terms(expr)}, {groups})"

    def terms(self, expr: Reduce) -> str:
        """What is reduced, of every element."""
        x = self.expression(expr.x)
        x = f"to_real({x})" if isinstance(expr.type, Real) else x
        return f"np.broadcast_to({x}, {self.shape(self.each or self.reads_own(expr.x))})"

    def of_synapses(self, expr: Reduce) -> str:
        """What is reduced in a body over the entries of a kernel: a value of every synapse."""
        entries, gathered = self.place, self.gathered
        assert entries.projection is not None
        self.place, self.gathered = replace(entries, kernel=False, size=entries.projection.synapses), {}
        self.inside = True
        text = self.name(self.terms(expr))
        self.place, self.gathered, self.inside = entries, gathered, False
        return text

    def apply(self, expr: Apply) -> str:
        texts = [self.expression(a) for a in expr.args]
        real = isinstance(expr.type, Real) or any(isinstance(a.type, Real) for a in expr.args)
        if real and expr.fn != "to_real":  # an integer among real numbers becomes one of them
            texts = [f"to_real({x})" if isinstance(a.type, Int) else x for x, a in zip(texts, expr.args, strict=True)]
        return spelled(SPELL, expr.fn, "reference").format(*texts)

    def round(self, expr: Round) -> str:
        arguments = [self.expression(expr.x), str(expr.shift)]
        if expr.mode == "stochastic":
            arguments.append(self.random(expr.stream, None, False))
        return f"{expr.mode}({', '.join(arguments)})"

    def random(self, stream: int, part: int | None, real: bool) -> str:
        each = self.batched and self.each
        key = f"{self.place.owner}.{stream}.{part}.{self.place.block}.{real}.{each}.{self.place.kernel}"
        name = self.place.names("stream", key, self.place.owner)
        self.done.streams[name] = (stream, part, real, each, self.place.kernel)
        selection = "sel, copy" if self.batched else "sel"
        return self.name(f"{name}.some(t, {selection})" if self.place.selected else f"{name}.all(t)", "draw")

    # -------------------------------------------------------------------------------------------------- statements

    def store(self, store: Store) -> None:
        array = self.program.arrays[store.array]
        target = self.place.names("array", store.array)
        if array.role == "input":
            target = f"{target}[t % {array.slots}]"
        own = self.is_own(store.array)
        value = self.expression(store.value)
        guard = None if store.guard is None else self.expression(store.guard)
        if store.overflow != "none":
            what = {"saturate": "saturate", "wrap": "wrap_into", "error": "refuse"}[store.overflow]
            value = self.name(f"{what}({value}, {store.lo}, {store.hi}, {store.array!r}, {guard}, {self.shape(own)})")
        if self.checked and guard is None:
            self.check(value, array.type, store.array)
        if not self.place.selected:
            where = "" if guard is None else f", where={guard}"
            self.lines.append(f"np.copyto({target}{self.column(store.array)}, {value}{where})")
        else:
            selected = f"{target}[{self.index('sel', store.array)}]"
            self.lines.append(f"{selected} = {value if guard is None else f'np.where({guard}, {value}, {selected})'}")
        for read in [r for r in self.gathered if r.array == store.array and not r.lag]:
            del self.gathered[read]

    def send(self, send: Send) -> None:
        target = self.place.names("array", send.input)
        slots = self.program.arrays[send.input].slots
        cells: list[str] = [send.to]
        value = self.full(send.value)
        late = send.delay == "synapse" and slots > 1
        if late:
            cells.insert(0, self.name(f"(t + {self.synapses('dendritic')}) % {slots}", "slot"))
        if self.batched and self.place.selected:
            cells.append("copy")
        if send.guard is not None:
            guard = self.full(send.guard)
            if self.batched and not self.place.selected:
                hit = self.name(f"np.nonzero({guard})")
                cells = [*(f"{cell}[{hit}[0]]" for cell in cells), f"{hit}[1]"]
            else:
                hit = self.name(f"np.flatnonzero({guard})")
                cells = [f"{cell}[{hit}]" for cell in cells]
            value = f"{value}[{hit}]"
        where = cells[0] if len(cells) == 1 else f"({', '.join(cells)})"
        taken = "add" if self.program.arrays[send.input].reduce == "sum" else "maximum"
        self.lines.append(f"np.{taken}.at({target}{'' if late else f'[t % {slots}]'}, {where}, {value})")


def namespace(program: Program, constants: dict[str, float]) -> dict[str, Any]:
    """The constants of a text, in the program's precision."""
    precision = np.float32 if program.precision == "float32" else np.float64
    return {name: precision(value) for name, value in constants.items()}


def initial(array: Array, program: Program) -> np.ndarray[Any, np.dtype[Any]]:
    """A fresh copy of an array's initial values, in the program's precision."""
    real = "float64" if array.wide else program.precision
    dtype: Any = real if array.initial.dtype.kind == "f" else np.int64
    return np.array(array.initial, dtype=dtype)
