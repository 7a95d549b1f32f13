"""Arrays that have one number for all elements, in memory once, and large arrays in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

N = TypeVar("N", bound=np.generic)

PIECE = 1 << 16
"""Numbers that are looked at at once."""


def is_repeated(values: NDArray[Any]) -> bool:
    """Whether a row of numbers is one number that memory has once."""
    return values.ndim == 1 and values.size > 1 and values.strides == (0,)


def once(values: NDArray[N]) -> NDArray[N]:
    """The one number of a row that is repeated, or all of another array."""
    return values[:1] if is_repeated(values) else values


def alike(values: NDArray[N], other: NDArray[Any]) -> NDArray[N]:
    """What was made of `once` of an array, as often as that has numbers."""
    return np.broadcast_to(values, other.shape) if is_repeated(other) else values


def pieces(size: int) -> Iterator[slice]:
    """Pieces of a row of so many numbers."""
    return (slice(begin, begin + PIECE) for begin in range(0, size, PIECE))


def are_finite(values: NDArray[Any]) -> bool:
    """Whether all numbers are."""
    row = once(values).reshape(-1)
    return all(np.isfinite(row[piece]).all() for piece in pieces(row.size))


def outside(values: NDArray[Any], low: float, high: float) -> int:
    """How many numbers lie outside these limits."""
    row = once(values).reshape(-1)
    found = sum(int(np.count_nonzero((row[piece] < low) | (row[piece] > high))) for piece in pieces(row.size))
    return found * (values.size // max(row.size, 1))
