"""What a host writes by name into a machine: numbers that the machine can hold, or a sentence that says why not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.numerics.given import found
from neuroport.program.constants import real
from neuroport.program.held import held, is_short, nearest, shown
from neuroport.program.ir import Int, Numbers
from neuroport.program.machine import Array, Program
from neuroport.program.plan import Declared

Cells = NDArray[np.int64]

_PLAIN = frozenset({int, float})
_LONG = 2.0**62
_LARGEST = float(np.finfo(np.float64).max)
_FLOAT32 = float(np.finfo(np.float32).max)


def numbers(name: str, value: Any) -> Numbers:
    """Numbers as int64 or float64; InvalidInput if they are none: truth values and masked arrays are not."""
    try:
        if _is_odd(value):
            raise TypeError
        given = np.asarray(value)
        if given.dtype.kind == "i":
            return given.astype(np.int64)
        if given.dtype.kind in "uO" and all(_is_int64(x) for x in given.ravel().tolist()):
            return given.astype(np.int64)
        if given.dtype.kind not in "fuO" or (given.dtype.kind == "O" and any(_is_odd(x) for x in given.ravel())):
            raise TypeError
        return given.astype(np.float64)
    except (TypeError, ValueError, OverflowError, RecursionError):
        raise InvalidInput.one(None, f"'{name}' takes numbers; found {found(value)}") from None


def _is_odd(value: Any) -> bool:
    """Whether something has an element that NumPy takes for a number, and that is none."""
    if isinstance(value, list | tuple):
        return not _PLAIN.issuperset(map(type, value)) and any(_is_odd(one) for one in value)
    return value is None or isinstance(value, bool | np.bool_ | np.ma.MaskedArray)


def _is_int64(value: Any) -> bool:
    return isinstance(value, int) and -(2**63) <= value < 2**63


def shaped(array: Array, given: Numbers) -> Numbers:
    """Values for every element of an array: one for all, one each, or one each in all copies."""
    shape = array.initial.shape
    if given.shape == shape:
        return given
    spread = given[:, None] if len(shape) == 2 and given.ndim == 1 else given
    try:
        return np.broadcast_to(spread, shape)
    except ValueError:
        text = f"'{array.name}' has the shape {shape}, and values of the shape {given.shape} were given; give as many"
        raise InvalidInput.one(None, f"{text}, or one number for all") from None


def _is_nothing(array: Array) -> bool:
    """Whether an input has room for 0 alone, to which nothing else is rounded."""
    return array.role == "input" and isinstance(array.type, Int) and array.type.lo == array.type.hi == 0


class _Known:
    """An array as what a host may give it or add to it, and between which numbers nothing has to be looked at.

    `plain`: it takes all finite float64 numbers as they are.
    """

    def __init__(self, array: Array, low: float, high: float, plain: bool) -> None:
        self.array, self.plain = array, plain
        self._low, self._high = np.asarray(low), np.asarray(high)
        self._frac = array.type.frac if isinstance(array.type, Int) and is_short(array.type) else None

    def holds(self, values: Numbers) -> bool:
        """Whether numbers lie where nothing has to be looked at."""
        return bool(np.count_nonzero((values >= self._low) & (values <= self._high)) == values.size)

    def raw(self, values: Numbers) -> Numbers:
        """Such numbers as the array holds them."""
        if self._frac == 0 and values.dtype.kind == "i":
            return values
        return held(values, self.array)[0] if self._frac is None else nearest(values, self._frac)


class Checker:
    """Whether the arrays of a program hold what a host writes: the same answers whatever executes it."""

    def __init__(self, declared: Mapping[str, Declared], program: Program) -> None:
        self.declared, self.program = declared, program
        self._ports = {port.target: port for port in program.ports if port.direction == "inject"}
        self._known = {name: self._looked_at(array) for name, array in program.arrays.items()}

    def typed(self, array: Array, values: Numbers, cells: Cells | None = None) -> Numbers:
        """Values in the type of what they are for; InvalidInput where they are not finite, or fractions for an int.

        `cells`: the numbers of the elements that they are for (None: of all).
        """
        said = f"'{array.name}'"
        if values.dtype.kind == "f":
            _refuse(array, values, ~np.isfinite(values), said, "is not finite; give finite numbers", cells)
        if self._is_int(array):
            if values.dtype.kind == "i":
                return values
            broken = values != np.floor(values)
            _refuse(array, values, broken, said, "is no whole number, and this is an int; round it", cells)
            _refuse(array, values, np.abs(values) >= 2.0**63, said, "needs more than 63 bits", cells)
            return values.astype(np.int64)
        if self.program.precision == "float32" and not array.wide:
            large = np.abs(values) > _FLOAT32
            _refuse(array, values, large, said, "is too large for float32; give smaller numbers", cells)
        return values.astype(np.float64, copy=False)

    def limits(self, array: Array, values: Numbers, said: str = "", cells: Cells | None = None) -> None:
        """InvalidInput for values outside what a host may give. `said`: how the text begins, instead of the name."""
        ends, what = self.allowed(array)
        if ends is None or not values.size:
            return
        low, high = ends
        if values.min() < low or values.max() > high:
            text = f"is outside {shown(low)} .. {shown(high)}, {what}"
            _refuse(array, values, (values < low) | (values > high), said or f"'{array.name}'", text, cells)

    def raw(self, array: Array, values: Numbers, said: str = "", cells: Cells | None = None) -> Numbers:
        """Values as the array holds them; InvalidInput for those that are not finite or lie outside."""
        known = self._known[array.name]
        if known.holds(values):
            return known.raw(values)
        self.typed(array, values, cells)
        self.limits(array, values, said, cells)
        array = known.array
        raw, outside = held(values, array)
        if _is_nothing(array):
            outside = values != 0
        if isinstance(array.type, Int) and outside.any():
            low, high = (shown(end) for end in real(np.array([array.type.lo, array.type.hi]), array))
            text = f"is outside {low} .. {high}, what it holds on chip '{self.program.chip}'; {self._remedy(array)}"
            _refuse(array, values, outside, said or f"'{array.name}'", text, cells)
        return raw

    def allowed(self, array: Array) -> tuple[tuple[float, float] | None, str]:
        """Between what a host may give values, None for any that fit, and how to say so of others.

        That is the declared range, or of an input that of its port, whatever the arithmetic.
        """
        port = self._ports.get(array.name)
        if port is None:
            return array.range, f"its declared range; {self._remedy(array)}"
        return port.range, f"the range of port '{port.name}'; give a value inside, or the port a wider range"

    def held(self, array: Array, values: Numbers) -> Numbers:
        """What was added to an input as it holds it, what lies outside at an end."""
        return held(values, self._known[array.name].array)[0]

    def plain(self, array: Array, values: Numbers, cells: Cells | None) -> Numbers:
        """Values in the type of an array; `raw` and `added` refuse those that are not finite, where this does not."""
        if values.dtype.kind == "f" and self._known[array.name].plain:
            return values
        return self.typed(array, values, cells)

    def added(self, array: Array, values: Numbers, one: Numbers, cells: Cells) -> Numbers:
        """What is added to an input as it holds it, in all (size,) and by one (values `one` of neurons `cells`).

        InvalidInput where it is not finite, or outside the declared range or the format.
        """
        known = self._known[array.name]
        if known.holds(values):
            return known.raw(values)
        self.typed(array, one, cells)
        return self.raw(array, values, f"'{array.name}', all that was injected for this step")

    def clipped(self, array: Array, values: Numbers) -> tuple[Numbers, int]:
        """Finite values put to the ends of what the array may be given, and how many lay outside."""
        ends = self._ends(array)
        if ends is None:
            return values, 0
        within = np.clip(values, *ends)
        return within, int(np.count_nonzero(within != values))

    def _ends(self, array: Array) -> tuple[float, float] | None:
        """The least and the largest number that an array may be given; None where any can be."""
        designed = self.program.designed.get(array.name)
        declared = self.allowed(array)[0] if designed is None else designed.range
        array = self._known[array.name].array
        if declared is not None or not (isinstance(array.type, Int) and self.program.integer):
            return declared
        low, high = real(np.array([array.type.lo, array.type.hi]), array).tolist()
        return low, high

    def _looked_at(self, array: Array) -> _Known:
        """An input without a range on a chip as what a host may add to it: its other half is what arrives."""
        allowed = self.allowed(array)[0]
        portless = array.role == "input" and allowed is None and array.name not in self._ports
        if portless and isinstance(array.type, Int) and self.program.integer:
            array = replace(array, type=replace(array.type, lo=array.type.lo // 2, hi=array.type.hi // 2))
        ints = self._is_int(array)
        plain = self.program.precision != "float32" and not ints
        ends = [(-_LARGEST, _LARGEST)] if allowed is None else [allowed]
        if self.program.precision == "float32" and not array.wide:
            ends.append((-_FLOAT32, _FLOAT32))
        if isinstance(array.type, Int):
            low, high = real(np.array([array.type.lo, array.type.hi]), array).tolist()
            ends.append((low, high))
        low, high = max(low for low, _ in ends), min(high for _, high in ends)
        if ints and -_LONG < low <= high < _LONG:
            return _Known(array, math.ceil(low), math.floor(high), plain)
        return _Known(array, low, high, plain)

    def _is_int(self, array: Array) -> bool:
        known = self.declared.get(array.hidden or array.name)
        if known is not None:
            return known.type == "int"
        return isinstance(array.type, Int) and not self.program.integer

    def _remedy(self, array: Array) -> str:
        if array.role == "input" and array.range is None:
            port = f"ports: {{NAME: {{inject: {array.name}, range: [LOW, HIGH]}}}}"
            return f"give a value inside, or declare in the network file what the host adds: `{port}`"
        owner, _, variable = (array.hidden or array.name).partition(".")
        return f"give a value inside, or a wider range with `ranges: {{{variable}: [LOW, HIGH]}}` at '{owner}'"


def _refuse(array: Array, values: Numbers, wrong: NDArray[np.bool_], said: str, text: str, cells: Cells | None) -> None:
    if np.count_nonzero(wrong):
        at = np.unravel_index(int(np.argmax(wrong)), np.shape(values))
        of = {"neuron": " of neuron", "synapse": " of synapse", "kernel": " of kernel entry", "scalar": ""}[array.at]
        where = f"{of} {at[0] if cells is None else cells[at[0]]}" if at else ""
        raise InvalidInput.one(None, f"{said}: {shown(values[at])}{where} {text}")
