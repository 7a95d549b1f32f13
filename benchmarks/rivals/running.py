"""One run of the bench: what it reached, where values left their range, what it took."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

import neuroport
from benchmarks.rivals import hosts
from benchmarks.rivals.cases import Case
from benchmarks.rivals.entries import Rule, Setup
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip
from neuroport.chips.mismatch import deviating


def run(rule: Rule, case: Case, chosen: float) -> dict[str, Any]:
    """All that is kept of a run. One whose arithmetic fails is kept with its error; other errors are raised."""
    setup = rule.setups[case.task]
    sets = case.sets(setup, chosen)
    told = {"case": asdict(case), "network": setup.network, "sets": sets}
    started = time.process_time()
    try:
        if setup.host:
            found = hosts.learned(
                setup.host, hosts.options(sets), lambda kinds: chip(setup, case, kinds), case.chip_seed
            )
            return told | found | {"build_s": 0.0, "run_s": time.process_time() - started}
        network = neuroport.load(setup.path, sets)
        with neuroport.open(
            network, chip=chip(setup, case, network.kinds), chip_seed=case.chip_seed, keep=False
        ) as session:
            built = time.process_time()
            with hosts.arithmetic():
                session.run_protocol()
            found = {
                "test": [value for _, value in session.results["test"]],
                "updates": [value for _, value in session.results.get("updates", [])],
                **hosts.left(session),
            }
    except hosts.Failed as error:
        return told | {"error": str(error)}
    return told | found | {"build_s": built - started, "run_s": time.process_time() - built}


def chip(setup: Setup, case: Case, kinds: tuple[str, ...]) -> Chip:
    """The chip of a case."""
    made = chips.load(setup.chip(case.chip))
    if case.bits is not None:
        words = ((name, replace(rule, bits=case.bits) if name == "weight" else rule) for name, rule in made.words)
        made = replace(made, name=f"{made.name}_w{case.bits}", words=tuple(words))
    return deviating(made, kinds, [f"weight={case.mismatch}%"]) if case.mismatch else made
