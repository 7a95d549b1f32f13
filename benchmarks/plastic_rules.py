"""Six published plasticity rules on chips, compared with floating point.

    python benchmarks/plastic_rules.py [--chip C]… [--time MS] [--seed N]…

One network at dt 0.1 ms holds all six: pair and triplet STDP (the library's `stdp_pair` and `stdp_triplet`),
voltage-based STDP, STDP gated by dopamine through eligibility traces, inhibitory STDP, and trace STDP under a slowly
adapting threshold. Twenty Poisson inputs of 5 to 24 Hz lead to two neurons each, for ten seconds. A row tells how far
the final weights on a chip are from those on `ideal` (rms and largest), in percent of the rms change of the weights on
`ideal`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.files import network as reader

RULES = {
    "pair": "pair STDP",
    "triplet": "triplet STDP (Pfister & Gerstner 2006)",
    "clopath": "voltage STDP (Clopath et al. 2010)",
    "dopamine": "dopamine-gated STDP (Izhikevich 2007)",
    "vogels": "inhibitory STDP (Vogels et al. 2011)",
    "cook": "adaptive-threshold STDP (Diehl & Cook 2015)",
}
CHIPS = ("generic16", "generic8", "generic8_stochastic")

NETWORK = """
neuroport: 1
name: plastic_rules
dt: 0.1 ms
seed: 1
neurons:
  inputs:
    params: {rate: {default: 10 Hz, unit: Hz, range: [0, 1000]}}
    state: {}
    spike: uniform() < rate * dt
  forced:
    params: {rate: {default: 10 Hz, unit: Hz, range: [0, 1000]}}
    inputs: {i: {range: [-64, 64]}}
    state: {}
    spike: uniform() < rate * dt
  voltage:
    params:
      rate: {default: 10 Hz, unit: Hz, range: [0, 1000]}
      tau: {default: 10 ms, unit: ms, range: [1, 1000]}
      tau_minus: {default: 10 ms, unit: ms, range: [1, 1000]}
      tau_plus: {default: 7 ms, unit: ms, range: [1, 1000]}
    derived:
      decay: exp(-dt / tau)
      slow: exp(-dt / tau_minus)
      fast: exp(-dt / tau_plus)
    inputs: {i: {range: [-64, 64]}}
    state:
      u: {init: -70, range: [-100, 30]}
      u_minus: {init: -70, range: [-100, 30]}
      u_plus: {init: -70, range: [-100, 30]}
      shape: {type: int, init: 0, range: [0, 20]}
    update: |
      u = 20 if shape > 0 else (-50 if u > 10 else -70 + (u + 70) * decay + i)
      shape = max(shape - 1, 0)
      u_minus = u_minus * slow + (1 - slow) * u
      u_plus = u_plus * fast + (1 - fast) * u
    spike: uniform() < rate * dt
    on_spike: |
      shape = 20
  rewarded:
    params:
      rate: {default: 10 Hz, unit: Hz, range: [0, 1000]}
      reward: {default: 1 Hz, unit: Hz, range: [0, 1000]}
      tau_d: {default: 200 ms, unit: ms, range: [1, 10000]}
    derived: {d_decay: exp(-dt / tau_d)}
    inputs: {i: {range: [-64, 64]}}
    state: {d: {init: 0, range: [0, 8], class: trace}}
    update: |
      d = d * d_decay + (0.5 if uniform() < reward * dt else 0)
    spike: uniform() < rate * dt
  adapting:
    params:
      tau: {default: 100 ms, unit: ms, range: [1, 1000]}
      tau_theta: {default: 10000 ms, unit: ms, range: [1, 100000]}
      more: {default: 0.5, range: [0, 10]}
    derived:
      decay: exp(-dt / tau)
      theta_decay: exp(-dt / tau_theta)
    inputs: {i: {range: [-64, 64]}}
    state:
      v: {init: 0, range: [-64, 64]}
      theta: {init: 0, range: [0, 64], class: plastic}
    update: |
      v = v * decay + i
      theta = theta * theta_decay
    spike: v > 5 + theta
    on_spike: |
      v = 0
      theta = theta + more
