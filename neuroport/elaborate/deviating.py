"""The numbers of a program that differ from specimen to specimen, and how a specimen makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroport.chips import instance as instances
from neuroport.chips.chip import ChipInstance
from neuroport.program.ir import Numbers
from neuroport.program.machine import Designed


@dataclass(frozen=True, eq=False, slots=True)
class Deviating:
    """An array whose numbers are those that were given, as circuits make them.

    array: its name. kind: of its deviation. circuits: one for each element. given: None of an array of the factors
    themselves. limits: what may be set. counts: of an int, between what it lies on any specimen that the chip's
    description allows.
    """

    array: str
    kind: str
    circuits: NDArray[np.int64]
    given: Numbers | None
    limits: tuple[float, float] | None = None
    counts: tuple[int, int] | None = None

    def outside(self, instance: ChipInstance) -> int:
        """How many counts an edited instance puts beyond what the chip's description allows."""
        if self.counts is None or self.given is None:
            return 0
        numbers = self.given + instances.offset(instance, self.kind, self.circuits)
        return int(((numbers < self.counts[0]) | (numbers > self.counts[1])).sum())

    def on(self, instance: ChipInstance) -> tuple[Numbers, Designed | None]:
        """The numbers on a specimen, and how they came to be. Counts stand at the ends of what is allowed."""
        if self.counts is not None:
            assert self.given is not None
            steps = instances.offset(instance, self.kind, self.circuits)
            return np.clip(self.given + steps, *self.counts), Designed(self.given, self.limits or self.counts, steps)
        factors = instances.factor(instance, self.kind, self.circuits)
        if self.given is None:
            return factors, None
        designed = Designed(self.given, self.limits, factors)
        return designed.made(self.given), designed
