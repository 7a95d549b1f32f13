"""Networks of units that sample, beside what the authors of SAL give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import neuroport
from benchmarks.peers.cases import OTHERWISE, OURS, PROTOTYPE, Case, Setting
from benchmarks.peers.measuring import Run, Took, timed
from neuroport import backends
from neuroport.network.network import Network

PUBLISHED = "published"
MODELS = Path(__file__).parent / "sampling.yaml"
SAMPLING = 1_000_000
LARGE = 256


def few(setting: Setting) -> Case:
    """Seven units, with plasticity and recording of their states."""
    from benchmarks import sampling as own

    run = own.item(setting.closing.enter_context(own.opened("generic8")))
    loop = own.event_wise()
    contestants = {
        OURS: timed(lambda: run(SAMPLING)),
        PROTOTYPE: timed(lambda: loop(SAMPLING)),
        PUBLISHED: _published(0.6e-6, SAMPLING),
    }
    what = "SAL sampling, 7 units, 42 plastic synapses, generic8"
    no = "other random numbers; tests hold ours against an oracle"
    return Case(what, "us per step", 1e6 / SAMPLING, contestants, lambda _: no, {PUBLISHED: 6.0})


def many(_: Setting) -> Case:
    """256 units without plasticity, which send when a PSP begins and when it ends."""
    steps = 10_000
    runs = {OURS: run(by_events(LARGE), steps), OTHERWISE: run(by_steps(LARGE), steps)}
    runs[PUBLISHED] = _published(15e-6, steps)

    def same(found: list[dict[str, Any]]) -> str:
        equal = all(np.array_equal(a, b) for f in found for a, b in zip(f[OURS], f[OTHERWISE], strict=True))
        count = sum(len(f[OURS][0]) for f in found)
        told = "identical" if equal else "DIFFERENT"
        return f"otherwise {told}, all {count:,} spikes; published: other random numbers"

    what = f"SAL sampling, {LARGE} units, nothing learns, generic8 (otherwise: PSPs are sent in every step)"
    return Case(what, "us per step", 1e6 / steps, runs, same, {PUBLISHED: 10.0})


def _published(seconds: float, steps: int) -> Run:
    """So many seconds per step, by the authors' account."""
    return lambda: Took(seconds * steps, seconds * steps)


def run(network: Network, steps: int) -> Run:
    """So many steps of it; its result is the spikes, as steps and neurons."""
    machine = backends.load("emulator").open(neuroport.compile(network), 1, ["units"])

    def work() -> Any:
        machine.advance(steps)
        return machine.drain().spikes["units"]

    return timed(work)


def by_steps(size: int) -> Network:
    """The library's units with the library's PSPs: a synapse sends in every step in which its PSP lasts."""
    net, weights, biases = _begun(size)
    params = {"tau": "50 steps", "isi_min": "51 steps", "psp": "49 steps"}
    net.population("units", size, "sampling_unit", params=params, init={"b": biases})
    _all_to_all(net, "units_units", "rectangle", weights)
    return net.build()


def by_events(size: int) -> Network:
    """The same spikes from the same seed: a weight is added where a PSP begins, and taken away where it ends."""
    net, weights, biases = _begun(size)
    net.population("units", size, "summing_unit", init={"b": biases})
    _all_to_all(net, "on", "static", weights, delay="1 step")
    _all_to_all(net, "off", "static", -weights, delay="50 steps")
    return net.build()


def _begun(size: int) -> tuple[neuroport.Network, Any, list[float]]:
    """A network without parts, symmetric weights with a diagonal of 0, biases that the words of both units hold."""
    draw = np.random.default_rng(9002)
    upper = np.triu(draw.normal(0, 0.2, (size, size)), 1)
    net = neuroport.Network(dt="1 ms", chip="generic8", seed=1, name=f"sampling_{size}")
    net.models(MODELS)
    return net, np.clip(upper + upper.T, -0.9, 0.9), (np.round(draw.normal(0, 0.2, size) * 4096) / 4096).tolist()


def _all_to_all(net: neuroport.Network, name: str, synapse: str, weights: Any, **more: Any) -> None:
    net.project(
        "units", "units", synapse, name=name, connect="all_to_all",
        weight={"rows": "target", "array": weights.tolist()}, ranges={"w": [-0.99, 0.99]}, **more,
    )  # fmt: skip
