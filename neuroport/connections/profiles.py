"""How the probability of a connection falls with distance: by name, as functions of distance over length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics import detmath

Floats = NDArray[np.float64]
LEAST = 2.0**-52
"""Smaller probabilities count as 0: random numbers do not tell them apart."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A function of distance / length, at most 1, which never rises.

    `reach`: from where on it is less than LEAST; `volumes`: its integrals over 1, 2 and 3 dimensions.
    """

    at: Callable[[Floats], Floats]
    reach: float
    volumes: tuple[float, float, float]


PROFILES = {
    "gaussian": Profile(lambda x: detmath.exp(-0.5 * x * x), 8.5, (2.507, 6.283, 15.75)),
    "exponential": Profile(lambda x: detmath.exp(-x), 36.1, (2.0, 6.283, 25.13)),
    "linear": Profile(lambda x: np.maximum(0.0, 1.0 - x), 1.0, (1.0, 1.047, 1.047)),
    "flat": Profile(lambda x: (x <= 1.0).astype(np.float64), 1.0, (2.0, 3.142, 4.189)),
}
