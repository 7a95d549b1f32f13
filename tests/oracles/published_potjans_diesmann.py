"""The cortical microcircuit of Potjans & Diesmann (2014) at a fraction of its size, with draws of its own.

In the paper's units: mV, ms, pA. `often`: pairs have as many synapses as are drawn for them with replacement, as in the
paper; otherwise they have one or none, as many in all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NAMES = ("L23e", "L23i", "L4e", "L4i", "L5e", "L5i", "L6e", "L6i")
CELLS = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
RATES = np.array([0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829])
CONNECTED = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0, 0.0076, 0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0, 0.0042, 0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0, 0.1057, 0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
WEIGHT, G, BACKGROUND, STEP = 87.8, -4.0, 8.0, 0.1


@dataclass(frozen=True)
class Wiring:
    """Synapses sorted by source: those of source s are first[s] .. first[s + 1]; pA and steps."""

    first: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64]
    delays: NDArray[np.int64]


def sizes(scale: float) -> NDArray[np.int64]:
    return (CELLS * scale).astype(int)


def full_weights() -> NDArray[np.float64]:
    """Mean weights (target, source) of the populations of the full network, pA."""
    weights = np.tile(np.where(np.arange(8) % 2 == 0, WEIGHT, G * WEIGHT), (8, 1))
    weights[0, 2] *= 2
    return weights


def wired(scale: float, rng: np.random.Generator, often: bool) -> Wiring:
    cells, weights = sizes(scale), full_weights() / np.sqrt(scale)
    begin = np.concatenate([[0], np.cumsum(cells)])
    parts = []
    for target, source in zip(*np.nonzero(CONNECTED), strict=True):
        pairs = float(CELLS[target] * CELLS[source])
        inputs = np.log1p(-CONNECTED[target, source]) / np.log1p(-1 / pairs) / CELLS[target] * scale
        if often:
            many = round(inputs * cells[target])
            pre, post = rng.integers(cells[source], size=many), rng.integers(cells[target], size=many)
        else:
            pre, post = np.nonzero(rng.random((cells[source], cells[target])) < inputs / (scale * CELLS[source]))
            many = len(pre)
        mean, sd = ((1.5, 0.75), (0.8, 0.4))[source % 2]
        delay = rng.normal(mean, sd, many)
        while (early := delay < STEP).any():
            delay[early] = rng.normal(mean, sd, early.sum())
        size = np.abs(rng.normal(1, 0.1, many)) * weights[target, source]
        parts.append((begin[source] + pre, begin[target] + post, size, np.rint(delay / STEP).astype(int)))
    pre, post, size, steps = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.argsort(pre, kind="stable")
    first = np.searchsorted(pre[order], np.arange(begin[-1] + 1))
    return Wiring(first, post[order], size[order], steps[order])


def compensation(scale: float) -> NDArray[np.float64]:
    """Current (pA) of each population in place of the mean input that scaling takes away."""
    inputs = -np.log1p(-CONNECTED) * CELLS
    network = (full_weights() * inputs * RATES).sum(axis=1)
    return (1 - np.sqrt(scale)) * 0.5e-3 * (network + WEIGHT * EXTERNAL * BACKGROUND)


def spikes(scale: float, duration: float, seed: int, often: bool = False) -> NDArray[np.bool_]:
    """Who spiked in which step (steps, neurons); duration in ms."""
    rng = np.random.default_rng(seed)
    cells, wiring = sizes(scale), wired(scale, rng, often)
    total, steps = int(cells.sum()), round(duration / STEP)
    current, external = (np.repeat(x, cells) for x in (compensation(scale), EXTERNAL * scale))
    leak, decay = np.exp(-STEP / 10), np.exp(-STEP / 0.5)
    by_current, by_synapse = 10 / 250 * (1 - leak), 10 * 0.5 / (250 * 9.5) * (leak - decay)
    v, i, until = rng.normal(-58, 10, total), np.zeros(total), np.full(total, -1)
    later = np.zeros((int(wiring.delays.max()) + 1, total))
    fired = np.zeros((steps, total), bool)
    for k in range(steps):
        free = k > until
        v = np.where(free, -65 + (v + 65) * leak + by_synapse * i + by_current * current, -65)
        slot = k % len(later)
        i = i * decay + later[slot] + WEIGHT / np.sqrt(scale) * rng.poisson(external * BACKGROUND * STEP / 1000)
        later[slot] = 0
        fired[k] = free & (v >= -50)
        v[fired[k]], until[fired[k]] = -65, k + 20
        for cell in np.flatnonzero(fired[k]):
            out = slice(wiring.first[cell], wiring.first[cell + 1])
            np.add.at(later, ((k + wiring.delays[out]) % len(later), wiring.targets[out]), wiring.weights[out])
    return fired
