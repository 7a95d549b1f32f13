"""Tables of numbers as text: one row per line, separated by commas, semicolons or tabs, with or without a first line
that names the columns. Empty lines and lines that begin with # are left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.disk.stored import Stored, Wrong, whole
from neuroport.numerics.units import quoted

SEPARATORS = (",", ";", "\t")
MOST_BYTES = 2**30
"""Of a table as text; what is larger belongs into a file of another kind."""
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}")
_POINT = re.compile(r"[.eE]")
_UNUSUAL = re.compile(r"[^-+0-9.eE,;\t ]")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class _Table:
    """The lines of a table with their numbers, the first of them apart if it names the columns."""

    separator: str
    names: tuple[str, ...]
    lines: list[tuple[int, str]]


def of_csv(path: Path, name: str) -> Stored:
    """The table, or its column of that name; a table of one column is a list. Raises Wrong."""
    numbers = _column(_table(path), name)
    return Stored(numbers.shape, lambda: numbers)


def _table(path: Path) -> _Table:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise Wrong(f"has {size:,} bytes, too many for text; save the numbers as .npy or in HDF5")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Wrong(f"is no text of numbers: byte {error.start} is not UTF-8") from None
    lines = [(k, line) for k, line in enumerate(re.split("\r\n|\n|\r", text), 1) if line.strip() and line[0] != "#"]
    if not lines:
        raise Wrong("has no numbers in it")
    separator = next((mark for mark in SEPARATORS if mark in lines[0][1]), ",")
    first = _cells(lines[0][1], separator)
    if all(_number(cell) is not None for cell in first):
        return _Table(separator, (), lines)
    if any(_number(cell) is not None for cell in first):
        bad = next(k for k, cell in enumerate(first) if _number(cell) is None)
        raise _no_number(lines[0][0], bad, first[bad])
    return _Table(separator, tuple(first), lines[1:])


def _cells(line: str, separator: str) -> list[str]:
    return [cell.strip().strip('"').strip() for cell in line.split(separator)]


def _column(table: _Table, name: str) -> NDArray[Any]:
    """All columns, or one of them; of others, nothing is looked at."""
    if not table.lines:
        raise Wrong("has no numbers in it")
    if name and name not in table.names:
        known = ", ".join(table.names[:20]) or "it has no line with names"
        raise Wrong(f"has no column {quoted(name)}; there are: {known}")
    if table.names.count(name) > 1:
        raise Wrong(f"has several columns of the name {quoted(name)}; give them names of their own")
    width = len(table.names) or len(_cells(table.lines[0][1], table.separator))
    columns = [table.names.index(name)] if name else list(range(width))
    quick = _quick(table, columns, width)
    numbers = _slow(table, columns, width) if quick is None else quick
    return whole(numbers[:, 0] if len(columns) == 1 else numbers)


def _quick(table: _Table, columns: list[int], width: int) -> NDArray[Any] | None:
    """What NumPy reads of columns in which nothing is unusual; None for any other."""
    mark, lines = table.separator, [line for _, line in table.lines]
    if any(line.count(mark) != width - 1 for line in lines):
        return None
    cells = "".join(lines) if len(columns) == width else "".join(line.split(mark)[columns[0]] for line in lines)
    if _UNUSUAL.search(cells):
        return None
    kind = np.float64 if _POINT.search(cells) else np.int64
    try:
        numbers = np.loadtxt(lines, kind, comments=None, delimiter=mark, usecols=columns, ndmin=2)
    except (ValueError, OverflowError):
        return None
    return numbers if np.isfinite(numbers).all() else None


def _slow(table: _Table, columns: list[int], width: int) -> NDArray[Any]:
    """The same of any table, or a sentence about the first thing that is wrong. Raises Wrong."""
    rows = list(_rows(table, columns, width))
    exact = all(type(value) is int for row in rows for value in row)
    try:
        return np.array(rows, np.int64 if exact else np.float64)
    except OverflowError:
        raise Wrong("holds a whole number of more than 63 bits") from None


def _rows(table: _Table, columns: list[int], width: int) -> Iterator[list[int | float]]:
    for number, line in table.lines:
        cells = _cells(line, table.separator)
        if len(cells) != width:
            raise Wrong(f"has {len(cells)} values in line {number}, and {width} in the first")
        row: list[int | float] = []
        for column in columns:
            value = _number(cells[column])
            if value is None:
                raise _no_number(number, column, cells[column])
            row.append(value)
        yield row


def _number(cell: str) -> int | float | None:
    """A number; None for another text, and for one that no double holds."""
    if _INTEGER.fullmatch(cell):
        return int(cell)
    value = float(cell) if _REAL.fullmatch(cell) else math.inf
    return value if math.isfinite(value) else None


def _no_number(line: int, column: int, cell: str) -> Wrong:
    return Wrong(f"has {quoted(cell)} in line {line}, column {column + 1}, which is no number")
