"""Exponentials of normal numbers with a mean and a standard deviation; those outside of low and high are redrawn."""

from __future__ import annotations

from neuroport.distributions.kind import Given, Kind, within_bounds, wrong_sd
from neuroport.numerics import detmath
from neuroport.numerics.draws import Elements, Floats, Source


def draw(given: Given, source: Source, elements: Elements) -> Floats:
    """Draw; the mean of the logarithm is 0 and its sd 1 where they are not given."""
    mean, sd = given.get("mean", 0.0), given.get("sd", 1.0)

    def values(some: Elements, attempt: int) -> Floats:
        return detmath.exp(mean + sd * source.normal(some, attempt))

    return within_bounds(values, given, elements)


KIND = Kind(
    required=("mean", "sd"), further=("low", "high"), pure=True, not_negative=("sd",), problem=wrong_sd, draw=draw
)
