"""What generated modules call besides their own functions, as Python has it; LLVM has an instruction for each."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable
from typing import Any


def inline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function whose calls are all written out."""
    return function


def prefetch(values: Any, index: int) -> None:
    """Ask for the cache line of values[index]."""


def leading_zeros(x: Any) -> int:
    """How many of the highest bits of a 64-bit word are 0."""
    return 64 - int(x).bit_length()


def trailing_zeros(x: Any) -> int:
    """How many of the lowest bits of a 64-bit word that is not 0 are 0."""
    word = int(x)
    return (word & -word).bit_length() - 1


def as_real(bits: int) -> float:
    """The float64 of the lowest 64 bits."""
    number: float = struct.unpack("<d", struct.pack("<Q", int(bits) & (2**64 - 1)))[0]
    return number


def as_bits(x: float) -> int:
    """The 64 bits of a float64."""
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits


def cycles() -> int:
    """A number that grows with time."""
    return time.perf_counter_ns()


def atomic_add(values: Any, index: int, more: int) -> int:
    """Add to an element that other threads add to as well; what it was before."""
    before = int(values[index])
    values[index] = before + more
    return before


def atomic_load(values: Any, index: int) -> int:
    """An element that other threads change, and with it all that they wrote before they did."""
    return int(values[index])


def yield_processor() -> None:
    """Let another thread have the processor."""
    time.sleep(0)


def fmod(a: float, b: float) -> float:
    """The rest of a / b with the sign of a."""
    return math.fmod(a, b)


def floor(x: float) -> float:
    """The largest whole number up to x."""
    return float(math.floor(x))
