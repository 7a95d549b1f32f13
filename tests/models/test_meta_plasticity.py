"""The meta-learned rule: golden values of a small net, what its terms do, and digits seen once, one at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import neuroport
from neuroport.files import network as reader
from neuroport.session.session import Session
from tests.oracles import meta_plasticity as oracle

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
    expected, _ = oracle.trained(begun, None if tied else back, shown, FULL)
    with ran(small(FULL, 50, tied)) as session:
        for layer in LAYERS:
            assert np.max(np.abs(expected[layer - 1] - forward(layer))) > 0.05
            np.testing.assert_allclose(up(session, layer), expected[layer - 1], rtol=0, atol=1e-12)


def test_a_pattern_needs_seven_steps() -> None:
    six, seven, eleven = ([up(session, 1) for session in (ran(small(FULL, 3, hold=hold)),)] for hold in (6, 7, 11))
    np.testing.assert_array_equal(seven, eleven)
    assert np.max(np.abs(np.subtract(six, seven))) > 1e-4
