"""Sampled states over time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from neuroport.trace.pictures.panel import MOST_LINES, Panel, Shown, colour, inside, legend
from neuroport.trace.pictures.view import View
from neuroport.trace.read import Trace


def states(shown: Shown, view: View) -> Iterator[Panel]:
    """A panel for every state that was sampled in the window."""
    for trace, window in zip(shown.traces, shown.windows, strict=True):
        for name in trace.records:
            owner = name.partition(".")[0]
            if owner not in view.shown(trace) or not len(view.rows(trace.populations.get(owner, 0))):
                continue
            if inside(trace.record(name).steps * trace.dt, window).any():
                yield Panel(1.8, partial(_states, trace=trace, name=name, view=view, window=window, shown=shown))


def _states(axis: Any, trace: Trace, name: str, view: View, window: tuple[float, float], shown: Shown) -> None:
    owner, _, variable = name.partition(".")
    samples = trace.record(name)
    times = samples.steps * trace.dt
    seen = inside(times, window)
    values, rows = samples.values[seen], view.rows(trace.populations[owner])
    marker = "." if len(values) == 1 else None
    for k, row in enumerate(rows[:MOST_LINES]):
        line = {"color": colour(k), "linewidth": 0.9, "marker": marker, "label": f"{row}"}
        axis.plot(times[seen] / shown.clock.ms, values[:, row], **line)
    some = f", the first {MOST_LINES} of {len(rows):,} neurons" if len(rows) > MOST_LINES else ""
    of_whom = f" of {trace.path.name}" if len(shown.traces) > 1 else ""
    axis.set_title(f"{name}{of_whom}{some}")
    axis.set_ylabel(f"{variable} ({samples.unit})" if samples.unit else variable)
    axis.set_xlabel(f"time ({shown.clock.unit})")
    if view.neurons is not None:
        legend(axis)
