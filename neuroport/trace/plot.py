"""A picture of a trace: spikes and states in detail, weights and metrics over the whole run.

The only module that uses matplotlib, which is optional: `pip install 'neuroport[plot]'`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from neuroport.disk.output import write_bytes
from neuroport.errors import InvalidInput, Place, Unsupported
from neuroport.trace.read import Samples, Trace

# Okabe and Ito's colours, which people with any colour vision can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MOST_SPIKES = 20_000
MOST_LINES = 12
MOST_WEIGHT_LINES = 64
LOG_DECADES = 1.5
SIGNATURES = tuple(
    text.encode("latin-1")
    for text in ("\x89PNG", "%PDF", "<?xml", "<svg", "%!", "%%", "\xff\xd8", "RIFF", "II*", "MM\0*", "GIF8", "\x1f\x8b")
)
"""How files begin that pictures can be."""
STYLE = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def may_be_picture(path: Path) -> bool:
    """Whether a file is empty, or begins like a picture."""
    with path.open("rb") as file:
        start = file.read(8)
    return not start or start.startswith(SIGNATURES)


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing: its relative height, and what draws it into given axes."""

    height: float
    draw: Callable[[Any], None]
    over_time: bool = True


@dataclass(frozen=True, slots=True)
class Clock:
    """Time axis: how many milliseconds one unit has, and its name."""

    ms: float
    unit: str

    @classmethod
    def of(cls, ms: float) -> Clock:
        """A unit that suits a duration."""
        for size, name, least in ((3.6e6, "h", 3.6e7), (6e4, "min", 6e5), (1e3, "s", 1e4)):
            if ms >= least:
                return cls(size, name)
        return cls(1.0, "ms")


