"""Back-propagation through a chain of layers whose weights stand with synapses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from neuroport.metrics.metric import Real
from neuroport.metrics.weights import matrix

FULL = 1 / 8
"""The share of all pairs from which on synapses are computed with as a matrix."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Synapses with their weights. pre, post, weights: (synapses,). sizes: of source and target.

    entry: int64 (synapses,), which of `entries` weights is that of each synapse, where they share some.
    """

    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    weights: Real
    sizes: tuple[int, int]
    entry: NDArray[np.int64] | None = None
    entries: int = 0

    @cached_property
    def acting(self) -> Real:
        """The weight of every synapse."""
        return self.weights if self.entry is None else self.weights[self.entry]

    @property
    def full(self) -> bool:
        """Whether there are so many synapses that a matrix is the shorter way."""
        return len(self.pre) >= FULL * self.sizes[0] * self.sizes[1]

    def back(self, error: Real) -> Real:
        """What comes of errors (rows, target) at the source (rows, source)."""
        if self.full:
            return np.asarray(error @ matrix(self.pre, self.post, self.acting, self.sizes).T)
        size = self.sizes[0]
        return np.stack([np.bincount(self.pre, self.acting * one[self.post], size) for one in error])

    def products(self, sent: Real, error: Real) -> Real:
        """For every weight the sum of what its synapses' sources send (rows, source) times errors (rows, target)."""
        if self.full:
            found = (sent.T @ error)[self.pre, self.post]
        else:
            found = np.zeros(len(self.pre))
            for one, other in zip(sent, error, strict=True):
                found += one[self.pre] * other[self.post]
        return self.added(found)

    def added(self, values: Real) -> Real:
        """Values of synapses (synapses, …), added up over those that share a weight."""
        if self.entry is None:
            return values
        sums = np.zeros((self.entries, *values.shape[1:]))
        np.add.at(sums, self.entry, values)
        return sums


def descent(states: Sequence[Real], slopes: Sequence[Real], error: Real, layers: Sequence[Layer]) -> list[Real]:
    """What back-propagation adds to the weights of a chain of layers.

    states: (rows, source) of what each layer's source sends, from the input on. slopes: (rows, source) of all but the
    first: the derivative of a cell's value by its input. error: (rows, target) of the last layer, goal - output.
    """
    found = []
    for number in range(len(layers) - 1, -1, -1):
        found.append(layers[number].products(states[number], error))
        if number:
            error = layers[number].back(error) * slopes[number - 1]
    return found[::-1]
