"""What is GeNN's own: its text and limits without PyGeNN; with it, its constants, error rule and builds."""

from __future__ import annotations

import importlib.util
import re
import shutil
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from neuroport.backends.genn import bounds, cache, devices, emit, literals
from neuroport.backends.genn.code import Writer
from neuroport.backends.genn.flags import GENN as AS_GENN_DOES
from neuroport.errors import InvalidInput, RunFailed, Unsupported
from neuroport.program.ir import BOOL, INT, Const, Expr, Int, Let, Read, Send, Spike, Store, Temp
from neuroport.program.machine import Event, Population, Program, Series
from neuroport.program.state import State
from tests.support.everything import real_program
from tests.support.executors import GENN, beside_the_reference, difference, drive, everywhere, needs_genn
from tests.support.programs import array, c, call, pairs, program
from tests.support.random_expressions import expressions
from tests.support.random_programs import network, networks
from tests.support.relay import unlike
from tests.support.small_programs import read, rich

WORD = Int(-128, 127)


# ------------------------------------------------------------------------------------------------ without PyGeNN


def test_the_models_of_the_rich_network(golden: Any) -> None:
    golden(emit.text(rich()))


def test_the_models_of_a_real_network(golden: Any) -> None:
    golden(emit.text(real_program("float32")))


@pytest.mark.parametrize(
    "value", [0, 7, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40 + 7, 2**63, 2**64 - 1, 0x9E3779B97F4A7C15]
)
def test_unsigned_literals(value: int) -> None:
    text = literals.unsigned(value)
    assert all(int(number) < 2**32 for number in re.findall(r"\d+(?=u|\b)", text.replace("uint64_t", "")))
    assert eval(text.replace("(uint64_t)", "").replace("u", "")) == value


@pytest.mark.parametrize(
    "value", [0, 5, -5, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**62 + 3, -(2**62) - 3, -(2**63)]
)
def test_signed_literals(value: int) -> None:
    text = re.sub(r"\((u?)int64_t\)", "", literals.integer(value)).replace("u", "")
    assert (eval(text) + 2**63) % 2**64 - 2**63 == value


def test_real_literals() -> None:
    assert literals.real(0.1, "float64") == "0.1d"
    assert literals.real(-2.0, "float64") == "(-2.0d)"
    assert literals.real(0.1, "float32") == "0.10000000149011612f"
    assert literals.real(1e-30, "float64") == "1e-30d"
    assert literals.real(float("-inf"), "float64") == "(-1.0d / 0.0d)"


def star(fan_in: int, value: Expr, weight: Int = WORD) -> Program:
    """Many neurons send to one."""
    projection = pairs("w", "p", "q", (fan_in, 1), [(i, 0) for i in range(fan_in)], arrive=(Send("q.i", value),))
    return program(
        arrays=(
            array("p.x", "neuron", "state", WORD, [0] * fan_in),
            array("q.i", "neuron", "input", INT, [0]),
            array("w.w", "synapse", "weight", weight, [1] * fan_in),
        ),
        populations=(Population("p", fan_in, (), (), False, 1), Population("q", 1, (), ("q.i",), False, 0)),
        projections=(projection,),
    )


def test_sums_are_bounded_and_their_type_is_chosen() -> None:
    assert bounds.largest(star(5, Read("w.w", "own", INT))) == {"q.i": 640}
    assert bounds.scalar(star(5, Read("w.w", "own", INT))) == "float"
    wide = Int(-(2**40), 2**40)
    assert bounds.scalar(star(5, Read("w.w", "own", wide), wide)) == "double"
    assert bounds.scalar(real_program("float32")) == "float"
    assert bounds.scalar(real_program("float64")) == "double"


