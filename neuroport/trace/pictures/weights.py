"""Weights: over time, at the end, by source and target, and how they are spread."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.trace.pictures.panel import MOST_LINES, Panel, Shown, colour, courses, labels, legend
from neuroport.trace.pictures.view import View
from neuroport.trace.read import Samples, Trace
from neuroport.trace.write import unit_of

MOST_WEIGHT_LINES = 64
"""So many synapses are lines; of more, mean, middle and range."""
LEVELS = 60
"""Bins of values of a distribution."""
MOST_CELLS = 2000
"""So many neurons have a row or a column of a matrix; of more, several have one together."""


def _names(trace: Trace) -> list[str]:
    """Recorded synapse arrays, then the weights of projections without snapshots whose final values are known."""
    names = list(trace.snapshots)
    recorded = {name.partition(".")[0] for name in names}
    finals = (trace.weight_array(p) for p in trace.projections if p not in recorded)
    return [*names, *(name for name in finals if name in trace.final)]


def weights(shown: Shown, view: View) -> Iterator[Panel]:
    """Weights over time; of one trace also how those are spread that are known at the end alone."""
    if len(shown.traces) > 1:
        for name in dict.fromkeys(name for trace in shown.traces for name in trace.snapshots):
            if any(_has_synapses(trace, name) for trace in shown.traces):
                yield Panel(2.0, partial(_of_runs, name=name, shown=shown))
        return
    trace = shown.one
    for name in _names(trace):
        history = trace.weight_history(name)
        if len(history.steps) > 1 and history.raw.shape[1]:
            if _seen(history, trace, shown.windows[0]).any():
                yield Panel(2.0, partial(_over_time, name=name, shown=shown))
        elif history.raw.size and history.raw.min() < history.raw.max():
            yield Panel(2.2, partial(_histogram, name=name, trace=trace, shown=shown), over_time=False)


def _has_synapses(trace: Trace, name: str) -> bool:
    """Whether an array of synapses was recorded, and has any."""
    return name in trace.snapshots and bool(trace.weight_history(name).raw.shape[1])


def _seen(history: Samples, trace: Trace, window: tuple[float, float]) -> NDArray[np.bool_]:
    """Which snapshots lie in a window; each was taken at the end of its step."""
    times = (history.steps + 1) * trace.dt
    return np.asarray((times >= window[0]) & (times <= window[1]))


def _course(trace: Trace, name: str, shown: Shown, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times, on the axis, and weights (k, synapses) of snapshots in the window."""
    history = trace.weight_history(name)
    seen = _seen(history, trace, shown.windows[k])
    times = (history.steps[seen] + 1) * trace.dt / shown.clock.ms
    return np.asarray(times, np.float64), history.values[seen].reshape(len(times), -1)


def _over_time(axis: Any, name: str, shown: Shown) -> None:
    """Few synapses as lines, many as mean, middle 90 % and range."""
    times, values = _course(shown.one, name, shown, 0)
    if values.shape[1] <= MOST_WEIGHT_LINES:
        for k, synapse in enumerate(_synapses(shown.one, name, values.shape[1])):
            axis.plot(times, values[:, k], linewidth=0.9, color=colour(k), alpha=0.8, label=synapse)
        if values.shape[1] <= MOST_LINES:
            legend(axis)
    else:
        low, high = np.quantile(values, [0.05, 0.95], axis=1)
        least, most, tint = values.min(axis=1), values.max(axis=1), colour(0)
        axis.plot(times, values.mean(axis=1), color=tint, label="mean")
        axis.fill_between(times, low, high, color=tint, alpha=0.35, linewidth=0, label="middle 90 %")
        axis.fill_between(times, least, most, color=tint, alpha=0.15, linewidth=0, label="range")
        legend(axis)
    many = values.shape[1]
    axis.set_title(f"{name}, {many:,} synapse{'s' if many != 1 else ''}")
    axis.set_ylabel(_label(name, shown.one, shown))
    axis.set_xlabel(f"time ({shown.clock.unit})")


def _synapses(trace: Trace, name: str, many: int) -> list[str]:
    """Synapses by the neurons that they connect, where these are known; else, and in copies, by their number."""
    if trace.copies > 1 or not trace.extent.topology or name in trace.extent.shared:
        return [str(k) for k in range(many)]
    pre, post = trace.pairs(name.partition(".")[0])
    return [f"{source} → {target}" for source, target in zip(pre, post, strict=True)]


def _of_runs(axis: Any, name: str, shown: Shown) -> None:
    """The mean of all synapses in every run."""
    runs = []
    for k, (trace, label) in enumerate(zip(shown.traces, labels(shown.traces), strict=True)):
        if _has_synapses(trace, name):
            times, values = _course(trace, name, shown, k)
            runs.append((label, times, values.mean(axis=1)))
    courses(axis, runs)
    axis.set_title(f"{name}, mean of all synapses")
    axis.set_ylabel(_label(name, shown.one, shown))
    axis.set_xlabel(f"time ({shown.clock.unit})")
    legend(axis)


