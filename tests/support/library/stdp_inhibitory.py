"""Inhibitory STDP, fast."""

from __future__ import annotations

from tests.oracles.standard_stdp import inhibitory
from tests.support.rules import Rule

RULE = Rule(
    "stdp_inhibitory",
    "Vogels et al., Science 334 (2011) 1569",
    lambda pair, _: inhibitory(pair, 0.1, 0.01, 0.003, 0, 1),
    ", params: {eta: 0.01}, weight: 0.1",
)
NEGATIVE = Rule(
    "stdp_inhibitory",
    RULE.source,
    lambda pair, _: inhibitory(pair, -0.1, -0.01, 0.003, -1, 0),
    ", params: {eta: -0.01, w_min: -1, w_max: 0}, ranges: {w: [-1, 0]}, weight: -0.1",
)
MODEL = RULE.model
