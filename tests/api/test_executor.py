"""Which executor is chosen for a program, and which choice is called a bad one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import neuroport
from neuroport import backends
from neuroport.api import executor
from neuroport.api.compile import lower_and_plan, specimen
from neuroport.api.costs import CASES, COSTS, Better, Case, Cost, better, in_case, seconds
from neuroport.api.executor import Choice
from neuroport.api.run import lasting
from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import Genn, devices
from neuroport.errors import Unsupported
from neuroport.program.machine import Program
from neuroport.program.plan import Plan
from neuroport.program.work import Work

MILLION = 1_000_000
SAMPLING = Work(steps=MILLION, dt=1.0, operations=455, dense=168, firing=7, learned_rows=14, learned_events=84)
"""sal_sampling: seven neurons."""
STATIC_4K = Work(
    steps=MILLION, dt=1.0, operations=168_000, firing=4000, rows=8000, events=319_116, synapses=319_116
)  # fmt: skip
STATIC_20K = Work(
    steps=MILLION, dt=1.0, operations=840_000, firing=20_000, rows=40_000, events=7_998_923, synapses=7_998_923
)  # fmt: skip
STDP_4K = Work(
    steps=MILLION, dt=1.0, operations=282_400, firing=4000, rows=1600, events=64_123, learned_rows=10_400,
    learned_events=509_986, synapses=319_116,
)  # fmt: skip
STDP_20K = Work(
    steps=MILLION, dt=1.0, operations=1_412_000, firing=20_000, rows=8000, events=1_599_984, learned_rows=52_000,
    learned_events=12_797_878, synapses=7_998_923,
)  # fmt: skip
GPU = "genn on cuda"


@pytest.mark.parametrize(
    ("todo", "executor", "rate", "measured"),
    [
        (SAMPLING, "emulator", 10.0, 0.06),
        (SAMPLING, "emulator", 10.0, 0.45),
        (SAMPLING, GPU, 10.0, 22.0),
        (SAMPLING, "genn on cpu", 10.0, 0.22),
        (SAMPLING, "reference", 10.0, 42.0),
        (STATIC_4K, "emulator", 10.3, 5.64),
        (STATIC_4K, "emulator", 10.3, 10.0),
        (STATIC_4K, GPU, 10.3, 21.5),
        (STATIC_4K, "genn on cpu", 10.3, 21.5),
        (STATIC_20K, "emulator", 11.3, 84.4),
        (STATIC_20K, "emulator", 11.3, 219.0),
        (STATIC_20K, GPU, 11.3, 91.4),
        (STDP_4K, "emulator", 10.5, 18.4),
        (STDP_4K, "emulator", 10.5, 69.8),
        (STDP_4K, GPU, 10.5, 46.3),
        (STDP_20K, "emulator", 8.4, 631.0),
        (STDP_20K, "emulator", 8.4, 2093.0),
        (STDP_20K, GPU, 8.4, 356.0),
    ],
)
def test_what_was_measured_lies_within_the_estimate(todo: Work, executor: str, rate: float, measured: float) -> None:
    """Microseconds of a step, of docs/speed.md, within a third of what the figures give."""
    least, most = in_case(todo, COSTS[executor], Case(rate, fresh=False))
    assert least / 1.34 <= measured <= most * 1.34


@pytest.mark.parametrize(
    ("todo", "chosen", "other"),
    [
        (SAMPLING, GPU, "emulator"),
        (SAMPLING, "genn on hip", "emulator"),
        (SAMPLING, "reference", "emulator"),
        (replace(SAMPLING, steps=1000), GPU, None),
        (replace(SAMPLING, steps=0), GPU, None),
        (SAMPLING, "emulator", None),
        (SAMPLING, "genn on cpu", None),
        (STATIC_4K, GPU, None),
        (STATIC_4K, "reference", "emulator"),
        (STATIC_20K, GPU, None),
        (STATIC_20K, "emulator", None),
        (STDP_4K, GPU, None),
        (STDP_20K, "emulator", None),
        (SAMPLING, "of a plug-in", None),
    ],
)
def test_only_what_is_clearly_better_is_told(todo: Work, chosen: str, other: str | None) -> None:
    found = better(todo, chosen, ["emulator", GPU])
    assert (found and found.executor) == other
    if found is not None:
        assert found.factor >= 3 and found.saved >= 1


def test_the_factor_is_that_of_the_worst_case() -> None:
    found = better(SAMPLING, GPU, ["emulator"])
    assert found is not None
    ends = [(in_case(SAMPLING, COSTS[GPU], case)[0], in_case(SAMPLING, COSTS["emulator"], case)[1]) for case in CASES]
    assert found.factor == min(a / b for a, b in ends) and found.saved == min(a - b for a, b in ends)


FREE = Cost(build=(1, 2), step=(0, 0), operation=(0, 0), dense=(0, 0), event=(0, 0), learned_event=(0, 0))


def test_everything_that_is_counted_costs() -> None:
    todo = Work(
        steps=2 * MILLION, dt=1.0, operations=3, dense=5, firing=2, rows=7, events=11, learned_rows=13,
        learned_events=17, sums=19, synapses=23, copies=4,
    )  # fmt: skip
    at, fresh = Case(100.0, fresh=False), Case(100.0, fresh=True)
    assert in_case(todo, FREE, at) == (0, 0) and in_case(todo, FREE, fresh) == (1, 2)
    for name, value in {
        "step": 2.0, "operation": 0.006, "dense": 0.01, "row": 1.4, "event": 0.0022, "learned_row": 2.6,
        "learned_event": 0.0034, "total": 38.0,
    }.items():  # fmt: skip
        least, most = in_case(todo, replace(FREE, **{name: (1.0, 3.0)}), at)
        assert math.isclose(least, value) and math.isclose(most, 3 * value), name
    for name, value in {"per_copy": 3.0, "per_synapse": 23.0}.items():
        assert in_case(todo, replace(FREE, **{name: (1.0, 1.0)}), fresh) == (1 + value, 2 + value), name
    assert seconds(todo, FREE) == (0, 2)


def test_runs_beside_each_other_and_threads_may_take_less() -> None:
    cost = replace(FREE, step=(1.0, 1.0), lanes=True)
    ten = replace(SAMPLING, runs=10, copies=10)
    at = Case(1.0, fresh=False)
    assert in_case(ten, cost, at, 4) == (2.5, 10) and in_case(ten, cost, at, 40) == (1, 10)
    assert in_case(SAMPLING, cost, at, 2) == (0.5, 1)
    assert in_case(ten, replace(cost, lanes=False), at, 4) == (1, 1)  # one program of all


# ------------------------------------------------------------------------------------------------ what is here


def made(name: str, steps: int) -> tuple[Program, Plan]:
    network = lasting(neuroport.load(name), steps) if steps else replace(neuroport.load(name), protocol=())
    return lower_and_plan(network, *specimen(network))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUDA GPU that GeNN can use, as it seems."""
    monkeypatch.setattr(devices, "default", lambda: "cuda")
    monkeypatch.setattr(Genn, "missing", lambda self: None)


