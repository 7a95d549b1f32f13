"""Beside programs that compute as Loihi does, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuroport
from benchmarks.peers import networks
from benchmarks.peers.apart import exact
from benchmarks.peers.cases import OURS, Case, Setting, add
from benchmarks.peers.measuring import Run, Took, timed
from neuroport import backends

STEPS = 400
LAVA, LOIHI = "Lava", "brian2-loihi"
PROGRAMS = {LAVA: ("lava_exact.py", "--lava"), LOIHI: ("brian_loihi.py", "--loihi")}


def loihi(size: int, setting: Setting) -> Case:
    """The static network of `size` neurons, always from its start: brian2-loihi loses spikes where a run ends."""
    program = neuroport.compile(networks.balanced(size))
    plain = networks.plain(program, size)
    machine = backends.load("emulator").open(program, 1, ["exc", "inh"])
    start = machine.save()

    def spikes() -> Any:
        machine.advance(STEPS)
        return machine.drain().spikes

    def ours() -> Took:
        machine.load(start)
        took = timed(spikes)()
        return Took(took.cpu, took.wall, networks.spikes(took.result, size))

    what = f"{size:,} neurons, {plain.pre.size:,} synapses, as Loihi computes them, {STEPS} steps from the start"
    case = Case(what, "ms", 1e3, {OURS: ours}, identical, dict.fromkeys(PROGRAMS, 200.0), most=5)
    for name, (text, option) in PROGRAMS.items():

        def made(name: str = name, text: str = text, option: str = option) -> Run:
            return exact(text, plain, setting.python(name, option), setting.folder, STEPS, setting.closing)

        add(case, name, made)
    return case


def identical(found: list[dict[str, Any]]) -> str:
    """Whether everybody has our spikes, in every repeat."""
    first = found[0][OURS]
    told = []
    for name in found[0]:
        same = all(np.array_equal(first, repeat[name]) for repeat in found)
        if name != OURS or not same:
            told.append(f"{name} {'identical' if same else 'DIFFERENT'}, all {len(first):,} spikes")
    return "; ".join(told) or "-"
