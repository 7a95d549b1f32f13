"""Triplet STDP (Pfister & Gerstner 2006): the change of weights against the rate of pairing."""

from __future__ import annotations

from collections.abc import Sequence

from tests.oracles import published_triplet as oracle
from tests.support.published.model import Model, Numbers, Row
from tests.support.published.running import ran

RATES = (0.1, 10.0, 20.0, 40.0, 50.0)
CASES = [(lag, rate) for lag in (10.0, -10.0) for rate in RATES]
MEASURED = ("-0.04 ± 0.05", "0.14 ± 0.1", "0.29 ± 0.14", "0.53 ± 0.11", "0.56 ± 0.26")
MEASURED += ("-0.29 ± 0.08", "-0.41 ± 0.11", "-0.34 ± 0.1", "0.56 ± 0.32", "0.75 ± 0.19")
NAMES = [f"change at {rate:g} Hz, presynaptic spike 10 ms {'after' if lag < 0 else 'before'}" for lag, rate in CASES]


def named(changes: Sequence[float]) -> Numbers:
    """The rows, of the changes in the order of CASES."""
    return dict(zip(NAMES, changes, strict=True))


def measure(chip: str, _: int) -> Numbers:
    return named([float(w) - 1 for w in ran("published/triplet", chip).get("synapses.w")])


def independent(_: int) -> Numbers:
    return named([oracle.pairing(rate, lag) for lag, rate in CASES])


WHY = {NAMES[0]: "a2_plus is 5e-10; half a unit of the 32-bit weight is 9e-10"}

MODEL = Model(
    name="published/triplet",
    source="Pfister & Gerstner, J. Neurosci. 26 (2006) 9673",
    rows=tuple(Row(name, f"{data} (Sjöström)", WHY.get(name, "")) for name, data in zip(NAMES, MEASURED, strict=True)),
    measure=measure,
    independent=independent,
)
