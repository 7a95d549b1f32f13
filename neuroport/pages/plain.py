"""Pages as plain text: paragraphs broken at a width, and aligned columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from neuroport.pages import Lines, Page, Table, Text

WIDTH = 100
"""Of a text whose reader has said none."""
MOST = 6
"""So many names of a kind are told in one line."""
LEAST = 20
"""So many characters stay of a line that is indented deeply."""


def text(page: Page, width: int | None = WIDTH) -> str:
    """A page as text, with an empty line around what has several. `width` None: no line is broken."""
    whole, parts = broken(page.heading, width), (Text(page.heading), *page.filled)
    for before, part in pairwise(parts):
        gap = [] if isinstance(before, Text) and isinstance(part, Text) else [""]
        whole += [*gap, *_part(part, width)]
    return "\n".join(whole)


def brief(what: str, page: Page) -> str:
    """What Python shows of an object, <Network NAME: TITLE …>: the paragraphs of a page, a line for each."""
    said = [part.text for part in page.filled if isinstance(part, Text)]
    return "\n  ".join([f"<{what} {page.heading}", *said]) + ">"


def some(names: Sequence[str], most: int = MOST) -> str:
    """The first of many names, and how many there are."""
    more = f", … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _part(part: Text | Lines | Table, width: int | None) -> Iterator[str]:
    match part:
        case Text():
            yield from broken(part.text, width)
        case Lines():
            yield from lines(part, width)
        case Table():
            yield from aligned(part.columns, [[shown(cell) for cell in row] for row in part.rows], numeric(part.rows))


def lines(part: Lines, width: int | None) -> Iterator[str]:
    """Lines below their title, each indented as it was; those that are too long go on deeper."""
    yield part.title
    for line in part.text.splitlines():
        yield from broken(f"  {line}", width, more=4)


def broken(line: str, width: int | None, more: int = 2) -> list[str]:
    """A line as lines of at most `width`, but for words that are longer; further ones `more` deeper than the first."""
    if width is None or len(line) <= width:
        return [line.rstrip()]
    first = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line.strip(),
        max(width, len(first) + more + LEAST),
        initial_indent=first,
        subsequent_indent=first + " " * more,
        break_long_words=False,
        break_on_hyphens=False,
    )


def numeric(rows: Sequence[Sequence[Any]], numbers: tuple[type, ...] = (int, float)) -> list[bool]:
    """Which columns hold numbers and nothing else but "-", the absence of one."""

    def is_numeric(column: Sequence[Any]) -> bool:
        cells = [cell for cell in column if cell != "-"]
        return bool(cells) and all(isinstance(cell, numbers) for cell in cells)

    return [is_numeric(column) for column in zip(*rows, strict=True)]


def aligned(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> Iterator[str]:
    """A table as lines, its columns two spaces apart; those that are `right` end at the same place."""
    widths = [max(len(row[k]) for row in [list(columns), *rows]) for k in range(len(columns))]
    for row in [list(columns), *rows]:
        padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)]
        yield ("  " + "  ".join(padded)).rstrip()


def shown(value: Any) -> str:
    """A value for people: six digits of a float, thousands separated, lists shortened."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        items = [shown(item) for item in value[:4]]
        return ", ".join(items) + (f", … ({len(value)})" if len(value) > 4 else "")
    return str(value)
