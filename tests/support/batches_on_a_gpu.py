"""Batches on a GPU, in a process of its own: python -m tests.support.batches_on_a_gpu WHAT DEVICE WORDS...

Prints as JSON what differs between the batch and another executor, or null. WHAT is one of

- random SEED COPIES: a random network whose copies share variables, with random things between its steps
- copies NET CHIP: independent copies, on a specimen each where the chip deviates, with all that a host may do
- own NET STEPS PARAMETER VALUES...: copies with a parameter of their own
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

import neuroport
from neuroport.api.compile import lower, specimen
from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import Genn, batch
from neuroport.backends.reference import Reference
from neuroport.copies.unroll import copy_name, unroll
from neuroport.program.ir import Send
from neuroport.program.machine import Program
from neuroport.program.names import RUN
from tests.support import random_programs
from tests.support.executors import difference, drive, everywhere

SEEDS = (5, 6, 11)


def shuffles(p: Program) -> bool:
    """Whether threads of GeNN's code add up within a warp, which a stand-in for a toolkit need not know."""
    bodies = (body for q in p.projections for body in (q.arrive, q.post_body))
    return any(isinstance(stmt, Send) and stmt.to == "pre" for body in bodies for stmt in body)


def random(device: str, seed: str, copies: str) -> str | None:
    """Drive the first such network that is a batch beside the reference, and hand their states on to each other."""
    number, backend = int(seed), Genn(device=device)
    while shuffles(p := random_programs.batched(number, int(copies))) or backend.check(p) or batch.obstacle(p):
        number += 1
    spiking = [q.name for q in p.populations if q.spiking]
    machines = [Reference().open(p, number, spiking), backend.open(p, number, spiking)]
    found = drive(machines, number, 20)
    states = [machine.save() for machine in machines]
    for machine, state in zip(machines, reversed(states), strict=True):
        machine.load(state)
    return found or difference(machines) or drive(machines, number + 1, 10)


def copies(device: str, name: str, chip: str) -> str | None:
    """Three copies as a batch, and as one program on the emulator."""
    network = neuroport.load(name)
    chosen = [specimen(network, chip, k if "mismatch" in chip else None) for k in range(len(SEEDS))]
    programs = [lower(network, *one) for one in chosen]
    backend = Genn(device=device)
    whole = backend.batched(programs)
    if isinstance(whole, str):
        return whole
    apart, spiking = unroll(programs, SEEDS), [p.name for p in programs[0].populations if p.spiking]
    names = [copy_name(name, k) for name in spiking for k in range(len(SEEDS))]
    machines: list[Any] = [Emulator().open(apart, SEEDS[0], names), backend.open_batch(whole, SEEDS, spiking)]
    machines[0].program = apart
    draw = np.random.default_rng(1)
    for turn in range(12):
        everywhere(machines, "advance", int(draw.integers(1, 20)))
        if found := difference(machines):
            return found
        _disturb(machines, programs[0], draw, turn)
        if found := difference(machines):
            return f"{found} after disturbance {turn}"
    return None


def _disturb(machines: list[Any], p: Program, draw: np.random.Generator, turn: int) -> None:
    """What a host does between steps, with every copy for itself where it can."""
    numbers = range(len(SEEDS))
    match turn % 4:
        case 0:
            for event in dict.fromkeys(event.name for event in p.events):
                everywhere(machines, "trigger", event)
        case 1:
            for array in [a for a in p.arrays.values() if a.owner != RUN and (a.role != "parameter" or a.dynamic)]:
                for k in numbers:
                    if draw.random() < 0.5:
                        there = machines[0].read(copy_name(array.name, k))
                        everywhere(
                            machines, "write", copy_name(array.name, k), np.sort(there, axis=None).reshape(there.shape)
                        )
        case 2:
            for k in numbers:
                everywhere(machines, "reset", copy_name(p.populations[-1].name, k))
        case _:
            states = [machine.save() for machine in machines]
            for machine, state in zip(machines, reversed(states), strict=True):
                machine.load(state)


def own(device: str, name: str, steps: str, parameter: str, *values: str) -> str | None:
    """Copies that differ in one parameter, beside the emulator."""
    of_copies: dict[str, Any] = {
        "params": {parameter: [float(value) for value in values]},
        "duration": f"{steps} steps",
    }

    def outcomes(backend: str, device: str | None) -> list[Any]:
        runs = neuroport.run_copies(neuroport.load(name), SEEDS[0], backend, device=device, **of_copies)
        return [(run.digest, run.spikes, run.overflows) for run in runs]

    expected, found = outcomes("emulator", None), outcomes("genn", device)
    return None if found == expected else f"{expected} and {found}"


if __name__ == "__main__":
    what = {"random": random, "copies": copies, "own": own}[sys.argv[1]]
    print(json.dumps(what(*sys.argv[2:])))