synapses:
  drive:
    state: {w: {weight: true, init: 1, range: [0, 8]}}
  clopath:
    params:
      tau_x: {default: 15 ms, unit: ms, range: [1, 1000]}
      ltd: {default: 0.00014, range: [0, 1]}
      ltp: {default: 0.00008, range: [0, 1]}
    traces:
      x: {of: pre, decay: exp(-dt / tau_x), increment: 1 / tau_x, range: [0, 4]}
    state: {w: {weight: true, init: 1, range: [0, 8]}}
    step: |
      w = clip(w + ltp * dt * pre.x * max(post.u + 45.3, 0) * max(post.u_plus + 70.6, 0), 0, 8)
    on_pre: |
      send(target, w)
      w = clip(w - ltd * max(post.u_minus + 70.6, 0), 0, 8)
  dopamine:
    params:
      tau: {default: 20 ms, unit: ms, range: [1, 1000]}
      tau_c: {default: 1000 ms, unit: ms, range: [1, 10000]}
      eta: {default: 0.0005, range: [0, 1]}
    derived: {c_decay: exp(-dt / tau_c)}
    traces:
      x: {of: pre, decay: exp(-dt / tau), range: [0, 15]}
      y: {of: post, decay: exp(-dt / tau), range: [0, 15]}
    state:
      w: {weight: true, init: 1, range: [0, 4]}
      c: {init: 0, range: [-16, 16], class: trace}
    step: |
      w = clip(w + eta * dt * c * post.d, 0, 4)
      c = c * c_decay
    on_pre: |
      send(target, w)
      c = c - post.y
    on_post: |
      c = c + 1.2 * pre.x
  vogels:
    params:
      tau: {default: 20 ms, unit: ms, range: [1, 1000]}
      eta: {default: 0.01, range: [0, 1]}
      target_rate: {default: 10 Hz, unit: Hz, range: [0, 1000]}
    derived: {alpha: 2 * target_rate * tau}
    traces:
      x: {of: pre, decay: exp(-dt / tau), range: [0, 15]}
      y: {of: post, decay: exp(-dt / tau), range: [0, 15]}
    state: {w: {weight: true, init: 1, range: [0, 4]}}
    on_pre: |
      send(target, -w)
      w = clip(w + eta * (post.y - alpha), 0, 4)
    on_post: |
      w = clip(w + eta * pre.x, 0, 4)
  cook:
    params:
      tau: {default: 20 ms, unit: ms, range: [1, 1000]}
      eta: {default: 0.01, range: [0, 1]}
      offset: {default: 0.1, range: [0, 1]}
    traces: {x: {of: pre, decay: exp(-dt / tau), mode: set, range: [0, 1]}}
    state: {w: {weight: true, init: 0.3, range: [0, 1]}}
    on_pre: |
      send(target, 0 * w)
    on_post: |
      w = clip(w + eta * (pre.x - offset) * (1 - w), 0, 1)
populations:
  source: {size: 20, neuron: inputs, params: {rate: {array: RATES, unit: Hz}}}
  post: {size: 2, neuron: forced}
  volt: {size: 2, neuron: voltage}
  dopa: {size: 2, neuron: rewarded}
  adapt: {size: 2, neuron: adapting}
projections:
  pair: {source: source, target: post, input: i, synapse: stdp_pair, connect: all_to_all, weight: 0.5}
  triplet:
    {source: source, target: post, input: i, synapse: stdp_triplet, connect: all_to_all, weight: 1,
     params: {w_max: 2}, ranges: {w: [0, 2], r2: [0, 15], o2: [0, 15]}}
  push: {source: source, target: volt, input: i, synapse: drive, connect: all_to_all}
  clopath: {source: source, target: volt, input: i, synapse: clopath, connect: all_to_all, weight: 1}
  dopamine: {source: source, target: dopa, input: i, synapse: dopamine, connect: all_to_all}
  vogels: {source: source, target: post, input: i, synapse: vogels, connect: all_to_all}
  feed: {source: source, target: adapt, input: i, synapse: drive, connect: all_to_all, weight: 0.5}
  cook: {source: source, target: adapt, input: i, synapse: cook, connect: all_to_all}
"""

Weights = dict[str, NDArray[np.float64]]


def text() -> str:
    """The network file."""
    return NETWORK.replace("RATES", str([5 + i for i in range(20)]))


def weights(chip: str, duration: float = 10000, seed: int = 1) -> tuple[Weights, Weights]:
    """The weights of every rule before and after that many ms."""
    network = reader.loads(text().encode(), "plastic_rules.yaml")
    with neuroport.open(network, chip=chip, seed=seed, keep=False) as session:
        before = {rule: session.get(f"{rule}.w").ravel() for rule in RULES}
        session.run(f"{duration:g} ms")
        return before, {rule: session.get(f"{rule}.w").ravel() for rule in RULES}


def errors(chip: str, duration: float = 10000, seed: int = 1) -> dict[str, tuple[float, float]]:
    """Of every rule, the rms and the largest error of the final weights relative to their rms change on `ideal`."""
    before, right = weights("ideal", duration, seed)
    _, found = weights(chip, duration, seed)
    return {rule: relative(before[rule], right[rule], found[rule]) for rule in RULES}


def relative(
    before: NDArray[np.float64], right: NDArray[np.float64], found: NDArray[np.float64]
) -> tuple[float, float]:
    """Root mean square and largest error, relative to the rms change."""
    change = float(np.sqrt(np.mean((right - before) ** 2)))
    return float(np.sqrt(np.mean((found - right) ** 2))) / change, float(np.abs(found - right).max()) / change


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chip", action="append")
    parser.add_argument("--time", type=float, default=10000)
    parser.add_argument("--seed", action="append", type=int)
    args = parser.parse_args()
    print("| rule | seed | rms change | " + " | ".join(f"{chip}: rms, largest" for chip in args.chip or CHIPS) + " |")
    print("|---" * (3 + len(args.chip or CHIPS)) + "|")
    for seed in args.seed or [1]:
        before, right = weights("ideal", args.time, seed)
        on = {chip: weights(chip, args.time, seed)[1] for chip in args.chip or CHIPS}
        for rule, title in RULES.items():
            change = float(np.sqrt(np.mean((right[rule] - before[rule]) ** 2)))
            pairs = [relative(before[rule], right[rule], found[rule]) for found in on.values()]
            cells = " | ".join(f"{100 * rms:.2g} %, {100 * largest:.2g} %" for rms, largest in pairs)
            print(f"| {title} | {seed} | {change:.3g} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
