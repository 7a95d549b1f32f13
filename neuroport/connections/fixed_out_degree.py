"""As many targets for every source: `{fixed_out_degree: 10}`, `{fixed_out_degree: {degree: 10, self: false}}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.degrees import partners, read_degree
from neuroport.connections.rule import Ends, Entry, Pairs, Rule, written_numbered
from neuroport.network.objects import Connect
from neuroport.program.laws import Choice, Law
from neuroport.yaml.arrays import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedOutDegree(Connect):
    """`degree` postsynaptic neurons per presynaptic one, drawn without replacement; itself if `self_connections`.

    `stored`: see FixedProbability.
    """

    degree: int
    self_connections: bool = True
    stored: bool = True


def read(entry: Entry) -> FixedOutDegree | None:
    """Read it."""
    given = read_degree(entry, "target")
    if given is None:
        return None
    return FixedOutDegree(degree=given[0], self_connections=given[1], stored=entry.stored(), place=entry.node.place)


def write(rule: FixedOutDegree, sink: Sink, at: str) -> Any:
    """Write it."""
    return written_numbered("fixed_out_degree", "degree", rule.degree, rule.self_connections, rule.stored)


def expected(rule: FixedOutDegree, ends: Ends) -> float:
    """So many per source."""
    return float(ends.source.size) * rule.degree


def pairs(rule: FixedOutDegree, ends: Ends) -> Pairs:
    """Draw them."""
    post = partners(ends, rule.degree, "target", rule.self_connections)
    return np.repeat(np.arange(ends.source.size), rule.degree), post.reshape(-1)


def law(rule: FixedOutDegree, ends: Ends) -> Law:
    """How rows are drawn."""
    return Choice(ends.draws, ends.target.size, rule.self_connections or not ends.same, rule.degree)


RULE = Rule(FixedOutDegree, read, write, expected, pairs, ("stored",), drawn=True, law=law)
