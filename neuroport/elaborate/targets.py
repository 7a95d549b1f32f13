"""Target distributions that a network is to learn, computed exactly.

Boltzmann distribution over z in {0, 1}**n, neuron 0 the most significant bit of a state's number:

    p(z) ~ exp(z' W z / 2 + b' z)

All sums are taken in a fixed order and exp is `detmath.exp`, so that every machine gets the same bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroport.errors import InvalidInput, Place
from neuroport.network.results import MAX_UNITS
from neuroport.numerics import detmath

Floats = NDArray[np.float64]


def boltzmann(weights: ArrayLike, biases: ArrayLike, place: Place | None = None) -> dict[str, Floats]:
    """The distribution and its moments, by enumeration of all states.

    weights (n, n) symmetric, biases (n,); n at most MAX_UNITS. Returns "p" (2**n,), "m" (n,) with m[i] = <z_i>, and "c"
    (n, n) with c[i, j] = <z_i z_j>, so c[i, i] = m[i]. Raises InvalidInput, with `place`, for anything else.
    """
    w = np.asarray(weights, dtype=np.float64)
    b = np.asarray(biases, dtype=np.float64)
    _check(w, b, place)
    n = b.size
    energy = _exponents(w, b)
    p = detmath.exp(energy - energy.max())
    p = p / _total(p)
    states = p.reshape((2,) * n)
    c = np.empty((n, n))
    for i in range(n):
        on = np.take(states, 1, axis=i)
        c[i, i] = _total(on)
        for j in range(i):
            c[i, j] = c[j, i] = _total(np.take(on, 1, axis=j))
    return {"c": c, "m": c.diagonal().copy(), "p": p}


def _check(w: Floats, b: Floats, place: Place | None) -> None:
    """Refuse what is not a Boltzmann machine of bearable size."""
    n = b.size
    if b.ndim != 1 or n == 0:
        text = f"biases have shape {b.shape}; give one bias per neuron, as a list"
    elif n > MAX_UNITS:
        text = f"there are {n} neurons; all states are enumerated, so at most {MAX_UNITS} are allowed"
    elif w.shape != (n, n):
        text = f"weights have shape {w.shape}; {n} biases need weights of shape ({n}, {n})"
    elif not (np.isfinite(w).all() and np.isfinite(b).all()):
        text = "a weight or bias is not a finite number; give finite numbers"
    elif not np.array_equal(w, w.T):
        i, j = (int(k) for k in np.argwhere(w != w.T)[0])
        text = f"weights are not symmetric: [{i}][{j}] is {w[i, j]:g} and [{j}][{i}] is {w[j, i]:g}; make them equal"
    else:
        return
    raise InvalidInput.one(place, f"boltzmann: {text}")


def _exponents(w: Floats, b: Floats) -> Floats:
    """Return z' W z / 2 + b' z for every state, neuron by neuron from the last: each doubles the table."""
    n = b.size
    energy = np.zeros(1)
    for i in reversed(range(n)):
        field = np.full(1, b[i] + 0.5 * w[i, i])
        for j in reversed(range(i + 1, n)):
            field = np.concatenate([field, field + w[i, j]])
        energy = np.concatenate([energy, energy + field])
    return energy


def _total(x: Floats) -> float:
    """The sum of 2**k numbers, by halves."""
    x = x.reshape(-1)
    while x.size > 1:
        half = x.size // 2
        x = x[:half] + x[half:]
    return float(x[0])
