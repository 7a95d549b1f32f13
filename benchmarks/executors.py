"""What each executor takes to build a program and for a step of it, beside the estimate by which one is chosen.

    python benchmarks/executors.py [--device cpu|cuda|hip] [NAME]…

Building is by the clock, with an empty cache; steps are processor time (on a GPU, by the clock), the median of three.
The estimates are those of neuroport/api/costs.py for the spikes that came.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from benchmarks.peers import networks
from neuroport import backends
from neuroport.api.costs import COSTS, Case, in_case
from neuroport.network.network import Network
from neuroport.program.work import work

NETWORKS: dict[str, tuple[Callable[[], Network], int]] = {
    "sal_sampling": (lambda: neuroport.load("sal_sampling"), 2000),
    "gle_lagnet": (lambda: neuroport.load("gle_lagnet"), 2000),
    "izhikevich": (lambda: neuroport.load("izhikevich"), 1000),
    "balanced": (lambda: neuroport.load("balanced"), 1000),
    "4,000 neurons": (lambda: networks.balanced(4000), 1000),
    "4,000 neurons, pair STDP": (lambda: networks.plastic(4000), 1000),
    "20,000 neurons": (lambda: networks.balanced(20_000), 500),
}
"""Each with the steps of a repeat."""
SLOW = 50
"""The reference computes so many times fewer."""


def measured(name: str, executor: str) -> str:
    """A row of the table."""
    make, steps = NETWORKS[name]
    program = neuroport.compile(make())
    backend, _, device = executor.partition(" on ")
    steps = steps // SLOW if backend == "reference" else steps
    clock = time.perf_counter if device in ("cuda", "hip") else time.process_time
    started = time.perf_counter()
    recorded = [p.name for p in program.populations if p.spiking]
    machine = backends.load(backend, device or None).open(program, 1, recorded)
    built = time.perf_counter() - started
    machine.advance(steps)
    machine.drain()
    times, spikes = [], 0
    for _ in range(3):
        started = clock()
        machine.advance(steps)
        spikes = sum(len(found[0]) for found in machine.drain().spikes.values())
        times.append(clock() - started)
    todo = work(program, steps)
    rate = 1000 * spikes / (steps * program.dt * todo.firing) if todo.firing else 0.0
    least, most = (1e6 * s / steps for s in in_case(todo, COSTS[executor], Case(rate, fresh=False)))
    took = statistics.median(times) / steps * 1e6
    return f"| {name} | {executor} | {built:.2g} | {took:.3g} | {least:.3g} to {most:.3g} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NETWORKS))
    parser.add_argument("--device", choices=("cpu", "cuda", "hip"), default="cpu")
    args = parser.parse_args()
    there = [name for name in ("emulator", "reference") if not backends.missing(name)]
    there += [f"genn on {args.device}"] if not backends.load("genn", args.device).missing() else []
    print("| network | executor | build, s | us per step | estimate |\n|---|---|---|---|---|")
    for name in args.names or NETWORKS:
        for executor in there:
            with tempfile.TemporaryDirectory() as folder:
                os.environ["NEUROPORT_CACHE"] = folder
                print(measured(name, executor), flush=True)


if __name__ == "__main__":
    main()
