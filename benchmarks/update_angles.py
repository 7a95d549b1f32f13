"""What it costs to measure the angle between a rule's updates and those of back-propagation.

    python benchmarks/update_angles.py [--copies N] [--batches N] [--backend B]…

Feedback alignment in layered networks, one batch (all copies of the network) per item, learned from at its end.
`without` is a batch alone, `with` the same while the metric update_angle follows it: the weights are read before it and
the error is carried back through them after it. Milliseconds are of processor time per batch, the least of three runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.files import network as reader

MODELS = """
neuroport: 1
name: update_angles
dt: 1 ms
seed: 1
copies: {copies}
neurons:
  hidden:
    inputs: {{ff: {{range: [-16, 16]}}, back: {{range: [-16, 16]}}}}
    state: {{r: {{init: 0, range: [-1, 1]}}, e: {{init: 0, range: [-16, 16]}}}}
    update: |
      r = tanh(ff)
      e = back * (1 - r * r)
  answer:
    inputs: {{ff: {{range: [-16, 16]}}, goal: {{range: [-1, 1]}}}}
    state: {{r: {{init: 0, range: [-16, 16]}}, e: {{init: 0, range: [-16, 16]}}}}
    update: |
      r = ff
      e = goal - r
synapses:
  learned:
    params: {{rate: {{default: 0.01, range: [0, 1]}}}}
    state: {{w: {{weight: true, range: [-4, 4], over_copies: shared}}}}
    step: send(target, w * pre.r)
    on_event: {{learn: w = w + rate * mean_copies(post.e * pre.r)}}
  fixed:
    state: {{w: {{weight: true, range: [-4, 4]}}}}
    step: send(target, w * pre.e)
"""
SHAPES = ((64, 40, 30, 10), (784, 500, 10))


def network(shape: tuple[int, ...], copies: int, batches: int, followed: bool) -> neuroport.Network:
    """A network of layers of these sizes, with or without the metric."""
    last = len(shape) - 1
    hold = 2 * last + 2
    draw = np.random.default_rng(1)
    lines = [MODELS.format(copies=copies), "populations:"]
    for k, size in enumerate(shape):
        lines.append(f"  p{k}: {{size: {size}, neuron: {('rate_source', 'hidden', 'answer')[(k > 0) + (k == last)]}}}")
    lines.append("projections:")
    for k in range(last):
        ends = f"source: p{k}, target: p{k + 1}, input: ff, synapse: learned, connect: all_to_all"
        lines.append(f"  w{k}: {{{ends}, weight: {{normal: [0, {shape[k] ** -0.5:.4f}]}}}}")
    for k in range(1, last):
        ends = f"source: p{k + 1}, target: p{k}, input: back, synapse: fixed, connect: all_to_all"
        lines.append(f"  b{k}: {{{ends}, weight: {{normal: [0, {shape[k + 1] ** -0.5:.4f}]}}}}")
    values, goals = draw.random((copies, shape[0])).round(3), draw.random((copies, shape[-1])).round(3)
    lines += [
        "stimuli:",
        f"  shown: {{patterns: {{values: {values.tolist()}, hold: {hold} steps}}, population: p0, input: r_in}}",
        f"  goals: {{patterns: {{values: {goals.tolist()}, beside: shown}}, population: p{last}, input: goal}}",
        "readouts:",
        *(f"  s{k}: {{samples: {{of: p{k}.r, reduce: last}}}}" for k in range(last)),
        f"  error: {{samples: {{of: p{last}.e, reduce: last}}}}",
    ]
    states = ", ".join(f"s{k}" for k in range(last))
    weights = ", ".join(f"w{k}.w" for k in range(last))
    if followed:
        slopes = "slopes: tanh, " if last > 1 else ""
        lines += ["metrics:", f"  a: {{update_angle: [{weights}], states: [{states}], {slopes}error: error}}"]
    readout = f", readout: [{states}, error]" if followed else ""
    lines += [
        "protocol:",
        f"  - repeat: {batches}",
        "    do:",
        f"      - {{present: shown, each: [{{at: end, event: learn}}]{readout}}}",
        "record: {spikes: none}",
    ]
    return reader.loads("\n".join(lines).encode(), "update_angles.yaml")


def measured(made: neuroport.Network, backend: str, batches: int) -> float:
    """Milliseconds of processor time per batch, after everything is built."""
    seconds = []
    for _ in range(3):
        with neuroport.open(made, backend=backend) as session:
            session.run(0)
            started = time.process_time()
            session.run_protocol()
            seconds.append(time.process_time() - started)
    return 1000 * min(seconds) / batches


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=20)
    parser.add_argument("--batches", type=int, default=50)
    parser.add_argument("--backend", action="append")
    given = parser.parse_args()
    print("| layers | backend | without (ms) | with (ms) |\n|---|---|---|---|")
    for shape in SHAPES:
        for backend in given.backend or ["emulator"]:
            made = (network(shape, given.copies, given.batches, followed) for followed in (False, True))
            alone, followed = (measured(one, backend, given.batches) for one in made)
            print(f"| {'-'.join(map(str, shape))} | {backend} | {alone:.2f} | {followed:.2f} |")


if __name__ == "__main__":
    main()
