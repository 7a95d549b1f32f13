"""Inhibitory plasticity (Vogels et al. 2011): rates before learning and after it, on networks drawn anew."""

from __future__ import annotations

import numpy as np

from tests.oracles import published_vogels as oracle
from tests.support.published.model import CHANCE, Model, Numbers, Row
from tests.support.published.running import Steps, irregularity, ran

STILL, LEARNING, LAST = 5000, 50000, 30000
"""Steps without learning, with learning, and of the last part, which is measured."""


def numbers(steps: Steps, cells: Steps, weight: float) -> Numbers:
    """The rows, of all spikes (excitatory cells first) and the mean inhibitory weight at the end (uS)."""
    before, after = steps < STILL, steps >= STILL + LEARNING - LAST
    excitatory = cells < 1600
    last = [steps[after & (cells == k)] for k in range(1600)]
    return {
        "rate of excitatory cells before learning (Hz)": float((before & excitatory).sum()) / 1600 / 0.5,
        "rate of inhibitory cells before learning (Hz)": float((before & ~excitatory).sum()) / 400 / 0.5,
        "rate of excitatory cells after 2 to 5 s (Hz)": float((after & excitatory).sum()) / 1600 / 3,
        "rate of inhibitory cells after 2 to 5 s (Hz)": float((after & ~excitatory).sum()) / 400 / 3,
        "variation of their intervals (excitatory, CV)": irregularity(last),
        "mean inhibitory weight after 5 s (nS)": weight * 1000,
    }


def measure(chip: str, seed: int) -> Numbers:
    session = ran("published/vogels", chip, sets=(f"seed={seed}", "protocol.4.repeat=5", "protocol.6.do.0.run=0.1 ms"))
    exc, inh = session.spikes("exc"), session.spikes("inh")
    steps, cells = np.concatenate([exc[0], inh[0]]), np.concatenate([exc[1], inh[1] + 1600])
    known = steps < STILL + LEARNING
    return numbers(steps[known], cells[known], float(session.get("inh_to_exc.w").mean()))


def independent(seed: int) -> Numbers:
    run = oracle.Run(oracle.drawn(seed))
    run.run(STILL, 0.0)
    run.run(LEARNING, 1e-4)
    steps = np.concatenate([np.full(len(cells), step) for step, cells in run.spikes])
    return numbers(steps, np.concatenate([cells for _, cells in run.spikes]), float(run.w[run.joined].mean()))


MODEL = Model(
    name="published/vogels",
    source="Vogels et al., Science 334 (2011) 1569",
    rows=(
        Row("rate of excitatory cells before learning (Hz)", why=CHANCE),
        Row("rate of inhibitory cells before learning (Hz)", why=CHANCE),
        Row("rate of excitatory cells after 2 to 5 s (Hz)", "3, in the end (rho_0)", CHANCE),
        Row("rate of inhibitory cells after 2 to 5 s (Hz)", why=CHANCE),
        Row("variation of their intervals (excitatory, CV)", "irregular", CHANCE),
        Row("mean inhibitory weight after 5 s (nS)", why=CHANCE),
    ),
    measure=measure,
    independent=independent,
    seeds=3,
)
