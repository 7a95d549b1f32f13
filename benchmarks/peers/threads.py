"""A network on two threads of ours, beside itself on one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import neuroport
from benchmarks.peers.cases import OTHERWISE, OURS, STEPS, Case, Setting
from benchmarks.peers.measuring import Run, Took, timed
from neuroport.backends.emulator import Emulator
from neuroport.network.network import Network
from neuroport.program.machine import Program

THREADS = 2


def beside(network: Callable[[], Network], target: float, setting: Setting) -> Case:
    """Two threads in turns with one. Threads wait without a rest, so that those that are not disturbed are busy."""
    program = neuroport.compile(network())
    neurons, synapses = sum(p.size for p in program.populations), sum(p.synapses for p in program.projections)
    what = f"{neurons:,} neurons, {synapses:,} synapses ({program.name}), two threads; otherwise one"
    contestants = {OURS: of_each(_steps(program, THREADS)), OTHERWISE: timed(_steps(program, 1))}
    return Case(what, "ms per 1,000 steps, of each thread", 1e3, contestants, same, {OTHERWISE: target})


def _steps(program: Program, threads: int) -> Callable[[], Any]:
    spiking = [p.name for p in program.populations if p.spiking]
    machine = Emulator(threads=threads).open(program, 1, spiking)

    def steps() -> Any:
        machine.advance(STEPS)
        return machine.drain().spikes

    return steps


def of_each(work: Callable[[], Any]) -> Run:
    """A repeat on several threads: the processor time of each."""
    run = timed(work)

    def shared() -> Took:
        took = run()
        return Took(took.cpu / THREADS, took.wall, took.result)

    return shared


def same(found: list[dict[str, Any]]) -> str:
    """Whether both have the same spikes."""
    pairs = [(f[OURS][name], f[OTHERWISE][name]) for f in found for name in f[OURS]]
    equal = all(np.array_equal(x, y) for a, b in pairs for x, y in zip(a, b, strict=True))
    return f"{'identical' if equal else 'DIFFERENT'}, all {sum(len(a[0]) for a, _ in pairs):,} spikes"
