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
    population = entry.source if end == "source" else entry.target
    most = (population.size - (not own)) if population else degree
    if degree > most:
        others = "neurons" if own else "other neurons"
        text = f"degree of {what} must be at most {most}, the {others} of its {end}; found {degree}"
        report.add(entries["degree"], text)
        return None
    return degree, own


def partners(ends: Ends, degree: int, among: int, neurons: int, self_connections: bool) -> NDArray[np.int64]:
    """Per neuron so many partners out of `among`, ascending: int64 (neurons, degree)."""
    drop_self = ends.same and not self_connections
    chosen = choose(ends.draws, among - 1 if drop_self else among, degree, neurons)
    return chosen + (chosen >= np.arange(neurons)[:, None]) if drop_self else chosen
