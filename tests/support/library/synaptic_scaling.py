"""Synaptic scaling, 20 times as fast as in the paper."""

from __future__ import annotations

from tests.oracles.standard_stdp import scaled
from tests.support.rules import STEPS, Rule

RULE = Rule(
    "synaptic_scaling",
    "van Rossum, Bi & Turrigiano, J. Neurosci. 20 (2000) 8812",
    lambda pair, late: scaled(pair.post, 0.5, STEPS + late, 0.02, 5000, 8e-4, 4e-8, late),
    ", params: {tau_a: 5 s, beta: 0.0008, gamma: 0.00004 1/s}",
)
MODEL = RULE.model
