"""STDP gated by dopamine (Izhikevich 2007): the rewarded synapse grows, the others do not."""

from __future__ import annotations

import numpy as np

import neuroport
from tests.oracles import published_dopamine as oracle
from tests.support.published.model import CHANCE, Model, Numbers, Row

SECONDS = 1000


def measure(chip: str, seed: int) -> Numbers:
    network = neuroport.load("published/dopamine", [f"seed={seed}"])
    result = neuroport.run(network, chip=chip, seed=seed)
    return {
        "rewarded synapse after 1,000 s (mV)": float(result.metrics["watched"][-1][1]),
        "mean of the other synapses (mV)": float(result.metrics["others"][-1][1]),
        "rate of excitatory cells (Hz)": result.rates["exc"],
        "rate of inhibitory cells (Hz)": result.rates["inh"],
        "rewards": result.spikes["critics"],
    }


def independent(seed: int) -> Numbers:
    rng = np.random.default_rng(seed)
    run = oracle.Run(oracle.drawn(rng))
    for _ in range(SECONDS):
        for noise, delay in zip(13 * (rng.random((1000, 250)) - 0.5), rng.uniform(1000, 3000, 1000), strict=True):
            run.step(noise, delay)
    joined = run.network.plastic[:, : oracle.EXC] > 0
    return {
        "rewarded synapse after 1,000 s (mV)": run.watched,
        "mean of the other synapses (mV)": float(run.s[:, : oracle.EXC][joined].mean()),
        "rate of excitatory cells (Hz)": float(run.counts[: oracle.EXC].mean()) / SECONDS,
        "rate of inhibitory cells (Hz)": float(run.counts[oracle.EXC :].mean()) / SECONDS,
        "rewards": run.given,
    }


MODEL = Model(
    name="published/dopamine",
    source="Izhikevich, Cereb. Cortex 17 (2007) 2443",
    rows=(
        Row("rewarded synapse after 1,000 s (mV)", "grows to 4 (fig. 1d, 1 h)", CHANCE),
        Row("mean of the other synapses (mV)", "small", CHANCE),
        Row("rate of excitatory cells (Hz)", "about 1", CHANCE),
        Row("rate of inhibitory cells (Hz)", why=CHANCE),
        Row("rewards", why=CHANCE),
    ),
    measure=measure,
    independent=independent,
    seeds=3,
)
