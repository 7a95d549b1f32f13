"""What came out of a sweep as rows, and what is told of those of one grid point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neuroport.pages.html import html
from neuroport.pages.plain import brief
from neuroport.sweeps.asked import Condition
from neuroport.sweeps.folder import SHORT
from neuroport.sweeps.forms import DONE
from neuroport.sweeps.grid import AXES, column
from neuroport.sweeps.numbers import Quartiles, Share

if TYPE_CHECKING:
    import pandas

    from neuroport.pages import Page

TIMES = ("build_s", "run_s")
"""What differs where a point is run once more."""


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one grid point: all that have its settings and its chip. `settings`: column -> value, the chip's too.

    `share`: how many specimens (or, of a chip as designed, runs) fulfil all conditions; None where there are none. A
    specimen does when all of its runs do; one with a run that is not done, or that never measured a metric of a
    condition, does not count. `metrics`: of last values that are finite, and `finite` of how many runs.
    """

    settings: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    done: int
    share: Share | None
    metrics: Mapping[str, Quartiles]
    finite: Mapping[str, int]

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        share = None
        if self.share is not None:
            low, high = self.share.interval
            share = {
                "works": self.share.works,
                "of": self.share.of,
                "low": low,
                "high": high,
            }
        metrics = {
            name: {"q1": q.low, "median": q.median, "q3": q.high, "runs": self.finite[name]}
            for name, q in self.metrics.items()
        }
        runs = {"runs": len(self.rows), "done": self.done}
        return {"settings": dict(self.settings), **runs, "yield": share, "metrics": metrics}