@pytest.fixture
def no_genn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "default", lambda: "cpu")
    monkeypatch.setattr(Genn, "missing", lambda self: "GeNN needs PyGeNN, which is not installed")


def test_where_genn_is_absent_the_emulator_is_chosen(no_genn: None) -> None:
    found = executor.chosen(*made("loihi_lif", MILLION))
    assert (found.backend, found.device, found.better) == ("emulator", None, None)
    assert found.reason == "there is no GPU here that GeNN can use"
    assert list(found.seconds) == ["emulator"]


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    ("steps", "more", "reason"),
    [
        (0, {}, "nothing tells how long it will run"),
        (MILLION, {}, "genn on cuda is not surely 3 times as fast"),
        (MILLION, {"device": "hip"}, "genn on hip is not surely 3 times as fast"),
        (MILLION, {"threads": 2}, "no other computes on several threads"),
    ],
)
def test_why_it_is_the_emulator(steps: int, more: dict[str, Any], reason: str) -> None:
    found = executor.chosen(*made("loihi_lif", steps), **more)
    assert (found.executor, found.reason) == ("emulator", reason)


@pytest.mark.usefixtures("gpu")
def test_a_gpu_is_chosen_where_it_is_clearly_better(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = replace(COSTS["emulator"], step=(1000.0, 2000.0))
    monkeypatch.setattr(executor, "COSTS", COSTS | {"emulator": slow})
    monkeypatch.setattr(executor, "better", lambda *given: better(*given, costs=COSTS | {"emulator": slow}))
    found = executor.chosen(*made("loihi_lif", MILLION))
    assert (found.backend, found.device, found.executor) == ("genn", "cuda", GPU)
    assert found.reason is not None and found.reason.endswith("times as fast as the emulator")
    assert set(found.seconds) == {"emulator", GPU}
    told = executor.judged(*made("loihi_lif", MILLION), "emulator")
    assert told.better is not None and told.better.executor == GPU
    monkeypatch.setattr(Genn, "check", lambda self, program: ("it has too much",))
    found = executor.chosen(*made("loihi_lif", MILLION))
    assert (found.backend, found.reason) == ("emulator", "genn on cuda cannot: it has too much")
    assert executor.judged(*made("loihi_lif", MILLION), "emulator").better is None


def test_what_the_emulator_cannot_do_another_does(no_genn: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Emulator, "check", lambda self, program: ("it is too odd",))
    found = executor.chosen(*made("loihi_lif", 5))
    assert (found.backend, found.reason) == ("reference", "the emulator cannot: it is too odd")
    monkeypatch.setattr(Genn, "missing", lambda self: None)
    assert executor.chosen(*made("loihi_lif", 5)).backend == "genn"
    network = lasting(neuroport.load("loihi_lif"), 30)
    monkeypatch.setattr(Genn, "check", lambda self, program: ("it is too odd",))
    assert neuroport.run(network, "auto").backend == "reference"


def test_a_device_that_there_is_not() -> None:
    with pytest.raises(Unsupported, match="there is no device 'tpu'"):
        neuroport.run(neuroport.load("loihi_lif"), "auto", device="tpu")


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    ("backend", "device", "steps", "told"),
    [
        ("genn", None, MILLION, "emulator"),
        ("genn", "cuda", MILLION, "emulator"),
        ("genn", "cpu", MILLION, None),
        ("reference", None, MILLION, "emulator"),
        ("reference", None, 300, None),
        ("emulator", None, MILLION, None),
    ],
)
def test_a_bad_choice(backend: str, device: str | None, steps: int, told: str | None) -> None:
    found = executor.judged(*made("loihi_lif", steps), backend, device)
    assert found.reason is None
    assert (found.better and found.better.executor) == told


