"""GLE with batches: copies that share what they learn, with Adam, momentum and cross-entropy.

Expected values come from an independent implementation (oracles/gle_batch) of the published order, in which all that
differs here is stated: what a synapse sends forward lags by one step of learning.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import neuroport
from neuroport.session.session import Session
from tests.oracles import gle_batch
from tests.oracles.gle_batch import Adam, Layer, Momentum

DT = 0.01
ROWS = 500
Real = NDArray[np.float64]


def times(values: Any) -> dict[str, Any]:
    return {"array": np.asarray(values).tolist(), "unit": "ms"}


def open_net(text: dict[str, Any], folder: Path, backend: str) -> Session:
    file = folder / "net.yaml"
    file.write_text(yaml.safe_dump({"neuroport": 1, "name": "net", "dt": f"{DT} ms", **text}), "utf-8")
    return neuroport.open(neuroport.load(file), chip="ideal", backend=backend)


def wave(values: Real, start: Real, population: str, input: str) -> dict[str, Any]:
    """Rows that repeat, each copy beginning at another one."""
    rows = {"values": {"array": values.tolist()}, "every": "1 step", "loop": True, "start": start.tolist()}
    return {"series": rows, "population": population, "input": input}


class Net:
    """2-4-3-2: tanh, softplus with learned time constants, output; every parameter learns in every step."""

    def __init__(self, copies: int, cross_entropy: bool = False, momentum: bool = False) -> None:
        rng = np.random.default_rng(copies)
        self.copies, self.cross_entropy, self.momentum = copies, cross_entropy, momentum
        self.beta, self.gamma = 0.4, 0.3
        sizes, phis = (2, 4, 3, 2), ("tanh", "softplus", "linear")
        self.layers = [
            Layer(
                phi=phi,
                W=rng.normal(0, 0.7, (post, pre)),
                b=rng.normal(0, 0.3, post),
                tau_m=rng.uniform(0.3, 1.5, post),
                tau_r=rng.uniform(0.1, 1.0, post),
                gamma=self.gamma,
                learn_w=Momentum(0.001) if momentum else Adam(0.001),
                learn_b=Adam(0.002),
                learn_tau=Adam(0.003) if phi == "softplus" else None,
                tau_min=0.2,
                samples=copies,
            )
            for pre, post, phi in zip(sizes[:-1], sizes[1:], phis, strict=True)
        ]
        angle = 2 * np.pi * np.arange(ROWS)[:, None] / ROWS
        self.x = np.sin(angle * [1, 2] + [0, 0.5])
        self.target = np.cos(angle * [1, 3])
        if cross_entropy:
            self.target = (self.target > self.target.mean(axis=1, keepdims=True)).astype(float)
        self.start = rng.integers(0, ROWS, copies)

    def text(self) -> dict[str, Any]:
        populations: dict[str, Any] = {"x": {"size": 2, "neuron": "gle_input"}}
        projections: dict[str, Any] = {}
        for k, layer in enumerate(self.layers):
            last = k == len(self.layers) - 1
            params = {"tau_r": times(layer.tau_r), "gamma": self.gamma, "lr": 0.002, "beta": self.beta if last else 0}
            init: dict[str, Any] = {"b": layer.b.tolist()}
            if layer.learn_tau:
                params |= {"lr_tau": 0.003, "tau_min": "0.2 ms"}
                init["tau_m"] = times(layer.tau_m)
            else:
                params["tau_m"] = times(layer.tau_m)
            model = "softmax" if last and self.cross_entropy else layer.phi + "_tau" * bool(layer.learn_tau)
            populations[f"l{k}"] = {
                "size": len(layer.b),
                "neuron": f"gle_{model}_adam",
                "params": params,
                "init": init,
            }
            projections[f"w{k}"] = {
                "source": f"l{k - 1}" if k else "x",
                "target": f"l{k}",
                "input": "ff",
                "synapse": f"gle_{'momentum' if self.momentum else 'adam'}{'' if k else '_first'}",
                "connect": "all_to_all",
                "weight": {"array": layer.W.tolist(), "rows": "target"},
                "params": {"lr": 0.001},
            }
        if self.cross_entropy:
            ends = {"source": "l2", "target": "l2", "input": "total"}
            projections["sums"] = ends | {"synapse": "gle_exp_sum", "connect": "all_to_all"}
        stimuli = {"in": wave(self.x, self.start, "x", "r_in"), "out": wave(self.target, self.start, "l2", "goal")}
        return {
            "copies": self.copies,
            "populations": populations,
            "projections": projections,
            "stimuli": stimuli,
            "record": {"spikes": "none"},
        }

    def run(self, steps: int, late: bool) -> None:
        """Run the oracle. A cell sees its input one step late, the first time as it is before the start: 0."""
        for n in range(steps):
            x = self.x[(n - 1 + self.start) % ROWS] if n else np.zeros((self.copies, 2))
            target = self.target[(n + self.start) % ROWS]
            gle_batch.step(self.layers, x, target, self.beta, DT, cross_entropy=self.cross_entropy, late=late)

    def largest_difference(self, session: Session) -> float:
        """Of every state and parameter, after the same number of steps."""
        found = []
        for k, layer in enumerate(self.layers):
            found += [(session.get(f"l{k}.{name}").T, getattr(layer, name)) for name in ("u", "v", "e", "r", "dr")]
            found.append((session.get(f"l{k}.b"), layer.b))
            pre, post, w = session.weights(f"w{k}")
            found.append((w, layer.W[post, pre]))
        found.append((session.get("l1.tau_m"), self.layers[1].tau_m))
        return max(float(np.abs(one - other).max()) for one, other in found)


@pytest.mark.dear
@pytest.mark.parametrize(
    ("copies", "cross_entropy", "momentum", "backend"),
    [
        (4, False, False, "reference"),
        (9, False, False, "reference"),
        (4, True, False, "reference"),
        (9, False, True, "reference"),
        (4, True, False, "emulator"),
        (9, False, False, "emulator"),
        pytest.param(4, False, False, "emulator", marks=pytest.mark.slow),
        pytest.param(9, False, True, "emulator", marks=pytest.mark.slow),
    ],
)
def test_equals_the_oracle(copies: int, cross_entropy: bool, momentum: bool, backend: str, tmp_path: Path) -> None:
    net = Net(copies, cross_entropy, momentum)
    text = net.text()
    first = [layer.W.copy() for layer in net.layers]
    net.run(1000, late=True)
    with open_net(text, tmp_path, backend) as session:
        session.run(1000)
        assert net.largest_difference(session) < 1e-10
    for layer, w in zip(net.layers, first, strict=True):
        assert np.abs(layer.W - w).max() > 0.01
    assert np.ptp(net.layers[-1].r, axis=0).min() > 0.01  # copies differ


def test_order_differs_from_the_published_one_by_a_step_of_learning() -> None:
    """What is late: the forward weights, by one step; so everything is within the size of one step of learning."""
    here, published = Net(4), Net(4)
    here.run(1000, late=True)
    published.run(1000, late=False)
    for one, other in zip(here.layers, published.layers, strict=True):
        assert np.abs(one.W - other.W).max() < 0.01
        assert np.abs(one.r - other.r).max() < 0.01
        assert np.abs(one.r - other.r).max() > 0


def test_nothing_is_late_when_weights_stay(tmp_path: Path) -> None:
    """With weights that do not learn the published order is exact, for biases and time constants too."""
    net = Net(4)
    text = net.text()
    for layer, projection in zip(net.layers, text["projections"].values(), strict=True):
        layer.learn_w = None
        projection["params"] = {"learn": 0}
    net.run(500, late=False)
    with open_net(text, tmp_path, "reference") as session:
        session.run(500)
        assert net.largest_difference(session) < 1e-12


# --------------------------------------------------------------------------------------------------- shipped networks

PUBLISHED = {
    100: (0.611, 1.347, 0.458, 0.794),
    150: (0.578, 1.754, 0.704, 1.016),
    200: (0.630, 2.036, 1.003, 1.206),
    250: (0.796, 2.050, 1.195, 1.392),
    300: (0.907, 2.034, 1.201, 1.533),
}
"""Weights and time constants of the chain in the published simulation, with its own points where copies begin."""


def chain(blocks: int, *sets: str) -> dict[int, tuple[float, ...]]:
    """Weights, time constants and loss of gle_lagline_batch by time."""
    run = neuroport.run(neuroport.load("gle_lagline_batch", [f"protocol.2.repeat={blocks}", *sets]))
    rows = zip(*(run.metrics[name] for name in ("w1", "w2", "tau1", "tau2", "loss")), strict=True)
    return {row[0][0] // 100: tuple(value for _, value in row) for row in rows}


@pytest.mark.dear
def test_chain_learns_as_published() -> None:
    found = chain(11)
    for time, values in PUBLISHED.items():
        assert found[time][:4] == pytest.approx(values, rel=0.05)
    assert found[600][:4] == pytest.approx((1, 2, 1, 2), abs=1e-3)
    assert found[600][4] < 1e-8


@pytest.mark.dear
def test_chain_does_not_learn_with_instantaneous_errors() -> None:
    found = chain(9, "student1.prospective=0", "student2.prospective=0")[500]
    assert found[4] > 1e-3
    assert found[:4] == pytest.approx((-0.06, 2.09, 0.1, 0.1), abs=0.01)


LAGNET = {
    100: (0.5573, 0.7444),
    120: (0.4153, 1.0546),
    150: (0.2019, 1.2688),
    180: (-0.0705, 1.1393),
    201: (-0.1792, 1.1148),
}
"""First weights of the student in the published simulation."""


@pytest.mark.dear
def test_lagnet_learns_as_published() -> None:
    network = neuroport.load("gle_lagnet")
    with neuroport.open(network, chip="ideal") as session:
        session.run("80 ms")
        session.set("learn1.learn", 1)
        found = {}
        for time in LAGNET:
            session.run(100 * time - session.step)
            found[time] = session.get("learn1.w")
        session.run(100_100 - session.step)
        last = session.get("learn1.w")
    for time, w in LAGNET.items():
        assert found[time] == pytest.approx(w, abs=0.003)
    assert last == pytest.approx([-0.5, 1], abs=0.003)


@pytest.mark.dear
def test_mnist1d_network_is_the_published_one() -> None:
    pytest.importorskip("mnist1d", reason="the network's data come from the package mnist1d")
    program = neuroport.compile(neuroport.load("gle_mnist1d"))
    learned = [f"{name}.b" for name in ("h1", "h2", "h3", "h4", "h5", "h6", "y")] + [f"w{k}.w" for k in range(1, 8)]
    assert sum(program.arrays[name].initial.size for name in learned) == 14_956
    assert program.copies == 100
    assert np.abs(program.arrays["w3.w"].initial).max() == pytest.approx(53**-0.5, rel=1e-3)
    assert program.arrays["h4.k_m"].initial == pytest.approx([0.2 / 0.6] * 18 + [0.2 / 1.2] * 35)
    assert program.arrays["h4.k_r"].initial == pytest.approx([1] * 36 + [0.2 / 1.2] * 17)


@pytest.mark.slow
def test_mnist1d_is_learned() -> None:
    """The first two epochs of 150."""
    pytest.importorskip("mnist1d", reason="the network's data come from the package mnist1d")
    run = neuroport.run(neuroport.load("gle_mnist1d", ["protocol.0.repeat=2"]), chip="ideal32")
    (_, first), (_, second) = run.metrics["train_loss"]
    assert second < first < 2.25
