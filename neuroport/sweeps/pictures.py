"""Pictures of sweeps: each metric over a setting, and the yield."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuroport.errors import InvalidInput, Unsupported
from neuroport.numerics import units
from neuroport.numerics.units import Quantity, suggestion
from neuroport.sweeps.forms import DONE
from neuroport.sweeps.table import Group, Table
from neuroport.sweeps.told import text
from neuroport.trace.pictures.figure import styled
from neuroport.trace.pictures.metrics import LOG_DECADES
from neuroport.trace.pictures.panel import MOST_LINES, colour, legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 8.0, 2.6
SPREAD = 0.6
"""Of the distance of two places on the axis, what the runs of one take where it has no numbers."""
ASIDE = 0.02
"""Of an axis of numbers, what all series together stand beside each other, so that their bars are seen."""
YIELD = "yield"
MARKS = "osD^vP"
_LINES = ("-", "--", ":", "-.")


@dataclass(frozen=True, slots=True)
class _Look:
    """What a series is drawn with, so that one with the same values above it does not hide it."""

    tint: Any
    mark: str
    size: float
    line: str

    @classmethod
    def of(cls, k: int, count: int) -> _Look:
        """That of series k; those below are larger."""
        return cls(colour(k), MARKS[k % len(MARKS)], 4.5 + 5 * (count - 1 - k) / count, _LINES[k % 4])


@dataclass(frozen=True, slots=True)
class _Axis:
    """The horizontal axis: the column, its values, and where they stand."""

    name: str
    values: tuple[Any, ...]
    numbers: tuple[float, ...] = ()
    unit: str = ""

    @classmethod
    def of(cls, name: str, values: tuple[Any, ...]) -> _Axis:
        """One of numbers where all values are such, with one unit or none."""
        found = [_quantity(value) for value in values]
        known = [quantity for quantity in found if quantity is not None]
        if len(values) < 2 or len(known) < len(values) or len({quantity.unit for quantity in known}) > 1:
            return cls(name, values)
        return cls(name, values, tuple(float(quantity.number) for quantity in known), known[0].unit)

    @property
    def room(self) -> float:
        """The room that a value has; 0 on an axis of numbers, whose runs stand above each other."""
        return 0.0 if self.numbers else SPREAD

    @property
    def is_log(self) -> bool:
        """Whether it has positive numbers over many decades."""
        return bool(self.numbers) and _spans_decades(self.numbers)

    def place(self, value: Any, aside: float) -> float:
        """Where a value stands, of a series that stands `aside` of the middle of all, from -0.5 to 0.5."""
        at = self.values.index(value)
        if not self.numbers:
            return at + self.room * aside
        low, high = min(self.numbers), max(self.numbers)
        if self.is_log:
            return float(self.numbers[at] * (high / low) ** (ASIDE * aside))
        return self.numbers[at] + (high - low) * ASIDE * aside

    def draw(self, axis: Any) -> None:
        """Label it."""
        axis.set_xlabel(f"{self.name} ({self.unit})" if self.unit else self.name)
        if not self.numbers:
            axis.set_xticks(range(len(self.values)), [str(text(value)) for value in self.values])
            axis.set_xlim(-0.6, len(self.values) - 0.4)
        elif self.is_log:
            axis.set_xscale("log")


def _spans_decades(numbers: Sequence[float]) -> bool:
    """Whether numbers are positive and span so many decades that a logarithmic axis shows them better."""
    return min(numbers) > 0 and math.log10(max(numbers) / min(numbers)) > LOG_DECADES


def drawn(
    table: Table, metrics: Sequence[str] = (), over: str | None = None, size: Any = None, style: str = "light"
) -> Figure:
    """A figure of matplotlib: a panel for each metric, and for the yield if there are conditions.

    InvalidInput for what is not there, and if there is nothing to draw; Unsupported without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise Unsupported("plots need matplotlib; install it with: pip install 'neuroport[plot]'") from None
    groups = table.groups()
    panels = _panels(table, groups, metrics)
    axis = _axis(groups, over)
    with styled(style):
        figure = Figure(figsize=size or (WIDTH, HEIGHT * len(panels) + 0.4), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(_title(table, groups, axis, YIELD in panels), fontsize=10)
        drawings = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
        series = _series(groups, axis)
        for name, drawing in zip(panels, drawings, strict=True):
            _panel(drawing, name, axis, series, "chips" if table.sampled[0] else "runs")
        for drawing in drawings[:-1]:
            drawing.set_xlabel("")
    return figure


def _panels(table: Table, groups: Sequence[Group], metrics: Sequence[str]) -> list[str]:
    """The metrics that are numbers anywhere, or those that are asked for; and the yield."""
    known = [name for name in table.metrics if any(name in group.metrics for group in groups)]
    for name in metrics:
        if name not in known:
            near, there = suggestion(name, known), ", ".join(known) or "none"
            text = f"no metric '{name}' that is one number came out of this sweep; {near}there are: {there}"
            raise InvalidInput.one(None, text)
    panels = [*(metrics or known), *([YIELD] if table.wanted and not metrics else [])]
    if not panels:
        text = "there is nothing to draw: no point is done, or no metric of the network is one number; "
        if table.lists:
            text = (
                f"there is nothing to draw: the metrics that came out are lists of numbers: {', '.join(table.lists)}; "
            )
        raise InvalidInput.one(None, f"{text}`neuroport sweep table` tells what there is")
    return panels


def _axis(groups: Sequence[Group], over: str | None) -> _Axis:
    """The column that was asked for, or the first that has several values."""
    columns = {
        name: tuple(dict.fromkeys(_key(group.settings[name]) for group in groups)) for name in groups[0].settings
    }
    if over is not None and over not in columns:
        there = ", ".join(columns) or "none"
        text = f"'{over}' is no column of this sweep's grid points; {suggestion(over, list(columns))}there are: {there}"
        raise InvalidInput.one(None, text)
    several = [name for name, values in columns.items() if len(values) > 1]
    name = over or next(iter([*several, *columns]), "")
    return _Axis.of(name, columns.get(name, ("",)))


def _quantity(value: Any) -> Quantity | None:
    """The quantity that a value is, if it is one."""
    try:
        found = units.parse(value) if isinstance(value, str) else Quantity(value, "")
    except units.UnitError:
        return None
    return found if isinstance(found.number, int | float) and not isinstance(found.number, bool) else None


def _key(value: Any) -> Any:
    """A value as one that can be looked up."""
    return value if isinstance(value, int | float | str) else text(value)


def _series(groups: Sequence[Group], axis: _Axis) -> dict[str, list[Group]]:
    """Grid points with one line, by what tells it from others."""
    rest = [name for name in groups[0].settings if name != axis.name]
    telling = [name for name in rest if len({repr(group.settings[name]) for group in groups}) > 1]
    series: dict[str, list[Group]] = {}
    for group in groups:
        label = ", ".join(f"{_short(name)} {text(group.settings[name])}" for name in telling)
        series.setdefault(label, []).append(group)
    return series


def _short(name: str) -> str:
    return "" if name == "chip" else name.rpartition(".")[2]


def _panel(drawing: Any, name: str, axis: _Axis, series: Mapping[str, Sequence[Group]], counted: str) -> None:
    """One metric, or the yield: what came out of runs, and what is told of them. `counted`: for the yield."""
    shown = dict(list(series.items())[:MOST_LINES])
    for k, (label, groups) in enumerate(shown.items()):
        aside = (k + 0.5) / len(shown) - 0.5
        draw = _share if name == YIELD else _runs
        draw(drawing, name, axis, groups, aside, axis.room / len(shown), _Look.of(k, len(shown)), label.strip())
    some = f", the first {MOST_LINES} of {len(series):,} lines" if len(series) > MOST_LINES else ""
    drawing.set_title(
        f"yield, with Wilson's interval of 95 % over {counted}{some}"
        if name == YIELD
        else f"{name}, with quartiles{some}"
    )
    drawing.set_ylabel(f"share of {counted}" if name == YIELD else name)
    axis.draw(drawing)
    if name == YIELD:
        drawing.set_ylim(-0.05, 1.05)
    else:
        _scale(drawing, [value for groups in shown.values() for group in groups for value in _values(group, name)])
    legend(drawing)


def _scale(drawing: Any, values: Sequence[float]) -> None:
    if values and _spans_decades(values):
        drawing.set_yscale("log")


def _values(group: Group, name: str) -> list[float]:
    """What came out of the runs of a grid point that are done."""
    return [row[name] for row in group.rows if row["status"] == DONE and isinstance(row[name], int | float)]


def _runs(
    drawing: Any, name: str, axis: _Axis, groups: Sequence[Group], aside: float, room: float, look: _Look, label: str
) -> None:
    """A point for every run, beside each other where there is room, and the median with a bar between the quartiles."""
    places, medians, below, above = [], [], [], []
    for group in groups:
        values, place = _values(group, name), axis.place(_key(group.settings.get(axis.name, "")), aside)
        if not values:
            continue
        every = [place + 0.8 * room * ((k + 0.5) / len(values) - 0.5) for k in range(len(values))]
        drawing.plot(every, sorted(values), ".", color=look.tint, markersize=4, alpha=0.5, markeredgewidth=0)
        told = group.metrics[name]
        places.append(place)
        medians.append(told.median)
        below.append(told.median - told.low)
        above.append(told.high - told.median)
    _told(drawing, axis, places, medians, (below, above), look, label)


def _share(
    drawing: Any, name: str, axis: _Axis, groups: Sequence[Group], aside: float, room: float, look: _Look, label: str
) -> None:
    """The yield with its interval."""
    known = [(group, group.share) for group in groups if group.share is not None and group.share.of]
    places = [axis.place(_key(group.settings.get(axis.name, "")), aside) for group, _ in known]
    values = [share.value for _, share in known]
    ends = [share.interval for _, share in known]
    below = [value - low for value, (low, _) in zip(values, ends, strict=True)]
    above = [high - value for value, (_, high) in zip(values, ends, strict=True)]
    _told(drawing, axis, places, values, (below, above), look, label)


def _told(
    drawing: Any,
    axis: _Axis,
    places: Sequence[float],
    values: Sequence[float],
    ends: tuple[Sequence[float], Sequence[float]],
    look: _Look,
    label: str,
) -> None:
    """Marks with bars, joined by a line on an axis of numbers."""
    order = sorted(range(len(places)), key=lambda k: places[k])
    x, y = [places[k] for k in order], [values[k] for k in order]
    bars = [[end[k] for k in order] for end in ends]
    drawing.errorbar(
        x,
        y,
        yerr=bars,
        color=look.tint,
        marker=look.mark,
        markersize=look.size,
        linestyle=look.line if axis.numbers else "none",
        linewidth=1.2,
        capsize=3,
        label=label or None,
    )


def _title(table: Table, groups: Sequence[Group], axis: _Axis, has_yield: bool) -> str:
    """What was run, with what all grid points have in common."""
    runs = sum(group.done for group in groups)
    common = [
        f"{name} {text(value)}"
        for name, value in groups[0].settings.items()
        if name != axis.name and all(group.settings[name] == value for group in groups)
    ]
    asked = f"\nworks: {' and '.join(map(str, table.wanted))}" if has_yield else ""
    missing = f", {table.missing:,} points missing" if table.missing else ""
    chips = {row["chip"] for row in table.rows if row["chip"] is not None}
    on = f" on {chips.pop()}" if len(chips) == 1 and "chip" not in table.axes else ""
    return f"{', '.join([f'{table.network}{on}: {runs:,} runs', *common])}{missing}{asked}"
