"""Pair STDP, all to all, additive."""

from __future__ import annotations

from tests.oracles.standard_stdp import Triplet
from tests.support.rules import Rule

ONLY_PAIRS = Triplet((20, 1, 20, 1), (0.01, 0, 0.0105, 0))

RULE = Rule(
    "stdp_pair",
    "Song, Miller & Abbott, Nature Neurosci. 3 (2000) 919",
    lambda pair, _: ONLY_PAIRS.weight(pair, 0.5, 0, 1),
)
MODEL = RULE.model
