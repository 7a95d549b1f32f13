"""Voltage-based STDP (Clopath et al. 2010): the change of weights against the rate of pairing."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracles import published_clopath as oracle
from tests.support.published.model import Model, Numbers, Row
from tests.support.published.running import ran
from tests.support.published.triplet import CASES, MEASURED, NAMES


def named(changes: Sequence[float]) -> Numbers:
    """The rows, of the changes in the order of CASES."""
    return dict(zip(NAMES, changes, strict=True))


def measure(chip: str, _: int) -> Numbers:
    return named([float(w) / 0.5 - 1 for w in ran("published/clopath", chip).get("synapses.w")])


def independent(_: int) -> Numbers:
    return named([oracle.pairing(rate, round(lag)) for lag, rate in CASES])


WHY = {NAMES[0]: "50 changes of 44 units of the 32-bit weight each"}

MODEL = Model(
    name="published/clopath",
    source="Clopath et al., Nature Neurosci. 13 (2010) 344",
    rows=tuple(Row(name, f"{data} (Sjöström)", WHY.get(name, "")) for name, data in zip(NAMES, MEASURED, strict=True)),
    measure=measure,
    independent=independent,
)
