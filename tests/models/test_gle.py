"""Generalised latent equilibrium as a whole: shipped models and network, run on the emulator in float64.

Expected values come from the closed form of one neuron, from the exact gradient of a linear chain, and from an
independent implementation of the published order (oracles/gle). A synapse sees its source one step late, and the
published first layer sees the input of the current step: where these are compared, the input comes one step earlier.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import neuroport
from neuroport.files import library
from neuroport.session.session import Session
from tests.oracles import gle

DT = 0.01
CELLS = ("gle_linear", "gle_tanh", "gle_softplus", "gle_softplus_tau")


def opened(text: dict[str, Any], folder: Path, dt: float = DT) -> Session:
    file = folder / "net.yaml"
    file.write_text(yaml.safe_dump({"neuroport": 1, "name": "net", "dt": f"{dt} ms", **text}), "utf-8")
    return neuroport.open(neuroport.load(file), chip="ideal")


def simulate(text: dict[str, Any], folder: Path, steps: int, dt: float = DT) -> Session:
    session = opened(text, folder, dt)
    session.run(steps)
    return session


def times(values: Any) -> dict[str, Any]:
    return {"array": np.asarray(values).tolist(), "unit": "ms"}


def series(values: np.ndarray, population: str, input: str, loop: bool = False) -> dict[str, Any]:
    rows = {"values": {"array": values.tolist()}, "every": "1 step", "loop": loop}
    return {"series": rows, "population": population, "input": input}


def every_step(*names: str) -> dict[str, Any]:
    return {"spikes": "none", "states": dict.fromkeys(names, "1 step")}


def record(session: Session, name: str) -> np.ndarray:
    return session.records(name)[1]


# ---------------------------------------------------------------------------------------------------------- one cell


@pytest.mark.dear
@pytest.mark.parametrize("cell", CELLS)
def test_equal_time_constants_make_an_instantaneous_cell(cell: str, tmp_path: Path) -> None:
    """kappa = 1: the rate is phi of the present input, whatever came before."""
    rng = np.random.default_rng(1)
    tau = rng.uniform(0.05, 3, 5)
    ff, err = rng.normal(0, 2, (2, 200, 5))
    learned = cell.endswith("_tau")
    params = {"tau_r": times(tau), "gamma": 0.5} | ({} if learned else {"tau_m": times(tau)})
    if learned:
        params["tau_min"] = "0.01 ms"
    cells = {"size": 5, "neuron": cell, "params": params, "init": {"b": rng.normal(0, 1, 5).tolist()}}
    cells["init"] |= {"tau_m": times(tau)} if learned else {}
    net = {
        "populations": {"c": cells},
        "stimuli": {"a": series(ff, "c", "ff"), "b": series(err, "c", "err")},
        "record": every_step("c.r", "c.e"),
    }
    session = simulate(net, tmp_path, 200)
    total = ff + np.array(cells["init"]["b"]) + 0.5 * record(session, "c.e")
    if cell == "gle_linear":
        assert np.array_equal(record(session, "c.r"), total)
    else:
        value, _ = gle.PHI[cell.split("_")[1]]
        assert record(session, "c.r") == pytest.approx(value(total), rel=1e-14, abs=1e-16)


@pytest.mark.dear
def test_impulse_responses(tmp_path: Path) -> None:
    """Forward and error responses are those of the closed form, and each other's inverse."""
    tau_m, tau_r = np.array([1.0, 1.0, 0.3, 2.0]), np.array([0.1, 1.0, 1.2, DT])
    impulse = np.zeros((301, 4))
    impulse[1] = 1  # phi' is 0 before the first step
    params = {"tau_m": times(tau_m), "tau_r": times(tau_r)}
    net = {
        "populations": {"c": {"size": 4, "neuron": "gle_linear", "params": params}},
        "stimuli": {"a": series(impulse, "c", "ff"), "b": series(impulse, "c", "err")},
        "record": every_step("c.r", "c.e"),
    }
    session = simulate(net, tmp_path, 301)
    forward, error = record(session, "c.r")[1:], record(session, "c.e")[1:]
    for k, (m, r) in enumerate(zip(tau_m, tau_r, strict=True)):
        assert forward[:, k] == pytest.approx(gle.forward_impulse(m, r, DT, 300), rel=1e-9, abs=1e-14)
        assert error[:, k] == pytest.approx(gle.error_impulse(m, r, DT, 300), rel=1e-9, abs=1e-14)
        both = np.convolve(forward[:, k], error[:, k])[:300]
        assert both == pytest.approx(np.eye(300)[0], abs=1e-12)


