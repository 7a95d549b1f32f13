"""YAML text as nodes that know where they stand.

Scalars follow YAML 1.2: 1e-5 is a number, only true and false are booleans, `on` and `no` are texts. Keys that appear
twice, tags, several documents, cyclic aliases, too deep nesting and text that is no YAML are problems with a place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import yaml
from numpy.typing import NDArray

from neuroport.disk.paths import MISSING, reason, unreadable
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.numerics import units

MAX_DEPTH = 60
MAX_NODES = 5_000_000
MAX_BYTES = 2**28

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""What reads YAML: libyaml where it is there."""
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | float | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_WORDS |= {sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)


@dataclass(slots=True)
class Node:
    """A piece of a YAML file. Line and column count from 1; 0 means not in a file."""

    file: str
    line: int
    column: int

    @property
    def place(self) -> Place:
        """Where it starts."""
        return Place(self.file, self.line, self.column)


@dataclass(slots=True)
class ScalarNode(Node):
    """One value: `value` as YAML 1.2 understands it, `text` as it was written."""

    value: bool | int | float | str | None
    text: str
    style: str = ""
    text_line: int = 0
    text_column: int = 0

    @property
    def text_place(self) -> Place:
        """Where the first character of the text stands (for a block scalar: in its first line)."""
        return Place(self.file, self.text_line or self.line, self.text_column or self.column)


@dataclass(slots=True)
class ListNode(Node):
    """A list. Its items are `Numbers` where it is an array that was never a text."""

    items: Sequence[Node] = field(default_factory=list)


@dataclass(slots=True)
class MapNode(Node):
    """Keys with their own place, and values, in file order."""

    entries: dict[str, tuple[Node, Node]] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def values(self) -> Iterator[tuple[str, Node, Node]]:
        """(key, node of the key, value) in file order."""
        for key, (at, value) in self.entries.items():
            yield key, at, value


class Numbers(Sequence[Node]):
    """The items of an array of float64 or int64, of one dimension or more: nodes are made of those that are asked for.

    All of them stand at one place.
    """

    def __init__(self, array: NDArray[Any], place: Place) -> None:
        self.array, self.place = array, place

    def __len__(self) -> int:
        return len(self.array)

    @overload
    def __getitem__(self, index: int) -> Node: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Node]: ...
    def __getitem__(self, index: int | slice) -> Node | Sequence[Node]:
        part, at = self.array[index], (self.place.file, self.place.line, self.place.column)
        if isinstance(index, slice):
            return Numbers(part, self.place)
        if part.ndim:
            return ListNode(*at, Numbers(part, self.place))
        return ScalarNode(*at, part.item(), repr(part.item()))


def resolve(text: str) -> bool | int | float | str | None:
    """What a plain YAML 1.2 scalar stands for; a number that would become 0 stays the text that it is."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        try:
            return units.number(text)
        except units.UnitError:
            return text
    return text


def read_bytes(path: Path, shown: str, at: Place | None = None) -> bytes:
    """The bytes of a file. Raises InvalidInput with a sentence when it cannot be read."""
    place, name = at or Place(shown), units.quoted(shown)
    wrong = unreadable(path, "a YAML file")
    if wrong == MISSING:
        raise InvalidInput.one(place, f"there is no file {name}; check the path")
    if wrong:
        raise InvalidInput.one(place, f"{name} {wrong}")
    try:
        if path.stat().st_size <= MAX_BYTES:
            return path.read_bytes()
    except OSError as error:
        raise InvalidInput.one(place, f"{name} cannot be read: {reason(error)}") from None
    text = f"{name} has more than {MAX_BYTES:,} bytes, which is too much for YAML; put large arrays into an HDF5 file"
    raise InvalidInput.one(place, text)


def parse(data: bytes | str, file: str, place: Place | None = None) -> Node | None:
    """The root node of a YAML text, or None when there is nothing in it.

    `place`: a fixed place for every node (for a value that is not in a file). Raises InvalidInput with all problems.
    """
    text = _whole(data, file, place) if isinstance(data, str) else _decode(data, file)
    try:
        builder = _Builder(file, text, place)
        for event in yaml.parse(text, Loader=LOADER):
            builder.add(event)
    except yaml.YAMLError as error:
        raise InvalidInput.one(
            place or _error_place(error, file), f"this is not YAML: {_reason(error)}{_advice(error, text)}"
        ) from None
    except RecursionError:
        raise InvalidInput.one(Place(file), "this is not YAML: nested too deeply") from None
    if builder.problems:
        raise InvalidInput(builder.problems)
    return builder.root


def _whole(text: str, file: str, place: Place | None) -> str:
    """A text, if it has whole characters only."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line, column = text.count("\n", 0, error.start) + 1, error.start - text.rfind("\n", 0, error.start)
        what = f"{text[error.start]!r} is half a character, which no text can hold; leave it out"
        raise InvalidInput.one(place or Place(file, line, column), what) from None
    return text


def _decode(data: bytes, file: str) -> str:
    if b"\0" in data:
        kind = "an HDF5 file" if data.startswith(b"\x89HDF") else "a binary file"
        raise InvalidInput.one(Place(file), f"this is {kind}, not YAML text; give a network or model file (.yaml)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        text = f"byte 0x{data[error.start]:02x} is not UTF-8 text; save the file as UTF-8"
        raise InvalidInput.one(Place(file, line, column), text) from None


def _error_place(error: yaml.YAMLError, file: str) -> Place:
    mark = getattr(error, "problem_mark", None)
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)


