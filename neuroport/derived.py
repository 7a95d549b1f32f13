"""Host arithmetic: constants that follow from parameters, computed once, and again when a parameter is switched.

Everything here is float64 from correctly rounded operations (neuroport.detmath), so every machine gets the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport import detmath
from neuroport.errors import RunFailed
from neuroport.executor import Executor
from neuroport.program import Apply, Array, Const, Expr, Int, Numbers, Program, Read, Real, walk


def evaluate(expr: Expr, values: Mapping[str, Numbers]) -> Numbers:
    """The value of an expression over parameters only, elementwise; float64 or int64 (truth values as int64)."""
    match expr:
        case Const(value=value, type=type_):
            return np.asarray(value, np.float64 if isinstance(type_, Real) else np.int64)
        case Read(array=array):
            return values[array]
        case Apply(fn=fn, args=args):
            return _apply(fn, [evaluate(a, values) for a in args])
        case _:
            raise ValueError(f"{expr} does not depend on parameters alone")


def _apply(fn: str, a: list[Numbers]) -> Numbers:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        match fn:
            case "add":
                return a[0] + a[1]
            case "sub":
                return a[0] - a[1]
            case "mul":
                return a[0] * a[1]
            case "div":
                return np.asarray(a[0] / a[1], np.float64)
            case "neg":
                return -a[0]
            case "abs":
                return abs(a[0])
            case "min":
                return np.minimum(a[0], a[1])
            case "max":
                return np.maximum(a[0], a[1])
            case "clip":
                return np.minimum(np.maximum(a[0], a[1]), a[2])
            case "select":
                return np.where(a[0] != 0, a[1], a[2])
            case "to_real":
                return np.asarray(a[0], np.float64)
            case "exp" | "log" | "sqrt" | "tanh" | "sigmoid" | "softplus":
                return np.asarray(getattr(detmath, fn)(np.asarray(a[0], np.float64)), np.float64)
            case "lt" | "le" | "gt" | "ge" | "eq" | "ne" | "and" | "or" | "not":
                return _truth(fn, a)
            case _:
                return _integer(fn, a)


def _truth(fn: str, a: list[Numbers]) -> NDArray[np.int64]:
    compare: dict[str, np.ufunc] = {"lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}
    compare |= {"eq": np.equal, "ne": np.not_equal, "and": np.logical_and, "or": np.logical_or}
    result = np.logical_not(a[0]) if fn == "not" else compare[fn](a[0], a[1])
    return np.asarray(result, np.int64)


def _integer(fn: str, a: list[Numbers]) -> NDArray[np.int64]:
    x, y = np.asarray(a[0], np.int64), np.asarray(a[1], np.int64)
    match fn:
        case "floordiv":
            return np.where(y == 0, 0, x // np.where(y == 0, 1, y))
        case "mod":
            return np.where(y == 0, 0, x % np.where(y == 0, 1, y))
        case "shl":
            return x << y
        case "shr":
            return x >> y
        case "trunc_div":
            return np.asarray(np.sign(x) * np.sign(y) * (abs(x) // np.where(y == 0, 1, abs(y))))
        case "wrap":
            span = np.int64(1) << y
            return np.asarray((x + span // 2) % span - span // 2)
        case _:
            raise ValueError(f"no host arithmetic for '{fn}'")


class Switchboard:
    """The current real values of a program's parameters, and how a change reaches an executor."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._values: dict[str, Numbers] = dict(program.constants)

    def value(self, name: str) -> float:
        """The current real value of a scalar parameter."""
        return float(self._values[name].ravel()[0])

    def set(self, executor: Executor, changes: Mapping[str, float]) -> None:
        """Give dynamic scalar parameters new real values (coherent units) and recompute all that follows from them.

        Raises RunFailed for a value outside the range that its array was built for.
        """
        changed: set[str] = set()
        for name, value in changes.items():
            array = self._program.arrays.get(name)
            low, high = array.range if array is not None and array.range is not None else (value, value)
            if not low <= value <= high:
                raise RunFailed(f"{name} = {value:g} is outside {low:g} .. {high:g}, the range it was compiled for")
            integer = array is not None and isinstance(array.type, Int) and array.type.frac == 0
            shape = np.shape(self._values[name]) if name in self._values else ()
            self._values[name] = np.full(
                shape, value, np.int64 if integer and float(value).is_integer() else np.float64
            )
            changed.add(name)
            if array is not None:
                executor.write(name, raw(self._values[name], array.type))
        for derived in self._program.derived:
            reads = {e.array for e in walk(derived.value) if isinstance(e, Read)}
            if reads & changed:
                changed.add(derived.array)
                self._values[derived.array] = evaluate(derived.value, self._values)
                array = self._program.arrays.get(derived.array)
                if array is not None:
                    numbers = np.broadcast_to(self._values[derived.array], array.initial.shape)
                    executor.write(derived.array, raw(numbers, array.type))


def raw(value: Numbers, type_: object) -> Numbers:
    """Real values as an array of this type holds them: rounded to the nearest (half away from zero) and clipped."""
    if not isinstance(type_, Int):
        return np.asarray(value, np.float64)
    if np.issubdtype(np.asarray(value).dtype, np.integer) and type_.frac == 0:
        return np.clip(np.asarray(value, np.int64), type_.lo, type_.hi)
    scaled = np.ldexp(np.asarray(value, np.float64), type_.frac)
    nearest = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)
    return np.clip(nearest, float(type_.lo), float(type_.hi)).astype(np.int64)


def real(values: NDArray[Any], array: Array) -> NDArray[np.float64]:
    """Raw values of an array as real numbers."""
    frac = array.type.frac if isinstance(array.type, Int) else 0
    return np.ldexp(np.asarray(values, np.float64), -frac)
