"""As many sources for every target: `{fixed_in_degree: 10}`, `{fixed_in_degree: {degree: 10, self: false}}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroport.connections.rule import Ends, Entry, Pairs, Rule, written_numbered
from neuroport.network.objects import Connect
from neuroport.numerics.draws import choose
from neuroport.yaml.arrays import Sink

MAX_DEGREE = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedInDegree(Connect):
    """`degree` presynaptic neurons per postsynaptic one, drawn without replacement; itself if `self_connections`."""

    degree: int
    self_connections: bool = True


def read(entry: Entry) -> FixedInDegree | None:
    """Read it."""
    report, what = entry.report, entry.what
    entries = entry.numbered("degree")
    if entries is None:
        return None
    own = entry.self_connections(entries.get("self"))
    degree = report.integer(entries["degree"], f"degree of {what}", 0, MAX_DEGREE)
    if degree is None:
        return None
    most = (entry.source.size - (not own)) if entry.source else degree
    if degree > most:
        others = "neurons" if own else "other neurons"
        text = f"degree of {what} must be at most {most}, the {others} of its source; found {degree}"
        report.add(entries["degree"], text)
        return None
    return FixedInDegree(degree=degree, self_connections=own, place=entry.node.place)


def write(rule: FixedInDegree, sink: Sink, at: str) -> Any:
    """Write it."""
    return written_numbered("fixed_in_degree", "degree", rule.degree, rule.self_connections)


def expected(rule: FixedInDegree, ends: Ends) -> float:
    """So many per target."""
    return float(ends.target.size) * rule.degree


def pairs(rule: FixedInDegree, ends: Ends) -> Pairs:
    """Draw them."""
    sources, targets = ends.shape
    drop_self = ends.same and not rule.self_connections
    pre = choose(ends.draws, sources - 1 if drop_self else sources, rule.degree, targets)
    if drop_self:
        pre = pre + (pre >= np.arange(targets)[:, None])
    flat = pre.reshape(-1).astype(np.int64)
    post = np.repeat(np.arange(targets), rule.degree)
    order = np.lexsort((post, flat))
    return flat[order], post[order]


RULE = Rule(FixedInDegree, read, write, expected, pairs, drawn=True)
