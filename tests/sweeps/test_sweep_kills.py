"""A sweep that is killed at any moment loses no line that was whole, and does no point twice."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from neuroport.sweeps.sweep import table
from tests.support.swept import SWEEP, Hunt, bare, lines, started

pytestmark = pytest.mark.dear


@pytest.mark.parametrize(
    ("kills", "seed"), [(1, 1), *(pytest.param(*many, marks=pytest.mark.slow) for many in ((3, 1), (20, 2)))]
)
def test_killed_sweeps_go_on(tmp_path: Path, kills: int, seed: int) -> None:
    hunt = Hunt(tmp_path / "s", seed, SWEEP if kills < 10 else LONG)
    for _ in range(kills):
        hunt.kill_one()
    whole, again = tmp_path / "whole", started(*hunt.sweep, "-o", tmp_path / "s", "-q")
    assert (again.communicate(timeout=100), again.returncode)[1] == 0
    hunt.check()
    other = started(*hunt.sweep, "-o", whole, "-q")
    assert (other.communicate(timeout=100), other.returncode)[1] == 0
    assert bare(table(tmp_path / "s")) == bare(table(whole))


LONG = tuple("0:60" if word == "0:12" else word for word in SWEEP)
ENDLESS = ("sweep", "loihi_lif", "--backend", "reference", "--seed", "0:9", "--for", "20000", "-q", "--workers", "2")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_ends_a_sweep_and_it_is_said_how_to_go_on(tmp_path: Path, number: int, code: int) -> None:
    folder = tmp_path / "s"
    process = started(*ENDLESS, "-o", folder)
    until = time.monotonic() + 60
    while not lines(folder):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    ended = len(lines(folder))
    assert 0 < ended < 9 and not output
    assert process.returncode == code
    assert errors.splitlines() == [
        "error: interrupted",
        f"note: {ended} of 9 points have ended; the same command goes on with the others",
    ]
