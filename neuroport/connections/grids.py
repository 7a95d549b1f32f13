"""Two populations as grids on the same area: where the neurons of one lie as seen from a neuron of the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of both grids: `sources` and `targets` neurons on the same length, which is `sources` long.

    The place of a target as seen from a source is the number of places between it and the target that is nearest to the
    source. `first` .. `last` are those that can be within reach.
    """

    sources: int
    targets: int
    periodic: bool
    first: int
    last: int

    @classmethod
    def within(cls, sources: int, targets: int, periodic: bool, reach: float) -> Axis:
        """The axis, with the places within reach."""
        low, high = ((targets - 1) // 2, targets // 2) if periodic else (targets - 1, targets - 1)
        apart = sources / targets
        most = int(min(float(targets), (reach + apart) / apart))
        return cls(sources, targets, periodic, -min(low, most), min(high, most))

    @property
    def apart(self) -> float:
        """The distance between targets."""
        return self.sources / self.targets

    def nearest(self, source: Integers) -> Integers:
        """The target in whose cell a source lies."""
        return (2 * source + 1) * self.targets // (2 * self.sources)

    def least(self) -> Floats:
        """A lower bound of the distance for each place, exact where there are as many targets as sources."""
        sources = np.arange(self.sources, dtype=np.int64)
        beside = float(np.max(np.abs(self._from(sources, self.nearest(sources)))))
        return np.maximum(0.0, np.abs(np.arange(self.first, self.last + 1)) * self.apart - beside)

    def target(self, source: Integers, place: Integers) -> tuple[Integers, NDArray[np.bool_]]:
        """Which target is at a place, and whether there is one."""
        target = self.nearest(source) + place
        if self.periodic:
            return target % self.targets, np.ones(target.shape, np.bool_)
        return target, (target >= 0) & (target < self.targets)

    def distance(self, source: Integers, target: Integers) -> Floats:
        """How far a target is from a source."""
        straight = np.abs(self._from(source, target))
        return np.minimum(straight, self.sources - straight) if self.periodic else straight

    def _from(self, source: Integers, target: Integers) -> Floats:
        return (target + 0.5) * self.apart - (source + 0.5)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The directions of both grids; neurons are numbered with the last direction first."""

    axes: tuple[Axis, ...]

    @property
    def places(self) -> tuple[int, ...]:
        """How many places there are within reach, per direction."""
        return tuple(axis.last - axis.first + 1 for axis in self.axes)

    @property
    def alike(self) -> bool:
        """Whether both grids have the same shape, so that places have one distance each."""
        return all(axis.sources == axis.targets for axis in self.axes)

    def least(self) -> Floats:
        """A lower bound of the distance for each place, in the order of their numbers."""
        squares = np.zeros((1,) * len(self.axes))
        for direction, axis in enumerate(self.axes):
            shape = [1] * len(self.axes)
            shape[direction] = -1
            squares = squares + np.square(axis.least()).reshape(shape)
        return np.asarray(np.sqrt(squares.reshape(-1)))

    def targets(self, source: Integers, place: Integers) -> tuple[Integers, NDArray[np.bool_]]:
        """Which target is at the place of a number, as seen from a source, and whether there is one."""
        there, number = np.ones(source.shape, np.bool_), np.zeros(source.shape, np.int64)
        for axis, own, step in zip(self.axes, self._own(source), np.unravel_index(place, self.places), strict=True):
            target, inside = axis.target(own, step + axis.first)
            there &= inside
            number = number * axis.targets + target
        return number, there

    def distance(self, source: Integers, target: Integers) -> Floats:
        """How far targets are from sources."""
        others = np.unravel_index(target, tuple(axis.targets for axis in self.axes))
        squares = np.zeros(source.shape)
        for axis, own, other in zip(self.axes, self._own(source), others, strict=True):
            squares += np.square(axis.distance(own, other))
        return np.asarray(np.sqrt(squares))

    def _own(self, source: Integers) -> tuple[Integers, ...]:
        return tuple(np.unravel_index(source, tuple(axis.sources for axis in self.axes)))
