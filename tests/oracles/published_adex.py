"""The adaptive exponential integrate-and-fire neuron, in SI units and steps of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
PATTERNS = np.array(
    [  #  C pF, gL nS, EL mV, VT mV, DT mV, a nS, tau ms, b pA, Vr mV, I pA
        [281, 30, -70.6, -50.4, 2, 4, 144, 80.5, -70.6, 1000],
        [200, 10, -70, -50, 2, 2, 30, 0, -58, 500],
        [200, 12, -70, -50, 2, 2, 300, 60, -58, 500],
        [130, 18, -58, -50, 2, 4, 150, 120, -50, 400],
        [200, 10, -58, -50, 2, 2, 120, 100, -46, 210],
        [200, 12, -70, -50, 2, -10, 300, 0, -58, 300],
        [100, 10, -65, -50, 2, -10, 90, 30, -47, 110],
        [100, 10, -65, -50, 2, 10, 90, 100, -47, 180],
        [100, 12, -60, -50, 2, -11, 130, 30, -48, 160],
    ],
    dtype=float,
)
UNITS = np.array([1e-12, 1e-9, 1e-3, 1e-3, 1e-3, 1e-9, 1e-3, 1e-12, 1e-3, 1e-12])


def spike_times(parameters: Array, duration: float, dt: float, peak: float = 0.0) -> list[Array]:
    """Times (ms) of the spikes of each row of parameters; duration and dt in ms, the peak in mV.

    Midpoint steps (second order); where one would pass the peak, the spike is at the step's end.
    """
    c, g, e, v_t, delta, a, tau, b, v_r, i = (parameters * UNITS).T
    v, w = e.copy(), np.zeros(len(e))
    step, top = dt * 1e-3, peak * 1e-3
    found: list[list[float]] = [[] for _ in e]

    def slope(v: Array, w: Array) -> tuple[Array, Array]:
        return (g * delta * np.exp((v - v_t) / delta) - g * (v - e) - w + i) / c, (a * (v - e) - w) / tau

    for k in range(round(duration / dt)):
        dv, dw = slope(v, w)
        dv, dw = slope(np.minimum(v + step / 2 * dv, top), w + step / 2 * dw)
        v, w = v + step * dv, w + step * dw
        for cell in np.flatnonzero(v >= top):
            v[cell], w[cell] = v_r[cell], w[cell] + b[cell]
            found[cell].append((k + 1) * dt)
    return [np.array(times) for times in found]
