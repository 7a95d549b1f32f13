"""The pair form of spike-timing rules in plain Python: spike trains in, weight change out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

Window = Callable[[int], float]


def triangular(tau: int) -> Window:
    """tau * max(0, 1 - d / tau): a whole number."""
    return lambda d: max(0, tau - d)


def exponential(tau: float, cut: int | None = None) -> Window:
    """exp(-d / tau), zero from lag `cut` on."""
    return lambda d: math.exp(-d / tau) if cut is None or d < cut else 0.0


def sal_change(pre: Sequence[int], post: Sequence[int], kappa: Window) -> float:
    """Sum over all pairs: -kappa for pre before post, +kappa for post before pre, nothing at the same step."""
    total = 0
    for t_pre in pre:
        for t_post in post:
            if t_post > t_pre:
                total -= kappa(t_post - t_pre)
            elif t_post < t_pre:
                total += kappa(t_pre - t_post)
    return total


def sal_change_events(pre: Sequence[int], post: Sequence[int], kappa: Window, stored: int) -> float:
    """The same by events: each spike meets at most `stored` latest earlier spikes of the other neuron."""
    total = 0
    for t in sorted({*pre, *post}):
        if t in post:
            total -= sum(kappa(t - s) for s in sorted(s for s in pre if s < t)[-stored:])
        if t in pre:
            total += sum(kappa(t - s) for s in sorted(s for s in post if s < t)[-stored:])
    return total


def sal_change_alternating(pre: Sequence[int], post: Sequence[int], kappa: Window) -> float:
    """Only pairs of neighbours: the other fired more recently than this neuron's own previous spike."""
    total = 0
    for t in sorted({*pre, *post}):
        last_pre = max((s for s in pre if s < t), default=-math.inf)
        last_post = max((s for s in post if s < t), default=-math.inf)
        if t in post and last_pre > last_post:
            total -= kappa(int(t - last_pre))
        if t in pre and last_post > last_pre:
            total += kappa(int(t - last_post))
    return total


def coincidence_change(pre: Sequence[int], post: Sequence[int], tau: int, simultaneous: float = 0.0) -> float:
    """Overlap of the rectangles of tau steps that follow the spikes, pairs at the same step weighted."""
    total = 0.0
    for t_pre in pre:
        for t_post in post:
            d = abs(t_post - t_pre)
            total += max(0, tau - d) if d else simultaneous * tau
    return total
