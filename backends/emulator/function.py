"""A function of a generated module while it is written, and what a call of it needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from neuroport.backends.emulator.layout import Argument
from neuroport.backends.emulator.lines import Line, Section, printed
from neuroport.backends.generated import Identifiers, Value, uncommented

NUMBERS = (
    *("scalar", "size", "delay", "hold", "loop", "every", "record_every", "start", "frames", "first", "copies"),
    *("width", "run_width", "entry_step", "entries", "first_entry", "first_column"),
)
"""Kinds of arguments that are single numbers: entry points load them from `ints` and `reals`."""
NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
INDICES = ("stream", "counter")
"""Kinds of arguments that are literal indices into `keys` and `overflow`."""


@dataclass(slots=True)
class Function:
    """A function being written: the arguments it turned out to need, and what stands before and after its loops.

    index_of(kind, of): the number of a random stream, or of an array whose values outside its range are counted.
    load: how a function that Python calls, which gets no numbers but arrays of them, writes a number.
    """

    names: Identifiers
    identifier: Callable[[str, str], str]
    index_of: Callable[[str, int | str], int]
    load: Callable[[Argument], str] | None = None
    arguments: dict[Argument, None] = field(default_factory=dict)
    header: Section = field(default_factory=Section)
    footer: Section = field(default_factory=Section)
    may_fail: bool = False

    def use(self, kind: str, name: str = "") -> str:
        """The identifier of an argument, which the function gets if it has not got it yet."""
        argument = Argument(kind, name, self.identifier(kind, name))
        if self.load is not None and kind in NUMBERS:
            return self.load(argument)
        self.arguments[argument] = None
        return argument.ident

    def index(self, kind: str, of: int | str) -> str:
        """The identifier of a literal index, an argument so that the function may serve several objects."""
        number = str(self.index_of(kind, of))
        argument = Argument(kind, number, self.names(kind, kind, number))
        self.arguments[argument] = None
        return argument.ident

    def named(self, section: Section, wanted: str, text: str, *key: str) -> str:
        """The name of a whole number that a section computes once, before what uses it."""
        if key not in section.known:
            section.known[key] = Value(self.names(wanted, *key), "i8", atom=True)
            section.load(f"{section.known[key].text} = {text}", index=True)
        return section.known[key].text

    def before_all(self, wanted: str, text: str, *key: str) -> str:
        """The name of what is computed once before all loops."""
        return self.named(self.header, wanted, text, *key)

    def signature(self) -> str:
        """The names of its arguments."""
        return ", ".join(["t", "item_step", *(argument.ident for argument in self.arguments)])

    def shape(self, lines: list[str]) -> str:
        """Its text with its own names replaced by numbers in the order in which they appear."""
        own = {*self.names.taken, *(argument.ident for argument in self.arguments)}
        numbers: dict[str, str] = {}

        def numbered(match: re.Match[str]) -> str:
            word = match.group()
            return numbers.setdefault(word, f"_{len(numbers)}") if word in own else word

        return NAME.sub(numbered, uncommented("\n".join([self.signature(), *lines]), "#"))

    def around(self, *loops: Line) -> list[Line]:
        """All its lines."""
        return [*self.header.lines, *loops, *self.footer.lines]


@dataclass(frozen=True, slots=True)
class Helper:
    """A written function and what a call of it needs."""

    ident: str
    arguments: tuple[Argument, ...]
    may_fail: bool

    def call(self, caller: Function) -> str:
        """The text of a call; the caller gets what it has to pass on."""
        given = (a.name if a.kind in INDICES else caller.use(a.kind, a.name) for a in self.arguments)
        return f"{self.ident}({', '.join(['t', 'item_step', *given])})"


@dataclass(slots=True)
class Definition:
    """A function of a module; docs: what it is for, of every object that it serves."""

    ident: str
    signature: str
    lines: list[str]
    docs: dict[str, None] = field(default_factory=dict)

    def text(self) -> str:
        """The text of the function."""
        doc, *others = self.docs
        comments = [f"# Also: {other}" for other in others]
        return "\n".join([*comments, *self._head(), *printed([f'"""{doc}"""'], 1), *self.lines])

    def _head(self) -> list[str]:
        """The first line, cut when it is long."""
        line = f"def {self.ident}({self.signature}):"
        if len(line) <= 110:
            return [line]
        rows, row = [f"def {self.ident}("], "   "
        for item in self.signature.split(", "):
            if len(row) + len(item) > 105:
                rows.append(row)
                row = "   "
            row += f" {item},"
        return [*rows, row, "):"]
