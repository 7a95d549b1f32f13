"""The networks that come with neuroport, and which of them use which models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache

import neuroport.connections as connections
import neuroport.networks as shipped
from neuroport.catalogue.catalogue import Catalogue
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.network.summary import page
from neuroport.pages import Page
from neuroport.yaml.nodes import MapNode, Node, ScalarNode, parse

SECTIONS = {"populations": "neuron", "projections": "synapse"}
"""Where a network file names models, and of which kind."""


@cache
def _roots() -> Mapping[str, MapNode]:
    """The texts of all networks, not interpreted."""
    roots = ((name, parse(shipped.path(name).read_bytes(), f"{name}.yaml")) for name in shipped.names())
    return {name: root for name, root in roots if isinstance(root, MapNode)}


@cache
def used() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """("neuron" or "synapse", name of a model) -> the networks that have things of it."""
    found = defaultdict[tuple[str, str], list[str]](list)
    for name, root in _roots().items():
        for model in {(kind, model) for section, kind in SECTIONS.items() for model in _named(root, section, kind)}:
            found[model].append(name)
    return {model: tuple(names) for model, names in found.items()}


def _named(root: MapNode, section: str, key: str) -> Iterator[str]:
    things = root.get(section)
    for _, _, thing in things.values() if isinstance(things, MapNode) else ():
        text = _text(thing.get(key) if isinstance(thing, MapNode) else None)
        if text:
            yield text


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, ScalarNode) else ""


def _lines() -> Mapping[str, str]:
    return {name: _text(root.get("title")) for name, root in _roots().items()}


def chips() -> Mapping[str, str]:
    """Name -> the chip that a network is for, unless another one is asked for."""
    return {name: _text(root.get("chip")) or "ideal" for name, root in _roots().items()}


def _load(name: str) -> Network:
    return reader.load(shipped.path(name))


def _page(name: str) -> Page:
    return page(_load(name), connections.key)


NETWORKS: Catalogue[Network] = Catalogue("network", "networks", _lines, _load, _page)