def _histogram(axis: Any, name: str, trace: Trace, shown: Shown) -> None:
    values = trace.weight_history(name).values[-1].ravel()
    axis.hist(values, bins=min(50, max(5, len(values) // 4)), color=colour(0), alpha=0.8)
    axis.set_title(f"{name} at the end, {len(values):,} synapses")
    axis.set_xlabel(_label(name, trace, shown))
    axis.set_ylabel("synapses")


def _label(name: str, trace: Trace, shown: Shown) -> str:
    """The variable with its unit."""
    variable, network = name.partition(".")[2], shown.network(trace)
    unit = "" if network is None else unit_of(network, name)
    return f"{variable} ({unit})" if unit else variable


def matrices(shown: Shown, view: View) -> Iterator[Panel]:
    """The weights of every projection at the end, or where the window ends."""
    for trace in shown.traces:
        if trace.extent.topology:
            for name in _names(trace):
                if trace.weight_history(name).raw.shape[1]:
                    yield Panel(3.0, partial(_matrix, name=name, trace=trace, shown=shown), over_time=False)


def _matrix(axis: Any, name: str, trace: Trace, shown: Shown) -> None:
    last = trace.weights(name)
    source, target = _ends(trace, name.partition(".")[0], shown)
    values = last.values if last.values.ndim == 1 else last.values[:, 0]
    coarse = max(1, -(-max(source, target) // MOST_CELLS))
    shape = (-(-source // coarse), -(-target // coarse))
    at = (last.pre // coarse, last.post // coarse)
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, at, values)
    np.add.at(counts, at, 1)
    with np.errstate(invalid="ignore"):
        cells = np.where(counts > 0, sums / counts, np.nan)
    largest = float(np.nanmax(np.abs(cells))) if counts.any() else 1.0
    signed = bool(np.nanmin(cells) < 0) if counts.any() else False
    ends = {"vmin": -largest if signed else 0.0, "vmax": largest or 1.0}
    extent = (-0.5, target - 0.5, source - 0.5, -0.5)
    kind: dict[str, Any] = {"cmap": "RdBu_r" if signed else "viridis", "aspect": "auto", "extent": extent}
    image = axis.imshow(cells, interpolation="nearest", **kind, **ends)
    axis.figure.colorbar(image, ax=axis, label=_label(name, trace, shown))
    together = f"\nmeans of {coarse} x {coarse} neurons" if coarse > 1 else ""
    of_whom = f" of {trace.path.name}" if len(shown.traces) > 1 else ""
    copy = ", first copy" if last.values.ndim > 1 else ""
    axis.set_title(f"{name}{of_whom} at the end{copy}{together}")
    axis.set_xlabel("postsynaptic neuron")
    axis.set_ylabel("presynaptic neuron")
    for side in (axis.xaxis, axis.yaxis):
        side.get_major_locator().set_params(integer=True, min_n_ticks=1)


def _ends(trace: Trace, projection: str, shown: Shown) -> tuple[int, int]:
    """How many neurons there are at both ends of a projection."""
    network = shown.network(trace)
    known = None if network is None else next((p for p in network.projections if p.name == projection), None)
    if known is not None:
        return trace.populations[known.source] // trace.copies, trace.populations[known.target] // trace.copies
    pre, post = trace.pairs(projection)
    return int(pre.max(initial=0)) + 1, int(post.max(initial=0)) + 1


def distributions(shown: Shown, view: View) -> Iterator[Panel]:
    """How the weights of a projection are spread at every snapshot."""
    for k, trace in enumerate(shown.traces):
        for name in trace.snapshots:
            history = trace.weight_history(name)
            if _seen(history, trace, shown.windows[k]).sum() > 1 and history.raw.size:
                yield Panel(2.2, partial(_distribution, name=name, trace=trace, shown=shown, k=k))


def _distribution(axis: Any, name: str, trace: Trace, shown: Shown, k: int) -> None:
    times, values = _course(trace, name, shown, k)
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high if high > low else low + 1, LEVELS + 1)
    shares = np.stack([np.histogram(row, edges)[0] for row in values], axis=1) / values.shape[1] * 100
    sides = np.concatenate([[2 * times[0] - times[1]], times])
    drawn = np.where(shares > 0, shares, np.nan)
    image = axis.pcolormesh(sides, edges, drawn, cmap="viridis", vmin=0, rasterized=True)
    axis.figure.colorbar(image, ax=axis, label="% of synapses")
    of_whom = f" of {trace.path.name}" if len(shown.traces) > 1 else ""
    axis.set_title(f"how {name}{of_whom} is spread, {values.shape[1]:,} synapses")
    axis.set_ylabel(_label(name, trace, shown))
    axis.set_xlabel(f"time ({shown.clock.unit})")
