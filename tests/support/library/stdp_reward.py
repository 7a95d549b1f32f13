"""Reward-modulated STDP under a constant punishment."""

from __future__ import annotations

from tests.oracles.standard_stdp import reward
from tests.support.rules import STEPS, Rule

RULE = Rule(
    "stdp_reward",
    "Florian, Neural Comput. 19 (2007) 1468",
    lambda pair, late: reward(0.001, -0.5).weight(pair, 0.5, STEPS + late, 0, 1, late),
    ", params: {eta: 0.001 1/ms, reward: -0.5}",
)
MODEL = RULE.model
