"""Copies with parameters of their own cost what copies cost that are equal: processor time of 100 of both.

    python benchmarks/own_parameters.py [--copies N] [--repeats N]

Independent copies of `sal_sampling`, with their preparation, and a step of `gle_lagline_batch`, whose copies share what
they learn, on the emulator; the two take turns, and the median of each is told. `again`: other values, of which nothing
is compiled again; how many files the compiler's cache has gained is told.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport

STEPS = 20_000
INDEPENDENT = {"units.slope": (0.99, 1.01), "recurrent.eta_w": (0.049, 0.051), "recurrent.A": (0.99, 1.01)}
SHARING = {"student1.gamma": (0.99, 1), "student2.beta": (0.009, 0.011), "student2.tau_r": (0.1, 0.101)}
"""Close to what the equal copies have, so that as much happens in them."""
UNITS = {"student2.tau_r": "ms"}


def values(names: Mapping[str, tuple[float, float]], copies: int, shift: float) -> dict[str, list[Any]]:
    """A value of each parameter for each copy."""

    def drawn(name: str, k: int) -> Any:
        low, high = names[name]
        number = low + (high - low) * ((k + shift) % copies) / copies
        unit = UNITS.get(name, "")
        return f"{number:g} {unit}" if unit else number

    return {name: [drawn(name, k) for k in range(copies)] for name in names}


def seconds(work: Callable[[], Any]) -> float:
    """The processor time that it takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def independent(copies: int) -> dict[str, Callable[[], float]]:
    """One copy of many, in seconds, from the network to its result."""
    network = neuroport.load("sal_sampling")

    def run(params: dict[str, Any] | None) -> Callable[[], float]:
        given = {"duration": STEPS, "params": params}
        return lambda: seconds(lambda: neuroport.run_copies(network, range(copies), **given)) / copies

    own, again = (values(INDEPENDENT, copies, shift) for shift in (0, 0.5 * copies))
    return {"equal": run(None), "own": run(own), "again": run(again)}


def sharing(copies: int) -> dict[str, Callable[[], float]]:
    """A step of one of many copies that learn together, in seconds."""
    network = neuroport.Network.of(neuroport.load("gle_lagline_batch"))

    def run(own: dict[str, Any]) -> Callable[[], float]:
        changed = network.with_({"copies": {"count": copies, "params": own} if own else copies})
        session = neuroport.open(changed, keep=False)
        return lambda: seconds(lambda: session.run(STEPS // 20)) / (STEPS // 20) / copies

    return {
        "equal": run({}),
        "own": run(values(SHARING, copies, 0)),
        "again": run(values(SHARING, copies, 0.5 * copies)),
    }


def compiled() -> int:
    """How many texts the emulator's compiler has kept."""
    return sum(1 for path in Path(os.environ["NEUROPORT_CACHE"]).rglob("*") if path.is_file())


def main() -> None:
    """Print a row for each kind of copies."""
    parser = argparse.ArgumentParser(description="Copies with parameters of their own beside equal ones.")
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["NEUROPORT_CACHE"] = cache
        for what, runs, unit, scale in (
            (f"a copy of sal_sampling, {STEPS:,} steps", independent(args.copies), "ms", 1e3),
            ("a step of a copy of gle_lagline_batch", sharing(args.copies), "us", 1e6),
        ):
            for name in ("equal", "own"):
                runs[name]()
            before = compiled()
            runs["again"]()
            gained = compiled() - before
            rounds = [{name: run() for name, run in runs.items()} for _ in range(args.repeats)]
            took = {name: [times[name] for times in rounds] for name in runs}
            told = ", ".join(f"{name} {statistics.median(times) * scale:.3g} {unit}" for name, times in took.items())
            print(f"{args.copies} copies, {what}: {told}; files compiled for other values: {gained}")


if __name__ == "__main__":
    main()
