"""Plastic rules learn on chips what they learn on `ideal`: decaying traces reach zero, and slow ones keep their time.

The rules are those of benchmarks/plastic_rules.py.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import pytest

import neuroport
from neuroport.files import network as reader

CHIPS = ("generic16", "generic8", "generic8_stochastic")

PAIRS = """
neuroport: 1
name: pairs
dt: 0.1 ms
neurons:
  metronome:
    state: {k: {type: int, init: 0, range: [0, 150]}}
    update: |
      k = k + 1 if k < 150 else 1
    spike: k == 150
  once:
    inputs: {i: {range: [-64, 64]}}
    state: {k: {type: int, init: 0, range: [0, 3]}}
    update: |
      k = min(k + 1, 3)
    spike: k == 1
populations:
  pre: {size: 1, neuron: metronome}
  post: {size: 1, neuron: once}
projections:
  up: {source: pre, target: post, input: i, synapse: stdp_pair, connect: all_to_all, weight: 0.5}
"""


@pytest.fixture(scope="module")
def rules(root: Path) -> ModuleType:
    """The benchmark."""
    spec = importlib.util.spec_from_file_location("plastic_rules", root / "benchmarks" / "plastic_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pair_weight(chip: str, spikes: int) -> float:
    network = reader.loads(PAIRS.encode(), "pairs.yaml")
    with neuroport.open(network, chip=chip, keep=False) as session:
        session.run(150 * spikes + 2)
        return float(session.get("up.w")[0])


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", *CHIPS])
def test_a_trace_of_one_spike_is_forgotten(chip: str) -> None:
    """One postsynaptic spike, then 4,000 presynaptic ones 15 ms apart, under a time constant of 20 ms."""
    steps = [150 * (n + 1) - 1 for n in range(50)]
    right = 0.5 - sum(0.0105 * math.exp(-0.1 * step / 20) for step in steps)
    assert right == pytest.approx(0.4906, abs=1e-4)
    assert pair_weight(chip, 4000) == pytest.approx(right, abs=1e-5 if chip == "ideal" else 5e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("chip", "most"), [("generic16", 0.02), ("generic8", 0.05), ("generic8_stochastic", 0.03)])
def test_six_rules_learn_what_they_learn_on_ideal(chip: str, most: float, rules: ModuleType) -> None:
    found = rules.errors(chip)
    noisy = {"cook": 0.25} if chip != "generic16" else {}  # its spikes follow from a 16-bit voltage and threshold
    assert {rule: rms for rule, (rms, _) in found.items() if rms > noisy.get(rule, most)} == {}
