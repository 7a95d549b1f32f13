"""Phaseless alignment learning as a whole: the shipped microcircuit and rules, run on the emulator, against theory.

Expected values come from closed forms (oracles/pal_theory), which also predict how noisy the learned weights remain.
Seeds are fixed, so a test that passes keeps passing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import neuroport
from neuroport import networks
from neuroport.network.network import Network
from neuroport.session.session import Session
from tests.oracles import pal_theory

SIZES = (5, 20, 10, 20, 5)
HIDDEN = (1, 2, 3)
CHIPS = ("ideal", "generic16", "generic8")
EPOCH = 10_000
SEEDS = (123, 456, 789, 111, 222, 1, 3, 5, 7, 9)
NOISE = "{set: {p1.sigma: 0.05, p2.sigma: 0.05, p3.sigma: 0.05}}"
LEARN = "{set: {down1.learn: 1, down2.learn: 1, down3.learn: 1, cancel1.learn: 1, cancel2.learn: 1, cancel3.learn: 1}}"
DOWN_ONLY = "{set: {down1.learn: 1, down2.learn: 1, down3.learn: 1}}"

# plastic words of 48 bits; the rest as generic16
WIDE = """
name: wide
title: generic16 with 48-bit hidden weights
words:
  state: {bits: 32}
  weight: {bits: 16}
  plastic: {bits: 48}
  trace: {bits: 16}
  accumulator: {bits: 32}
  coefficient: {bits: 24}
tables: {intervals: 1024, bits: 32}
"""


def shipped(*sets: str) -> Network:
    return neuroport.load(networks.path("pal_backward"), sets)


def matrix(session: Session, name: str) -> np.ndarray:
    """[i, j]: the weight of `name` from source neuron i onto target neuron j."""
    pre, post, values = session.weights(name)
    found = np.zeros((pre.max() + 1, post.max() + 1))
    found[pre, post] = values
    return found


def downs(session: Session) -> list[np.ndarray]:
    return [matrix(session, f"down{k}") for k in HIDDEN]


def angles(results: dict[str, Any]) -> np.ndarray:
    """[measurement, layer]: degrees."""
    return np.array([[value for _, value in results[f"angle{k}"]] for k in HIDDEN]).T


# ----------------------------------------------------------------------------------------------------- noise


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_noise_has_its_deviation_and_correlation(chip, tmp_path):
    text = {
        "neuroport": 1,
        "name": "noise",
        "dt": "0.01 ms",
        "seed": 5,
        "populations": {"cells": {"size": 100, "neuron": "pal_pyramidal", "ranges": {"xi": [-0.5, 0.5]}}},
        "protocol": [{"run": "10100 steps"}],
        "record": {"spikes": "none", "states": {"cells.xi": "1 step"}},
    }
    file = tmp_path / "noise.yaml"
    file.write_text(yaml.safe_dump(text), "utf-8")
    with neuroport.open(neuroport.load(file), chip=chip) as session:
        session.run_protocol()
        xi = session.records("cells.xi")[1][100:]
    assert xi.shape == (10_000, 100)
    assert xi.mean() == pytest.approx(0, abs=5e-4)
    assert xi.std() == pytest.approx(0.05 / np.sqrt(1.9), rel=0.01)
    assert np.mean(xi[1:] * xi[:-1]) / np.mean(xi**2) == pytest.approx(0.9, abs=0.003)


# A cell whose rate is its input plus its noise, in the order of pal_pyramidal.
LINEAR = {
    "params": {"sigma": {"default": 0, "range": [0, 1]}},
    "inputs": {"v_b": {"range": [-1, 1]}, "v_down": {"range": [-1, 1]}},
    "state": {
        "xi": {"init": 0, "range": [-0.5, 0.5]},
        "r": {"init": 0, "range": [-1, 1]},
        "r_last": {"init": 0, "range": [-1, 1]},
        "rhat": {"init": 0, "range": [-1, 1]},
        "ignored": {"init": 0, "range": [-1, 1]},
    },
    "update": """
