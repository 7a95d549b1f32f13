"""What it costs that synapses see a modulator, or a trace before the spike, and that inputs take the largest.

    python benchmarks/seen_by_synapses.py [--steps N] [--backend B]…

Each comparison is of networks that do the same in another way: a rule of 100 x 100 synapses that multiplies its
eligibility in every step by a variable of the postsynaptic neuron, by a modulator, or by a parameter; the nearest-spike
triplet rule with traces before the spike, or with two variables of each synapse that decay in every step; and pools of
28 x 28 x 8 rates that add up or take the largest. Times are of the processor, for the steps alone, the least of three.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.backends import load

LEARNING = """
neuroport: 1
name: learning
dt: 1 ms
chip: generic16
neurons:
  cell:
    inputs: {{i: {{range: [-64, 64]}}}}
    state: {{v: {{init: 0, range: [-64, 64]}}, level: {{init: 0.5, range: [0, 1]}}}}
    update: |
      v = 0.9 * v + i
      level = 0.99 * level + 0.005
    spike: v > 8
    on_spike: v = 0
synapses:
  learning:
    {more}
    traces:
      x: {{of: pre, decay: 0.95, mode: set, range: [0, 1]}}
      x2: {{of: pre, decay: 0.99, mode: set, range: [0, 1]}}
      y: {{of: post, decay: 0.95, mode: set, range: [0, 1]}}
      y2: {{of: post, decay: 0.99, mode: set, range: [0, 1]}}
    state:
      w: {{weight: true, init: 0.5, range: [0, 1]}}
      e: {{init: 0, range: [-1, 1]}}
      r2: {{init: 0, range: [0, 1], class: trace}}
      o2: {{init: 0, range: [0, 1], class: trace}}
{blocks}
populations:
  noise: {{size: 100, neuron: poisson, params: {{rate: 20 Hz}}}}
  cells: {{size: 100, neuron: cell}}
  one: {{size: 1, neuron: cell}}
projections:
  up: {{source: noise, target: cells, input: i, synapse: learning, connect: all_to_all{given}}}
"""
GATED = """    step: |
      w = clip(w + 0.01 * {level} * e, 0, 1)
      e = 0.99 * e
    on_pre: |
      send(target, w)
      e = clip(e - 0.1 * post.y, -1, 1)
    on_post: e = clip(e + 0.1 * pre.x, -1, 1)
"""
BEFORE = """    on_pre: |
      send(target, w)
      w = clip(w - post.y * (0.01 + 0.01 * before(pre.x2)), 0, 1)
    on_post: w = clip(w + pre.x * (0.01 + 0.01 * before(post.y2)), 0, 1)
"""
KEPT = """    step: |
      r2 = 0.99 * r2
      o2 = 0.99 * o2
    on_pre: |
      send(target, w)
      w = clip(w - post.y * (0.01 + 0.01 * r2), 0, 1)
      r2 = 1
    on_post: |
      w = clip(w + pre.x * (0.01 + 0.01 * o2), 0, 1)
      o2 = 1
"""
POOL = """
neuroport: 1
name: pool
dt: 1 ms
chip: generic16
neurons:
  pooled: {{inputs: {{i: {{range: [-4, 4], reduce: {reduce}}}}}, state: {{r: {{range: [-4, 4]}}}}, update: r = i}}
populations:
  map: {{size: 6272, neuron: rate_source}}
  pool: {{size: 1568, neuron: pooled}}
projections:
  down:
    {{source: map, target: pool, input: i, synapse: graded, weight: 1,
     connect: {{pool: {{shape: [28, 28], kernel: 2, channels: 8}}}}}}
stimuli:
  shown: {{series: {{values: [0.5, -0.25, 0.125], every: 1 ms, loop: true}}, population: map, input: r_in}}
"""
PARAMETER = "params: {level: {default: 0.5, range: [0, 1], dynamic: true}}"
MODULATOR = "modulators: {level: {}}"


def networks() -> dict[str, dict[str, str]]:
    """The texts that are compared: comparison -> way -> network."""

    def learning(blocks: str, more: str = "title: none", given: str = "") -> str:
        return LEARNING.format(blocks=blocks, more=more, given=given)

    return {
        "a factor of every synapse": {
            "the neuron's": learning(GATED.format(level="post.level")),
            "a modulator": learning(GATED.format(level="level"), MODULATOR, ", modulators: {level: one.level}"),
            "a parameter": learning(GATED.format(level="level"), PARAMETER),
        },
        "the spike before": {"before(...)": learning(BEFORE), "kept by synapses": learning(KEPT)},
        "a pool": {"the sum": POOL.format(reduce="sum"), "the largest": POOL.format(reduce="max")},
    }


def seconds(text: str, backend: str, steps: int) -> float | None:
    """Processor time of so many steps, the least of three runs; None where a backend does not take the network."""
    network = neuroport.loads(text)
    if load(backend).check(neuroport.compile(network)):
        return None
    with neuroport.open(network, backend) as session:
        session.run(steps)
        found = []
        for _ in range(3):
            before = time.process_time()
            session.run(steps)
            found.append(time.process_time() - before)
    return min(found)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--backend", action="append", help="emulator and genn without it")
    args = parser.parse_args()
    chosen = args.backend or ["emulator", "genn"]
    print(f"us of a step{'':21}{''.join(f'{name:>12}' for name in chosen)}")
    for what, ways in networks().items():
        for way, text in ways.items():
            taken = [seconds(text, backend, args.steps) for backend in chosen]
            shown = "".join(f"{'-' if one is None else f'{1e6 * one / args.steps:.1f}':>12}" for one in taken)
            print(f"{what}, {way}".ljust(44)[:44] + shown, flush=True)


if __name__ == "__main__":
    main()
