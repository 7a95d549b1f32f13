"""Every neuron of the source with every neuron of the target: `all_to_all`, `{all_to_all: {self: false}}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.rule import Ends, Entry, Pairs, Rule, without_self
from neuroport.network.objects import Connect
from neuroport.yaml.arrays import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class AllToAll(Connect):
    """All pairs; those of a neuron with itself if `self_connections`."""

    self_connections: bool = True


def read(entry: Entry) -> AllToAll | None:
    """Read it."""
    options = entry.options(("self",))
    if options is None:
        return None
    return AllToAll(self_connections=entry.self_connections(options.get("self")), place=entry.node.place)


def write(rule: AllToAll, sink: Sink, at: str) -> Any:
    """Write it."""
    return "all_to_all" if rule.self_connections else {"all_to_all": {"self": False}}


def expected(rule: AllToAll, ends: Ends) -> float:
    """As many as there are."""
    return ends.possible(rule.self_connections)


def pairs(rule: AllToAll, ends: Ends) -> Pairs:
    """All of them."""
    sources, targets = ends.shape
    pre, post = np.repeat(np.arange(sources), targets), np.tile(np.arange(targets), sources)
    return without_self((pre, post), ends, rule.self_connections)


RULE = Rule(AllToAll, read, write, expected, pairs)
