"""Numbers with their units in network files: read out of nodes, and written."""

from __future__ import annotations

import math
from dataclasses import replace

from neuroport.numerics import units
from neuroport.numerics.steps import MOST
from neuroport.numerics.units import Quantity
from neuroport.yaml import text as emit
from neuroport.yaml.fields import Report, counted, found
from neuroport.yaml.nodes import ListNode, Node, ScalarNode
from neuroport.yaml.slots import Slot, check_unit, in_slot


def quantity(report: Report, node: Node | None, what: str) -> Quantity | None:
    """A finite number with or without a unit; a text has one."""
    if node is None:
        return None
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, str):
        try:
            result = replace(units.parse(value), place=node.place)
        except units.UnitError as error:
            report.add(node, f"{what}: {error}")
            return None
        if not result.unit:
            report.add(node, f"{what} must be a number; found {found(node)}; write it without quotes")
            return None
    elif isinstance(value, int | float) and not isinstance(value, bool):
        result = Quantity(value, "", node.place)
    else:
        report.add(node, f"{what} must be a number, with its unit where it has one; found {found(node)}")
        return None
    if not math.isfinite(result.number):
        report.add(node, f"{what} must be a finite number; found {found(node)}")
        return None
    return result


def written_quantity(value: Quantity) -> str | float:
    """A quantity as it stands in a file."""
    return f"{emit.number(value.number)} {value.unit}" if value.unit else value.number


def fitting(report: Report, node: Node | None, slot: Slot) -> Quantity | None:
    """A quantity that fits the slot."""
    result = quantity(report, node, slot.what)
    if result is None:
        return None
    wrong = in_slot(result, slot)
    if wrong:
        report.add(node, wrong)
        return None
    return result


def duration(report: Report, node: Node | None, what: str, dt: Quantity | None, least: int) -> Quantity | None:
    """A time of a whole number of steps, at least `least`."""
    result = fitting(report, node, Slot(what, "step", dt=dt))
    if result is None or (dt is None and not units.is_step(result.unit)):
        return result
    steps = units.convert(result, "step", dt)
    if steps > MOST:
        report.add(node, f"{what} must be at most 2**62 steps; found {units.show(result)}")
        return None
    if steps < least:
        plural = "step" if least == 1 else "steps"
        report.add(node, f"{what} must be at least {least} {plural}; found {units.show(result)}")
        return None
    return result


def interval(
    report: Report, node: Node | None, what: str, unit: str, dt: Quantity | None
) -> tuple[float, float] | None:
    """A range [low, high] as plain numbers in `unit`; its ends may be bare numbers or quantities."""
    if node is None:
        return None
    if not isinstance(node, ListNode) or len(node.items) != 2:
        report.add(node, f"{what} must be a list of two numbers [low, high]; found {counted(node)}")
        return None
    ends: list[float] = []
    for item in node.items:
        end = quantity(report, item, what)
        if end is None:
            return None
        wrong = _wrong_end(end, what, unit, dt)
        if wrong:
            report.add(item, wrong)
            return None
        ends.append(_end(end, unit, dt))
    if ends[0] > ends[1]:
        report.add(node, f"{what} must have its lower end first; found [{ends[0]:g}, {ends[1]:g}]")
        return None
    return ends[0], ends[1]


def _wrong_end(end: Quantity, what: str, unit: str, dt: Quantity | None) -> str:
    """ "" or why a quantity cannot be an end of a range in `unit`."""
    wrong = check_unit(end.unit, Slot(what, unit), units.show(end)) if end.unit else ""
    if not wrong and end.unit and units.is_step(unit) and not units.is_step(end.unit) and dt is None:
        wrong = f"{what} must be in steps, because a model knows no dt; found {units.show(end)}"
    if wrong:
        return wrong
    try:
        _end(end, unit, dt)
        if unit and not units.is_step(unit):
            units.coherent(end.number, end.unit or unit)  # the number that is computed with
    except units.UnitError as error:
        return f"{what}: {error}; found {units.show(end)}"
    return ""


def _end(end: Quantity, unit: str, dt: Quantity | None) -> float:
    if end.unit:
        return units.convert(end, unit, dt)
    return end.number if float(end.number) != end.number else float(end.number)


def whole_interval(report: Report, node: Node | None, what: str, span: tuple[float, float]) -> None:
    """Note a problem where a range is not one of the whole numbers that variables can be."""
    shown = f"found [{span[0]:g}, {span[1]:g}]"
    if span[0] % 1 or span[1] % 1:
        report.add(node, f"{what} must have whole numbers as ends; {shown}")
    elif span[0] < -(2**63) or span[1] >= 2**63:
        report.add(node, f"{what} must lie between -2^63 and 2^63 - 1, which 64 bits hold; {shown}")


def written_interval(span: tuple[float, float]) -> list[float]:
    """A range as it stands in a file."""
    return [int(end) if end.is_integer() and abs(end) < 1e15 else end for end in span]
