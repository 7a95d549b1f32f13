"""Short-term plasticity (Tsodyks, Pawelzik & Markram 1998) from spike to spike: nothing is stepped between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Synapse:
    """Time constants in ms; without facilitation u is always U. `amplitude` in nA."""

    amplitude: float
    use: float
    recovery: float
    inactivation: float
    facilitation: float = 0.0


DEPRESSING = Synapse(0.25, 0.5, 800.0, 3.0)
FACILITATING = Synapse(1.54, 0.03, 130.0, 1.5, 530.0)


def released(synapse: Synapse, times: Values) -> Values:
    """The active resources just after each spike (ms)."""
    active = inactive = running = 0.0
    found = []
    for n, passed in enumerate(np.diff(times, prepend=times[0])):
        grown = synapse.recovery / (synapse.recovery - synapse.inactivation)
        slow, fast = np.exp(-passed / synapse.recovery), np.exp(-passed / synapse.inactivation)
        inactive = inactive * slow + active * grown * (slow - fast)
        active *= fast
        if synapse.facilitation:
            running = running * np.exp(-passed / synapse.facilitation) if n else 0.0
            running += synapse.use * (1 - running)
        else:
            running = synapse.use
        active += running * (1 - active - inactive)
        found.append(active)
    return np.array(found)


def voltage(synapse: Synapse, times: Values, at: Values, tau: float = 40.0, resistance: float = 100.0) -> Values:
    """The voltage (mV) of a passive cell: each spike's new resources act as a current that decays alone."""
    active = released(synapse, times)
    left = np.append(0.0, active[:-1] * np.exp(-np.diff(times) / synapse.inactivation))
    new = synapse.amplitude * (active - left)
    since = at[:, None] - times[None, :]
    rise = resistance * synapse.inactivation / (tau - synapse.inactivation)
    shape = np.exp(-np.maximum(since, 0) / tau) - np.exp(-np.maximum(since, 0) / synapse.inactivation)
    return np.where(since > 0, rise * shape, 0.0) @ new
