"""What a sweep costs above a plain loop: runs of `sal_pair` of one second, in two processes and in a loop of one.

    python benchmarks/sweep.py [--runs N] [--workers N] [--repeats N] [--of seeds|specimens|settings]

`seeds`: one chip, a run for each seed; `specimens`: a run for each specimen of a chip that deviates; `settings`: a run
for each value of a parameter. Milliseconds of a processor for each run, the least of the repeats, of all processes
together and with what begins and ends them: `loop` calls neuroport.run for each, with the network read once (for each,
of settings); `shared` is the least that is possible, a loop that makes the program once and opens a session for each
seed; `sweep` is neuroport.sweep. Of loops at most 200 runs are measured. The last column is the sweep less the loop.
All of it was compiled before.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.api import run as api

NAME, SPAN = "sal_pair", "1 s"
CHIP, DEVIATING = "generic8", "generic8_mismatch10"
ETA = "recurrent.eta_s"
MOST = 200
"""Runs of a loop that are measured."""
WHAT = ("seeds", "specimens", "settings")


def processor() -> float:
    """Seconds of a processor that this process and those that it has ended took."""
    whole = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in whole)


def least(work: Callable[[], object], runs: int, repeats: int) -> float:
    """Milliseconds of a processor for each run."""
    found = []
    for _ in range(repeats):
        before = processor()
        work()
        found.append(processor() - before)
    return min(found) / runs * 1000


def values(runs: int) -> list[float]:
    """Values of a setting."""
    return [0.05 * k / runs for k in range(runs)]


def loop(what: str, runs: int) -> None:
    """A plain loop."""
    network = neuroport.load(NAME)
    for k in range(runs):
        match what:
            case "seeds":
                neuroport.run(network, chip=CHIP, seed=k, duration=SPAN)
            case "specimens":
                neuroport.run(network, chip=DEVIATING, chip_seed=k, duration=SPAN)
            case _:
                other = neuroport.load(NAME, [f"{ETA}={values(runs)[k]}"])
                neuroport.run(other, chip=CHIP, duration=SPAN)


def shared(runs: int) -> None:
    """A loop that makes the program once."""
    ready = api.prepare(api.to_run(neuroport.load(NAME), SPAN), "emulator", CHIP)
    for seed in range(runs):
        with ready.session(seed, None, False, False) as session:
            api.done(session, 0.0, None, None)


def sweep(what: str, runs: int, workers: int) -> None:
    """A sweep into a folder."""
    grids = {
        "seeds": {"chip": CHIP, "seed": range(runs)},
        "specimens": {"chip": DEVIATING, "chip_seed": range(runs)},
        "settings": {"chip": CHIP, ETA: values(runs)},
    }
    with tempfile.TemporaryDirectory() as folder:
        table = neuroport.sweep(neuroport.load(NAME), grids[what], folder, duration=SPAN, workers=workers)
    assert table.statuses == {"done": runs}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="What a sweep costs above a plain loop.")
    parser.add_argument("--of", choices=WHAT)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    for chip in (CHIP, DEVIATING):
        neuroport.run(neuroport.load(NAME), chip=chip, duration=SPAN)
    print(f"{given.runs:,} runs of {SPAN} of {NAME}, {given.workers} workers: ms of a processor for each run")
    print("             loop   shared    sweep   sweep - loop")
    for what in [given.of] if given.of else WHAT:
        some = min(given.runs, MOST)
        plain = least(lambda what=what, some=some: loop(what, some), some, given.repeats)
        once = least(lambda some=some: shared(some), some, given.repeats) if what == "seeds" else None
        swept = least(lambda what=what: sweep(what, given.runs, given.workers), given.runs, given.repeats)
        between = f"{once:9.1f}" if once is not None else " " * 8 + "-"
        print(f"{what:10} {plain:6.1f} {between}{swept:9.1f} {swept - plain:14.1f}")


if __name__ == "__main__":
    main()
