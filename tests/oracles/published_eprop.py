"""E-prop (Bellec et al. 2020) on the pattern generation task in NumPy: one second forward, then its gradient.

Spikes and errors of the second are collected; eligibilities meet the errors of their own time, without delays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

STEPS, CELLS, INPUTS, OUTPUTS = 1000, 100, 20, 3
DECAY = float(np.exp(-1 / 20))
V_TH, GAMMA, REFRACTORY = 0.61, 0.3, 2
F_GOAL, TAU_F, C_REG = 0.01, 2000.0, 30.0


@dataclass
class Weights:
    """From inputs, recurrent and to the outputs, (from, to); errors go back through `back`, (outputs, cells)."""

    inward: Values
    recurrent: Values
    out: Values
    back: Values


def drawn(rng: np.random.Generator) -> Weights:
    """Weights of one's own."""
    recurrent = rng.normal(0, 0.05, (CELLS, CELLS))
    np.fill_diagonal(recurrent, 0)
    inward, out = rng.normal(0, 0.2236, (INPUTS, CELLS)), rng.normal(0, 0.1, (CELLS, OUTPUTS))
    return Weights(inward, recurrent, out, rng.normal(0, 0.1, (OUTPUTS, CELLS)))


def inputs() -> Values:
    """Which input spikes when, (steps, inputs): five groups of four, one after the other."""
    found = np.zeros((STEPS, INPUTS))
    for k in range(INPUTS):
        found[200 * (k // 4) + 5 * (k % 4) : 200 * (k // 4 + 1) : 20, k] = 1
    return found


def goal(sines: Values, cosines: Values) -> Values:
    """The goals, (steps, outputs), of amplitudes (4, outputs)."""
    time = np.arange(STEPS)[:, None] * np.array([1, 2, 3, 5]) * 2 * np.pi / 1000
    return np.sin(time) @ sines + np.cos(time) @ cosines


def low_pass(values: Values, first: float | Values = 0.0) -> Values:
    """values[t] + DECAY * what came before, along the first axis."""
    found, last = np.zeros(values.shape), first
    for t, value in enumerate(values):
        found[t] = last = DECAY * last + value
    return found


class Learner:
    """Weights that learn second by second."""

    def __init__(self, weights: Weights, eta: float = 5e-5, eta_out: float = 3e-5) -> None:
        self.weights, self.eta, self.eta_out = weights, eta, eta_out
        self.rate = np.full(CELLS, F_GOAL)
        self.spikes = np.zeros((STEPS, CELLS))

    def second(self, x: Values, wanted: Values) -> float:
        """One trial and what is learned from it; the squared error, summed over time, mean of the outputs."""
        z, psi, rates = self._forward(x)
        self.spikes = z
        heard = np.concatenate([np.zeros((1, CELLS)), z[:-1]])  # an output hears a spike one step late
        error = low_pass(heard @ self.weights.out) - wanted
        self._learn(x, z, psi, error, rates)
        return float((error**2).sum(axis=0).mean())

    def _forward(self, x: Values) -> tuple[Values, Values, Values]:
        """Spikes, pseudo-derivatives and running rates, (steps, cells)."""
        z, psi, rates = (np.zeros((STEPS, CELLS)) for _ in range(3))
        v, last, since = np.zeros(CELLS), np.zeros(CELLS), np.full(CELLS, 1000)
        for t in range(STEPS):
            current = (x[t - 1] @ self.weights.inward + last @ self.weights.recurrent) if t else 0.0
            v = DECAY * v + current - V_TH * last
            free = since > REFRACTORY
            psi[t] = np.where(free, GAMMA / V_TH * np.maximum(0, 1 - np.abs(v - V_TH) / V_TH), 0)
            last = z[t] = (v >= V_TH) & free
            since = np.where(last > 0, 1, since + 1)
            self.rate = self.rate + (last - self.rate) / TAU_F
            rates[t] = self.rate
        return z, psi, rates

    def _learn(self, x: Values, z: Values, psi: Values, error: Values, rates: Values) -> None:
        """Descend. The error of time s is error[s + 1]; a cell has it at s + 2, and its synapses use it at s + 3."""
        last = STEPS - 3
        signal = error[1 : last + 1] @ self.weights.back + C_REG * (rates[1 : last + 1] - F_GOAL)
        for pre, weights in ((x, self.weights.inward), (z, self.weights.recurrent)):
            before = np.concatenate([np.zeros((1, pre.shape[1])), low_pass(pre)[: last - 1]])
            eligibility = low_pass(before[:, :, None] * psi[:last, None, :])
            change = np.einsum("tj,tij->ij", signal, eligibility)
            weights -= self.eta * np.where(weights != 0, change, 0)
        self.weights.out -= self.eta_out * low_pass(z)[: STEPS - 2].T @ error[1 : STEPS - 1]
