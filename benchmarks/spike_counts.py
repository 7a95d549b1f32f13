"""What it costs that neurons spike several times in a step.

    python benchmarks/spike_counts.py [--neurons N] [--steps N] [--backend B]…

A population draws Poisson counts and sends to 100 neurons through synapses of one kind; `spike` sends one spike where
a count is above 0, `spike_count` as many as were drawn. Microseconds of processor time for a step, the least of three
runs.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.files import network as reader

NETWORK = """
neuroport: 1
name: spike_counts
dt: 1 ms
chip: generic16
neurons:
  drawing:
    state: {{n: {{type: int, init: 0, range: [0, 10]}}}}
    update: n = poisson(0.1, 1)
    {spikes}
populations:
  a: {{size: {neurons}, neuron: drawing}}
  b: {{size: 100, neuron: cuba_lif}}
projections:
  up: {{source: a, target: b, input: exc, synapse: static, connect: {{fixed_out_degree: 10}}, weight: 0.001}}
protocol: [{{run: {steps} steps}}]
"""
WAYS = {"spike": "spike: n > 0", "spike_count": "spike_count: n"}


def microseconds(way: str, given: argparse.Namespace, backend: str) -> float:
    """Those of a step after everything is built."""
    text = NETWORK.format(spikes=WAYS[way], neurons=given.neurons, steps=given.steps)
    found = []
    for _ in range(3):
        with neuroport.open(reader.loads(text.encode(), "spike_counts.yaml"), backend=backend, keep=0) as session:
            session.run(0)
            started = time.process_time()
            session.run(given.steps)
            found.append(time.process_time() - started)
    return min(found) / given.steps * 1e6


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--backend", action="append")
    given = parser.parse_args()
    print(f"| backend | {' | '.join(f'{way} (us)' for way in WAYS)} |\n|---|---|---|")
    for backend in given.backend or ["emulator"]:
        print(f"| {backend} | {' | '.join(f'{microseconds(way, given, backend):.0f}' for way in WAYS)} |")


if __name__ == "__main__":
    main()
