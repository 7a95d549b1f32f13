"""Numbers as GeNN's scanner takes them: it knows integer literals of 32 bits only."""

from __future__ import annotations

import math

import numpy as np

C_TYPE = {"i4": "int32_t", "i8": "int64_t", "u8": "uint64_t", "b": "bool", "d": "double"}


def integer(value: int) -> str:
    """A signed integer, as an int32_t where it fits and as an int64_t otherwise."""
    if -(2**31) < value < 2**31:
        return str(value) if value >= 0 else f"({value})"
    if value == -(2**31):
        return "(-2147483647 - 1)"
    return f"((int64_t){unsigned(value & (2**64 - 1))})"


def unsigned(value: int) -> str:
    """A uint64_t."""
    if value < 2**31:
        return f"(uint64_t){value}"
    if value < 2**32:
        return f"(uint64_t){value}u"
    if value & (value - 1) == 0:
        return f"((uint64_t)1 << {value.bit_length() - 1})"
    return f"(((uint64_t){value >> 32}u << 32) | (uint64_t){value & 0xFFFFFFFF}u)"


def real(value: float, precision: str) -> str:
    """A real number in float32 or float64, exactly."""
    single = precision == "float32"
    suffix = "f" if single else "d"
    if single:
        value = float(np.float32(value))
    if math.isnan(value):
        return f"(0.0{suffix} / 0.0{suffix})"
    if math.isinf(value):
        return f"({'-' if value < 0 else ''}1.0{suffix} / 0.0{suffix})"
    text = repr(value) + suffix
    return text if value >= 0 and not text.startswith("-") else f"({text})"
