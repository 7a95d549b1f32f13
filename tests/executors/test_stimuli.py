"""What is given to inputs, and what is sampled: series, patterns, frames, starts, injections and written values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroport.program.ir import Int, Read, Store
from neuroport.program.machine import Injection, Population, Program, Record, Series
from tests.support.executors import start
from tests.support.programs import array, c, call, program

ACC = Int(-(2**30), 2**30)
CLOCK = Int(0, 2**31 - 1)
GIVEN = ("ends", "loops", "patterns", "frames", "late", "replaced", "kicked", "written")


def stimulated() -> Program:
    """Populations of two neurons that each keep what one kind of stimulus gave them in the last step, and a clock."""
    two, three, four = np.arange(1, 5).reshape(2, 2), np.arange(1, 7).reshape(3, 2), np.arange(1, 9).reshape(4, 2)
    both = call("add", call("mul", Read("$run.t", "scalar", CLOCK), c(100)), Read("$run.item_step", "scalar", CLOCK))
    arrays = [
        array("$run.t", "scalar", "parameter", CLOCK, 0),
        array("$run.item_step", "scalar", "parameter", CLOCK, 0),
        array("clock.v", "neuron", "state", ACC, [0]),
    ]
    for name in GIVEN:
        arrays += [
            array(f"{name}.v", "neuron", "state", ACC, [0, 0]),
            array(f"{name}.i", "neuron", "input", ACC, [0, 0]),
        ]
    return program(
        arrays=arrays,
        populations=(
            Population("clock", 1, (Store("clock.v", both),), (), False, 0),
            *(Population(n, 2, (Store(f"{n}.v", Read(f"{n}.i", "own", ACC)),), (f"{n}.i",), False, 0) for n in GIVEN),
        ),
        series=(
            Series("ends", "ends.i", two, 2),
            Series("loops", "loops.i", two, 2, loop=True),
            Series("patterns", "patterns.i", three, 2, "item"),
            Series("frames", "frames.i", four, 4, "item", frames=2),
            Series("late", "late.i", three, 2, loop=True, start=np.array([2])),
            Series("replaced", "replaced.i", two, 1, "item"),
        ),
        injections=(
            Injection("kick", "kicked.i", np.array([0, 2, 2, 9]), np.array([0, 1, 1, 0]), np.array([5, 7, 8, 1])),
        ),
        records=(
            *(Record(f"{name}.v", 1) for name in (*GIVEN, "clock")),
            Record("loops.v", 3, "answer", 1),
            Record("clock.v", 100, "last", 4),
        ),
    )


@pytest.fixture(scope="module")
def seen(backend: Any) -> dict[str, Any]:
    """All records of 12 steps: 3 before any item, 6 in one with schedules and samples, 3 in one without."""
    (machine,) = start(stimulated(), backend)
    machine.advance(2)
    machine.write("written.i", np.array([5, 6]))
    assert machine.read("written.i").tolist() == [5, 6]
    machine.advance(1)
    shown = {"patterns": np.array([2, 0]), "frames": np.array([1, 0]), "replaced": np.array([0, 1, 1])}
    machine.begin_item(["answer", "last"], shown)
    machine.advance(2)
    table = np.array([[50, 60], [70, 80]])
    machine.load_series("replaced", table)
    table[:] = 0
    machine.advance(4)
    machine.begin_item([], {})
    machine.advance(3)
    return {name: (steps.tolist(), values.tolist()) for name, (steps, values) in machine.drain().records.items()}


def first(seen: dict[str, Any], name: str) -> list[int]:
    """What the first neuron of a population was given in each step."""
    return [row[0] for row in seen[f"{name}.v"][1]]


def test_a_series_ends_or_loops(seen: dict[str, Any]) -> None:
    assert first(seen, "ends") == [1, 1, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0]
    assert first(seen, "loops") == [1, 1, 3, 3] * 3
    assert seen["ends.v"][1][2] == [3, 4]


def test_patterns_follow_the_schedule_of_their_item(seen: dict[str, Any]) -> None:
    assert first(seen, "patterns") == [0, 0, 0, 5, 5, 1, 1, 0, 0, 0, 0, 0]


def test_a_pattern_of_several_frames_shows_them_one_after_the_other(seen: dict[str, Any]) -> None:
    assert first(seen, "frames") == [0, 0, 0, 5, 5, 7, 7, 1, 1, 0, 0, 0]


def test_a_series_begins_at_its_start(seen: dict[str, Any]) -> None:
    assert first(seen, "late") == [5, 5, 1, 1, 3, 3, 5, 5, 1, 1, 3, 3]


def test_a_series_gets_a_new_table(seen: dict[str, Any]) -> None:
    assert seen["replaced.v"][1][2:7] == [[0, 0], [1, 2], [3, 4], [70, 80], [0, 0]]


def test_injections_of_one_step_add_up(seen: dict[str, Any]) -> None:
    assert seen["kicked.v"][1] == [[5, 0], [0, 0], [0, 15], *([0, 0] for _ in range(6)), [1, 0], [0, 0], [0, 0]]


def test_a_written_input_acts_in_the_coming_step(seen: dict[str, Any]) -> None:
    assert seen["written.v"][1] == [[0, 0], [0, 0], [5, 6], *([0, 0] for _ in range(9))]


def test_clocks_count_the_steps_of_the_run_and_of_the_item(seen: dict[str, Any]) -> None:
    assert first(seen, "clock") == [0, 101, 202, 300, 401, 502, 603, 704, 805, 900, 1001, 1102]


def test_a_sampling_record_is_active_in_the_items_that_name_it(seen: dict[str, Any]) -> None:
    assert seen["answer"] == ([4, 7], [[1, 2], [3, 4]])
    assert seen["last"] == ([7], [[704]])
    assert seen["loops.v"][0] == list(range(12))
