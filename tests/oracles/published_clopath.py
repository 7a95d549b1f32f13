"""Voltage-based STDP (Clopath et al. 2010) in NumPy: one burst of pairs, from a table of voltages.

All bursts are alike, because ten seconds are enough to forget the one before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

REST, THRESHOLD = -70.6, -50.4  # mV
LTD, LTP, THETA_MINUS, THETA_PLUS = 14e-5, 8e-5, -70.6, -45.3
TAU_X, TAU_MINUS, TAU_PLUS, LATE = 15, 10, 7, 3  # ms


def voltage(pulses: NDArray[np.bool_]) -> Values:
    """The membrane voltage in every ms, in which a pulse makes the neuron spike."""
    u, adaptation, after, threshold = REST, 0.0, 0.0, THRESHOLD
    found, since = [], 0
    for pulse in pulses:
        if since == 2:
            u, adaptation, after, threshold = REST + 21.0984, adaptation + 0.0805, 400.0, THRESHOLD + 20
        if since == 1:
            since, new = 2, 32.862
        else:
            current = 30 * (REST - u) + 30 * 2 * np.exp((u - threshold) / 2) - adaptation + after
            adaptation += (4 * (u - REST) - adaptation) / 144
            fires = pulse or u + current / 281 > 20
            since, new = (1, 29.4) if fires else (0, u + current / 281)
        after *= 1 - 1 / 40
        threshold += (THRESHOLD - threshold) / 50
        u = new
        found.append(u)
    return np.array(found)


def filtered(values: Values, tau: float, first: float) -> Values:
    """At each ms the low-passed values before it."""
    found = np.full(len(values), float(first))
    for t in range(1, len(values)):
        found[t] = found[t - 1] + (values[t - 1] - found[t - 1]) / tau
    return found


def late(values: Values) -> Values:
    """The values LATE ms ago."""
    return np.concatenate([np.full(LATE, values[0]), values[:-LATE]])


def burst(rate: float, lag: int, pairs: int) -> float:
    """The change of the weight by a burst of pairs at a rate (Hz), the postsynaptic spike `lag` ms later, from rest."""
    pre = 2000 + np.arange(pairs) * round(1000 / rate)
    x, pulses = np.zeros(pre[-1] + 600), np.zeros(pre[-1] + 600, bool)
    x[pre], pulses[pre + lag] = 1, True
    u = voltage(pulses)
    u_minus, u_plus = (late(filtered(u, tau, REST)) for tau in (TAU_MINUS, TAU_PLUS))
    depression = LTD * x * np.maximum(u_minus - THETA_MINUS, 0)
    potentiation = np.maximum(u - THETA_PLUS, 0) * np.maximum(u_plus - THETA_MINUS, 0)
    return float((LTP * potentiation * filtered(x, TAU_X, 0) - depression).sum())


def pairing(rate: float, lag: int) -> float:
    """The change relative to the first weight, 0.5: 15 bursts of five pairs, or at 0.1 Hz 50 pairs."""
    return (burst(rate, lag, 1) * 50 if rate < 1 else burst(rate, lag, 5) * 15) / 0.5
