"""How far a sweep is, on stderr: a bar on a terminal, else a line every ten seconds."""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import duration

if TYPE_CHECKING:
    from neuroport.sweeps.sweep import State

LINE_EVERY = 10.0


class SweepProgress:
    """Tells on stderr how far a sweep is."""

    def __init__(self, name: str, show: bool) -> None:
        self._name, self._show = name, show
        self._started = self._last = time.monotonic()
        self._state: State | None = None
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> SweepProgress:
        if self._show and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("points"))
            more = (TextColumn("{task.fields[failed]}"), TimeRemainingColumn())
            self._bar = Bar(*columns, *more, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._name, total=None, failed="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, state: State) -> None:
        """Show how far it is."""
        now = time.monotonic()
        if self._state is None:
            self._started = self._last = now
        self._state = state
        failed = f"{state.failed:,} failed" if state.failed else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=state.before + state.ended, total=state.total, failed=failed)
        elif self._show and now - self._last >= LINE_EVERY:
            self._last = now
            done, left = state.before + state.ended, math.inf
            if state.ended:
                left = (state.total - done) * (now - self._started) / state.ended
            remain = duration(left) if left < math.inf else "?"
            more = f", {failed}" if failed else ""
            with suppress(OSError):  # nobody listens any more, and the sweep goes on
                click.echo(f"{self._name}: {done:,} of {state.total:,} points{more}, {remain} left", err=True)
