"""Which neurons a projection connects: one module per rule, with its fields, its form in a file and its pairs."""

from __future__ import annotations

from typing import Any

from neuroport.connections import (
    all_to_all,
    all_to_all_but_same,
    convolution,
    distance_dependent,
    fixed_in_degree,
    fixed_out_degree,
    fixed_probability,
    listed,
    one_to_one,
    pool,
    stored,
)
from neuroport.connections.rule import Ends, Entry, Pairs, Rule, Side
from neuroport.network.objects import Connect
from neuroport.shelf import shelve

__all__ = ["ALL", "Ends", "Entry", "Pairs", "Rule", "Side", "key", "rule"]

ALL: dict[str, Rule[Any]] = {
    "all_to_all": all_to_all.RULE,
    "all_to_all_but_same": all_to_all_but_same.RULE,
    "one_to_one": one_to_one.RULE,
    "fixed_probability": fixed_probability.RULE,
    "fixed_in_degree": fixed_in_degree.RULE,
    "fixed_out_degree": fixed_out_degree.RULE,
    "distance_dependent": distance_dependent.RULE,
    "convolution": convolution.RULE,
    "pool": pool.RULE,
    "pairs": listed.RULE,
    "file": stored.RULE,
}


def key(connect: Connect) -> str:
    """The name of the rule of what a network file says."""
    return next(key for key, rule in ALL.items() if rule.value is type(connect))


def rule(connect: Connect) -> Rule[Any]:
    """The rule of what a network file says."""
    return ALL[key(connect)]


shelve(__name__)
