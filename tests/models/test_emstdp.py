"""EMSTDP in floating point: the values that its page states, an independent program, what the rule must do, digits."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport.files import network as reader
from neuroport.program.executor import Backend
from neuroport.session.session import Session
from tests.oracles.emstdp import Mode, Program, Shown, error_thresholds, thresholds
from tests.support import needs
from tests.support.executors import BACKENDS
from tests.support.planning import open_session

Real = NDArray[np.float64]

MODES = get_args(Mode)
SIZES = (4, 5, 3, 2)
STEPS = 20
GOALS = np.array([[0, 1], [1, 0]])
TIED = (
    "down.synapse=emstdp_tied",
    "down.twin=up2",
    "down.weight=0",
    "h.params.phi=0.21650635",
)
"""What makes feedback alignment of the shipped network back-propagation."""

CHOICES = {"bp": TIED, "fa": (), "dfa": ("h.params.gated=0",)}


def wave(rows: int, columns: int, offset: float, most: float) -> Real:
    """The weights of the golden values, (lower, upper)."""
    lower, upper = np.indices((rows, columns))
    return np.asarray(most * np.sin(1 + 1.7 * lower + 2.3 * upper + offset))


def golden_inputs() -> Real:
    """(pattern, step, cell): 1 where the input spikes."""
    steps = np.arange(STEPS)[None, :, None]
    rates = np.array([[0.9, 0.5, 0.25, 0.7], [0.1, 0.8, 0.6, 0.3]])[:, None]
    return np.asarray(np.floor((steps + 1) * rates + 1e-9) - np.floor(steps * rates + 1e-9))


def golden_program(mode: Mode) -> Program:
    weights = [wave(SIZES[layer], SIZES[layer + 1], 0.5 * layer, 0.8) for layer in range(3)]
    feedback = {
        "bp": [],
        "fa": [wave(5, 3, 2.5, 0.5), wave(3, 2, 3, 0.5)],
        "dfa": [wave(5, 2, 2.5, 0.5), wave(3, 2, 3, 0.5)],
    }
    return Program(weights, mode, feedback[mode])


def small(program: Program, inputs: Real, goals: Real | None, times: int = 1, synapse: str = "emstdp") -> Any:
    """The network that does what a program does, whose patterns are copies of one batch."""
    copies, steps, _ = inputs.shape
    twin, top = steps // 2 - 1, len(program.sizes) - 1
    names = ["x", *(f"h{layer}" for layer in range(1, top)), "y"]
    theta, phi = thresholds(program.sizes), error_thresholds(program.sizes, program.mode)
    least = [max(program.least * one, -1024) for one in theta]
    text = f"neuroport: 1\nname: small\ndt: 1 ms\ncopies: {copies}\npopulations:\n"
    text += f"  x: {{size: {program.sizes[0]}, neuron: emstdp_input}}\n"
    for layer in range(1, top):
        params = f"theta: {theta[layer - 1]!r}, least: {least[layer - 1]!r}, phi: {phi[layer - 1]!r}"
        params += f", gated: {int(program.mode != 'dfa')}"
        text += f"  h{layer}: {{size: {program.sizes[layer]}, neuron: emstdp_hidden, params: {{{params}}}}}\n"
    params = f"theta: {theta[-1]!r}, least: {least[-1]!r}"
    text += f"  y: {{size: {program.sizes[top]}, neuron: emstdp_output, params: {{{params}}}}}\nprojections:\n"
    for layer, weights in enumerate(program.weights):
        text += (
            f"  up{layer + 1}: {{source: {names[layer]}, target: {names[layer + 1]}, input: ff, synapse: {synapse}, "
            f"connect: all_to_all, weight: {weights.tolist()}, params: {{lr: {program.rate}, window: {twin}}}}}\n"
        )
    for layer in range(1, top):
        source = "y" if program.mode == "dfa" else names[layer + 1]
        text += f"  down{layer}: {{source: {source}, target: {names[layer]}, input: err, connect: all_to_all, "
        if program.mode == "bp":
            text += f"synapse: emstdp_tied, twin: up{layer + 1}}}\n"
        else:
            text += f"synapse: emstdp_feedback, weight: {program.feedback[layer - 1].T.tolist()}}}\n"
    text += (
        f"stimuli:\n  shown: {{patterns: {{values: {inputs.reshape(copies, -1).tolist()}, frames: {steps}, "
        f"hold: {steps} steps}}, population: x, input: p}}\n"
    )
    if goals is not None:
        text += f"  goals: {{patterns: {{values: {goals.tolist()}, beside: shown}}, population: y, input: goal}}\n"
    teach = "" if goals is None else f", {{at: {twin + 1} steps, event: teach}}"
    text += (
        f"protocol:\n  - repeat: {times}\n    do:\n      - present: shown\n        each: [{{at: 2 steps, event: count}}"
        f", {{at: {twin} steps, event: gate}}{teach}, {{at: {twin + 2} steps, event: turn}}, {{at: end, event: learn}}"
    )
    text += "]\n" if times == 1 else f", {{at: end, reset: [{', '.join(names)}]}}]\n"
    states = ", ".join(f"{name}.{one}: 1 step" for name in names[1:] for one in "vde")
    text += f"record: {{spikes: all, states: {{{states}}}}}\n" if times == 1 else "record: {spikes: none}\n"
    return reader.loads(text.encode(), "small.yaml")


def ran(network: Any, backend: str = "reference") -> Session:
    session = neuroport.open(network, backend=backend)
    session.run_protocol()
    return session


def matrix(session: Session, name: str, shape: tuple[int, ...]) -> Real:
    return np.asarray(session.get(name).reshape(shape))


def trains(session: Session, name: str, size: int, copies: int, steps: int) -> Real:
    """(step, copy, cell): 1 at a spike, without the first step, in which nothing has arrived."""
    at, neurons = session.spikes(name)
    found = np.zeros((steps, size * copies))
    found[at, neurons] = 1
    return np.asarray(found.reshape(steps, size, copies).transpose(0, 2, 1)[1:])


def recorded(session: Session, name: str) -> Real:
    """(step, copy, cell) of a variable, without the first step."""
    _, values = session.records(name)
    return np.asarray(values.transpose(0, 2, 1)[1:])


def rows(values: Real) -> list[str]:
    """A string for each cell, of (step, cell)."""
    return ["".join("0+-"[int(value)] for value in row) for row in values.T]


NOTHING = "0" * 10
SILENT = "0" * 19
SPIKES = (
    (
        ("0110111011001110010", "0010000010001000000", SILENT, "0110111011001110111", SILENT),
        ("0011011101100111001", SILENT, SILENT),
        ("0001101110110011100", SILENT),
    ),
    (
        (SILENT, SILENT, "0110100110011010011", SILENT, "0000101000000001100"),
        (SILENT, "0011000000001100000", "0000000000000000010"),
        (SILENT, SILENT),
    ),
)
"""Of each sample, layer and cell, with BP: steps 1 to 19."""

ERRORS = (
    (
        ("0000--0-00", NOTHING, NOTHING, "00000-0000", NOTHING),
        ("000--0-00-", NOTHING, NOTHING),
        ("000-0000-0", "00+00+00+0"),
    ),
    (
        (NOTHING, NOTHING, "0000-00-00", NOTHING, "0000+00+00"),
        (NOTHING, "000-00-00-", NOTHING),
        ("00+00+00+0", NOTHING),
    ),
)
"""Of each sample, layer and cell, with BP: steps 10 to 19."""

COUNTS: dict[str, tuple[list[list[int]], list[list[int]]]] = {
    "h1": ([[7, 2, 0, 7, 0], [0, 0, 5, 0, 2]], [[4, 1, 0, 6, 0], [0, 0, 5, 0, 2]]),
    "h2": ([[6, 0, 0], [0, 2, 0]], [[5, 0, 0], [0, 2, 1]]),
    "y": ([[5, 0], [0, 0]], [[5, 0], [0, 0]]),
}
"""Of the two phases, by sample, with BP."""

CHANGES: dict[str, tuple[list[list[float]], dict[tuple[int, int], float], dict[tuple[int, int], float]]] = {
    "bp": (
        [[-1.284323, -0.463428, 0, -0.463428, 0], [-1, -0.349215, 0, -0.349215, 0]],
        {(0, 0): -0.406524, (1, 0): -0.117041, (3, 0): -0.406524, (2, 2): 0.291556, (4, 2): 0.117041},
        {},
    ),
    "fa": ([[-0.463428, -0.463428, 0, -0.463428, -0.058551]], {}, {(0, 0): 0.349215}),
    "dfa": (
        [[-0.463428, 0.463428, 0, -0.463428, -0.117041]],
        {(2, 2): 0.291556, (4, 2): 0.117041},
        {(0, 0): 0.349215},
    ),
}
"""1000 times the first change: rows 0 and 3 of W_1, and what is not 0 of W_2 and W_3."""

LATER: dict[str, list[list[float]]] = {
    "bp": [
        [0.640888, -0.129855, -0.505013, 0.777362, -0.559900],
        [-0.785962, 0.634934, -0.043617],
        [0.727438, -0.732933],
        [1.744807, 0.051525, 0.042391, 0.231548, 0.042391],
    ],
    "fa": [[0.651385, -0.129855, -0.505013, 0.777362, -0.563047]],
    "dfa": [[0.651385, -0.104405, -0.505013, 0.777362, -0.565624]],
}
"""After 30 updates: W_1[0], W_2[2], W_3[0] and the mean square m_1[0]."""


def equal(found: Any, golden: Any) -> None:
    """Within the six digits behind the point that are stated."""
    np.testing.assert_allclose(found, golden, rtol=0, atol=1.2e-6)


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_spikes_errors_membranes_and_counts_are_the_golden_ones(backend: str) -> None:
    with ran(small(golden_program("bp"), golden_inputs(), GOALS), backend) as session:
        for layer, name in enumerate(("h1", "h2", "y")):
            spikes = trains(session, name, SIZES[layer + 1], 2, STEPS)
            errors = recorded(session, f"{name}.e")[9:]
            for sample in (0, 1):
                assert [row.replace("+", "1") for row in rows(spikes[:, sample])] == list(SPIKES[sample][layer])
                assert rows(errors[:, sample]) == list(ERRORS[sample][layer])
            for variable, counts in zip(("h", "n"), COUNTS[name], strict=True):
                np.testing.assert_array_equal(session.get(f"{name}.{variable}").T, counts)
        np.testing.assert_array_equal(session.get("x.h").T, [[8, 4, 2, 6], [1, 7, 5, 3]])
        first = {name: recorded(session, f"{name}.v")[:, 0] for name in ("h1", "h2", "y")}
        equal(first["h1"][1], (0, -0.209657, -0.589972, 0, -0.737017))
        equal(first["h1"][4], (0, -0.011973, -2.625584, 0, -1.589112))
        equal(first["h2"][4], (0, -0.741772, -1.05931))
        equal(first["y"][4], (0, -1.465865))
        equal(first["h1"][18], (0.238772, 0, -11.092308, 0, -7.093463))
        equal(first["y"][18], (-0.15, -6.879327))
        np.testing.assert_array_equal(recorded(session, "y.d")[[9, 10, 18], 0], [[-1, 1], [-1, 2], [0, 1]])


def placed(shape: tuple[int, ...], values: dict[tuple[int, int], float]) -> Real:
    found = np.zeros(shape)
    for place, value in values.items():
        found[place] = value
    return found


@pytest.mark.parametrize("backend", ["reference", "emulator"])
@pytest.mark.parametrize("mode", MODES)
def test_changes_are_the_golden_ones(mode: Mode, backend: str) -> None:
    program = golden_program(mode)
    with ran(small(program, golden_inputs(), GOALS), backend) as session:
        found = [1e3 * (matrix(session, f"up{k + 1}.w", w.shape) - w) for k, w in enumerate(program.weights)]
    first, second, third = CHANGES[mode]
    equal(found[0][[0, 3][: len(first)]], first)
    equal(found[1], placed((5, 3), second))
    equal(found[2], placed((3, 2), third))


@pytest.mark.parametrize("backend", ["reference", "emulator"])
@pytest.mark.parametrize("mode", MODES)
def test_weights_after_thirty_updates_are_the_golden_ones(mode: Mode, backend: str) -> None:
    with ran(small(golden_program(mode), golden_inputs(), GOALS, 30), backend) as session:
        names = (("up1.w", (4, 5), 0), ("up2.w", (5, 3), 2), ("up3.w", (3, 2), 0), ("up1.v", (4, 5), 0))
        for (name, shape, row), golden in zip(names, LATER[mode], strict=False):
            equal(matrix(session, name, shape)[row], golden)


def drawn_program(mode: Mode, *, least: float, normalised: bool) -> tuple[Program, Real, Real]:
    """A larger one with inputs by chance (batch, step, cell) and goals."""
    sizes, rng = (9, 12, 7, 4), np.random.default_rng(5)
    weights = [rng.normal(0, np.sqrt(3 / a), (a, b)).clip(-1, 1) for a, b in pairwise(sizes)]
    above = {"bp": (), "fa": (7, 4), "dfa": (4, 4)}[mode]
    feedback = [rng.uniform(-1, 1, (below, n)) / np.sqrt(n) for below, n in zip((12, 7), above, strict=False)]
    rate = 0.1 if normalised else 0.05
    program = Program(weights, mode, feedback, rate, least, normalised)
    inputs = (rng.random((5, 60, 9)) < rng.random((5, 1, 9))).astype(float)
    return program, inputs, np.eye(4)[rng.integers(0, 4, 5)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("least", "normalised"), [(-np.inf, True), (-1, True), (-1, False)])
def test_the_network_is_the_program(mode: Mode, least: float, normalised: bool) -> None:
    program, inputs, goals = drawn_program(mode, least=least, normalised=normalised)
    synapse = "emstdp" if normalised else "emstdp_plain"
    with ran(small(program, inputs, goals, 12, synapse)) as session:
        begun = [weights.copy() for weights in program.weights]
        for _ in range(12):
            program.learn(program.show(inputs, goals), 60)
        for layer, weights in enumerate(program.weights):
            assert np.max(np.abs(weights - begun[layer])) > 0.05
            found = matrix(session, f"up{layer + 1}.w", weights.shape)
            np.testing.assert_allclose(found, weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_every_membrane_and_error_is_that_of_the_program(mode: Mode) -> None:
    program, inputs, goals = drawn_program(mode, least=-1, normalised=True)
    with ran(small(program, inputs, goals)) as session:
        shown: Shown = program.show(inputs, goals)
        for layer, name in enumerate(("h1", "h2", "y")):
            spikes = trains(session, name, program.sizes[layer + 1], 5, 60)
            np.testing.assert_array_equal(spikes, shown.spikes[layer])
            np.testing.assert_array_equal(recorded(session, f"{name}.e"), shown.errors[layer])
            assert np.any(shown.errors[layer] > 0) and np.any(shown.errors[layer] < 0)
            for variable, expected in (("v", shown.membranes), ("d", shown.error_membranes)):
                np.testing.assert_allclose(recorded(session, f"{name}.{variable}"), expected[layer], rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_without_a_teacher_only_the_counts_of_the_phases_count(mode: Mode) -> None:
    program, inputs, _ = drawn_program(mode, least=-1, normalised=True)
    with ran(small(program, inputs, None)) as session:
        for layer, name in enumerate(("h1", "h2", "y"), start=1):
            assert not np.any(recorded(session, f"{name}.e"))
            below = session.get("x.h" if layer == 1 else f"h{layer - 1}.h")
            added = session.get(f"{name}.n") - session.get(f"{name}.h")
            g = matrix(session, f"up{layer}.g", (len(below), len(added)))
            np.testing.assert_allclose(g, below @ added.T / 5 / 29, rtol=0, atol=1e-12)


def test_without_input_nothing_is_learned() -> None:
    program, inputs, goals = drawn_program("bp", least=-1, normalised=True)
    with ran(small(program, np.zeros_like(inputs), goals)) as session:
        assert np.any(session.get("y.n"))
        for layer in (1, 3):
            np.testing.assert_array_equal(session.get(f"up{layer}.w"), program.weights[layer - 1].reshape(-1))


def first_errors(goals: Real) -> Real:
    """(copy, output cell): the first error spike of each, 0 where there is none."""
    program, inputs, _ = drawn_program("fa", least=-1, normalised=True)
    with ran(small(program, inputs, goals)) as session:
        errors = recorded(session, "y.e")
    at = np.argmax(errors != 0, axis=0)
    return np.asarray(np.take_along_axis(errors, at[None], axis=0)[0])


def test_another_label_turns_the_first_errors_round() -> None:
    _, _, goals = drawn_program("fa", least=-1, normalised=True)
    one, other = first_errors(goals), first_errors(1 - goals)
    for found, wanted in ((one, goals), (other, 1 - goals)):
        assert np.all(found[wanted > 0] >= 0) and np.all(found[wanted == 0] <= 0)
    both = (one != 0) & (other != 0)
    assert np.count_nonzero(both) > 5
    np.testing.assert_array_equal(one[both], -other[both])


def test_integers_of_every_executor_learn_the_same(backend: Backend) -> None:
    program, inputs, goals = drawn_program("fa", least=-1, normalised=True)
    network = small(program, inputs, goals, 4)
    compiled = neuroport.compile(network, "generic8_stochastic")
    found = []
    for one in (backend, BACKENDS["reference"]):
        with open_session(network, compiled, one) as session:
            session.run_protocol()
            found.append([session.get(f"up{layer}.{variable}") for layer in (1, 2, 3) for variable in "wgv"])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


# ------------------------------------------------------------------------------------------------------------- digits


def learned(mode: Mode, seed: int, sets: Sequence[str] = (), chip: str | None = None) -> list[float]:
    """Percent of the test images that are right, after each epoch."""
    needs.digits()
    run = neuroport.run(neuroport.load("emstdp", [f"seed={seed}", *CHOICES[mode], *sets]), chip=chip)
    return [value for _, value in run.metrics["test"]]


@pytest.mark.dear
@pytest.mark.parametrize(("mode", "least"), [("bp", 80), ("fa", 65)])
def test_digits_are_learned_in_two_epochs(mode: Mode, least: float) -> None:
    assert learned(mode, 1, ["protocol.0.repeat=2"])[-1] > least


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "mean", "each"), [("bp", 96, 95), ("fa", 93.5, 90), ("dfa", 93.5, 90)])
def test_digits_of_three_seeds(mode: Mode, mean: float, each: float) -> None:
    found = [np.mean(learned(mode, seed)[-3:]) for seed in (1, 2, 3)]
    assert np.mean(found) >= mean and min(found) >= each


@pytest.mark.slow
def test_without_a_lower_bound_less_is_learned() -> None:
    unbound = ["h.params.least=-1024", "y.params.least=-1024"]
    assert np.mean([learned("fa", seed, unbound)[-3:] for seed in (1, 2, 3)]) < 90


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["bp", "fa"])
def test_digits_of_three_seeds_on_a_small_chip(mode: Mode) -> None:
    on_chip, real = (
        np.mean([learned(mode, seed, chip=chip)[-3:] for seed in (1, 2, 3)]) for chip in ("generic8", "ideal")
    )
    assert on_chip > real - 2
