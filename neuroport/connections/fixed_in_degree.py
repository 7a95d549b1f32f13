"""As many sources for every target: `{fixed_in_degree: 10}`, `{fixed_in_degree: {degree: 10, self: false}}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.degrees import partners, read_degree
from neuroport.connections.rule import Ends, Entry, Pairs, Rule, written_numbered
from neuroport.network.objects import Connect
from neuroport.yaml.arrays import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedInDegree(Connect):
    """`degree` presynaptic neurons per postsynaptic one, drawn without replacement; itself if `self_connections`."""

    degree: int
    self_connections: bool = True


def read(entry: Entry) -> FixedInDegree | None:
    """Read it."""
    given = read_degree(entry, "source")
    if given is None:
        return None
    return FixedInDegree(degree=given[0], self_connections=given[1], place=entry.node.place)


def write(rule: FixedInDegree, sink: Sink, at: str) -> Any:
    """Write it."""
    return written_numbered("fixed_in_degree", "degree", rule.degree, rule.self_connections)


def expected(rule: FixedInDegree, ends: Ends) -> float:
    """So many per target."""
    return float(ends.target.size) * rule.degree


def pairs(rule: FixedInDegree, ends: Ends) -> Pairs:
    """Draw them."""
    pre = partners(ends, rule.degree, "source", rule.self_connections).reshape(-1)
    order = np.argsort(pre, kind="stable")
    return pre[order], np.repeat(np.arange(ends.target.size), rule.degree)[order]


RULE = Rule(FixedInDegree, read, write, expected, pairs, drawn=True)
