"""How many copies of a network there are, and what each of them has for itself: `copies`."""

from __future__ import annotations

from typing import Any

from neuroport.files.context import Context, label
from neuroport.network.network import MOST_COPIES, Network
from neuroport.network.values import Value
from neuroport.numerics import units
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import found
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode
from neuroport.yaml.slots import Fits, Rows, Shape, Slot
from neuroport.yaml.values import value, written_value

Own = tuple[tuple[str, Value], ...]


def copies(context: Context, node: Node | None) -> tuple[int, Own]:
    """The number of copies, and the parameters of which each has a value of its own, by OBJECT.PARAMETER."""
    if not isinstance(node, MapNode):
        return context.report.integer(node, "copies", 1, MOST_COPIES) or 1, ()
    entries = context.report.mapping(node, "copies", ("count", "params"))
    params = entries.get("params")
    count = _count(context, node, entries.get("count"), params)
    return count or 1, _parameters(context, params, count)


def written_copies(network: Network, sink: Sink) -> Any:
    """`copies` as it stands in a file."""
    if not network.own_parameters:
        return network.copies
    params = {name: written_value(given, sink, f"copies/{name}") for name, given in network.own_parameters}
    return {"count": network.copies, "params": params}


def _count(context: Context, node: MapNode, given: Node | None, params: Node | None) -> int | None:
    """How many copies there are: what is said, or as many as values are listed."""
    report = context.report
    if given is not None:
        return report.integer(given, "count of copies", 1, MOST_COPIES)
    given_values = [inner for _, _, inner in params.values()] if isinstance(params, MapNode) else []
    lengths = [len(inner.items) for inner in given_values if isinstance(inner, ListNode)]
    if not lengths and any(isinstance(inner, ScalarNode) for inner in given_values):
        return None  # no list, which is told of that value
    if not lengths or not lengths[0]:
        report.add(node, "copies lacks 'count', and no list of values says how many copies there are; add 'count: N'")
        return None
    return lengths[0]


def _parameters(context: Context, node: Node | None, count: int | None) -> Own:
    result: dict[str, Value] = {}
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return ()
    if not isinstance(node, MapNode):
        text = f"params of copies must be a mapping from OBJECT.PARAMETER to values; found {found(node)}"
        context.report.add(node, text)
        return ()
    for name, at, inner in node.values():
        pair = context.parameter(at, "params of copies", name)
        if pair is None:
            continue
        owner, parameter = pair
        what = f"parameter '{parameter.name}' of {label(owner)} in each copy"
        span = dict(owner.ranges).get(parameter.name, parameter.range)
        unit = units.of_values(parameter.unit)
        slot = Slot(what, unit, parameter.type, span, context.dt, _one_per_copy(count), folder=context.folder)
        if not isinstance(inner, ListNode | MapNode):
            text = f"{what} must be a list with one value for each copy, or a distribution; found {found(inner)}"
            context.report.add(inner, f"{text}; what all copies have alike stands at the {label(owner)}")
            continue
        given = value(context.report, inner, slot)
        if given is not None:
            result[name] = given
    return tuple(result.items())


def _one_per_copy(count: int | None) -> Fits:
    def fits(shape: Shape, rows: Rows) -> str:
        return "" if count is None or shape == (count,) else f"({count},): one value for each copy"

    return fits
