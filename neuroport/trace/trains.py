"""How far two sets of spike trains are apart, taken piece by piece, with memory for one piece.

van Rossum's distance      D^2 = 1/tau * integral (f - g)^2 dt, where f and g are the trains convolved with
                           exp(-t / tau) for t >= 0. It is 1/2 for one spike more, and 1 for one that is moved by much
                           more than tau. M. C. W. van Rossum, Neural Computation 13 (2001) 751.
coincidence factor         (coincidences - expected) / ((spikes + spikes') / 2) / (1 - nu W): 1 for equal trains, 0 for
                           as many coincidences as a Poisson train of the second's rate nu has by chance, expected =
                           nu W spikes. W. M. Kistler, W. Gerstner, J. L. van Hemmen, Neural Computation 9 (1997) 1015.
                           Two spikes coincide when they are at most `within` steps apart, each with one other only; on
                           a grid of steps W, there 2 within, is 2 within + 1 steps.

Both are means over neurons, those that are silent in both runs left out of the factor, for which it has no meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Train = tuple[Ints, Ints]
"""Steps and neurons of spikes, in any order."""

TAU, WITHIN = 10.0, 2.0
"""ms: van Rossum's time constant, and how far spikes that coincide are apart."""


@dataclass(frozen=True, slots=True)
class Other:
    """The first spike that only one of two runs has; `run`: 0 for the first of them, 1 for the second."""

    step: int
    neuron: int
    run: int


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the spikes of a population are apart in two runs. Pairs: of the first, of the second.

    `equal`: spikes of the same neuron in the same step in both. `rates`: mean rate per neuron in Hz.
    `rate_difference`: the mean over neurons of how far their rates are apart, in Hz. `van_rossum`: D^2.
    `coincidence`: None where no neuron spikes, or all spike too often for it to mean something.
    """

    population: str
    spikes: tuple[int, int]
    equal: int
    first: Other | None
    rates: tuple[float, float]
    rate_difference: float
    van_rossum: float
    coincidence: float | None


class Trains:
    """Takes the spikes of a population in two runs, and says how far they are apart; `tau` and `within` in steps."""

    def __init__(self, population: str, neurons: int, tau: float, within: int) -> None:
        self.population, self.neurons = population, neurons
        self._counts = np.zeros((2, neurons), np.int64)
        self._equal = 0
        self._first: Other | None = None
        self._rossum, self._coincidences = _Rossum(neurons, tau), _Coincidences(neurons, within)

    def take(self, a: Train, b: Train, end: int) -> None:
        """Take the spikes of both since the last piece, complete up to but without step `end`."""
        for counts, (_, neurons) in zip(self._counts, (a, b), strict=True):
            counts += np.bincount(neurons, minlength=self.neurons)
        only = self._only_in_one(a, b)
        self._rossum.take(*only)
        self._coincidences.take(a, b, end)

    def distance(self, steps: int, dt: float) -> Distance:
        """How far they are apart after `steps` steps of `dt` ms."""
        seconds = steps * dt / 1000
        each = self._counts / seconds if seconds else np.zeros(self._counts.shape)
        rates = [float(rate.mean()) if self.neurons else 0.0 for rate in each]
        spikes = self._counts.sum(axis=1).tolist()
        return Distance(
            self.population,
            (spikes[0], spikes[1]),
            self._equal,
            self._first,
            (rates[0], rates[1]),
            float(np.abs(each[0] - each[1]).mean()) if self.neurons else 0.0,
            float(self._rossum.squares.mean()) if self.neurons else 0.0,
            self._coincidences.factor(self._counts, steps),
        )

    def _only_in_one(self, a: Train, b: Train) -> tuple[Ints, Ints, NDArray[np.float64]]:
        """Steps, neurons and signs (1 of the first, -1 of the second) of the spikes that only one of the runs has."""
        ours, theirs = (steps * self.neurons + neurons for steps, neurons in (a, b))
        there, at = np.unique(np.concatenate([ours, theirs]), return_inverse=True)
        more = np.bincount(at[: len(ours)], minlength=len(there)) - np.bincount(at[len(ours) :], minlength=len(there))
        missing, added = np.repeat(there, np.maximum(more, 0)), np.repeat(there, np.maximum(-more, 0))
        self._equal += len(ours) - len(missing)
        places = np.concatenate([missing, added])
        steps, neurons = np.divmod(places, max(self.neurons, 1))
        if self._first is None and len(places):
            k = int(np.argmin(places))
            self._first = Other(int(steps[k]), int(neurons[k]), int(k >= len(missing)))
        return steps, neurons, np.repeat([1.0, -1.0], [len(missing), len(added)])


class _Rossum:
    """Per neuron f - g at its last spike, and what it adds up to; only spikes that one of the runs has move it."""

    def __init__(self, neurons: int, tau: float) -> None:
        self.squares = np.zeros(neurons)
        self._tau, self._value, self._step = tau, np.zeros(neurons), np.zeros(neurons, np.int64)

    def take(self, steps: Ints, neurons: Ints, signs: NDArray[np.float64]) -> None:
        """Take spikes: 1/tau times the integral of a decaying h^2 from one spike to the next is (h^2 - h'^2) / 2."""
        for now in _in_turn(steps, neurons):
            cells, at, sign = neurons[now], steps[now], signs[now]
            before = self._value[cells] * np.exp((self._step[cells] - at) / self._tau)
            self.squares[cells] += sign * before + sign * sign / 2
            self._value[cells], self._step[cells] = before + sign, at


def _in_turn(steps: Ints, neurons: Ints) -> list[Ints]:
    """Indices of the first spike of each neuron, of the second of each, and so on."""
    order = np.lexsort((steps, neurons))
    _, first, counts = np.unique(neurons[order], return_index=True, return_counts=True)
    turn = np.arange(len(order)) - np.repeat(first, counts)
    by_turn = np.argsort(turn, kind="stable")
    return np.split(order[by_turn], np.cumsum(np.bincount(turn))[:-1]) if len(order) else []


class _Coincidences:
    """Per neuron the pairs of spikes at most `within` steps apart, the earliest first, each spike in one pair only."""

    def __init__(self, neurons: int, within: int) -> None:
        self.within, self._counts = within, np.zeros(neurons, np.int64)
        none = np.zeros(0, np.int64)
        self._left: list[Train] = [(none, none), (none, none)]

    def take(self, a: Train, b: Train, end: int) -> None:
        """Take spikes; those that later ones could still coincide with are kept."""
        queues = [_Queues(_joined(left, new), len(self._counts)) for left, new in zip(self._left, (a, b), strict=True)]
        ours, theirs = queues
        while len(cells := np.flatnonzero(ours.waiting & theirs.waiting)):
            ahead = ours.next(cells) - theirs.next(cells)
            self._counts[cells] += np.abs(ahead) <= self.within
            ours.drop(cells[ahead <= self.within])
            theirs.drop(cells[ahead >= -self.within])
        self._left = [queue.since(end - self.within) for queue in queues]

    def factor(self, spikes: Ints, steps: int) -> float | None:
        """The mean over neurons that spike."""
        window, steps = 2.0 * self.within + 1, max(steps, 1)
        meaningful = (spikes.sum(axis=0) > 0) & (spikes[1] * window < steps)
        if not meaningful.any():
            return None
        (ours, theirs), found = spikes[:, meaningful], self._counts[meaningful]
        covered = theirs * window  # in steps, so that equal trains make exactly 1
        return float(np.mean((found * float(steps) - covered * ours) * 2 / ((ours + theirs) * (steps - covered))))


class _Queues:
    """The spikes of each neuron, the earliest first."""

    def __init__(self, spikes: Train, neurons: int) -> None:
        steps, cells = spikes
        order = np.lexsort((steps, cells))
        self._steps, self._cells = steps[order], cells[order]
        counts = np.bincount(cells, minlength=neurons)
        self._end = np.cumsum(counts)
        self._at = self._end - counts

    @property
    def waiting(self) -> NDArray[np.bool_]:
        """Which neurons have spikes left."""
        return self._at < self._end

    def next(self, cells: Ints) -> Ints:
        """The steps of the next spikes of these neurons."""
        steps: Ints = self._steps[self._at[cells]]
        return steps

    def drop(self, cells: Ints) -> None:
        """Go on to the spike after the next of these neurons."""
        self._at[cells] += 1

    def since(self, step: int) -> Train:
        """What is left, but for spikes before that step."""
        left = (np.arange(len(self._steps)) >= self._at[self._cells]) & (self._steps >= step)
        return self._steps[left], self._cells[left]


def _joined(a: Train, b: Train) -> Train:
    return np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])
