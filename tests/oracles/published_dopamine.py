"""STDP gated by dopamine (Izhikevich 2007) in NumPy, with matrices instead of synapses."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

EXC, INH = 200, 50
CELLS = EXC + INH


@dataclass
class Network:
    """Which excitatory cells lead to which cells, (from, to), and which inhibitory ones to which excitatory ones.

    The watched synapse, from excitatory cell 0 to 1, is one more.
    """

    plastic: Values
    inhibitory: Values


def drawn(rng: np.random.Generator) -> Network:
    """A network of one's own: 20 excitatory sources of every cell, 6 inhibitory ones of every excitatory cell."""
    plastic, inhibitory = np.zeros((EXC, CELLS)), np.zeros((INH, EXC))
    for cell in range(CELLS):
        others = np.delete(np.arange(EXC), cell) if cell < EXC else np.arange(EXC)
        plastic[rng.choice(others, 20, replace=False), cell] = 1
    for cell in range(EXC):
        inhibitory[rng.choice(INH, 6, replace=False), cell] = 1
    return Network(plastic, inhibitory)


class Run:
    """A network in time, in the order of the program that comes with the paper."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.a, self.d = np.repeat([0.02, 0.1], [EXC, INH]), np.repeat([8.0, 2.0], [EXC, INH])
        self.v, self.u = np.full(CELLS, -65.0), np.full(CELLS, -13.0)
        self.fired, self.trace = np.zeros(CELLS, bool), np.zeros(CELLS)
        self.s, self.c = network.plastic.copy(), np.zeros((EXC, CELLS))
        self.watched, self.watched_c = 0.0, 0.0
        self.dopamine, self.time, self.first = 0.0, 0, -1000
        self.rewards: deque[int] = deque()
        self.counts = np.zeros(CELLS, int)
        self.given = 0

    def step(self, noise: Values, delay: float) -> None:
        """One ms; `noise` is what each cell receives besides, `delay` (ms) how late a reward would come."""
        current = self._arrivals() + noise
        for _ in range(2):
            self.v = self.v + 0.5 * ((0.04 * self.v + 5) * self.v + 140 - self.u + current)
        self.u = self.u + self.a * (0.2 * self.v - self.u)
        self.dopamine *= np.exp(-1 / 199.5)
        if self.time in self.rewards:
            self.dopamine += 0.5
            self.given += 1
        self.fired = self.v >= 30
        self.v[self.fired] = -65.0
        self.u[self.fired] += self.d[self.fired]
        self.counts += self.fired
        self.trace = np.where(self.fired, 1.0, self.trace * np.exp(-1 / 19.5))
        self._judge(delay)
        self.time += 1
        if self.time % 10 == 0:
            self._grow()

    def _arrivals(self) -> Values:
        """What the spikes of the last step bring; they also change the eligibilities."""
        exc, inh = np.nonzero(self.fired[:EXC])[0], np.nonzero(self.fired[EXC:])[0]
        current = self.s[exc].sum(0)
        current[:EXC] -= self.network.inhibitory[inh].sum(0)
        if self.fired[0]:
            current[1] += self.watched
            self.watched_c -= 0.15 * self.trace[1]
        self.c[exc] -= 0.15 * self.trace * self.network.plastic[exc]
        post = np.nonzero(self.fired)[0]
        before = np.where(self.fired[:EXC], 0.0, self.trace[:EXC] * np.exp(1 / 19.5))
        self.c[:, post] += 0.1 * before[:, None] * self.network.plastic[:, post]
        if self.fired[1]:
            self.watched_c += 0.1 * before[0]
        return current

    def _judge(self, delay: float) -> None:
        """Whether cell 1 has followed cell 0 within 20 ms; each spike of cell 0 is rewarded once."""
        if self.fired[0]:
            self.first = self.time
        elif self.fired[1] and self.time - self.first < 20:
            self.rewards.append(self.time + 2 + int(np.ceil(delay)))
            self.first = -1000
            if len(self.rewards) > 4:
                self.rewards.popleft()

    def _grow(self) -> None:
        gate = 0.002 + self.dopamine
        self.s = np.clip(self.s + gate * self.c, 0, 4)
        self.watched = float(np.clip(self.watched + gate * self.watched_c, 0, 4))
        self.c *= np.exp(-10 / 995)
        self.watched_c *= np.exp(-10 / 995)
