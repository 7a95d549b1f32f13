"""Sampled states over time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.trace.pictures.panel import MOST_LINES, Panel, Shown, colour, inside, legend
from neuroport.trace.pictures.view import View
from neuroport.trace.read import Samples, Trace


def states(shown: Shown, view: View) -> Iterator[Panel]:
    """A panel for every state that was sampled in the window."""
    for trace, window in zip(shown.traces, shown.windows, strict=True):
        for name in trace.records:
            owner = name.partition(".")[0]
            if owner not in view.shown(trace):
                continue
            samples = trace.record(name)
            if len(view.columns(_neurons(samples))) and inside(samples.steps * trace.dt, window).any():
                yield Panel(1.8, partial(_states, trace=trace, name=name, view=view, window=window, shown=shown))


def _neurons(samples: Samples) -> NDArray[np.int64]:
    assert samples.neurons is not None, "samples of a state are of neurons"
    return samples.neurons


def _states(axis: Any, trace: Trace, name: str, view: View, window: tuple[float, float], shown: Shown) -> None:
    variable = name.partition(".")[2]
    samples = trace.record(name)
    times = samples.steps * trace.dt
    seen = inside(times, window)
    values, columns = samples.values[seen], view.columns(_neurons(samples))
    rows = _neurons(samples)[columns]
    marker = "." if len(values) == 1 else None
    for k, (column, row) in enumerate(zip(columns[:MOST_LINES], rows[:MOST_LINES], strict=True)):
        line = {"color": colour(k), "linewidth": 0.9, "marker": marker, "label": f"{row}"}
        axis.plot(times[seen] / shown.clock.ms, values[:, column], **line)
    some = f", the first {MOST_LINES} of {len(rows):,} neurons" if len(rows) > MOST_LINES else ""
    if name in trace.extent.parts and len(rows) == 1:
        some = f", neuron {rows[0]}"
    of_whom = f" of {trace.path.name}" if len(shown.traces) > 1 else ""
    axis.set_title(f"{name}{of_whom}{some}")
    axis.set_ylabel(f"{variable} ({samples.unit})" if samples.unit else variable)
    axis.set_xlabel(f"time ({shown.clock.unit})")
    if view.neurons is not None or name in trace.extent.parts:
        legend(axis)
