"""A table of a sweep as a page: how many points there are, and a line for every grid point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuroport.pages import Page, Text
from neuroport.pages import Table as Lines

if TYPE_CHECKING:
    from neuroport.sweeps.numbers import Share
    from neuroport.sweeps.table import Group, Table

MOST_ROWS = 40
"""Grid points that are told; of more, the first."""


def page(table: Table) -> Page:
    """What a sweep is, and what came out."""
    columns, rows = lines(table)
    parts: list[Any] = [Text(counts(table)), *(Text(text) for text in (*conditions(table), *notes(table)))]
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
    specimens, runs = table.sampled
    if not specimens:
        return [f"yield: runs with {asked}, and Wilson's interval of 95 % over runs"]
    aside = " (of chips without: runs)" if runs else ""
    return [f"yield: specimens{aside} with {asked} in all of their runs, and Wilson's interval of 95 %"]


def notes(table: Table) -> list[str]:
    """What medians and the yield leave out, and what is not finite."""
    done, asked = table.done, {one.metric for one in table.wanted}
    of, said = f"of {len(done):,} runs", []
    for name in dict.fromkeys((*table.numbers, *table.unknown)):
        never = sum(not row.get(f"{name}.measured") for row in done)
        lost = sum(row.get(name) is None for row in done) - never
        if never:
            left = ", which do not count for the yield" if name.removeprefix("metric.") in asked else ""
            said.append(f"{name}: never measured in {never:,} {of}{left}")
        if lost:
            said.append(
                f"{name}: {lost:,} {of} have no finite value at the end; median and quartiles are of the others"
            )
    said += [f"{name}: a list of numbers, which only files of the table have" for name in table.lists]
    if strange := sum(bool(row["not_finite"]) for row in done):
        said.append(f"not finite: {strange:,} {of} have state or weights that are not finite at the end")
    return said


def lines(table: Table) -> tuple[list[str], list[list[Any]]]:
    """The table of grid points: settings, how many are done, the yield, and median and quartiles of metrics."""
    groups = table.groups()
    settings = [name for name in groups[0].settings if not _is_one(table.axes[name])] if groups else []
    metrics = table.numbers
    columns = [*settings, "done", *(["yield"] if table.wanted else []), *metrics]
    rows = [
        [
            *(text(group.settings[name]) for name in settings),
            f"{group.done} of {len(group.rows)}",
            *([] if group.share is None else [share(group.share)]),
            *(quartiles(group, name) for name in metrics),
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


def quartiles(group: Group, name: str) -> str:
    """Median and quartiles of a metric: "0.021 (0.019 to 0.03)", with of how many runs if not of all that are done."""
    value = group.metrics.get(name)
    if value is None:
        return "-"
    some = f"; {group.finite[name]} of {group.done} runs" if group.finite[name] < group.done else ""
    return f"{value.median:.4g} ({value.low:.4g} to {value.high:.4g}{some})"