PART = re.compile(r"([A-Za-z_][\w.]*)\[$")
"""A name at whose end brackets begin."""


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return "it contains a control character that text must not have"
    problem = getattr(error, "problem", None)
    context = getattr(error, "context", None)
    return " ".join(part for part in (problem, context) if part) or "it cannot be parsed"


def _advice(error: yaml.YAMLError, text: str) -> str:
    """What to do about a part of a population that ends a text inside { } or [ ]; "" for what else is wrong."""
    mark = getattr(error, "problem_mark", None)
    before = "" if mark is None else "".join(text.split("\n")[mark.line : mark.line + 1])[: mark.column + 1]
    name = PART.search(before)
    return f'; inside of {{ }} and [ ] write names with brackets in quotes: "{name[1]}[…]"' if name else ""


class _Stop(yaml.YAMLError):
    """Reading on makes no sense; carries a problem like the parser's own errors."""

    def __init__(self, problem: str, mark: Any) -> None:
        super().__init__(problem)
        self.problem = problem
        self.problem_mark = mark


class _Builder:
    """Turns parser events into nodes."""

    def __init__(self, file: str, text: str, place: Place | None) -> None:
        self.file = place.file if place else file
        self.fixed = place
        self.lines = re.split("\r\n|\n|\r|\x85|\u2028|\u2029", text)
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.documents = 0
        self.open: list[tuple[Node, str | None, int]] = []  # container, anchor, node count before it
        self.keys: list[Node | None] = []
        self.anchors: dict[str, tuple[Node | None, int]] = {}
        self.count = 0

    def add(self, event: Any) -> None:
        """Take the next event."""
        if isinstance(event, yaml.ScalarEvent):
            self.complete(self.scalar(event), event.anchor, 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            self.tag(event)
            if len(self.open) >= MAX_DEPTH:
                raise _Stop(f"nested more than {MAX_DEPTH} levels deep", event.start_mark)
            kind = MapNode if isinstance(event, yaml.MappingStartEvent) else ListNode
            self.open.append((kind(*self.position(event.start_mark)), event.anchor, self.count))
            self.keys.append(None)
            if event.anchor:
                self.anchors[event.anchor] = (None, 0)
        elif isinstance(event, yaml.CollectionEndEvent):
            node, anchor, before = self.open.pop()
            self.keys.pop()
            size = self.count - before + 1
            self.count = before
            self.complete(node, anchor, size)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise _Stop(f"there is no anchor '&{event.anchor}' before this alias", event.start_mark)
            node_or_none, size = self.anchors[event.anchor]
            if node_or_none is None:
                raise _Stop(f"the alias '*{event.anchor}' contains itself", event.start_mark)
            self.complete(node_or_none, None, size)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _Stop("a second document starts here; one file holds one", event.start_mark)

    def complete(self, node: Node, anchor: str | None, size: int) -> None:
        """A node is finished: give it to its container."""
        self.count += size
        if self.count > MAX_NODES:
            raise _Stop(f"more than {MAX_NODES} values; put large arrays into an HDF5 file", None)
        if anchor:
            self.anchors[anchor] = (node, size)
        if not self.open:
            self.root = None if isinstance(node, ScalarNode) and node.value is None else node
            return
        container = self.open[-1][0]
        if isinstance(container, ListNode):
            assert isinstance(container.items, list)
            container.items.append(node)
        elif isinstance(container, MapNode):
            key = self.keys[-1]
            if key is None:
                self.keys[-1] = node
                return
            self.keys[-1] = None
            self.entry(container, key, node)

    def entry(self, mapping: MapNode, key: Node, value: Node) -> None:
        """Put a pair into a mapping."""
        if not isinstance(key, ScalarNode):
            self.problems.append(Problem(key.place, "a key must be a name; found a list or mapping"))
            return
        if key.text in mapping.entries:
            first = mapping.entries[key.text][0]
            where = f"line {first.line}, column {first.column}" if first.line else "the same value"
            text = f"the key {units.quoted(key.text)} was given before, at {where}; keep one of the two"
            self.problems.append(Problem(key.place, text))
            return
        mapping.entries[key.text] = (key, value)

    def scalar(self, event: Any) -> ScalarNode:
        """The node of a scalar event."""
        self.tag(event)
        value = resolve(event.value) if event.implicit[0] and not event.style else event.value
        style = event.style or ""
        file, line, column = self.position(event.start_mark)
        node = ScalarNode(file, line, column, value, event.value, style)
        if line and style in ("'", '"'):
            node.text_line, node.text_column = line, column + 1
        elif line and style in ("|", ">"):
            node.text_line, node.text_column = self.block_start(event.start_mark.line + 1)
        return node

    def block_start(self, row: int) -> tuple[int, int]:
        """Line and column of the first line of a block scalar that has text."""
        for number in range(row, len(self.lines)):
            line = self.lines[number]
            if line.strip():
                return number + 1, len(line) - len(line.lstrip(" ")) + 1
        return row, 1

    def tag(self, event: Any) -> None:
        """Refuse tags: they mean nothing here."""
        if event.tag and event.tag != "!":
            place = Place(*self.position(event.start_mark))
            self.problems.append(Problem(place, f"the tag {units.quoted(event.tag)} means nothing here; leave it out"))

    def position(self, mark: Any) -> tuple[str, int, int]:
        """File, line and column of a parser mark."""
        if self.fixed:
            return self.file, self.fixed.line, self.fixed.column
        return self.file, mark.line + 1, mark.column + 1
