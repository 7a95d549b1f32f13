"""Quantities, distributions, arrays, files and target fields, checked against what a slot of the network allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neuroport import datasets
from neuroport.errors import Place
from neuroport.network import units
from neuroport.network.units import quoted
from neuroport.network.values import (
    ArrayValue,
    CopyValue,
    DataValue,
    Distribution,
    FileValue,
    Frozen,
    Quantity,
    TargetValue,
    Value,
)
from neuroport.yaml.fields import Report, found, listing
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode

# kind -> (required arguments in positional order, further arguments)
DISTRIBUTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "uniform": (("low", "high"), ("scale", "offset")),
    "normal": (("mean", "sd"), ("low", "high", "scale", "offset")),
    "lognormal": (("mean", "sd"), ("low", "high", "scale", "offset")),
    "beta": (("a", "b"), ("scale", "offset")),
}
TARGET_FIELDS = ("c", "m", "p")
_FORMS = (*DISTRIBUTIONS, "array", "file", "data", "from", "same_as")

Rows = Literal["source", "target"]
Shape = tuple[int, ...]
Fits = Callable[[Shape, Rows], str]
"""Takes an array's shape and `rows`, returns "" or what the shape must be."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a value is for and what it may be. `range` is in `unit`; `targets` are the fields' shapes by name."""

    what: str
    unit: str = ""
    type: Literal["real", "int"] = "real"
    range: tuple[float, float] | None = None
    dt: Quantity | None = None
    fits: Fits | None = None
    targets: dict[str, int] = field(default_factory=dict)
    folder: str = ""


def quantity(report: Report, node: Node | None, what: str) -> Quantity | None:
    """A finite number with or without a unit."""
    if node is None:
        return None
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, str):
        try:
            result = replace(units.parse(value), place=node.place)
        except units.UnitError as error:
            report.add(node, f"{what}: {error}")
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


def check_unit(unit: str, slot: Slot, shown: str) -> str:
    """ "" or why a value with this unit cannot stand in the slot."""
    if slot.unit == unit:
        return ""
    if not slot.unit:
        return f"{slot.what} is a pure number, but {shown} is in {unit}; leave the unit out"
    if not unit:
        return f"{slot.what} needs a unit; found {shown}; write it with its unit, such as '{_example(slot.unit)}'"
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
    number = units.convert(value, slot.unit, slot.dt)
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
        return f"{slot.what} must be {_range(slot)}; found {shown}"
    return ""


def fitting(report: Report, node: Node | None, slot: Slot) -> Quantity | None:
    """A quantity that fits the slot."""
    result = quantity(report, node, slot.what)
    if result is None:
        return None
    try:
        wrong = in_slot(result, slot)
    except units.UnitError as error:
        wrong = f"{slot.what}: {error}"
    if wrong:
        report.add(node, wrong)
        return None
    return result


def duration(report: Report, node: Node | None, what: str, dt: Quantity | None, least: int) -> Quantity | None:
    """A time of a whole number of steps, at least `least`."""
    result = fitting(report, node, Slot(what, "step", dt=dt))
    if result is None or (dt is None and not units.is_step(result.unit)):
        return result
    if units.convert(result, "step", dt) < least:
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
        report.add(node, f"{what} must be a list of two numbers [low, high]; found {found(node)}")
        return None
    ends: list[float] = []
    for item in node.items:
        end = quantity(report, item, what)
        if end is None:
            return None
        if not end.unit:
            ends.append(end.number if float(end.number) != end.number else float(end.number))
            continue
        wrong = check_unit(end.unit, Slot(what, unit), units.show(end))
        if not wrong and units.is_step(unit) and not units.is_step(end.unit) and dt is None:
            wrong = f"{what} must be in steps, because a model knows no dt; found {units.show(end)}"
        if wrong:
            report.add(item, wrong)
            return None
        ends.append(units.convert(end, unit, dt))
    if ends[0] > ends[1]:
        report.add(node, f"{what} must have its lower end first; found [{ends[0]:g}, {ends[1]:g}]")
        return None
    return ends[0], ends[1]


def value(report: Report, node: Node | None, slot: Slot) -> Value | None:
    """Any value: quantity, distribution, array, file or target field, checked against the slot."""
    if node is None:
        return None
    if isinstance(node, ListNode):
        return array(report, node, slot, "", "source", node.place)
    if not isinstance(node, MapNode):
        return fitting(report, node, slot)
    forms = [key for key in node.entries if key in _FORMS]
    if len(forms) != 1:
        report.add(
            node,
            f"{slot.what} must be a number, a list or one of these forms: {', '.join(_FORMS)}; found {found(node)}",
        )
        return None
    form = forms[0]
    if form in DISTRIBUTIONS:
        return _distribution(report, node, form, slot)
    if form == "from":
        return _target(report, node, slot)
    if form == "same_as":
        return _copy(report, node, slot)
    if form == "data":
        return _data(report, node, slot)
    rows: Any = "source"
    if form == "array":
        entries = report.mapping(node, f"the array of {slot.what}", ("array", "unit", "rows"))
        rows = report.choice(entries.get("rows"), f"rows of {slot.what}", ("source", "target")) or "source"
        unit = _unit(report, entries.get("unit"), slot.what)
        return None if unit is None else array(report, node.entries["array"][1], slot, unit, rows, node.place)
    entries = report.mapping(node, f"the file of {slot.what}", ("file", "dataset", "unit", "rows"), ("dataset",))
    rows = report.choice(entries.get("rows"), f"rows of {slot.what}", ("source", "target")) or "source"
    unit = _unit(report, entries.get("unit"), slot.what)
    name = report.text(entries.get("file"), f"the file of {slot.what}")
    dataset = report.text(entries.get("dataset"), f"the data set of {slot.what}")
    if unit is None or name is None or dataset is None:
        return None
    wrong = check_unit(unit, slot, "the file" if unit else "a file without one")
    if wrong:
        report.add(node, wrong)
        return None
    shape = stored_shape(report, entries["file"], slot, name, dataset)
    if shape is None or not _check_shape(report, node, slot, shape, rows):
        return None
    return FileValue(name, dataset, unit, rows, node.place)


def array(report: Report, node: Node, slot: Slot, unit: str, rows: Rows, place: Place) -> ArrayValue | None:
    """Numbers one by one: a list, nested lists, or {file, dataset} read now. Quantities in a list share one unit."""
    if isinstance(node, MapNode):
        values = _stored(report, node, slot)
    else:
        values, unit = _listed(report, node, slot, unit)
    if values is None:
        return None
    wrong = check_unit(unit, slot, "the array" if unit else "an array without one")
    if wrong:
        report.add(node, wrong)
        return None
    if not np.isfinite(values).all():
        report.add(node, f"{slot.what} has values that are not finite; every value must be a number")
        return None
    if not _check_shape(report, node, slot, values.shape, rows) or not _check_values(report, node, slot, values, unit):
        return None
    return ArrayValue(Frozen(values), unit, rows, place)


def numbers(
    report: Report, node: Node | None, what: str, shape: Shape | None, folder: str
) -> np.ndarray[Any, Any] | None:
    """A pure array of floats: nested lists or {file, dataset}."""
    if node is None:
        return None

    def fits(have: Shape, rows: Rows) -> str:
        return "" if shape is None or have == shape else f"{shape}"

    result = array(report, node, Slot(what, fits=fits, folder=folder), "", "source", node.place)
    return None if result is None else np.asarray(result.values.array, dtype=np.float64)


def stored_shape(report: Report, node: Node, slot: Slot, name: str, dataset: str) -> Shape | None:
    """The shape of a data set of numbers in an HDF5 file, without reading it."""
    found_set = _open(report, node, slot, name, dataset, read=False)
    return None if found_set is None else found_set[0]


def _listed(report: Report, node: Node, slot: Slot, unit: str) -> tuple[np.ndarray[Any, Any] | None, str]:
    given: set[str] = set()
    failed = False

    def build(item: Node) -> Any:
        nonlocal failed
        if isinstance(item, ListNode):
            return [build(part) for part in item.items]
        if isinstance(item, ScalarNode) and not unit:
            scalar = item.value
            if isinstance(scalar, int | float) and not isinstance(scalar, bool):
                given.add("")
                return scalar
            one = quantity(report, item, f"a value of {slot.what}")
            if one is not None:
                given.add(one.unit)
                return one.number
        elif isinstance(item, ScalarNode) and isinstance(item.value, int | float) and not isinstance(item.value, bool):
            return item.value
        else:
            report.add(item, f"a value of {slot.what} must be a number; found {found(item)}")
        failed = True
        return 0

    raw = build(node)
    if failed:
        return None, unit
    if not isinstance(raw, list):
        report.add(node, f"the array of {slot.what} must be a list; found {found(node)}")
        return None, unit
    if len(given) > 1:
        shown = ", ".join(sorted(name or "no unit" for name in given))
        report.add(node, f"the values of {slot.what} must have the same unit; found {shown}")
        return None, unit
    try:
        values = np.array(raw, dtype=None if raw else np.float64)
    except (ValueError, OverflowError):
        report.add(node, f"the rows of {slot.what} must have the same length")
        return None, unit
    if values.dtype.kind not in "iuf" or values.dtype == np.uint64:
        report.add(node, f"{slot.what} has values outside the range of 64-bit integers")
        return None, unit
    values = values.astype(np.int64 if values.dtype.kind == "i" else np.float64)
    return values, unit or next(iter(given), "")


def _stored(report: Report, node: MapNode, slot: Slot) -> np.ndarray[Any, Any] | None:
    entries = report.mapping(node, f"the array of {slot.what}", ("file", "dataset"), ("file", "dataset"))
    name = report.text(entries.get("file"), f"the file of {slot.what}")
    dataset = report.text(entries.get("dataset"), f"the data set of {slot.what}")
    if name is None or dataset is None:
        return None
    result = _open(report, entries["file"], slot, name, dataset, read=True)
    return None if result is None else result[1]


def _open(
    report: Report, node: Node, slot: Slot, name: str, dataset: str, read: bool
) -> tuple[Shape, np.ndarray[Any, Any]] | None:
    import h5py

    path = Path(slot.folder) / name
    try:
        if not path.is_file():
            report.add(
                node, f"{slot.what}: there is no file {quoted(name)}; paths start at the folder of the network file"
            )
            return None
        with h5py.File(path, "r") as file:
            entry = file.get(dataset)
            if not isinstance(entry, h5py.Dataset):
                names: list[str] = []
                file.visititems(lambda key, item: names.append("/" + key) if isinstance(item, h5py.Dataset) else None)
                report.unknown(node, "data set", dataset, names[:20], f" in {quoted(name)}")
                return None
            if entry.dtype.kind not in "iuf":
                report.add(node, f"{slot.what}: the data set {quoted(dataset)} must hold numbers; found {entry.dtype}")
                return None
            shape = tuple(int(n) for n in entry.shape)
            if not read:
                return shape, np.zeros(0)
            return shape, np.asarray(entry[()]).astype(np.float64 if entry.dtype.kind == "f" else np.int64)
    except (OSError, ValueError):
        report.add(node, f"{slot.what}: {quoted(name)} is not an HDF5 file that can be read")
        return None


def _check_shape(report: Report, node: Node, slot: Slot, shape: Shape, rows: Rows) -> bool:
    expected = slot.fits(shape, rows) if slot.fits else ""
    if expected:
        report.add(node, f"{slot.what} has the shape {shape}; it must be {expected}")
    return not expected


def _check_values(report: Report, node: Node, slot: Slot, values: np.ndarray[Any, Any], unit: str) -> bool:
    """Range and whole numbers of all values; reports the first that is wrong."""
    if units.is_step(slot.unit) and not units.is_step(unit) and slot.dt is None:
        return True
    scale = units.convert(Quantity(1, unit), slot.unit, slot.dt) if unit != slot.unit else 1.0
    scaled = values * scale
    bad = np.zeros(values.shape, dtype=bool)
    wrong = ""
    if slot.type == "int" or units.is_step(slot.unit):
        bad = np.abs(scaled - np.rint(scaled)) > 1e-9 * np.maximum(1, np.abs(scaled))
        wrong = "a whole number of steps" if units.is_step(slot.unit) else "a whole number"
    if slot.range and not bad.any():
        low, high = slot.range
        slack = 1e-12 * max(abs(low), abs(high)) if scale != 1 and math.isfinite(low + high) else 0.0
        bad = (scaled < low - slack) | (scaled > high + slack)
        wrong = _range(slot)
    if not bad.any():
        return True
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    shown = units.show(Quantity(values[index].item(), unit))
    report.add(node, f"{slot.what} must be {wrong}; found {shown} at {list(index)}")
    return False


def _distribution(report: Report, node: MapNode, kind: str, slot: Slot) -> Distribution | None:
    required, further = DISTRIBUTIONS[kind]
    names = required + further
    if len(node.entries) > 1:
        report.mapping(node, f"the distribution of {slot.what}", (kind,))
        return None
    inner = node.entries[kind][1]
    if isinstance(inner, ListNode):
        if len(inner.items) != len(required):
            text = (
                f"{kind} of {slot.what} takes {len(required)} numbers: {', '.join(required)}; found {len(inner.items)}"
            )
            report.add(inner, text)
            return None
        entries: dict[str, Node] = dict(zip(required, inner.items, strict=True))
    else:
        entries = report.mapping(inner, f"{kind} of {slot.what}", names, required)
        if not set(required) <= set(entries):
            return None
    arguments: dict[str, Quantity] = {}
    for name in names:
        if name in entries:
            argument = quantity(report, entries[name], f"{name} of {slot.what}")
            if argument is None:
                return None
            arguments[name] = argument
    wrong = _distribution_units(kind, arguments, slot) or _distribution_numbers(arguments, slot)
    if not wrong and kind == "uniform" and not set(arguments) & {"scale", "offset"}:
        wrong = in_slot(arguments["low"], _end(slot)) or in_slot(arguments["high"], _end(slot))
    if wrong:
        report.add(inner, wrong)
        return None
    return Distribution(kind, tuple(arguments.items()), node.place)  # type: ignore[arg-type]


def _end(slot: Slot) -> Slot:
    return replace(slot, type="real")


def _distribution_units(kind: str, arguments: dict[str, Quantity], slot: Slot) -> str:
    """The draw x is a pure number when `scale` carries the unit or the kind is lognormal or beta."""
    scaled = "scale" in arguments and arguments["scale"].unit != ""
    pure = scaled or kind in ("lognormal", "beta")
    if slot.unit and pure and not scaled:
        return (
            f"{kind} of {slot.what} draws pure numbers; add a scale with a unit, such as 'scale: {_example(slot.unit)}'"
        )
    for name, argument in arguments.items():
        if name == "scale":
            with_unit = scaled
        else:
            with_unit = name == "offset" or not pure
        named = replace(slot, what=f"{name} of {slot.what}", unit=slot.unit if with_unit else "")
        wrong = check_unit(argument.unit, named, units.show(argument))
        if wrong:
            return wrong
    return ""


def _distribution_numbers(arguments: dict[str, Quantity], slot: Slot) -> str:
    for name in ("sd", "a", "b"):
        if name in arguments and arguments[name].number <= 0 and not (name == "sd" and arguments[name].number == 0):
            least = "zero or more" if name == "sd" else "above zero"
            return f"{name} of {slot.what} must be {least}; found {units.show(arguments[name])}"
    low, high = arguments.get("low"), arguments.get("high")
    if low and high and _comparable(low, slot) >= _comparable(high, slot):
        return f"low of {slot.what} must be below high; found {units.show(low)} and {units.show(high)}"
    return ""


def _comparable(value: Quantity, slot: Slot) -> float:
    if units.is_step(value.unit) or slot.dt is None or units.dimension(value.unit) != "time":
        return float(units.exact(value))
    return float(units.steps(value, slot.dt)) if units.is_step(slot.unit) else float(units.exact(value))


def _target(report: Report, node: MapNode, slot: Slot) -> TargetValue | None:
    entries = report.mapping(node, f"the value of {slot.what}", ("from",))
    text = report.text(entries.get("from"), f"'from' of {slot.what}")
    if text is None:
        return None
    name, _, target_field = text.partition(".")
    if name not in slot.targets:
        report.unknown(entries["from"], "target", name, list(slot.targets))
        return None
    if target_field not in TARGET_FIELDS:
        fields = [f"{name}.{allowed}" for allowed in TARGET_FIELDS]
        report.add(entries["from"], f"the target has no field {quoted(target_field)}; {listing(fields)}")
        return None
    if slot.unit:
        report.add(
            entries["from"], f"{slot.what} needs a unit ({slot.unit}), but the fields of a target are pure numbers"
        )
        return None
    size = slot.targets[name]
    shape = {"c": (size, size), "m": (size,), "p": (2**size,)}[target_field]
    if not _check_shape(report, entries["from"], slot, shape, "source"):
        return None
    return TargetValue(name, target_field, node.place)


def _copy(report: Report, node: MapNode, slot: Slot) -> CopyValue | None:
    entries = report.mapping(node, f"the value of {slot.what}", ("same_as", "scale"))
    text = report.text(entries.get("same_as"), f"'same_as' of {slot.what}")
    scale = report.number(entries.get("scale"), f"scale of {slot.what}")
    return None if text is None else CopyValue(text, 1.0 if scale is None else scale, node.place)


def _data(report: Report, node: MapNode, slot: Slot) -> DataValue | None:
    """A field of a part of a data set."""
    what = slot.what
    name = report.choice(node.entries["data"][1], f"the data set of {what}", list(datasets.ALL))
    if name is None:
        return None
    data = datasets.ALL[name]
    before = len(report.problems)
    keys = ("data", "part", "field", *data.options, "scale", "offset", "unit")
    entries = report.mapping(node, f"the data of {what}", keys, ("part", "field"))
    part = report.choice(entries.get("part"), f"the part of {what}", list(data.sizes))
    field = report.choice(entries.get("field"), f"the field of {what}", list(data.fields))
    options = {key: report.integer(entries.get(key), f"{key} of {what}", *ends) for key, ends in data.options.items()}
    scale, offset = (report.number(entries.get(key), f"{key} of {what}") for key in ("scale", "offset"))
    unit = _unit(report, entries.get("unit"), what)
    if part is None or field is None or unit is None or len(report.problems) > before:
        return None
    wrong = check_unit(unit, slot, "the data" if unit else "data without one")
    if wrong:
        report.add(node, wrong)
        return None
    given = {key: number for key, number in options.items() if number is not None}
    if not _check_shape(report, node, slot, datasets.shape(name, part, field, given), "source"):
        return None
    return DataValue(
        name,
        part,
        field,
        tuple(given.items()),
        1.0 if scale is None else scale,
        0.0 if offset is None else offset,
        unit,
        node.place,
    )


def _unit(report: Report, node: Node | None, what: str) -> str | None:
    if node is None:
        return ""
    text = report.text(node, f"the unit of {what}")
    if text is None:
        return None
    try:
        units.check(text)
    except units.UnitError as error:
        report.add(node, f"the unit of {what}: {error}")
        return None
    return text


def _range(slot: Slot) -> str:
    low, high = slot.range or (0.0, 0.0)
    unit = " steps" if units.is_step(slot.unit) else f" {slot.unit}".rstrip()
    if math.isinf(high):
        return f"at least {low:g}{unit}"
    return f"from {low:g} to {high:g}{unit}"


def _example(unit: str) -> str:
    return "5 steps" if units.is_step(unit) else f"5 {unit}"
