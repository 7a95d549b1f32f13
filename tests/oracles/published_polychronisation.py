"""Izhikevich's network with delays and STDP (2006), with dense matrices and draws of its own, in 1 ms steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
EXC, N, DELAYS, INPUTS = 800, 1000, (2, 6, 10, 14, 18), 16


@dataclass(frozen=True)
class Outcome:
    """Who spiked in which step (steps, neurons), and the mean excitatory weight after each second."""

    fired: NDArray[np.bool_]
    weights: Array
    spread: Array


def connected(rng: np.random.Generator, sources: int, targets: int, inputs: int) -> NDArray[np.bool_]:
    """Which source (sources, targets) leads to which target: `inputs` different ones each."""
    found = np.zeros((sources, targets), bool)
    for target in range(targets):
        candidates = np.delete(np.arange(sources), target) if target < sources else np.arange(sources)
        found[rng.permutation(candidates)[:inputs], target] = True
    return found


def simulate(seconds: int, seed: int) -> Outcome:
    """The network for so many seconds."""
    rng = np.random.default_rng(seed)
    exists = np.array([connected(rng, EXC, N, INPUTS) for _ in DELAYS])
    w, change = 6.0 * exists, np.zeros(exists.shape)
    inhibit = -5.0 * np.array(connected(rng, N - EXC, EXC, 25), float)
    exc = np.arange(N) < EXC
    a, d = np.where(exc, 0.02, 0.1), np.where(exc, 8.0, 2.0)
    v, u = np.full(N, -65.0), np.full(N, -13.0)
    pre, post = np.zeros((max(DELAYS) + 1, EXC)), np.zeros(N)  # traces, `pre` of the last steps
    fired, means, spreads = np.zeros((1000 * seconds, N), bool), [], []
    for k in range(len(fired)):
        drive = 20.0 * (rng.random(N) < 0.001)
        for n, delay in enumerate(DELAYS):
            if k >= delay:
                arriving = np.flatnonzero(fired[k - delay, :EXC])
                drive += w[n, arriving].sum(axis=0)
                change[n, arriving] -= 0.12 * post * exists[n, arriving]
        if k:
            drive[:EXC] += inhibit[fired[k - 1, EXC:]].sum(axis=0)
            for target in np.flatnonzero(fired[k - 1]):
                # pre[-1 - j] holds spikes up to step k - 1 - j; those that arrived before the spike of step k - 1 count
                change[:, :, target] += 0.1 * exists[:, :, target] * pre[[-1 - delay for delay in DELAYS]]
        for _ in range(2):
            v = np.minimum(v + 0.5 * (0.04 * v * v + 5 * v + 140 - u + drive), 30)
        u = u + a * (0.2 * v - u)
        fired[k] = v >= 30
        v[fired[k]], u[fired[k]] = -65, u[fired[k]] + d[fired[k]]
        post = np.where(fired[k], 1.0, 0.95 * post)
        pre = np.vstack([pre[1:], np.where(fired[k, :EXC], 1.0, 0.95 * pre[-1])])
        if (k + 1) % 1000 == 0:
            w = np.where(exists, np.clip(w + 0.01 + change, 0, 10), 0)
            change *= 0.9
            means.append(w[exists].mean())
            spreads.append(w[exists].std())
    return Outcome(fired, np.array(means), np.array(spreads))
