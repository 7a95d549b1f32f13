"""Exact stationary statistics of two coupled stochastic sampling neurons.

Neuron i holds x_i, the number of steps since its last spike, capped where nothing depends on it any more. In every step
both neurons decide in parallel: i fires with probability sigma(b_i + w_ij * psp_j - ln tau) if x_i >= isi_min, and
psp_j = 1 while 1 <= x_j <= psp. The pair (x_1, x_2) is a Markov chain with a sparse, small transition matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, identity
from scipy.sparse.linalg import spsolve


@dataclass(frozen=True)
class PairStatistics:
    """Stationary values, per step unless said; direction 12 is onto neuron 1 from neuron 2."""

    rate: np.ndarray  # (2,) probability of a spike per step
    sal_12: float  # tau * expected sum of K per step, K < 0 for "2 then 1"
    sal_21: float
    c: float  # tau * expected sum of the triangular window over pairs with d != 0
    coincidence: float  # probability per step that both fire
    both_on: float  # probability that both fired within the last tau steps
    density_12: np.ndarray  # [d]: probability per step that 1 fires, 2 fired last d steps before, d = 1 .. isi_min - 1
    density_21: np.ndarray


def sigma(u: float) -> float:
    return 1.0 / (1.0 + np.exp(-u))


def solve(
    w12: float, w21: float, b: tuple[float, float], tau: int = 50, isi_min: int = 51, psp: int = 49
) -> PairStatistics:
    """The stationary distribution, solved directly, and what follows from it."""
    cap = max(isi_min, psp + 1, tau + 1)

    def p_fire(i: int, own: int, other: int) -> float:
        w = (w12, w21)[i]
        if own < isi_min:
            return 0.0
        return sigma(b[i] + (w if other <= psp else 0.0) - np.log(tau))

    # x counts from 1 on the step after the spike; state number (x1 - 1) * cap + (x2 - 1)
    n = cap * cap
    rows, columns, values = [], [], []
    fire = np.zeros((2, cap, cap))
    for x1 in range(1, cap + 1):
        for x2 in range(1, cap + 1):
            p1, p2 = p_fire(0, x1, x2), p_fire(1, x2, x1)
            fire[:, x1 - 1, x2 - 1] = p1, p2
            for f1, q1 in ((0, 1 - p1), (1, p1)):
                for f2, q2 in ((0, 1 - p2), (1, p2)):
                    if q1 * q2 == 0.0:
                        continue
                    y1 = 1 if f1 else min(x1 + 1, cap)
                    y2 = 1 if f2 else min(x2 + 1, cap)
                    rows.append((y1 - 1) * cap + y2 - 1)
                    columns.append((x1 - 1) * cap + x2 - 1)
                    values.append(q1 * q2)
    transition = csc_matrix((values, (rows, columns)), shape=(n, n))
    system = (transition - identity(n, format="csc")).tolil()
    system[n - 1, :] = 1.0
    right = np.zeros(n)
    right[n - 1] = 1.0
    pi = spsolve(system.tocsc(), right).reshape(cap, cap)

    p1, p2 = fire
    lags = np.arange(1, cap)
    density_12 = (pi * p1).sum(axis=0)[: cap - 1]  # neuron 1 fires, neuron 2 fired x2 = d steps before
    density_21 = (pi * p2).sum(axis=1)[: cap - 1]
    kappa = np.maximum(0.0, 1.0 - lags / tau)
    # With isi_min >= tau at most one spike of a neuron lies inside the window, so the last spike is the only pair.
    causal, anti = float(density_12 @ kappa), float(density_21 @ kappa)
    return PairStatistics(
        rate=np.array([(pi * p1).sum(), (pi * p2).sum()]),
        sal_12=tau * (anti - causal),
        sal_21=tau * (causal - anti),
        c=tau * (anti + causal),
        coincidence=float((pi * p1 * p2).sum()),
        both_on=float(pi[:tau, :tau].sum()),
        density_12=np.concatenate([[0.0], density_12]),
        density_21=np.concatenate([[0.0], density_21]),
    )
