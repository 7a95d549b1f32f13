"""How far a run is, and how long one that is far too long will take."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neuroport.commands import run
from neuroport.commands.common import duration
from tests.support.checkout import ROOT
from tests.support.signals import hearing


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(run, "time", made)
    return made


def told(
    clock: Clock, capsys: pytest.CaptureFixture[str], calls: list[tuple[float, int, int]], show: bool = True
) -> str:
    """What is said on stderr: calls are seconds since the last one, steps done, steps in all."""
    with run.Progress("net", show=show) as progress:
        for seconds, done, total in calls:
            clock.now += seconds
            progress(done, total)
    return capsys.readouterr().err


def test_a_run_that_will_take_very_long_says_so_once(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    calls = [(9.0, 500, 10**15), (0.5, 1000, 10**15), (0.5, 1_000_500, 10**15), (3.0, 4_000_500, 10**15)]
    assert told(clock, capsys, calls) == (
        "net: 1,000,000,000,000,000 steps at 1,000,000/s will take about 32 years; Ctrl-C ends the run\n"
    )


def test_quiet_runs_and_short_ones_say_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(clock, capsys, [(0.0, 0, 10**15), (2.0, 10**6, 10**15)], show=False) == ""
    assert told(clock, capsys, [(0.0, 0, 10**6), (2.0, 10**5, 10**6)]) == ""


def test_a_line_every_ten_seconds_says_how_far_it_is(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    calls = [(9.0, 100, 100_000), (5.0, 600, 100_000), (5.5, 1150, 100_000), (9.0, 2050, 100_000), (1.0, 2150, 100_000)]
    first, *lines = told(clock, capsys, calls).splitlines()
    assert first == "net: 100,000 steps at 100/s will take about 16 min 34 s; Ctrl-C ends the run"
    assert lines == [
        "net: 1,150 of 100,000 steps (1%), 100/s, 16 min 28 s left",
        "net: 2,150 of 100,000 steps (2%), 100/s, 16 min 18 s left",
    ]


def test_what_will_be_faster_later_is_forecast_from_then_on(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    calls = [(0.0, 0, 10**9), (2.0, 999, 10**9), (8.5, 5000, 10**9), (0.1, 10_000, 10**9), (2.0, 210_000, 10**9)]
    with run.Progress("net", even_after=10_000) as progress:
        for seconds, done, total in calls:
            clock.now += seconds
            progress(done, total)
    assert capsys.readouterr().err.splitlines() == [
        "net: 5,000 of 1,000,000,000 steps (0%), 476/s, ? left",
        "net: 1,000,000,000 steps at 100,000/s will take about 2 h 46 min; Ctrl-C ends the run",
    ]


def test_how_far_an_interrupted_run_came() -> None:
    progress = run.Progress("net", show=False)
    assert progress.reached == "before the first step"
    progress(0, 10)
    assert progress.reached == "before the first step"
    progress(5, 10)
    assert progress.reached == "after 5 of 10 steps"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.123, "0.12 s"),
        (59.94, "59.9 s"),
        (61, "1 min 01 s"),
        (3600, "1 h 00 min"),
        (47 * 3600, "47 h 00 min"),
        (49 * 3600, "2 days"),
        (700 * 86400, "700 days"),
        (3.2e13, "1,014,019 years"),
    ],
)
def test_time_spans(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_protocol_of_a_quadrillion_steps_says_how_long_it_takes(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "cli.py"), "run", "sal_pair", "--backend", "reference", "--for", str(10**15)]
    streams: Any = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, preexec_fn=hearing, **streams) as process:
        assert process.stderr is not None
        note, line = process.stderr.readline(), process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    pattern = r"sal_pair: 1,000,000,000,000,000 steps at [\d,]+/s will take about [\d,]+ years; Ctrl-C ends the run"
    assert note.startswith("note: emulator would be at least "), note
    assert re.fullmatch(pattern, line.strip()), line
    assert re.search(r"interrupted after [\d,]+ of 1,000,000,000,000,000 steps", rest)
