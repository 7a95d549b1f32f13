"""Changes to the text of a YAML file that leave everything else in it as it stands: comments, layout, line ends.

A change is a nested mapping that leads from the root by keys to `Ends`, the two numbers of a list. Keys that are not
there are added, in the style of the mapping that they come into. What an alias stands for is changed for one of its
uses only: the others are written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from neuroport.yaml import text as emit
from neuroport.yaml.nodes import LOADER, ListNode, MapNode, Node, ScalarNode


@dataclass(frozen=True, slots=True)
class Ends:
    """The two numbers that a list is to hold, as texts; `changed`: which of them differ from what is there, if any."""

    low: str
    high: str
    changed: tuple[bool, bool] = (True, True)

    @property
    def texts(self) -> tuple[str, str]:
        """Both."""
        return self.low, self.high


Changes: TypeAlias = "Mapping[str, Changes | Ends]"
Change: TypeAlias = "Changes | Ends | str"
Path: TypeAlias = "tuple[str | int, ...]"
_NOTHING: Changes = {}
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_SAFE = re.compile(r"[^\s,\[\]{}#&*!|>'\"%@`:?-][^,\[\]{}#:\r\n]*|-?[0-9.][^,\[\]{}#:\r\n]*")


@dataclass(slots=True)
class _Piece:
    """A node in the text: where it starts and ends, as what it is written, and the way to it from the root.

    `alias`: what it stands for, where it is an alias.
    """

    kind: str
    path: Path
    start: int
    end: int = 0
    flow: bool = True
    text: str = ""
    style: str = ""
    entries: dict[str, tuple[_Piece, _Piece]] = field(default_factory=dict)
    items: list[_Piece] = field(default_factory=list)
    alias: _Piece | None = None


def changed(text: str, changes: Changes) -> str:
    """The text with these changes made. The text must be legal YAML without tags whose root is a mapping."""
    pieces = _Pieces(text)
    root = pieces.root()
    edits = [*_aliases(pieces.uses, changes), *_Editor(text).mapping(root, changes)]
    for start, end, new in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        text = text[:start] + new + text[end:]
    return text


def plain(node: Node | None, changes: Change = _NOTHING) -> Any:
    """What a node holds, as nested dicts and lists of the texts of scalars, with changes made."""
    match node:
        case MapNode():
            nested = changes if isinstance(changes, Mapping) else _NOTHING
            held = {key: plain(value, nested.get(key, _NOTHING)) for key, _, value in node.values()}
            return held | {key: _new(change) for key, change in nested.items() if key not in held}
        case ListNode() if isinstance(changes, Ends):
            old = [plain(item) for item in node.items]
            both = zip(old, changes.texts, changes.changed, strict=True)
            return [new if differs else text for text, new, differs in both]
        case ListNode():
            return [plain(item) for item in node.items]
        case ScalarNode(value=None):
            return _new(changes) if changes else None
        case ScalarNode():
            return node.text
        case _:
            return None


def _new(change: Change) -> Any:
    if isinstance(change, Ends):
        return list(change.texts)
    return {key: _new(inner) for key, inner in change.items()} if isinstance(change, Mapping) else change


# ------------------------------------------------------------------------------------------------------------ pieces


class _Pieces:
    """Reads a text into pieces. `uses`: every alias in it, in order."""

    def __init__(self, text: str) -> None:
        self.uses: list[_Piece] = []
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=LOADER))
        self._anchors: dict[str, _Piece] = {}
        self._text = text

    def root(self) -> _Piece:
        """The piece of the whole document."""
        return self._piece(next(e for e in self._events if isinstance(e, yaml.NodeEvent)), ())

    def _piece(self, event: Any, path: Path) -> _Piece:
        piece = _Piece("scalar", path, event.start_mark.index, event.end_mark.index)
        if isinstance(event, yaml.AliasEvent):
            piece.kind, piece.alias = "alias", self._anchors[str(event.anchor)]
            self.uses.append(piece)
            return piece
        if event.anchor:
            self._anchors[event.anchor] = piece
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(piece, event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._mapping(piece, event, path)
        else:
            self._list(piece, event, path)
        return piece

    def _scalar(self, piece: _Piece, event: Any) -> None:
        piece.text, piece.style = event.value, event.style or ""
        if event.anchor:
            piece.start = self._after_anchor(piece)
        if piece.style in ("|", ">"):
            piece.end = piece.start + len(self._text[piece.start : piece.end].rstrip())

    def _after_anchor(self, piece: _Piece) -> int:
        found = re.match(r"&\S+\s*", self._text[piece.start : piece.end])
        return piece.start + (found.end() if found else 0)

    def _mapping(self, piece: _Piece, event: Any, path: Path) -> None:
        piece.kind, piece.flow = "mapping", bool(event.flow_style)
        while not isinstance(first := next(self._events), yaml.MappingEndEvent):
            key = self._piece(first, path)
            name = (key.alias or key).text
            value = self._piece(next(self._events), (*path, name))
            if value.kind == "scalar" and value.start == value.end:
                value.start = value.end = self._after_colon(key)
            piece.entries[name] = key, value
        self._closed(piece, first, [value for _, value in piece.entries.values()])

    def _after_colon(self, key: _Piece) -> int:
        """Where the value of a key that has none would stand."""
        found = re.compile(r"\s*:").match(self._text, key.end)
        return found.end() if found else key.end

    def _list(self, piece: _Piece, event: Any, path: Path) -> None:
        piece.kind, piece.flow = "list", bool(event.flow_style)
        while not isinstance(first := next(self._events), yaml.SequenceEndEvent):
            piece.items.append(self._piece(first, (*path, len(piece.items))))
        self._closed(piece, first, piece.items)

    def _closed(self, piece: _Piece, event: Any, inside: list[_Piece]) -> None:
        """A block ends where the last thing in it does, not where the next one begins."""
        piece.end = event.end_mark.index if piece.flow or not inside else inside[-1].end


# ------------------------------------------------------------------------------------------------------------- edits

Edit: TypeAlias = tuple[int, int, str]
"""Start and end of a part of the text, and what comes into its place."""


def _aliases(uses: list[_Piece], changes: Changes) -> Iterator[Edit]:
    """Aliases that are to hold something else than what they stand for will: written out."""
    done: list[Path] = []
    for use in uses:
        assert use.alias is not None
        own = _at(changes, use.path)
        if own != _at(changes, use.alias.path) and not any(use.path[: len(path)] == path for path in done):
            done.append(use.path)
            yield use.start, use.end, _flow(use.alias, own)


def _at(changes: Change, path: Path) -> Change:
    """What changes at a place."""
    for step in path:
        if isinstance(changes, Ends) and isinstance(step, int):
            changes = changes.texts[step] if changes.changed[step] else _NOTHING
        else:
            changes = changes.get(str(step), _NOTHING) if isinstance(changes, Mapping) else _NOTHING
    return changes


@dataclass(frozen=True, slots=True)
class _Editor:
    """Makes changes at the places where they stand; what is an alias is left to `_aliases`."""

    text: str

    def mapping(self, piece: _Piece, changes: Changes) -> Iterator[Edit]:
        """Changes inside a mapping, and what is new in it."""
        new = {key: change for key, change in changes.items() if key not in piece.entries}
        for key, change in changes.items():
            if key in piece.entries:
                yield from self._value(piece.entries[key][1], change)
        if new:
            yield self._added(piece, [f"{emit.scalar(key)}: {written(change)}" for key, change in new.items()])

    def _value(self, piece: _Piece, change: Changes | Ends) -> Iterator[Edit]:
        if piece.alias is not None:
            return
        if isinstance(change, Ends) and len(piece.items) == 2:
            ends = zip(piece.items, change.texts, change.changed, strict=True)
            yield from ((p.start, p.end, new) for p, new, differs in ends if differs and p.alias is None)
        elif isinstance(change, Mapping) and piece.kind == "mapping":
            yield from self.mapping(piece, change)
        else:
            yield piece.start, piece.end, (" " if piece.start == piece.end else "") + written(change)

    def _added(self, piece: _Piece, entries: list[str]) -> Edit:
        """New entries after the last one of a mapping."""
        last = list(piece.entries.values())[-1:]
        if piece.flow:
            at = last[0][1].end if last else piece.end - 1
            return at, at, (", " if last else "") + ", ".join(entries)
        first = next(iter(piece.entries.values()))[0].start
        line = self.text[: self._line_start(first)]
        indent = " " * (first - len(line))
        found = _BREAK.search(self.text, last[0][1].end)
        at = len(self.text) if found is None else found.start()
        return at, at, "".join(f"{self._line_break(at)}{indent}{entry}" for entry in entries)

    def _line_start(self, at: int) -> int:
        return max((found.end() for found in _BREAK.finditer(self.text, 0, at)), default=0)

    def _line_break(self, at: int) -> str:
        """What ends the line there, or else the first line of the file."""
        found = _BREAK.match(self.text, at) or _BREAK.search(self.text)
        return found[0] if found else "\n"


def written(change: Change) -> str:
    """New text of one line."""
    if isinstance(change, Ends):
        return f"[{change.low}, {change.high}]"
    if isinstance(change, str):
        return change
    return "{" + ", ".join(f"{emit.scalar(key)}: {written(inner)}" for key, inner in change.items()) + "}"


def _flow(piece: _Piece, change: Change) -> str:
    """What a piece holds, with changes made, in one line."""
    if piece.alias is not None:
        return _flow(piece.alias, change)
    if isinstance(change, str):
        return change
    match piece.kind:
        case "mapping":
            nested = change if isinstance(change, Mapping) else _NOTHING
            parts = {key: _flow(value, nested.get(key, _NOTHING)) for key, (_, value) in piece.entries.items()}
            parts |= {key: written(inner) for key, inner in nested.items() if key not in parts}
            return "{" + ", ".join(f"{emit.scalar(key)}: {text}" for key, text in parts.items()) + "}"
        case "list":
            inner = [_at(change, (k,)) if isinstance(change, Ends) else _NOTHING for k in range(len(piece.items))]
            return "[" + ", ".join(_flow(p, c) for p, c in zip(piece.items, inner, strict=True)) + "]"
        case _ if not piece.style and _SAFE.fullmatch(piece.text):
            return piece.text
        case _ if not piece.style and not piece.text:
            return "null"
        case _:
            return emit.quoted(piece.text)
