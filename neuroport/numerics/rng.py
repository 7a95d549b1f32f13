"""Counter-based random numbers: pure functions of keys, without hidden state.

    mix(z)                   z ^= z >> 30; z *= 0xBF58476D1CE4E5B9; z ^= z >> 27; z *= 0x94D049BB133111EB; z ^= z >> 31
    stream key               mix(mix(seed) + stream)
    step key                 mix(stream key + GAMMA * (step + 1))
    word of an element       mix(step key + GAMMA * (element + 1))                (64 bits)
    draw                     word >> 32, or the 16-bit quarter word >> 16*part & 0xFFFF

all modulo 2**64; GAMMA = 0x9E3779B97F4A7C15. `mix` is the finaliser of splitmix64 (Steele, Lea & Flood 2014).
A running network's draws use this with its run seed; building a network and manufacturing a chip use `Source`.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

GAMMA = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def mix(z: int) -> int:
    """The 64-bit finaliser, on Python integers."""
    z &= _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def mix_array(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same finaliser, elementwise."""
    made = z >> np.uint64(30)
    made ^= z
    made *= np.uint64(0xBF58476D1CE4E5B9)
    made ^= made >> np.uint64(27)
    made *= np.uint64(0x94D049BB133111EB)
    made ^= made >> np.uint64(31)
    return made


def stream_number(*names: str) -> int:
    """The number of the stream with these names (object, block, site): 63 bits of their SHA-256."""
    return int.from_bytes(hashlib.sha256("\0".join(names).encode()).digest()[:8], "little") >> 1


def stream_key(seed: int, stream: int) -> int:
    """The key of a stream under a run seed."""
    return mix(mix(seed) + stream)


def step_key(key: int, step: int) -> int:
    """The key of one step of a stream."""
    return mix(key + GAMMA * (step + 1))


def step_keys(key: int, steps: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The keys of many steps of a stream."""
    return words(key, steps)


def words(key: int | NDArray[np.uint64], elements: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The 64-bit words of elements under a step key, or each under the one beside it."""
    with np.errstate(over="ignore"):
        return mix_array(np.asarray(key, np.uint64) + np.uint64(GAMMA) * (elements + np.uint64(1)))


def draw(key: int, elements: NDArray[np.uint64], part: int | None = None) -> NDArray[np.uint64]:
    """The 32-bit draws of elements under a step key, or a 16-bit quarter of their words, as uint64."""
    word = words(key, elements)
    return word >> np.uint64(32) if part is None else (word >> np.uint64(16 * part)) & np.uint64(0xFFFF)
