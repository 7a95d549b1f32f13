"""The emulator against a literal machine in plain Python, on programs built by hand and drawn at random."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.machine import Machine
from neuroport.backends.reference import Reference
from neuroport.errors import InvalidInput, RunFailed
from neuroport.program.ir import Expr, Int, Random, Read, Store
from neuroport.program.machine import Population, Program, Record, Series
from tests.support.checkout import ROOT
from tests.support.everything import ACC, everything, real_program
from tests.support.oracle import Oracle
from tests.support.programs import array, balanced, c, call, program, sampling
from tests.support.random_expressions import random_expression

EMULATOR = Emulator()


def start(p: Program, seed: int = 1, **options: Any) -> Machine:
    """A machine for a program that the emulator accepts."""
    assert EMULATOR.check(p) == ()
    return Machine(p, seed, [q.name for q in p.populations], **options)


def spikes_of(machine: Machine) -> dict[str, list[tuple[int, int]]]:
    """All recorded spikes as (step, neuron)."""
    return {name: list(zip(*(a.tolist() for a in both), strict=True)) for name, both in machine.drain().spikes.items()}


def same(machine: Machine, oracle: Oracle) -> None:
    """Every array, every spike and every overflow count agree."""
    for name, declared in machine.program.arrays.items():
        if declared.role != "input" and declared.owner != "$run":
            assert np.atleast_1d(machine.read(name)).tolist() == oracle.a[name], name
    for name, spikes in spikes_of(machine).items():
        assert spikes == oracle.spikes(name), name
    assert machine.overflows() == oracle.over


# ---------------------------------------------------------------- integer programs


@pytest.mark.parametrize("seed", [2, 4, pytest.param(0, marks=pytest.mark.slow)])
def test_everything_equals_the_plain_machine(seed: int) -> None:
    p = everything(seed, delay=1 + seed)
    machine, oracle = start(p, seed=seed), Oracle(p, seed)
    for steps in (1, 2, 40, 57):
        machine.advance(steps)
        oracle.advance(steps)
        machine.trigger("blank")
        oracle.trigger("blank")
    assert all(count > 5 for count in machine.spike_counts().values())
    assert oracle.over
    same(machine, oracle)


def test_bounds_are_respected() -> None:
    p = everything()
    machine, plain = start(p, boundscheck=True), start(p)
    for m in (machine, plain):
        m.advance(60)
        m.trigger("blank")
        m.advance(5)
    assert spikes_of(machine) == spikes_of(plain)


def test_chunks_do_not_matter() -> None:
    p = everything()
    one, many = start(p), start(p)
    one.advance(100)
    for steps in (1, 1, 30, 0, 7, 61):
        many.advance(steps)
    assert spikes_of(one) == spikes_of(many)
    assert all((one.read(name) == many.read(name)).all() for name in p.arrays)
    assert one.step == many.step == 100


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


def test_records_are_the_values_after_the_step() -> None:
    p = everything()
    machine, oracle = start(p), Oracle(p, 1)
    machine.advance(20)
    rows = []
    for t in range(20):
        oracle.one()
        if (t + 1) % 7 == 0:
            rows.append(list(oracle.a["b.u"]))
    assert machine.drain().records["b.u"][1].tolist() == rows


def test_reset_drops_spikes_in_flight_and_history() -> None:
    p = everything()
    machine, oracle = start(p), Oracle(p, 1)
    for m in (machine, oracle):
        m.advance(30)
    before = spikes_of(machine)
    for m in (machine, oracle):
        m.reset("a")
        m.advance(2)
        m.reset("b")
        m.advance(30)
    assert before["a"] and before["b"]
    for name in ("a.v", "a.n", "b.u", "ab.w", "ab.x"):
        assert machine.read(name).tolist() == oracle.a[name]


def test_writes_act_in_the_next_step() -> None:
    p = everything()
    machine, oracle = start(p), Oracle(p, 1)
    for m in (machine, oracle):
        m.advance(10)
    machine.write("b.theta", np.array(120))
    machine.write("a.v", np.arange(6) * 500)
    oracle.a["b.theta"], oracle.a["a.v"] = [120], [500 * i for i in range(6)]
    for m in (machine, oracle):
        m.advance(30)
    same(machine, oracle)


def test_sampling_network_and_its_histogram() -> None:
    p = sampling(4)
    machine, oracle = start(p), Oracle(p, 1)
    machine.advance(3)
    oracle.advance(3)
    machine.begin_item(["states"], {})
    counts = np.zeros(16, int)
    for t in range(1000):
        oracle.one()
        if t % 25 == 24:
            counts[sum((x < 50) << (3 - i) for i, x in enumerate(oracle.a["units.x"]))] += 1
    machine.advance(1000)
    assert machine.histogram("states").tolist() == counts.tolist()
    machine.clear_histogram("states")
    assert machine.histogram("states").sum() == 0
    for m in (machine, oracle):
        m.trigger("epoch_end")
    same(machine, oracle)


def test_readouts_rest_in_items_that_do_not_name_them() -> None:
    machine = start(sampling(4))
    machine.begin_item([], {})
    machine.advance(100)
    assert machine.histogram("states").sum() == 0


def test_scheduled_series_follow_the_item() -> None:
    body = (Store("p.v", Read("p.i", "own", ACC)),)
    p = program(
        arrays=(array("p.v", "neuron", "state", ACC, [0, 0]), array("p.i", "neuron", "input", ACC, [0, 0])),
        populations=(Population("p", 2, body, ("p.i",), False, 0),),
        series=(Series("digits", "p.i", np.array([[1, 2], [3, 4], [5, 6]]), 2, "item"),),
        records=(Record("p.v", 1),),
    )
    machine = start(p)
    machine.advance(2)
    machine.begin_item([], {"digits": np.array([2, 0])})
    machine.advance(5)
    machine.begin_item([], {})
    machine.advance(1)
    rows = machine.drain().records["p.v"][1]
    assert rows[:, 0].tolist() == [0, 0, 5, 5, 1, 1, 0, 0]
    with pytest.raises(InvalidInput) as error:
        machine.begin_item([], {"digits": np.array([3])})
    assert str(error.value) == (
        "digits: the schedule names a pattern outside 0..2. Use the numbers of patterns that the series has"
    )


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


@pytest.mark.parametrize("seed", range(2))
def test_random_integer_expressions(seed: int) -> None:
    draw = random.Random(seed)
    n, count = 40, 18
    ranges = [Int(-128, 127), Int(-(2**15), 2**15 - 1), Int(-(2**31), 2**31 - 1), Int(0, 7), Int(-(2**38), 2**38)]
    arrays = [
        array(
            f"p.in{k}", "neuron", "state", r, [draw.choice([r.lo, r.hi, 0, draw.randint(r.lo, r.hi)]) for _ in range(n)]
        )
        for k, r in enumerate(ranges)
    ]
    leaves: list[Expr] = [Read(f"p.in{k}", "own", r) for k, r in enumerate(ranges)]
    leaves += [c(3), c(-1), c(100000), Random(1, Int(0, 2**32 - 1)), Random(1, Int(0, 2**16 - 1), 2)]
    body = []
    for k in range(count):
        e = random_expression(draw, 3, leaves)
        body.append(Store(f"p.out{k}", e))
        arrays.append(array(f"p.out{k}", "neuron", "state", e.type, [0] * n))
    p = program(arrays=tuple(arrays), populations=(Population("p", n, tuple(body), (), False, 0),))
    machine, oracle = start(p, seed=seed), Oracle(p, seed)
    machine.advance(2)
    oracle.advance(2)
    same(machine, oracle)


# ---------------------------------------------------------------- real programs


def test_real_programs() -> None:
    p = real_program()
    machine, oracle = start(p), Oracle(p, 1)
    machine.advance(300)
    oracle.advance(300)
    assert machine.spike_counts()["p"] > 300
    assert spikes_of(machine)["p"] == oracle.spikes("p")
    for name in ("p.v", "p.q", "pp.w"):
        np.testing.assert_allclose(machine.read(name), oracle.a[name], rtol=1e-12, atol=1e-13)
    assert machine.read("p.n").tolist() == oracle.a["p.n"]


def test_float32_stays_close_to_float64() -> None:
    narrow, wide = start(real_program("float32")), start(real_program())
    narrow.advance(5)
    wide.advance(5)
    assert narrow.read("p.v").dtype == np.float64
    np.testing.assert_allclose(narrow.read("p.v"), wide.read("p.v"), rtol=1e-4, atol=1e-5)


# ---------------------------------------------------------------- interface, messages


def test_values_that_do_not_fit_are_refused() -> None:
    machine = start(everything())
    cases = [
        (
            "a.v",
            np.full(6, 40000),
            "a.v: the raw value 40000 is outside -32768..32767, the range of its format. "
            "Give it a wider range or smaller values",
        ),
        ("a.v", np.zeros(5, int), "a.v: the values have shape (5,); the array has (6,)"),
        ("a.v", np.full(6, 0.5), "a.v: fractions were given; the array takes whole numbers"),
    ]
    for name, values, text in cases:
        with pytest.raises(InvalidInput) as error:
            machine.write(name, values)
        assert str(error.value) == text


def test_an_unknown_event_is_refused() -> None:
    machine = start(everything())
    with pytest.raises(InvalidInput) as error:
        machine.trigger("blanc")
    assert str(error.value) == "The network has no event 'blanc'. Its events are: blank, each_step."


def test_inputs_can_be_written_for_the_coming_step() -> None:
    machine = start(everything())
    machine.advance(3)
    rest = machine.read("b.i")
    machine.write("b.i", rest + 7)
    assert (machine.read("b.i") == rest + 7).all()


def test_a_second_process_does_not_compile(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from numba.core import event\n"
        "from tests.support.programs import sampling\n"
        "from neuroport.backends.emulator import Emulator\n"
        "with event.install_recorder('numba:compile') as seen:\n"
        "    machine = Emulator().open(sampling(3), 1, ['units'])\n"
        "    machine.advance(500)\n"
        "    machine.trigger('epoch_end')\n"
        "print(len(seen.buffer), machine.read('rec.w').sum())\n"
    )
    environment = {**os.environ, "NEUROPORT_CACHE": str(tmp_path)}
    answers = [
        subprocess.run(
            [sys.executable, "-c", code, str(ROOT)], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert int(answers[0][0]) > 0
    assert int(answers[1][0]) == 0
    assert answers[0][1] == answers[1][1]


def test_a_balanced_network_runs() -> None:
    machine = start(balanced(400, 0.1))
    machine.advance(200)
    assert 0 < machine.spike_counts()["cells"] < 400 * 200


@pytest.mark.parametrize("make", [everything, sampling, real_program])
def test_the_reference_gives_the_same(make: Any) -> None:
    p = make()
    machine, reference = start(p), Reference().open(p, 1, [q.name for q in p.populations])
    for executor in (machine, reference):
        executor.begin_item([r.name for r in p.readouts], {})
        executor.advance(150)
        for event in p.events:
            executor.trigger(event.name)
        executor.reset(p.populations[0].name)
        executor.advance(50)
    tolerance = 0.0 if p.integer else 1e-12
    for name, declared in p.arrays.items():
        if declared.owner != "$run":
            np.testing.assert_allclose(machine.read(name), reference.read(name), rtol=tolerance, atol=tolerance)
    for readout in p.readouts:
        assert machine.histogram(readout.name).tolist() == reference.histogram(readout.name).tolist()
    assert machine.overflows() == reference.overflows()
    assert machine.spike_counts() == reference.spike_counts()
    a, b = machine.drain(), reference.drain()
    for kept, others in ((a.spikes, b.spikes), (a.records, b.records)):
        assert kept.keys() == others.keys()
        for name in kept:
            for mine, theirs in zip(kept[name], others[name], strict=True):
                np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)
