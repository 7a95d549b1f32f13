"""Activity-dependent scaling with STDP (van Rossum, Bi & Turrigiano 2000) of one neuron, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

GOAL, TAU_A, BETA, GAMMA = 0.02, 5000.0, 8e-4, 4e-8  # kHz, ms, 1 / (ms kHz), 1 / (ms^2 kHz)


class Neuron:
    """A neuron and the weights (uS) of its inputs; `stdp` switches STDP on."""

    def __init__(self, weights: Values, stdp: bool) -> None:
        self.w, self.stdp = weights.copy(), stdp
        self.v, self.g, self.a, self.q, self.scale = -74.0, 0.0, GOAL, 0.0, 0.0
        self.x, self.y = np.zeros(len(weights)), 0.0
        self.pre, self.fired = np.zeros(len(weights), bool), False
        self.times: list[int] = []
        self.time = 0

    def step(self, spikes: NDArray[np.bool_]) -> None:
        """One ms, in which these inputs spike; they arrive one ms later."""
        self.w = self.w + self.w * self.scale
        arriving = float(self.w[self.pre].sum())
        self._pair()
        rest = -74 / (1 + 100 * self.g)
        self.v = rest + (self.v - rest) * np.exp(-(1 + 100 * self.g) / 20)
        self.g = self.g * np.exp(-1 / 5) + arriving
        self.q += GOAL - self.a
        self.scale = BETA * (GOAL - self.a) + GAMMA * self.q
        self.a *= np.exp(-1 / TAU_A)
        self.fired, self.pre = self.v >= -54, spikes
        if self.fired:
            self.v, self.a = -60.0, self.a + 1 / TAU_A
            self.times.append(self.time)
        self.x, self.y = self.x * np.exp(-1 / 20) + spikes, self.y * np.exp(-1 / 20) + self.fired
        self.time += 1

    def _pair(self) -> None:
        """What the spikes of the last ms do to the weights."""
        if self.stdp:
            self.w = np.where(self.pre, self.w - 0.003 * self.w * self.y, self.w)
            self.w = self.w + 7e-6 * self.x * self.fired