def test_check_lists_what_cannot_be_executed() -> None:
    wide = Int(-(2**52), 2**52)
    assert GENN.check(star(5, Read("w.w", "own", wide), wide)) == (
        f"the input 'q.i' may receive {5 * 2**52} in one step, and GeNN adds input in floating point, which is exact "
        f"up to 2**53; give the weights a smaller range or the neurons fewer synapses.",
    )
    p = rich()
    forward, back = p.projections
    p = replace(
        p,
        arrays=p.arrays | {"out.j": array("out.j", "neuron", "input", INT, [0] * 4)},
        projections=(
            replace(forward, step=(*forward.step, Send("out.j", read("in.s", "pre")))),
            replace(back, post_body=(Send("in.drive", c(1)),)),
        ),
    )
    assert GENN.check(p) == (
        "the projection 'forward' reads 'in.s' of its source 0 steps back; with an axonal delay of 2 GeNN has it 1 "
        "steps back.",
        "the projection 'back' sends forward on postsynaptic spikes; GeNN sends only back there.",
    )


def test_populations_with_and_without_a_spike_queue_have_different_numbers_of_slots() -> None:
    slots = {s.name: s.slots for s in emit.written_out(network(58)).synapses}
    assert slots == {"w0_": 6, "w1_": 7, "w2_": 1, "w3_": 6}


def test_what_is_missing_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert GENN.missing() == (
        "GeNN needs PyGeNN 5.4 or newer, which is not installed; it is not on PyPI, and its documentation says how to "
        "install it: https://genn-team.github.io"
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(metadata, "version", lambda name: "5.3.0")
    assert GENN.missing() == (
        "GeNN needs PyGeNN 5.4 or newer, and 5.3 is installed; install a newer one: https://genn-team.github.io"
    )
    monkeypatch.setattr(metadata, "version", lambda name: "5.4.0")
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "g++" else name)
    assert GENN.missing() == "GeNN compiles C++ and needs 'g++', which is not there; install a compiler and make."


def test_devices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(Unsupported) as error:
        GENN.on("tpu")
    assert str(error.value) == "there is no device 'tpu'; GeNN runs on cpu, cuda, hip"
    assert devices.missing("cpu") is None
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert devices.missing("cuda") == (
        "PyGeNN was built without GeNN's backend for cuda; build it again where nvcc is on the PATH and CUDA_PATH is "
        "set (https://genn-team.github.io), or leave the device out."
    )
    assert devices.default() == "cpu"
    (tmp_path / "cuda_backend.so").touch()
    assert devices.missing("cuda") is None
    monkeypatch.setattr(devices, "_has_gpu", lambda: True)
    assert devices.default() == "cuda"
    assert GENN.on("cuda").check(expressions(0)) == GENN.on("cpu").check(expressions(0)) == ()


def test_nothing_is_shared_that_threads_write() -> None:
    """Each neuron and synapse has a thread on a GPU, and GeNN's language has no atomic addition."""
    written = set()
    for p in (rich(), expressions(0), networks(range(40)), failing()):
        for group in emit.written_out(p).groups():
            code = "\n".join(getattr(group, part, "") for part in ("code", "step", "arrive", "post_code"))
            for a in group.arrays:
                for index, change in re.findall(rf"\b{a.ident}\[(\w+)\] (\+?=) ", code):
                    written.add((type(group).__name__, a.kind, index, change))
    kinds = {"Neurons": ("id",), "Synapses": ("id_syn",), "Update": ("id", "id_syn")}
    expected = {(kind, "overflow", index, "+=") for kind, indices in kinds.items() for index in indices}
    expected |= {(kind, "failed", "0", "=") for kind in kinds}  # all write the number of the step
    assert written == expected | {("Neurons", "late", "id", "="), ("Neurons", "array", "id", "=")}


@pytest.mark.dear
def test_a_failed_build_shows_the_first_error_and_where_the_text_is(tmp_path: Path) -> None:
    def fail() -> None:
        import os

        os.write(1, b"make: Entering\nneuron.cc:7:3: error: no such thing\nmake: *** Error 1\n")
        raise OSError("make failed")

    with pytest.raises(RunFailed) as error:
        cache.build(tmp_path, fail, AS_GENN_DOES)
    assert str(error.value) == (
        f"the code generated for GeNN could not be compiled: neuron.cc:7:3: error: no such thing; the text is in "
        f"{tmp_path} and what the compiler said in its build.log"
    )


# --------------------------------------------------------------------------------------------------- with PyGeNN


