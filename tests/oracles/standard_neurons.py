"""The standard neurons as their papers define them, in pF, nS, pA, mV and ms, for SciPy to integrate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.oracles.standard_cells import Array, Cell


def lif(current: float, tau: float = 20, refractory: float = 2) -> Cell:
    """Rest and reset at -70 mV, threshold -50 mV, 100 MOhm; current in pA."""
    return Cell(
        [-70.0],
        lambda y: [(-70 - y[0] + 0.1 * current) / tau],
        lambda y: y[0] + 50,
        lambda y: [-70.0],
        refractory,
    )


def adaptive(current: float, a: float, b: float) -> Cell:
    """20 ms, 100 MOhm; the current of adaptation decays with 100 ms. State: v (mV), i_a (pA)."""
    return Cell(
        [-70.0, 0.0],
        lambda y: [(-70 - y[0] + 0.1 * (current - y[1])) / 20, (a * (y[0] + 70) - y[1]) / 100],
        lambda y: y[0] + 50,
        lambda y: [-60.0, y[1] + b],
        2,
    )


def currents(current: float, start: float) -> Cell:
    """Exponential currents on a membrane of 20 ms and 100 MOhm. State: v, exc, inh (pA)."""
    return Cell(
        [start, 0.0, 0.0],
        lambda y: [(-70 - y[0] + 0.1 * (y[1] + y[2] + current)) / 20, -y[1] / 5, -y[2] / 10],
        lambda y: y[0] + 50,
        lambda y: [-60.0, y[1], y[2]],
        5,
    )


def conductances(current: float, reversal: float = 0) -> Cell:
    """Exponential conductances, 5 and 10 ms, on a membrane of 200 pF and 10 nS. State: v, exc, inh (nS)."""
    return Cell(
        [-60.0, 0.0, 0.0],
        lambda y: [
            (10 * (-60 - y[0]) + y[1] * (reversal - y[0]) - y[2] * (y[0] + 80) + current) / 200,
            -y[1] / 5,
            -y[2] / 10,
        ],
        lambda y: y[0] + 50,
        lambda y: [-60.0, y[1], y[2]],
        5,
    )


def shape(rise: float, decay: float) -> tuple[Array, float]:
    """The matrix of d(g, x)/dt for the course of a synapse, and the x with which its peak is 1.

    g is driven by x: dg/dt = x - g / decay, dx/dt = -x / rise.
    """
    matrix = np.array([[-1 / decay, 1.0], [0.0, -1 / rise]])
    if rise == decay:
        return matrix, np.e / rise
    late = np.log(decay / rise) * rise * decay / (decay - rise)
    return matrix, (1 / rise - 1 / decay) / float(np.exp(-late / decay) - np.exp(-late / rise))


def shaped_currents(exc: tuple[float, float], inh: tuple[float, float], current: float) -> Cell:
    """Currents that rise and decay, on a membrane of 20 ms and 100 MOhm at -70 mV. State: v, exc, its x, inh, its x."""
    (up, _), (down, _) = shape(*exc), shape(*inh)

    def slope(y: Array) -> Sequence[float]:
        return [(-70 - y[0] + 0.1 * (y[1] + y[3] + current)) / 20, *(up @ y[1:3]), *(down @ y[3:5])]

    return Cell([-70.0, 0, 0, 0, 0], slope, lambda y: y[0] + 50, lambda y: [-60.0, *y[1:]], 2)


def shaped_conductances(exc: tuple[float, float], inh: tuple[float, float]) -> Cell:
    """Conductances that rise and decay, on a membrane of 200 pF and 10 nS. State: v, exc, its x, inh, its x (nS)."""
    (up, _), (down, _) = shape(*exc), shape(*inh)

    def slope(y: Array) -> Sequence[float]:
        membrane = (10 * (-60 - y[0]) - y[1] * y[0] - y[3] * (y[0] + 80)) / 200
        return [membrane, *(up @ y[1:3]), *(down @ y[3:5])]

    return Cell([-60.0, 0, 0, 0, 0], slope, lambda y: y[0] + 50, lambda y: [-60.0, *y[1:]], 5)


def adex(current: float, refractory: float = 0, reset: float = -70.6) -> Cell:
    """The cell of Brette & Gerstner (2005) with the peak at 0 mV. State: v, w (pA)."""

    def slope(y: Array) -> Sequence[float]:
        upswing = 60 * np.exp(min(y[0] + 50.4, 60.0) / 2)
        return [(-30 * (y[0] + 70.6) + upswing - y[1] + current) / 281, (4 * (y[0] + 70.6) - y[1]) / 144]

    return Cell([-70.6, 0.0], slope, lambda y: y[0], lambda y: [reset, y[1] + 80.5], refractory)


def mat(current: float, alpha_1: float, alpha_2: float, omega: float) -> Cell:
    """Kobayashi, Tsubo & Shinomoto (2009), voltages from rest. State: v, H_1, H_2."""
    return Cell(
        [0.0, 0.0, 0.0],
        lambda y: [(0.05 * current - y[0]) / 5, -y[1] / 10, -y[2] / 200],
        lambda y: y[0] - omega - y[1] - y[2],
        lambda y: [y[0], y[1] + alpha_1, y[2] + alpha_2],
        2,
        held=False,
    )


def izhikevich(current: float, a: float, b: float, c: float, d: float) -> Cell:
    """Izhikevich (2003); a spike at 30 mV. State: v, u."""
    return Cell(
        [-65.0, -13.0],
        lambda y: [0.04 * y[0] ** 2 + 5 * y[0] + 140 - y[1] + current, a * (b * y[0] - y[1])],
        lambda y: y[0] - 30,
        lambda y: [c, y[1] + d],
    )


def poisson(rate: float, seconds: float, cells: int, seed: int) -> list[Array]:
    """The spike times (ms) of Poisson processes (Hz): intervals that are exponential."""
    rng = np.random.default_rng(seed)
    many = int(rate * seconds + 10 * np.sqrt(rate * seconds))
    times = np.cumsum(rng.exponential(1000 / rate, (cells, many)), axis=1)
    return [row[row < 1000 * seconds] for row in times]
