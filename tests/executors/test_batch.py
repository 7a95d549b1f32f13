"""Copies that share what they learn: the reference executor, the written-out program and the other executors agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.reference import Reference
from neuroport.copies.axis import elements_of_copies, sum_over_copies, with_copies
from neuroport.copies.unbatch import unbatch
from neuroport.copies.unroll import unroll
from neuroport.copies.views import CopyExecutor, Meeting, open_unbatched
from neuroport.errors import Unsupported
from neuroport.numerics import rng
from neuroport.program.executor import Executor
from neuroport.program.ir import INT, REAL, Int, Let, Random, Round, Store, Sum, Temp
from neuroport.program.machine import Event, Population, Program, Record, Series
from tests.support import random_programs
from tests.support import small_programs as small
from tests.support.small_programs import apply, array, program, read

Open = Callable[[Program, int, Sequence[str]], Executor]
SIZES = (1, 3, 9)
"""Nine copies are more than the lanes of a sum."""


def reference(program: Program, seed: int, spikes: Sequence[str]) -> Executor:
    return Reference(checked=True).open(program, seed, spikes)


def written_out(program: Program, seed: int, spikes: Sequence[str]) -> Executor:
    if program.copies == 1:
        return reference(unbatch(program), seed, spikes)
    return open_unbatched(Reference(checked=True).open, program, seed, spikes)


def emulator(program: Program, seed: int, spikes: Sequence[str]) -> Executor:
    return Emulator().open(program, seed, spikes)


def emulator_written_out(program: Program, seed: int, spikes: Sequence[str]) -> Executor:
    if program.copies == 1:
        return emulator(program, seed, spikes)
    return open_unbatched(Emulator().open, program, seed, spikes)


RANDOM: list[Any] = [(0, 1, written_out), (3, 3, written_out), (6, 3, written_out), (0, 9, written_out)]
RANDOM += [pytest.param(4, 3, emulator, marks=pytest.mark.slow)]
LEARNING: list[Any] = [(copies, other) for copies in SIZES for other in (written_out, emulator)]
LEARNING += [pytest.param(3, emulator_written_out, marks=pytest.mark.slow)]


def same(program: Program, one: Executor, other: Executor) -> None:
    for name in program.arrays:
        expected, found = one.read(name), other.read(name)
        assert expected.dtype == found.dtype and expected.tobytes() == found.tobytes(), name
    assert one.overflows() == other.overflows()
    assert one.spike_counts() == other.spike_counts()
    for readout in program.readouts:
        assert one.histogram(readout.name).tolist() == other.histogram(readout.name).tolist()
    expected_capture, found_capture = one.drain(), other.drain()
    for kind in ("spikes", "records"):
        first, second = getattr(expected_capture, kind), getattr(found_capture, kind)
        assert set(first) == set(second)
        for name, (steps, values) in first.items():
            assert steps.tolist() == second[name][0].tolist(), name
            assert values.shape == second[name][1].shape and values.tolist() == second[name][1].tolist(), name


def spiking(program: Program) -> list[str]:
    return [p.name for p in program.populations if p.spiking]


def opened(program: Program, other: Open, seed: int = 1) -> tuple[Executor, Executor]:
    return reference(program, seed, spiking(program)), other(program, seed, spiking(program))


# ------------------------------------------------------------------------------------------------ random programs


@pytest.mark.dear
@pytest.mark.parametrize(("seed", "copies", "other"), RANDOM)
def test_random_programs(seed: int, copies: int, other: Open) -> None:
    program = random_programs.batched(seed, copies)
    draws = np.random.Generator(np.random.PCG64(seed))
    machines = opened(program, other, seed)
    shown = [draws.integers(0, 3, (9, copies) if k % 2 and copies > 1 else 9) for k in range(3)]
    first = program.populations[0].name
    for patterns in shown:
        for machine in machines:
            machine.begin_item(["answer", "joint"], {"shown": patterns})
            machine.advance(17)
            machine.trigger("change")
            machine.advance(8)
        same(program, *machines)
        for machine in machines:
            machine.begin_item([], {})
            machine.reset(first)
            machine.write("w0.g", np.arange(len(machine.read("w0.g"))))
            machine.write("w0.h", machine.read("w0.h") // 2)
            machine.write("w0.x", machine.read("w0.x") // 2)
            machine.write(f"{first}.k", np.full_like(machine.read(f"{first}.k"), 7))
            machine.load_series("shown", np.arange(6 * program.populations[0].size).reshape(6, -1))
        same(program, *machines)


# ---------------------------------------------------------------------------------------------------- rate networks


@pytest.mark.dear
@pytest.mark.parametrize(("copies", "other"), LEARNING)
@pytest.mark.parametrize("real", [False, True])
def test_copies_that_learn_together(copies: int, real: bool, other: Open) -> None:
    program = small.learning(copies, real)
    one, two = opened(program, other)
    for machine in (one, two):
        machine.begin_item(["answer"], {})
        machine.advance(60)
        machine.trigger("forget")
        machine.advance(20)
    w, x = one.read("up.w"), one.read("a.x")
    assert np.unique(w).size > 3
    if copies > 1:
        assert w.shape == (6,) and x.shape == (3, copies)
        assert (x[:, 0] != x[:, 1]).any()
    same(program, one, two)


def test_copies_learn_what_a_direct_calculation_learns() -> None:
    """The learning network, from its description alone."""
    copies = 3
    machine = reference(small.learning(copies, True), 1, [])
    machine.begin_item([], {})
    machine.advance(30)
    pre, post = np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)
    table = small.LEARNING_TABLE
    x, e = np.zeros((3, copies)), np.zeros((2, copies))
    w, m, g = np.arange(1, 7) / 8, np.zeros(6), np.zeros(6)
    for t in range(30):
        i = np.zeros((2, copies))
        g = np.zeros(6)
        for s in range(6):
            for c in range(copies):
                i[post[s], c] += w[s] * x[pre[s], c]
        for s in range(6):
            terms = [e[post[s], c] * x[pre[s], c] for c in range(copies)]
            g[s] = (terms[0] + terms[1]) + terms[2]
        key = rng.step_key(rng.stream_key(1, small.LEARNING_STREAM), t)
        for c in range(copies):
            elements = np.arange(3, dtype=np.uint64) + np.uint64(c * 2**40)
            x[:, c] = 0.5 * x[:, c] + (table[(t + c) % len(table)] + rng.draw(key, elements) * 2.0**-32)
        e = 1.0 - i
        m = 0.5 * m + 0.03125 * (g / 3.0)
        w = w + m
    assert machine.read("a.x").tolist() == x.tolist()
    assert machine.read("b.e").tolist() == e.tolist()
    assert machine.read("up.w").tolist() == w.tolist()
    assert machine.read("down.w").tolist() == w.reshape(3, 2).T.ravel().tolist()


# ----------------------------------------------------------------------------------------------- what copies have


@pytest.mark.parametrize("copies", SIZES)
def test_copies_that_share_nothing_are_networks_of_their_own(copies: int) -> None:
    """Every kind of delay, rows skipped by a condition, back-sends, overflow and resets, in each copy."""
    rich = small.rich()
    programs = with_copies(rich, copies)
    whole, parts = opened(programs, written_out)
    single = reference(rich, 1, spiking(rich))
    for machine in (whole, parts, single):
        machine.begin_item(["busy"], {})
        machine.advance(40)
        machine.trigger("flip")
        machine.advance(3)
        machine.reset("in")
        machine.advance(30)
    for name, of_all in ((name, whole.read(name)) for name in rich.arrays):
        assert of_all.reshape(*single.read(name).shape, copies)[..., 0].tolist() == single.read(name).tolist(), name
    same(programs, whole, parts)


def test_a_sum_has_eight_lanes() -> None:
    values = np.random.Generator(np.random.PCG64(1)).normal(0, 1, (5, 19)) * 10.0 ** np.arange(19)
    for row, found in zip(values, sum_over_copies(values), strict=True):
        lanes = [0.0] * 8
        for copy, value in enumerate(row):
            lanes[copy % 8] += value
        expected = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
        assert found == expected


def test_a_sum_of_negative_zeros_is_zero() -> None:
    made = with_copies(_summing(REAL, [-0.0, -0.0], Sum(read("p.x", type=REAL), REAL)), 3)
    for machine in opened(made, written_out):
        machine.trigger("sum")
        assert not np.signbit(machine.read("p.y")).any()


def _summing(type_: Any, x: list[Any], value: Any) -> Program:
    """Neurons with x of their own and a shared y, to which the event `sum` gives a value once."""
    arrays = [
        array("p.x", "neuron", "state", x, type_),
        array("p.y", "neuron", "state", x, type_, shared=True),
    ]
    event = Event("sum", "p", "neuron", (Store("p.y", value),), once=True)
    return program(arrays, [Population("p", len(x), (), (), False, 0)], events=(event,))


def test_what_is_computed_once_draws_as_copy_0_and_in_a_sum_as_each_copy() -> None:
    draw = Random(5, Int(0, 2**32 - 1))
    key = rng.step_key(rng.stream_key(1, 5), 0)
    elements = elements_of_copies(np.arange(2, dtype=np.uint64), 3)
    assert elements.tolist() == [[0, 2**40, 2**41], [1, 2**40 + 1, 2**41 + 1]]
    drawn = rng.draw(key, elements).astype(np.int64)
    total = Sum(draw, Int(0, 3 * 2**32))
    for value, expected in ((draw, drawn[:, 0]), (total, drawn.sum(axis=1))):
        machine = reference(with_copies(_summing(INT, [0, 0], value), 3), 1, [])
        machine.trigger("sum")
        assert machine.read("p.y").tolist() == expected.tolist()


def test_a_draw_in_a_sum_of_an_event_cannot_be_written_out() -> None:
    for x in (Random(5, INT), Round(read("p.x"), 2, "stochastic", INT, 3)):
        with pytest.raises(Unsupported) as caught:
            unbatch(with_copies(_summing(INT, [0], Sum(x, INT)), 2))
        assert str(caught.value) == (
            "a block that is computed once for all copies draws a random number in each of them (within sum_copies or "
            "mean_copies, or by stochastic rounding there), which this backend cannot do; draw it outside, or run on "
            "the reference backend"
        )


def test_an_overflow_of_what_is_computed_once() -> None:
    """It counts once for a shared array, and for every copy when each of them gets the value."""
    made = _summing(INT, [3, 5, 9], Sum(read("p.x"), INT))
    value = made.events[0].body[0].value  # type: ignore[union-attr]
    body = (Store("p.y", value, None, "saturate", 0, 10), Store("p.x", value, None, "saturate", 0, 10))
    batch = with_copies(replace(made, events=(replace(made.events[0], body=body),)), 3)
    for machine in opened(batch, written_out):
        machine.trigger("sum")
        assert machine.read("p.y").tolist() == [9, 10, 10]
        assert machine.read("p.x").tolist() == [[9] * 3, [10] * 3, [10] * 3]
        assert machine.overflows() == {"p.y": 2, "p.x": 6}


def test_a_value_named_before_a_store_stays_what_it_was() -> None:
    made = _summing(INT, [3, 5], INT)
    total = Sum(apply("add", Temp("own", INT), read("p.y")), INT)
    body = (
        Let("own", read("p.x")),
        Let("old", read("p.y")),
        Store("p.y", total, small.test("gt", read("p.y"), 3)),
        Store("p.x", apply("add", Temp("old", INT), apply("mul", read("p.y"), 100))),
        Store("p.y", Sum(apply("add", Temp("own", INT), read("p.x")), INT)),
    )
    batch = with_copies(replace(made, events=(replace(made.events[0], body=body),)), 3)
    for machine in opened(batch, written_out):
        machine.trigger("sum")
        assert machine.read("p.x").tolist() == [[303] * 3, [3005] * 3]
        assert machine.read("p.y").tolist() == [3 * (3 + 303), 3 * (5 + 3005)]


def test_copies_that_share_are_not_copied_again() -> None:
    batch = with_copies(_summing(INT, [3], read("p.y")), 2)
    with pytest.raises(Unsupported, match=r"^copies that share variables cannot be copied again; give the number of"):
        unroll([batch, batch], [1, 2])


def test_independent_copies_have_frames_samples_and_tables_of_their_own() -> None:
    arrays = [array("p.i", "neuron", "input", [0, 0]), array("p.v", "neuron", "state", [0, 0])]
    body = (Store("p.v", apply("add", read("p.v"), read("p.i"))),)
    series = (Series("shown", "p.i", np.array([[1, 10], [2, 20]]), 2, "item", frames=2),)
    records = (Record("p.v", 2, "answer", 1),)
    made = program(arrays, [Population("p", 2, body, ("p.i",), False, 0)], series=series, records=records)
    meeting = Meeting(reference(unroll([made, made], [1, 2]), 1, []), 2)
    copies = [CopyExecutor(meeting, k) for k in range(2)]

    def work(k: int) -> list[list[int]]:
        if k == 1:
            copies[k].load_series("shown", np.array([[5, 0], [7, 0]]))
        copies[k].begin_item(["answer"], {"shown": np.array([0, 0])})
        copies[k].advance(4)
        values: list[list[int]] = copies[k].drain().records["answer"][1].tolist()
        return values

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, range(2))) == [[[3, 30], [6, 60]], [[12, 0], [24, 0]]]


def test_closing_closes_the_executor() -> None:
    made = with_copies(_summing(INT, [3], read("p.y")), 2)
    view = open_unbatched(reference, made, 1, [])
    view.close()
    closed: list[bool] = []
    view.executor.close = lambda: closed.append(True)  # type: ignore[attr-defined]
    view.close()
    assert closed == [True]


def test_one_copy_is_the_program_itself() -> None:
    made = small.rich()
    assert with_copies(made, 1) is made
    assert unbatch(made) is made


def test_patterns_are_dealt_to_copies() -> None:
    arrays = [array("p.i", "neuron", "input", [0, 0]), array("p.v", "neuron", "state", [0, 0])]
    body = (Store("p.v", apply("add", read("p.v"), read("p.i"))),)
    series = (
        Series("shown", "p.i", np.array([[1, 10], [2, 20], [3, 30]]), 2, "item"),
        Series("wave", "p.i", np.array([[100, 0], [200, 0]]), 1, loop=True, start=np.array([0, 1, 1])),
    )
    made = program(arrays, [Population("p", 2, body, ("p.i",), False, 0)], series=series, records=(Record("p.v", 1),))
    for machine in opened(with_copies(made, 3), written_out):
        machine.begin_item([], {"shown": np.array([[0, 1, 2], [2, 2, 1]])})
        machine.advance(3)
        assert machine.drain().records["p.v"][1].tolist() == [
            [[101, 202, 203], [10, 20, 30]],
            [[302, 304, 306], [20, 40, 60]],
            [[405, 507, 508], [50, 70, 80]],
        ]
        machine.begin_item([], {"shown": np.array([1])})
        machine.advance(1)
        assert machine.read("p.v").tolist() == [[607, 609, 610], [70, 90, 100]]


def test_the_text_of_a_batch(golden: Any) -> None:
    golden(Reference().source(small.learning(3, False)), "learning")
    golden(Reference().source(with_copies(small.rich(), 3)), "rich")
