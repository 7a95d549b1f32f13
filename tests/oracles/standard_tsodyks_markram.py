"""Short-term plasticity from spike to spike, with available resources (Tsodyks, Pawelzik & Markram 1998)."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp


def released(times: Sequence[float], use: float, recovery: float, facilitation: float = 0.0) -> list[float]:
    """The share of all resources that each spike (ms) releases; without facilitation u is always `use`."""
    found = []
    available, running = 1.0, use
    for n, time in enumerate(times):
        if n:
            passed = time - times[n - 1]
            available = 1 + (available * (1 - running) - 1) * exp(-passed / recovery)
            running = use + running * (1 - use) * (exp(-passed / facilitation) if facilitation else 0.0)
        found.append(running * available)
    return found
