"""The SHA-256 of an array's numbers, taken in pieces: with the memory of one, and the same however it is cut."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np

from neuroport.program.ir import Numbers

PIECE = 2**16
"""Numbers of a piece, about."""


def cut(values: Numbers) -> Iterator[Numbers]:
    """The rows of an array in their order, so many at a time as have about PIECE numbers; a single number by itself."""
    if not values.ndim:
        yield values
        return
    rows = max(1, PIECE // max(1, values[:1].size))
    for start in range(0, len(values), rows):
        yield values[start : start + rows]


def fingerprint(pieces: Iterable[Numbers]) -> bytes:
    """The SHA-256 of numbers one after another, as little-endian int64, or float64 where they are floating."""
    found = hashlib.sha256()
    for piece in pieces:
        plain = np.ascontiguousarray(piece, "<f8" if piece.dtype.kind == "f" else "<i8")
        found.update(plain.reshape(-1).view(np.uint8).data)
    return found.digest()
