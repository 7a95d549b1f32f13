"""A dendritic microcircuit that learns with phaseless alignment learning, in NumPy, one step at a time.

Written from the equations, no simulator involved. Order of operations: every synapse learns from what the cells were
one step ago (its presynaptic rate two steps ago), then sends with its new weight; then every cell takes in what was
sent. Matrices are (postsynaptic, presynaptic). The noise of the hidden cells is given from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

LEAK, BASAL, APICAL = 0.03, 0.1, 0.06
ALL = LEAK + BASAL + APICAL


def phi(x: Real) -> Real:
    return 1 / (1 + np.exp(-x))


@dataclass
class Rule:
    """Rates of learning of the weights W onto a layer and of B, Pi, Omega between a hidden layer and the one above."""

    dt: float = 0.01
    tau_w: float = 100.0
    tau_hp: float = 0.1
    alpha: float = 1e-6
    eta_w: Sequence[float] = ()
    eta_b: float = 0.0
    eta_pi: float = 0.0
    eta_omega: float = 0.0


@dataclass
class Cells:
    """What a layer was one step ago."""

    size: int
    up: Real = field(init=False)
    r: Real = field(init=False)
    r_last: Real = field(init=False)
    rb: Real = field(init=False)
    rhat: Real = field(init=False)
    va: Real = field(init=False)
    xi: Real = field(init=False)

    def __post_init__(self) -> None:
        self.up, self.rhat, self.va, self.xi = np.zeros((4, self.size))
        self.r, self.r_last, self.rb = np.full((3, self.size), 0.5)

    def fire(self, steady: Real, basal: Real) -> None:
        """Prospective cells: the voltage towards which they move is the one that they send."""
        self.r_last, self.up = self.r, steady
        self.r, self.rb = phi(steady), phi(basal)


class Microcircuit:
    """Input, hidden layers and output, with weights W[k] from layer k to layer k + 1.

    B[k], Pi[k] and Omega[k] belong to hidden layer k + 1, whose interneurons are `inter[k]`.
    """

    def __init__(self, W: Sequence[Real], B: Sequence[Real], Pi: Sequence[Real], Omega: Sequence[Real], rule: Rule):
        self.W, self.B = [w.copy() for w in W], [w.copy() for w in B]
        self.Pi, self.Omega, self.rule = [w.copy() for w in Pi], [w.copy() for w in Omega], rule
        self.input, self.input_last, self.goal = np.zeros(W[0].shape[1]), np.zeros(W[0].shape[1]), np.zeros(len(W[-1]))
        self.layers = [Cells(len(w)) for w in W]
        self.inter = [Cells(len(w)) for w in W[1:]]
        self.dW, self.dPi, self.dOmega = ([np.zeros_like(w) for w in ws] for ws in (self.W, self.Pi, self.Omega))

    def step(self, shown: Real, goal: Real, xi: Sequence[Real], *, learn: bool, teacher: bool) -> None:
        """One step: `shown` and `goal` are what the input and the teacher take on in it."""
        if learn:
            self._learn()
        hidden = len(self.B)
        rates = [self.input, *(cells.r for cells in self.layers)]
        basal = [w @ r for w, r in zip(self.W, rates, strict=False)]
        apical = [self.B[k] @ self.layers[k + 1].r + self.Pi[k] @ self.inter[k].r for k in range(hidden)]
        dendrite = [self.Omega[k] @ self.layers[k].r for k in range(hidden)]
        nudge = [self.layers[k + 1].up for k in range(hidden)]

        for cells in self.layers:
            cells.rhat = cells.rhat + (cells.r - cells.r_last) - self.rule.dt / self.rule.tau_hp * cells.rhat
        for k, cells in enumerate(self.layers[:-1]):
            cells.va, cells.xi = apical[k], xi[k]
            cells.fire((BASAL * basal[k] + APICAL * (apical[k] + xi[k])) / ALL, BASAL / ALL * basal[k])
        for k, cells in enumerate(self.inter):
            cells.fire((BASAL * dendrite[k] + APICAL * nudge[k]) / ALL, BASAL / (LEAK + BASAL) * dendrite[k])
        alone = BASAL / (LEAK + BASAL) * basal[-1]
        self.layers[-1].fire((BASAL * basal[-1] + APICAL * self.goal) / ALL if teacher else alone, alone)
        self.input_last, self.input, self.goal = self.input, shown, goal

    def _learn(self) -> None:
        rule = self.rule
        lasts = [self.input_last, *(cells.r_last for cells in self.layers)]
        for k, cells in enumerate(self.layers):
            self.W[k] += self.dW[k]
            driver = rule.dt * rule.eta_w[k] * np.outer(cells.r - cells.rb, lasts[k])
            self.dW[k] += rule.dt / rule.tau_w * (driver - self.dW[k])
        for k, (below, above, inter) in enumerate(zip(self.layers[:-1], self.layers[1:], self.inter, strict=True)):
            self.Omega[k] += self.dOmega[k]
            self.dOmega[k] = rule.dt * rule.eta_omega * np.outer(inter.r - inter.rb, below.r_last)
            self.Pi[k] += self.dPi[k]
            self.dPi[k] = -rule.dt * rule.eta_pi * np.outer(below.va, inter.r_last)
            self.B[k] += rule.dt * rule.eta_b * (np.outer(below.xi, above.rhat) - rule.alpha * self.B[k])
