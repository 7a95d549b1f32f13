"""Hodgkin and Huxley (1952): figure 12 of the paper, and firing under constant currents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.oracles import published_hodgkin_huxley as oracle
from tests.support.published.model import Model, Numbers, Row
from tests.support.published.running import Steps, late_rate, ran, trains

DT, SEEN = 0.01, 20  # ms; of the shocked membranes so much is compared
SHOCKS = np.array([90.0, 15.0, 7.0, 6.0])
CURRENTS = np.array([0.0, 5.0, 6.0, 7.0, 10.0, 20.0, 50.0, 160.0])


def numbers(v: NDArray[np.float64], shocked: Sequence[Steps], driven: Sequence[Steps]) -> Numbers:
    """All rows, of the voltages (samples, cells) of the shocked membranes and all spike trains."""
    return {
        "action potentials after 90, 15, 7 mV": float(sum(len(train) for train in shocked[:3])),
        "action potentials after 6 mV": float(len(shocked[3])),
        "peak after 15 mV (mV from rest)": float(v[:, 1].max() + 65),
        "delay of the spike after 7 mV (ms)": float(shocked[2][0]) * DT,
        "undershoot after 15 mV (mV from rest)": float(v[:, 1].min() + 65),
        "spikes in 500 ms at 6 uA/cm2": float(len(driven[2])),
        **{f"rate at {CURRENTS[k]:g} uA/cm2 (Hz)": late_rate(driven[k], DT) for k in (3, 4, 5, 6)},
        "spikes in 500 ms at 160 uA/cm2": float(len(driven[7])),
    }


def measure(chip: str, _: int) -> Numbers:
    session = ran("published/hodgkin_huxley", chip)
    v = session.records("shocked.v")[1][: round(SEEN / 0.1)]
    return numbers(v, trains(session, "shocked", 4), trains(session, "driven", 8))


def independent(_: int) -> Numbers:
    shocked = oracle.voltages(SHOCKS, np.zeros(4), SEEN, DT)
    driven = oracle.voltages(np.zeros(8), CURRENTS, 500, DT)
    return numbers(shocked[9::10], oracle.crossings(shocked), oracle.crossings(driven))


MODEL = Model(
    name="published/hodgkin_huxley",
    source="Hodgkin & Huxley, J. Physiol. 117 (1952) 500",
    rows=(
        Row("action potentials after 90, 15, 7 mV", "3 (fig. 12)"),
        Row("action potentials after 6 mV", "0 (fig. 12)"),
        Row("peak after 15 mV (mV from rest)"),
        Row("delay of the spike after 7 mV (ms)"),
        Row("undershoot after 15 mV (mV from rest)"),
        Row("spikes in 500 ms at 6 uA/cm2"),
        Row("rate at 7 uA/cm2 (Hz)"),
        Row("rate at 10 uA/cm2 (Hz)"),
        Row("rate at 20 uA/cm2 (Hz)"),
        Row("rate at 50 uA/cm2 (Hz)"),
        Row("spikes in 500 ms at 160 uA/cm2"),
    ),
    measure=measure,
    independent=independent,
)
