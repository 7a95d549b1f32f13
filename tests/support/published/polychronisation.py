"""Izhikevich (2006): rates in the first ten seconds, and what they do to the weights."""

from __future__ import annotations

import numpy as np

from tests.oracles import published_polychronisation as oracle
from tests.support.published.model import CHANCE, Model, Numbers, Row
from tests.support.published.running import ran

SECONDS = 10
ROWS = ("excitatory rate (Hz)", "inhibitory rate (Hz)", "mean excitatory weight", "sd of excitatory weights")


def measure(chip: str, seed: int) -> Numbers:
    session = ran("published/polychronisation", chip, seed, (f"seed={seed}",))
    counts = session.spike_counts()
    weights = np.concatenate([session.get(f"exc_{to}_{delay}.w") for to in ("exc", "inh") for delay in oracle.DELAYS])
    rates = (counts["exc"] / 800 / SECONDS, counts["inh"] / 200 / SECONDS)
    return dict(zip(ROWS, (*rates, float(weights.mean()), float(weights.std())), strict=True))


def independent(seed: int) -> Numbers:
    found = oracle.simulate(SECONDS, seed)
    rates = [float(part.sum()) / part.shape[1] / SECONDS for part in np.split(found.fired, [oracle.EXC], axis=1)]
    return dict(zip(ROWS, (*rates, found.weights[-1], found.spread[-1]), strict=True))


MODEL = Model(
    name="published/polychronisation",
    source="Izhikevich, Neural Computation 18 (2006) 245",
    rows=tuple(Row(name, why=CHANCE) for name in ROWS),
    measure=measure,
    independent=independent,
    seeds=3,
)
