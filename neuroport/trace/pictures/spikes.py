"""Spikes: a dot for each, and rates over time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.trace.pictures.panel import Panel, Shown, colour, courses, inside, labels, legend
from neuroport.trace.pictures.view import View
from neuroport.trace.read import Trace

MOST_DOTS = 500_000
"""So many spikes are drawn; of more, every so many-th."""
BINS = 150
"""About so many bins of time have rates."""
_TICKS_BELOW = 60
_LABEL = 11.0
"""So many points of height are for the name of a population."""


def rasters(shown: Shown, view: View) -> Iterator[Panel]:
    """A raster for each trace whose spikes were recorded."""
    for trace, window in zip(shown.traces, shown.windows, strict=True):
        names = [name for name in view.shown(trace) if name in trace.recorded]
        rows = sum(len(view.of(trace, name)) for name in names)
        if rows:
            height = max(1.2 + min(rows, 150) * 0.02, 0.8 + len(names) * _LABEL / 72)
            yield Panel(height, partial(_raster, trace=trace, names=names, view=view, window=window, shown=shown))


def _raster(axis: Any, trace: Trace, names: list[str], view: View, window: tuple[float, float], shown: Shown) -> None:
    """Every population as a band of rows in its own colour."""
    bands = [_band(trace, name, view, window) for name in names]
    total = sum(len(times) for times, _, _ in bands)
    every = max(1, -(-total // MOST_DOTS))
    rows = sum(size for _, _, size in bands)
    points = max(axis.get_window_extent().height / axis.figure.dpi * 72, 30) / rows
    base, middles, written = 0, [], []
    for k, (times, numbers, size) in enumerate(bands):
        at, of = times[::every] / shown.clock.ms, numbers[::every] + base
        axis.scatter(at, of, color=colour(k), rasterized=True, **_dots(points, rows))
        middles.append(base + (size - 1) / 2)
        roomy = size * points >= _LABEL
        if not len(times) and roomy:
            axis.text(0.5, middles[-1], "no spikes", transform=axis.get_yaxis_transform(), **_NOTE)
        written.append(f"{names[k]} ({size:,})" + ("" if len(times) or roomy else ", no spikes"))
        base += size
        if k + 1 < len(bands):
            axis.axhline(base - 0.5, color="0.6", linewidth=0.6)
    axis.set_ylim(-0.7, base - 0.3)
    if len(names) == 1:
        axis.set_ylabel(f"neuron of {names[0]}")
        _whole_ticks(axis, trace, view, names[0])
    else:
        axis.set_yticks(_apart(middles, min(_LABEL / points, rows / len(names)), rows - 1), written)
        axis.tick_params(axis="y", length=0)
        for k, label in enumerate(axis.get_yticklabels()):
            label.set_color(colour(k))
    axis.set_xlabel(f"time ({shown.clock.unit})")
    of_whom = f" of {trace.path.name}" if len(shown.traces) > 1 else ""
    axis.set_title(f"spikes{of_whom}{_thinned(total, every)}")


_NOTE: dict[str, Any] = {"ha": "center", "va": "center", "color": "0.5", "fontsize": 8}


def _apart(middles: list[float], least: float, top: float) -> list[float]:
    """Places for names as near to the middles of their bands as they can stand, so far apart and not above the top."""
    placed: list[float] = []
    for middle in middles:
        placed.append(max(middle, placed[-1] + least) if placed else middle)
    return [min(place, top - k * least) for k, place in zip(reversed(range(len(placed))), placed, strict=True)]


def _thinned(total: int, every: int) -> str:
    """What is said of spikes that are not drawn."""
    if every == 1:
        return ""
    return f": 1 of {every} drawn, for there are {total:,}, and dots for {MOST_DOTS:,}; a shorter window shows all"


def _band(trace: Trace, name: str, view: View, window: tuple[float, float]) -> tuple[Any, Any, int]:
    """Times and rows of the spikes that are shown of a population, and how many rows it has."""
    spikes, rows = trace.spikes(name), view.of(trace, name)
    seen = inside(spikes.times, window)
    times, neurons = spikes.times[seen], spikes.neurons[seen]
    if len(rows) < trace.populations[name]:
        chosen = np.isin(neurons, rows)
        times, neurons = times[chosen], np.searchsorted(rows, neurons[chosen])
    return times, neurons, len(rows)


def _dots(points: float, rows: int) -> dict[str, Any]:
    """Marks that can be seen where a row is so many points high."""
    if rows <= _TICKS_BELOW:
        return {"marker": "|", "s": min(0.8 * points, 12.0) ** 2, "linewidths": 0.9}
    return {"marker": "o", "s": max(1.1, min(points, 2.5)) ** 2, "linewidths": 0}


def _whole_ticks(axis: Any, trace: Trace, view: View, name: str) -> None:
    """Ticks at whole numbers of neurons; those of chosen ones at each."""
    rows = view.of(trace, name)
    if len(rows) == trace.populations[name]:
        axis.yaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        return
    step = max(1, -(-len(rows) // 20))
    axis.set_yticks(range(0, len(rows), step), [str(row) for row in rows[::step]])


def rates(shown: Shown, view: View) -> Iterator[Panel]:
    """A panel for the rates of one trace by population, or of several for each population."""
    if len(shown.traces) == 1:
        names = [name for name in view.shown(shown.one) if name in shown.one.recorded]
        if names:
            yield Panel(1.8, partial(_rates, shown=shown, view=view, names=names))
        return
    recorded = dict.fromkeys(n for trace in shown.traces for n in view.shown(trace) if n in trace.recorded)
    for name in recorded:
        yield Panel(1.8, partial(_rates_of_runs, shown=shown, view=view, name=name))


def _rates(axis: Any, shown: Shown, view: View, names: list[str]) -> None:
    for k, name in enumerate(names):
        times, values = _rate(shown, 0, view, name)
        axis.plot(times, values, color=colour(k), linewidth=1.0, drawstyle="steps-mid", label=name)
    axis.set_title("rate" if len(names) > 1 else f"rate of {names[0]}")
    _label_rates(axis, shown)


def _rates_of_runs(axis: Any, shown: Shown, view: View, name: str) -> None:
    runs = [
        (label, *_rate(shown, k, view, name))
        for k, (trace, label) in enumerate(zip(shown.traces, labels(shown.traces), strict=True))
        if name in trace.recorded
    ]
    courses(axis, runs)
    axis.set_title(f"rate of {name}")
    _label_rates(axis, shown)


def _label_rates(axis: Any, shown: Shown) -> None:
    axis.set_ylim(bottom=0)
    axis.set_ylabel("rate (Hz per neuron)")
    axis.set_xlabel(f"time ({shown.clock.unit})")
    legend(axis)


def _rate(shown: Shown, k: int, view: View, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Middles of bins, on the time axis, and the rate of a neuron in each, in Hz."""
    trace, (start, stop) = shown.traces[k], shown.windows[k]
    times, _, size = _band(trace, name, view, (start, stop))
    steps = max(1, round((stop - start) / BINS / trace.dt))
    width = steps * trace.dt
    bins = max(1, int((stop - start) / width + 1e-9))
    counts = np.bincount(np.minimum(((times - start) / width + 1e-9).astype(np.int64), bins - 1), minlength=bins)
    lengths = np.full(bins, width)
    lengths[-1] = stop - start - (bins - 1) * width
    middles = start + np.arange(bins) * width + lengths / 2
    return middles / shown.clock.ms, counts / max(size, 1) / lengths * 1000
