"""Every neuron of the source with all of the target but that of the same number: `all_to_all_but_same`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.rule import Ends, Entry, Pairs, Rule, refuse_unequal, same_sizes
from neuroport.network.objects import Connect
from neuroport.yaml.arrays import Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class AllToAllButSame(Connect):
    """Pairs of neurons of different numbers in two populations of equal size, or in one."""


def read(entry: Entry) -> AllToAllButSame | None:
    """Read it."""
    if entry.options(()) is None or not same_sizes(entry):
        return None
    return AllToAllButSame(place=entry.node.place)


def write(rule: AllToAllButSame, sink: Sink, at: str) -> Any:
    """Write it."""
    return "all_to_all_but_same"


def expected(rule: AllToAllButSame, ends: Ends) -> float:
    """All but one per neuron."""
    return float(ends.source.size) * (ends.target.size - 1)


def pairs(rule: AllToAllButSame, ends: Ends) -> Pairs:
    """All of them. Raises InvalidInput when the populations have not the same size."""
    refuse_unequal(rule, "all_to_all_but_same", ends)
    size = ends.source.size
    pre, others = np.repeat(np.arange(size), size - 1), np.tile(np.arange(size - 1), size)
    return pre, others + (others >= pre)


RULE = Rule(AllToAllButSame, read, write, expected, pairs)
