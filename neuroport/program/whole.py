"""Whole numbers on the host, elementwise: exact, or refused where they need more than 63 bits."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput, Problem
from neuroport.program.intervals import floor_div, trunc_div

LONGEST_SHIFT = 64
"""A number that is shifted further to the left does not fit into 63 bits."""
TOO_LONG = "needs more than 63 bits"


class NoValue(InvalidInput):
    """An expression over parameters that has no value. `reason` is a predicate: "needs more than 63 bits"."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__([Problem(None, f"a constant that follows from parameters {reason}")])


def apply(fn: str, args: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """A function of FUNCTIONS on ints. NoValue where a result needs more than 63 bits."""
    exact = np.frompyfunc(_FUNCTIONS[fn], len(args), 1)
    result = np.asarray(exact(*(np.asarray(a).astype(object) for a in args)), object)
    try:
        return result.astype(np.int64)
    except OverflowError:
        raise NoValue(TOO_LONG) from None


def _mod(x: int, y: int) -> int:
    return x % y if y else 0


def _shl(x: int, bits: int) -> int:
    if bits < 0:
        raise NoValue("shifts by a negative number of bits")
    return x << min(bits, LONGEST_SHIFT)


def _shr(x: int, bits: int) -> int:
    if bits < 0:
        raise NoValue("shifts by a negative number of bits")
    return x >> min(bits, LONGEST_SHIFT)


def _wrap(x: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return (x + half) % (2 * half) - half


def _clip(x: int, low: int, high: int) -> int:
    return min(max(x, low), high)


def _select(condition: int, one: int, other: int) -> int:
    return one if condition else other


_FUNCTIONS: dict[str, Callable[..., int]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
    "abs": abs,
    "min": min,
    "max": max,
    "clip": _clip,
    "select": _select,
    "floordiv": floor_div,
    "mod": _mod,
    "trunc_div": trunc_div,
    "shl": _shl,
    "shr": _shr,
    "wrap": _wrap,
}
