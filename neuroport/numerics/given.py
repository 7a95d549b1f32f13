"""Whole numbers and seeds as a caller gives them: Python's or NumPy's, of one kind everywhere."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from neuroport.errors import InvalidInput, Place

LARGEST_SEED = 2**63 - 1
"""Traces and chip instances hold seeds as signed 64-bit numbers."""


def whole(value: Any) -> int | None:
    """A whole number of Python or NumPy as an int; None for everything else, truth values too."""
    is_whole = isinstance(value, Integral) and not isinstance(value, bool)
    return int(value) if is_whole else None


def checked_seed(value: Any, what: str = "a seed", place: Place | None = None) -> int:
    """The seed of a network, a run or a chip as an int. InvalidInput, about `what` at `place`, for what is none."""
    seed = whole(value)
    if seed is None or not 0 <= seed <= LARGEST_SEED:
        raise InvalidInput.one(place, f"{what} must be a whole number from 0 to 2**63 - 1; found {value!r}")
    return seed
