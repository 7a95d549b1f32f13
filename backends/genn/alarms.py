"""Values outside their ranges: how many were clipped, and which no rule of the chip allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.genn.homes import Homes
from neuroport.backends.genn.split import Split
from neuroport.errors import RunFailed, located
from neuroport.program.machine import Array
from neuroport.program.places import refusing

Indices = NDArray[np.int64]


class Alarms:
    """What generated code says of values outside the ranges of arrays.

    before: how many there were in every copy, by array, before this executor counted.
    """

    def __init__(self, split: Split, homes: Homes) -> None:
        self._split, self._program = split, split.program
        self._counters, self._failures = homes.arrays("overflow"), homes.arrays("failed")
        self.before: dict[str, Indices] = {}

    def overflows(self) -> dict[str, Indices]:
        """How often, by array and copy."""
        counts = {name: before.copy() for name, before in self.before.items()}
        hidden, copies = self._split.hidden(), self._program.copies
        for held, array in self._counters:
            held.pull_from_device()
            found = held.view.reshape(copies if array.each else 1, -1).sum(axis=1, dtype=np.int64)
            found = found[:1] if array.name in self._split.summed else found
            if found.any() and array.name not in hidden:
                counts.setdefault(array.name, np.zeros(copies, np.int64))[: len(found)] += found
        return counts

    def check(self) -> None:
        """Raise when a value left its range and the chip has no rule for that."""
        found = []
        for held, array in self._failures:
            held.pull_from_device()
            if held.view[0]:
                found.append((int(held.view[0]) - 1, array.name))
        if found:
            raise self._refusal(*min(found, key=lambda failure: failure[0]))

    def silence(self) -> None:
        """Count from nothing."""
        for held, _ in self._counters + self._failures:
            held.view[:] = 0
            held.push_to_device()

    def _refusal(self, step: int, name: str) -> RunFailed:
        array = self._program.arrays[name]
        if array.role == "input" and not self._program.integer:
            text = (
                f"step {step}: the sum for '{name}' reached 2**53, up to which GeNN adds whole numbers exactly; "
                f"give the weights a smaller range, or take another backend"
            )
            return RunFailed(located([array.place], text))
        low, high = bounds_of(array)
        text = (
            f"step {step}: a value for '{name}' lies outside {low}..{high}, and this chip has no rule for that; "
            f"give the variable a larger range"
        )
        return RunFailed(located(refusing(self._program, name), text))


def bounds_of(array: Array) -> tuple[float, float]:
    """The range of an array."""
    return getattr(array.type, "lo", -np.inf), getattr(array.type, "hi", np.inf)
