"""Bounds that a program states for its values, and what the host gives its arrays held against them."""

from __future__ import annotations

import numpy as np

from neuroport.errors import InvalidInput
from neuroport.program.ir import (
    Bool,
    Const,
    Expr,
    Int,
    Numbers,
    Real,
)
from neuroport.program.machine import Array, Program
from neuroport.program.repeated import once


def bounds(expr: Expr) -> tuple[int, int]:
    """The bounds of an integer expression; a literal's are its value, whatever its type says."""
    if isinstance(expr, Const):
        return int(expr.value), int(expr.value)
    return (expr.type.lo, expr.type.hi) if isinstance(expr.type, Int) else (0, 1)


def checked(program: Program, array: Array, values: Numbers) -> Numbers:
    """Values that the host gives an array, as every executor accepts them; InvalidInput for others."""
    if values.shape != array.initial.shape:
        raise _refused(array, f"the values have shape {values.shape}; the array has {array.initial.shape}")
    if isinstance(array.type, Real) or not values.size:
        return values
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        raise _refused(array, "fractions were given; the array takes whole numbers")
    if isinstance(array.type, Bool) and not np.isin(values, (0, 1)).all():
        raise _refused(array, "the array takes only 0 and 1")
    within_bounds(program, array, values)
    return values


def within_bounds(program: Program, array: Array, values: Numbers) -> None:
    """InvalidInput for raw integers outside the bounds of an array's format."""
    if not (isinstance(array.type, Int) and program.integer and values.size):
        return
    low, high = int(once(values).min()), int(once(values).max())
    if low < array.type.lo or high > array.type.hi:
        found = low if low < array.type.lo else high
        raise _refused(
            array,
            f"the raw value {found} is outside {array.type.lo}..{array.type.hi}, the range of its format. Give it a "
            f"wider range or smaller values",
        )


def _refused(array: Array, text: str) -> InvalidInput:
    return InvalidInput.one(None, f"{array.name}: {text}")
