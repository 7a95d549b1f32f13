"""Network files as calls: every section of a file's tree through the method that adds to it."""

from __future__ import annotations

from typing import Any

import neuroport
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode

KEYED = {"stimuli": "stimulus", "ports": "port", "targets": "target", "readouts": "readout", "metrics": "metric"}
HEAD = ("name", "title", "seed", "copies", "chip")
ENDS = ("source", "target", "synapse")


def plain(node: Node | None) -> Any:
    """A tree as values of Python; a number that was written in another way than Python writes it stays a text."""
    if isinstance(node, MapNode):
        return {key: plain(value) for key, _, value in node.values()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    assert node is None or isinstance(node, ScalarNode)
    return None if node is None else node.value


def rebuilt(tree: dict[str, Any], folder: str) -> neuroport.Network:
    """The network that a tree describes, call by call."""
    head = {key: tree[key] for key in HEAD if key in tree}
    net = neuroport.Network(tree["dt"], folder=folder, **head)
    net.models(*tree.get("models", ()))
    for kind in ("neuron", "synapse"):
        for name, parts in tree.get(f"{kind}s", {}).items():
            getattr(net, kind)(name, **parts)
    for name, parts in tree["populations"].items():
        net.population(name, **parts)
    for name, parts in tree.get("projections", {}).items():
        net.project(name=name, **parts)
    for section, method in KEYED.items():
        for name, parts in tree.get(section, {}).items():
            add_keyed(net, method, name, parts)
    net.protocol(*tree.get("protocol", ()))
    net.record(**tree.get("record", {}))
    return net


def add_keyed(net: neuroport.Network, method: str, name: str, parts: dict[str, Any]) -> None:
    if method == "stimulus":
        others = {key: value for key, value in parts.items() if key != "population"}
        net.stimulus(name, parts["population"], **others)
    else:
        getattr(net, method)(name, **parts)
