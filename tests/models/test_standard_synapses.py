"""The library's standard synapses compute what independent programs do, and on a chip nearly that."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import neuroport
from neuroport import backends
from neuroport.errors import InvalidInput
from neuroport.session.verify import verify
from tests.oracles import published_clopath, standard_tsodyks_markram
from tests.support.given_spikes import drawn, opened
from tests.support.library import (
    eprop,
    stdp_dopamine,
    stdp_inhibitory,
    stdp_modulated,
    stdp_pair,
    stdp_reward,
    stdp_triplet,
    stdp_triplet_nearest,
    stdp_voltage,
    synaptic_scaling,
    tsodyks_markram,
)
from tests.support.planning import shortened
from tests.support.published.model import Numbers
from tests.support.rules import Rule

RULES = {
    "pair": stdp_pair.RULE,
    "triplet": stdp_triplet.RULE,
    "nearest": stdp_triplet_nearest.RULE,
    "inhibitory": stdp_inhibitory.RULE,
    "inhibitory, negative": stdp_inhibitory.NEGATIVE,
    "dopamine": stdp_dopamine.RULE,
    "reward": stdp_reward.RULE,
    "modulated": stdp_modulated.RULE,
    "scaling": synaptic_scaling.RULE,
}
EXACT = {"scaling": 5e-6}
"""How far weights on `ideal` may be from the independent program: scaling goes in steps, all others are exact."""

every_rule = pytest.mark.parametrize("name", RULES)


def off(rule: Rule, instead: dict[str, str] | None = None) -> float:
    """How far the weights on `ideal` are from those of the independent program, at most."""
    return float(np.abs(rule.weights("ideal", instead) - rule.expected()).max())


@every_rule
def test_a_rule_learns_what_sums_over_spikes_say(name: str) -> None:
    assert off(RULES[name]) < EXACT.get(name, 1e-12)


@every_rule
def test_a_rule_learns_on_a_chip_what_it_does_on_ideal(name: str) -> None:
    rule = RULES[name]
    assert np.abs(rule.weights("generic16") - rule.weights("ideal")).max() < 2e-5


@every_rule
def test_a_rule_is_the_same_in_shorter_steps(name: str) -> None:
    """Nothing in it counts steps where it should count time."""
    rule = RULES[name]
    assert np.abs(rule.weights("ideal", per_ms=2) - rule.expected(2)).max() < EXACT.get(name, 1e-12)


MUTANTS = [
    ("pair", {"- a_minus": "+ a_minus"}),
    ("pair", {"-dt / tau_plus": "-2 * dt / tau_plus"}),
    ("pair", {"a_plus * pre.x": "a_plus * (pre.x - pre.spiked)"}),
    ("triplet", {"- post.o1": "+ post.o1"}),
    ("triplet", {"pre.r2 - 1": "pre.r2"}),
    ("triplet", {"post.o2 - 1": "post.o2"}),
    ("triplet", {"-dt / tau_x": "-dt / tau_y"}),
    ("triplet", {"-dt / tau_plus": "-dt / tau_minus"}),
    ("triplet", {"a2_minus + a3_minus": "a3_minus + a2_minus"}),
    ("nearest", {'"mode": "set"': '"mode": "add"', "[0, 1], ": "[0, 15], "}),
    ("nearest", {"before(pre.r2)": "pre.r2"}),
    ("nearest", {"before(post.o2)": "post.o2"}),
    ("nearest", {"-dt / tau_x": "-dt / tau_y"}),
    ("inhibitory", {"2 * rho_0": "rho_0"}),
    ("inhibitory", {"post.y - alpha": "post.y + alpha"}),
    ("inhibitory", {"eta * pre.x": "eta * (pre.x - pre.spiked)"}),
    ("dopamine", {"- a_minus": "- a_plus"}),
    ("dopamine", {"+ release": "+ 2 * release"}),
    ("dopamine", {"d = d * keep_d": "d = d * keep_c"}),
    ("dopamine", {"tonic * tau_c": "tonic * tau_d"}),
    ("dopamine", {"post.y": "(post.y - post.spiked)"}),
    ("reward", {"eta * reward": "eta"}),
    ("reward", {"e = e * keep": "e = e"}),
    ("reward", {"- a_minus * post.y": "+ a_minus * post.y"}),
    ("modulated", {"(dopamine - expected)": "dopamine"}),
    ("modulated", {"(dopamine - expected)": "(0 * dopamine - expected)"}),
    ("modulated", {"e = e * keep": "e = e"}),
    ("modulated", {"+ a_plus * pre.x": "- a_plus * pre.x"}),
    ("scaling", {"dt * (goal - a)": "dt * (a - goal)"}),
    ("scaling", {"beta * (goal - a)": "beta * (a - goal)"}),
    ("scaling", {"a = a + count": "a = a + 2 * count"}),
    ("scaling", {"dt * w * (": "dt * ("}),
]


@pytest.mark.parametrize(("name", "instead"), MUTANTS, ids=[f"{name}: {next(iter(new))}" for name, new in MUTANTS])
def test_a_wrong_rule_would_be_found(name: str, instead: dict[str, str]) -> None:
    assert off(RULES[name], instead) > 20 * EXACT.get(name, 1e-12)


# ------------------------------------------------------------------------------------------ short-term plasticity


def largest(found: Numbers, right: Numbers) -> float:
    """The largest difference of two measurements of the same quantities."""
    assert list(found) == list(right)
    return max(abs(found[name] - right[name]) for name in right)


@pytest.mark.parametrize(("chip", "exact"), [("ideal", 1e-12), ("generic16", 2e-4)])
def test_resources_are_spent_and_recover(chip: str, exact: float) -> None:
    """By spikes at 20 Hz and half a second later. A chip's accumulator holds what is sent to 16 bits of its range."""
    found = tsodyks_markram.MODEL.measure(chip, 1)
    assert largest(found, tsodyks_markram.MODEL.independent(1)) < exact
    assert found["depressing, 20 Hz: spike 20"] < 0.2 * found["depressing, 20 Hz: first spike"]
    assert found["facilitating, 20 Hz: spike 4"] > 2 * found["facilitating, 20 Hz: first spike"]


