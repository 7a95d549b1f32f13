"""What is the emulator's own: its buffers, checked bounds, limits and messages, and that it compiles once."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.machine import Machine
from neuroport.errors import InvalidInput, RunFailed
from neuroport.program.ir import Int, Read, Store
from neuroport.program.machine import Population, Program, Series
from tests.support.checkout import ROOT
from tests.support.everything import everything, real_program
from tests.support.executors import spikes_of
from tests.support.programs import array, balanced, c, call, program

EMULATOR = Emulator()


def start(p: Program, seed: int = 1, **options: Any) -> Machine:
    """A machine for a program that the emulator accepts."""
    assert EMULATOR.check(p) == ()
    return Machine(p, seed, [q.name for q in p.populations], **options)


@pytest.mark.dear
def test_bounds_are_respected() -> None:
    p = everything()
    machine, plain = start(p, boundscheck=True), start(p)
    for m in (machine, plain):
        m.advance(60)
        m.trigger("blank")
        m.advance(5)
    assert spikes_of(machine) == spikes_of(plain)


@pytest.mark.dear
def test_full_buffers_lose_nothing() -> None:
    p = everything()
    large, small = start(p), start(p, spike_buffer=1, sample_buffer=1)
    large.advance(100)
    small.advance(100)
    a, b = large.drain(), small.drain()
    for name in a.spikes:
        assert all((x == y).all() for x, y in zip(a.spikes[name], b.spikes[name], strict=True))
    assert a.records["a.v"][0].tolist() == list(range(2, 100, 3))
    assert a.records["ab.w"][0].tolist() == list(range(9, 100, 10))
    for name in a.records:
        assert all((x == y).all() for x, y in zip(a.records[name], b.records[name], strict=True))
    assert small.drain().spikes["a"][0].size == 0


@pytest.mark.dear
def test_a_schedule_beyond_the_patterns_is_refused() -> None:
    series = Series("digits", "a.i", np.zeros((3, 6), np.int64), 2, "item")
    with pytest.raises(InvalidInput) as error:
        start(replace(everything(), series=(series,))).begin_item([], {"digits": np.array([3])})
    assert str(error.value) == (
        "digits: the schedule names a pattern outside 0..2. Use the numbers of patterns that the series has"
    )


@pytest.mark.dear
def test_error_rule_ends_the_run_and_names_the_place() -> None:
    v = Read("p.v", "own", Int(0, 100))
    body = (Store("p.v", call("add", v, c(7)), overflow="error", lo=0, hi=100),)
    p = program(
        arrays=(array("p.v", "neuron", "state", Int(0, 100), [0, 3, 80, 90]),),
        populations=(Population("p", 4, body, (), False, 0),),
    )
    machine = start(p)
    with pytest.raises(RunFailed) as error:
        machine.advance(10)
    assert str(error.value) == (
        "p.v: the value of element 3 left its range in step 1, and the overflow rule is `error`. "
        "Widen the range, or choose a chip that saturates"
    )


@pytest.mark.dear
def test_float32_stays_close_to_float64() -> None:
    narrow, wide = start(real_program("float32")), start(real_program())
    narrow.advance(5)
    wide.advance(5)
    assert narrow.read("p.v").dtype == np.float64
    np.testing.assert_allclose(narrow.read("p.v"), wide.read("p.v"), rtol=1e-4, atol=1e-5)


@pytest.mark.dear
def test_an_unknown_event_is_refused() -> None:
    machine = start(everything())
    with pytest.raises(InvalidInput) as error:
        machine.trigger("blanc")
    assert str(error.value) == "The network has no event 'blanc'. Its events are: blank, each_step."


@pytest.mark.dear
def test_a_second_process_does_not_compile(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from neuroport.backends.emulator import cache\n"
        "from tests.support.programs import sampling\n"
        "from neuroport.backends.emulator import Emulator\n"
        "compile, seen = cache.machine_code, []\n"
        "cache.machine_code = lambda text: seen.append(text) or compile(text)\n"
        "machine = Emulator().open(sampling(3), 1, ['units'])\n"
        "machine.advance(500)\n"
        "machine.trigger('epoch_end')\n"
        "print(len(seen), machine.read('rec.w').sum())\n"
    )
    environment = {**os.environ, "NEUROPORT_CACHE": str(tmp_path)}
    answers = [
        subprocess.run(
            [sys.executable, "-c", code, str(ROOT)], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert [int(compiled) for compiled, _ in answers] == [1, 0]
    assert answers[0][1] == answers[1][1]


@pytest.mark.dear
def test_a_balanced_network_runs() -> None:
    machine = start(balanced(400, 0.1))
    machine.advance(200)
    assert 0 < machine.spike_counts()["cells"] < 400 * 200
