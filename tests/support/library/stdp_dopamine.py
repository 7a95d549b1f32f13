"""STDP gated by dopamine, with three rewards."""

from __future__ import annotations

from tests.oracles.standard_stdp import dopamine
from tests.support.rules import STEPS, Rule

REWARDS = (500, 900, 1500)  # ms

RULE = Rule(
    "stdp_dopamine",
    "Izhikevich, Cereb. Cortex 17 (2007) 2443",
    lambda pair, late: dopamine([(time, 0.5) for time in REWARDS], 0.001).weight(pair, 1, STEPS + late, 0, 4, late),
    ", params: {eta: 0.001 1/ms}",
    {time: lambda session: session.trigger("reward") for time in REWARDS},
)
MODEL = RULE.model
