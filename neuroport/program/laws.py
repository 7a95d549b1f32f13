"""How rows of synapses are drawn: each out of nothing but the number of its presynaptic neuron."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics.draws import Drawn, Source, bernoulli_rows, choose_rows, unsigned


@dataclass(frozen=True)
class Jumps:
    """Every neuron is a target with the same probability. itself: whether a neuron may be its own target."""

    source: Source
    targets: int
    itself: bool
    probability: float

    def numbers(self) -> tuple[NDArray[Any], ...]:
        """All that says which synapses there are."""
        numbers = np.array([self.targets, self.itself])
        return np.array([self.source.stream()], np.uint64), numbers, np.array([self.probability])

    def rows(self, sources: int) -> Iterator[Drawn]:
        """The targets of so many neurons, some neurons at a time."""
        row = 0
        for counts, columns in bernoulli_rows(self.source, self.probability, np.arange(sources), self.targets):
            if self.itself:
                yield counts, columns
            else:
                of = np.repeat(np.arange(row, row + len(counts)), counts)
                other = columns != of
                yield counts - np.bincount(of[~other] - row, minlength=len(counts)), columns[other]
            row += len(counts)


@dataclass(frozen=True)
class Choice:
    """Every neuron has as many targets, drawn without replacement. itself: see Jumps."""

    source: Source
    targets: int
    itself: bool
    degree: int

    def numbers(self) -> tuple[NDArray[Any], ...]:
        """All that says which synapses there are."""
        return np.array([self.source.stream()], np.uint64), np.array([self.targets, self.itself, self.degree])

    @property
    def among(self) -> int:
        """Out of how many they are drawn."""
        return self.targets if self.itself else self.targets - 1

    @property
    def fewest(self) -> int:
        """How many numbers are drawn for a row: of its targets, or of those that are none, where these are fewer."""
        return min(self.degree, self.among - self.degree)

    def rows(self, sources: int) -> Iterator[Drawn]:
        """The targets of so many neurons, some neurons at a time."""
        row = 0
        for chosen in choose_rows(self.source, self.among, self.degree, sources):
            others: NDArray[Any] = chosen
            if not self.itself:
                others = chosen.astype(unsigned(self.targets - 1))
                others += chosen >= np.arange(row, row + len(chosen))[:, None]
            yield np.full(len(chosen), self.degree), others.reshape(-1)
            row += len(chosen)


Law = Jumps | Choice
