"""What is measured of the two benchmark networks after Vogels & Abbott (2005): rates and irregularity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tests.support.published.model import CHANCE, Model, Numbers, Row
from tests.support.published.running import Steps, irregularity, ran, trains

FROM, TO = 2000, 10000  # steps of 0.1 ms that count
RATES = ("excitatory rate (Hz)", "inhibitory rate (Hz)")
IRREGULAR = "CV of the intervals"


def numbers(exc: list[Steps], inh: list[Steps]) -> Numbers:
    """All rows, of the steps in which each neuron spiked."""
    late = [[train[train >= FROM] for train in every] for every in (exc, inh)]
    rates = [sum(map(len, every)) / len(every) / ((TO - FROM) * 1e-4) for every in late]
    return dict(zip(RATES, rates, strict=True)) | {IRREGULAR: irregularity(late[0] + late[1])}


def model(name: str, benchmark: str, oracle: Callable[[float, int], NDArray[np.bool_]]) -> Model:
    """The entry of one of the two."""

    def measure(chip: str, seed: int) -> Numbers:
        session = ran(name, chip, seed, (f"seed={seed}",))
        return numbers(trains(session, "exc", 3200), trains(session, "inh", 800))

    def independent(seed: int) -> Numbers:
        every = [np.flatnonzero(column) for column in oracle(TO * 0.1, seed).T]
        return numbers(every[:3200], every[3200:])

    source = (
        f"Vogels & Abbott, J. Neurosci. 25 (2005) 10786; Brette et al., J. Comput. Neurosci. 23 (2007) 349, {benchmark}"
    )
    rows = tuple(Row(quantity, why=CHANCE) for quantity in (*RATES, IRREGULAR))
    return Model(name, source, rows, measure, independent, seeds=3)
