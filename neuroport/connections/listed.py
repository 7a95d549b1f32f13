"""Pairs one by one: `{pairs: [[0, 1], [1, 0]]}` (source, target)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.rule import Ends, Entry, Pairs, Rule, Side
from neuroport.network.objects import Connect
from neuroport.network.values import Frozen
from neuroport.yaml.arrays import Sink, array
from neuroport.yaml.slots import Rows, Shape, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Connect):
    """The rows of `pairs`: int64 (n, 2) of source, target."""

    pairs: Frozen


def read(entry: Entry) -> Listed | None:
    """Read it."""
    report = entry.report
    if entry.inner is None:
        text = f"{entry.this} must list its pairs: write 'pairs: [[0, 1], [1, 0]]'"
        report.add(entry.node, text)
        return None

    def fits(shape: Shape, rows: Rows) -> str:
        return "" if shape == (0,) or shape[1:] == (2,) else "(n, 2), rows of source and target"

    slot = Slot(entry.named, type="int", fits=fits, folder=entry.folder)
    result = array(report, entry.inner, slot, "", "source", entry.node.place)
    if result is None or entry.source is None or entry.target is None:
        return None
    pairs = result.values.array.astype(np.int64).reshape(-1, 2)
    wrong = _outside(entry.named, pairs, entry.source, entry.target)
    if wrong:
        report.add(entry.inner, wrong)
        return None
    return Listed(pairs=Frozen(pairs), place=entry.node.place)


def _outside(named: str, pairs: np.ndarray[Any, Any], source: Side, target: Side) -> str:
    """ "" or which pair has a neuron that does not exist."""
    for column, owner in enumerate((source, target)):
        bad = np.flatnonzero((pairs[:, column] < 0) | (pairs[:, column] >= owner.size))
        if len(bad):
            text = f"{named}: {pairs[bad[0]].tolist()} at {bad[0]} is outside of {owner}, "
            return f"{text}whose neurons are 0 to {owner.size - 1}"
    return ""


def write(rule: Listed, sink: Sink, at: str) -> Any:
    """Write it."""
    return {"pairs": sink.array(rule.pairs, f"{at}/pairs")}


def expected(rule: Listed, ends: Ends) -> float:
    """So many."""
    return float(len(rule.pairs.array))


def pairs(rule: Listed, ends: Ends) -> Pairs:
    """As they are given."""
    given = np.asarray(rule.pairs.array, np.int64).reshape(-1, 2)
    return given[:, 0], given[:, 1]


def count(rule: Listed, shape: tuple[int, int]) -> int:
    """One value per pair."""
    return len(rule.pairs.array)


RULE = Rule(Listed, read, write, expected, pairs, ordered=True, count=count)
