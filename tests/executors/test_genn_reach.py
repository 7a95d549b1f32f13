"""The GeNN backend: events that reach other projections and populations, samples, stimuli in frames."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import emit, reach
from neuroport.backends.reference import Reference
from neuroport.copies.unbatch import unbatch
from neuroport.errors import InvalidInput
from neuroport.program.ir import Int, Read, Store
from neuroport.program.machine import Event, Population, Program
from tests.support import small_programs
from tests.support.executors import GENN, difference, everywhere, needs_genn, start
from tests.support.programs import array, program
from tests.support.random_programs import batched
from tests.support.reaching import (
    WORD,
    copies,
    forked,
    kept,
    shown,
    twins,
    twins_of,
)


def test_what_twins_need_is_open_to_others() -> None:
    p = twins()
    assert reach.open_to_others(p, set()) == {f"{name}.{v}" for name in ("up", "down", "thin") for v in ("w", "m")}
    text = emit.text(p)
    change = text.partition("update up2_change of up2")[2].partition("update ")[0]
    assert "array twin_w: int8_t, up.w of up" in change and "twin_w[id_syn]" in change
    change = text.partition("update down_change of down")[2].partition("update ")[0]
    assert "[id_post * 4 + id_pre]" in change
    assert "variable twin: uint16_t, twin back (constant)" in text


def test_a_twin_that_is_read_and_assigned_is_a_sentence() -> None:
    p = twins()
    forward = p.projection("up2")
    loop = replace(twins_of(forward, forward, False), twin=np.arange(12)[::-1])
    itself = Event("flip", "up2", "synapse", (kept("up2.w", Read("up2.w", "twin", WORD)),))
    p = replace(p, projections=(*p.projections[:1], loop, *p.projections[2:]), events=(itself,))
    assert GENN.check(p) == (
        "event flip of up2: reads 'up2.w' of the twin and assigns it too; on a GPU all synapses do so at the same "
        "time. Assign it in an event of its own.",
    )


@needs_genn
def test_twins() -> None:
    machines = start(twins(), 3, (Reference(), Emulator(), GENN))
    assert difference(machines) is None
    numbers = np.random.Generator(np.random.PCG64(1))
    for _ in range(12):
        everywhere(machines, "advance", int(numbers.integers(1, 4)))
        assert difference(machines) is None
        everywhere(machines, "trigger", "change")
        assert difference(machines) is None
        everywhere(machines, "write", "up.w", numbers.integers(-100, 100, 12))
        everywhere(machines, "write", "thin.m", numbers.integers(-100, 100, 6))
    assert machines[0].overflows()["up.w"] > 0


@needs_genn
def test_one_event_for_all_copies() -> None:
    p = copies()
    machines = start(p, 5)
    everywhere(machines, "begin_item", ("high",), {})
    for _ in range(8):
        everywhere(machines, "advance", 5)
        assert difference(machines) is None
        everywhere(machines, "trigger", "level")
        assert difference(machines) is None
        everywhere(machines, "reset", "y#2")
    assert np.count_nonzero(machines[0].histogram("high")) > 1
    draws = [machines[1].read(f"x#{k}.d").tolist() for k in range(3)]
    assert draws[0] != draws[1] != draws[2]


@needs_genn
def test_wide_constants_that_differ_between_copies() -> None:
    wide = Int(-(2**60), 2**60)
    names = [f"x#{k}" for k in range(3)]
    p = program(
        arrays=[
            a
            for k, n in enumerate(names)
            for a in (
                array(f"{n}.c", "scalar", "parameter", wide, (-1) ** k * (2**40 + 7 * k)),
                array(f"{n}.v", "neuron", "state", wide, [0] * 3),
            )
        ],
        populations=[Population(n, 3, (Store(f"{n}.v", Read(f"{n}.c", "scalar", wide)),), (), False, 0) for n in names],
    )
    machines = start(p)
    everywhere(machines, "advance", 2)
    assert difference(machines) is None


@needs_genn
def test_frames_starts_samples_and_new_tables() -> None:
    machines = start(shown(), 1, (Reference(), Emulator(), GENN))
    for readouts, schedule in ((("late",), [1, 0, 1]), ((), [0, 0, 1]), (("late", "never"), [1, 1, 0])):
        everywhere(machines, "begin_item", readouts, {"frames": np.array(schedule)})
        for steps in (5, 1, 12):
            everywhere(machines, "advance", steps)
            assert difference(machines) is None
        everywhere(machines, "load_series", "frames", np.arange(12).reshape(6, 2) * 10**8)
    everywhere(machines, "begin_item", ("late",), {"frames": np.array([1, 0])})
    machines[2].advance(12)
    steps, values = machines[2].drain().records["late"]
    assert steps.tolist() == [56, 59, 62, 65]
    assert values[0].tolist() == [8 * 10**8 + 600, 9 * 10**8 + 700]
    with pytest.raises(InvalidInput) as error:
        machines[2].load_series("wave", np.zeros((3, 2), np.int64))
    assert str(error.value) == "wave: the new table has shape (3, 2); the series has (4, 2)"


@needs_genn
def test_a_projection_that_sends_to_several_inputs() -> None:
    machines = start(forked(), 2, (Reference(), Emulator(), GENN))
    for k in range(6):
        everywhere(machines, "advance", 7)
        assert difference(machines) is None
        everywhere(machines, "trigger", "change")
        assert difference(machines) is None
        everywhere(machines, "write", "w.w", np.arange(6) * (k - 2))
        everywhere(machines, "write", "w.m", np.arange(6) + k)
        if k == 3:
            everywhere(machines, "reset", "x")
    assert machines[0].overflows()["w.w"] > 0
    assert machines[0].spike_counts()["x"] > 10


# ------------------------------------------------------------------------------------------- copies that share


def test_too_many_copies_are_a_sentence() -> None:
    assert GENN.check(small_programs.learning(128, real=False)) == ()
    assert GENN.check(small_programs.learning(129, real=False)) == (
        "the network has 129 copies that share what they learn; with GeNN each is made of groups of its own, and at "
        "most 128 are accepted. Take fewer (--set copies=4), or another backend.",
    )


def test_the_models_of_copies_can_be_read() -> None:
    text = emit.text(small_programs.learning(3, real=False))
    assert [line for line in text.split("\n") if line.startswith("update")] == [
        "update up_copy0_each_step of up#0, after every step and on its event",
        "update down_copy0_each_step of down#0, after every step and on its event",
        "update up_copy0_forget of up#0, on its event",
    ]


@needs_genn
@pytest.mark.parametrize("real", [False, True])
def test_copies_that_share_weights(real: bool) -> None:
    machines = start(small_programs.learning(9, real), 4)
    for _ in range(5):
        everywhere(machines, "begin_item", ("answer",), {})
        everywhere(machines, "advance", 13)
        assert difference(machines, 1e-12 * real) is None
        everywhere(machines, "trigger", "forget")
        assert difference(machines, 1e-12 * real) is None
    assert machines[1].read("up.w").shape == (6,)
    assert machines[1].read("b.e").shape == (2, 9)


def executable(first: int) -> tuple[int, Program]:
    """A random network with twins whose synapses read the past of a source as far back as GeNN has it."""
    while True:
        p = batched(first, 3)
        if any(q.twin is not None for q in p.projections) and not GENN.check(p):
            return first, p
        first += 1


@needs_genn
@pytest.mark.parametrize("ten", [0, *(pytest.param(ten, marks=pytest.mark.slow) for ten in range(1, 10))])
def test_random_copies(ten: int) -> None:
    """Events that read what synapses see late, that store it, and sums over neurons at both ends."""
    seed, p = executable(10 * ten)
    machines = start(p, seed)
    draw = random.Random(seed)
    everywhere(machines, "begin_item", ("answer", "joint"), {"shown": np.array([[0, 1, 2]] * 9)})
    for _ in range(12):
        everywhere(machines, "advance", draw.randint(1, 4))
        assert difference(machines) is None
        match draw.randrange(3):
            case 0:
                everywhere(machines, "trigger", "change")
            case 1:
                everywhere(machines, "reset", p.populations[0].name)
            case 2:
                name = f"{p.populations[0].name}.s0"
                everywhere(machines, "write", name, machines[0].read(name)[::-1])
        assert difference(machines) is None


def test_nothing_is_shared_that_threads_write_for_others() -> None:
    """What belongs to another group is written at the place of this thread's own neuron or synapse only."""
    written = set()
    for p in (twins(), copies(), unbatch(executable(0)[1])):
        for group in emit.emit(p).groups():
            arrays = {a.ident for a in group.arrays if a.kind == "array"} | {
                b.ident for b in getattr(group, "borrowed", ())
            }
            code = "\n".join(getattr(group, part, "") for part in ("code", "step", "arrive", "post_code"))
            for ident, index in re.findall(r"\b(\w+)\[([^\]]+)\] \+?= ", code):
                if ident in arrays:
                    written.add((type(group).__name__, getattr(group, "over", ""), index))
    assert written == {
        ("Neurons", "", "id"),
        ("Synapses", "", "id_syn"),
        ("Update", "neuron", "id"),
        ("Update", "synapse", "id_syn"),
    }
