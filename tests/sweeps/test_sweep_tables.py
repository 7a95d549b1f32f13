"""What came out of a sweep: rows, yields with their intervals, median and quartiles, and files."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.errors import InvalidInput
from neuroport.sweeps import pictures, told, written
from neuroport.sweeps.numbers import Quartiles, Share
from neuroport.sweeps.table import Table


def line(k: int, point: dict[str, Any], value: Any = None, **more: Any) -> dict[str, Any]:
    """A line of a point that is done, with a metric `m` that was measured twice."""
    measured = {"measured": 2, "step": 5, "last": value, "lowest": 0.0, "highest": 9.0}
    values = {"measured": 1, "step": 5, "last": [1.5, None], "lowest": None, "highest": None}
    plain = {"set": {}, "chip": None, "chip_seed": None, "seed": None, **point}
    done = {"chip": "c", "chip_seed": plain["chip_seed"], "seed": plain["seed"] or 1, "steps": 5, "digest": "d"}
    came = {"metrics": {"m": measured, "seed": values}, "spikes": {"p": 3}, "overflows": {"p.v": 2}, "not_finite": {}}
    row = {"id": f"{k:064x}", "status": "done", "point": plain, "error": None}
    return {**row, **done, **came, "build_s": 0.5, "run_s": 0.25, "trace": None, **more}


def failed(k: int, point: dict[str, Any]) -> dict[str, Any]:
    plain = {"set": {}, "chip": None, "chip_seed": None, "seed": None, **point}
    return {"id": f"{k:064x}", "status": "failed", "point": plain, "error": "no", "run_s": 1.0}


def table(lines: list[dict[str, Any]], axes: list[Any], asked: dict[str, str] | None = None, missing: int = 0) -> Table:
    ids = [row["id"][:16] for row in lines]
    points = [f"{int(row['id'], 16):016x}" for row in lines] + [f"missing{k}" for k in range(missing)]
    by_id = {f"{key}{row['id'][16:]}": row for key, row in zip(points, lines, strict=False)}
    for key, row in by_id.items():
        row["id"] = key
    assert len(ids) == len(by_id)
    conditions = [[name, text] for name, texts in (asked or {}).items() for text in texts.split(" and ")]
    return Table.of({"network": "n", "axes": axes, "yield": conditions, "points": points}, by_id)


def chips(values: dict[tuple[float, int, int], float | None], **more: Any) -> Table:
    """Runs of settings, specimens and seeds; None: it failed."""
    lines = []
    for k, ((eta, chip_seed, seed), value) in enumerate(values.items()):
        point = {"set": {"a.eta": eta}, "chip_seed": chip_seed, "seed": seed}
        lines.append(failed(k, point) if value is None else line(k, point, value))
    return table(lines, [["a.eta", [0, 1]], ["chip_seed", {}], ["seed", [1, 2]]], **more)


def test_rows_have_all_that_came_out() -> None:
    found = table([line(0, {"seed": 2}, 0.5), failed(1, {"seed": 3})], [["seed", [2, 3]]], missing=1)
    assert found.columns == (
        *("chip", "chip_seed", "seed", "status", "error", "m", "m.measured", "m.lowest"),
        *("m.highest", "metric.seed", "metric.seed.measured", "spikes.p"),
        *("steps", "overflows", "not_finite", "digest", "build_s", "run_s", "trace", "id", "overflows.p.v"),
    )
    assert found.rows[0] == {
        "chip": "c",
        "chip_seed": None,
        "seed": 2,
        "status": "done",
        "error": None,
        "m": 0.5,
        "m.measured": 2,
        "m.lowest": 0.0,
        "m.highest": 9.0,
        "metric.seed": [1.5, None],
        "metric.seed.measured": 1,
        "spikes.p": 3,
        "steps": 5,
        "overflows": 2,
        "not_finite": 0,
        "digest": "d",
        "build_s": 0.5,
        "run_s": 0.25,
        "trace": None,
        "id": f"{0:016x}",
        "overflows.p.v": 2,
    }
    assert [name for name, value in found.rows[1].items() if value is not None] == [
        "seed",
        "status",
        "error",
        "run_s",
        "id",
    ]
    assert (len(found), found.total, found.missing, found.statuses) == (2, 3, 1, {"done": 1, "failed": 1})


def test_a_table_is_told() -> None:
    found = chips({(0, 0, 1): 1.0, (0, 1, 1): 2.0, (1, 0, 1): None}, asked={"m": "< 1.5"}, missing=1)
    assert repr(found) == (
        "<Table of n\n  4 points: 2 done, 1 failed, 1 missing\n"
        "  yield: specimens with m < 1.5 in all of their runs, and Wilson's interval of 95 %\n"
        "  metric.seed: a list of numbers, which only files of the table have>"
    )
    assert "50 % (1 of 2; 9 to 91 %)" in found._repr_html_()
    assert [group["yield"] for group in found.as_dict()["groups"]] == [
        {"works": 1, "of": 2, "low": pytest.approx(0.0945, abs=1e-4), "high": pytest.approx(0.9055, abs=1e-4)},
        {"works": 0, "of": 0, "low": 0.0, "high": 1.0},
    ]
    json.dumps(found.as_dict())


def test_a_specimen_works_when_all_of_its_runs_do() -> None:
    values = {(0, 0, 1): 1.0, (0, 0, 2): 1.0, (0, 1, 1): 1.0, (0, 1, 2): 2.0, (0, 2, 1): 1.0, (0, 2, 2): None}
    (group,) = chips(values, asked={"m": "< 1.5"}).groups()
    assert group.share == Share(1, 2) and (group.done, len(group.rows)) == (5, 6)


def test_of_a_chip_as_designed_runs_count() -> None:
    lines = [line(k, {"seed": k}, float(k)) for k in range(4)]
    (group,) = table(lines, [["seed", [0, 1, 2, 3]]], {"m": ">= 1"}).groups()
    assert group.share == Share(3, 4)


def test_all_conditions_of_a_metric_count() -> None:
    lines = [line(k, {"seed": k}, float(k)) for k in range(4)]
    found = table(lines, [["seed", [0, 1, 2, 3]]], {"m": ">= 1 and < 3"})
    (group,) = found.groups()
    assert group.share == Share(2, 4)
    assert told.conditions(found) == ["yield: runs with m >= 1 and m < 3, and Wilson's interval of 95 % over runs"]
    share = drawn(found).axes[-1]
    assert share.get_ylabel() == "share of runs" and share.get_title(loc="left").endswith("of 95 % over runs")


def measured(k: int, times: int, value: float | None) -> dict[str, Any]:
    """A line of which a metric was measured so many times."""
    values = {"measured": times, "step": None, "last": value, "lowest": None, "highest": None}
    return {**line(k, {"seed": k}, metrics={"m": values}), "not_finite": {"a.v": 3 if times and value is None else 0}}


def test_what_is_left_out_is_told() -> None:
    lines = [measured(0, 1, 1.0), measured(1, 2, None), measured(2, 0, None), measured(3, 1, 3.0)]
    found = table(lines, [["seed", [0, 1, 2, 3]]], {"m": "< 2"})
    (group,) = found.groups()
    assert group.share == Share(1, 3) and dict(group.finite) == {"m": 2}
    assert told.notes(found) == [
        "m: never measured in 1 of 4 runs, which do not count for the yield",
        "m: 1 of 4 runs have no finite value at the end; median and quartiles are of the others",
        "not finite: 1 of 4 runs have state or weights that are not finite at the end",
    ]
    assert told.lines(found)[1] == [["4 of 4", "33 % (1 of 3; 6 to 79 %)", "2 (1.5 to 2.5; 2 of 4 runs)"]]


def test_what_was_never_measured_has_its_column() -> None:
    found = table([measured(k, 0, None) for k in range(2)], [["seed", [0, 1]]], {"m": "< 2"})
    assert told.lines(found) == (["done", "yield", "m"], [["2 of 2", "-", "-"]])
    assert told.notes(found) == ["m: never measured in 2 of 2 runs, which do not count for the yield"]
    (other,) = table([measured(0, 1, 1.0)], [["seed", [0]]], {"n": "< 2"}).groups()
    assert other.share == Share(0, 0)
    assert (
        "n: never measured in 1 of 1 runs" in told.notes(table([measured(0, 1, 1.0)], [["seed", [0]]], {"n": "< 2"}))[0]
    )


def test_specimens_and_runs_are_told_apart() -> None:
    lines = [line(0, {"chip": "a", "chip_seed": 1}, 1.0), line(1, {"chip": "b"}, 1.0)]
    (said,) = told.conditions(table(lines, [["chip", ["a", "b"]], ["chip_seed", [1]]], {"m": "< 2"}))
    assert said.startswith("yield: specimens (of chips without: runs) with m < 2 in all of their runs, and")


@pytest.mark.parametrize(
    ("works", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (93, 100, 0.8625, 0.9657), (0, 0, 0.0, 1.0)],
)
def test_wilsons_interval(works: int, of: int, low: float, high: float) -> None:
    """As in tables of the interval of 95 %."""
    assert Share(works, of).interval == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_wilsons_interval_is_where_the_score_test_has_its_bounds() -> None:
    """The ends are the shares from which what was seen is Z standard deviations away."""
    for works, of in ((1, 7), (3, 50), (40, 41)):
        for end in Share(works, of).interval:
            assert abs(works / of - end) == pytest.approx(1.959963984540054 * math.sqrt(end * (1 - end) / of))


def test_median_and_quartiles() -> None:
    assert Quartiles.of([4.0, 1.0, 2.0, 3.0, 10.0]) == Quartiles(2.0, 3.0, 4.0)
    assert Quartiles.of([]) is None
    found = chips({(0, 0, 1): 1.0, (0, 1, 1): 3.0, (1, 0, 1): 5.0, (0, 2, 1): None})
    assert [dict(group.metrics) for group in found.groups()] == [
        {"m": Quartiles(1.5, 2.0, 2.5)},
        {"m": Quartiles(5.0, 5.0, 5.0)},
    ]
    assert [dict(group.settings) for group in found.groups()] == [{"a.eta": 0}, {"a.eta": 1}]


MIXED = [
    line(0, {"set": {"a.b": 1, "w": [1, 2]}, "seed": 1}, 0.5),
    line(1, {"set": {"a.b": "20 ms", "w": {"uniform": [0, 1]}}, "seed": 2}, 3),
    failed(2, {"set": {"a.b": 1.5, "w": None}, "seed": 3}),
]


def mixed() -> Table:
    lines = json.loads(json.dumps(MIXED))
    return table(lines, [["a.b", [1, "20 ms", 1.5]], ["w", []], ["seed", [1, 2, 3]]])


def test_a_table_is_written_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    written.write(mixed(), path)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["w"] for row in rows] == ["[1, 2]", '{"uniform": [0, 1]}', ""]
    assert [row["a.b"] for row in rows] == ["1", "20 ms", "1.5"]
    assert [row["m"] for row in rows] == ["0.5", "3", ""] and rows[2]["error"] == "no"
    with pytest.raises(InvalidInput, match="exists already"):
        written.write(mixed(), path)
    written.write(mixed(), path, overwrite=True)


def test_a_table_is_written_as_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    path = tmp_path / "t.parquet"
    written.write(mixed(), path)
    found = parquet.read_table(path).to_pydict()
    assert list(found) == list(mixed().columns)
    assert found["m"] == [0.5, 3.0, None] and found["seed"] == [1, 2, 3] and found["status"][2] == "failed"
    assert found["a.b"] == ["1", "20 ms", "1.5"]
    assert found["w"] == ["[1, 2]", '{"uniform": [0, 1]}', None]
    assert found["metric.seed"] == [[1.5, None], [1.5, None], None]


def test_a_table_needs_a_name_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"a table needs a name that ends in .csv or .parquet, such as t.txt.csv"):
        written.write(mixed(), tmp_path / "t.txt")
    (tmp_path / "t.csv").write_bytes(b"\x89HDF\0\0")
    with pytest.raises(InvalidInput, match="is no table, and only a table is replaced"):
        written.write(mixed(), tmp_path / "t.csv", overwrite=True)


def test_pandas_takes_a_table() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = mixed().to_pandas()
    assert list(frame.columns) == list(mixed().columns) == list(pandas.DataFrame(mixed().rows).columns)
    assert frame["seed"].tolist() == [1, 2, 3]


def drawn(found: Table, **more: Any) -> Any:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    return pictures.drawn(found, **more)


def many(etas: list[Any]) -> Table:
    lines = []
    for k, eta in enumerate(etas):
        for chip in ("a", "b"):
            for seed in range(5):
                number = len(lines)
                point = {"set": {"a.eta": eta}, "chip": chip, "chip_seed": seed}
                lines.append(line(number, point, 1.0 + k + seed / 10, chip=chip))
    return table(lines, [["a.eta", etas], ["chip", ["a", "b"]], ["chip_seed", {}]], {"m": "< 2.2"})


def test_a_picture_has_each_metric_over_the_first_setting() -> None:
    figure = drawn(many([0, 0.5, 1]))
    metric, share = figure.axes
    assert (metric.get_title(loc="left"), share.get_title(loc="left")) == (
        "m, with quartiles",
        "yield, with Wilson's interval of 95 % over chips",
    )
    assert [text.get_text() for text in metric.get_legend().get_texts()] == ["a", "b"]
    medians = [container.lines[0].get_xydata().tolist() for container in metric.containers]
    beside = [[[0.0 + by, 1.2], [0.5 + by, 2.2], [1.0 + by, 3.2]] for by in (-0.005, 0.005)]
    assert np.array(medians) == pytest.approx(np.array(beside))
    assert share.get_ylabel() == "share of chips"
    shares = [container.lines[0].get_ydata().tolist() for container in share.containers]
    assert shares == [[1.0, 0.4, 0.0]] * 2
    assert share.get_xlabel() == "a.eta" and metric.get_xlabel() == ""


@pytest.mark.parametrize(
    ("values", "label", "ticks"),
    [
        (["10 Hz", "20 Hz"], "a.eta (Hz)", None),
        (["10 Hz", "20 ms"], "a.eta", ["10 Hz", "20 ms"]),
        ([1, "x"], "a.eta", ["1", "x"]),
        ([True, False], "a.eta", ["true", "false"]),
        ([[1, 2], None], "a.eta", ["[1, 2]", "null"]),
    ],
)
def test_an_axis_has_numbers_or_names(values: list[Any], label: str, ticks: list[str] | None) -> None:
    share = drawn(many(values)).axes[-1]
    assert share.get_xlabel() == label
    if ticks is not None:
        assert [tick.get_text() for tick in share.get_xticklabels()] == ticks


def test_pictures_of_what_is_not_there_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"no metric 'n' that is one number came out of this sweep; .*there are: m"):
        drawn(many([0, 1]), metrics=["n"])
    with pytest.raises(InvalidInput, match=r"'a.et' is no column of this sweep's grid points; did you mean 'a.eta'\?"):
        drawn(many([0, 1]), over="a.et")
    with pytest.raises(InvalidInput, match="there is nothing to draw: no point is done"):
        drawn(table([], [["seed", [1]]], missing=1))


def test_series_with_the_same_values_are_both_seen() -> None:
    found = drawn(many([0, 0.5, 1])).axes[0].containers
    looks = [
        (one.lines[0].get_marker(), one.lines[0].get_markersize(), str(one.lines[0].get_linestyle())) for one in found
    ]
    (mark, size, line), (other, smaller, dashes) = looks
    assert mark != other and size > smaller and line != dashes


def test_lists_alone_are_nothing_to_draw() -> None:
    values = {"l": {"measured": 1, "step": 5, "last": [1.5, 2.0], "lowest": None, "highest": None}}
    found = table([line(0, {"seed": 1}, metrics=values)], [["seed", [1]]])
    assert told.lines(found)[0] == ["done"]
    assert told.notes(found) == ["l: a list of numbers, which only files of the table have"]
    with pytest.raises(
        InvalidInput, match="there is nothing to draw: the metrics that came out are lists of numbers: l; "
    ):
        drawn(found)


def test_a_sweep_over_seeds_alone_is_drawn() -> None:
    figure = drawn(table([line(k, {"seed": k}, float(np.exp(k))) for k in range(6)], [["seed", list(range(6))]]))
    (metric,) = figure.axes
    assert metric.get_yscale() == "log" and len(metric.containers) == 1
