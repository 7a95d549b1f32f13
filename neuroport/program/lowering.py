"""What lowering a program for a chip had to tell, as tables: a row for each array, and all else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neuroport.pages import Cell, Table
from neuroport.program.machine import ReportLine

NONE = "-"
COLUMNS = (
    "array",
    "word",
    "class",
    "lowest",
    "highest",
    "step",
    "error",
    "became 0",
    "tau",
    "tau off",
    "stall level",
)
_IN_COLUMNS = ("format", "time constant", "zero")
"""What has its place in the rows of arrays."""


def arrays(lines: Sequence[ReportLine]) -> Table:
    """A row for each array: its bits, its range, and what they made of its values."""
    formats = {line.subject: line for line in lines if line.topic == "format"}
    beside = {(line.subject, line.topic): line for line in reversed(lines)}  # the first of each
    return Table(COLUMNS, tuple(_row(name, line, beside) for name, line in formats.items()))


def others(lines: Sequence[ReportLine]) -> Table:
    """What has no place in the rows of arrays, and what a person must know."""
    rows = [(line.subject, line.topic, line.text) for line in lines if line.topic not in _IN_COLUMNS or line.notice]
    return Table(("subject", "topic", "report"), tuple(rows))


def _row(name: str, line: ReportLine, beside: Mapping[tuple[str, str], ReportLine]) -> tuple[Cell, ...]:
    """Of values that an array does not have "-"."""

    def value(topic: str, key: str) -> Cell:
        found = line if topic == "format" else beside.get((name, topic))
        return NONE if found is None else found.values.get(key, NONE)

    frac, off = line.values["frac"], value("time constant", "percent")
    return (
        name,
        f"Q({line.values['bits']},{frac})" if frac else f"int{line.values['bits']}",
        value("format", "kind"),
        value("format", "low"),
        value("format", "high"),
        f"{2.0 ** -int(frac):.3g}",
        _short(value("format", "error")),
        value("zero", "count"),
        value("time constant", "steps"),
        off if isinstance(off, str) else f"{off:.2g} %",
        _short(value("stall", "level")),
    )


def _short(value: Cell) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
