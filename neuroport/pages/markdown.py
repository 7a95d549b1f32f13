"""Pages as Markdown, for the documentation."""

from __future__ import annotations

import re

from neuroport.pages import Lines, Page, Table, Text
from neuroport.pages.plain import numeric, shown

SPECIAL = re.compile(r"([\\`*\[\]<|]|\b_|_\b|(?<!\w)_(?!\w))")
"""What Markdown would take for more than itself, outside of code."""
_CODE = re.compile(r"(`[^`]+`)")


def markdown(page: Page, level: int = 3) -> str:
    """A page under a heading of that level."""
    name = f"{'#' * level} {page.name}\n"
    title = [f"{escaped(page.title)}.\n"] if page.title else []
    return "\n".join([name, *title, *(f"{_part(part)}\n" for part in page.filled)])


def escaped(text: str) -> str:
    """A text in which nothing but `code` means more than itself."""
    pieces = _CODE.split(text)
    return "".join(piece if k % 2 else SPECIAL.sub(r"\\\1", piece) for k, piece in enumerate(pieces))


def table(part: Table) -> str:
    """A table."""
    line = "|".join("---:" if right else "---" for right in numeric(part.rows))
    rows = [" | ".join(escaped(shown(cell)) for cell in row) for row in part.rows]
    return "\n".join([f"| {' | '.join(part.columns)} |", f"|{line}|", *(f"| {row} |" for row in rows)])


def _part(part: Text | Lines | Table) -> str:
    match part:
        case Text():
            return escaped(part.text)
        case Lines():
            return f"{part.title.capitalize()}:\n\n```text\n{part.text}\n```"
        case Table():
            return table(part)