def test_nothing_is_told_of_what_is_not_there(no_genn: None) -> None:
    assert executor.judged(*made("loihi_lif", MILLION), "genn", "cuda").better is None


def test_of_a_plug_in_nothing_is_known() -> None:
    found = executor.judged(*made("loihi_lif", MILLION), "mine")
    assert found == Choice("mine", None, None, {})


# ------------------------------------------------------------------------------------------------------ from Python


@pytest.mark.dear
def test_runs_sessions_copies_and_resumed_runs(no_genn: None, tmp_path: Path) -> None:
    network, told = neuroport.load("loihi_lif"), list[Choice]()
    one = neuroport.run(network, "auto", choice=told.append)
    assert one.backend == "emulator"
    with neuroport.open(network, "auto", choice=told.append) as session:
        assert session.backend == "emulator"
    copies = neuroport.run_copies(network, [1, 2], "auto", duration=20, choice=told.append)
    assert [run.backend for run in copies] == ["emulator"] * 2
    assert [(choice.backend, choice.device) for choice in told] == [("emulator", None)] * 3
    assert all(choice.reason for choice in told)

    def stop(done: int, total: int) -> None:
        if done >= 10:
            raise KeyboardInterrupt

    trace = tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        neuroport.run(lasting(network, 5000), trace=trace, due=lambda step: True, progress=stop)
    told.clear()
    assert neuroport.resume(trace, backend="auto", choice=told.append).steps == 5000
    assert told[0].reason is not None


def test_a_named_backend_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    network, told = lasting(neuroport.load("loihi_lif"), 20), list[Choice]()
    bad = Better("emulator", 5.2, 40.0)
    monkeypatch.setattr(executor, "better", lambda *given, **more: bad)
    monkeypatch.setattr(executor, "WORTH", 0.0)
    neuroport.run(network, "reference", choice=told.append)
    neuroport.run_copies(network, [1, 2], "reference", choice=told.append)
    assert [(choice.executor, choice.reason, choice.better) for choice in told] == [("reference", None, bad)] * 2


def test_elsewhere_a_backend_is_named() -> None:
    with pytest.raises(Unsupported, match="the backend 'auto' is chosen where a network is run"):
        backends.load("auto")
