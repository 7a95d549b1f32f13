"""Real programs that amplify their last bits: executors may part as far as such bits do, and faults are still found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.backends.reference import Reference, arithmetic
from neuroport.cli import main
from neuroport.program.ir import INT, REAL, Apply, Let, Spike, Store
from neuroport.program.machine import Population, Program
from neuroport.session import verify as verification
from neuroport.session.sensitivity import Sensitivity, flipped
from neuroport.session.verify import Verification
from tests.support import small_programs as small
from tests.support.faulty import Faulty
from tests.support.planning import verify

X = small.read("p.x", type=REAL)


def grown(factor: float, spiking: bool = False, precision: str = "float64") -> Program:
    """Neurons with x := factor x mod 1, which multiplies every error by the factor; they spike where x > 0.9."""
    body: Any = (Store("p.x", Apply("mod", (small.apply("mul", factor, X, type=REAL), small.const(1.0)), REAL)),)
    if spiking:
        body += (Spike(small.test("gt", X, 0.9)),)
    x = small.array("p.x", "neuron", "state", [0.3, 0.7123, 0.25], REAL)
    made = small.program([x], [Population("p", 3, body, (), spiking, 1 if spiking else 0)])
    return replace(made, precision=precision)  # type: ignore[arg-type]


def shift(by: float, array: str = "p.x") -> Any:
    def plant(executor: Any) -> None:
        executor.write(array, executor.read(array) * (1 + by))

    return plant


def found(program: Program, *faulty: Faulty, steps: int = 250) -> Verification:
    return verify(small.runs(steps), program, [Reference(), *faulty])


def test_a_last_bit_that_grows_is_no_difference() -> None:
    result = found(grown(1.1), Faulty(1, shift(3e-16)))
    assert (result.identical, result.first_difference, result.steps) == (True, None, 250)
    told = result.sensitivity
    assert told is not None and told.difference is not None and told.moved is not None
    assert told.difference > verification.TOLERANCE["float64"]
    assert told.difference < 20 * told.moved and told.moved < 20 * told.difference
    assert (told.name, told.executor, told.flipped, told.lost, told.until) == ("p.x", "reference", 0, (), None)
    assert str(told) == (
        f"'p.x' differs by {told.difference:.1e} of its scale after step {told.step}; flipping the last bits of states "
        f"and weights after step 0 moves it by {told.moved:.1e} on reference"
    )


@pytest.mark.parametrize("at", [0, 1, 5, 60, 150])
def test_what_no_last_bit_explains_is_found_in_its_step(at: int) -> None:
    """The executor also rounds in another way from the start, which alone would be no difference."""

    class Twice(Faulty):
        name = "twice"

        def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Any:
            executor = super().open(program, seed, record_spikes)
            shift(3e-16)(executor)
            return executor

    result = found(grown(1.1), Twice(at, shift(1e-6)))
    assert not result.identical
    first = result.first_difference
    assert first is not None and (first.kind, first.name, first.step) == ("array", "p.x", at)
    if at:
        told = result.sensitivity
        assert told is not None and told.difference is not None and told.moved is not None
        assert told.difference > 100 * told.moved


def test_after_flipped_bits_are_visible_nothing_is_compared_and_that_is_told() -> None:
    result = found(grown(2.5), Faulty(1, shift(3e-16)))
    assert result.identical and result.sensitivity is not None
    assert result.steps == result.sensitivity.until and 15 < result.steps < 45
    assert str(result.sensitivity).endswith(
        f"; not compared after {result.steps} steps, for that changes reference visibly from there"
    )
    assert not found(grown(2.5), Faulty(1, shift(1e-6))).identical


def test_after_flipped_bits_change_a_spike_nothing_is_compared() -> None:
    result = found(grown(1.5, spiking=True), Faulty(1, shift(3e-16)))
    assert result.identical and result.sensitivity is not None and result.sensitivity.until == result.steps < 120
    late = found(grown(1.0001, spiking=True), Faulty(100, shift(0.3)))
    assert late.first_difference is not None and late.first_difference.step == 100


def test_an_array_that_flipped_bits_change_visibly_is_named() -> None:
    """Of three arrays one is chaotic; the others are compared to the end."""

    def made() -> Program:
        arrays, body = [], []
        for name, factor in (("x", 2.5), ("y", 1.05), ("z", 1.04)):
            read = small.read(f"p.{name}", type=REAL)
            value = Apply("mod", (small.apply("mul", factor, read, type=REAL), small.const(1.0)), REAL)
            body.append(Store(f"p.{name}", value))
            arrays.append(small.array(f"p.{name}", "neuron", "state", [0.3, 0.6], REAL))
        return small.program(arrays, [Population("p", 2, tuple(body), (), False, 0)])

    result = verify(small.runs(250), made(), [Reference(), Faulty(1, shift(3e-16))])
    assert result.identical and result.steps == 250 and result.sensitivity is not None
    assert result.sensitivity.lost == ("p.x",)
    assert str(result.sensitivity).endswith("; not compared to the end, for that changes them visibly: p.x")
    for array in ("p.y", "p.z"):
        late = verify(small.runs(250), made(), [Reference(), Faulty(1, shift(3e-16)), Faulty(200, shift(1e-3, array))])
        assert late.first_difference is not None
        assert (late.first_difference.step, late.first_difference.name) == (200, array)


def test_integers_have_no_sensitivity() -> None:
    def plant(executor: Any) -> None:
        executor.write("p.n", executor.read("p.n") + 1)

    n = small.read("p.n")
    body: Any = (Let("m", n), Store("p.n", small.apply("mod", small.apply("mul", n, 3), 1009)))
    program = small.program([small.array("p.n", "neuron", "state", [5], INT)], [Population("p", 1, body, (), False, 0)])
    result = verify(small.runs(50), program, [Reference(), Faulty(7, plant)])
    assert not result.identical and result.sensitivity is None
    assert result.first_difference is not None and result.first_difference.step == 7


def test_what_agrees_is_not_run_again() -> None:
    opened = []

    class Counted(Reference):
        def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Any:
            opened.append(1)
            return super().open(program, seed, record_spikes)

    result = verify(small.runs(100), grown(1.1), [Counted(), Counted()])
    assert result.identical and result.sensitivity is None and len(opened) == 2


def test_single_precision_has_its_own_last_bits() -> None:
    result = found(grown(1.1, precision="float32"), Faulty(1, shift(2e-7)), steps=80)
    assert result.identical and result.sensitivity is not None and result.sensitivity.until is None
    assert not found(grown(1.1, precision="float32"), Faulty(1, shift(1e-3)), steps=80).identical


def test_whole_numbers_are_not_flipped() -> None:
    values = np.array([0.0, -0.0, 1.0, -7.0, np.inf, -np.inf, 2.0**60])
    assert np.array_equal(flipped(values, np.float64), values)
    assert np.isnan(flipped(np.array([np.nan]), np.float64)).all()
    for precision in (np.float64, np.float32):
        half = np.array([0.5, -1.25], precision)
        changed = flipped(half.astype(np.float64), precision)
        assert np.array_equal(np.abs(changed - half), np.spacing(np.abs(half)))
    assert np.array_equal(flipped(np.array([3, 4]), np.float64), [3, 4])


class Broken(Reference):
    """The reference executor whose functions are wrong by a relative error."""

    name = "broken"

    def __init__(self, error: float) -> None:
        super().__init__()
        self.error = error

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Any:
        right = arithmetic.real_functions

        def wrong(precision: Any) -> Any:
            return {name: lambda x, f=f: f(x) * (1 + self.error) for name, f in right(precision).items()}

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(arithmetic, "real_functions", wrong)
            return super().open(program, seed, record_spikes)


@pytest.mark.dear
@pytest.mark.parametrize("error", [1e-6, 1e-9])
def test_a_wrong_function_in_a_shipped_network_is_a_difference(error: float) -> None:
    network = neuroport.load("gle_mnist1d", ("copies=2",))
    program = neuroport.compile(network, "ideal")
    result = verify(network, program, [Reference(), Broken(error)], steps=20)
    assert not result.identical and result.first_difference is not None
    assert result.first_difference.step < 3


@pytest.mark.parametrize("explained", [True, False])
def test_the_command_line_tells_the_sensitivity(explained: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Sensitivity(270, "units.x", 3e-11, 5e-10, "reference", 0)
    difference = verification.Difference("array", 270, "units.x", 1, ("reference", "emulator"), (0.5, 0.25))
    executors = ("reference", "emulator")
    result = Verification(explained, executors, 300, None if explained else difference, {}, told)
    monkeypatch.setattr(verification, "verify", lambda *_, **__: result)
    call = ["verify", "sal_pair", "--chip", "ideal"]
    done = CliRunner().invoke(main, call)
    how = "equal within its own sensitivity after 300 steps on reference, emulator"
    if not explained:
        how = f"different on reference, emulator: {difference}"
    assert done.exit_code == (0 if explained else 1)
    assert done.stdout == (
        f"sal_pair on ideal (float64): {how}\n"
        "  'units.x' differs by 3.0e-11 of its scale after step 270; flipping the last bits of states and weights "
        "after step 0 moves it by 5.0e-10 on reference\n"
    )
    found = json.loads(CliRunner().invoke(main, [*call, "--json"]).stdout)["sensitivity"]
    assert found == {
        "step": 270, "name": "units.x", "difference": 3e-11, "moved": 5e-10, "executor": "reference", "flipped": 0,
        "lost": [], "until": None, "text": str(told),
    }  # fmt: skip
