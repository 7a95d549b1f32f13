"""STDP gated by a neuromodulator of one neuron, which is released three times and expected a little."""

from __future__ import annotations

from math import exp

from tests.oracles.standard_stdp import Pair, until
from tests.support.rules import LATE, STEPS, Rule

RELEASES = {500: 1.0, 900: -0.5, 1500: 1.0}  # ms: how much
EXPECTED, ETA = 0.0625, 0.002
TAU_M, TAU_E, TAU, PLUS, MINUS = 200.0, 1000.0, 20.0, 0.1, 0.15


def weight(pair: Pair, late: float) -> float:
    """The weight at the end, step by step: each sees the neuromodulator as the step before has left it."""
    dt = late / LATE
    pre, post = ({round(time / dt): time for time in times} for times in (pair.pre, pair.post))
    released = {round(time / dt): amount for time, amount in RELEASES.items()}
    w, e, m = 1.0, 0.0, 0.0
    for step in range(round((STEPS + late) / dt)):
        w += ETA * (m - EXPECTED) * e * TAU_E * (1 - exp(-dt / TAU_E))
        w = min(max(w, 0.0), 4.0)
        e *= exp(-dt / TAU_E)
        if step - 1 in pre:
            e -= MINUS * until(pair.post, pre[step - 1], TAU)
        if step - 1 in post:
            e += PLUS * until(pair.pre, post[step - 1], TAU)
        m = m * exp(-dt / TAU_M) + released.get(step, 0.0)
    return w


RULE = Rule(
    "stdp_modulated",
    "Izhikevich, Cereb. Cortex 17 (2007) 2443",
    weight,
    f", modulators: {{dopamine: vta.m}}, params: {{eta: {ETA} 1/ms, expected: {EXPECTED}}}",
    {
        time: lambda session, amount=amount: session.inject("vta.release", [0], amount)
        for time, amount in RELEASES.items()
    },
    "  vta: {size: 1, neuron: neuromodulator}",
)
MODEL = RULE.model