xi = 0.9 * xi + sqrt(0.1) * sigma * normal()
rhat = rhat + (r - r_last) - 0.1 * rhat
r_last = r
r = v_b + xi
ignored = v_down
""",
}


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_feedback_synapse_meets_the_rate_two_steps_after_the_noise(chip, tmp_path):
    text = {
        "neuroport": 1,
        "name": "chain",
        "dt": "0.01 ms",
        "seed": 5,
        "neurons": {"linear": LINEAR},
        "populations": {
            "below": {"size": 200, "neuron": "linear", "params": {"sigma": 0.05}},
            "above": {"size": 200, "neuron": "linear"},
        },
        "projections": {
            "up": {
                "source": "below",
                "target": "above",
                "input": "v_b",
                "synapse": "graded",
                "connect": "one_to_one",
                "weight": 0.5,
            },
            "down": {
                "source": "above",
                "target": "below",
                "input": "v_down",
                "synapse": "pal_down",
                "connect": "one_to_one",
                "weight": 0,
                "params": {"eta": 1, "alpha": 0},
                "ranges": {"w": [-2, 2]},
            },
        },
        "protocol": [{"run": "100000 steps"}],
    }
    file = tmp_path / "chain.yaml"
    file.write_text(yaml.safe_dump(text), "utf-8")
    with neuroport.open(neuroport.load(file), chip=chip) as session:
        session.run_protocol()
        found = session.get("down.w").mean() / (0.01 * 100_000 * 0.5)
    rule = pal_theory.Rule()
    assert pal_theory.covariance(rule) == pytest.approx(0.22438 * 0.05**2, rel=1e-4)
    assert found == pytest.approx(pal_theory.covariance(rule), rel=0.03)
    assert pal_theory.covariance(rule, lag=1) > 1.1 * found > 1.2 * pal_theory.covariance(rule, lag=4)


# ------------------------------------------------------------------------------------------- self-prediction


def apical(chip: str, *sets: str) -> np.ndarray:
    """Largest absolute apical voltage in every step of one pattern that is held, without noise and learning."""
    net = shipped(
        "patterns.patterns.hold=400 steps",
        "patterns.patterns.order=sequential",
        "protocol=[{present: patterns, count: 1}]",
        "record={states: {p1.va: 1 step, p2.va: 1 step, p3.va: 1 step}}",
        *sets,
    )
    with neuroport.open(net, chip=chip) as session:
        session.run_protocol()
        return np.max([np.abs(session.records(f"p{k}.va")[1]).max(axis=1) for k in HIDDEN], axis=0)


STRONG = (
    *(f"{name}.weight={{uniform: [-5, 5]}}" for name in ("up1", "up2", "up3", "up4", "down1", "down2", "down3")),
    *(f"{name}{k}.ranges={{}}" for name in ("p", "i", "down", "cancel") for k in HIDDEN),
    "y.ranges={}",
)


@pytest.mark.dear
def test_network_begins_self_predicting():
    found = apical("ideal")
    assert found[1] > 0.1  # the first rates climb up layer by layer
    assert found[9] < 1e-4
    assert found[19] < 1e-9
    assert found[29:].max() < 1e-14
    found = apical("ideal", *STRONG)
    assert found[9] > 1e-2
    assert found[49] < 1e-4
    assert found[99] < 1e-9
    assert found[199:].max() < 1e-12


@pytest.mark.dear
@pytest.mark.parametrize(("chip", "step"), [("generic16", 2**-14), ("generic8", 2**-6)])
def test_network_begins_self_predicting_on_chips(chip, step):
    """Within two steps of the visible feedback weights, from whose rounding it comes."""
    found = apical(chip)
    assert found[9] < 0.01 * found[1] + 2 * step
    assert 0 < found[199:].max() <= 2 * step


@pytest.mark.dear
@pytest.mark.parametrize("chip", CHIPS)
def test_nothing_changes_while_learning_is_off(chip):
    net = shipped(f"protocol=[{{present: patterns, count: 5}}, {NOISE}, {{present: patterns, count: 50}}]")
    with neuroport.open(net, chip=chip) as session:
        names = [n for n in session.program.arrays if n.endswith((".w", ".w.visible"))]
        before = {name: session.get(name) for name in names}
        session.run_protocol()
        assert session.get("p1.xi").std() > 0.02
        assert len(names) >= 16
        for name in names:
            assert np.array_equal(session.get(name), before[name]), name


# ------------------------------------------------------------------------------------------------- lost updates


def decayed(chip: str | Path, epochs: int, *sets: str) -> tuple[np.ndarray, np.ndarray]:
    """All feedback weights before and after so many epochs without noise, and so without a goal."""
    net = shipped(f"protocol=[{DOWN_ONLY}, {{repeat: {epochs}, as: epoch, do: [{{present: patterns}}]}}]", *sets)
    with neuroport.open(net, chip=str(chip)) as session:
        before = np.concatenate([w.ravel() for w in downs(session)])
        session.run_protocol()
        assert session.step == epochs * EPOCH
        return before, np.concatenate([w.ravel() for w in downs(session)])


@pytest.mark.dear
@pytest.mark.parametrize(("chip", "epochs"), [("ideal", 20), ("generic16", 4), ("generic8", 4)])
def test_feedback_weights_decay_at_the_rate_of_the_rule(chip, epochs):
    before, after = decayed(chip, epochs)
    exact = (1 - pal_theory.Rule().decay) ** (epochs * EPOCH)
    assert np.linalg.norm(after) / np.linalg.norm(before) == pytest.approx(exact, rel=1e-6)
    assert after == pytest.approx(before * exact, abs=1e-5)


SLOW_DOWN = tuple(f"down{k}.params={{eta: 0.5, alpha: 0.000001, learn: 0}}" for k in HIDDEN)


@pytest.mark.slow
def test_slowest_published_learning_needs_48_bits_without_noise(tmp_path):
    """A decay of 5e-9 per step: of a weight below 0.093 less than half a unit of a 32-bit word of range -2..2."""
    file = tmp_path / "wide.yaml"
    file.write_text(WIDE, "utf-8")
    share = 1 - (1 - 5e-9) ** EPOCH
    for chip in ("ideal", file):
        before, after = decayed(chip, 1, *SLOW_DOWN)
        assert (before - after) == pytest.approx(before * share, abs=1e-2 * share)
    before, after = decayed("generic16", 1, *SLOW_DOWN)
    small = np.abs(before) < 0.093
    assert 20 < small.sum() < 80
    assert np.array_equal(after[small], before[small])
    assert np.all(after[np.abs(before) > 0.094] != before[np.abs(before) > 0.094])


# ------------------------------------------------------------------------------------------------------ alignment


@cache
def trained(chip: str, seed: int, epochs: int, sets: tuple[str, ...] = ()) -> dict[str, Any]:
    """The shipped run, cut to `epochs`: weights before and after, patterns, angles."""
    net = shipped(f"seed={seed}", f"protocol.4.repeat={epochs}", *sets)
    with neuroport.open(net, chip=chip) as session:
        ups = [matrix(session, f"up{k}") for k in (1, 2, 3, 4)]
        before = downs(session)
        session.run_protocol()
        patterns = net.stimuli[0].values
        return {
            "ups": ups,
            "before": before,
            "after": downs(session),
            "seed": seed,
            "patterns": np.reshape(patterns.values.array, patterns.values.array.shape),
            "angles": angles(session.results),
        }


def predicted(run: dict[str, Any], rule: pal_theory.Rule, epochs: Sequence[int]) -> np.ndarray:
    """[epoch, layer]: degrees."""
    found = pal_theory.feedbacks(run["ups"], run["patterns"], rule, hold=100)
    cosines = [
        [found[k].cosine(run["before"][k], run["ups"][k + 1], rule, e * EPOCH) for k in range(3)] for e in epochs
    ]
    return np.degrees(np.arccos(cosines))


def check_closed_form(run: dict[str, Any], rule: pal_theory.Rule, steps: int) -> None:
    found = pal_theory.feedbacks(run["ups"], run["patterns"], rule, hold=100)
    for k, least in enumerate((0.9, 0.98, 0.98)):
        goal, w = found[k].mean(run["before"][k], rule, steps), run["after"][k]
        assert np.sum(w * goal) / np.sum(goal**2) == pytest.approx(1, abs=0.06), k
        assert np.sum(w * goal) / np.sqrt(np.sum(w**2) * np.sum(goal**2)) > least, k


@pytest.mark.dear
def test_shipped_run_follows_the_closed_form():
    rule = pal_theory.Rule()
    run = trained("ideal", 123, 100)
    check_closed_form(run, rule, 100 * EPOCH)
    assert run["angles"] == pytest.approx(predicted(run, rule, range(0, 101, 10)), abs=3.5)


@pytest.mark.slow
def test_ten_seeds_follow_the_closed_form():
    rule = pal_theory.Rule()
    runs = [trained("ideal", seed, 100) for seed in SEEDS]
    for run in runs:
        check_closed_form(run, rule, 100 * EPOCH)
    found = np.array([run["angles"] for run in runs])
    expected = np.array([predicted(run, rule, range(0, 101, 10)) for run in runs])
    assert found.mean(axis=0) == pytest.approx(expected.mean(axis=0), abs=1.5)
    assert found == pytest.approx(expected, abs=4)


# ------------------------------------------------------------------------------------- what the forward weights learn

RATES = ("p1.r", "p1.rb", "p2.r", "p2.rb", "p3.r", "p3.rb", "y.r", "y.rb")
PUBLISHED_UPDATES = ((28.0, 19.2, 16.5, 7.7), (6.7, 6.8, 9.3, 5.9))  # after 100 epochs, mean and deviation of ten seeds


def drivers(run: dict[str, Any], downs: list[np.ndarray], goals: np.ndarray) -> list[np.ndarray]:
    """For every forward matrix: what it would learn from all patterns, each shown with its goal until all is steady.

    The network predicts itself: its interneurons cancel exactly what feedback there would be without a goal.
    """
    rows, values, hold = json.dumps(run["patterns"].tolist()), json.dumps(goals.tolist()), 200
    net = shipped(
        f"seed={run['seed']}",
        f"stimuli.probe={{patterns: {{values: {rows}, hold: {hold} steps}}, population: x, input: r_in}}",
        f"stimuli.goals={{patterns: {{values: {values}, beside: probe}}, population: y, input: goal}}",
        "protocol=[{set: {y.teacher: 1}}, {present: probe}]",
        f"record={{states: {{{', '.join(f'{name}: {hold} steps' for name in ('x.r', *RATES))}}}}}",
    )
    with neuroport.open(net, chip="ideal") as session:
        for k, down in zip(HIDDEN, downs, strict=True):
            session.set(f"down{k}.w", down.ravel())
            session.set(f"cancel{k}.w", -down.ravel())
        session.run_protocol()
        seen = {name: session.records(name)[1] for name in ("x.r", *RATES)}
    layers = [("x", "p1"), ("p1", "p2"), ("p2", "p3"), ("p3", "y")]
    return [seen[f"{pre}.r"].T @ (seen[f"{post}.r"] - seen[f"{post}.rb"]) for pre, post in layers]


def update_angles(run: dict[str, Any]) -> np.ndarray:
    """Degrees between what the forward weights would learn and the exact gradients: [before and after, matrix]."""
    ups, patterns = run["ups"], run["patterns"]
    free = pal_theory.voltages(ups, patterns)[-1]
    goals = free + 0.5 * np.random.default_rng(7).standard_normal(free.shape)
    exact = pal_theory.gradients(ups, patterns, goals)
    found = [drivers(run, run[state], goals) for state in ("before", "after")]
    return np.array([[pal_theory.angle(a, b) for a, b in zip(one, exact, strict=True)] for one in found])


@pytest.mark.dear
def test_aligned_feedback_gives_the_gradients_of_back_propagation():
    before, after = update_angles(trained("ideal", 123, 100))
    mean, deviation = np.array(PUBLISHED_UPDATES)
    assert np.all(before[:3] > 60)
    assert before[3] < mean[3] + 6
    assert np.all(after < mean + 2 * deviation)


@pytest.mark.slow
def test_ten_seeds_give_the_published_angles_between_updates_and_gradients():
    found = np.mean([update_angles(trained("ideal", seed, 100)) for seed in SEEDS], axis=0)
    mean, deviation = np.array(PUBLISHED_UPDATES)
    assert np.all(found[0, :3] > 80)
    assert np.all(np.abs(found[1] - mean) < deviation)


# The published code computes in another order, in which the feedback synapse meets the rate four steps after the noise.
# So it does here when every way up takes three steps instead of one. Angles of layers 1, 2, 3, mean of ten seeds.
FOUR_STEPS = tuple(f"{name}.delay=3 steps" for name in ("up2", "up3", "up4", "predict1", "predict2", "predict3"))
PUBLISHED = {
    10: (74.9, 76.3, 70.6),
    20: (56.1, 55.7, 47.3),
    30: (40.2, 36.3, 29.3),
    40: (29.9, 23.1, 19.5),
    50: (25.7, 16.1, 14.8),
    100: (20.7, 10.3, 11.4),
}


@pytest.mark.slow
def test_ten_seeds_reach_the_published_angles_in_the_published_order():
    found = np.mean([trained("ideal", seed, 100, FOUR_STEPS)["angles"] for seed in SEEDS], axis=0)
    for epoch in (10, 20, 30, 40):
        assert found[epoch // 10] == pytest.approx(PUBLISHED[epoch], abs=3), epoch
    assert np.all(np.abs(found[10] - PUBLISHED[100]) < (2.5, 2.5, 4))


@pytest.mark.slow
def test_ten_seeds_of_strong_weights_reach_the_published_angles():
    """In neuroport's order; the means scatter by 2 degrees. 500 epochs each, three minutes in all."""
    rates = (f"{name}{k}.params.eta={eta}" for name, eta in (("down", 20), ("cancel", 0.5)) for k in HIDDEN)
    sets = (*STRONG, *rates)
    seeds = (123, 456, 789, 111, 999, 1, 3, 5, 7, 9)
    found = np.mean([trained("ideal", seed, 500, sets)["angles"] for seed in seeds], axis=0)
    for epoch, expected in ((100, (65.8, 67.7, 67.8)), (200, (59.1, 58.8, 62.2)), (500, (57.9, 58.2, 59.1))):
        assert found[epoch // 10] == pytest.approx(expected, abs=5), epoch


@pytest.mark.dear
def test_nothing_aligns_without_prospective_coding():
    """Cells that respond with their membrane time constant instead of at once: the feedback weights only decay."""
    slow = tuple(f"{name}.params.tau_r=0 ms" for name in ("p1", "p2", "p3", "i1", "i2", "i3", "y"))
    run = trained("ideal", 123, 20, slow)
    assert run["angles"] == pytest.approx(np.repeat(run["angles"][:1], 3, axis=0), abs=0.3)
    exact = (1 - pal_theory.Rule().decay) ** (20 * EPOCH)
    for before, after in zip(run["before"], run["after"], strict=True):
        assert np.linalg.norm(after) / np.linalg.norm(before) == pytest.approx(exact, rel=0.01)


@pytest.mark.dear
@pytest.mark.parametrize(("chip", "tolerance"), [("generic16", 0.01), ("generic8", 1.0)])
def test_chips_learn_what_floating_point_learns(chip, tolerance):
    found, exact = trained(chip, 123, 10), trained("ideal", 123, 10)
    assert exact["angles"][1].max() < exact["angles"][0].min()
    assert found["angles"] == pytest.approx(exact["angles"], abs=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize(("chip", "tolerance"), [("generic16", 0.01), ("generic8", 0.7)])
def test_chips_learn_what_floating_point_learns_in_the_full_run(chip, tolerance):
    found, exact = trained(chip, 123, 100), trained("ideal", 123, 100)
    assert found["angles"] == pytest.approx(exact["angles"], abs=tolerance)


NARROW = """
name: conductances10
title: generic8 whose conductances deviate by 10 %
words:
  state: {bits: 16}
  weight: {bits: 8}
  plastic: {bits: 32}
  trace: {bits: 16}
  accumulator: {bits: 32}
  coefficient: {bits: 24}
tables: {intervals: 1024, bits: 32}
mismatch:
  conductance: {distribution: lognormal, sigma: 0.1}
"""


@pytest.mark.slow
def test_feedback_aligns_on_deviating_chips(tmp_path):
    file = tmp_path / "conductances10.yaml"
    file.write_text(NARROW, "utf-8")
    exact = trained("ideal", 123, 100)["angles"][-1]
    for chip_seed in (1, 2, 3):
        found = neuroport.run(shipped("seed=123"), chip=str(file), chip_seed=chip_seed).metrics
        assert np.all(angles(found)[-1] < exact + 5), chip_seed
        assert found["apical"][-1][1] < 0.01
