"""Metrics over time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.trace.pictures.panel import MOST_LINES, Panel, Shown, colour, courses, labels, legend
from neuroport.trace.pictures.view import View
from neuroport.trace.read import Trace
from neuroport.trace.write import unit_of

LOG_DECADES = 1.5
"""Positive values over more decades than these are drawn on a logarithmic axis."""

Course = tuple[NDArray[np.float64], NDArray[np.float64]]


def metrics(shown: Shown, view: View) -> Iterator[Panel]:
    """A panel for every metric that was measured more than once, and is a finite number anywhere."""
    for name in dict.fromkeys(name for trace in shown.traces for name in trace.metrics):
        if any(_drawable(trace, name) for trace in shown.traces):
            yield Panel(1.8, partial(_metric, name=name, shown=shown))


def _drawable(trace: Trace, name: str) -> bool:
    points = trace.metrics.get(name, [])
    return len(points) > 1 and bool(np.isfinite(np.asarray([value for _, value in points])).any())


def _course(trace: Trace, name: str, shown: Shown, k: int) -> Course:
    """When it was measured, on the time axis, and the measurements (k, elements) in the window."""
    points, (start, stop) = trace.metrics[name], shown.windows[k]
    times = np.array([step for step, _ in points]) * trace.dt
    seen = (times >= start) & (times <= stop)
    values = np.asarray([value for _, value in points], dtype=np.float64).reshape(len(points), -1)
    return times[seen] / shown.clock.ms, values[seen]


def _metric(axis: Any, name: str, shown: Shown) -> None:
    """A number over time; a list as one line per element. Logarithmic for positive values over many decades."""
    found = [(k, trace) for k, trace in enumerate(shown.traces) if _drawable(trace, name)]
    drawn = [_course(trace, name, shown, k) for k, trace in found]
    if len(shown.traces) > 1:
        every = labels(shown.traces)
        means = [(times, values.mean(axis=1)) for times, values in drawn]
        courses(axis, [(every[k], *mean) for (k, _), mean in zip(found, means, strict=True)])
        legend(axis)
    else:
        _lines(axis, *drawn[0])
    finite = np.concatenate([values[np.isfinite(values)] for _, values in drawn])
    if finite.size and finite.min() > 0 and np.log10(finite.max() / finite.min()) > LOG_DECADES:
        axis.set_yscale("log")
    unit = unit_of_metric(found[0][1], name, shown)
    elements = max(values.shape[1] for _, values in drawn)
    several = f", mean of {elements} elements" if elements > 1 and len(shown.traces) > 1 else ""
    some = f", the first {MOST_LINES} of {elements:,} elements" if elements > MOST_LINES and not several else ""
    axis.set_title(f"metric {name}{several}{some}")
    axis.set_ylabel(f"{name} ({unit})" if unit else name)
    axis.set_xlabel(f"time ({shown.clock.unit})")


def _lines(axis: Any, times: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    marker = "o" if len(times) <= 30 else None
    for k in range(min(values.shape[1], MOST_LINES)):
        axis.plot(times, values[:, k], color=colour(k), linewidth=1.0, marker=marker, markersize=3)


def unit_of_metric(trace: Trace, name: str, shown: Shown) -> str:
    """The unit of a metric; of one of a variable that of the variable."""
    network = shown.network(trace)
    metric = None if network is None else next((m for m in network.metrics if m.name == name), None)
    if network is None or metric is None:
        return ""
    return unit_of(network, metric.of) if metric.unit is None else metric.unit