@pytest.mark.dear
def test_errors_that_are_not_prospective_pass_unfiltered(tmp_path: Path) -> None:
    err = np.random.default_rng(2).normal(0, 1, (100, 1))
    net = {
        "populations": {"c": {"size": 1, "neuron": "gle_linear", "params": {"tau_r": "0.1 ms", "prospective": 0}}},
        "stimuli": {"b": series(err, "c", "err")},
        "record": every_step("c.e"),
    }
    assert np.array_equal(record(simulate(net, tmp_path, 100), "c.e")[1:], err[1:])


@pytest.mark.dear
def test_time_constant_learns_against_e_du_and_stays_in_its_limits(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    ff, goal = rng.normal(0, 1, (2, 2000, 3))
    cells = {
        "size": 3,
        "neuron": "gle_softplus_tau",
        "params": {"beta": 0.1, "lr_tau": [0.001, 0.05, 0.5], "tau_min": "0.2 ms", "tau_max": "3 ms"},
    }
    net = {
        "populations": {"c": cells},
        "stimuli": {"a": series(ff, "c", "ff"), "b": series(goal, "c", "goal")},
        "record": every_step("c.e", "c.du", "c.tau_m"),
    }
    session = simulate(net, tmp_path, 2000)
    tau, e, du = (record(session, f"c.{name}") for name in ("tau_m", "e", "du"))
    free = tau[:-1] - np.array(cells["params"]["lr_tau"]) * e[:-1] * du[:-1]
    assert tau[1:] == pytest.approx(np.clip(free, 0.2, 3), rel=1e-14)
    moved = (tau[1:] > 0.2) & (tau[1:] < 3) & (tau[1:] != tau[:-1])
    assert np.array_equal(np.sign(np.diff(tau, axis=0))[moved], -np.sign(e[:-1] * du[:-1])[moved])
    assert tau[:, 2].min() == 0.2
    assert tau[:, 2].max() == 3
    assert np.sum(moved[:, 0]) > 1900


# ----------------------------------------------------------------------------------------------------------- networks


@pytest.mark.dear
def test_equals_the_published_order(tmp_path: Path) -> None:
    """2-4-3-2, tanh, softplus with learned time constants, linear; every parameter learns in each of 1000 steps."""
    rng = np.random.default_rng(4)
    steps, beta, gamma = 1000, 0.4, 0.3
    sizes, phis = (2, 4, 3, 2), ("tanh", "softplus", "linear")
    layers = [
        gle.Layer(
            phi=phi,
            W=rng.normal(0, 0.7, (post, pre)),
            b=rng.normal(0, 0.3, post),
            tau_m=rng.uniform(0.3, 1.5, post),
            tau_r=rng.uniform(0.1, 1.0, post),
            gamma=gamma,
            lr_w=0.01,
            lr_b=0.02,
            lr_tau=0.05 if phi == "softplus" else 0.0,
            tau_min=0.1,
        )
        for pre, post, phi in zip(sizes[:-1], sizes[1:], phis, strict=True)
    ]
    angle = DT * np.arange(steps + 2)[:, None]
    x = np.sin(angle * [1.7, 3.1])
    target = np.cos(angle * [1.1, 2.3])

    populations: dict[str, Any] = {"x": {"size": 2, "neuron": "gle_input", "init": {"r": x[0].tolist()}}}
    projections: dict[str, Any] = {}
    for k, layer in enumerate(layers):
        params = {"tau_r": times(layer.tau_r), "gamma": gamma, "lr": 0.02, "beta": beta if k == 2 else 0}
        init = {"b": layer.b.tolist()}
        if layer.lr_tau:
            params |= {"lr_tau": layer.lr_tau, "tau_min": "0.1 ms"}
            init["tau_m"] = times(layer.tau_m)
        else:
            params["tau_m"] = times(layer.tau_m)
        model = f"gle_{layer.phi}_tau" if layer.lr_tau else f"gle_{layer.phi}"
        populations[f"l{k}"] = {"size": len(layer.b), "neuron": model, "params": params, "init": init}
        projections[f"w{k}"] = {
            "source": f"l{k - 1}" if k else "x",
            "target": f"l{k}",
            "input": "ff",
            "synapse": "gle_sgd" if k else "gle_sgd_first",
            "connect": "all_to_all",
            "weight": {"array": layer.W.tolist(), "rows": "target"},
            "params": {"lr": layer.lr_w},
        }
    stimuli = {"in": series(x[1:], "x", "r_in"), "out": series(target, "l2", "goal")}
    net = {"populations": populations, "projections": projections, "stimuli": stimuli}
    first = [layer.W.copy() for layer in layers]
    for n in range(steps):
        gle.step(layers, x[n], target[n], beta, DT)

    with opened(net, tmp_path) as session:
        session.run(steps)
        for k, layer in enumerate(layers):
            for name in ("u", "v", "e", "r", "dr"):
                assert session.get(f"l{k}.{name}") == pytest.approx(getattr(layer, name), rel=1e-12, abs=1e-12)
        session.run(1)  # what the optimiser does after a step, a synapse and a cell do at the beginning of the next
        for k, layer in enumerate(layers):
            pre, post, w = session.weights(f"w{k}")
            assert w == pytest.approx(layer.W[post, pre], rel=1e-12, abs=1e-12)
            assert np.abs(layer.W - first[k]).max() > 0.01
            assert session.get(f"l{k}.b") == pytest.approx(layer.b, rel=1e-12, abs=1e-12)
        assert session.get("l1.tau_m") == pytest.approx(layers[1].tau_m, rel=1e-12)


@pytest.mark.dear
def test_gradients_of_a_linear_chain_have_the_right_phase(tmp_path: Path) -> None:
    """One sine through three cells: each weight's gradient is the exact one, scaled by the filters on the error's way.

    The exact gradient of mean((goal - y)^2) / 2 is -mean((goal - y) y) / w, as y is proportional to each weight.
    """
    dt, period = 0.0005, 6000
    omega = 2 * np.pi / (period * dt)
    tau_m, tau_r, w = np.array([0.5, 1.0, 0.7]), np.array([0.1, 0.3, 0.9]), np.array([1.3, -0.8, 1.7])
    angle = 2 * np.pi * np.arange(period)[:, None] / period
    goal = 0.9 * np.sin(angle + 0.6)
    cell = {"size": 1, "neuron": "gle_linear"}
    populations: dict[str, Any] = {"x": {"size": 1, "neuron": "gle_input"}}
    projections = {}
    for k in range(3):
        params = {"tau_m": f"{tau_m[k]} ms", "tau_r": f"{tau_r[k]} ms", "beta": 1 if k == 2 else 0}
        populations[f"l{k}"] = cell | {"params": params}
        projections[f"w{k}"] = {
            "source": f"l{k - 1}" if k else "x",
            "target": f"l{k}",
            "input": "ff",
            "synapse": "gle_fixed" if k else "gle_sgd_first",
            "connect": "one_to_one",
            "weight": float(w[k]),
        } | ({} if k else {"params": {"lr": 0}})
    names = ["x.r_last", *(f"l{k}.{name}" for k in range(3) for name in ("e", "r", "r_last"))]
    net = {
        "populations": populations,
        "projections": projections,
        "stimuli": {"in": series(np.sin(angle), "x", "r_in", True), "out": series(goal, "l2", "goal", True)},
        "record": every_step(*names),
    }
    session = simulate(net, tmp_path, 9 * period, dt)
    last = {name: record(session, name)[-period:, 0] for name in names}
    y = last["l2.r"]
    exact = -np.mean((goal[:, 0] - y) * y) / w
    gain = np.abs((1 + 1j * omega * tau_r) / (1 + 1j * omega * tau_m)) ** -2
    scale = np.cumprod(gain[::-1])[::-1]
    below = ["x", "l0", "l1"]
    found = np.array([-np.mean(last[f"l{k}.e"] * last[f"{below[k]}.r_last"]) for k in range(3)])
    assert found == pytest.approx(exact * scale, rel=0.01)
    assert scale[0] > 3


@pytest.mark.dear
@pytest.mark.parametrize(("chip", "tolerance", "loss"), [("ideal", 0.02, 1e-7), ("generic16", 0.02, 1e-6)])
def test_chain_learns_weights_and_time_constants_of_its_teacher(chip: str, tolerance: float, loss: float) -> None:
    run = neuroport.run(neuroport.load("gle_lagline", ["protocol.3.repeat=5"]), chip=chip)
    first, last = ({name: values[k][1] for name, values in run.metrics.items()} for k in (0, -1))
    assert first["loss"] > 1e-3
    assert last["loss"] < loss
    assert [last[name] for name in ("w1", "w2", "tau1", "tau2")] == pytest.approx([1, 2, 1, 2], rel=tolerance)
    assert not any(run.overflows.values())


@pytest.mark.dear
def test_without_prospective_errors_the_chain_does_not_learn() -> None:
    sets = ["protocol.3.repeat=10", "student1.prospective=0", "student2.prospective=0"]
    run = neuroport.run(neuroport.load("gle_lagline", sets), chip="ideal")
    assert run.metrics["loss"][-1][1] > 1e-3


def output_of_the_trained_chain(chip: str, cell: str) -> np.ndarray:
    """The rate of a chain's last cell over 40 units of time, with what the student has to learn and without errors."""
    trained = {
        "projections.learn1.weight": 1,
        "projections.learn2.weight": 2,
        "populations.student1.init.tau_m": "1 ms",
        "populations.student2.init.tau_m": "2 ms",
        "student2.beta": 0,
        "record.states": f"{{{cell}.r: 1 step}}",
        "protocol": "[{run: 80 ms}]",
    }
    network = neuroport.load("gle_lagline", [f"{name}={value}" for name, value in trained.items()])
    with neuroport.open(network, chip=chip) as session:
        for name in ("learn1.lr", "learn2.lr"):
            session.set(name, 0)
        session.run_protocol()
        return record(session, f"{cell}.r")[-4000:, 0]


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["generic16", "generic8", "generic8_stochastic"])
def test_trained_chain_is_its_teacher_on_a_chip(chip: str) -> None:
    teacher = output_of_the_trained_chain("ideal", "teacher2")
    student = output_of_the_trained_chain(chip, "student2")
    assert np.sqrt(np.mean((student - teacher) ** 2)) < 0.01 * np.ptp(teacher)