def test_trains_without_order_release_what_the_recursion_says() -> None:
    """The sum over all spikes of ten trains, with all three time constants at work."""
    trains = drawn(10, 2000)
    with opened(
        "tsodyks_markram", trains, "ideal", ", params: {U: 0.1, tau_rec: 300 ms, tau_facil: 200 ms}"
    ) as session:
        session.run(2002)
        sums = session.get("post.sum")
    right = [sum(standard_tsodyks_markram.released(train.tolist(), 0.1, 300, 200)) for train in trains.pre]
    assert sums == pytest.approx(right, rel=1e-12)


# ------------------------------------------------------------------------------------------------- voltages, e-prop


@pytest.mark.dear
@pytest.mark.parametrize(("dt", "exact"), [(0.1, 1.6e-4), (0.02, 2e-5)])
def test_voltages_gate_what_finer_steps_say(dt: float, exact: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Euler steps beside such of 0.005 ms: the error goes with the step, and all else is the same."""
    monkeypatch.setattr(stdp_voltage, "DT", dt)
    assert largest(stdp_voltage.MODEL.measure("ideal", 1), finer_voltages()) < exact


@pytest.mark.dear
def test_voltages_gate_on_a_chip_what_they_do_on_ideal() -> None:
    assert largest(*(stdp_voltage.MODEL.measure(chip, 1) for chip in ("generic16", "ideal"))) < 1e-5


@cache
def finer_voltages() -> Numbers:
    return stdp_voltage.MODEL.independent(1)


@pytest.mark.dear
def test_without_adaptation_voltages_gate_what_the_authors_program_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their adaptation is 1,000 times that of the paper smaller, and voltages are read 3 ms late, which makes 15 %."""
    text = stdp_voltage.NETWORK.replace("clopath_adex", "clopath_adex, params: {{b: 0.0000805 nA}}")
    monkeypatch.setattr(stdp_voltage, "NETWORK", text)
    found = stdp_voltage.measure("ideal", 1)
    right = {
        stdp_voltage.name(*case): published_clopath.burst(case[0], round(case[1]), 5) for case in stdp_voltage.CASES
    }
    assert {name: found[name] for name in right} == pytest.approx(right, rel=0.16, abs=5e-4)


@pytest.mark.dear
@pytest.mark.parametrize(("chip", "exact"), [("ideal", 1e-12), ("generic16", 1e-5)])
def test_e_prop_descends_the_gradient_of_one_second(chip: str, exact: float) -> None:
    assert largest(eprop.MODEL.measure(chip, 1), eprop.MODEL.independent(1)) < exact


def test_a_neuron_of_e_prop_knows_its_rate_in_steps_of_any_length() -> None:
    text = """
neuroport: 1
name: rates
dt: 0.25 ms
populations: {cell: {size: 1, neuron: eprop_lif, params: {tau_f: 100 ms}}}
stimuli: {drive: {series: {values: [0.01], every: 0.25 ms, loop: true}, population: cell, input: i}}
"""
    with neuroport.open(neuroport.loads(text), "reference") as session:
        session.run("1 s")
        count, rate = session.spike_counts()["cell"], session.get("cell.f")[0]
    assert count > 20
    assert rate == pytest.approx(count / 1000, rel=0.1)


# ------------------------------------------------------------------------------------------------------- everywhere

TOGETHER = """
neuroport: 1
name: together
dt: 1 ms
populations:
  pre: {size: 6, neuron: poisson, params: {rate: 60 Hz}}
  cells: {size: 4, neuron: lif}
  thick: {size: 3, neuron: clopath_adex}
  told: {size: 5, neuron: eprop_input}
  leaky: {size: 4, neuron: eprop_lif}
  out: {size: 2, neuron: eprop_readout}
  vta: {size: 1, neuron: neuromodulator}
projections:
  triplet: {source: pre, target: cells, input: jump, synapse: stdp_triplet, connect: all_to_all}
  nearest: {source: pre, target: cells, input: jump, synapse: stdp_triplet_nearest, connect: all_to_all}
  inhibitory:
    {source: pre, target: cells, input: jump, synapse: stdp_inhibitory, connect: all_to_all, weight: -0.1,
     params: {eta: -0.01, w_min: -1, w_max: 0}, ranges: {w: [-1, 0]}}
  dopamine: {source: pre, target: cells, input: jump, synapse: stdp_dopamine, connect: all_to_all}
  reward: {source: pre, target: cells, input: jump, synapse: stdp_reward, connect: all_to_all, params: {reward: 0.5}}
  scaling: {source: pre, target: cells, input: jump, synapse: synaptic_scaling, connect: all_to_all}
  modulated:
    {source: pre, target: cells, input: jump, synapse: stdp_modulated, connect: all_to_all,
     modulators: {dopamine: vta.m}}
  learned: {source: cells, target: vta, input: release, synapse: static, connect: all_to_all, weight: 0.25}
  short: {source: pre, target: cells, input: jump, synapse: tsodyks_markram, connect: all_to_all, weight: 8}
  strong: {source: cells, target: thick, input: jump, synapse: static, connect: all_to_all, weight: 15}
  voltage: {source: pre, target: thick, input: i, synapse: stdp_voltage, connect: all_to_all}
  tell: {source: pre, target: told, input: spike_in, synapse: relay, connect: {pairs: [[0, 0], [1, 1], [2, 2]]}}
  inward: {source: told, target: leaky, input: i, synapse: eprop, connect: all_to_all, weight: 0.4}
  outward: {source: leaky, target: out, input: i, synapse: eprop_out, connect: all_to_all, weight: 0.1}
  back: {source: out, target: leaky, input: error, synapse: eprop_error, connect: all_to_all, weight: 0.1}
synapses: {relay: {state: {w: {weight: true, type: int, init: 1, range: [0, 1]}}}}
protocol:
  - repeat: 3
    do:
      - run: 100 ms
      - event: reward
      - event: learn
"""


@pytest.mark.dear
@pytest.mark.parametrize(
    ("chip", "which"),
    [
        ("generic8", ("reference", "emulator")),
        pytest.param("generic8_stochastic", backends.ready(), marks=pytest.mark.slow),
    ],
    ids=["emulator", "all"],
)
def test_executors_learn_the_same_bits(chip: str, which: tuple[str, ...]) -> None:
    network = neuroport.loads(TOGETHER)
    found = verify(*shortened(network, chip, None, steps=100), which, full=True)
    assert found.identical, found.first_difference
    with neuroport.open(network, "reference", chip) as session:
        first = {name: session.get(f"{name}.w") for name in LEARNING}
        session.run_protocol()
        assert [name for name in LEARNING if (session.get(f"{name}.w") == first[name]).all()] == []


LEARNING = "triplet nearest inhibitory dopamine reward modulated scaling voltage inward outward".split()


# ----------------------------------------------------------------------------------------- on which neurons they run

NEEDY = """
neuroport: 1
name: needy
dt: 1 ms
neurons: {own: {inputs: {i: {range: [-1, 1]}}, state: {v: {init: 0, range: [-1, 1]}}, spike: v > 1}}
populations: {a: {size: 1, neuron: poisson}, b: {size: 1, neuron: NEURON}}
projections: {p: {source: a, target: b, input: INPUT, synapse: MODEL, connect: one_to_one}}
"""


@pytest.mark.parametrize(
    ("model", "neuron", "told"),
    [
        (
            "stdp_voltage",
            "own",
            ["reads post.v_minus and post.v_plus, which neuron model 'own' of population 'b' does not have; "
             "'clopath_adex' has all that it needs: take it"],
        ),
        (
            "eprop",
            "lif",
            ["reads pre.zb3, which neuron model 'poisson' of population 'a' does not have; 'eprop_input' and "
             "'eprop_lif' have all that it needs: take one of them",
             "reads post.l and post.psi2, which neuron model 'lif' of population 'b' does not have; 'eprop_lif' has "
             "all that it needs: take it"],
        ),
    ],
)  # fmt: skip
def test_a_rule_says_which_neurons_it_needs(model: str, neuron: str, told: list[str]) -> None:
    text = NEEDY.replace("NEURON", neuron).replace("INPUT", "i").replace("MODEL", model)
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(neuroport.loads(text))
    lines = [line for line in str(caught.value).splitlines() if "synapse model" in line]
    assert lines == [f"<text>:7:15: synapse model '{model}' of projection 'p' {one}" for one in told]


def test_what_no_shipped_neuron_has_is_a_fault_of_the_text_alone() -> None:
    text = NEEDY.replace("NEURON", "lif").replace("INPUT", "jump").replace("MODEL", "mine")
    text += "synapses: {mine: {state: {w: {weight: true, init: 0, range: [0, 1]}}, on_pre: w = post.volts}}\n"
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(neuroport.loads(text))
    assert len(str(caught.value).splitlines()) == 1
    assert "'post.volts' is not known here" in str(caught.value)
