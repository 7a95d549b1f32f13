"""Every neuron of the source with that of the same number: `one_to_one`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.rule import Ends, Entry, Pairs, Rule, refuse_unequal, same_sizes
from neuroport.network.objects import Connect
from neuroport.yaml.arrays import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class OneToOne(Connect):
    """Pairs of neurons of the same number in two populations of equal size."""


def read(entry: Entry) -> OneToOne | None:
    """Read it."""
    if entry.options(()) is None or not same_sizes(entry):
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
    refuse_unequal(rule, "one_to_one", ends)
    return np.arange(ends.source.size), np.arange(ends.target.size)


def count(rule: OneToOne, shape: tuple[int, int]) -> int:
    """One value per neuron."""
    return shape[0]


RULE = Rule(OneToOne, read, write, expected, pairs, count=count)
