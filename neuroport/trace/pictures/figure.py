"""A figure of traces: panels over one axis of time, and below them those that are not over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroport.disk.output import write_bytes
from neuroport.errors import InvalidInput, Place, Unsupported
from neuroport.numerics.units import suggestion
from neuroport.trace.pictures.metrics import metrics, unit_of_metric
from neuroport.trace.pictures.panel import Clock, Panel, Shown
from neuroport.trace.pictures.spikes import rasters, rates
from neuroport.trace.pictures.states import states
from neuroport.trace.pictures.view import OF_SEVERAL, USUAL, View
from neuroport.trace.pictures.weights import distributions, matrices, weights
from neuroport.trace.read import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS: dict[str, Callable[[Shown, View], Iterator[Panel]]] = {
    "spikes": rasters,
    "rates": rates,
    "states": states,
    "weights": weights,
    "metrics": metrics,
    "matrix": matrices,
    "distribution": distributions,
}
SIGNATURES = tuple(
    text.encode("latin-1")
    for text in ("\x89PNG", "%PDF", "<?xml", "<svg", "%!", "%%", "\xff\xd8", "RIFF", "II*", "MM\0*", "GIF8", "\x1f\x8b")
)
"""How files begin that pictures can be."""
ABREAST = 2
"""So many panels that are not over time stand beside each other."""
WIDTH = 8.0
MARGIN = 0.005
"""Of the time that is shown, before and after it, so that marks at its ends are whole."""
PICTURES = (".png", ".pdf", ".svg")
"""The endings of pictures that are written."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#595959", "#8B5A2B")
"""Okabe and Ito's colours, which people with any colour vision can tell apart, without their black and yellow."""
ON_BLACK = ("#56B4E9", "#FF8C42", "#2BD4A4", "#F0A3D0", "#F5C542", "#9CC9FF", "#BFBFBF", "#D2A679")
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


def drawn(traces: Sequence[Trace], view: View) -> Figure:
    """A figure of matplotlib of one trace or several; see View.

    InvalidInput for what is not there, and if there is nothing to draw; Unsupported without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise Unsupported("plots need matplotlib; install it with: pip install 'neuroport[plot]'") from None
    view.check(traces)
    with styled(view.style):
        windows = tuple(view.window(trace) for trace in traces)
        shown = Shown(tuple(traces), windows, Clock.of(max(stop - start for start, stop in windows)))
        panels = _panels(shown, view)
        timed, others = [p for p in panels if p.over_time], [p for p in panels if not p.over_time]
        rows = [others[k : k + ABREAST] for k in range(0, len(others), ABREAST)]
        heights = sum(panel.height for panel in timed), sum(max(panel.height for panel in row) for row in rows)
        figure = Figure(figsize=view.size or (WIDTH, max(sum(heights), 2.2) + 0.6), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(_title(shown), fontsize=10)
        filled = [height for height in heights if height]
        parts = iter(figure.subfigures(len(filled), 1, squeeze=False, height_ratios=filled).ravel())
        if timed:
            _draw_over_time(next(parts), timed, shown.ends)
        if rows:
            _draw_others(next(parts), rows)
    return figure


def _draw_over_time(part: Any, panels: list[Panel], ends: tuple[float, float]) -> None:
    """Panels one above another; they share one axis of time from end to end, which the last one labels."""
    axes = part.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=[p.height for p in panels])[:, 0]
    for panel, axis in zip(panels, axes, strict=True):
        panel.draw(axis)
    room = MARGIN * (ends[1] - ends[0])
    axes[0].set_xlim(ends[0] - room, ends[1] + room)
    for axis in axes[:-1]:
        axis.set_xlabel("")


def _draw_others(part: Any, rows: list[list[Panel]]) -> None:
    """Panels that are not over time, some beside each other."""
    columns = max(map(len, rows))
    grid = part.add_gridspec(len(rows), columns, height_ratios=[max(p.height for p in row) for row in rows])
    for k, row in enumerate(rows):
        for column, panel in enumerate(row):
            panel.draw(part.add_subplot(grid[k, column]))


def _panels(shown: Shown, view: View) -> list[Panel]:
    kinds = view.panels or (USUAL if len(shown.traces) == 1 else OF_SEVERAL)
    panels = [panel for kind in kinds for panel in KINDS[kind](shown, view)]
    if not panels:
        text = f"there is nothing to draw in it: no {_or(kinds)}; 'neuroport show' prints what there is"
        raise InvalidInput.one(Place(str(shown.one.path)), text)
    return panels


_WHAT = {
    "spikes": "recorded spikes",
    "rates": "recorded spikes",
    "states": "sampled states",
    "weights": "weights that differ or change",
    "metrics": "metric measured more than once",
    "matrix": "weights",
    "distribution": "weights sampled more than once",
}


def _or(kinds: Sequence[str]) -> str:
    return ", no ".join(_WHAT[kind] for kind in kinds)


def styled(style: str) -> Any:
    """The style of a picture by its name."""
    from matplotlib import style as styles
    from matplotlib.rcsetup import cycler

    own: dict[str, list[Any]] = {
        "light": [STYLE, {"axes.prop_cycle": cycler(color=COLOURS)}],
        "dark": ["dark_background", STYLE, {"axes.prop_cycle": cycler(color=ON_BLACK)}],
    }
    if style not in own and style not in styles.available:
        near = suggestion(style, [*own, *styles.available])
        text = f"there is no style '{style}'; {near}there are light, dark, and matplotlib's own: "
        raise InvalidInput.one(None, text + ", ".join(styles.available))
    return styles.context(own.get(style, [style, {"axes.titlelocation": "left"}]))


def _title(shown: Shown) -> str:
    if len(shown.traces) > 1:
        return _title_of_several(shown.traces)
    trace = shown.one
    chip = trace.chip if trace.chip_seed is None else f"{trace.chip} (chip seed {trace.chip_seed})"
    seconds = trace.steps * trace.dt / 1000
    first = f"{trace.name} on {chip}, {trace.arithmetic}, seed {trace.seed}, {trace.steps:,} steps ({seconds:,.6g} s)"
    first += f", {trace.copies:,} copies" if trace.copies > 1 else ""
    first += "" if trace.complete else f", incomplete: {trace.lacks}"
    once = [(name, points[0][1]) for name, points in trace.metrics.items() if len(points) == 1]
    numbers = [
        f"{name} {value:.4g} {unit_of_metric(trace, name, shown)}".strip()
        for name, value in once
        if isinstance(value, float)
    ]
    return "\n".join([first, *([", ".join(numbers)] if numbers else [])])


def _title_of_several(traces: Sequence[Trace]) -> str:
    """What several traces have in common."""
    names, chips = (list(dict.fromkeys(values)) for values in zip(*((t.name, t.chip) for t in traces), strict=True))
    text = f"{', '.join(names)} on {', '.join(chips)}, {len(traces)} runs"
    cut = [trace.path.name for trace in traces if not trace.complete]
    return f"{text}\nincomplete: {', '.join(cut)}" if cut else text


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure: PNG, PDF, SVG by the ending of its path. InvalidInput for another ending; NotWritten."""
    written, ending = BytesIO(), Path(path).suffix.lower() or ".png"
    if ending not in PICTURES:
        *others, last = PICTURES
        text = f"no picture is written as '{ending}'; give a name that ends in {', '.join(others)} or {last}"
        raise InvalidInput.one(Place(str(path)), text)
    figure.savefig(written, format=ending[1:])
    write_bytes(path, written.getvalue())