DEVIATING = """
name: deviating
title: generic16 whose weights and time constants deviate by 20 %
words:
  state: {bits: 32}
  weight: {bits: 16}
  plastic: {bits: 32}
  trace: {bits: 16}
  accumulator: {bits: 32}
  coefficient: {bits: 24}
tables: {intervals: 1024, bits: 32}
mismatch: {weight: {distribution: lognormal, sigma: 0.2}, time: {distribution: lognormal, sigma: 0.2}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("prospective", [1, 0])
def test_chain_learns_on_deviating_circuits(prospective: int, tmp_path: Path) -> None:
    chip = tmp_path / "deviating.yaml"
    chip.write_text(DEVIATING, "utf-8")
    sets = ["protocol.3.repeat=19", f"student1.prospective={prospective}", f"student2.prospective={prospective}"]
    for chip_seed in (1, 2, 3):
        run = neuroport.run(neuroport.load("gle_lagline", sets), chip=str(chip), chip_seed=chip_seed)
        loss = run.metrics["loss"][-1][1]
        assert loss < 1e-4 if prospective else loss > 1e-3


# ------------------------------------------------------------------------------------------------------------- notice


@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, k, _ in library.names() if n.startswith("gle_")])
def test_every_model_of_the_rule_has_the_notice(name: str, kind: str) -> None:
    model = library.neuron(name) if kind == "neuron" else library.synapse(name)
    assert ("patent" in model.notice) == (name != "gle_input")
