"""`--set PATH=VALUE`: changes to a network file's tree before it is interpreted.

PATH starts with the name of a population, projection, stimulus, target, readout, metric or port, or with a top-level
key of the file. After a population or projection comes one of its keys, or the name of a parameter. List items are
counted from 0. The changed nodes say "--set PATH" where others say file:line:column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from neuroport.errors import InvalidInput, Place
from neuroport.numerics.units import quoted, suggestion
from neuroport.yaml import nodes as yamlfile
from neuroport.yaml.fields import Report, found, listing
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode

KEYS = {
    "populations": ("size", "neuron", "params", "init", "ranges", "mismatch"),
    "projections": (
        *("source", "target", "input", "synapse", "connect", "delay", "dendritic_delay"),
        *("weight", "params", "init", "ranges", "twin", "modulators", "mismatch"),
    ),
}
_NAMED = ("populations", "projections", "stimuli", "targets", "readouts", "metrics", "ports")


def written(report: Report, sets: Sequence[str]) -> Iterator[tuple[str, Node]]:
    """The paths and values of texts PATH=VALUE; those that are none are left out, with the reason in the report."""
    for text in sets:
        path, equals, value_text = text.partition("=")
        place = Place(f"--set {path}")
        if not equals or not all(part.strip() for part in path.split(".")):
            report.add(Place(f"--set {text}"), "write PATH=VALUE, such as recurrent.eta_s=0 or seed=3")
            continue
        try:
            value = yamlfile.parse(value_text, place.file, place)
        except InvalidInput as error:
            report.extend(error.problems)
            continue
        yield path, value or ScalarNode(place.file, 0, 0, None, "")


def apply(report: Report, root: MapNode, changes: Iterable[tuple[str, Node]], top: Sequence[str]) -> MapNode:
    """The tree with all changes made, in order. `top`: the keys that a network file may have."""
    for path, value in changes:
        parts = [part.strip() for part in path.split(".")]
        try:
            changed = _change(_counted(root, parts), _full_path(root, parts, top), value, value.place)
        except _WrongPath as error:
            report.add(value.place, str(error))
            continue
        assert isinstance(changed, MapNode)
        root = changed
    return root


def _counted(root: MapNode, parts: Sequence[str]) -> MapNode:
    """The tree in which the number of copies stands where more than that can be said of them."""
    key, copies = root.entries.get("copies", (None, None))
    if parts[0] != "copies" or len(parts) == 1 or key is None or not isinstance(copies, ScalarNode):
        return root
    at = ScalarNode(copies.file, copies.line, copies.column, "count", "count")
    counted = MapNode(copies.file, copies.line, copies.column, {"count": (at, copies)})
    return _with(root, "copies", key, counted)


class _WrongPath(Exception):
    """The path leads nowhere; the text says why and what is allowed."""


def _full_path(root: MapNode, parts: list[str], top: Sequence[str]) -> list[str]:
    """The path from the root of the file that a short path stands for."""
    first, *rest = parts
    for section in _NAMED:
        things = root.get(section)
        if isinstance(things, MapNode) and first in things.entries:
            if not rest:
                return [section, first]
            return [section, first, *_inside(section, things.entries[first][1], rest)]
    things = root.get(first)
    if first in _NAMED and len(rest) > 1 and isinstance(things, MapNode) and rest[0] in things.entries:
        return [first, rest[0], *_inside(first, things.entries[rest[0]][1], rest[1:])]
    if (first == "record" and len(parts) > 3) or (parts[:2] == ["copies", "params"] and len(parts) > 2):
        return [*parts[:2], ".".join(parts[2:])]
    if first in top:
        return parts
    allowed = list(top)
    for section in _NAMED:
        things = root.get(section)
        allowed += list(things.entries) if isinstance(things, MapNode) else []
    raise _WrongPath(f"unknown name {quoted(first)}; {suggestion(first, allowed)}{listing(dict.fromkeys(allowed))}")


def _inside(section: str, node: Node, rest: list[str]) -> list[str]:
    """The part of a path after an object: parameters may be named without `params`, keys of a kind without the kind."""
    if section in KEYS:
        return rest if rest[0] in KEYS[section] else ["params", *rest]
    if isinstance(node, MapNode) and rest[0] not in node.entries:
        for kind, _, inner in node.values():
            if isinstance(inner, MapNode) and rest[0] in inner.entries:
                return [kind, *rest]
    return rest


def _change(node: Node | None, path: list[str], value: Node, place: Place) -> Node:
    """A copy of the tree in which the node at `path` is `value`; other parts are shared."""
    if not path:
        return value
    if isinstance(node, ListNode):
        return _change_item(node, path, value, place)
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        node = MapNode(place.file, 0, 0)
    if not isinstance(node, MapNode):
        raise _WrongPath(f"{quoted(path[0])} cannot be set inside {found(node)}")
    for length in range(len(path), 0, -1):
        key = ".".join(path[:length])
        if key in node.entries:
            at, old = node.entries[key]
            return _with(node, key, at, _change(old, path[length:], value, place))
    # a new key; what is not known there is refused when the tree is interpreted
    at = ScalarNode(place.file, 0, 0, path[0], path[0])
    return _with(node, path[0], at, _change(None, path[1:], value, place))


def _with(node: MapNode, key: str, at: Node, value: Node) -> MapNode:
    return MapNode(node.file, node.line, node.column, {**node.entries, key: (at, value)})


def _change_item(node: ListNode, path: list[str], value: Node, place: Place) -> ListNode:
    count = len(node.items)
    if not (path[0].isascii() and path[0].isdecimal() and len(path[0]) < 10 and int(path[0]) < count):
        raise _WrongPath(f"{quoted(path[0])} is no item of this list; allowed are 0 to {count - 1}")
    index = int(path[0])
    items = list(node.items)
    items[index] = _change(items[index], path[1:], value, place)
    return ListNode(node.file, node.line, node.column, items)
