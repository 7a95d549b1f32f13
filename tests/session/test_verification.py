"""Verification: executors that agree are said to, and a planted error is found and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.backends.reference import Reference
from neuroport.errors import Unsupported
from neuroport.network.protocol import Reset, Run, Trigger
from neuroport.numerics.units import Quantity
from neuroport.program.executor import Capture
from neuroport.program.ir import REAL, Int
from neuroport.program.machine import Array, Program
from neuroport.session.verify import Difference
from tests.support import small_programs as small
from tests.support.faulty import Faulty, flip
from tests.support.planning import verify


@pytest.mark.parametrize("at", [0, 1, 255, 256, 700])
def test_a_flipped_bit_of_a_counter_is_found_in_its_step(at: int) -> None:
    """`out.count` only adds up: the flipped bit is still there, and nothing else has changed."""
    found = verify(small.runs(800), small.rich(), [Reference(), Faulty(at, flip("out.count", 2, 10))])
    assert not found.identical
    assert found.executors == ("reference", "faulty")
    difference = found.first_difference
    assert difference is not None
    assert (difference.kind, difference.step, difference.name, difference.element) == ("array", at, "out.count", 2)
    assert abs(difference.values[0] - difference.values[1]) == 1024
    a, b = difference.values
    assert str(difference) == f"after step {at}: 'out.count' element 2 is {a} on reference and {b} on faulty"


def test_a_flipped_weight_is_found() -> None:
    found = verify(small.runs(800), small.rich(), [Reference(), Faulty(333, flip("back.w", 4, 3))])
    assert found.first_difference == Difference("array", 333, "back.w", 4, ("reference", "faulty"), (0, 8))
    assert found.steps == 512


def test_a_spike_that_one_executor_lacks_is_found() -> None:
    class Deaf(Reference):
        name = "deaf"

        def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Any:
            return _Deaf(super().open(program, seed, record_spikes))

    class _Deaf:
        def __init__(self, executor: Any) -> None:
            self._executor = executor

        def __getattr__(self, name: str) -> Any:
            return getattr(self._executor, name)

        def drain(self) -> Capture:
            capture: Capture = self._executor.drain()
            steps, neurons = capture.spikes["out"]
            kept = (steps < 100) | (neurons != 3)
            capture.spikes["out"] = (steps[kept], neurons[kept])
            return capture

    machine = Reference().open(small.rich(), 1, ("out",))
    machine.advance(400)
    steps, neurons = machine.drain().spikes["out"]
    first = int(steps[(steps >= 100) & (neurons == 3)][0])
    for backends, words in (
        ([Reference(), Deaf()], "reference and not on deaf"),
        ([Deaf(), Reference()], "reference and not on deaf"),
    ):
        found = verify(small.runs(400), small.rich(), backends).first_difference
        assert str(found) == f"step {first}: neuron 3 of 'out' spikes on {words}"


def test_counts_are_compared() -> None:
    def miscount(executor: Any) -> None:
        executor._histograms["busy"][9] += 1

    items = (Run(duration=Quantity(30, "steps"), readouts=("busy",)),)
    found = verify(small.network(*items), small.rich(), [Reference(), Faulty(20, miscount)])
    difference = found.first_difference
    assert difference is not None and str(difference).startswith("after step 20: readout 'busy' has counted state 9 ")

    def forget(executor: Any) -> None:
        executor._overflows["forward.w"] = 1

    found = verify(small.runs(300), small.rich(), [Reference(), Faulty(299, forget)])
    assert found.steps == 300
    difference = found.first_difference
    assert difference is not None and (difference.kind, difference.name) == ("overflows", "forward.w")
    assert str(difference) == (
        f"after step 299: 'forward.w' has overflowed {difference.values[0]} times on reference and "
        f"{difference.values[1]} times on faulty"
    )


def test_executors_that_agree_are_identical() -> None:
    items = small.repeat(9, "k", Trigger(event="flip"), Run(duration=Quantity(5000, "steps")))
    told: list[tuple[int, int]] = []
    found = verify(
        small.network(items),
        small.rich(),
        [Reference(), Reference(True)],
        steps=50,
        progress=lambda a, b: told.append((a, b)),
    )
    assert (found.identical, found.steps, found.first_difference, found.skipped) == (True, 150, None, {})
    assert told[-1] == (150, 150)
    assert verify(small.network(), small.rich(), [Reference(), Reference()], steps=7).steps == 7
    assert verify(small.runs(1200), small.rich(), [Reference(), Reference()], full=True).steps == 1200


def test_real_programs_may_differ_in_the_last_places() -> None:
    def shift(by: float) -> Any:
        def plant(executor: Any) -> None:
            executor.write("rec.w", executor.read("rec.w") * (1 + by))

        return plant

    program = small.sampling(3)
    network = small.runs(300)
    assert verify(network, program, [Reference(), Faulty(100, shift(1e-14))]).identical
    found = verify(network, program, [Reference(), Faulty(100, shift(1e-10))]).first_difference
    assert found is not None and (found.kind, found.name, found.step) == ("array", "rec.w", 100)
    assert verify(network, replace(program, precision="float32"), [Reference(), Faulty(100, shift(1e-6))]).identical


def test_what_is_left_of_sums_that_cancel_is_measured_by_the_declared_range() -> None:
    def add(by: float) -> Any:
        def plant(executor: Any) -> None:
            executor.write("p.x", executor.read("p.x") + by)

        return plant

    def first(by: float, limits: tuple[float, float] | None) -> Difference | None:
        x = Array("p.x", "p", "neuron", "state", REAL, np.array([6e-5, 0.0]), range=limits)
        program = small.program([x], [small.Population("p", 2, (), (), False, 0)])
        return verify(small.runs(2), program, [Reference(), Faulty(1, add(by))]).first_difference

    assert first(3e-16, (-4.0, 4.0)) is None
    assert first(3e-16, None) is not None
    assert first(1e-11, (-4.0, 4.0)) is not None


def test_numbers_that_are_not_finite_count_as_equal_to_themselves() -> None:
    initial = np.array([np.nan, np.inf, 1.0])
    x = Array("p.x", "p", "neuron", "state", REAL, initial)
    program = small.program([x], [small.Population("p", 3, (), (), False, 0)])
    assert verify(small.runs(2), program, [Reference(), Reference()]).identical

    def plant(executor: Any) -> None:
        executor.write("p.x", np.array([np.nan, -np.inf, 1.0]))

    found = verify(small.runs(2), program, [Reference(), Faulty(1, plant)]).first_difference
    assert found is not None and (found.step, found.element) == (1, 1)


def test_backends_that_cannot_take_part_are_listed() -> None:
    class Absent(Reference):
        name = "absent"

        def missing(self) -> str | None:
            return "install it first."

    found = verify(small.runs(5), small.rich(), [Reference(), Absent(), "reference"])
    assert found.skipped == {"absent": "install it first."}
    assert found.executors == ("reference", "reference")
    with pytest.raises(Unsupported) as error:
        verify(small.runs(5), small.rich(), [Reference(), Absent()])
    assert str(error.value) == (
        "verifying takes two executors, and 1 can run this network (absent: install it first.); name another one"
    )


@pytest.mark.dear
@pytest.mark.parametrize("precision", ["integer", "float64", "float32"])
def test_emulator_agrees_on_the_small_programs(precision: str) -> None:
    program = small.rich() if precision == "integer" else replace(small.sampling(), precision=precision)
    steps = 300 if precision == "float32" else 1000
    found = verify(small.runs(steps), program, ["reference", "emulator"])
    assert found.first_difference is None and found.steps == steps


@pytest.mark.dear
def test_emulator_agrees_across_resets_and_events() -> None:
    def run(steps: int) -> Run:
        return Run(duration=Quantity(steps, "steps"), readouts=("busy",))

    items = small.repeat(
        3,
        "k",
        run(41),
        Trigger(event="flip"),
        run(4),
        Reset(populations=("in",)),
        run(33),
        Reset(populations=("out",)),
        run(1),
    )
    found = verify(small.network(items), small.rich(), ["reference", "emulator"])
    assert found.first_difference is None and found.steps == 3 * 79


@pytest.mark.dear
def test_emulator_agrees_on_every_rounding() -> None:
    from neuroport.program.ir import Apply, Random, Round, Store

    x = small.read("p.x", type=Int(-(2**40), 2**40))
    step = Apply("sub", (Random(3, Int(0, 2**32 - 1)), small.const(2**31)), Int(-(2**31), 2**31 - 1))
    modes: list[Any] = ["toward_zero", "floor", "nearest", "nearest_even", "floor_min_step", "stochastic"]
    arrays = [small.array("p.x", "neuron", "state", [0] * 9, Int(-(2**40), 2**40))]
    arrays += [small.array(f"p.{m}", "neuron", "state", [0] * 9) for m in modes]
    body: Any = (
        Store("p.x", step),
        *(
            Store(f"p.{m}", Round(x, s, m, small.INT, 5), None, "wrap", -99, 99)
            for m, s in zip(modes, (1, 9, 20, 29, 30, 32), strict=True)
        ),
    )
    population = small.Population("p", 9, body, (), False, 0)
    assert (
        verify(small.runs(1000), small.program(arrays, [population]), ["reference", "emulator"]).first_difference
        is None
    )
