"""Random networks that executors hand on to each other at random steps: how many, how often, and what differed.

As a program (`python -m tests.support.relaying FIRST END FILE`) it runs the networks with these seeds, each in a
process of its own, and adds a line to the file for each; networks that have a line there are not run again. At the end
it prints what all lines come to.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.executors import BACKENDS, drive, start
from tests.support.random_programs import networks
from tests.support.relay import Relay

MACHINES = 2
"""Of each kind: a state goes to another machine, which has a past of its own, as often as back to the same."""
NAMES = tuple(BACKENDS)


def handed_on(seed: int) -> dict[str, Any]:
    """One random network on all executors in turn, beside one that runs alone: what differed, and who handed on."""
    kinds = tuple(BACKENDS.values())
    p = networks([seed])
    refused = [name for name, kind in BACKENDS.items() if kind.check(p)]
    usable = tuple(kind for name, kind in BACKENDS.items() if name not in refused)
    alone, *machines = start(p, kinds[0], *usable * MACHINES, seed=seed)
    relay = Relay(machines, seed)
    found = drive([alone, relay], seed=seed)
    names = [name for name in NAMES if name not in refused]
    pairs = Counter(f"{names[one % len(names)]} to {names[other % len(names)]}" for one, other in relay.all_handed)
    return {"seed": seed, "difference": found, "refused": refused, "stops": len(relay.moments), "pairs": dict(pairs)}


def in_a_process(seed: int, log: Path) -> None:
    """Have one network handed on where the memory of what was compiled ends with it."""
    child = os.fork()
    if child:
        if os.waitpid(child, 0)[1]:
            _add(log, {"seed": seed, "difference": "the process failed", "refused": [], "stops": 0, "pairs": {}})
        return
    try:
        _add(log, handed_on(seed))
        os._exit(0)
    finally:
        os._exit(1)


def _add(log: Path, line: dict[str, Any]) -> None:
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n")


def lines(log: Path) -> Iterator[dict[str, Any]]:
    """What was found, network by network."""
    for line in log.read_text().splitlines() if log.exists() else ():
        yield json.loads(line)


def told(log: Path) -> str:
    """What all lines come to."""
    found, pairs = list(lines(log)), Counter[str]()
    for line in found:
        pairs.update(line["pairs"])
    differ = [line["seed"] for line in found if line["difference"] is not None]
    all_three = sum(not line["refused"] for line in found)
    head = f"{len(found)} networks, {all_three} on all executors, {sum(line['stops'] for line in found)} stops, "
    return head + f"differences: {differ or 0}\n" + "\n".join(f"{pair}: {n}" for pair, n in sorted(pairs.items()))


def main(first: int, end: int, log: Path) -> None:
    done = {line["seed"] for line in lines(log)}
    for seed in range(first, end):
        if seed not in done:
            in_a_process(seed, log)
    print(told(log))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
