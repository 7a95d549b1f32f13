"""Hodgkin and Huxley's axon under currents and jumps; published/hodgkin_huxley has the paper's figure 12."""

from __future__ import annotations

import numpy as np

from tests.oracles import published_hodgkin_huxley as oracle
from tests.support.library.driving import (
    Case,
    Driven,
    Found,
    Look,
    Neuron,
    at,
    first,
    highest,
    lowest,
    rate,
)

DT, UNTIL = 0.01, 32.0
HALF = {"c": 0.5, "g_na": 60, "g_k": 18, "g_l": 0.15}
CASES = {
    "fires": Case(constant={"i": 10}),
    "half": Case(HALF, constant={"i": 5}),
    "shocked": Case(pulses={"jump": {0: 15}}),
    "hyperpolarised": Case(constant={"i": -3}),
}
EULER = "forward Euler steps of 0.01 ms"
LOOKS = (
    Look("10 nA, 1 nF: first spike (ms)", first("fires"), EULER),
    Look("highest voltage (mV)", highest("fires", "v"), EULER),
    Look("lowest voltage (mV)", lowest("fires", "v"), EULER),
    Look("rate (Hz)", rate("fires"), EULER),
    Look("5 nA, half the membrane (0.5 nF): rate (Hz)", rate("half"), EULER),
    Look("a jump of 15 mV: highest voltage (mV)", highest("shocked", "v"), EULER),
    Look("a jump of 15 mV: voltage 10 ms later (mV)", at("shocked", "v", 1001), EULER),
    Look("-3 nA: voltage after 32 ms (mV)", at("hyperpolarised", "v", 3200), EULER),
)


def independent() -> Found:
    """Fourth-order steps of 0.005 ms; the jump comes at the end of the first step of 0.01 ms."""
    fine = 2
    v = oracle.voltages(np.array([0, 0, 15.0, 0]), np.array([10.0, 10, 0, -3]), UNTIL, DT / fine)
    spikes = [(steps + 1) * DT / fine for steps in oracle.crossings(v)]
    sampled = v[fine - 1 :: fine]
    shocked = np.concatenate([[-65.0], sampled[:-1, 2]])
    states = [sampled[:, 0], sampled[:, 1], shocked, sampled[:, 3]]
    return {name: Driven(train, {"v": one}) for name, train, one in zip(CASES, spikes, states, strict=True)}


NEURON = Neuron("hodgkin_huxley", DT, UNTIL, ("v",), CASES, LOOKS, independent)
MODEL = NEURON.model
