"""What a network costs of which few neurons or none spike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport
from benchmarks.peers import networks
from benchmarks.peers.cases import OTHERWISE, OURS, STEPS, Case, Setting
from benchmarks.peers.measuring import Run, timed
from neuroport import backends
from neuroport.network.network import Network

DRIVEN = {4_000: 9, 20_000: 12}
"""How many of the neurons are driven, by size, so that all spike once in ten seconds on average."""


def seldom(size: int, _: Setting) -> Case:
    """A network that hardly spikes, and the same that does: nothing but the neurons' biases differs."""
    driven = np.full(size, networks.BIAS[size])
    few = np.where(np.isin(np.arange(size), _some(size)), driven, 0)
    runs = {name: _run(networks.balanced(size, biases=b)) for name, b in ((OURS, few), (OTHERWISE, driven))}

    def same(found: list[dict[str, Any]]) -> str:
        seconds = len(found) * STEPS / 1000
        rates = {name: sum(_spikes(f[name]) for f in found) / size / seconds for name in runs}
        return f"ours {rates[OURS]:.2g} spikes per second, otherwise {rates[OTHERWISE]:.2g}"

    what = f"{size:,} neurons, a spike in ten seconds (otherwise: as the rows above)"
    return Case(what, "ms per 1,000 steps", 1e3, runs, same, {OTHERWISE: 1.0})


def rest(kind: str, _: Setting) -> Case:
    """A network in which nothing spikes, and one with a quarter of its synapses, whose sums are as wide."""
    made = {"static": _still, "pair STDP": lambda connected: networks.plastic(4_000, connected, rests=True)}[kind]
    runs = {OURS: _run(made(0.02)), OTHERWISE: _run(made(0.005))}

    def same(found: list[dict[str, Any]]) -> str:
        count = sum(_spikes(result) for f in found for result in f.values())
        return f"{count} spikes"

    what = f"4,000 neurons at rest, {kind} (otherwise: with a quarter of the synapses)"
    return Case(what, "ms per 1,000 steps", 1e3, runs, same, {OTHERWISE: 0.95})


def _still(connected: float) -> Network:
    return networks.balanced(4_000, biases=np.zeros(4_000, np.int64), connected=connected)


def _some(size: int) -> NDArray[np.int64]:
    return np.random.default_rng(2).choice(size, DRIVEN[size], replace=False)


def _run(network: Network) -> Run:
    machine = backends.load("emulator").open(neuroport.compile(network), 1, ["exc", "inh"])

    def work() -> Any:
        machine.advance(STEPS)
        return machine.drain().spikes

    return timed(work)


def _spikes(captured: Any) -> int:
    return sum(len(steps) for steps, _ in captured.values())
