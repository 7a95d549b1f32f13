"""What a host in the loop costs: CPU time of an exchange of one step, at the start and after many, and of reading.

    python benchmarks/exchange.py [--network NET]… [--chip C] [--exchanges N] [--steps N]

An exchange writes one number to every neuron of the first input, computes a step, and takes the spikes of the first
population that spikes (`in, out`); `nothing` only computes the step. Beside them the executor alone: a step computed
and what it recorded handed over. Medians of blocks of 500 calls, in CPU time of this thread; `last` is the block after
--exchanges exchanges, with `keep="1 s"`, over the first one, and `memory` what the process has grown by until then.
Then a network runs for --steps steps, one by one, and the spikes since the last step are read at the start and at the
end: the cost of an answer, not of the history.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.session.session import Session

CALLS, BLOCKS = 500, 11


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", help="a network (default: sal_sampling, loihi_lif)")
    parser.add_argument("--chip", default=None)
    parser.add_argument("--exchanges", type=int, default=100_000)
    parser.add_argument("--steps", type=int, default=3000)
    args = parser.parse_args()
    print(f"{'network':<16} {'neurons':>7}  {'executor':>8}  {'nothing':>8}  {'in, out':>8}   last/first    memory")
    for name in args.network or ("sal_sampling", "loihi_lif"):
        with neuroport.open(neuroport.load(name), chip=args.chip, keep="1 s") as session:
            print(exchanging(name, session, args.exchanges))
    with neuroport.open(neuroport.load("balanced"), chip="generic16") as session:
        print(reading(session, args.steps))


def exchanging(name: str, session: Session, exchanges: int) -> str:
    """A line about the exchanges of a network."""
    size = sum(p.size for p in session.program.populations)
    target = next(a for a in session.program.arrays.values() if a.role == "input")
    inputs: dict[str, Any] = {target.name: np.zeros(len(target.initial), _type(session, target.name))}
    outputs = [session.recorded[0]]
    executor = session.executor
    alone = microseconds(lambda: (executor.advance(1), executor.drain()))
    nothing = microseconds(lambda: session.exchange())
    before = resident()
    first = microseconds(lambda: session.exchange(inputs, 1, outputs))
    for _ in range(exchanges):
        session.exchange(inputs, 1, outputs)
    last = microseconds(lambda: session.exchange(inputs, 1, outputs))
    grown = (resident() - before) / 2**20
    times = f"{alone:8.1f}  {nothing:8.1f}  {first:8.1f}"
    return f"{name:<16} {size:7d}  {times}   {last / first:10.2f}  {grown:6.1f} MiB"


def reading(session: Session, steps: int) -> str:
    """A line about reading what is new, at the start and after many steps."""
    population = session.recorded[0]
    times = []
    for _ in range(steps):
        session.run(1)
        start = time.thread_time()
        session.spikes(population, since=session.step - 1)
        times.append((time.thread_time() - start) * 1e6)
    early, late = (statistics.median(part) for part in (times[:100], times[-100:]))
    return (
        f"reading the spikes of {population} of a step: {early:.1f} us at the start, {late:.1f} us after {steps} steps"
    )


def microseconds(call: Callable[[], Any]) -> float:
    """CPU time of a call: the median of blocks."""
    blocks = []
    for _ in range(BLOCKS):
        start = time.thread_time()
        for _ in range(CALLS):
            call()
        blocks.append((time.thread_time() - start) / CALLS * 1e6)
    return statistics.median(blocks)


def resident() -> int:
    """Bytes of memory of this process, where the machine says."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * 4096


def _type(session: Session, name: str) -> type:
    return int if session.plan.declared[name].type == "int" else float


if __name__ == "__main__":
    main()
