"""Spikes of some neurons of a population, counted for the metrics that are about these."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.metrics.rate import Rate
from neuroport.program.plan import Plan


class Tallies:
    """Counts the spikes of the parts of populations that metrics name; `counts`: by metric."""

    def __init__(self, plan: Plan, copies: int) -> None:
        rates = [metric for metric in plan.metrics if isinstance(metric, Rate)]
        self._parts = {m.name: (m.of, m.part.neurons) for m in rates if m.part is not None}
        self._copies = copies
        self.counts = dict.fromkeys(self._parts, 0)

    def feed(self, population: str, neurons: NDArray[np.int64]) -> None:
        """Take spikes of a population."""
        for metric, (of, part) in self._parts.items():
            if of == population:
                self.counts[metric] += int(np.count_nonzero(np.isin(neurons // self._copies, part)))

    def clear(self) -> None:
        """Count from 0 again."""
        self.counts = dict.fromkeys(self._parts, 0)
