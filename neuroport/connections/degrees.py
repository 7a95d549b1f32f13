"""What `fixed_in_degree` and `fixed_out_degree` share: as many partners for every neuron, drawn without replacement."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.rule import Ends, Entry
from neuroport.numerics.draws import choose

MAX_DEGREE = 10**12


def read_degree(entry: Entry, end: Literal["source", "target"]) -> tuple[int, bool] | None:
    """The degree and whether a neuron may be its own partner; `end` has the partners. None with what is wrong told."""
    report, what = entry.report, entry.what
    entries = entry.numbered("degree")
    if entries is None:
        return None
    own = entry.self_connections(entries.get("self"))
    degree = report.integer(entries["degree"], f"degree of {what}", 0, MAX_DEGREE)
    if degree is None:
        return None
    side = entry.source if end == "source" else entry.target
    most = (side.size - (not own)) if side else degree
    if degree > most:
        others = "neurons" if own else "other neurons"
        text = f"degree of {what} must be at most {most}, the {others} of its {end}; found {degree}"
        report.add(entries["degree"], text)
        return None
    return degree, own


def partners(ends: Ends, degree: int, end: Literal["source", "target"], self_connections: bool) -> NDArray[np.int64]:
    """Per neuron so many partners out of those at an end, ascending: int64 (neurons, degree)."""
    among, neurons = ends.shape if end == "source" else ends.shape[::-1]
    if self_connections or not ends.meet:
        return choose(ends.draws, among, degree, neurons)
    own = ends.own("target" if end == "source" else "source")[:, None]
    others = choose(ends.draws, among - 1, degree, neurons)
    others += others >= own
    return others if ends.same else np.where(own < 0, choose(ends.draws, among, degree, neurons), others)
