"""Hodgkin and Huxley's axon in the paper's own convention, by a fourth-order Runge-Kutta method.

V is the displacement from rest as in the paper (depolarisations are negative), I the current as in equation (26).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def slope(state: Array, current: Array) -> Array:
    """d/dt of (V, m, h, n), each (cells,), in mV and per ms. `current` (cells,) is in uA/cm2, inward negative."""
    v, m, h, n = state
    alpha_n, beta_n = 0.01 * ratio(v + 10, 10), 0.125 * np.exp(v / 80)
    alpha_m, beta_m = 0.1 * ratio(v + 25, 10), 4 * np.exp(v / 18)
    alpha_h, beta_h = 0.07 * np.exp(v / 20), 1 / (np.exp((v + 30) / 10) + 1)
    ionic = 36 * n**4 * (v - 12) + 120 * m**3 * h * (v + 115) + 0.3 * (v + 10.613)
    gates = ((alpha_m, beta_m, m), (alpha_h, beta_h, h), (alpha_n, beta_n, n))
    return np.array([current - ionic, *(alpha * (1 - x) - beta * x for alpha, beta, x in gates)])


def ratio(x: Array, scale: float) -> Array:
    """x / (exp(x / scale) - 1), at 0 its limit."""
    safe = np.where(np.abs(x) < 1e-6, 1.0, x)
    return np.where(np.abs(x) < 1e-6, scale - x / 2, safe / np.expm1(safe / scale))


def at_rest(cells: int) -> Array:
    """The state (4, cells) at V = 0."""
    state = np.array([[0.0], [0.05293], [0.59612], [0.31768]])
    return np.repeat(state, cells, axis=1)


def voltages(displaced: Array, injected: Array, duration: float, dt: float) -> Array:
    """Membrane voltages (steps, cells) in mV with the rest at -65, after each step.

    `displaced` (cells,) mV of depolarisation at time 0, `injected` (cells,) uA/cm2 of depolarising current.
    """
    state = at_rest(len(displaced))
    state[0] = -np.asarray(displaced)
    current = -np.asarray(injected, dtype=float)
    found = []
    for _ in range(round(duration / dt)):
        k1 = slope(state, current)
        k2 = slope(state + dt / 2 * k1, current)
        k3 = slope(state + dt / 2 * k2, current)
        k4 = slope(state + dt * k3, current)
        state = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        found.append(-65 - state[0])
    return np.array(found)


def crossings(v: Array) -> list[NDArray[np.int64]]:
    """The steps in which each cell's voltage (steps, cells) rises above 0 mV."""
    above = np.vstack([np.zeros((1, v.shape[1]), bool), v > 0])
    return [np.flatnonzero(above[1:, k] & ~above[:-1, k]) for k in range(v.shape[1])]
