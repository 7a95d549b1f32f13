"""Host arithmetic: constants that follow from parameters, computed once, and again when a parameter is switched.

Reals are float64 from correctly rounded operations (neuroport.numerics.detmath), so every machine gets the same bits,
whatever the format that an executor then rounds them to. Ints are exact (neuroport.program.whole).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InternalError
from neuroport.program import functions, whole
from neuroport.program.ir import Apply, Bool, Const, Expr, Int, Numbers, Read, Real, Type
from neuroport.program.machine import Array
from neuroport.program.printer import expression
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
            raise InternalError(f"{expression(expr)} does not depend on parameters alone")


def _whole_const(value: int) -> Numbers:
    if not -(2**63) <= value < 2**63:
        raise NoValue(whole.TOO_LONG)
    return np.asarray(value, np.int64)


def _apply(fn: str, a: list[Numbers], type_: Type) -> Numbers:
    if isinstance(type_, Bool):
        return _truth(fn, a)
    if isinstance(type_, Int):
        return whole.elementwise(functions.exact(fn), a)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(functions.host(fn)(*(np.asarray(x, np.float64) for x in a)))


def _truth(fn: str, a: list[Numbers]) -> NDArray[np.int64]:
    if any(x.dtype.kind == "f" and np.isnan(x).any() for x in a):
        raise NoValue("compares what is not a number")
    return np.asarray(functions.host(fn)(*a), np.int64)


def real(values: NDArray[Any], array: Array) -> NDArray[np.float64]:
    """Raw values of an array as real numbers."""
    frac = array.type.frac if isinstance(array.type, Int) else 0
    return np.ldexp(np.asarray(values, np.float64), -frac)
