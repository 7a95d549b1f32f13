"""Izhikevich's simple neurons (2003) in NumPy: vectors of cells and one matrix of weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass
class Cells:
    """Parameters and first recovery variables of cells; `weights` (from, to), or None where none is joined."""

    a: Values
    b: Values
    c: Values
    d: Values
    u: Values
    weights: Values | None = None


TYPES = Cells(
    np.array([0.02, 0.02, 0.02, 0.1, 0.02, 0.02, 0.1]),
    np.array([0.2, 0.2, 0.2, 0.2, 0.25, 0.25, 0.26]),
    np.array([-65.0, -55, -50, -65, -65, -65, -65]),
    np.array([8, 4, 2, 2, 2, 0.05, 2]),
    np.array([-13, -13, -13, -13, -16.25, -16.25, -16.9]),
)


def network(rng: np.random.Generator, exc: int = 800, inh: int = 200) -> Cells:
    """The published network, drawn anew."""
    r, s = rng.random(exc), rng.random(inh)
    b = np.concatenate([np.full(exc, 0.2), 0.25 - 0.05 * s])
    return Cells(
        np.concatenate([np.full(exc, 0.02), 0.02 + 0.08 * s]),
        b,
        np.concatenate([-65 + 15 * r**2, np.full(inh, -65.0)]),
        np.concatenate([8 - 6 * r**2, np.full(inh, 2.0)]),
        np.concatenate([np.full(exc, -13.0), np.full(inh, -14.6)]),
        np.concatenate([0.5 * rng.random((exc, exc + inh)), -rng.random((inh, exc + inh))]),
    )


def run(cells: Cells, currents: Values) -> NDArray[np.bool_]:
    """Which cells spike in each step, (steps, cells), with these currents, (steps, cells)."""
    v, u = np.full(len(cells.a), -65.0), cells.u.copy()
    fired = np.zeros(len(cells.a), bool)
    found = np.zeros(currents.shape, bool)
    for t, current in enumerate(currents):
        if cells.weights is not None:
            current = current + cells.weights[fired].sum(0)
        for _ in range(2):
            v = v + 0.5 * ((0.04 * v + 5) * v + 140 - u + current)
        u = u + cells.a * (cells.b * v - u)
        fired = found[t] = v >= 30
        v, u = np.where(fired, cells.c, v), np.where(fired, u + cells.d, u)
    return found


def step_current(steps: int, current: float = 10.0, start: int = 100) -> Values:
    """What the cells of TYPES receive."""
    return np.where(np.arange(steps) >= start, current, 0.0)[:, None] * np.ones(7)