@dataclass(frozen=True)
class Table:
    """What came out of a sweep. `rows`: a mapping for every point that has ended, in the order of the grid.

    A row has the columns of the grid, `chip` (its name), `chip_seed`, `seed`, `status` (done, failed, killed, timeout)
    and `error`; of a point that is done each METRIC at the end (None if it is not finite), METRIC.measured (how often),
    METRIC.lowest and METRIC.highest where it was measured more than once, `steps`, `spikes.POPULATION`, `overflows`
    (stores that met the end of a range), `overflows.ARRAY`, `not_finite`, `digest`, `build_s`, `run_s` (seconds),
    `trace` and `id`. What a row has not is None. `axes`: those of the grid with their values. `total`: how many points
    the sweep has. pandas.DataFrame(table.rows) takes them.
    """

    network: str
    axes: Mapping[str, Any]
    wanted: tuple[Condition, ...]
    rows: tuple[Mapping[str, Any], ...]
    metrics: tuple[str, ...]
    total: int

    @classmethod
    def of(cls, told: Mapping[str, Any], lines: Mapping[str, Mapping[str, Any]]) -> Table:
        """The table of the lines of a sweep by their ids, given what its folder says of it."""
        by_id = {key[:SHORT]: row for key, row in lines.items()}
        ended = [by_id[key] for key in told["points"] if key in by_id]
        axes = dict(told["axes"])
        names = list(dict.fromkeys(name for row in ended for name in row.get("metrics", {})))
        flat = [_flat(row, axes, names) for row in ended]
        columns = dict.fromkeys(name for row in flat for name in row)
        order = sorted(columns, key=lambda name: _rank(name, axes))
        rows = tuple({name: row.get(name) for name in order} for row in flat)
        wanted = tuple(Condition.of(name, text) for name, text in told["yield"])
        return cls(told["network"], axes, wanted, rows, tuple(_free(name, axes) for name in names), len(told["points"]))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(self.rows[0]) if self.rows else ()

    @property
    def statuses(self) -> Mapping[str, int]:
        """How many rows have each status."""
        return Counter(row["status"] for row in self.rows)

    @property
    def missing(self) -> int:
        """How many points have not ended."""
        return self.total - len(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, name: str) -> list[Any]:
        """A column."""
        return [row[name] for row in self.rows]

    def __repr__(self) -> str:
        return brief("Table", self._page())

    def _repr_html_(self) -> str:
        return html(self._page(), "Table")

    def _page(self) -> Page:
        from neuroport.sweeps.told import page

        return page(self)

    @property
    def times(self) -> tuple[float, float] | None:
        """The seconds that all points took to build, and to run; None where none is done."""
        done = self.done
        return (sum(row["build_s"] for row in done), sum(row["run_s"] for row in done)) if done else None

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values: rows, and what is told of each grid point."""
        return {
            "network": self.network,
            "axes": dict(self.axes),
            "total": self.total,
            "missing": self.missing,
            "yield": [str(one) for one in self.wanted],
            "groups": [group.as_dict() for group in self.groups()],
            "rows": [dict(row) for row in self.rows],
        }

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a frame of pandas. Unsupported without it."""
        from neuroport.trace.tables import needed

        return needed("pandas", "tables").DataFrame(list(self.rows), columns=list(self.columns))

    def groups(self) -> tuple[Group, ...]:
        """The grid points, in order: each with all of its runs."""
        keys = [name for name in self.axes if name not in ("chip_seed", "seed")]
        found: dict[str, list[Mapping[str, Any]]] = {}
        for row in self.rows:
            found.setdefault(repr([row[name] for name in keys]), []).append(row)
        return tuple(self._group({name: rows[0][name] for name in keys}, rows) for rows in found.values())

    def _group(self, settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Group:
        done = [row for row in rows if row["status"] == DONE]
        values = {name: [row[name] for row in done if _is_number(row[name])] for name in self.metrics}
        quartiles = {name: found for name, numbers in values.items() if (found := Quartiles.of(numbers)) is not None}
        finite = {name: len(numbers) for name, numbers in values.items()}
        return Group(settings, tuple(rows), len(done), self._share(rows) if self.wanted else None, quartiles, finite)

    def _share(self, rows: Sequence[Mapping[str, Any]]) -> Share:
        """How many specimens, or runs, work."""
        parts: dict[Any, list[Mapping[str, Any]]] = {}
        for k, row in enumerate(rows):
            parts.setdefault((row["chip_seed"], None if row["chip_seed"] is not None else k), []).append(row)
        known = [part for part in parts.values() if all(map(self.counts, part))]
        return Share(sum(all(map(self.works, part)) for part in known), len(known))

    def counts(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is of a point that is done, with all metrics of conditions measured."""
        return row["status"] == DONE and all(row.get(f"{self._column(one)}.measured") for one in self.wanted)

    def works(self, row: Mapping[str, Any]) -> bool:
        """Whether a row fulfils all conditions."""
        return all(one.holds(row[self._column(one)]) for one in self.wanted)

    def _column(self, condition: Condition) -> str:
        return _free(condition.metric, self.axes)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The metrics of conditions that no line has."""
        return tuple(name for name in map(self._column, self.wanted) if name not in self.metrics)

    @property
    def done(self) -> list[Mapping[str, Any]]:
        """The rows of points that are done."""
        return [row for row in self.rows if row["status"] == DONE]

    @property
    def lists(self) -> tuple[str, ...]:
        """The metrics that are lists of numbers."""
        return tuple(name for name in self.metrics if any(isinstance(row[name], list) for row in self.rows))

    @property
    def numbers(self) -> tuple[str, ...]:
        """The other metrics: each is one number, or was never measured."""
        return tuple(name for name in self.metrics if name not in self.lists)

    @property
    def sampled(self) -> tuple[bool, bool]:
        """Whether there are runs on specimens of chips, and others."""
        seeded = {row["chip_seed"] is not None for row in self.rows}
        return True in seeded, False in seeded


def _flat(row: Mapping[str, Any], axes: Mapping[str, Any], metrics: Sequence[str]) -> dict[str, Any]:
    point = row["point"]
    flat = {column(path): value for path, value in point["set"].items()}
    flat |= {name: point[name] if row.get(name) is None else row[name] for name in AXES}
    flat |= {"status": row["status"], "error": row.get("error")}
    for name in metrics:
        measured, free = row.get("metrics", {}).get(name, {}), _free(name, axes)
        flat |= {free: measured.get("last"), f"{free}.measured": measured.get("measured")}
        if measured.get("measured", 0) > 1 and measured["lowest"] is not None:
            flat |= {f"{free}.lowest": measured["lowest"], f"{free}.highest": measured["highest"]}
    flat |= {name: row.get(name) for name in ("steps", "digest", *TIMES)}
    for name in ("overflows", "not_finite"):
        flat[name] = sum(row[name].values()) if name in row else None
    flat |= {f"spikes.{name}": number for name, number in row.get("spikes", {}).items()}
    flat |= {f"overflows.{name}": number for name, number in row.get("overflows", {}).items()}
    return flat | {"trace": row.get("trace"), "id": row["id"][:SHORT]}


def _free(metric: str, axes: Mapping[str, Any]) -> str:
    """The column of a metric; another one where the grid has one of that name, or every table."""
    taken = {*axes, *AXES, *_FIRST, *_LAST}
    return f"metric.{metric}" if metric in taken else metric


_FIRST = ("status", "error")
_LAST = ("steps", "overflows", "not_finite", "digest", *TIMES, "trace", "id")


def _rank(name: str, axes: Mapping[str, Any]) -> tuple[int, int]:
    """Where a column stands: those of the grid, chip and seeds, how it ended, metrics, spikes, the rest."""
    own = [one for one in axes if one not in AXES]
    if name in own:
        return 0, own.index(name)
    for rank, names in ((1, AXES), (2, _FIRST), (5, _LAST)):
        if name in names:
            return rank, names.index(name)
    return (4, 0) if name.startswith("spikes.") else (6, 0) if name.startswith("overflows.") else (3, 0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
