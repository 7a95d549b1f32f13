"""Docstrings are plain text: indented blocks in them are code, and no sign but the backtick means anything."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

QUOTED = re.compile(r"(`[^`]*`)")
SIGNS = re.compile(r"([*|\\]|_(?=\W|$))")


def as_rst(lines: list[str]) -> list[str]:
    """The reStructuredText that shows such a text as it is meant."""
    found: list[str] = []
    for number, line in enumerate(lines):
        starts = line.startswith("    ") and (number == 0 or not lines[number - 1].strip())
        if starts and not _in_block(lines, number):
            found += ["::", ""]
        found.append(line if line.startswith("    ") else _escaped(line))
    return found


def _in_block(lines: list[str], number: int) -> bool:
    """Whether what is above the blank lines before a line is indented, too."""
    above = [line for line in lines[:number] if line.strip()]
    return bool(above) and above[-1].startswith("    ")


def _escaped(line: str) -> str:
    parts = QUOTED.split(line)
    return "".join(part if part.startswith("`") else SIGNS.sub(r"\\\1", part) for part in parts)


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    lines[:] = as_rst(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Have autodoc ask."""
    app.connect("autodoc-process-docstring", _process)
    return {"parallel_read_safe": True}
