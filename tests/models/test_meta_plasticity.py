"""The meta-learned rule: golden values of a small net, what its terms do, and digits seen once, one at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import neuroport
from neuroport import datasets
from neuroport.files import network as reader
from neuroport.program.executor import Backend
from neuroport.session.session import Session
from tests.oracles import meta_plasticity as oracle
from tests.support import needs
from tests.support.executors import BACKENDS
from tests.support.planning import identical, open_session
from tests.support.shortened import BRIEF

Real = NDArray[np.float64]
Theta = tuple[float, float, float]

SIZES = (3, 4, 3, 2)
LAYERS = (1, 2, 3)
EXAMPLES = (np.array([0.5, -0.3, 0.8]), np.array([-0.2, 0.9, 0.4]))
FULL: Theta = (0.05, 0.02, 0.03)


def forward(layer: int) -> Real:
    """W_l, (upper, lower)."""
    i, j = np.indices((SIZES[layer], SIZES[layer - 1]))
    found: Real = 0.6 * np.sin(1 + 5 * layer + 3 * i + 2 * j)
    return found


def feedback(layer: int) -> Real:
    """B_l, (upper, lower)."""
    j, i = np.indices((SIZES[layer], SIZES[layer - 1]))
    found: Real = 0.5 * np.cos(2 + 4 * layer + 2 * i + 3 * j)
    return found


def small(theta: Theta, examples: int, tied: bool = False, hold: int = 7, x: Any = EXAMPLES) -> Any:
    """The net of the golden values, which sees its two examples by turns."""
    names = ("x", "h1", "h2", "y")
    up, down = {}, {}
    for layer in LAYERS:
        below, above = names[layer - 1 : layer + 1]
        common = {"connect": "all_to_all", "ranges": {"w": [-4, 4]}}
        params = {f"theta{k}": value for k, value in enumerate(theta)}
        up[f"up{layer}"] = common | {
            "source": below, "target": above, "input": "ff", "synapse": "meta_up", "params": params,
            "weight": {"array": forward(layer).tolist(), "rows": "target"},
        }  # fmt: skip
        way = {"synapse": "meta_tied", "twin": f"up{layer}"} if tied else {"synapse": "meta_down"}
        start = forward(layer) if tied else feedback(layer)
        down[f"down{layer}"] = common | way | {
            "source": above, "target": below, "input": "err",
            "weight": {"array": start.tolist(), "rows": "source"},
        }  # fmt: skip
    patterns = {"values": {"array": np.array(x).tolist()}, "hold": f"{hold} steps"}
    text = {
        "neuroport": 1,
        "name": "small",
        "dt": "1 ms",
        "populations": {
            "x": {"size": 3, "neuron": "meta_source", "ranges": {"e": [-16, 16]}},
            "h1": {"size": 4, "neuron": "meta_softplus"},
            "h2": {"size": 3, "neuron": "meta_softplus"},
            "y": {"size": 2, "neuron": "meta_softmax"},
        },
        "projections": up | down,
        "stimuli": {
            "shown": {"patterns": patterns, "population": "x", "input": "r_in"},
            "goals": {
                "patterns": {"values": [[1, 0], [0, 1]], "beside": "shown"},
                "population": "y",
                "input": "goal",
            },
        },
        "protocol": [{"present": "shown", "count": examples, "each": [{"at": "end", "event": "learn"}]}],
    }
    return reader.loads(yaml.safe_dump(text).encode(), "small.yaml")


def ran(network: Any, backend: str = "reference") -> Session:
    session = neuroport.open(network, backend=backend)
    session.run_protocol()
    return session


def up(session: Session, layer: int) -> Real:
    """(upper, lower)."""
    return np.asarray(session.get(f"up{layer}.w").reshape(SIZES[layer - 1], SIZES[layer]).T)


def equal(found: Any, golden: Any) -> None:
    np.testing.assert_allclose(found, golden, rtol=0, atol=1e-8)


def test_an_example_leaves_the_golden_outputs_and_errors() -> None:
    with ran(small(FULL, 1)) as session:
        equal(session.get("h1.r"), (0.000533716, 0.505950852, 0.000840479, 0.441298262))
        equal(session.get("h2.r"), (0.024751002, 0.173644397, 0.015519241))
        equal(session.get("y.h"), (-0.074017444, 0.081514486))
        equal(session.get("y.e"), (-0.538804789, 0.538804789))
        equal(session.get("h2.e"), (-0.024330357, 0.431992262, -0.046783371))
        equal(session.get("h1.e"), (0.001216897, -0.188596218, -0.000591255, 0.245584495))
        equal(session.get("x.e"), (-0.006983802, 0.655286875, 0.035595381))


GOLDEN: dict[Theta, tuple[tuple[float, ...], ...]] = {
    (0.05, 0, 0): (
        (0.000666798, 0.004678022, 0.000418092),
        (0.004714905, -0.002828943, 0.007543849),
        (0.269688960, -0.613695015, 0.287737886),
        (-0.173680157, -0.443156792, 0.542181728),
        (-0.028509619, 0.033956885),
    ),
    (0.05, 0.02, 0): (
        (0.000404612, 0.009333212, -0.000086050),
        (0.004688563, -0.000357251, 0.007678112),
        (0.269503670, -0.602623436, 0.288301142),
        (-0.176848670, -0.407266102, 0.532321904),
        (-0.024269407, 0.029636707),
    ),
    (0.05, 0, 0.03): (
        (0.001441136, 0.006213511, 0.000922550),
        (0.007797216, 0.001076628, 0.017153142),
        (0.285616265, -0.592461878, 0.337441378),
        (-0.164323143, -0.431871679, 0.547904878),
        (-0.029322139, 0.039057134),
    ),
    FULL: (
        (0.001178950, 0.010868701, 0.000418408),
        (0.007770874, 0.003548320, 0.017287407),
        (0.285349752, -0.581122355, 0.337923929),
        (-0.167427216, -0.395035868, 0.537945030),
        (-0.024633773, 0.034290906),
    ),
}


@pytest.mark.parametrize("theta", GOLDEN)
def test_weights_move_as_the_golden_ones_do(theta: Theta) -> None:
    first3, first1, tenth1, tenth3, h = GOLDEN[theta]
    with ran(small(theta, 1)) as session:
        equal((up(session, 3) - forward(3))[0], first3)
        equal((up(session, 1) - forward(1))[1], first1)
    with ran(small(theta, 10)) as session:
        equal(up(session, 1)[1], tenth1)
        equal(up(session, 3)[0], tenth3)
        equal(session.get("y.h"), h)


@pytest.mark.parametrize("tied", [False, True])
def test_a_program_of_its_own_learns_the_same(tied: bool) -> None:
    begun, back = [forward(layer) for layer in LAYERS], [feedback(layer) for layer in LAYERS]
    shown = [(EXAMPLES[k % 2], k % 2) for k in range(50)]
    expected = oracle.trained(begun, None if tied else back, shown, FULL)
    with ran(small(FULL, 50, tied)) as session:
        for layer in LAYERS:
            assert np.max(np.abs(expected[layer - 1] - forward(layer))) > 0.05
            np.testing.assert_allclose(up(session, layer), expected[layer - 1], rtol=0, atol=1e-12)


def test_a_pattern_needs_seven_steps() -> None:
    six, seven, eleven = ([up(session, 1) for session in (ran(small(FULL, 3, hold=hold)),)] for hold in (6, 7, 11))
    np.testing.assert_array_equal(seven, eleven)
    assert np.max(np.abs(np.subtract(six, seven))) > 1e-4


def loss(weights: list[Real], x: Real, label: int) -> float:
    h = oracle.passed(weights, weights, x, label).h
    return float(np.log(np.exp(h).sum()) - h[label])


def test_tied_weights_move_along_the_gradient() -> None:
    begun, step = [forward(layer) for layer in LAYERS], 1e-6
    with ran(small((0.5, 0, 0), 1, tied=True)) as session:
        for layer in LAYERS:
            moved = (up(session, layer) - begun[layer - 1]) / -0.5
            for at in np.ndindex(moved.shape):
                nudge = np.zeros(moved.shape)
                nudge[at] = step
                above, below = (
                    loss([w + sign * nudge if k == layer - 1 else w for k, w in enumerate(begun)], EXAMPLES[0], 0)
                    for sign in (1, -1)
                )
                assert moved[at] == pytest.approx((above - below) / (2 * step), abs=1e-6)


def test_without_the_other_terms_it_is_feedback_alignment() -> None:
    """Each weight moves against error times rate, errors having come through the feedback weights."""
    with ran(small((0.5, 0, 0), 1)) as session:
        rates = [session.get(f"{name}.r") for name in ("x", "h1", "h2")]
        errors = [session.get(f"{name}.e") for name in ("h1", "h2", "y")]
        for layer in LAYERS:
            moved = -0.5 * np.outer(errors[layer - 1], rates[layer - 1])
            np.testing.assert_allclose(up(session, layer) - forward(layer), moved, rtol=0, atol=1e-15)
            if layer > 1:
                back = feedback(layer).T @ errors[layer - 1] * session.get(f"h{layer - 1}.slope")
                np.testing.assert_allclose(errors[layer - 2], back, rtol=0, atol=1e-15)


def test_an_image_of_nothing_has_no_error() -> None:
    with ran(small(FULL, 1, x=np.zeros((2, 3)))) as session:
        assert not session.get("x.e").any()


@pytest.mark.dear
def test_oja_s_rule_alone_finds_an_orthonormal_basis_of_the_leading_subspace() -> None:
    rng = np.random.default_rng(1)
    basis, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    inputs = np.clip(rng.normal(size=(500, 8)) * (0.4, 0.35, 0.3, 0.1, 0.08, 0.06, 0.05, 0.05) @ basis.T, -1, 1)
    text = f"""\
