"""What a value in a network file is for and what it may be, and the sentences when it is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import Node

Rows = Literal["source", "target"]
Shape = tuple[int, ...]
Fits = Callable[[Shape, Rows], str]
"""Takes an array's shape and `rows`, returns "" or what the shape must be."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a value is for and what it may be. `range` is in `unit`; `targets` are the fields' shapes by name.

    `of_synapses`: these are values of a variable of synapses, and can be those of another one. `rounded`: times need
    not be whole steps; `remedy`: what is said of some that are not, and must be.
    """

    what: str
    unit: str = ""
    type: Literal["real", "int"] = "real"
    range: tuple[float, float] | None = None
    dt: Quantity | None = None
    fits: Fits | None = None
    targets: dict[str, int] = field(default_factory=dict)
    folder: str = ""
    of_synapses: bool = False
    rounded: bool = False
    remedy: str = ""


def check_unit(unit: str, slot: Slot, shown: str) -> str:
    """ "" or why a value with this unit cannot stand in the slot."""
    if slot.unit == unit:
        return ""
    if not slot.unit:
        return f"{slot.what} is a pure number, but {shown} is in {unit}; leave the unit out"
    if not unit:
        return f"{slot.what} needs a unit; found {shown}; write it with its unit, such as '{example(slot.unit)}'"
    have, want = units.dimension(unit), units.dimension(slot.unit)
    if want == "steps":
        if have in ("steps", "time"):
            return ""
        return f"{slot.what} must be a number of steps or a time, but {shown} is in {unit}"
    if have != want:
        return f"{slot.what} must be a {want} ({slot.unit}), but {shown} is in {unit}"
    return ""


def in_slot(value: Quantity, slot: Slot) -> str:
    """ "" or why this quantity cannot stand in the slot: unit, whole number, range."""
    shown = units.show(value)
    wrong = check_unit(value.unit, slot, shown)
    if wrong:
        return wrong
    if units.is_step(slot.unit) and slot.dt is None and not units.is_step(value.unit):
        return ""
    exact = isinstance(value.number, int) and value.unit == slot.unit  # floats do not hold every int of 63 bits
    try:
        number = value.number if exact else units.convert(value, slot.unit, slot.dt)
    except units.UnitError as error:
        return f"{slot.what}: {error}"
    if units.is_step(slot.unit) and number != math.floor(number):
        same = (
            f"; {shown} is {number:g} steps of {units.show(slot.dt)}"
            if slot.dt and not units.is_step(value.unit)
            else ""
        )
        return f"{slot.what} must be a whole number of steps; found {shown}{same}"
    if slot.type == "int" and number != math.floor(number):
        return f"{slot.what} must be a whole number; found {shown}"
    if slot.range and not slot.range[0] <= number <= slot.range[1]:
        return f"{slot.what} must be {range_text(slot)}; found {shown}"
    return ""


def check_shape(report: Report, node: Node, slot: Slot, shape: Shape, rows: Rows) -> bool:
    """Whether an array of this shape fits; reports it when not."""
    expected = slot.fits(shape, rows) if slot.fits else ""
    if expected:
        report.add(node, f"{slot.what} has the shape {shape}; it must be {expected}")
    return not expected


def check_values(report: Report, node: Node, slot: Slot, values: np.ndarray[Any, Any], unit: str) -> bool:
    """Range and whole numbers of all values; reports the first that is wrong."""
    if units.is_step(slot.unit) and not units.is_step(unit) and slot.dt is None:
        return True
    scale = units.convert(Quantity(1, unit), slot.unit, slot.dt) if unit != slot.unit else 1.0
    scaled = values * scale
    bad = np.zeros(values.shape, dtype=bool)
    wrong = remedy = ""
    if slot.type == "int" or (units.is_step(slot.unit) and not slot.rounded):
        bad = np.abs(scaled - np.rint(scaled)) > 1e-9 * np.maximum(1, np.abs(scaled))
        wrong = "a whole number of steps" if units.is_step(slot.unit) else "a whole number"
        remedy = slot.remedy
    if slot.range and not bad.any():
        low, high = slot.range
        slack = 1e-12 * max(abs(low), abs(high)) if scale != 1 and math.isfinite(low + high) else 0.0
        bad = (scaled < low - slack) | (scaled > high + slack)
        wrong, remedy = range_text(slot), ""
    if not bad.any():
        return True
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    shown = units.show(Quantity(values[index].item(), unit))
    report.add(node, f"{slot.what} must be {wrong}; found {shown} at {list(index)}{remedy}")
    return False


def range_text(slot: Slot) -> str:
    """The range of a slot, for messages."""
    low, high = slot.range or (0.0, 0.0)
    last = low if math.isinf(high) else high
    unit = f" step{'s' * (last != 1)}" if units.is_step(slot.unit) else f" {slot.unit}".rstrip()
    if math.isinf(high):
        return f"at least {low:g}{unit}"
    return f"from {low:g} to {high:g}{unit}"


def example(unit: str) -> str:
    """A quantity with this unit, for messages."""
    return "5 steps" if units.is_step(unit) else f"5 {unit}"
