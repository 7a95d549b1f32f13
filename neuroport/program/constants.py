"""Host arithmetic: constants that follow from parameters, computed once, and again when a parameter is switched.

Reals are float64 from correctly rounded operations (neuroport.numerics.detmath), so every machine gets the same bits,
whatever the format that an executor then rounds them to. Ints are exact (neuroport.program.whole).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics import detmath
from neuroport.program import whole
from neuroport.program.ir import Apply, Const, Expr, Int, Numbers, Read, Real
from neuroport.program.machine import Array
from neuroport.program.whole import NoValue


def evaluate(expr: Expr, values: Mapping[str, Numbers]) -> Numbers:
    """The value of an expression over parameters only, elementwise; float64 or int64 (truth values as int64).

    Reals may be infinite or no number. NoValue for an int that needs more than 63 bits, and for what has no meaning.
    """
    match expr:
        case Const(value=value, type=type_):
            return np.asarray(value, np.float64) if isinstance(type_, Real) else _whole_const(int(value))
        case Read(array=array):
            return values[array]
        case Apply(fn=fn, args=args, type=type_):
            return _apply(fn, [evaluate(a, values) for a in args], type_)
        case _:
            raise ValueError(f"{expr} does not depend on parameters alone")


def _whole_const(value: int) -> Numbers:
    if not -(2**63) <= value < 2**63:
        raise NoValue(whole.TOO_LONG)
    return np.asarray(value, np.int64)


def _apply(fn: str, a: list[Numbers], type_: object) -> Numbers:
    if fn in ("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"):
        return _truth(fn, a)
    if isinstance(type_, Int):
        return whole.apply(fn, a)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return _real(fn, [np.asarray(x, np.float64) for x in a])


def _real(fn: str, a: list[NDArray[np.float64]]) -> Numbers:
    match fn:
        case "add":
            return np.asarray(a[0] + a[1])
        case "sub":
            return np.asarray(a[0] - a[1])
        case "mul":
            return np.asarray(a[0] * a[1])
        case "div":
            return np.asarray(a[0] / a[1])
        case "neg":
            return np.asarray(-a[0])
        case "abs":
            return np.asarray(abs(a[0]))
        case "min":
            return np.asarray(np.minimum(a[0], a[1]))
        case "max":
            return np.asarray(np.maximum(a[0], a[1]))
        case "clip":
            return np.asarray(np.minimum(np.maximum(a[0], a[1]), a[2]))
        case "select":
            return np.where(a[0] != 0, a[1], a[2])
        case "to_real":
            return a[0]
        case "exp" | "log" | "sqrt" | "tanh" | "sigmoid" | "softplus":
            return np.asarray(getattr(detmath, fn)(a[0]))
        case _:
            raise ValueError(f"no host arithmetic for '{fn}'")


def _truth(fn: str, a: list[Numbers]) -> NDArray[np.int64]:
    if any(x.dtype.kind == "f" and np.isnan(x).any() for x in a):
        raise NoValue("compares what is not a number")
    compare: dict[str, np.ufunc] = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
    compare |= {"eq": np.equal, "ne": np.not_equal, "and": np.logical_and, "or": np.logical_or}
    if fn in ("and", "or", "not"):
        a = [x != 0 for x in a]
    result = np.logical_not(a[0]) if fn == "not" else compare[fn](a[0], a[1])
    return np.asarray(result, np.int64)


def real(values: NDArray[Any], array: Array) -> NDArray[np.float64]:
    """Raw values of an array as real numbers."""
    frac = array.type.frac if isinstance(array.type, Int) else 0
    return np.ldexp(np.asarray(values, np.float64), -frac)