neuroport: 1
name: subspace
dt: 1 ms
neurons:
  linear: {{inputs: {{ff: {{}}}}, state: {{r: {{init: 0}}, e: {{init: 0}}}}, update: r = ff}}
populations: {{x: {{size: 8, neuron: meta_source}}, y: {{size: 3, neuron: linear}}}}
projections:
  up: {{source: x, target: y, input: ff, synapse: meta_up, connect: all_to_all, weight: {{uniform: [-0.4, 0.4]}},
       params: {{theta0: 0, theta1: 0, theta2: 0.02}}}}
stimuli:
  shown: {{patterns: {{values: {inputs.tolist()}, hold: 3 steps, order: choice}}, population: x, input: r_in}}
protocol: [{{present: shown, count: 20000, each: [{{at: end, event: learn}}]}}]
"""
    with ran(reader.loads(text.encode(), "subspace.yaml"), "emulator") as session:
        w = session.get("up.w").reshape(8, 3).T
    assert np.max(np.abs(w @ w.T - np.eye(3))) < 0.01
    _, vectors = np.linalg.eigh(inputs.T @ inputs)
    assert np.min(np.linalg.svd(w @ vectors[:, -3:])[1]) > 0.995


def test_integers_of_every_executor_learn_the_same(backend: Backend) -> None:
    network = small(FULL, 40)
    program = neuroport.compile(network, "generic8")
    found = []
    for one in (backend, BACKENDS["reference"]):
        with open_session(network, program, one) as session:
            session.run_protocol()
            found.append([up(session, layer) for layer in LAYERS])
    with ran(network) as session:
        for one, other, layer in zip(*found, LAYERS, strict=True):
            np.testing.assert_array_equal(one, other)
            assert np.max(np.abs(one - up(session, layer))) < 0.02


# ------------------------------------------------------------------------------------------------------- digits

ABLATIONS: dict[str, Theta] = {
    "full": (0.028, -0.051, 0.019),
    "hebbian": (0.056, -0.102, 0),
    "oja": (0.056, 0, 0.038),
    "alignment": (0.03, 0, 0),
}
CELLS = (64, 60, 50, 40, 30, 10)


def digits(rule: str, seed: int) -> Any:
    needs.digits()
    theta = ", ".join(f'"up*.theta{k}": {value}' for k, value in enumerate(ABLATIONS[rule]))
    return neuroport.load("meta_plasticity", [f"protocol.0.set={{{theta}}}", f"seed={seed}"])


def accuracy(rule: str, seed: int, chip: str = "ideal") -> float:
    """Of the last measurement, in %."""
    return float(neuroport.run(digits(rule, seed), chip=chip).metrics["test"][-1][1])


@pytest.mark.dear
def test_digits_are_learned_from_960_images() -> None:
    assert accuracy("full", 1) >= 75
    assert accuracy("alignment", 1) < 60


@pytest.mark.slow
def test_digits_of_three_seeds() -> None:
    full, alignment, hebbian, oja = (
        [accuracy(rule, seed) for seed in (1, 2, 3)] for rule in ("full", "alignment", "hebbian", "oja")
    )
    assert min(full) >= 75
    assert np.mean(alignment) <= 60
    assert np.mean(full) - np.mean(alignment) >= 20
    assert np.mean(alignment) + 10 < np.mean(hebbian) < np.mean(full)
    assert np.mean(alignment) + 10 < np.mean(oja) < np.mean(full)


@pytest.mark.slow
@pytest.mark.parametrize(("chip", "points"), [("generic16", 2), ("generic8", 10), ("generic8_stochastic", 10)])
def test_digits_on_chips(chip: str, points: float) -> None:
    for seed in (1, 2, 3):
        assert accuracy("full", seed, chip) >= accuracy("full", seed) - points


def angle_of_the_last_hidden_errors(rule: str, seed: int) -> float:
    """Between those of test images through the feedback weights and through the forward ones, in degrees."""
    needs.digits()
    images, labels = (datasets.load("digits", "test", field, {}) for field in ("inputs", "labels"))
    with neuroport.open(digits(rule, seed)) as session:
        session.run_protocol()
        shapes = list(pairwise(CELLS))
        forward = [session.get(f"up{k}.w").reshape(shape).T for k, shape in enumerate(shapes, 1)]
        back = session.get("down5.w").reshape(shapes[-1][::-1])
    found = []
    for image, label in zip(images, labels, strict=True):
        shown = oracle.passed(forward, forward, image, int(label))
        slope = 1 - np.exp(-10 * shown.outputs[-2])
        one, other = (slope * (w.T @ shown.errors[-1]) for w in (back, forward[-1]))
        found.append(np.degrees(np.arccos(one @ other / np.linalg.norm(one) / np.linalg.norm(other))))
    return float(np.mean(found))


@pytest.mark.slow
def test_the_error_hebbian_term_aligns_the_errors() -> None:
    for seed in (1, 2, 3):
        for rule in ("full", "hebbian"):
            assert angle_of_the_last_hidden_errors(rule, seed) < 45
        assert angle_of_the_last_hidden_errors("alignment", seed) > 75


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["generic16", "generic8", "generic8_stochastic", "generic8_mismatch10"])
@pytest.mark.parametrize("name", ["meta_digits", "meta_plasticity", "meta_tasks"])
def test_every_event_is_identical_on_all_executors(name: str, chip: str) -> None:
    needs.digits()
    identical(neuroport.load(name, BRIEF[name]), chip, steps=10_000, chip_seed=3)
