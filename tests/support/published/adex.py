"""Brette & Gerstner (2005), Naud et al. (2008): the firing patterns of the adaptive exponential neuron."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.oracles import published_adex as oracle
from tests.support.published.model import Model, Numbers, Row
from tests.support.published.running import ran, trains

DT = 0.02  # ms
NAMES = (
    "Brette & Gerstner",
    "tonic",
    "adapting",
    "initial burst",
    "regular bursting",
    "delayed acceleration",
    "delayed bursting",
    "transient",
    "irregular",
)
CHAOS = "chaotic: the trains part at 120 ms (those of `ideal32` and `ideal` at 48 ms)"


def numbers(every: Sequence[NDArray[np.float64]]) -> Numbers:
    """All rows, of the spike times (ms) of each neuron."""
    first, last = ([float(np.diff(times)[k]) if len(times) > 1 else 0.0 for times in every] for k in (0, -1))
    counts = {f"{name}: spikes in 500 ms": float(len(times)) for name, times in zip(NAMES, every, strict=True)}
    return counts | {
        "adapting: last interval / first": last[2] / first[2],
        "delayed acceleration: last interval / first": last[5] / first[5],
        "initial burst: first interval (ms)": first[3],
        "regular bursting: longest interval (ms)": float(np.diff(every[4]).max()),
        "delayed bursting: first spike (ms)": float(every[6][0]),
        "irregular: CV of the intervals": float(np.std(np.diff(every[8])) / np.mean(np.diff(every[8]))),
    }


def measure(chip: str, _: int) -> Numbers:
    return numbers([train * DT for train in trains(ran("published/adex", chip), "patterns", 9)])


def independent(_: int) -> Numbers:
    return numbers(oracle.spike_times(oracle.PATTERNS, 500, 0.005))


MODEL = Model(
    name="published/adex",
    source="Brette & Gerstner, J. Neurophysiol. 94 (2005) 3637; Naud et al., Biol. Cybern. 99 (2008) 335, fig. 4",
    rows=(
        *(Row(f"{name}: spikes in 500 ms") for name in NAMES[:-1]),
        Row("irregular: spikes in 500 ms", why=CHAOS),
        Row("adapting: last interval / first"),
        Row("delayed acceleration: last interval / first"),
        Row("initial burst: first interval (ms)"),
        Row("regular bursting: longest interval (ms)"),
        Row("delayed bursting: first spike (ms)"),
        Row("irregular: CV of the intervals", why=CHAOS),
    ),
    measure=measure,
    independent=independent,
)
