"""Spikes of a trace as files for other tools: who writes which, by the ending of the name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neuroport.trace import nird, tables
from neuroport.trace.read import Trace

Write = Callable[[Trace, str | Path, bool], None]
WRITERS: dict[str, Write] = {
    **dict.fromkeys(nird.ENDINGS, nird.write),
    **dict.fromkeys(tables.FILES, tables.write_spikes),
}
"""All endings, in lower case."""


def writer(path: str | Path) -> Write | None:
    """What writes the spikes of a trace to a file of that name; None where that is no such file."""
    return WRITERS.get(Path(path).suffix.lower())
