"""The search for coefficients of docs/meta_plasticity.md, in short; what it finds with --slow."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from neuroport.chips import description as chips
from tests.support import needs
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


def test_a_search_goes_on_where_it_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "done.txt"
    whole = told(monkeypatch, capsys, *FEW, "--results", str(file))
    first, second = file.read_text("utf-8").splitlines()
    file.write_text(first + "\n", "utf-8")
    assert told(monkeypatch, capsys, *FEW, "--results", str(file)) == whole
    assert file.read_text("utf-8").splitlines() == [first, second]


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
        learners = SEARCH.Learners(36, chips.load("ideal"), None, tied)
        given = [SEARCH.tasks(36, np.random.default_rng([seed, 2]), "test") for seed in (1, 2, 3)]
        return float(np.mean([learners.percent(np.array([theta]), one, draw) for draw, one in enumerate(given)]))

    assert percent(tuple(SEARCH.PUBLISHED)) >= 70
    assert percent((0.034, 0, 0)) <= 35
    assert 65 <= percent((0.028, 0, 0), tied=True) <= 77
