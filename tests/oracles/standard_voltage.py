"""Voltage-based STDP (Clopath et al. 2010) onto the neuron of its Methods, in fine steps.

A spike lasts 2 ms at 31.1 mV and ends at -49.5 mV. The low-passed voltages are those of the whole past, in which a
spike that has not ended has not begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

FINE = 0.005  # ms
REST, SPIKE, RESET, LENGTH = -70.6, 31.1, -49.5, 2.0


@dataclass
class Neuron:
    """Voltage u, adaptation and afterdepolarisation (pA), threshold; `old` and `new`: u low-passed with 10 and 7 ms."""

    u: float = REST
    adaptation: float = 0.0
    after: float = 0.0
    threshold: float = -50.4
    old: float = REST
    new: float = REST
    left: float = 0.0
    spikes: list[float] = field(default_factory=list)

    def step(self, time: float, current: float, kick: float) -> None:
        """FINE ms with a current (pA), after a jump of the voltage."""
        self.after -= FINE * self.after / 40
        self.threshold += FINE * (-50.4 - self.threshold) / 50
        if self.left > 0:
            self._held()
            return
        self.old += FINE * (self.u - self.old) / 10
        self.new += FINE * (self.u - self.new) / 7
        upstroke = 60 * np.exp((self.u - self.threshold) / 2)
        rise = (30 * (REST - self.u) + upstroke - self.adaptation + self.after + current) / 281
        self.adaptation += FINE * (4 * (self.u - REST) - self.adaptation) / 144
        self.u += FINE * rise + kick
        if self.u > 20:
            self.u, self.left = SPIKE, LENGTH
            self.spikes.append(time)

    def _held(self) -> None:
        self.left -= FINE
        if self.left < FINE / 2:
            self.left = 0.0
            self.old = SPIKE + (self.old - SPIKE) * np.exp(-LENGTH / 10)
            self.new = SPIKE + (self.new - SPIKE) * np.exp(-LENGTH / 7)
            self.u, self.after, self.threshold = RESET, 400.0, -30.4
            self.adaptation += 80.5


def change(pre: Sequence[float], kicks: Sequence[float], end: float, current: float = 0.0) -> tuple[float, list[float]]:
    """How much the weight changes until `end` (ms), and when the neuron spikes: kicks of 100 mV, a current in pA."""
    neuron, x, w = Neuron(), 0.0, 0.0
    arrivals, jumps = ({round(time / FINE) for time in times} for times in (pre, kicks))
    for k in range(round(end / FINE)):
        if k in arrivals:
            w -= 14e-5 * max(neuron.old + 70.6, 0)
            x += 1 / 15
        w += FINE * 8e-5 * x * max(neuron.u + 45.3, 0) * max(neuron.new + 70.6, 0)
        x -= FINE * x / 15
        neuron.step(k * FINE, current, 100.0 if k in jumps else 0.0)
    return w, neuron.spikes
