"""What a hundred copies of a network cost, beside one."""

from __future__ import annotations

from typing import Any

import neuroport
from benchmarks import building
from benchmarks.peers.cases import OTHERWISE, OURS, Case, Setting
from benchmarks.peers.measuring import Run, Took, timed
from neuroport.network.network import Network

MANY = 100
STEPS = 20_000
BATCH = "gle_lagline_batch"


def preparation(_: Setting) -> Case:
    """What a further copy costs before its first step."""
    network = neuroport.load("sal_sampling")

    def run() -> Took:
        one, more = _took(network, 1, 1), _took(network, 1 + MANY, 1)
        return Took((more.cpu - one.cpu) / MANY, (more.wall - one.wall) / MANY)

    return Case("copies of sal_sampling, preparation of a further one", "ms", 1e3, {OURS: run}, _nothing, {OURS: 5.0})


def whole(_: Setting) -> Case:
    """What one of many copies costs, preparation included."""
    network = neuroport.load("sal_sampling")

    def run(copies: int) -> Run:
        def work() -> Took:
            took = _took(network, copies, STEPS)
            return Took(took.cpu / copies, took.wall / copies)

        return work

    what = f"{MANY} copies of sal_sampling, {STEPS:,} steps, each (otherwise: one copy)"
    return Case(what, "ms", 1e3, {OURS: run(MANY), OTHERWISE: run(1)}, _nothing, {OTHERWISE: 1.0})


def batch(setting: Setting) -> Case:
    """What a step of one of many copies costs that share what they learn."""
    runs = {OURS: _shared(MANY, setting), OTHERWISE: _shared(1, setting)}
    what = f"{MANY} copies of {BATCH}, which share what they learn, each (otherwise: one copy)"
    return Case(what, "us per step", 1e6, runs, _nothing, {OTHERWISE: 1.0})


def _shared(copies: int, setting: Setting) -> Run:
    session = setting.closing.enter_context(neuroport.open(building.network(f"{copies} x {BATCH}"), keep=False))
    length = 10 * STEPS // copies

    def run() -> Took:
        took = timed(lambda: session.run(length))()
        return Took(took.cpu / length / copies, took.wall / length / copies)

    return run


def _took(network: Network, copies: int, length: int) -> Took:
    return timed(lambda: neuroport.run_copies(network, range(copies), duration=f"{length} steps"))()


def _nothing(_: list[dict[str, Any]]) -> str:
    return "-"
