"""A table of a sweep as a page: how many points there are, and a line for every grid point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroport.pages import Page, Text
from neuroport.pages import Table as Lines

if TYPE_CHECKING:
    from neuroport.sweeps.numbers import Quartiles, Share
    from neuroport.sweeps.table import Table

MOST_ROWS = 40
"""Grid points that are told; of more, the first."""


def page(table: Table) -> Page:
    """What a sweep is, and what came out."""
    columns, rows = lines(table)
    parts: list[Any] = [Text(counts(table)), *(Text(text) for text in conditions(table))]
    return Page(f"of {table.network}", "", (*parts, Lines(tuple(columns), tuple(map(tuple, rows[:MOST_ROWS])))))


def counts(table: Table) -> str:
    """How many points have ended, and how; and what all of them have."""
    alike = [f"{name} {text(values[0])}" for name, values in table.axes.items() if _is_one(values)]
    common = f" with {', '.join(alike)}" if alike else ""
    said = [f"{number:,} {status}" for status, number in sorted(table.statuses.items())]
    said += [f"{table.missing:,} missing"] if table.missing else []
    return f"{table.total:,} points{common}: {', '.join(said) or 'none'}"


def _is_one(values: Any) -> bool:
    """Whether an axis has a single value."""
    return isinstance(values, list) and len(values) == 1


def conditions(table: Table) -> list[str]:
    """What counts as working."""
    if not table.wanted:
        return []
    asked = " and ".join(map(str, table.wanted))
    return [f"yield: specimens with {asked} in all of their runs, and Wilson's interval of 95 %"]


def lines(table: Table) -> tuple[list[str], list[list[Any]]]:
    """The table of grid points: settings, how many are done, the yield, and median and quartiles of metrics."""
    groups = table.groups()
    settings = [name for name in groups[0].settings if not _is_one(table.axes[name])] if groups else []
    metrics = [name for name in table.metrics if any(name in group.metrics for group in groups)]
    columns = [*settings, "done", *(["yield"] if table.wanted else []), *metrics]
    rows = [
        [
            *(text(group.settings[name]) for name in settings),
            f"{group.done} of {len(group.rows)}",
            *([] if group.share is None else [share(group.share)]),
            *(quartiles(group.metrics.get(name)) for name in metrics),
        ]
        for group in groups
    ]
    return columns, rows


def text(value: Any) -> Any:
    """A value of the grid in a cell."""
    from neuroport.sweeps.grid import flow

    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else flow(value)


def share(value: Share) -> str:
    """A yield: "93 % (93 of 100; 86 to 97 %)"."""
    if not value.of:
        return "-"
    low, high = value.interval
    return f"{100 * value.value:.0f} % ({value.works} of {value.of}; {100 * low:.0f} to {100 * high:.0f} %)"


def quartiles(value: Quartiles | None) -> str:
    """Median and quartiles of a metric: "0.021 (0.019 to 0.03)"."""
    if value is None:
        return "-"
    return f"{value.median:.4g} ({value.low:.4g} to {value.high:.4g})"
