"""What sums over neurons and synapses cost: a softmax over a population, and weights that are scaled to one sum.

    python benchmarks/together.py [--neurons N] [--steps N] [--backend B]…

As many neurons join as many others all to all. In every step one of these is done: `softmax`, the three lines of
docs/language.md, by all neurons, or `normalise`, `w = w * goal / max(sum_incoming(w), 1)`, by all synapses. Beside each
stands the same block with variables of neurons in the place of its sums: what is left is what they cost. Microseconds
of a step on one processor, the least of five times so many steps.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.files import network as reader

NETWORK = """
neuroport: 1
name: together
dt: 1 ms
seed: 1
chip: {chip}
neurons:
  cell:
    inputs: {{i: {{range: [-16, 16]}}}}
    state:
      v: {{init: {{uniform: [-1, 1]}}, range: [-16, 16]}}
      p: {{init: 0, range: [0, 1]}}
      most: {{init: 1, range: [-16, 16]}}
      total: {{init: 100, range: [0, 1024]}}
    update: v = 0.99 * v
    on_event:
      {neurons}
synapses:
  plastic:
    params: {{goal: {{default: 4, range: [0, 16]}}}}
    state: {{w: {{weight: true, init: 1, range: [0.001, 16]}}}}
    step: send(target, w, when=pre.p > 2)
    on_event:
      {synapses}
populations:
  x: {{size: {size}, neuron: cell}}
  y: {{size: {size}, neuron: cell}}
projections:
  up: {{source: x, target: y, input: i, synapse: plastic, connect: all_to_all, weight: {{uniform: [0.5, 1.5]}}}}
record: {{spikes: none}}
"""
NEURONS = """{name}: |
        e = exp(min(v - {most}, 0))
        p = e / max({total}, 1)"""
SYNAPSES = "{name}: w = w * goal / {total}"
ALONE = {"softmax": ("most", "total"), "normalise": "max(post.total, 1)"}
WITH = {"softmax": ("max_population(v)", "sum_population(e)"), "normalise": "max(sum_incoming(w), 1)"}
WHAT = ("softmax", "normalise")


@dataclass(frozen=True)
class Setting:
    """How many neurons a population has, how many steps are timed, and on which chip."""

    neurons: int = 400
    steps: int = 200
    chip: str = "generic16"


def network(what: str, sums: bool, setting: Setting) -> neuroport.Network:
    """A network that does one of the two in every step, with its sums or without."""
    forms = WITH if sums else ALONE
    most, total = forms["softmax"]
    name = {each: "each_step" if each == what else "never" for each in WHAT}
    text = NETWORK.format(
        chip=setting.chip,
        size=setting.neurons,
        neurons=NEURONS.format(name=name["softmax"], most=most, total=total),
        synapses=SYNAPSES.format(name=name["normalise"], total=forms["normalise"]),
    )
    return reader.loads(text.encode(), "together.yaml")


def microseconds(what: str, sums: bool, setting: Setting, backend: str) -> float:
    """The processor time of a step."""
    seconds = []
    with neuroport.open(network(what, sums, setting), backend=backend) as session:
        session.run(2)
        for _ in range(5):
            started = time.process_time()
            session.run(setting.steps)
            seconds.append(time.process_time() - started)
    return 1e6 * min(seconds) / setting.steps


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("neurons", "steps"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Setting, name))
    parser.add_argument("--backend", action="append")
    given = parser.parse_args()
    setting = Setting(given.neurons, given.steps)
    print("| backend | in every step | with sums (us) | without (us) |\n|---|---|---|---|")
    for backend in given.backend or ["emulator"]:
        for what in WHAT:
            found, alone = (microseconds(what, sums, setting, backend) for sums in (True, False))
            print(f"| {backend} | {what} | {found:.1f} | {alone:.1f} |")


if __name__ == "__main__":
    main()
