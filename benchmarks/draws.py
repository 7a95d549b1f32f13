"""What draws and conversions cost in a step, for each neuron.

    python benchmarks/draws.py [--neurons N] [--steps N] [--backend B]… [--chip CHIP]

Every neuron assigns one variable in every step. `nanoseconds` are those of processor time that a neuron takes for a
step more than with a value that costs nothing, the least of five runs of each.
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
name: draws
dt: 1 ms
chip: {chip}
neurons:
  drawing:
    state: {{x: {{init: 0.5, range: [0, 1]}}, n: {{type: int, init: 0, range: [-128, 127]}}}}
    update: |
      x = 0.5 * x + 0.25
      n = {value}
populations: {{p: {{size: {neurons}, neuron: drawing}}}}
protocol: [{{run: {steps} steps}}]
"""
NOTHING = "7 - n"
VALUES = (
    "int(round(x * 64))",
    "1 if uniform() < x else 0",
    "int(round(16 * normal()))",
    *(f"poisson(x, {largest})" for largest in (1, 4, 16, 32)),
)


def seconds(value: str, given: argparse.Namespace, backend: str) -> float:
    """Processor seconds of a run after everything is built."""
    text = NETWORK.format(value=value, neurons=given.neurons, steps=given.steps, chip=given.chip)
    found = []
    for _ in range(5):
        with neuroport.open(reader.loads(text.encode(), "draws.yaml"), backend=backend) as session:
            session.run(0)
            started = time.process_time()
            session.run(given.steps)
            found.append(time.process_time() - started)
    return min(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--chip", default="generic16")
    parser.add_argument("--backend", action="append")
    given = parser.parse_args()
    print("| backend | value | nanoseconds |\n|---|---|---|")
    for backend in given.backend or ["emulator"]:
        nothing = seconds(NOTHING, given, backend)
        for value in VALUES:
            more = (seconds(value, given, backend) - nothing) / (given.neurons * given.steps) * 1e9
            print(f"| {backend} | `{value}` | {more:.2f} |")


if __name__ == "__main__":
    main()
