"""Synaptic scaling (van Rossum, Bi & Turrigiano 2000): rates come back to their goal when the input changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.oracles import published_synaptic_scaling as oracle
from tests.support.published.model import Model, Numbers, Row
from tests.support.published.running import ran

INPUTS = (10.0, 12.0, 10.0)
"""Hz of the inputs, for two minutes each."""
SPAN = 120_000
KINDS = ("scaling", "both")


def numbers(times: Sequence[NDArray[np.int64]], weights: Sequence[float]) -> Numbers:
    """The rows, of the spikes (ms) of the two neurons and of their mean weights at the end (uS)."""
    found = {}
    for kind, spikes, weight in zip(KINDS, times, weights, strict=True):
        for part, rate in enumerate(INPUTS):
            end = (part + 1) * SPAN
            name = f"{kind}: rate in the last minute at {rate:g} Hz{' again' if part == 2 else ''} (Hz)"
            found[name] = float(((spikes >= end - SPAN // 2) & (spikes < end)).sum()) / 60
        found[f"{kind}: mean weight at the end (nS)"] = weight * 1000
    return found


def measure(chip: str, seed: int) -> Numbers:
    session = ran("published/synaptic_scaling", chip, seed, (f"seed={seed}",))
    spikes = [session.spikes(kind)[0] for kind in KINDS]
    return numbers(spikes, [float(session.get(f"to_{kind}.w").mean()) for kind in KINDS])


def independent(seed: int) -> Numbers:
    rng = np.random.default_rng(seed)
    cells = [oracle.Neuron(rng.uniform(0.001, 0.003, 30), kind == "both") for kind in KINDS]
    for rate in INPUTS:
        for _ in range(SPAN):
            spikes = rng.random(30) < rate / 1000
            for cell in cells:
                cell.step(spikes)
    return numbers([np.array(cell.times) for cell in cells], [float(cell.w.mean()) for cell in cells])


MODEL = Model(
    name="published/synaptic_scaling",
    source="van Rossum, Bi & Turrigiano, J. Neurosci. 20 (2000) 8812",
    rows=(
        Row("scaling: rate in the last minute at 10 Hz (Hz)", "20 (a_goal)"),
        Row("scaling: rate in the last minute at 12 Hz (Hz)", "20 (a_goal)"),
        Row("scaling: rate in the last minute at 10 Hz again (Hz)", "20 (a_goal)"),
        Row("scaling: mean weight at the end (nS)"),
        Row("both: rate in the last minute at 10 Hz (Hz)", "20 (a_goal)"),
        Row("both: rate in the last minute at 12 Hz (Hz)", "20 (a_goal)"),
        Row("both: rate in the last minute at 10 Hz again (Hz)", "20 (a_goal)"),
        Row("both: mean weight at the end (nS)"),
    ),
    measure=measure,
    independent=independent,
    seeds=3,
)
