"""Lines of generated code, and blocks of them: nothing is indented before it is printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from neuroport.backends.generated import Value


@dataclass(frozen=True, slots=True)
class Block:
    """A line that ends with a colon, and the lines that belong to it; `pass` where there are none."""

    head: str
    body: Sequence[Line]


Line = str | Block


def printed(lines: Iterable[Line], depth: int = 0) -> list[str]:
    """The lines as text, those of blocks further in."""
    margin = "    " * depth
    texts = []
    for line in lines:
        if isinstance(line, str):
            texts.append(margin + line)
        else:
            texts.append(margin + line.head)
            texts += printed(line.body or ("pass",), depth + 1)
    return texts


@dataclass(slots=True)
class Section:
    """A part of a function that is being written.

    ahead: whether what is loaded stands before everything else, indices first. comment: what is written before the
    next line, once. known: values that the section has computed.
    """

    ahead: bool = False
    comment: str = ""
    known: dict[tuple[object, ...], Value] = field(default_factory=dict)
    _indices: list[Line] = field(default_factory=list)
    _loads: list[Line] = field(default_factory=list)
    _lines: list[Line] = field(default_factory=list)

    def put(self, *lines: Line) -> None:
        """Add lines."""
        if self.comment and lines:
            self._lines.append(self.comment)
            self.comment = ""
        self._lines += lines

    def load(self, line: str, index: bool = False) -> None:
        """Add a line that loads a value, or an index with which values are loaded."""
        if not self.ahead:
            self.put(line)
        elif index:
            self._indices.append(line)
        else:
            self._loads.append(line)

    @property
    def lines(self) -> list[Line]:
        """All lines, in their order."""
        return [*self._indices, *self._loads, *self._lines]