@needs_genn
def test_a_rule_that_is_emitted_wrongly_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Writer._round

    def wrong(self: Writer, expr: Any) -> Any:
        return right(self, replace(expr, mode="toward_zero") if expr.mode == "nearest_even" else expr)

    monkeypatch.setattr(Writer, "_round", wrong)
    machines = beside_the_reference(expressions(0))
    everywhere(machines, "advance", 3)
    assert difference(machines) is not None


@needs_genn
def test_equal_weights_are_one_number_that_can_be_changed() -> None:
    p = star(3, Read("w.w", "own", WORD))
    body = (Store("p.x", c(1)), Spike(Const(True, BOOL)))
    p = replace(
        p,
        populations=(
            Population("p", 3, body, (), True, 1),
            Population("q", 1, (Store("q.sum", Read("q.i", "own", INT)),), ("q.i",), False, 0),
        ),
        arrays=p.arrays
        | {
            "q.sum": array("q.sum", "neuron", "state", INT, [0]),
            "w.x": array("w.x", "synapse", "state", WORD, [1, 2, 3]),
        },
        events=(Event("change", "w", "synapse", (Store("w.x", Read("w.w", "own", WORD)),), False),),
    )
    assert emit.uniform(p) == {"w.w"}
    assert "variable w" not in emit.text(p).partition("synapses w")[2]
    machines = beside_the_reference(p)
    for weight in (1, 7, -5):
        everywhere(machines, "write", "w.w", np.full(3, weight))
        everywhere(machines, "advance", 3)
        everywhere(machines, "trigger", "change")
        assert difference(machines) is None
        assert machines[1].read("q.sum").tolist() == [3 * weight]
        assert machines[1].read("w.x").tolist() == [weight] * 3
    with pytest.raises(InvalidInput) as error:
        machines[1].write("w.w", np.arange(3))
    assert str(error.value) == (
        "w.w: all of these were equal when the network was compiled, and GeNN has one number for them; give them one "
        "value again, or different ones in the network file"
    )
    machines[0].write("w.w", np.arange(3))
    refused_and_unchanged(machines[1], machines[0].save(), str(error.value))


def refused_and_unchanged(machine: Any, state: State, sentence: str) -> None:
    before = machine.save()
    with pytest.raises(InvalidInput) as error:
        machine.load(state)
    assert str(error.value) == sentence
    assert list(unlike(machine.save(), before)) == []


@needs_genn
def test_wide_numbers_clocks_and_schedules() -> None:
    wide = Int(-(2**60), 2**60)
    total = call("add", Read("p.wide", "scalar", wide), Read("p.i", "own", INT), lo=-(2**61), hi=2**61)
    large: dict[str, Any] = {"lo": -(2**62), "hi": 2**62}
    clock = call("mul", Read("$run.t", "scalar", INT), c(1000), **large)
    p = program(
        arrays=(
            array("p.wide", "scalar", "parameter", wide, 2**40 + 7, dynamic=True),
            array("p.fixed", "scalar", "parameter", wide, -(2**50) - 3),
            array("p.i", "neuron", "input", INT, [0, 0]),
            array("p.sum", "neuron", "state", Int(-(2**62), 2**62), [2**55 + 1, -(2**55) - 1]),
            array("p.now", "neuron", "state", INT, [0, 0]),
            array("$run.t", "scalar", "parameter", INT, 0),
            array("$run.item_step", "scalar", "parameter", INT, 0),
        ),
        populations=(
            Population(
                "p",
                2,
                (
                    Let("total", call("add", total, Read("p.fixed", "scalar", wide), lo=-(2**62), hi=2**62)),
                    Store("p.sum", Temp("total", Int(-(2**62), 2**62))),
                    Store("p.now", call("add", clock, Read("$run.item_step", "scalar", INT), **large)),
                ),
                ("p.i",),
                False,
                0,
            ),
        ),
        series=(
            Series("shown", "p.i", np.array([[1, 2], [30, 40], [500, 600]]), 2, "item"),
            Series("once", "p.i", np.array([[1000, 2000]]), 3),
        ),
    )
    machines = beside_the_reference(p)
    assert difference(machines) is None
    for value, schedule in ((2**59 + 1, [2, 0, 1, 1]), (-(2**59) - 5, [1, 1, 1, 1])):
        everywhere(machines, "begin_item", (), {"shown": np.array(schedule)})
        for _ in range(8):
            everywhere(machines, "advance", 1)
            assert difference(machines) is None
        everywhere(machines, "write", "p.wide", np.array(value))
    assert machines[1].read("p.now").tolist() == [15007, 15007]
    with pytest.raises(InvalidInput) as error:
        machines[1].write("p.fixed", np.array(3))
    assert str(error.value) == "p.fixed: this parameter is part of the compiled code; declare it `dynamic: true`"
    machines[0].write("p.fixed", np.array(3))
    refused_and_unchanged(machines[1], machines[0].save(), str(error.value))
    with pytest.raises(InvalidInput) as error:
        machines[1].write("p.sum", np.zeros(3, np.int64))
    assert str(error.value) == "p.sum: the values have shape (3,); the array has (2,)"


