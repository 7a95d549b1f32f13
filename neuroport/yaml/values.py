"""Values in network files, read out of nodes and written: quantities, distributions, arrays, files, targets, data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import neuroport.datasets as datasets
from neuroport import distributions
from neuroport.network.values import ArrayValue, CopyValue, DataValue, Distribution, FileValue, TargetValue, Value
from neuroport.numerics import units
from neuroport.numerics.units import Quantity, quoted
from neuroport.yaml.arrays import Sink, array, stored_shape, where, written_where
from neuroport.yaml.fields import Report, found, listing, meant
from neuroport.yaml.nodes import ListNode, MapNode, Node
from neuroport.yaml.quantities import fitting, quantity, written_quantity
from neuroport.yaml.slots import Rows, Slot, check_shape, check_unit, example, in_slot

TARGET_FIELDS = ("c", "m", "p")


def value(report: Report, node: Node | None, slot: Slot) -> Value | None:
    """Any value: quantity, distribution, array, file or target field, checked against the slot."""
    if node is None:
        return None
    if isinstance(node, ListNode):
        return array(report, node, slot, "", "source", node.place)
    if not isinstance(node, MapNode):
        return fitting(report, node, slot)
    read = _readers(slot)
    forms = [key for key in node.entries if key in read]
    if len(forms) != 1:
        text = f"{slot.what} must be a number, a list or one of these forms: {', '.join(read)}; found {found(node)}"
        report.add(node, text + meant(node, list(read)))
        return None
    return read[forms[0]](report, node, slot)


def written_value(value: Value, sink: Sink, at: str) -> Any:
    """Any value as it stands in a file; `at` names its data set if it must go to the HDF5 file."""
    match value:
        case Quantity():
            return written_quantity(value)
        case Distribution():
            return _written_distribution(value)
        case ArrayValue():
            return _written_array(value, sink, at)
        case FileValue():
            return _written_file(value, sink)
        case DataValue():
            return _written_data(value)
        case TargetValue():
            return _written_target(value)
        case CopyValue():
            return _written_copy(value)


def _readers(slot: Slot) -> dict[str, Callable[[Report, MapNode, Slot], Value | None]]:
    """The forms of a value that is a mapping, by the key that tells them apart."""
    forms: dict[str, Callable[[Report, MapNode, Slot], Value | None]] = {
        "array": _array,
        "file": _file,
        "data": _data,
        "from": _target,
        **({"same_as": _copy} if slot.of_synapses else {}),
    }
    return dict.fromkeys(distributions.ALL, _distribution) | forms


def _array(report: Report, node: MapNode, slot: Slot) -> ArrayValue | None:
    entries = report.mapping(node, f"the array of {slot.what}", ("array", "unit", "rows"))
    rows, unit = _rows(report, entries, slot), _unit(report, entries.get("unit"), slot.what)
    return None if unit is None else array(report, entries["array"], slot, unit, rows, node.place)


def _written_array(value: ArrayValue, sink: Sink, at: str) -> Any:
    written = sink.array(value.values, at)
    if not value.unit and value.rows == "source" and isinstance(written, list):
        return written
    return {"array": written} | _written_arrangement(value)


def _file(report: Report, node: MapNode, slot: Slot) -> FileValue | None:
    entries = report.mapping(node, f"the file of {slot.what}", ("file", "dataset", "unit", "rows"))
    rows, unit = _rows(report, entries, slot), _unit(report, entries.get("unit"), slot.what)
    named = where(report, node, entries, slot.what, f"the file of {slot.what}")
    if unit is None or named is None:
        return None
    name, dataset = named
    wrong = check_unit(unit, slot, "the file" if unit else "a file without one")
    if wrong:
        report.add(node, wrong)
        return None
    shape = stored_shape(report, entries["file"], slot, name, dataset)
    if shape is None or not check_shape(report, node, slot, shape, rows):
        return None
    return FileValue(name, dataset, unit, rows, node.place)


def _written_file(value: FileValue, sink: Sink) -> dict[str, Any]:
    return written_where(value.file, value.dataset, sink) | _written_arrangement(value)


def _rows(report: Report, entries: dict[str, Node], slot: Slot) -> Rows:
    rows = report.choice(entries.get("rows"), f"rows of {slot.what}", ("source", "target")) or "source"
    return cast(Rows, rows)


def _written_arrangement(value: ArrayValue | FileValue) -> dict[str, Any]:
    """Unit and rows, which arrays and files share."""
    unit = {"unit": value.unit} if value.unit else {}
    return unit | ({"rows": value.rows} if value.rows != "source" else {})


def _distribution(report: Report, node: MapNode, slot: Slot) -> Distribution | None:
    name = next(key for key in node.entries if key in distributions.ALL)
    if len(node.entries) > 1:
        report.mapping(node, f"the distribution of {slot.what}", (name,))
        return None
    inner = node.entries[name][1]
    entries = _arguments(report, inner, name, slot)
    if entries is None:
        return None
    arguments: dict[str, Quantity] = {}
    for key, at in entries.items():
        argument = quantity(report, at, f"{key} of {slot.what}")
        if argument is None:
            return None
        arguments[key] = argument
    wrong = _wrong_arguments(name, arguments, slot)
    if wrong:
        report.add(inner, wrong)
        return None
    return Distribution(name, tuple(arguments.items()), node.place)


def _arguments(report: Report, node: Node, name: str, slot: Slot) -> dict[str, Node] | None:
    """The arguments of a distribution by name, in their own order; None with the reason in the report."""
    kind = distributions.ALL[name]
    required = kind.required
    if isinstance(node, ListNode):
        if len(node.items) == len(required):
            return dict(zip(required, node.items, strict=True))
        text = f"{name} of {slot.what} takes {len(required)} numbers: {', '.join(required)}; found {len(node.items)}"
        report.add(node, text)
        return None
    entries = report.mapping(node, f"{name} of {slot.what}", kind.arguments, required)
    if not set(required) <= set(entries):
        return None
    return {key: entries[key] for key in kind.arguments if key in entries}


def _written_distribution(value: Distribution) -> dict[str, Any]:
    named = {name: written_quantity(argument) for name, argument in value.arguments}
    short = tuple(named) == distributions.ALL[value.kind].required
    return {value.kind: list(named.values()) if short else named}


def _wrong_arguments(name: str, arguments: dict[str, Quantity], slot: Slot) -> str:
    """ "" or why these arguments give no values for the slot."""
    kind = distributions.ALL[name]
    wrong = _wrong_units(name, kind, arguments, slot) or _wrong_numbers(kind, arguments, slot)
    if wrong or set(arguments) & {"scale", "offset"}:
        return wrong
    return next(filter(None, (in_slot(arguments[end], replace(slot, type="real")) for end in kind.ends)), "")


def _wrong_units(name: str, kind: distributions.Kind, arguments: dict[str, Quantity], slot: Slot) -> str:
    """The draw x is a pure number when `scale` carries the unit or the kind draws nothing else."""
    scaled = "scale" in arguments and arguments["scale"].unit != ""
    pure = scaled or kind.pure
    if slot.unit and pure and not scaled:
        text = f"{name} of {slot.what} draws pure numbers; add a scale with a unit, such as"
        return f"{text} 'scale: {example(slot.unit)}'"
    for key, argument in arguments.items():
        with_unit = scaled if key == "scale" else key == "offset" or not pure
        named = replace(slot, what=f"{key} of {slot.what}", unit=slot.unit if with_unit else "")
        wrong = check_unit(argument.unit, named, units.show(argument))
        if wrong:
            return wrong
    return ""


def _wrong_numbers(kind: distributions.Kind, arguments: dict[str, Quantity], slot: Slot) -> str:
    for key, argument in arguments.items():
        if key in kind.not_negative and argument.number < 0:
            return f"{key} of {slot.what} must be zero or more; found {units.show(argument)}"
        if key in kind.above_zero and argument.number <= 0:
            return f"{key} of {slot.what} must be above zero; found {units.show(argument)}"
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
    if not check_shape(report, entries["from"], slot, shape, "source"):
        return None
    return TargetValue(name, target_field, node.place)


def _written_target(value: TargetValue) -> dict[str, Any]:
    return {"from": f"{value.target}.{value.field}"}


def _copy(report: Report, node: MapNode, slot: Slot) -> CopyValue | None:
    entries = report.mapping(node, f"the value of {slot.what}", ("same_as", "scale"))
    text = report.text(entries.get("same_as"), f"'same_as' of {slot.what}")
    scale = report.number(entries.get("scale"), f"scale of {slot.what}")
    return None if text is None else CopyValue(text, 1.0 if scale is None else scale, node.place)


def _written_copy(value: CopyValue) -> dict[str, Any]:
    return {"same_as": value.of} | ({"scale": value.scale} if value.scale != 1 else {})


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
    if not check_shape(report, node, slot, datasets.shape(name, part, field, given), "source"):
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


def _written_data(value: DataValue) -> dict[str, Any]:
    result: dict[str, Any] = {"data": value.data, "part": value.part, "field": value.field, **dict(value.options)}
    if value.scale != 1:
        result["scale"] = value.scale
    if value.offset:
        result["offset"] = value.offset
    return result | ({"unit": value.unit} if value.unit else {})


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
