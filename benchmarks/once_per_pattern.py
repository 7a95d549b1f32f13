"""What it costs to form an outer product once per pattern, and in every step.

    python benchmarks/once_per_pattern.py [--inputs N] [--outputs N] [--hold STEPS] [--backend B]…

Spikes of an input layer are counted while a pattern is shown, and so are those of an output layer; then every weight
changes by the output's error (the wanted count less the one found) times the input's count: the delta rule of rates, as
rules that compare two counts per pattern have it. `once` does so in a block that is triggered between two patterns,
`every step` in the `step` block, which runs for every synapse in every step and changes something in the first step of
a pattern only. Both give the same weights, to the bit. Seconds are of processor time, the least of three runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.files import network as reader

NETWORK = """
neuroport: 1
name: once_per_pattern
dt: 1 ms
seed: 1
chip: generic16
neurons:
  counting:
    title: Perfect integrator that counts its spikes since the pattern began
    inputs: {{i: {{range: [-16, 16]}}, goal: {{range: [0, 64]}}}}
    state:
      v: {{init: 0, range: [-16, 16]}}
      n: {{init: 0, range: [0, 64]}}
      error: {{init: 0, range: [-64, 64]}}
    update: |
      if item_step == 0:
        v = 0
        n = 0
      v = v + i
      error = goal - n
    spike: v >= 1
    on_spike: |
      v = v - 1
      n = n + 1
synapses:
  once:
    params: {{rate: {{default: {rate}, range: [0, 1], dynamic: true}}}}
    state: {{w: {{weight: true, init: 0, range: [-1, 1]}}}}
    on_pre: send(target, w)
    on_event:
      learn: w = w + rate * post.error * pre.n
  every:
    params: {{rate: {{default: {rate}, range: [0, 1], dynamic: true}}}}
    state: {{w: {{weight: true, init: 0, range: [-1, 1]}}}}
    step: |
      if item_step == 0:
        w = w + rate * post.error * pre.n
    on_pre: send(target, w)
populations:
  x: {{size: {inputs}, neuron: counting}}
  y: {{size: {outputs}, neuron: counting}}
projections:
  up: {{source: x, target: y, input: i, synapse: {synapse}, connect: all_to_all}}
stimuli:
  shown:
    patterns: {{values: {values}, labels: {labels}, hold: {hold} steps, order: choice}}
    population: x
    input: i
  goals: {{patterns: {{values: {goals}, beside: shown}}, population: y, input: goal}}
readouts:
  counts: {{samples: {{of: y.n, every: {hold} steps, from: {last} steps, to: {hold} steps}}}}
metrics:
  right: {{accuracy: counts}}
protocol:
  - repeat: {patterns}
    do:
      - {{present: shown, count: 1}}
{event}  - {{present: shown, count: 1}}
  - set: {{up.rate: 0}}
  - repeat: 50
    do:
      - {{present: shown, count: 1, readout: [counts]}}
  - measure: [right]
record: {{spikes: none}}
"""
WAYS = ("once", "every")
SHOWN = 20


@dataclass(frozen=True)
class Setting:
    """How large the network is, how many steps a pattern is shown, and how many are shown."""

    inputs: int = 500
    outputs: int = 40
    hold: int = 50
    patterns: int = 200


def network(way: str, setting: Setting) -> neuroport.Network:
    """The network that learns one way."""
    values = np.where(np.random.default_rng(1).random((SHOWN, setting.inputs)) < 0.2, 0.5, 0.0)
    labels = np.arange(SHOWN) % setting.outputs
    goals = np.where(labels[:, None] == np.arange(setting.outputs), setting.hold // 5, 0)
    spikes = 0.2 * setting.inputs * (setting.hold / 2) ** 2
    text = NETWORK.format(
        **{name: getattr(setting, name) for name in ("inputs", "outputs", "hold", "patterns")},
        synapse=way,
        rate=f"{0.5 / spikes:.6f}",
        last=setting.hold - 1,
        event="      - event: learn\n" if way == "once" else "",
        values=values.tolist(),
        labels=labels.tolist(),
        goals=goals.tolist(),
    )
    return reader.loads(text.encode(), "once_per_pattern.yaml")


def measured(way: str, setting: Setting, backend: str) -> tuple[float, Any, float]:
    """Processor seconds of a run after everything is built, what it learned, and how many answers are right."""
    seconds = []
    for _ in range(3):
        with neuroport.open(network(way, setting), backend=backend) as session:
            session.run(0)
            started = time.process_time()
            session.run_protocol()
            seconds.append(time.process_time() - started)
            weights, right = session.get("up.w"), session.results["right"][-1][1]
    return min(seconds), weights, right


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("inputs", "outputs", "hold", "patterns"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Setting, name))
    parser.add_argument("--backend", action="append")
    given = parser.parse_args()
    setting = Setting(given.inputs, given.outputs, given.hold, given.patterns)
    print("| backend | once (s) | every step (s) | right | same weights |\n|---|---|---|---|---|")
    for backend in given.backend or ["emulator"]:
        (once, one, right), (every, other, _) = (measured(way, setting, backend) for way in WAYS)
        print(f"| {backend} | {once:.3f} | {every:.3f} | {right:.0f} % | {np.array_equal(one, other)} |")


if __name__ == "__main__":
    main()
