"""The rows of `benchmarks/run.py` in which two threads of ours are beside one."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.support.checkout import ROOT

sys.path.insert(0, str(ROOT))

from benchmarks.peers import threads
from benchmarks.peers.cases import OTHERWISE, OURS
from benchmarks.peers.measuring import Took


def test_the_time_of_several_threads_is_that_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "timed", lambda work: lambda: Took(0.4, 0.3, work()))
    assert threads.of_each(lambda: "done")() == Took(0.2, 0.3, "done")


def test_spikes_are_compared() -> None:
    one = {"exc": (np.array([1, 2]), np.array([7, 8]))}
    other = {"exc": (np.array([1, 2]), np.array([7, 9]))}
    assert threads.same([{OURS: one, OTHERWISE: one}] * 2) == "identical, all 4 spikes"
    assert threads.same([{OURS: one, OTHERWISE: other}]) == "DIFFERENT, all 2 spikes"
