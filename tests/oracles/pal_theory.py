"""What phaseless alignment learning should do: closed forms, written from the equations, no simulator involved.

Rows of weight matrices are source neurons, columns target neurons. Order of operations: the feedback synapse meets the
high-passed rate two steps after the noise that caused it (LAG).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

GL, GB, GA = 0.03, 0.1, 0.06
BASAL = GB / (GL + GB + GA)  # share of the basal voltage in a hidden cell
BASAL_OUT = GB / (GL + GB)  # in an output cell without a teacher
APICAL = GA / (GL + GB + GA)
LAG = 2


@dataclass(frozen=True)
class Rule:
    """Settings of the feedback synapse and the noise; both time constants are 1 / a steps."""

    sigma: float = 0.05
    eta: float = 50.0
    alpha: float = 1e-5
    dt: float = 0.01
    a: float = 0.1

    @property
    def variance(self) -> float:
        """Of the noise."""
        return self.sigma**2 / (2 - self.a)

    @property
    def decay(self) -> float:
        """Share of a feedback weight that is lost in a step."""
        return self.dt * self.eta * self.alpha


def covariance(rule: Rule, lag: int = LAG) -> float:
    """Mean of noise times high-passed noise, the latter `lag` steps late: 0.22438 sigma^2 for a = 0.1 and two steps."""
    return rule.variance * (1 - rule.a) ** lag / (2 - rule.a)


def sigmoid(x: Real) -> Real:
    return 1 / (1 + np.exp(-x))


def rates(ups: Sequence[Real], patterns: Real) -> list[Real]:
    """Rates (patterns, cells) of every layer above the input: the apical dendrites are silent."""
    found = [patterns]
    for k, w in enumerate(ups):
        found.append(sigmoid((BASAL_OUT if k == len(ups) - 1 else BASAL) * found[-1] @ w))
    return found[1:]


def voltages(ups: Sequence[Real], patterns: Real) -> list[Real]:
    """Prospective voltages (patterns, cells) of every layer above the input, without a teacher."""
    below = [patterns, *rates(ups, patterns)]
    return [(BASAL_OUT if k == len(ups) - 1 else BASAL) * below[k] @ w for k, w in enumerate(ups)]


def gradients(ups: Sequence[Real], patterns: Real, goals: Real) -> list[Real]:
    """The way down of the squared error of the output's voltages, for every forward matrix: back-propagation."""
    layers = [patterns, *rates(ups, patterns)]
    error = BASAL_OUT * (goals - voltages(ups, patterns)[-1])
    found = []
    for k in reversed(range(len(ups))):
        found.append(layers[k].T @ error)
        error = BASAL * layers[k] * (1 - layers[k]) * (error @ ups[k].T)
    return found[::-1]


def angle(a: Real, b: Real) -> float:
    """Degrees between two matrices."""
    return float(np.degrees(np.arccos(np.sum(a * b) / np.sqrt(np.sum(a**2) * np.sum(b**2)))))


@dataclass(frozen=True)
class Feedback:
    """Of the weights from layer k + 1 down to layer k: what they tend to, and the variance they end with."""

    goal: Real
    variance: Real

    def mean(self, start: Real, rule: Rule, steps: int) -> Real:
        return np.asarray(self.goal + (start - self.goal) * (1 - rule.decay) ** steps)

    def cosine(self, start: Real, up: Real, rule: Rule, steps: int) -> float:
        """Of the transposed forward weights and the feedback weights that have learned for so many steps."""
        mean = self.mean(start, rule, steps)
        noise = np.sum(self.variance) * (1 - (1 - rule.decay) ** (2 * steps))
        return float(np.sum(mean * up.T) / np.sqrt(np.sum(up**2) * (np.sum(mean**2) + noise)))


def feedbacks(ups: Sequence[Real], patterns: Real, rule: Rule, hold: int) -> list[Feedback]:
    """For every hidden layer, when shuffled patterns are shown for `hold` steps each."""
    layers = rates(ups, patterns)
    slopes = [r * (1 - r) for r in layers]
    a, n = rule.a, np.arange(400)
    after_switch = (1 - a) ** n  # high-passed rate after a step of 1
    after_kick = np.convolve(rule.sigma * np.sqrt(a) * (1 - a) ** n, np.append(1.0, -a * (1 - a) ** n[:-1]))[: len(n)]
    correlated = (1 - a) ** np.abs(n[:, None] - n)
    found = []
    for k in range(len(layers) - 1):
        gain = BASAL_OUT if k == len(layers) - 2 else BASAL
        both = np.einsum("pi,pj->ij", slopes[k], slopes[k + 1]) / len(patterns) * ups[k + 1]
        goal = covariance(rule) / rule.alpha * APICAL * gain * both.T
        own = 0.0 if k == len(layers) - 2 else APICAL**2 * np.mean(slopes[k + 1] ** 2, axis=0)
        noisy = own + np.sum((APICAL * gain * both) ** 2, axis=0)
        switches = 2 * np.var(layers[k + 1], axis=0, ddof=1) / hold
        strength = switches * (after_switch @ correlated @ after_switch) + noisy * (
            after_kick @ correlated @ after_kick
        )
        spread = (rule.dt * rule.eta) ** 2 * rule.variance * strength / (2 * rule.decay)
        found.append(Feedback(goal, np.repeat(spread[:, None], goal.shape[1], axis=1)))
    return found
