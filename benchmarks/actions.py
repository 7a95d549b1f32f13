"""What is done inside of patterns costs: processor time per pattern, on a network so small that its steps cost little.

    python benchmarks/actions.py [--patterns N] [--hold STEPS] [--chip NAME]

Ten cells are shown patterns of 100 steps, on every executor that is there, without actions and with them; for each the
least of five runs, in us of one core, and what that is more than without. `four` are what a rule with two phases does:
a switch in the middle, and an event, a switch and a reset at the end.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport import backends

TEXT = """\
neuroport: 1
name: actions
dt: 1 ms
neurons:
  cell:
    params: {{gain: {{default: 1, dynamic: true, range: [0, 8]}}}}
    inputs: {{i: {{range: [-8, 8]}}}}
    state: {{v: {{init: 0, range: [-64, 64]}}, n: {{type: int, init: 0, range: [0, 1000000]}}}}
    update: |
      v = 0.5 * v + gain * i
    spike: v > 1
    on_event: {{learn: n = n + 1}}
populations: {{cells: {{size: 10, neuron: cell}}}}
stimuli: {{shown: {{patterns: {{values: {values}, hold: {hold} steps, order: shuffle}}, population: cells, input: i}}}}
protocol: [{{present: shown, count: {patterns}{each}}}]
record: {{spikes: none}}
"""
EVENT, RESET = "{at: end, event: learn}", "{at: end, reset: [cells]}"
TAUGHT, FREE = "{{at: {half} steps, set: {{cells.gain: 2}}}}", "{at: end, set: {cells.gain: 1}}"
RUNS = 5


def opened(arguments: argparse.Namespace, backend: str, each: str) -> neuroport.Session:
    """A session of the network in whose patterns that is done."""
    values = np.random.default_rng(0).random((50, 10)).round(2).tolist()
    told = f", each: [{each}]" if each else ""
    text = TEXT.format(values=values, hold=arguments.hold, patterns=arguments.patterns, each=told)
    return neuroport.open(neuroport.loads(text), chip=arguments.chip, backend=backend)


def microseconds(arguments: argparse.Namespace, backend: str, each: str) -> float:
    """The processor time of a pattern, the least of several runs."""
    times = []
    for _ in range(RUNS):
        with opened(arguments, backend, each) as session:
            started = time.process_time()
            session.run_protocol()
            times.append(time.process_time() - started)
    return min(times) / arguments.patterns * 1e6


def main() -> None:
    """Print a row for each kind of action."""
    parser = argparse.ArgumentParser(description="What is done inside of patterns costs.")
    parser.add_argument("--patterns", type=int, default=2000)
    parser.add_argument("--hold", type=int, default=100)
    parser.add_argument("--chip", default="ideal")
    arguments = parser.parse_args()
    taught = TAUGHT.format(half=arguments.hold // 2)
    four = ", ".join([taught, EVENT, FREE, RESET])
    rows = {"nothing": "", "event": EVENT, "set": FREE, "reset": RESET, "four": four}
    for backend in ("emulator", "genn"):
        if backends.load(backend).missing():
            continue
        costs = {name: microseconds(arguments, backend, each) for name, each in rows.items()}
        for name, cost in costs.items():
            print(f"{backend:9} {name:8} {cost:7.1f} us per pattern, {cost - costs['nothing']:+7.1f}")


if __name__ == "__main__":
    main()
