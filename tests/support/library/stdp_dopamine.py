"""STDP gated by dopamine, with three rewards."""

from __future__ import annotations

from tests.oracles.standard_stdp import dopamine
from tests.support.rules import END, LATE, Rule

REWARDS = (500, 900, 1500)  # ms

RULE = Rule(
    "stdp_dopamine",
    "Izhikevich, Cereb. Cortex 17 (2007) 2443",
    lambda pair: dopamine([(time, 0.5) for time in REWARDS], 0.001).weight(pair, 1, END, 0, 4, LATE),
    ", params: {eta: 0.001}",
    {time: lambda session: session.trigger("reward") for time in REWARDS},
)
MODEL = RULE.model
