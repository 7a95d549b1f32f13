"""The search for coefficients of docs/meta_plasticity.md, in short, and what ends it; what it finds with --slow."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import neuroport
from examples import meta_results
from neuroport.chips import description as chips
from tests.support import needs
from tests.support.checkout import ROOT
from tests.support.examples import example

needs.digits()
pytestmark = pytest.mark.dear
SEARCH = example("meta_search")
FEW = ("--generations", "2", "--candidates", "4", "--tasks", "2", "--fresh", "1")


def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[list[str], dict[str, float]]:
    """What a run prints of its generations, and right answers in fresh tasks, in %, by what learned them."""
    monkeypatch.setattr(sys, "argv", ["meta_search.py", *arguments])
    SEARCH.main()
    lines = capsys.readouterr().out.splitlines()
    fresh = {line[:16].strip(): float(line[16:].split()[0]) for line in lines[-3:]}
    return lines[:-4], fresh


def test_tasks_have_five_classes_and_no_image_of_another_part() -> None:
    given = SEARCH.tasks(4, np.random.default_rng(1), "test")
    assert given.images.shape == (250, 64, 4)
    assert given.asked_goals.shape == (50, 10, 4)
    assert (np.sort(given.goals.sum(axis=0), axis=0)[-5:] == 50).all()
    assert (np.sort(given.asked_goals.sum(axis=0), axis=0)[-5:] == 10).all()
    learned, asked = ({row.tobytes() for row in part[:, :, 0]} for part in (given.images, given.asked_images))
    assert len(learned) == 250
    assert not learned & asked


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    """What a run says on standard error that ends with that exit code and has printed nothing else."""
    with pytest.raises(SystemExit) as ended:
        told(monkeypatch, capsys, *arguments)
    out, said = capsys.readouterr()
    assert ended.value.code == code
    assert out == ""
    assert "Traceback" not in said
    return said.strip()


def test_a_search_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "done.txt"
    whole = told(monkeypatch, capsys, *FEW, "--results", str(file))
    first, one, two = file.read_bytes().splitlines(keepends=True)
    for kept in (first + one, first + one + two[:-1]):
        file.write_bytes(kept)
        assert told(monkeypatch, capsys, *FEW, "--results", str(file)) == whole
        assert file.read_bytes() == first + one + two
    monkeypatch.setattr(SEARCH.Learners, "percent", None)  # nothing is asked of the chip for what is not its file
    for other, word in (
        (("--seed", "2"), "seed 1 instead of 2"),
        (("--chip", "generic16"), "chip ideal instead of generic16"),
        (("--tied",), "tied False instead of True"),
        (("--begin", "0.1", "0", "0"), "begin [0.01, 0.0, 0.0] instead of [0.1, 0.0, 0.0]"),
        (("--candidates", "3"), "candidates 4 instead of 3"),
    ):
        assert word in refused(monkeypatch, capsys, *FEW, "--results", str(file), *other)
        assert file.read_bytes() == first + one + two


def test_quick_is_of_what_is_not_given(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(monkeypatch, capsys, "--quick", *FEW) == told(monkeypatch, capsys, *FEW)


def test_a_part_of_a_last_line_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "done.txt"
    kept = meta_results.Results(str(file), {"seed": 1}, 2)
    kept.begin()
    kept.add([1.5, 2.5])
    kept.add([3.5, 4.5])
    whole = file.read_bytes()
    first, one, _ = whole.splitlines(keepends=True)
    for end in range(len(first), len(whole)):
        file.write_bytes(whole[:end])
        found = meta_results.Results(str(file), {"seed": 1}, 2)
        assert found.scores == ([[1.5, 2.5]] if end >= len(first + one) else [])
        found.begin()
        for scores in [[1.5, 2.5], [3.5, 4.5]][len(found.scores) :]:
            found.add(scores)
        assert file.read_bytes() == whole


def test_a_file_of_something_else_is_refused_and_left(tmp_path: Path) -> None:
    file = tmp_path / "done.txt"
    first, zero, one = (
        json.dumps(line).encode() + b"\n"
        for line in (
            {"search": {"seed": 1}},
            {"generation": 0, "scores": [1, 2]},
            {"generation": 1, "scores": [3, 4]},
        )
    )
    for wrong, word in (
        (b"0 1 2\n", "no file of a search"),
        (b"[1, 2]\n[3, 4]\n", "no file of a search"),
        (b"\xff\xfe", "no file of a search"),
        (first[:-3], "no file of a search"),
        (b'{"search": {"seed": 2}}\n', "of another search, with seed 2 instead of 1"),
        (b'{"search": {"seed": 1, "more": 3}}\n', "of another search, with more 3 instead of None"),
        (first + one, "line 2 has generation 1 instead of 0"),
        (first + zero + zero, "line 3 has generation 0 instead of 1"),
        (first + b"\n" + zero, "line 2 is no generation"),
        (first + b'{"generation": 0, "scores": [1]}\n', "line 2 has 1 scores; there are 2 candidates"),
        (first + b'{"generation": 0, "scores": [1, NaN]}\n', "line 2 has scores that are not numbers"),
        (first + b'{"generation": 0, "scores": [1, "4"]}\n', "line 2 has scores that are not numbers"),
    ):
        file.write_bytes(wrong)
        with pytest.raises(neuroport.InvalidInput, match=word):
            meta_results.Results(str(file), {"seed": 1}, 2)
        assert file.read_bytes() == wrong


def test_a_place_that_is_no_files_is_told_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(SEARCH, "Learners", None)
    assert "there is no folder" in refused(monkeypatch, capsys, "--results", str(tmp_path / "none" / "done.txt"))
    assert "this is not a file" in refused(monkeypatch, capsys, "--results", str(tmp_path))
    assert "this is not a file" in refused(monkeypatch, capsys, "--results", "")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_search_loses_and_repeats_no_generation(tmp_path: Path) -> None:
    file = tmp_path / "done.txt"
    adding = (
        "import sys; from examples.meta_results import Results\n"
        "r = Results(sys.argv[1], {'seed': 1}, 3); r.begin()\n"
        "while True: r.add([0.1, 0.2, 0.3]); print(len(r.scores), flush=True)"
    )
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", adding, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.02)
            process.kill()
            said = process.stdout.read().split()
        kept = meta_results.Results(str(file), {"seed": 1}, 3)
        assert 0 <= len(kept.scores) - int(said[-1] if said else 1) <= 1


def test_two_searches_do_not_write_the_same_file(tmp_path: Path) -> None:
    file = str(tmp_path / "done.txt")
    first = meta_results.Results(file, {"seed": 1}, 1)
    first.begin()
    second = meta_results.Results(file, {"seed": 1}, 1)
    second.begin()
    first.add([50.0])
    with pytest.raises(neuroport.InvalidInput, match="another program has written to it"):
        second.add([50.0])
    assert meta_results.Results(file, {"seed": 1}, 1).scores == [[50.0]]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("--terms x", "'x' is not some of 0, 1 and 2"),
        ("--terms=", "'' is not some of 0, 1 and 2"),
        ("--terms 5", "'5' is not some of 0, 1 and 2"),
        ("--terms 0,0", "'0,0' is not some of 0, 1 and 2"),
        ("--chip nosuch", "there is no chip 'nosuch'"),
        ("--candidates 0", "--candidates: '0' is not a whole number of at least 2"),
        ("--candidates 1 --tasks 1", "--candidates: '1' is not a whole number of at least 2"),
        ("--candidates 1000 --tasks 1001", "--candidates x --tasks is 1001000"),
        ("--tasks 0", "--tasks: '0' is not a whole number of at least 1"),
        ("--fresh 0", "--fresh: '0' is not a whole number of at least 1"),
        ("--generations -1", "--generations: '-1' is not a whole number of at least 0"),
        ("--seed -1", "--seed: a seed must be a whole number from 0"),
        ("--chip-seed one", "--chip-seed: a seed must be a whole number from 0"),
        ("--begin 5 5 5", "--begin: '5' is not a number from -1 to 1"),
        ("--begin 0 nan 0", "--begin: 'nan' is not a number from -1 to 1"),
        ("--width -1", "--width: '-1' is not a number above 0"),
        ("--width 0", "--width: '0' is not a number above 0"),
        ("--width inf", "--width: 'inf' is not a number above 0"),
        ("--sigma -1", "--sigma: '-1' is not a number from 0 to 2"),
    ],
)
def test_a_wrong_argument_is_told_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: str, word: str
) -> None:
    monkeypatch.setattr(SEARCH, "Learners", None)
    said = refused(monkeypatch, capsys, *arguments.split()).splitlines()
    assert word in said[-1]
    assert len(said) <= 2


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("--chip loihi1", "chip 'loihi1' has static synapses only"),
        ("--chip-seed 4", "all specimens of chip 'ideal' are alike"),
    ],
)
def test_what_the_chip_refuses_is_told_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: str, word: str
) -> None:
    file = tmp_path / "done.txt"
    assert word in refused(monkeypatch, capsys, *FEW, "--results", str(file), *arguments.split())
    assert not file.exists()


def test_ctrl_c_says_what_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SEARCH.Learners, "percent", pressed)
    file = tmp_path / "done.txt"
    said = refused(monkeypatch, capsys, *FEW, "--results", str(file), code=130)
    assert said.endswith(
        f"interrupted; the generations that were finished are in {file}: the same command goes on with them"
    )
    assert refused(monkeypatch, capsys, *FEW, code=130).endswith("what was found is lost, as there is no --results")


def test_candidates_stay_within_the_range_of_coefficients() -> None:
    strategy = SEARCH.Strategy(np.zeros(3), np.diag([1e4] * 3))
    drawn = strategy.candidates(50, np.random.default_rng(1)) * SEARCH.SPREAD
    assert np.abs(drawn).max() == 1


@pytest.mark.slow
def test_a_short_search_finds_what_beats_feedback_alignment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, all_terms = told(monkeypatch, capsys, "--quick")
    _, alignment = told(monkeypatch, capsys, "--quick", "--terms", "0")
    assert all_terms["found"] > 65
    assert alignment["found"] < 45
    assert all_terms["where it began"] < 35


@pytest.mark.slow
def test_fresh_tasks_separate_the_rules() -> None:
    """Accuracy after 250 images of five classes, with coefficients that gradient descent found."""

    def percent(theta: tuple[float, float, float], tied: bool = False) -> float:
        learners = SEARCH.Learners(SEARCH.learning(36, tied), chips.load("ideal"), None)
        given = [SEARCH.tasks(36, np.random.default_rng([seed, 2]), "test") for seed in (1, 2, 3)]
        return float(np.mean([learners.percent(np.array([theta]), one, draw) for draw, one in enumerate(given)]))

    assert percent(tuple(SEARCH.PUBLISHED)) >= 70
    assert percent((0.034, 0, 0)) <= 35
    assert 65 <= percent((0.028, 0, 0), tied=True) <= 77
