"""The executors that are installed, and machines of several that are compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import Genn
from neuroport.backends.reference import Reference
from neuroport.program.machine import Program

BACKENDS: dict[str, Any] = {"reference": Reference(checked=True), "emulator": Emulator(), "genn": Genn()}
EXECUTORS = [
    pytest.param(name, marks=pytest.mark.skipif(backend.missing() is not None, reason=f"{backend.missing()}"))
    for name, backend in BACKENDS.items()
]


def usual(*rows: tuple[str, int, int]) -> list[Any]:
    """Parameters that begin with the name of an executor, skipped where it is missing."""
    marks = {str(p.values[0]): p.marks for p in EXECUTORS}
    return [pytest.param(*row, marks=marks[row[0]]) for row in rows]


GENN = Genn()
BOTH = (Reference(), GENN)
MISSING = GENN.missing()
needs_genn = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


def start(p: Program, seed: int = 1, backends: Any = BOTH) -> list[Any]:
    """The program on several executors, all spikes recorded."""
    assert GENN.check(p) == ()
    return [b.open(p, seed, [q.name for q in p.populations if q.spiking]) for b in backends]


def difference(machines: list[Any], tolerance: float = 0.0) -> str | None:
    """What the first machine and the others do not agree on."""
    first, *others = machines
    capture = first.drain()
    for other in others:
        theirs = other.drain()
        for name in first.program.arrays:
            if not np.allclose(first.read(name), other.read(name), tolerance, tolerance):
                return f"{first.step}: {name}"
        for mine, found in ((capture.spikes, theirs.spikes), (capture.records, theirs.records)):
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


def everywhere(machines: list[Any], action: str, *arguments: Any) -> None:
    for machine in machines:
        getattr(machine, action)(*arguments)
