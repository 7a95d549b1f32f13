"""The spiking microcircuit with SAL: the published experiment's digits, neuroport against an independent simulation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

import neuroport
from neuroport import backends, kernels, networks
from neuroport.network.network import Network
from neuroport.session.session import Session
from tests.oracles import sal_micro as oracle
from tests.support.planning import verify
from tests.support.shortened import SAL_MICRO as SHORT

# ------------------------------------------------------------------------------------ E5: the published example


@pytest.mark.dear
def test_oracle_reproduces_the_published_example():
    found = oracle.run(oracle.PUBLISHED, oracle.EXAMPLE)
    taught = [-0.300667, -0.146667, 0.254778, 0.411889, 0.458222, -0.309111, -0.056444, 0.399778, 0.434111]
    assert found.targets == pytest.approx(taught, abs=6e-7)
    assert found.initial == pytest.approx((2.2877474, -0.8271950, -2.2516817), abs=6e-8)
    course = {
        0: (2.262235, -0.814304, -2.251682),
        2: (1.808985, -0.759317, -2.251682),
        3: (1.808985, -0.759317, -2.188881),
        4: (1.808985, -0.759317, -2.158983),
    }
    for pattern, weights in course.items():
        assert found.weights[pattern] == pytest.approx(weights, abs=6e-7)
    assert found.weights[-1] == pytest.approx((-0.6733, -0.4899, -1.7342), abs=6e-5)
    assert found.nudged == pytest.approx([0.39580, 0.31868, 0.27682, 0.25865, 0.25247], abs=6e-6)


# ----------------------------------------------------------------------------- neuroport against the simulation

CELLS = ("x", "h", "i", "y")  # in the order in which the simulation draws


def given_draws(circuit: oracle.Circuit, folder: Path, draws: np.ndarray, rows: dict[str, Any]) -> dict[str, Any]:
    """The shipped network, its cells reading the numbers `draws` instead of drawing their own."""
    net: dict[str, Any] = yaml.safe_load(networks.path("sal_micro").read_text("utf-8"))
    library = Path(kernels.__file__).parent / "neurons" / "sal_micro.yaml"
    models = yaml.safe_load(library.read_text("utf-8"))["neurons"]
    for name, model in list(models.items()):
        model["inputs"]["draw"] = {}
        model["spike"] = model["spike"].replace("uniform()", "draw")
        models[f"given_{name}"] = models.pop(name)
    net["neurons"] = models
    for name in ("readouts", "metrics", "record"):
        net.pop(name)
    for name in ("teach1", "teach2"):
        net["projections"].pop(name)
    net["populations"] = {name: net["populations"][name] for name in CELLS}
    for population in net["populations"].values():
        population["neuron"] = f"given_{population['neuron']}"
        population["params"]["psp"] = f"{circuit.psp} steps"
    net["projections"]["down"]["params"] |= {"window": f"{circuit.window} steps", "tied": int(circuit.tied)}
    with h5py.File(folder / "rows.h5", "w") as file:
        for cell, column in zip(CELLS, draws.T, strict=True):
            file[cell] = column
        for name, values in rows.items():
            file[name] = values

    def series(name: str, population: str, given: str) -> dict[str, Any]:
        values = {"file": "rows.h5", "dataset": f"/{name}"}
        return {"series": {"values": values, "every": "1 step"}, "population": population, "input": given}

    net["stimuli"] = {f"draw_{cell}": series(cell, cell, "draw") for cell in CELLS}
    net["stimuli"] |= {"inputs": series("u_in", "x", "v"), "goals": series("goal", "y", "goal")}
    return net


def load(net: dict[str, Any], folder: Path) -> Network:
    file = folder / "net.yaml"
    file.write_text(yaml.safe_dump(net, sort_keys=False), "utf-8")
    return neuroport.load(file)


STEPS = 4000
# input, goal, what happens while it is shown
ITEMS = [
    (0.8, 0.25, "train"),
    (3.0, 0.45, "train"),
    (-2.0, -0.3, "align"),
    (2.0, 0.4, "align"),
    (-0.8, -0.15, "train"),
    (1.8, 0.4, "validate"),
]
TRAIN = {"h.learn": 1, "y.learn": 1, "h.lam_api": 0.02, "predict.open": 1, "cancel.open": 1, "down.learn": 0}
ALIGN = {"h.learn": 0, "y.learn": 0, "h.lam_api": 1, "predict.open": 0, "cancel.open": 0, "down.learn": 1}
SWITCHES = {"train": TRAIN, "align": ALIGN, "validate": TRAIN | {"h.learn": 0, "y.learn": 0}}


@pytest.mark.dear
@pytest.mark.parametrize("backend", ["emulator", "reference"])
@pytest.mark.parametrize("circuit", [oracle.PUBLISHED, oracle.UNBIASED, replace(oracle.PUBLISHED, tied=True)])
def test_same_draws_give_the_same_numbers_but_for_the_last_bits_of_exp(circuit, backend, tmp_path):
    circuit = replace(circuit, lr_up1=0.2, lr_up2=0.003, lr_down=0.0 if circuit.tied else 0.001)
    items = ITEMS if backend == "emulator" else ITEMS[1:3]
    count = len(items)
    rng = np.random.default_rng(5)
    draws = rng.random((STEPS * count + 1, 4))
    shifted = {
        "u_in": np.concatenate([[0], np.repeat([u for u, _, _ in items], STEPS)]),
        "goal": np.concatenate([[0], np.repeat([g for _, g, _ in items], STEPS)]),
    }
    net = given_draws(circuit, tmp_path, draws, shifted)
    net["projections"]["down"]["params"]["eta"] = circuit.lr_down
    for name, weight in (("up1", 2.3), ("up2", -0.8), ("down", -2.25)):
        net["projections"][name]["weight"] = weight
    net["protocol"] = [{"run": "1 step"}, {"set": {"y.lam_nudge": 0.6}}]
    for _, _, kind in items:
        net["protocol"] += [{"set": SWITCHES[kind]}, {"run": f"{STEPS} steps"}]
    published, own = (oracle.start(circuit, 2.3, -0.8, -2.25, order) for order in ("published", "neuroport"))
    for k, (u_in, goal, kind) in enumerate(items):
        part = draws[k * STEPS : (k + 1) * STEPS]
        for order, state in (("published", published), ("neuroport", own)):
            oracle.show(circuit, state, part, u_in, goal, train=kind == "train", align=kind == "align", order=order)
    assert np.all(own.weights[:2] != [2.3, -0.8])
    with neuroport.open(load(net, tmp_path), backend=backend, chip="ideal") as session:
        session.run_protocol()
        assert learned(session) == pytest.approx(own.weights.tolist(), rel=1e-12)
        sums = [session.get(f"{cell}.sum_{name}").item() for cell in ("h", "y") for name in ("u", "basal")]
        assert sums == pytest.approx(own.sums.tolist(), rel=1e-12)
        assert [session.get(f"{cell}.u").item() for cell in CELLS] == pytest.approx(own.u.tolist(), rel=1e-12)
    assert own.weights[:3] == pytest.approx(published.weights[:3], abs=0.01)


def learned(session: Session) -> list[float]:
    return [session.get(f"{name}.w").item() for name in oracle.WEIGHTS]


# ----------------------------------------------------------------------------------- the network as it is shipped

CONVENTIONS = ("sal_micro", "sal_micro_published")
"""The whole protocol of the shipped networks, every event of it, in 3721 steps."""


def shipped(name: str, *sets: str) -> Network:
    return neuroport.load(networks.path(name), sets)


@pytest.mark.dear
@pytest.mark.parametrize("name", CONVENTIONS)
@pytest.mark.parametrize("chip", ["generic8", pytest.param("generic16", marks=pytest.mark.slow)])
def test_whole_protocol_is_identical_on_all_executors(name, chip):
    network = shipped(name, *SHORT, f"down.tied={int(name == 'sal_micro_published')}")
    result = verify(network, neuroport.compile(network, chip), backends.ready(), full=True)
    assert result.identical, result.first_difference
    assert result.steps == 3721


@pytest.mark.slow
@pytest.mark.parametrize("chip", ["generic8_stochastic", "generic8_mismatch10", "generic8_mismatch10_steps"])
def test_whole_protocol_is_identical_on_other_chips(chip):
    network = shipped("sal_micro", *SHORT)
    program = neuroport.compile(network, chip, 1 if "mismatch" in chip else None)
    result = verify(network, program, backends.ready(), full=True)
    assert result.identical, result.first_difference


@pytest.mark.dear
def test_teacher_is_captured_and_copies_follow_their_originals():
    """Goals are what the teacher's output was; the interneuron's weights are those of the output at the end."""
    with neuroport.open(shipped("sal_micro", *SHORT), chip="ideal") as session:
        session.run_protocol()
        up2, down, predict, cancel = (session.get(f"{n}.w").item() for n in ("up2", "down", "predict", "cancel"))
        assert (predict, cancel) == (up2, -down)
        losses = {name: [v for _, v in session.results[name]] for name in ("loss", "loss_nudged", "gap")}
    assert losses["gap"][-1] == pytest.approx(abs(down - up2), abs=1e-12)
    assert all(len(values) == 2 for values in losses.values())
    assert all(nudged < free for free, nudged in zip(losses["loss"], losses["loss_nudged"], strict=True))


@pytest.mark.dear
def test_controls_keep_or_copy_the_feedback_weight():
    with neuroport.open(shipped("sal_micro", *SHORT, "down.eta=0"), chip="ideal") as session:
        before = session.get("down.w").item()
        session.run_protocol()
        assert session.get("down.w").item() == before
    with neuroport.open(shipped("sal_micro", *SHORT, "down.eta=0", "down.tied=1"), chip="ideal") as session:
        session.run_protocol()
        assert session.get("down.w").item() == session.get("up2.w").item()


def test_teacher_does_not_deviate_with_the_chip():
    program = neuroport.compile(shipped("sal_micro"), "generic8_mismatch10_steps", 3)
    as_designed = neuroport.compile(shipped("sal_micro"), "generic8")
    for name in ("t1.b", "t2.b", "t1.isi_min", "t2.psp", "teach1.w", "teach2.w", "x.psp"):
        assert np.array_equal(program.arrays[name].initial, as_designed.arrays[name].initial), name
    assert not np.array_equal(program.arrays["h.b"].initial, as_designed.arrays["h.b"].initial)


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", "generic8"])
def test_alignment_alone_moves_the_feedback_to_the_forward_weight(chip):
    protocol = [
        {"set": {"y.lam_nudge": 0.6, **ALIGN}},
        {"repeat": 20, "as": "pattern", "do": [{"present": "train", "count": 1}, {"measure": ["gap"]}]},
    ]
    sets = ("up1.weight=2", "up2.weight=2", "down.weight=-1", "down.eta=0.01", f"protocol={protocol}")
    gaps = [v for _, v in neuroport.run(shipped("sal_micro", *sets), chip=chip).metrics["gap"]]
    assert gaps[0] > 0.9
    assert np.mean(gaps[10:]) < 0.5


@pytest.mark.slow
def test_sal_reaches_the_goals_and_aligns_the_feedback():
    """S7 on one seed: 150 epochs, 81 million steps."""
    result = neuroport.run(shipped("sal_micro"), chip="ideal", seed=1)
    last = {name: np.mean([v for _, v in result.metrics[name]][-10:]) for name in ("loss", "gap")}
    assert last["loss"] < 4e-3
    assert last["gap"] < 0.4
