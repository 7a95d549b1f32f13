"""What a host writes by name into a machine: numbers that the machine can hold, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.numerics.given import found
from neuroport.program.constants import real
from neuroport.program.held import held, shown
from neuroport.program.ir import Int, Numbers
from neuroport.program.machine import Array, Program
from neuroport.program.plan import Declared

_FLOAT32 = float(np.finfo(np.float32).max)


def numbers(name: str, value: Any) -> Numbers:
    """Numbers as int64 or float64; InvalidInput if they are none."""
    try:
        given = np.asarray(value)
        if given.dtype.kind in "bi":
            return given.astype(np.int64)
        if given.dtype.kind in "uO" and all(_is_int64(x) for x in given.ravel().tolist()):
            return given.astype(np.int64)
        if given.dtype.kind not in "fuO" or (given.dtype.kind == "O" and any(x is None for x in given.ravel())):
            raise TypeError
        return given.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput.one(None, f"'{name}' takes numbers; found {found(value)}") from None


def _is_int64(value: Any) -> bool:
    return isinstance(value, int) and -(2**63) <= value < 2**63


def shaped(array: Array, given: Numbers) -> Numbers:
    """Values for every element of an array: one for all, one each, or one each in all copies."""
    shape = array.initial.shape
    spread = given[:, None] if len(shape) == 2 and given.ndim == 1 else given
    try:
        return np.broadcast_to(spread, shape)
    except ValueError:
        text = f"'{array.name}' has the shape {shape}, and values of the shape {given.shape} were given; give as many"
        raise InvalidInput.one(None, f"{text}, or one number for all") from None


class Checker:
    """Whether the arrays of a program hold what a host writes: the same answers whatever executes it."""

    def __init__(self, declared: Mapping[str, Declared], program: Program) -> None:
        self.declared, self.program = declared, program

    def typed(self, array: Array, values: Numbers) -> Numbers:
        """Values in the type of what they are for; InvalidInput where they are not finite, or fractions for an int."""
        said = f"'{array.name}'"
        _refuse(array, values, ~np.isfinite(values), said, "is not finite; give finite numbers")
        if self._is_int(array):
            _refuse(array, values, values != np.floor(values), said, "is no whole number, and this is an int; round it")
            _refuse(array, values, np.abs(values.astype(np.float64)) >= 2.0**63, said, "needs more than 63 bits")
            return values.astype(np.int64)
        if self.program.precision == "float32" and not array.wide:
            _refuse(array, values, np.abs(values) > _FLOAT32, said, "is too large for float32; give smaller numbers")
        return values.astype(np.float64)

    def limits(self, array: Array, values: Numbers, said: str = "") -> None:
        """InvalidInput for values outside the declared range. `said`: how the text begins, instead of the name."""
        if array.range is not None:
            low, high = array.range
            text = f"is outside {shown(low)} .. {shown(high)}, its declared range; {self._remedy(array)}"
            _refuse(array, values, (values < low) | (values > high), said or f"'{array.name}'", text)

    def raw(self, array: Array, values: Numbers, said: str = "") -> Numbers:
        """Values as the array holds them; InvalidInput for those that lie outside."""
        self.limits(array, values, said)
        array = self._added(array)
        raw, outside = held(values, array)
        if outside.any() and isinstance(array.type, Int):
            low, high = (shown(end) for end in real(np.array([array.type.lo, array.type.hi]), array))
            text = f"is outside {low} .. {high}, what it holds on chip '{self.program.chip}'; {self._remedy(array)}"
            _refuse(array, values, outside, said or f"'{array.name}'", text)
        return raw

    def _added(self, array: Array) -> Array:
        """An input without a range on a chip as what a host may add to it: its other half is what arrives."""
        if (
            array.role != "input"
            or array.range is not None
            or not isinstance(array.type, Int)
            or not self.program.integer
        ):
            return array
        return replace(array, type=replace(array.type, lo=array.type.lo // 2, hi=array.type.hi // 2))

    def _is_int(self, array: Array) -> bool:
        known = self.declared.get(array.hidden or array.name)
        if known is not None:
            return known.type == "int"
        return isinstance(array.type, Int) and not self.program.integer

    def _remedy(self, array: Array) -> str:
        owner, _, variable = (array.hidden or array.name).partition(".")
        return f"give a value inside, or a wider range with `ranges: {{{variable}: [LOW, HIGH]}}` at '{owner}'"


def _refuse(array: Array, values: Numbers, wrong: NDArray[np.bool_], said: str, text: str) -> None:
    if np.any(wrong):
        at = np.unravel_index(int(np.argmax(wrong)), np.shape(values))
        of = {"neuron": " of neuron", "synapse": " of synapse", "scalar": ""}[array.at]
        where = f"{of} {at[0]}" if at else ""
        raise InvalidInput.one(None, f"{said}: {shown(values[at])}{where} {text}")
