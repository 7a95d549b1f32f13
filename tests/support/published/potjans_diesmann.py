"""Potjans & Diesmann (2014) at 5 %: rates of the eight populations, and irregularity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.oracles import published_potjans_diesmann as oracle
from tests.support.published.model import CHANCE, Model, Numbers, Row
from tests.support.published.running import Steps, irregularity, ran, trains

SCALE, FROM, TO = 0.05, 5000, 20000  # steps of 0.1 ms that count
PUBLISHED = ("0.86", "2.80", "4.45", "5.93", "7.59", "8.64", "1.09", "7.88")
IRREGULAR = "CV of the intervals"


def numbers(every: Sequence[Sequence[Steps]]) -> Numbers:
    """All rows, of the steps in which each neuron of each population spiked."""
    late = [[train[train >= FROM] for train in population] for population in every]
    rates = [sum(map(len, population)) / len(population) / ((TO - FROM) * 1e-4) for population in late]
    found = {f"{name} (Hz)": rate for name, rate in zip(oracle.NAMES, rates, strict=True)}
    return found | {IRREGULAR: irregularity([train for population in late for train in population])}


def measure(chip: str, seed: int) -> Numbers:
    session = ran("published/potjans_diesmann", chip, seed, (f"seed={seed}",))
    sizes = zip(oracle.NAMES, oracle.sizes(SCALE), strict=True)
    return numbers([trains(session, name, size) for name, size in sizes])


def independent(seed: int) -> Numbers:
    fired = oracle.spikes(SCALE, TO * oracle.STEP, seed)
    parts = np.split(fired, np.cumsum(oracle.sizes(SCALE))[:-1], axis=1)
    return numbers([[np.flatnonzero(column) for column in part.T] for part in parts])


MODEL = Model(
    name="published/potjans_diesmann",
    source="Potjans & Diesmann, Cereb. Cortex 24 (2014) 785, at 5 %",
    rows=(
        *(
            Row(f"{name} (Hz)", f"{rate} (full size)", CHANCE)
            for name, rate in zip(oracle.NAMES, PUBLISHED, strict=True)
        ),
        Row(IRREGULAR, why=CHANCE),
    ),
    measure=measure,
    independent=independent,
    seeds=3,
)
