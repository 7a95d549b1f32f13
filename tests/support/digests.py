"""The digest of a run computed by hand, as docs/cli.md describes it."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable

BLOCK = 4096 * 16


def digest_of(steps: Iterable[int], neurons: Iterable[int]) -> bytes:
    """The digest of a population's spikes."""
    spikes = b"".join(struct.pack("<qq", step, neuron) for step, neuron in zip(steps, neurons, strict=True))
    chain = bytes(32)
    for start in range(0, len(spikes) + 1, BLOCK):
        chain = hashlib.sha256(chain + spikes[start : start + BLOCK]).digest()
    return chain
