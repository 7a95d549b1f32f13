"""The two benchmark networks after Vogels & Abbott (2005), with dense matrices and draws of their own.

Currents of the first are integrated exactly together with the voltage; the second takes exponential Euler steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
EXC, N, STEP = 3200, 4000, 0.1  # cells, cells, ms
Membrane = Callable[[Array, Array, Array], Array]


def cuba(duration: float, seed: int) -> NDArray[np.bool_]:
    """Who spiked in which step (steps, neurons) of the current-based network; duration in ms."""
    tau = 20.0

    def later(synapse: float) -> float:
        return synapse / (synapse - tau) * (np.exp(-STEP / synapse) - np.exp(-STEP / tau))

    def membrane(v: Array, exc: Array, inh: Array) -> Array:
        return -49 + (v + 49) * np.exp(-STEP / tau) + later(5) * exc + later(10) * inh

    rng = np.random.default_rng(seed)
    return simulate(membrane, 1.62, -9.0, round(duration / STEP), rng, started=0)


def coba(duration: float, seed: int) -> NDArray[np.bool_]:
    """Who spiked in which step (steps, neurons) of the conductance-based network; duration in ms."""

    def membrane(v: Array, exc: Array, inh: Array) -> Array:
        total = 10 + exc + inh
        rest = (-60 * 10 - 80 * inh) / total
        return rest + (v - rest) * np.exp(-STEP * total / 200)

    rng = np.random.default_rng(seed)
    return simulate(membrane, 6.0, 67.0, round(duration / STEP), rng, started=50)


def simulate(
    membrane: Membrane, from_exc: float, from_inh: float, steps: int, rng: np.random.Generator, started: float
) -> NDArray[np.bool_]:
    """The network of 4,000; for `started` ms 200 Poisson neurons of 100 Hz excite it."""
    connected = rng.random((N, N), np.float32) < 0.02
    np.fill_diagonal(connected, False)
    start = rng.random((200, N), np.float32) < 0.02
    v, exc, inh = rng.uniform(-60, -50, N), np.zeros(N), np.zeros(N)
    until, fired = np.zeros(N, int), np.zeros((steps, N), bool)
    for k in range(steps):
        free = k > until
        v = np.where(free, membrane(v, exc, inh), v)
        exc, inh = exc * np.exp(-STEP / 5), inh * np.exp(-STEP / 10)
        if k:
            exc += from_exc * connected[:EXC][fired[k - 1, :EXC]].sum(axis=0)
            inh += from_inh * connected[EXC:][fired[k - 1, EXC:]].sum(axis=0)
        if k * STEP < started:
            exc += from_exc * start[rng.random(200) < 0.1 * STEP].sum(axis=0)
        fired[k] = free & (v > -50)
        v[fired[k]], until[fired[k]] = -60, k + 50
    return fired
