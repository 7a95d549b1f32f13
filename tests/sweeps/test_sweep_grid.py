"""Grids, the points that they have, and what tells points from others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.numerics.units import Quantity
from neuroport.sweeps.asked import Asked, Condition, FromFile, FromValue, seconds
from neuroport.sweeps.grid import Wrong, axis, flow, plain, texts
from neuroport.sweeps.identity import of_network
from neuroport.sweeps.planned import Planned, planned
from neuroport.sweeps.sweep import _conditions
from neuroport.sweeps.sweep import told as told_of


def plan(grid: dict[str, Any], network: Any = "loihi_lif", **more: Any) -> Planned:
    source = FromValue(neuroport.load(network)) if isinstance(network, str) else network
    return planned(Asked(source=source, axes=tuple(axis(name, given) for name, given in grid.items()), **more))


def told(grid: dict[str, Any], network: Any = "loihi_lif", **more: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        plan(grid, network, **more)
    return [str(problem) for problem in caught.value.problems]


def test_points_are_in_the_order_of_the_grid() -> None:
    made = plan({"cell.vth": [300, 400], "seed": range(2)})
    assert [(dict(job.point.settings), job.point.seed) for job in made.jobs] == [
        ({"cell.vth": 300}, 0),
        ({"cell.vth": 300}, 1),
        ({"cell.vth": 400}, 0),
        ({"cell.vth": 400}, 1),
    ]
    assert len({job.id for job in made.jobs}) == 4


def test_without_axes_there_is_one_point() -> None:
    (job,) = plan({}).jobs
    assert (job.point.plain(), job.chip.name) == ({"set": {}, "chip": None, "chip_seed": None, "seed": None}, "loihi1")


@pytest.mark.parametrize(
    ("given", "values"),
    [
        (3, [3]),
        ([1, 5], [1, 5]),
        ("0:3", [0, 1, 2]),
        ({"range": [2, 4]}, [2, 3]),
        (range(2), [0, 1]),
        (np.arange(2), [0, 1]),
        (np.int64(4), [4]),
    ],
)
def test_seeds_can_be_written_in_many_ways(given: Any, values: list[int]) -> None:
    assert list(axis("seed", given).values) == values


SEEDS = "seeds are whole numbers from 0 to 2**63 - 1, such as 3, [1, 2] or 0:100"


@pytest.mark.parametrize(
    ("name", "given", "text"),
    [
        ("seed", "x", f"holds 'x'; {SEEDS}"),
        ("seed", -1, f"holds -1; {SEEDS}"),
        ("seed", [True], f"holds True; {SEEDS}"),
        ("chip_seed", 0.5, f"holds 0.5; {SEEDS}"),
        ("seed", "0:x", f"holds 'x'; {SEEDS}"),
        ("seed", {"range": [1]}, "has the range [1]; give two whole numbers, such as {range: [0, 100]}"),
        ("seed", "3:3", "has no seed from 3 to before 3, as the last number is not one; give one above the first"),
        ("seed", range(0), "has no values; give at least one"),
        ("a.b", [], "has no values; give at least one"),
        ("a.b", [1, 1], "has 1 twice; leave one of the two out"),
        ("chip", [3], "holds 3; give names of chips, or paths of their descriptions"),
        ("a..b", 1, "is no path; write that of a setting, such as recurrent.eta_s, or chip, chip_seed or seed"),
        ("a.b", [1, float("inf")], "cannot hold inf; give finite numbers"),
        ("a.b", {1j}, "cannot hold {1j}; give numbers, texts, lists or mappings"),
    ],
)
def test_what_no_axis_can_have_is_told(name: str, given: Any, text: str) -> None:
    with pytest.raises(Wrong) as caught:
        axis(name, given)
    assert str(caught.value) == text


def test_a_setting_may_have_the_name_of_an_axis() -> None:
    made = plan({"set.seed": [5, 6], "seed": [7]})
    assert [one.column for one in made.asked.axes] == ["set.seed", "seed"]
    assert [(job.point.settings, job.point.seed) for job in made.jobs] == [((("seed", 5),), 7), ((("seed", 6),), 7)]


@pytest.mark.parametrize(
    "value", [0, -1.5, 1e-300, "20 ms", "on", "5", "", "a: [b", "é\n", True, None, [1, [2, "x"]], {"uniform": [0, 1]}]
)
def test_values_are_what_they_are_as_yaml(value: Any) -> None:
    """A text that could be read as a number stays a text."""
    from neuroport.sweeps.grid import written
    from neuroport.yaml.nodes import parse

    node = parse(f"key: {flow(value)}", "x.yaml")
    assert written(node) == {"key": value}


def test_values_of_python_become_those_of_files() -> None:
    given = [np.float64(0.5), np.array([1, 2]), Quantity(20, "ms"), (1, 2), {"a": np.int8(3)}]
    assert plain(given) == [0.5, [1, 2], "20 ms", [1, 2], {"a": 3}]
    assert texts([("a.b", "20 ms"), ("c", [1, 2])]) == ['a.b="20 ms"', "c=[1, 2]"]


def test_a_network_is_the_same_wherever_it_was_read_from(tmp_path: Path) -> None:
    text = neuroport.Network.of(neuroport.load("sal_pair")).to_yaml()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.yaml").write_text(f"# {name}\n\n{text}")
    a, b = (neuroport.load(tmp_path / name / "net.yaml") for name in ("a", "b"))
    assert of_network(a) == of_network(b) == of_network(neuroport.load("sal_pair"))
    assert of_network(a) != of_network(neuroport.load("sal_pair", ["recurrent.eta_s=0.06"]))
    assert of_network(a) != of_network(neuroport.load("sal_pair", ["recurrent.weight=[1.5, 0.25]"]))


def test_the_numbers_of_a_file_belong_to_a_point(tmp_path: Path) -> None:
    text = neuroport.Network.of(neuroport.load("sal_pair")).to_yaml()
    (tmp_path / "net.yaml").write_text(text.replace("weight: [1.5, 0.5]", "weight: {file: w.csv}"))
    found = []
    for numbers in ("1.5\n0.5\n", "1.5\n0.25\n"):
        (tmp_path / "w.csv").write_text(numbers)
        found.append(of_network(neuroport.load(tmp_path / "net.yaml")))
    assert found[0] != found[1]


def test_an_id_is_that_of_what_is_computed() -> None:
    (one,) = plan({"cell.vth": 300, "seed": 1}).jobs
    alike = [plan({"cell.vth": [200, 300], "seed": "0:2"}), plan({"seed": [1], "cell.vth": [300]})]
    assert all(one.id in {job.id for job in other.jobs} for other in alike)
    others: list[dict[str, Any]] = [{"duration": "40 ms"}, {"backend": "reference"}]
    assert all(one.id != plan({"cell.vth": 300, "seed": 1}, **more).jobs[0].id for more in others)


def test_a_chip_whose_specimens_are_alike_is_run_once() -> None:
    grid = {"chip": ["ideal", "generic8_mismatch10"], "chip_seed": range(3)}
    made = plan(grid, "sal_pair")
    assert [(job.point.chip, job.point.chip_seed) for job in made.jobs] == [
        ("ideal", None),
        *(("generic8_mismatch10", seed) for seed in range(3)),
    ]
    assert made.notes == ["all specimens of chip 'ideal' are alike: it is run without chip seeds"]


def test_all_problems_are_told_at_once() -> None:
    problems = told(
        {"cell.vt": [1], "chip": ["generic9", "ideal"], "chip_seed": 1},
        backend="emulate",
        wanted=(Condition("dkl", "<", 1.0),),
    )
    assert [text.partition(";")[0] for text in problems] == [
        "there is no backend 'emulate'",
        "there is no chip 'generic9'",
        "network 'loihi_lif' has no metric 'dkl'",
        "a chip seed stands for a specimen, and all specimens of 'ideal' are alike",
        "with_('cell.vt', value=…): population 'cell' has no parameter 'vt'",
    ]


def test_a_grid_has_its_limits() -> None:
    (text,) = told({"seed": range(2**62)})
    assert text.startswith("the grid has 4,611,686,018,427,387,904 points, and a sweep at most 100,000; ")
    twice = (axis("a.b", 1), axis("set.a.b", 2))
    with pytest.raises(InvalidInput, match=r"^'a\.b' is given twice; put all its values into one list$"):
        planned(Asked(source=FromValue(neuroport.load("loihi_lif")), axes=twice))


def test_of_many_settings_that_are_wrong_some_are_told() -> None:
    problems = told({"cell.vth": [f"{k} ms" for k in range(9)]})
    assert (len(problems), problems[-1]) == (6, "4 more combinations of settings have problems")


def test_copies_are_what_a_sweep_makes_itself() -> None:
    network = FromValue(neuroport.load("loihi_lif", ["copies=3"]))
    (text,) = told({"seed": 1}, network)
    assert (
        "network 'loihi_lif' has 3 independent copies, and a sweep makes runs of one each; leave `copies` out" in text
    )


def test_a_list_of_numbers_fulfils_no_condition() -> None:
    (text,) = told({}, "sal_pair", wanted=(Condition("weights", "<", 1.0),))
    assert text.startswith("metric 'weights' is a list of numbers, and a condition compares one number; ")


def test_networks_that_are_not_held_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    from neuroport.sweeps import planned as module

    path = tmp_path / "net.yaml"
    path.write_text(neuroport.Network.of(neuroport.load("loihi_lif")).to_yaml())
    monkeypatch.setattr(module, "HELD", 0)
    made = plan({"cell.vth": [300, 400]}, FromFile(path))
    assert pickle.loads(made.pickled(1)) == neuroport.load(path, ["cell.vth=400"])
    path.write_text(path.read_text().replace("dv: 1024", "dv: 1000"))
    with pytest.raises(InvalidInput, match="has changed since the sweep began; start the sweep again"):
        made.pickled(1)


@pytest.mark.parametrize(("text", "number"), [("30 s", 30), ("10 min", 600), ("0.5h", 1800), ("1 d", 86400), (2, 2)])
def test_times_by_the_clock(text: Any, number: float) -> None:
    assert seconds(text) == number


@pytest.mark.parametrize("text", ["", "10", "-1 s", "0 s", "10 steps", 0, -1, True, float("nan"), None])
def test_what_is_no_time_by_the_clock(text: Any) -> None:
    with pytest.raises(Wrong, match=r"^must be a time by the clock, such as '30 s', '10 min' or '2 h'; found "):
        seconds(text)


@pytest.mark.parametrize("said", ["", "0.5", "< nan", ">= inf", [], ["> 1", "x"], [["> 1"]], None])
def test_what_is_no_condition(said: Any) -> None:
    with pytest.raises(Wrong, match="must be a sign and a number, such as"):
        Condition.all_of("m", said)


def test_all_conditions_are_kept_in_python_and_in_the_folder() -> None:
    problems: list[Any] = []
    wanted = tuple(_conditions({"m": ["> 1", "< 3"], "n": ">= 0.1"}, problems))
    plan = Planned(Asked(source=FromFile(Path("a.yaml")), axes=(), wanted=wanted))
    assert not problems
    assert told_of(plan)["yield"] == [["m", "> 1.0"], ["m", "< 3.0"], ["n", ">= 0.1"]]


@pytest.mark.parametrize(("text", "values"), [("< 0.5", [0, 0.4]), (">=2", [2, 3.5]), ("<= -1e-3", [-1]), (">1", [2])])
def test_conditions(text: str, values: list[float]) -> None:
    condition = Condition.of("m", text)
    assert all(map(condition.holds, values))
    assert not any(map(condition.holds, [1 if text != ">=2" and text != "< 0.5" else 1.5, None, [0], "x"]))
