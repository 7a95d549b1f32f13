"""How much a network makes of rounding: a second run whose last bits are flipped, beside the first.

A network that learns or is chaotic lets the last place grow, so executors that round differently part. How far they may
part is told by the network itself: FACTOR times as far as a run parts from an equal one in which the last bit of every
state and weight was flipped once. Whole numbers stay as they are: they are counted or switched, not rounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.machine import Program
from neuroport.session.session import Session

FACTOR = 100.0
"""Executors round in every step and differently, the flipped run once."""

VISIBLE = 1e-3
"""What flipped bits move by more than this, relative to the scale of an array, cannot be compared any more."""

ROLES = ("state", "weight")


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """A difference between executors of real numbers beside what the network makes of its last bits.

    Array `name` differs by `difference` of its scale after `step`; on `executor`, last bits flipped after step
    `flipped` move it by `moved` of its scale until then (both None for what is no array, such as a spike). Arrays in
    `lost` were not compared to the end, for the flipped bits changed them visibly; `until` is the number of steps after
    which nothing was compared, as they changed spikes, counts, or most arrays, and None where that was not so.
    """

    step: int
    name: str
    difference: float | None
    moved: float | None
    executor: str
    flipped: int
    lost: tuple[str, ...] = ()
    until: int | None = None

    def __str__(self) -> str:
        moves = f"flipping the last bits of states and weights after step {self.flipped} moves"
        if self.difference is None or self.moved is None:
            text = f"'{self.name}' differs after step {self.step}"
        else:
            text = f"'{self.name}' differs by {self.difference:.1e} of its scale after step {self.step}; {moves} it by "
            text += f"{self.moved:.1e} on {self.executor}"
        if self.until is not None:
            return (
                f"{text}; not compared after {self.until:,} steps, for that changes {self.executor} visibly from there"
            )
        if self.lost:
            return f"{text}; not compared to the end, for that changes them visibly: {', '.join(self.lost)}"
        return text


@dataclass(slots=True)
class Shadow:
    """A session with flipped bits that runs beside an equal one, and how far arrays are moved by them so far."""

    program: Program
    base: Session
    other: Session
    flipped: int | None = None
    moved: dict[str, float] = field(default_factory=dict)
    lost: dict[str, None] = field(default_factory=dict)

    def compare(self, scale: dict[str, float]) -> bool:
        """Take notice of a piece that both have computed; false where the flipped bits have changed it visibly."""
        if self.flipped is None:
            self._flip()
            return True
        if not _same_counts(self.base, self.other):
            return False
        theirs = self.other.final()
        for name, values in self.base.final().items():
            self._see(name, values, theirs[name], scale)
        return 2 * len(self.lost) <= len([by for by in self.moved.values() if by])

    def allowed(self, name: str) -> float:
        """How far executors may differ in an array."""
        return math.inf if name in self.lost else FACTOR * self.moved.get(name, 0.0)

    def _see(self, name: str, ours: NDArray[Any], theirs: NDArray[Any], scale: dict[str, float]) -> None:
        if np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f"):
            return
        with np.errstate(invalid="ignore"):
            by = np.abs(ours.astype(np.float64) - theirs)
        self.moved[name] = max(self.moved.get(name, 0.0), float(by[np.isfinite(by)].max(initial=0.0)))
        if ours.dtype.kind != "f" or np.isnan(by).any() or self.moved[name] > VISIBLE * scale.get(name, 0.0):
            self.lost[name] = None

    def _flip(self) -> None:
        """Flip the last bits of all numbers that are not whole; try again later if there are none."""
        for name, array in self.program.arrays.items():
            values = self.other.executor.read(name) if array.role in ROLES else np.zeros(0)
            single = self.program.precision == "float32" and not array.wide
            changed = flipped(values, np.float32 if single else np.float64)
            if not np.array_equal(changed, values, equal_nan=values.dtype.kind == "f"):
                self.other.executor.write(name, changed)
                self.flipped = self.other.step - 1


def flipped(values: NDArray[Any], precision: type[np.floating[Any]]) -> NDArray[Any]:
    """The values with the last bit of each that is finite and not whole flipped; integers as they are."""
    if values.dtype.kind != "f":
        return values
    exact = values.astype(precision)
    whole = np.int32 if precision is np.float32 else np.int64
    changed = np.bitwise_xor(exact.view(whole), whole(1)).view(precision)
    inexact = np.isfinite(exact) & (exact != np.rint(exact))
    return np.where(inexact, changed, exact).astype(values.dtype)


def _same_counts(ours: Session, theirs: Session) -> bool:
    """Whether two sessions had the same spikes in the last piece, and have the same counts."""
    if ours.spike_counts() != theirs.spike_counts():
        return False
    for name, (steps, neurons) in ours.latest.spikes.items():
        if not all(np.array_equal(a, b) for a, b in zip((steps, neurons), theirs.latest.spikes[name], strict=True)):
            return False
    names = [readout.name for readout in ours.program.readouts]
    return all(np.array_equal(ours.executor.histogram(n), theirs.executor.histogram(n)) for n in names)
