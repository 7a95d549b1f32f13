"""The executors, the oracle that each is held against, and machines of one program that are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import Genn
from neuroport.backends.reference import Reference
from neuroport.program.executor import Executor
from neuroport.program.machine import Program
from neuroport.program.names import RUN
from tests.support.oracle import Literal
from tests.support.random_programs import batched

BACKENDS: dict[str, Any] = {"reference": Reference(checked=True), "emulator": Emulator(), "genn": Genn()}
GENN = Genn()


def needs_genn(test: Any) -> Any:
    """Skip a test where GeNN is not installed; where it is, the test is dear."""
    return pytest.mark.dear(pytest.mark.skipif(GENN.missing() is not None, reason=str(GENN.missing()))(test))


def start(p: Program, *backends: Any, seed: int = 1) -> list[Any]:
    """A machine of a program for each backend, which must accept it, that keeps all spikes."""
    for backend in backends:
        assert backend.check(p) == ()
    return [b.open(p, seed, [q.name for q in p.populations if q.spiking]) for b in backends]


def beside_the_oracle(backend: Any, p: Program, seed: int = 1) -> list[Any]:
    """The oracle and a backend's machine of one program."""
    return start(p, Literal(), backend, seed=seed)


def beside_the_reference(p: Program, seed: int = 1) -> list[Any]:
    """The reference's and GeNN's machine of one program."""
    return start(p, Reference(), GENN, seed=seed)


def computes_as_the_reference(backend: Any, p: Program, steps: int, names: tuple[str, ...]) -> None:
    """After so many steps a backend has the reference's values in these arrays, and its counts of overflows."""
    right, found = start(p, Reference(), backend, seed=5)
    for machine in (right, found):
        machine.advance(steps)
    assert found.overflows() == right.overflows()
    for name in names:
        np.testing.assert_array_equal(
            found.read(name), right.read(name), err_msg=f"{name}, sizes {[q.size for q in p.populations]}"
        )


def executable(first: int) -> Program:
    """A random network with twins whose synapses read the past of a source as far back as GeNN has it."""
    while True:
        p = batched(first, 3)
        if any(q.twin is not None for q in p.projections) and not GENN.check(p):
            return p
        first += 1


def everywhere(machines: list[Any], action: str, *arguments: Any) -> None:
    for machine in machines:
        getattr(machine, action)(*arguments)


def spikes_of(machine: Executor) -> dict[str, list[tuple[int, int]]]:
    """The spikes recorded since the last call, as (step, neuron)."""
    return {name: list(zip(*(a.tolist() for a in both), strict=True)) for name, both in machine.drain().spikes.items()}


def difference(machines: list[Any], tolerance: float = 0.0) -> str | None:
    """What the first machine and the others do not agree on."""
    first, *others = machines
    capture = first.drain()
    for other in others:
        theirs = other.drain()
        for name in (array.name for array in first.program.arrays.values() if not array.scratch):
            ours, its = first.read(name), other.read(name)
            if ours.shape != its.shape or not np.allclose(ours, its, tolerance, tolerance):
                return f"{first.step}: {name}"
        for mine, found in ((capture.spikes, theirs.spikes), (capture.records, theirs.records)):
            if mine.keys() != found.keys():
                return f"{first.step}: what is recorded"
            for name in mine:
                for ours, its in zip(mine[name], found[name], strict=True):
                    if ours.shape != its.shape or not np.allclose(ours, its, tolerance, tolerance):
                        return f"{first.step}: spikes or records of {name}"
        if first.overflows() != other.overflows() or first.spike_counts() != other.spike_counts():
            return f"{first.step}: counts"
        for readout in first.program.readouts:
            if not np.array_equal(first.histogram(readout.name), other.histogram(readout.name)):
                return f"{first.step}: {readout.name}"
    return None


def drive(machines: list[Any], seed: int, actions: int = 40, tolerance: float = 0.0) -> str | None:
    """Do the same random things with machines of one program; what the first and the others do not agree on then.

    Between runs of 0 to 9 steps: events, resets, items with readouts and schedules, values written, tables replaced.
    """
    draw = np.random.default_rng(seed)
    for _ in range(actions):
        everywhere(machines, "advance", int(draw.integers(10)))
        if found := difference(machines, tolerance):
            return found
        action, arguments = _between_steps(machines[0], draw)
        everywhere(machines, action, *arguments)
        if found := difference(machines, tolerance):
            return f"{found} after {action} {arguments}"
    return None


def _between_steps(machine: Any, draw: np.random.Generator) -> tuple[str, tuple[Any, ...]]:
    """Something that a session may ask of a machine between steps."""
    p: Program = machine.program
    objects = {
        "begin_item": [p.name],
        "clear_histogram": [r.name for r in p.readouts],
        "load_series": [s.name for s in p.series],
        "reset": [q.name for q in p.populations],
        "trigger": [e.name for e in p.events],
        "write": [a.name for a in p.arrays.values() if a.owner != RUN and (a.role != "parameter" or a.dynamic)],
    }
    action = str(draw.choice([action for action, names in objects.items() if names]))
    name = str(draw.choice(objects[action]))
    match action:
        case "begin_item":
            readouts = [r.name for r in p.readouts] + [r.name for r in p.records if r.readout]
            return action, ([name for name in readouts if draw.random() < 0.7], _schedules(p, draw))
        case "write":
            values = machine.read(name)
            return action, (name, draw.permutation(values) if values.ndim else values)
        case "load_series":
            return action, (name, draw.permutation(next(s.table for s in p.series if s.name == name)))
        case _:
            return action, (name,)


def _schedules(p: Program, draw: np.random.Generator) -> dict[str, Any]:
    """Patterns for the series that show some in an item, in some items others for each copy."""
    shown = {}
    for s in p.series:
        if s.order == "item":
            shape = (5, p.copies) if p.copies > 1 and draw.random() < 0.5 else 5
            shown[s.name] = draw.integers(0, len(s.table) // s.frames, shape)
    return shown
