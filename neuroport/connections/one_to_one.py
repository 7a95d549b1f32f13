"""Every neuron of the source with that of the same number: `one_to_one`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.rule import Ends, Entry, Pairs, Rule
from neuroport.errors import InvalidInput
from neuroport.network.objects import Connect
from neuroport.yaml.arrays import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class OneToOne(Connect):
    """Pairs of neurons of the same number in two populations of equal size."""


def read(entry: Entry) -> OneToOne | None:
    """Read it."""
    source, target = entry.source, entry.target
    if entry.options(()) is None:
        return None
    if source and target and source.size != target.size:
        text = f"{entry.named} needs populations of equal size; found {source.size} and {target.size}"
        entry.report.add(entry.node, text)
        return None
    return OneToOne(place=entry.node.place)


def write(rule: OneToOne, sink: Sink, at: str) -> Any:
    """Write it."""
    return "one_to_one"


def expected(rule: OneToOne, ends: Ends) -> float:
    """One per neuron."""
    return float(ends.source.size)


def pairs(rule: OneToOne, ends: Ends) -> Pairs:
    """One per neuron. Raises InvalidInput when the populations have not the same size."""
    sources, targets = ends.shape
    if sources != targets:
        sizes = f"'{ends.source.name}' has {sources}, '{ends.target.name}' {targets}"
        raise InvalidInput.one(rule.place, f"one_to_one needs populations of equal size; {sizes}")
    return np.arange(sources), np.arange(sources)


def count(rule: OneToOne, shape: tuple[int, int]) -> int:
    """One value per neuron."""
    return shape[0]


RULE = Rule(OneToOne, read, write, expected, pairs, count=count)
