"""Uniform between low and high."""

from __future__ import annotations

import numpy as np

from neuroport.distributions.kind import Given, Kind
from neuroport.numerics.draws import Elements, Floats, Source


def draw(given: Given, source: Source, elements: Elements) -> Floats:
    """Draw; low is 0 and high is 1 where they are not given."""
    low, high = given.get("low", 0.0), given.get("high", 1.0)
    return np.minimum(low + (high - low) * source.uniform(elements), high)


KIND = Kind(required=("low", "high"), ends=("low", "high"), draw=draw)
