"""Numbers that say how well a network does: functions of counts, weights and values in real units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


def dkl(counts: NDArray[Any], target: Real, floor: float = 0.5) -> float:
    """Give the Kullback-Leibler divergence sum p ln(p / q) of observed states q from a target p, in nats.

    counts (states,): how often each state was seen; a state never seen counts as `floor`, and q is normalised after
    that. States with p = 0 contribute nothing. NaN when nothing was counted at all, infinite when a state of the
    target was never seen and `floor` is 0.
    """
    if not np.any(counts):
        return float("nan")
    seen = np.where(counts > 0, counts, floor).astype(np.float64)
    q = seen / seen.sum()
    p = np.asarray(target, np.float64)
    there = p > 0
    if np.any(q[there] == 0):
        return float("inf")
    return float(np.sum(p[there] * np.log(p[there] / q[there])))


def asymmetry(pre: NDArray[np.int64], post: NDArray[np.int64], values: Real) -> float:
    """Variance over the reciprocally connected pairs i < j of (value of j to i) - (value of i to j).

    pre, post, values (synapses,). Of several synapses between the same two neurons the sum counts. NaN when no pair
    is connected both ways.
    """
    size = int(max(pre.max(initial=-1), post.max(initial=-1))) + 1
    keys, where = np.unique(post * size + pre, return_inverse=True)
    sums = np.bincount(where, weights=values, minlength=len(keys))
    i, j = keys // size, keys % size
    back = np.searchsorted(keys, j * size + i)
    mutual = (i < j) & (back < len(keys)) & (keys[np.minimum(back, len(keys) - 1)] == j * size + i)
    differences = sums[mutual] - sums[back[mutual]]
    return float(np.var(differences)) if len(differences) else float("nan")


def matrix(pre: NDArray[np.int64], post: NDArray[np.int64], values: Real, shape: tuple[int, int]) -> Real:
    """Weights as a matrix (source, target), zero where there is no synapse, sums where there are several."""
    dense = np.zeros(shape)
    np.add.at(dense, (pre, post), values)
    return dense


def angle(one: Real, other: Real) -> float:
    """Angle in degrees between two matrices as vectors (Frobenius cosine). NaN when one of them is zero."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths == 0:
        return float("nan")
    return float(np.degrees(np.arccos(np.clip(np.sum(one * other) / lengths, -1, 1))))


def distance(one: Real, other: Real) -> float:
    """The Frobenius norm of the difference of two matrices."""
    return float(np.linalg.norm(one - other))


def accuracy(rows: Real, labels: NDArray[np.int64]) -> float:
    """Percent of rows (rows, cells) whose largest cell, the first of several, is the label. NaN when there are none."""
    return float(100 * np.mean(np.argmax(rows, axis=1) == labels)) if len(rows) else float("nan")


def cross_entropy(rows: Real, labels: NDArray[np.int64]) -> float:
    """Mean of -log softmax(row)[label] in nats. NaN when there are no rows."""
    if not len(rows):
        return float("nan")
    above = rows - rows.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.sum(np.exp(above), axis=1)) - above[np.arange(len(rows)), labels]))


def squared_error(rows: Real, wanted: Real) -> float:
    """Mean over rows and cells of the squared difference. NaN when there are no rows."""
    return float(np.mean((rows - wanted) ** 2)) if rows.size else float("nan")


def rate(spikes: float, size: int, steps: int, dt: float) -> float:
    """Mean rate per neuron in Hz over `steps` of `dt` ms. NaN when there were none."""
    return spikes / size / (steps * dt) * 1000 if steps and size else float("nan")


def over_elements(kind: str, values: Real) -> float | list[float]:
    """Mean, sd (of the population, not of a sample), min or max of all elements, or all of their `values`.

    NaN when there are none.
    """
    if not np.size(values) and kind != "values":
        return float("nan")
    match kind:
        case "mean":
            return float(np.mean(values))
        case "sd":
            return float(np.std(values))
        case "min":
            return float(np.min(values))
        case "max":
            return float(np.max(values))
        case "values":
            return [float(v) for v in np.ravel(values)]
        case _:
            raise ValueError(f"there is no metric '{kind}'")
