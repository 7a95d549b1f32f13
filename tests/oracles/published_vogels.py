"""Inhibitory plasticity in a balanced network (Vogels et al. 2011) in NumPy, with matrices instead of synapses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

DT = 0.1  # ms
TAU_E, TAU_I, TAU, REFRACTORY = 5.0, 10.0, 20.0, 50  # ms; steps
TARGET = 0.003  # kHz


@dataclass
class Network:
    """Weights (from, to) in uS; excitatory cells first, `excitatory` of them. v (cells,) in mV."""

    excitatory: int
    to_exc: Values
    to_inh: Values
    plastic: Values
    inhibitory: Values
    v: Values


def drawn(seed: int, excitatory: int = 1600, inhibitory: int = 400, p: float = 0.1) -> Network:
    """A network of one's own."""
    rng = np.random.default_rng(seed)

    def some(rows: int, columns: int) -> Values:
        return (rng.random((rows, columns)) < p).astype(float)

    return Network(
        excitatory,
        0.0003 * some(excitatory, excitatory),
        0.0003 * some(excitatory, inhibitory),
        some(inhibitory, excitatory),
        0.003 * some(inhibitory, inhibitory),
        rng.uniform(-60, -50, excitatory + inhibitory),
    )


class Run:
    """The network's state; `plastic` of it says which synapses learn. `spikes` has (step, cell) of everything."""

    def __init__(self, network: Network) -> None:
        self.network, cells = network, len(network.v)
        self.v, self.g_e, self.g_i = network.v.copy(), np.zeros(cells), np.zeros(cells)
        self.rest, self.trace = np.zeros(cells, int), np.zeros(cells)
        self.joined, self.w = network.plastic > 0, np.zeros(network.plastic.shape)
        self.fired = np.zeros(0, int)
        self.spikes: list[tuple[int, NDArray[np.int64]]] = []
        self.step = 0

    def run(self, steps: int, eta: float) -> None:
        """Go on with a learning rate (uS)."""
        for _ in range(steps):
            self._step(eta)

    def _step(self, eta: float) -> None:
        n, net = self.network.excitatory, self.network
        exc, inh = self.fired[self.fired < n], self.fired[self.fired >= n] - n
        arrived_e = np.concatenate([net.to_exc[exc].sum(0), net.to_inh[exc].sum(0)])
        arrived_i = np.concatenate([self.w[inh].sum(0), net.inhibitory[inh].sum(0)])
        self._learn(inh, exc, eta)
        current = 0.01 * (-60 - self.v) - self.g_e * self.v + self.g_i * (-80 - self.v) + 0.2
        self.v = np.where(self.rest == 0, self.v + DT / 0.2 * current, -60.0)
        self.g_e = self.g_e * np.exp(-DT / TAU_E) + arrived_e
        self.g_i = self.g_i * np.exp(-DT / TAU_I) + arrived_i
        self.rest = np.maximum(self.rest - 1, 0)
        self.fired = np.nonzero(self.v > -50)[0]
        self.v[self.fired], self.rest[self.fired] = -60.0, REFRACTORY
        self.trace *= np.exp(-DT / TAU)
        self.trace[self.fired] += 1
        if len(self.fired):
            self.spikes.append((self.step, self.fired))
        self.step += 1

    def _learn(self, pre: NDArray[np.int64], post: NDArray[np.int64], eta: float) -> None:
        n = self.network.excitatory
        if eta and len(pre):
            self.w[pre] = np.clip(self.w[pre] + eta * (self.trace[:n] - 2 * TARGET * TAU), 0, 0.1) * self.joined[pre]
        if eta and len(post):
            grown = np.clip(self.w[:, post] + eta * self.trace[n:, None], 0, 0.1)
            self.w[:, post] = grown * self.joined[:, post]
