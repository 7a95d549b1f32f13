"""The Poisson source: its rate, and how irregular it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import neuroport
from tests.oracles import standard_neurons as oracle
from tests.support.published.model import Model, Numbers, Row

RATE, SECONDS, CELLS = 50.0, 2.0, 100
SAME = "chance; on the chip the same random numbers"


def numbers(trains: Sequence[NDArray[np.float64]]) -> Numbers:
    """All rows, of the spike times (ms) of each source."""
    intervals = np.concatenate([np.diff(train) for train in trains])
    return {
        "50 Hz, 100 sources for 2 s: rate (Hz)": sum(map(len, trains)) / (SECONDS * CELLS),
        "CV of the intervals": float(intervals.std() / intervals.mean()),
        "variance of the counts / mean": float(np.var([len(train) for train in trains]) / (RATE * SECONDS)),
    }


def measure(chip: str, seed: int) -> Numbers:
    network = neuroport.Network(dt="0.1 ms", seed=seed)
    network.population("sources", CELLS, "poisson", rate=f"{RATE} Hz")
    with neuroport.open(network, "reference", chip) as session:
        session.run(f"{SECONDS} s")
        steps, cells = session.spikes("sources")
    return numbers([(steps[cells == k] + 1) * 0.1 for k in range(CELLS)])


def independent(seed: int) -> Numbers:
    return numbers(oracle.poisson(RATE, SECONDS, CELLS, seed))


MODEL = Model(
    "poisson",
    neuroport.models["poisson"].source,
    (
        Row("50 Hz, 100 sources for 2 s: rate (Hz)", why=SAME),
        Row("CV of the intervals", why=SAME),
        Row("variance of the counts / mean", why=SAME),
    ),
    measure,
    independent,
    seeds=3,
)
