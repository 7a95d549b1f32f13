"""The concentration of a neuromodulator after two releases."""

from __future__ import annotations

from math import exp

import neuroport
from tests.support.published.model import Model, Numbers, Row

RELEASES = {10: 1.0, 110: 0.5}  # ms: how much
SHOWN = (100, 300)  # ms


def name(time: int) -> str:
    return f"1 released at 10 ms, 0.5 at 110 ms: m at {time} ms"


def measure(chip: str, _: int) -> Numbers:
    network = neuroport.Network("1 ms")
    network.population("vta", 1, "neuromodulator")
    found: Numbers = {}
    with neuroport.open(network, "reference", chip) as session:
        for time, amount in RELEASES.items():
            session.inject("vta.release", [0], amount, at=time)
        for time in SHOWN:
            session.run(time + 1 - session.step)
            found = {**found, name(time): float(session.get("vta.m")[0])}
    return found


def independent(_: int) -> Numbers:
    def level(at: int) -> float:
        return sum(amount * exp(-(at - time) / 200) for time, amount in RELEASES.items() if time <= at)

    return {name(time): level(time) for time in SHOWN}


MODEL = Model(
    name="neuromodulator",
    source="Izhikevich, Cereb. Cortex 17 (2007) 2443",
    rows=tuple(Row(name(time)) for time in SHOWN),
    measure=measure,
    independent=independent,
)
