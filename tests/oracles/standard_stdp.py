"""Rules of spike timing from lists of spikes: sums over earlier spikes, event after event; nothing is stepped.

Times are in ms. Of spikes at the same time the presynaptic one comes first, and each sees the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp

Times = Sequence[float]


@dataclass(frozen=True)
class Pair:
    """The spikes of two neurons, sorted."""

    pre: Times
    post: Times

    def events(self) -> list[tuple[float, int]]:
        """All spikes in the order in which they are handled; 0 is a presynaptic one, 1 a postsynaptic one."""
        return sorted([(time, 0) for time in self.pre] + [(time, 1) for time in self.post])


def until(times: Times, at: float, tau: float) -> float:
    """The sum of exp(-distance / tau) over all spikes up to a time."""
    return sum(exp(-(at - time) / tau) for time in times if time <= at)


def before(times: Times, at: float, tau: float) -> float:
    """The same over spikes before it."""
    return sum(exp(-(at - time) / tau) for time in times if time < at)


def last(times: Times, at: float, tau: float) -> float:
    """exp(-distance / tau) of the last spike up to a time."""
    return max((exp(-(at - time) / tau) for time in times if time <= at), default=0.0)


def last_before(times: Times, at: float, tau: float) -> float:
    """The same of the last spike before it."""
    return max((exp(-(at - time) / tau) for time in times if time < at), default=0.0)


@dataclass(frozen=True)
class Triplet:
    """Pfister & Gerstner (2006): time constants plus, x, minus, y in ms; amplitudes a2+, a3+, a2-, a3-."""

    tau: tuple[float, float, float, float]
    a: tuple[float, float, float, float]
    nearest: bool = False

    def weight(self, pair: Pair, w: float, low: float, high: float) -> float:
        """The weight after all spikes, which stays between the bounds."""
        near, earlier = (last, last_before) if self.nearest else (until, before)
        plus, x, minus, y = self.tau
        for time, post in pair.events():
            if post:
                w += near(pair.pre, time, plus) * (self.a[0] + self.a[1] * earlier(pair.post, time, y))
            else:
                w -= near(pair.post, time, minus) * (self.a[2] + self.a[3] * earlier(pair.pre, time, x))
            w = min(max(w, low), high)
        return w


CORTEX = Triplet((16.8, 101, 33.7, 125), (5e-10, 6.2e-3, 7e-3, 2.3e-4))
CORTEX_NEAREST = Triplet((16.8, 714, 33.7, 40), (8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3), nearest=True)


def inhibitory(pair: Pair, w: float, eta: float, goal: float, low: float, high: float, tau: float = 20.0) -> float:
    """Vogels et al. (2011): the weight after all spikes; the goal in kHz."""
    for time, post in pair.events():
        change = until(pair.pre, time, tau) if post else until(pair.post, time, tau) - 2 * goal * tau
        w = min(max(w + eta * change, low), high)
    return w


@dataclass
class Eligibility:
    """A rule that writes what pairs of spikes would change into an eligibility, and that into the weight when rewarded.

    `grown(span, eligibility, other)`: what the weight grows by in a span (ms) that begins with these. `other` is what
    else decays, with tau_other: dopamine.
    """

    plus: float
    minus: float
    nearest: bool
    tau: float
    grown: Callable[[float, float, float], float]
    tau_other: float = 1.0
    tau_pair: float = 20.0
    rewards: Sequence[tuple[float, float]] = field(default=())

    def weight(self, pair: Pair, w: float, end: float, low: float, high: float, late: float = 0.0) -> float:
        """The weight at a time; spikes reach the synapse `late` ms after they are fired."""
        spikes = [(time + late, kind, time) for time, kind in pair.events()]
        events = sorted([*spikes, *((time, 2, amount) for time, amount in self.rewards), (end, 3, 0.0)])
        now = eligibility = other = 0.0
        near = last if self.nearest else until
        for time, kind, value in events:
            w = min(max(w + self.grown(time - now, eligibility, other), low), high)
            eligibility *= exp(-(time - now) / self.tau)
            other *= exp(-(time - now) / self.tau_other)
            now = time
            if kind == 0:
                eligibility -= self.minus * near(pair.post, value, self.tau_pair)
            elif kind == 1:
                eligibility += self.plus * near(pair.pre, value, self.tau_pair)
            elif kind == 2:
                other += value
        return w


def dopamine(rewards: Sequence[tuple[float, float]], eta: float) -> Eligibility:
    """Izhikevich (2007), with these releases of dopamine (ms, amount)."""
    c, d = 1000.0, 200.0
    both = 1 / (1 / c + 1 / d)

    def grown(span: float, eligibility: float, level: float) -> float:
        tonic = 0.002 * c * (1 - exp(-span / c))
        return eta * eligibility * (tonic + level * both * (1 - exp(-span / both)))

    return Eligibility(0.1, 0.15, True, c, grown, d, rewards=rewards)


def reward(eta: float, value: float, tau: float = 25.0) -> Eligibility:
    """Florian (2007) with a constant reward."""
    return Eligibility(1.0, 1.0, False, tau, lambda span, e, _: eta * value * e * tau * (1 - exp(-span / tau)))


def scaled(post: Times, w: float, end: float, goal: float, tau: float, beta: float, gamma: float, late: float) -> float:
    """Van Rossum et al. (2000) without STDP: the weight at a time, integrated by hand from spike to spike.

    The goal in kHz, tau in ms, beta in 1 / (ms kHz), gamma in 1 / (ms^2 kHz); the sensor begins at 20 Hz.
    """
    now, a, q = 0.0, 0.02, 0.0
    for time in [*(time + late for time in post), end]:
        span, kept = time - now, exp(-(time - now) / tau)
        missed = goal * span - a * tau * (1 - kept)
        integral = q * span + goal * span**2 / 2 - a * tau * (span - tau * (1 - kept))
        w *= exp(beta * missed + gamma * integral)
        now, q, a = time, q + missed, a * kept + 1 / tau
    return w
