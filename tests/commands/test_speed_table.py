"""The table of `benchmarks/run.py`: what its cells say, what a page gets, and who computes the same."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.checkout import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks import building
from benchmarks import run as speed
from benchmarks.peers import apart, cases, exact, starting, units
from benchmarks.peers.cases import BRIAN, GENN, OTHERWISE, OURS, PROTOTYPE, Case, Setting
from benchmarks.peers.exact import LAVA, LOIHI
from benchmarks.peers.measuring import Cell, Took, in_turns, timed


def case(same: str = "identical", **took: tuple[float, float]) -> Case:
    """A case whose contestants take so long of the processor and by the clock."""
    runs = {name: (lambda t=t: Took(*t)) for name, t in took.items()}  # type: ignore[misc]
    made = Case("a network", "ms", 1e3, runs, lambda _: same)
    made.targets, made.missing = {PROTOTYPE: 1.3, GENN: 2.0}, {"Brian2": "No module named 'brian2'"}
    return made


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """One case, `a`, that takes no time."""
    made = {"a": lambda _: case(ours=(0.01, 0.01), prototype=(0.005, 0.005), GeNN=(0.03, 0.03))}
    monkeypatch.setattr(speed, "CASES", made)
    monkeypatch.setattr(speed, "machine", lambda: "A machine")


def test_the_table_tells_ratios_targets_and_what_is_missing() -> None:
    row = speed.row("a", case(ours=(0.01, 0.02), prototype=(0.005, 0.005), GeNN=(0.03, 0.03)), 3)
    assert speed.table([row]) == (
        "| what | unit | ours | by the clock | prototype | GeNN | Brian2 | the same? |\n"
        "|---|---|---|---|---|---|---|---|\n"
        "| a network | ms | 10 (10) | not measured: busy | 5 (5) **2.00 x** [<= 1.3] missed "
        "| 30 (30) **3.00 x** [>= 2] | not installed | identical |"
    )


def test_time_by_the_clock_is_told_on_a_machine_that_is_not_busy() -> None:
    assert speed.row("a", case(ours=(0.01, 0.0105)), 3).clock() == "10.5"


def test_contestants_take_turns_and_a_first_round_does_not_count() -> None:
    turns: list[str] = []

    def contestant(name: str, *took: float) -> Any:
        left = list(took)

        def run() -> Took:
            turns.append(name)
            return Took(left.pop(0), 1.0, len(turns))

        return run

    runs = {"a": contestant("a", 9, 1, 3, 2), "b": contestant("b", 8, 5, 4, 6)}
    cells, results = in_turns(runs, 3, 10.0, warm=True)
    assert turns == ["a", "b"] * 4
    assert cells["a"].cpu == [10, 30, 20]
    assert (cells["a"].median, cells["b"].median) == (20, 50)
    assert results == [{"a": 1, "b": 2}, {"a": 3, "b": 4}, {"a": 5, "b": 6}, {"a": 7, "b": 8}]


def test_a_case_may_be_repeated_less_often() -> None:
    made = case(ours=(1.0, 1.0))
    made.most = 2
    assert [len(speed.row("a", made, repeats).cells[OURS].cpu) for repeats in (1, 2, 9)] == [1, 2, 2]


def test_a_run_is_timed_of_the_processor_and_by_the_clock() -> None:
    took = timed(lambda: sum(range(100_000)))()
    assert took.result == 4999950000
    assert 0 < took.cpu <= took.wall * 2


@pytest.mark.usefixtures("measured")
def test_all_prints_the_table_and_writes_json_and_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "speed.md"
    page.write_text(f"before\n{speed.BEGIN}\n\nold\n\n{speed.END}\nafter\n", "utf-8")
    monkeypatch.setattr(speed, "PAGE", page)
    assert speed.main(["--all", "--json", str(tmp_path / "found.json"), "--write", "--repeats", "2"]) == 0
    shown = capsys.readouterr().out
    text = page.read_text("utf-8")
    head = "Processor time, median (least) of 2 repeats in turns. A machine."
    assert text.startswith(f"before\n{speed.BEGIN}\n\n{head}\n\n| what |")
    assert text.endswith(f"\n\n{speed.END}\nafter\n")
    assert "old" not in text
    assert shown.startswith(head)
    assert shown.endswith("\nBrian2: No module named 'brian2'\n")
    (found,) = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found["cells"]["GeNN"] == {"cpu": [30.0, 30.0], "wall": [30.0, 30.0]}


def test_programs_that_differ_end_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    different = case("prototype DIFFERENT, all 7 spikes", ours=(1.0, 1.0), prototype=(1.0, 1.0))
    monkeypatch.setattr(speed, "CASES", {"a": lambda _: different})
    assert speed.main(["a", "--repeats", "1"]) == 1


REFUSED = {
    "": "say what to measure: --all, --quick or the names of cases",
    "help --write": "--write puts the whole table into the page; it needs --all, and no names of cases",
    "help --all --write": "--write puts the whole table into the page; it needs --all, and no names of cases",
    "help --repeats 0": "--repeats: at least 1",
}


@pytest.mark.parametrize("given", REFUSED)
def test_what_cannot_be_measured_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        speed.main(given.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"{REFUSED[given]}\n")


def test_quick_leaves_out_what_takes_long() -> None:
    quick, everything = (speed.chosen(speed.arguments([option])) for option in ("--quick", "--all"))
    assert set(everything) - set(quick) == speed.LONG
    assert everything == list(speed.CASES)


def test_what_is_not_installed_is_told_and_not_measured() -> None:
    made = case(ours=(1.0, 1.0))

    def missing() -> Any:
        raise ImportError("No module named 'pygenn'")

    cases.add(made, GENN, missing)
    assert made.missing[GENN] == "No module named 'pygenn'"
    assert list(made.contestants) == [OURS]


def test_environments_are_named_by_options_and_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("BRIAN2_PYTHON", "LOIHI_PYTHON", "LAVA_PYTHON"):
        monkeypatch.delenv(variable, raising=False)
    assert speed.pythons(speed.arguments(["--all"])) == {}
    monkeypatch.setenv("LAVA_PYTHON", "old/python")
    monkeypatch.setenv("BRIAN2_PYTHON", "other/python")
    named = speed.pythons(speed.arguments(["--all", "--brian2", "new/python", "--loihi", "third/python"]))
    assert named == {BRIAN: "new/python", LOIHI: "third/python", LAVA: "old/python"}


@pytest.mark.parametrize(("name", "option"), [(n, o) for n, o in speed.APART.items()])
def test_an_environment_that_is_not_named_is_asked_for(name: str, option: str, tmp_path: Path) -> None:
    with setting(tmp_path) as where, pytest.raises(ImportError) as found:
        where.python(name, option)
    assert str(found.value) == f"needs an environment of its own: {option} PYTHON"


def program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Any:
    """What makes a contestant of a program with this text, whose result is what it counted."""
    (folder / "other.py").write_text(text, "utf-8")
    monkeypatch.setattr(apart, "PROGRAMS", folder)

    def made(closing: contextlib.ExitStack) -> Any:
        return apart.repeats(sys.executable, "other.py", folder, folder / "out", 7, closing, lambda count: count + 1)

    return made


def test_a_program_apart_runs_as_often_as_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "import sys\nprint('words of its own')\nprint('READY', flush=True)\n"
        "for k, _ in enumerate(sys.stdin): print('more\\nRAN', 0.5, 0.25 + k, sys.argv[3], flush=True)\n"
    )
    with contextlib.ExitStack() as closing:
        run = program(tmp_path, monkeypatch, text)(closing)
        assert [run(), run()] == [Took(0.5, 0.25, 8), Took(0.5, 1.25, 8)]


def test_a_program_apart_that_fails_tells_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = program(tmp_path, monkeypatch, "import sys\nsys.exit('many\\nwords\\nno such module')\n")
    with contextlib.ExitStack() as closing, pytest.raises(OSError, match=r"^other\.py does not run: no such module$"):
        made(closing)


def test_a_program_apart_that_says_nothing_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = program(tmp_path, monkeypatch, "")
    with contextlib.ExitStack() as closing, pytest.raises(OSError, match=r"^other\.py does not run: it ended$"):
        made(closing)


def test_one_spike_at_another_place_is_a_difference() -> None:
    spikes = np.array([[0, 3], [5, 1]])
    other = np.array([[0, 3], [5, 2]])
    same = {OURS: spikes, LAVA: spikes, LOIHI: spikes}
    assert exact.identical([same, same]) == "Lava identical, all 2 spikes; brian2-loihi identical, all 2 spikes"
    told = exact.identical([same, {**same, LOIHI: other}])
    assert told == "Lava identical, all 2 spikes; brian2-loihi DIFFERENT, all 2 spikes"
    assert exact.identical([same, {**same, OURS: other}]).startswith("ours DIFFERENT, all 2 spikes; ")
    assert exact.identical([{OURS: spikes}]) == "-"


def test_time_that_no_clock_measured_is_not_told() -> None:
    assert speed.row("a", case(ours=(0.01, float("nan"))), 3).clock() == "-"


def test_processes_keep_bytecode_as_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    seen = building.environment("there", "here")
    assert (seen["NEUROPORT_CACHE"], seen["PYTHONPYCACHEPREFIX"]) == ("there", "here")
    assert "PYTHONDONTWRITEBYTECODE" not in seen


def test_one_number_is_no_median() -> None:
    assert speed.row("a", case(ours=(0.01, 0.01)), 1).told(OURS) == "10"
    assert Cell([1.0, 3.0], [1.0, 3.0]).median == 2


@contextlib.contextmanager
def setting(folder: Path) -> Iterator[Setting]:
    """A place for what is built."""
    with contextlib.ExitStack() as closing:
        yield Setting(str(folder), closing)


@pytest.mark.slow
def test_units_that_are_told_of_begin_and_end_spike_as_those_that_are_sent_to_in_every_step() -> None:
    found = [units.run(made(20), 2000)().result for made in (units.by_events, units.by_steps)]
    assert len(found[0][0]) > 100
    assert np.array_equal(found[0], found[1])


@pytest.mark.slow
def test_what_has_been_compiled_once_is_not_compiled_again(tmp_path: Path) -> None:
    with setting(tmp_path) as where:
        row = speed.row("second-run", starting.second(where), 1)
    assert row.same == "nothing is compiled"


@pytest.mark.dear
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rest-static", "0 spikes"),
        pytest.param("rest-stdp", "0 spikes", marks=pytest.mark.slow),
        pytest.param("seldom-4k", "ours 0.099 spikes per second, otherwise 11", marks=pytest.mark.slow),
    ],
)
def test_networks_at_rest_do_not_spike(name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.rest.STEPS", 500)
    with setting(tmp_path) as where:
        row = speed.row(name, speed.CASES[name](where), 1)
    assert row.same == told
    assert row.ratio(OTHERWISE) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", [LAVA, LOIHI])
def test_programs_that_compute_as_loihi_does_have_the_same_spikes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = speed.pythons(speed.arguments(["--all"]))
    if name not in named:
        pytest.skip(f"{speed.APART[name]} names no environment")
    monkeypatch.setattr(exact, "STEPS", 60)
    with contextlib.ExitStack() as closing:
        made = exact.loihi(4_000, Setting(str(tmp_path), closing, {name: named[name]}))
        row = speed.row("loihi-4k", made, 1)
    assert row.same.startswith(f"{name} identical, all ")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["static-4k", "delays-4k", "stdp-4k", "dense"])
def test_programs_written_by_hand_compute_the_same(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit: all spikes and all learned weights."""
    pytest.importorskip("numba", reason="programs written by hand need Numba")
    monkeypatch.setattr(cases, "STEPS", 300)
    with setting(tmp_path) as where:
        made = speed.CASES[name](where)
        made.contestants = {n: r for n, r in made.contestants.items() if n in (OURS, PROTOTYPE)}
        row = speed.row(name, made, 1)
    assert row.same.startswith("prototype identical, all ")
