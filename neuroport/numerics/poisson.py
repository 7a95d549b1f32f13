"""Counts of a Poisson distribution, drawn by comparisons alone, so that every arithmetic gets the same ones.

A count of mean m <= M is a count of mean M of whose events each is kept with probability m / M. That of mean M is
larger than j where a uniform number is below the probability of that: `tails`, in units of 2**-TAIL_BITS.
"""

from __future__ import annotations

from functools import cache

from neuroport.numerics import detmath

LARGEST_MEAN = 32
TAIL_BITS = 24
"""Bits of the probabilities, which every arithmetic holds and a uniform number of float32 has."""


@cache
def tails(mean: int) -> tuple[int, ...]:
    """The probabilities of more than 0, 1, 2, ... events, down to the last that is not 0 in units of 2**-TAIL_BITS."""
    term = float(detmath.exp(-float(mean)))
    found, left = [], 1.0 - term
    while round(left * 2**TAIL_BITS) > 0:
        found.append(round(left * 2**TAIL_BITS))
        term = term * mean / len(found)
        left -= term
    return tuple(found)
