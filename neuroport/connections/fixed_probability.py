"""Every pair with the same probability: `{fixed_probability: 0.1}`, `{fixed_probability: {p: 0.1, self: false}}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.rule import Ends, Entry, Pairs, Rule, without_self, written_numbered
from neuroport.network.objects import Connect
from neuroport.numerics.draws import bernoulli_pairs
from neuroport.program.laws import Jumps, Law
from neuroport.yaml.arrays import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedProbability(Connect):
    """Each pair with `probability`; those of a neuron with itself only if `self_connections`.

    `stored`: false where synapses are drawn anew for every spike, see docs/network.md.
    """

    probability: float
    self_connections: bool = True
    stored: bool = True


def read(entry: Entry) -> FixedProbability | None:
    """Read it."""
    entries = entry.numbered("p")
    if entries is None:
        return None
    own = entry.self_connections(entries.get("self"))
    probability = entry.report.number(entries["p"], f"probability of {entry.what}", 0, 1)
    if probability is None:
        return None
    place, stored = entry.node.place, entry.stored()
    return FixedProbability(probability=probability, self_connections=own, stored=stored, place=place)


def write(rule: FixedProbability, sink: Sink, at: str) -> Any:
    """Write it."""
    return written_numbered("fixed_probability", "p", rule.probability, rule.self_connections, rule.stored)


def expected(rule: FixedProbability, ends: Ends) -> float:
    """The mean number."""
    return ends.possible(rule.self_connections) * rule.probability


def pairs(rule: FixedProbability, ends: Ends) -> Pairs:
    """Draw them."""
    sources, targets = ends.shape
    drawn = bernoulli_pairs(ends.draws, rule.probability, np.arange(sources), targets)
    return without_self(drawn, ends, rule.self_connections)


def law(rule: FixedProbability, ends: Ends) -> Law:
    """How rows are drawn."""
    return Jumps(ends.draws, ends.target.size, rule.self_connections or not ends.same, rule.probability)


RULE = Rule(FixedProbability, read, write, expected, pairs, ("stored",), drawn=True, law=law)
