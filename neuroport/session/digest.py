"""A digest of spikes that can be saved in the middle of a run: a chain of hashes over blocks of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096
"""Spikes of a block."""
BYTES = 16 * BLOCK


@dataclass(frozen=True, slots=True)
class Links:
    """A chain so far: the hash after the last whole block (32 bytes), and the spikes since, 16 bytes each."""

    hash: bytes = bytes(32)
    rest: bytes = b""


class Chain:
    """The digest of the spikes of one population, taken in any pieces.

    It starts with 32 zero bytes and becomes the SHA-256 of itself and the next block of 4,096 spikes, at the end of
    itself and the rest. A spike is two little-endian int64, step and neuron.
    """

    def __init__(self, links: Links | None = None) -> None:
        self._hash, self._rest = (links or Links()).hash, bytearray((links or Links()).rest)

    def add(self, steps: NDArray[np.int64], neurons: NDArray[np.int64]) -> None:
        """Take the next spikes."""
        pairs = np.empty((len(steps), 2), "<i8")
        pairs[:, 0], pairs[:, 1] = steps, neurons
        self._rest += pairs.tobytes()
        whole = len(self._rest) // BYTES * BYTES
        for start in range(0, whole, BYTES):
            self._hash = hashlib.sha256(self._hash + self._rest[start : start + BYTES]).digest()
        del self._rest[:whole]

    @property
    def links(self) -> Links:
        """What `Chain` goes on from."""
        return Links(self._hash, bytes(self._rest))

    def digest(self) -> bytes:
        """The digest of the spikes so far, 32 bytes."""
        return hashlib.sha256(self._hash + self._rest).digest()
