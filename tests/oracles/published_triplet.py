"""Triplet STDP (Pfister & Gerstner 2006) from spike times: sums over pairs and triplets, nothing is stepped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.float64]

TAU_PLUS, TAU_X, TAU_MINUS, TAU_Y = 16.8, 101.0, 33.7, 125.0
A2_PLUS, A3_PLUS, A2_MINUS, A3_MINUS = 5e-10, 6.2e-3, 7e-3, 2.3e-4


def before(times: Times, at: Times, tau: float) -> Times:
    """For each time of `at`, the sum over all earlier times of exp(-distance / tau)."""
    distance = at[:, None] - times[None, :]
    return np.where(distance > 0, np.exp(-np.maximum(distance, 0) / tau), 0.0).sum(axis=1)


def change(pre: Times, post: Times) -> float:
    """How much the weight of a synapse changes with these spikes (ms)."""
    depression = before(post, pre, TAU_MINUS) * (A2_MINUS + A3_MINUS * before(pre, pre, TAU_X))
    potentiation = before(pre, post, TAU_PLUS) * (A2_PLUS + A3_PLUS * before(post, post, TAU_Y))
    return float(potentiation.sum() - depression.sum())


def pairing(rate: float, lag: float, pairs: int = 60) -> float:
    """The change after pairs at a rate (Hz), the postsynaptic spike `lag` ms after the presynaptic one."""
    pre = np.arange(pairs) * 1000 / rate
    return change(pre, pre + lag)
