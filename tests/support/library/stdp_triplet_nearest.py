"""Triplet STDP, nearest spikes, with the parameters of visual cortex."""

from __future__ import annotations

from tests.oracles.standard_stdp import CORTEX_NEAREST
from tests.support.rules import Rule

RULE = Rule(
    "stdp_triplet_nearest",
    "Pfister & Gerstner, J. Neurosci. 26 (2006) 9673",
    lambda pair, _: CORTEX_NEAREST.weight(pair, 0.5, 0, 1),
)
MODEL = RULE.model
