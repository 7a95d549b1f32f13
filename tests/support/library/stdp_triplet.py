"""Triplet STDP, all to all, with the parameters of visual cortex."""

from __future__ import annotations

from tests.oracles.standard_stdp import CORTEX
from tests.support.rules import Rule

RULE = Rule(
    "stdp_triplet", "Pfister & Gerstner, J. Neurosci. 26 (2006) 9673", lambda pair, _: CORTEX.weight(pair, 0.5, 0, 1)
)
MODEL = RULE.model