def grow(name: str, by: int) -> Store:
    return Store(name, call("add", Read(name, "own", WORD), c(by)), None, "error", -128, 127)


def failing(x: int = 1, w: int = 1, late: int = 1) -> Program:
    """Numbers that grow by so much in every step, or event, until the error rule ends the run."""
    return program(
        arrays=(
            array("p.x", "neuron", "state", WORD, [0, -100]),
            array("p.y", "neuron", "state", WORD, [0, -100]),
            array("w.w", "synapse", "state", WORD, [-100, 0, 5]),
            array("w.y", "synapse", "state", WORD, [-100, 0, 5]),
        ),
        populations=(Population("p", 2, (grow("p.x", x),), (), False, 0),),
        projections=(pairs("w", "p", "p", (2, 2), [(0, 0), (0, 1), (1, 1)], step=(grow("w.w", w),)),),
        events=(
            Event("change", "p", "neuron", (grow("p.y", 100),), False),
            *([Event("each_step", "w", "synapse", (grow("w.y", late),), True)] if late else []),
        ),
    )


@needs_genn
@pytest.mark.parametrize(
    ("growth", "step", "name"),
    [((50, 1, 1), 2, "p.x"), ((30, 45, 1), 2, "w.w"), ((20, 45, 0), 2, "w.w"), ((30, 1, 50), 2, "w.y")],
)
def test_the_error_rule_ends_the_run(growth: tuple[int, int, int], step: int, name: str) -> None:
    for machine in beside_the_reference(failing(*growth)):
        with pytest.raises(RunFailed) as error:
            machine.advance(10)
        assert str(error.value) == (
            f"step {step}: a value for '{name}' lies outside -128..127, and this chip has no rule for that; give the "
            f"variable a larger range"
        )


@needs_genn
def test_the_error_rule_holds_for_events() -> None:
    for machine in beside_the_reference(failing(0, 0, 0)):
        machine.advance(3)
        machine.trigger("change")
        with pytest.raises(RunFailed, match=r"a value for 'p\.y' lies outside"):
            machine.trigger("change")


@needs_genn
def test_spikes_survive_full_buffers() -> None:
    machines = beside_the_reference(rich())
    everywhere(machines, "advance", 3000)
    assert difference(machines) is None


@needs_genn
def test_nothing_is_compiled_twice_or_written_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, kept = tmp_path / "here", tmp_path / "kept"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("NEUROPORT_CACHE", str(kept))
    p = star(3, Read("w.w", "own", WORD))
    times = []
    for seed in (1, 2):
        weights = replace(p.arrays["w.w"], initial=np.arange(seed, seed + 3, dtype=np.int8))
        GENN.open(replace(p, arrays=p.arrays | {"w.w": weights}), seed, ())
        times.append({file: file.stat().st_mtime_ns for file in kept.rglob("*.so")})
    assert times[0] == times[1] != {}
    assert list(here.iterdir()) == []


@needs_genn
@pytest.mark.parametrize("seed", [29, 42])
def test_spike_counters_of_populations_stay_apart(seed: int) -> None:
    """GeNN would merge them: in 29 of what reads the past, in 42 of what reads it where all delays are 0."""
    assert drive(beside_the_reference(networks([seed])), seed=1, actions=10) is None
