"""What is measured on a GPU: building and steps of PyGeNN by hand, of generated models and of the emulator."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import neuroport
from benchmarks.peers import genn, networks
from neuroport import backends
from neuroport.backends.genn.devices import GENN_NAMES
from neuroport.network.network import Network

RECORDED = 1000
Took = dict[str, dict[str, float]]
"""Of each contestant the seconds that building took, the milliseconds of 1,000 steps, and how many spikes came."""


def _measured(make: Callable[[], Callable[[int], int]], steps: int, rounds: int) -> dict[str, float]:
    """Build, compute once what is not counted, then take times by the clock: a GPU's time is not the processor's."""
    started = time.perf_counter()
    advance = make()
    built = time.perf_counter() - started
    advance(steps)
    times, spikes = [], 0
    for _ in range(rounds):
        started = time.perf_counter()
        spikes = advance(steps)
        times.append(time.perf_counter() - started)
    return {"build_s": built, "ms_per_1000": statistics.median(times) / steps * 1e6, "spikes": spikes}


def _ours(
    network: Network, chip: str | None, backend: str, device: str | None, settings: Sequence[str] = ()
) -> Callable[[], Callable[[int], int]]:
    def make() -> Callable[[int], int]:
        program = neuroport.compile(network, chip)
        spiking = [p.name for p in program.populations if p.spiking]
        machine = backends.load(backend, device, genn=settings).open(program, 1, spiking)

        def advance(steps: int) -> int:
            machine.advance(steps)
            return sum(len(found[0]) for found in machine.drain().spikes.values())

        return advance

    return make


def spiking(size: int, learning: bool, device: str, steps: int = RECORDED, rounds: int = 6) -> Took:
    """A network of `size` neurons, static or with pair STDP; all spikes are recorded and taken from the device."""
    network = _network(size, learning)
    chips = {"generated, integers": None, **({"generated, ideal32": "ideal32"} if learning else {})}
    with tempfile.TemporaryDirectory() as folder:

        def by_hand() -> Callable[[int], int]:
            program = neuroport.compile(network)
            if learning:
                return genn.Learning(program, size, folder, GENN_NAMES[device]).run
            made = genn.Spiking(networks.plain(program, size), folder, GENN_NAMES[device])
            return lambda count: len(made.run(count))

        found = {"by hand": _measured(by_hand, steps, rounds)}
        for name, chip in chips.items():
            found[name] = _measured(_ours(network, chip, "genn", device), steps, rounds)
        found["emulator"] = _measured(_ours(network, None, "emulator", None), steps, rounds)
    return found


def _network(size: int, learning: bool) -> Network:
    connected = min(0.02, 400 / size)
    return networks.plastic(size, connected) if learning else networks.balanced(size, connected=connected)


def dealt(size: int, learning: bool, way: str, device: str, steps: int = RECORDED, rounds: int = 6) -> Took:
    """The same network, generated, its spikes dealt out to the threads of a GPU in one way: "post", "pre:T"."""
    ours = _ours(_network(size, learning), None, "genn", device, (f"parallelism={way}",))
    return {"generated, integers": _measured(ours, steps, rounds)}


def copies(name: str, count: int, device: str, steps: int = 2000) -> Took:
    """So many chips of a network, each a run of its own."""
    found = {}
    for what, backend, on in (("generated, integers", "genn", device), ("emulator", "emulator", None)):
        started = time.perf_counter()
        runs = neuroport.run_copies(neuroport.load(name), range(count), backend, duration=f"{steps} steps", device=on)
        took = time.perf_counter() - started
        run = max(r.run_s for r in runs) if backend == "genn" else sum(r.run_s for r in runs)
        found[what] = _told(took - run, run, steps, sum(sum(r.spikes.values()) for r in runs))
    return found


def batch(name: str, count: int, chip: str, device: str, steps: int = 2000) -> Took:
    """A network whose copies share what they learn."""
    found = {}
    for what, backend, on in (("generated, integers", "genn", device), ("emulator", "emulator", None)):
        network = neuroport.load(name, [f"copies={count}"])
        started = time.perf_counter()
        run = neuroport.run(network, backend, chip, duration=f"{steps} steps", device=on)
        took = time.perf_counter() - started
        found[what] = _told(took - run.run_s, run.run_s, steps, sum(run.spikes.values()))
    return found


def _told(build: float, run: float, steps: int, spikes: int) -> dict[str, Any]:
    return {"build_s": build, "ms_per_1000": run / steps * 1e6, "spikes": spikes}