def plot(trace: Trace, path: str | Path, start: float | None = None, stop: float | None = None) -> None:
    """Draw a trace to an image file (PNG, PDF, SVG by its ending).

    Spikes and states are shown from `start` to `stop` (ms); by default the whole run, or its end when there are more
    than 20,000 spikes. InvalidInput if nothing in the trace can be drawn, or not as such a file; NotWritten on a full
    disk; Unsupported without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.style import context
    except ImportError:
        raise Unsupported("plots need matplotlib; install it with: pip install 'neuroport[plot]'") from None

    window = _window(trace, start, stop)
    columns = [column for column in (_detail(trace, window), _course(trace)) if column]
    if not columns:
        text = (
            "there is nothing to draw in it: no spikes, no sampled states, no weights that differ or change, "
            "no metric measured more than once; 'neuroport show' prints what there is"
        )
        raise InvalidInput.one(Place(str(trace.path)), text)
    with context(STYLE):
        height = max(sum(panel.height for panel in column) for column in columns)
        figure = Figure(figsize=(7.0 * len(columns), max(height, 2.6) + 0.5), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(_title(trace), fontsize=10)
        parts: Any = figure.subfigures(1, len(columns), squeeze=False)
        for part, column in zip(parts[0], columns, strict=True):
            _draw_column(part, column)
        drawn = BytesIO()
        try:
            figure.savefig(drawn, format=Path(path).suffix[1:].lower() or "png")
        except ValueError as error:
            raise InvalidInput.one(Place(str(path)), f"the picture cannot be written: {error}") from None
    write_bytes(path, drawn.getvalue())


def _draw_column(part: Any, column: list[Panel]) -> None:
    """Panels one above another; those over time share its axis and label it once."""
    ordered = [p for p in column if p.over_time] + [p for p in column if not p.over_time]
    axes = part.subplots(len(ordered), 1, squeeze=False, height_ratios=[p.height for p in ordered])[:, 0]
    timed = [axis for axis, panel in zip(axes, ordered, strict=True) if panel.over_time]
    for axis, panel in zip(axes, ordered, strict=True):
        panel.draw(axis)
    for axis in timed[:-1]:
        axis.sharex(timed[-1])
        axis.tick_params(labelbottom=False)
        axis.set_xlabel("")
    for axis in timed:
        axis.autoscale(axis="x")
        axis.margins(x=0.01)


def _title(trace: Trace) -> str:
    chip = trace.chip if trace.chip_seed is None else f"{trace.chip} (chip seed {trace.chip_seed})"
    seconds = trace.steps * trace.dt / 1000
    first = f"{trace.name} on {chip}, {trace.arithmetic}, seed {trace.seed}, {trace.steps:,} steps ({seconds:,.6g} s)"
    first += f", {trace.copies:,} copies" if trace.copies > 1 else ""
    first += "" if trace.complete else f", incomplete: {trace.lacks}"
    once = [(name, points[0][1]) for name, points in trace.metrics.items() if len(points) == 1]
    numbers = [f"{name} {value:.4g}" for name, value in once if isinstance(value, float)]
    return "\n".join([first, *([", ".join(numbers)] if numbers else [])])


# ------------------------------------------------------------------------------------------- detail: spikes, states


def _window(trace: Trace, start: float | None, stop: float | None) -> tuple[float, float]:
    """The time window of the detail panels in ms."""
    end = trace.steps * trace.dt
    stop = end if stop is None else min(stop, end)
    if start is None:
        start = 0.0
        times = [trace.spikes(name).times for name in trace.recorded]
        every = np.sort(np.concatenate(times)) if times else np.zeros(0)
        every = every[every < stop]
        if len(every) > MOST_SPIKES:
            start = float(every[-MOST_SPIKES])
    if not start < stop:
        text = f"the window from {start:g} to {stop:g} ms is empty; the run lasts {end:g} ms"
        raise InvalidInput.one(Place(str(trace.path)), text)
    return start, stop


def _detail(trace: Trace, window: tuple[float, float]) -> list[Panel]:
    panels = []
    clock = Clock.of(window[1] - window[0])
    if any(_visible(trace, name, window).any() for name in trace.recorded):
        rows = sum(trace.populations[name] for name in trace.recorded)
        panels.append(Panel(1.6 + min(rows, 40) * 0.06, partial(_raster, trace=trace, window=window, clock=clock)))
    for name in trace.records:
        samples = trace.record(name)
        times = samples.steps * trace.dt
        if ((times >= window[0]) & (times < window[1])).any():
            panels.append(
                Panel(1.8, partial(_states, name=name, samples=samples, dt=trace.dt, window=window, clock=clock))
            )
    return panels


def _visible(trace: Trace, population: str, window: tuple[float, float]) -> Any:
    times = trace.spikes(population).times
    return (times >= window[0]) & (times < window[1])


def _raster(axis: Any, trace: Trace, window: tuple[float, float], clock: Clock) -> None:
    """Every recorded population as a band of rows in its own colour."""
    base, middles = 0, []
    rows = sum(trace.populations[name] for name in trace.recorded)
    for k, name in enumerate(trace.recorded):
        spikes, mask = trace.spikes(name), _visible(trace, name, window)
        size = trace.populations[name]
        few = rows <= 60
        axis.scatter(
            spikes.times[mask] / clock.ms,
            spikes.neurons[mask] + base,
            marker="|" if few else ".",
            s=min(5000 / max(rows, 1), 60) if few else 2,
            linewidths=0.8 if few else 0,
            color=COLOURS[k % len(COLOURS)],
            rasterized=True,
        )
        middles.append(base + (size - 1) / 2)
        base += size
        if k + 1 < len(trace.recorded):
            axis.axhline(base - 0.5, color="0.8", linewidth=0.8)
    axis.set_ylim(-0.7, base - 0.3)
    if len(trace.recorded) == 1:
        axis.set_ylabel(f"neuron of {trace.recorded[0]}")
        axis.yaxis.get_major_locator().set_params(integer=True)
    else:
        axis.set_yticks(middles, [f"{n} ({trace.populations[n]})" for n in trace.recorded])
    axis.set_xlabel(f"time ({clock.unit})")
    axis.set_title("spikes")


def _states(axis: Any, name: str, samples: Samples, dt: float, window: tuple[float, float], clock: Clock) -> None:
    times = samples.steps * dt
    mask = (times >= window[0]) & (times < window[1])
    values = samples.values[mask]
    marker = "." if len(values) == 1 else None
    for k in range(min(values.shape[1], MOST_LINES)):
        colour = COLOURS[k % len(COLOURS)]
        axis.plot(times[mask] / clock.ms, values[:, k], color=colour, linewidth=0.9, marker=marker, alpha=0.9)
    shown = f", {MOST_LINES} of {values.shape[1]} neurons" if values.shape[1] > MOST_LINES else ""
    axis.set_title(f"{name}{shown}")
    axis.set_ylabel(f"{name.partition('.')[2]} ({samples.unit})" if samples.unit else name.partition(".")[2])
    axis.set_xlabel(f"time ({clock.unit})")


# ------------------------------------------------------------------------------------------ course: weights, metrics


def _course(trace: Trace) -> list[Panel]:
    clock = Clock.of(trace.steps * trace.dt)
    panels: list[Panel] = []
    for name in _weight_names(trace):
        history = trace.weight_history(name)
        if len(history.steps) > 1 and history.raw.shape[1]:
            panels.append(Panel(2.0, partial(_weights, name=name, history=history, dt=trace.dt, clock=clock)))
        elif history.raw.size and history.raw.min() < history.raw.max():
            panels.append(Panel(2.0, partial(_histogram, name=name, history=history), over_time=False))
    for name, points in trace.metrics.items():
        if len(points) > 1 and np.isfinite(np.asarray([value for _, value in points])).any():
            panels.append(Panel(1.8, partial(_metric, name=name, points=points, dt=trace.dt, clock=clock)))
    return panels


def _weight_names(trace: Trace) -> list[str]:
    """Recorded synapse arrays, then the weights of projections without snapshots whose final values are known."""
    names = list(trace.snapshots)
    recorded = {name.partition(".")[0] for name in names}
    for projection in trace.projections:
        if projection not in recorded and trace.weight_array(projection) in trace.final:
            names.append(trace.weight_array(projection))
    return names


def _weights(axis: Any, name: str, history: Samples, dt: float, clock: Clock) -> None:
    """Few synapses as lines, many as mean, middle 90 % and range."""
    times, values = (history.steps + 1) * dt / clock.ms, history.values.reshape(len(history.steps), -1)
    if values.shape[1] <= MOST_WEIGHT_LINES:
        for k in range(values.shape[1]):
            axis.plot(times, values[:, k], linewidth=0.9, color=COLOURS[k % len(COLOURS)], alpha=0.8)
        axis.set_title(f"{name}, {values.shape[1]} synapses")
    else:
        low, high = np.quantile(values, [0.05, 0.95], axis=1)
        colour = COLOURS[0]
        axis.fill_between(times, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.15, label="range")
        axis.fill_between(times, low, high, color=colour, alpha=0.3, label="middle 90 %")
        axis.plot(times, values.mean(axis=1), color=colour, label="mean")
        axis.legend(loc="best", ncols=3)
        axis.set_title(f"{name}, {values.shape[1]:,} synapses")
    axis.set_ylabel(_weight_label(name, history))
    axis.set_xlabel(f"time ({clock.unit})")


def _histogram(axis: Any, name: str, history: Samples) -> None:
    values = history.values[-1].ravel()
    axis.hist(values, bins=min(50, max(5, len(values) // 4)), color=COLOURS[0], alpha=0.8)
    axis.set_title(f"{name} at the end, {len(values):,} synapses")
    axis.set_xlabel(_weight_label(name, history))
    axis.set_ylabel("synapses")


def _weight_label(name: str, history: Samples) -> str:
    variable = name.partition(".")[2]
    return f"{variable} ({history.unit})" if history.unit else variable


def _metric(axis: Any, name: str, points: list[tuple[int, Any]], dt: float, clock: Clock) -> None:
    """A number over time; a list as one line per element. Logarithmic for positive values over 1.5 decades or more."""
    times = np.array([step for step, _ in points]) * dt / clock.ms
    values = np.asarray([value for _, value in points], dtype=np.float64)
    lines = values.reshape(len(points), -1)
    for k in range(lines.shape[1]):
        marker = "o" if len(points) <= 30 else None
        axis.plot(times, lines[:, k], color=COLOURS[k % len(COLOURS)], linewidth=1.0, marker=marker, markersize=3)
    finite = lines[np.isfinite(lines)]
    if finite.min() > 0 and np.log10(finite.max() / finite.min()) > LOG_DECADES:
        axis.set_yscale("log")
    axis.set_title(f"metric {name}")
    axis.set_ylabel(name)
    axis.set_xlabel(f"time ({clock.unit})")
