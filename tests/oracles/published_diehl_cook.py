"""Diehl & Cook's network (2015) for images of 64 pixels, as one compiled loop with draws of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEP, SHOWN, HOLD = 0.5, 700, 1000  # ms, steps, steps


@dataclass
class Brain:
    """What stays from image to image: weights (pixels, cells) and thresholds (cells,) in mV."""

    weights: Array
    theta: Array

    @classmethod
    def born(cls, pixels: int, cells: int, seed: int) -> Brain:
        weights = np.random.default_rng(seed).uniform(0.003, 0.3, (pixels, cells))
        return cls(weights * 8 / weights.sum(axis=0), np.full(cells, 20.0))

    def see(self, images: Array, seed: int, learn: bool) -> NDArray[np.int64]:
        """Spikes (images, cells) while each image (pixels,) of numbers in 0 .. 1 is shown and during the rest."""
        return _see(self.weights, self.theta, np.ascontiguousarray(images), np.random.default_rng(seed), learn)


@numba.njit(cache=False)
def _see(w, theta, images, rng, learn):
    pixels, cells = w.shape
    v, ge, gi = np.full(cells, -65.0), np.zeros(cells), np.zeros(cells)
    vi, gei = np.full(cells, -60.0), np.zeros(cells)
    pre, post1, post2 = np.zeros(pixels), np.zeros(cells), np.zeros(cells)
    free, free_i = np.zeros(cells), np.zeros(cells)
    spiked, spiked_i = np.zeros(cells, np.bool_), np.zeros(cells, np.bool_)
    counts = np.zeros((len(images), cells), np.int64)
    now = 0
    for n in range(len(images)):
        for k in range(HOLD):
            now += 1
            # what was sent by spikes of the step before
            ge *= np.exp(-STEP / 1)
            gi *= np.exp(-STEP / 2)
            gei *= np.exp(-STEP / 1)
            fired = spiked_i.sum()
            for c in range(cells):
                gi[c] += 17 * (fired - spiked_i[c])
                gei[c] += 10.4 * spiked[c]
                if spiked[c] and learn:
                    for p in range(pixels):
                        w[p, c] = min(w[p, c] + 0.1 * pre[p] * post2[c], 1.0)
                if spiked[c]:
                    post1[c] = post2[c] = 1.0
            pre *= np.exp(-STEP / 20)
            post1 *= np.exp(-STEP / 20)
            post2 *= np.exp(-STEP / 40)
            if k < SHOWN:
                for p in range(pixels):
                    if images[n, p] > 0 and rng.random() < images[n, p] * 0.255 * STEP:
                        pre[p] = 1.0
                        for c in range(cells):
                            ge[c] += w[p, c]
                            if learn:
                                w[p, c] = max(w[p, c] - 0.001 * post1[c], 0.0)
            theta *= np.exp(-STEP / 1e7)
            for c in range(cells):
                total = 1 + ge[c] + gi[c]
                end = (-65 - 100 * gi[c]) / total
                v[c] = end + (v[c] - end) * np.exp(-STEP * total / 100)
                spiked[c] = v[c] > -72 + theta[c] and now >= free[c]
                if spiked[c]:
                    v[c], free[c] = -65.0, now + 10
                    theta[c] += 0.2 * learn
                    counts[n, c] += 1
                end = -60 / (1 + gei[c])
                vi[c] = end + (vi[c] - end) * np.exp(-STEP * (1 + gei[c]) / 10)
                spiked_i[c] = vi[c] > -40 and now >= free_i[c]
                if spiked_i[c]:
                    vi[c], free_i[c] = -45.0, now + 4
        if learn:
            for c in range(cells):
                w[:, c] = np.minimum(w[:, c] * 8 / w[:, c].sum(), 1.0)
    return counts


def accuracy(answers: Array, labels: NDArray[np.int64], new: Array, right: NDArray[np.int64]) -> float:
    """Percent of new answers (images, cells) read rightly, when every cell has the label it answered most (answers)."""
    means = np.array([answers[labels == label].mean(axis=0) for label in range(10)])
    owned = np.argmax(means, axis=0)
    votes = np.array(
        [new[:, owned == label].mean(axis=1) if (owned == label).any() else -np.ones(len(new)) for label in range(10)]
    )
    return float(100 * np.mean(np.argmax(votes, axis=0) == right))
