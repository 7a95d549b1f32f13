"""What drawing connections costs: processor time of every kind, and of what is recorded of a part of a population.

    python benchmarks/connections.py [--synapses N]

About N synapses (8 million) within a population of N / 100 neurons, each kind by itself, without the rest of building.
Of recording: 400 steps of 100,000 neurons without input, of which one variable is recorded of ten neurons or of all.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import neuroport  # noqa: E402  of this checkout
from neuroport.connections import Ends, rule  # noqa: E402

DEGREE = 100
PROFILES = {"gaussian": 4.0, "exponential": 4.0, "linear": 10.0, "flat": 5.7}
"""Lengths for about DEGREE synapses of a neuron at most with p = 1."""
RECORDED = """
neuroport: 1
name: recorded
dt: 1 ms
chip: generic16
populations: {a: {size: 100000, neuron: lif}}
protocol: [{run: 400 ms}]
record: {states: {"PART": 1 ms}}
"""


def kinds(neurons: int) -> dict[str, Any]:
    """Ways to connect a population of so many neurons, on a grid of 100 rows."""
    grid = {"grid": [100, neurons // 100], "p": 1}
    near = {name: {**grid, "profile": name, "length": length} for name, length in PROFILES.items()}
    wide = {**grid, "profile": "gaussian", "length": 1e6, "p": DEGREE / neurons}
    return {
        "fixed_probability": {"fixed_probability": DEGREE / neurons},
        "fixed_in_degree": {"fixed_in_degree": DEGREE},
        "fixed_out_degree": {"fixed_out_degree": DEGREE},
        **{f"distance_dependent, {name}": {"distance_dependent": given} for name, given in near.items()},
        "distance_dependent, as long as the grid": {"distance_dependent": wide},
    }


def drawn(connect: Any, neurons: int) -> tuple[int, float]:
    """How many synapses a way to connect gives, and the seconds that it takes."""
    net = neuroport.Network("1 ms")
    cells = net.population("cells", neurons, "lif")
    net.project(cells, cells, "static", input="jump", weight=1, connect=connect, name="p")
    network = net.build()
    projection = network.projection("p")
    pairs, ends = rule(projection.connect).pairs, Ends.of(projection, network)
    started = time.process_time()
    return len(pairs(projection.connect, ends)[0]), time.process_time() - started


def recorded(part: str) -> float:
    """Seconds of a run that records a part, the second time."""
    network = neuroport.loads(RECORDED.replace("PART", part))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first.h5", "second.h5"):
            started = time.process_time()
            neuroport.run(network, trace=Path(folder) / name)
    return time.process_time() - started


def main() -> None:
    """Print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--synapses", type=int, default=8_000_000)
    neurons = parser.parse_args().synapses // DEGREE // 100 * 100
    for name, connect in kinds(neurons).items():
        synapses, seconds = drawn(connect, neurons)
        print(
            f"{name:40} {synapses:>10,} synapses {seconds:6.2f} s {seconds / synapses * 1e9:6.0f} ns each", flush=True
        )
    for part in ("a.v[0:10]", "a.v"):
        print(f"record {part:33} {recorded(part):6.2f} s")


if __name__ == "__main__":
    main()
