"""Exponential synaptic conductances: the voltages that they make, and spikes."""

from __future__ import annotations

import numpy as np

from tests.oracles import standard_neurons as oracle
from tests.oracles.standard_cells import Arrivals, Course, course
from tests.support.library.driving import (
    GRID,
    Case,
    Found,
    Look,
    Neuron,
    at,
    at_first,
    courses,
    first,
    highest,
    lowest,
    rate,
)

DT, UNTIL = 0.1, 200.0
TRAIN = range(0, 2000, 20)
CASES = {
    "exc": Case(pulses={"exc": {0: 0.01}}),
    "inh": Case(pulses={"inh": {0: 0.02}}),
    "both": Case({"e_exc": -20}, pulses={"exc": {0: 0.01}, "inh": {0: 0.05}}),
    "current": Case(constant={"i": 0.15}),
    "fires": Case(pulses={"exc": dict.fromkeys(TRAIN, 0.006), "inh": dict.fromkeys(TRAIN, 0.001)}),
}
EULER = "conductances are held for a step of 0.1 ms"
LOOKS = (
    Look("conductance 10 ms after 10 nS (uS)", at("exc", "g_exc", 101)),
    Look("highest voltage after 10 nS at `exc` (mV from rest)", highest("exc", "v", -60), EULER),
    Look("voltage 30 ms after it (mV from rest)", at("exc", "v", 301, -60), EULER),
    Look("lowest voltage after 20 nS at `inh` (mV from rest)", lowest("inh", "v", -60), EULER),
    Look("lowest voltage after 10 nS, e_exc -20 mV, and 50 nS (mV from rest)", lowest("both", "v", -60), EULER),
    Look("0.15 nA: first spike (ms)", first("current"), GRID),
    Look("0.15 nA: rate (Hz)", rate("current"), GRID),
    Look("6 nS and 1 nS every 2 ms: first spike (ms)", first("fires"), GRID),
    Look("late rate of the same (Hz)", rate("fires"), GRID),
    Look("voltage right after the first spike (mV)", at_first("fires", "v", DT)),
)


def run(current: float, arrivals: Arrivals, reversal: float = 0) -> Course:
    """The independent program; what arrives, at the beginning of its step, is in nS, `reversal` in mV."""
    return course(
        oracle.conductances(current, reversal), UNTIL, DT, [(time, [0, *change]) for time, change in arrivals]
    )


def independent() -> Found:
    """What is held in a step is what there is at its beginning."""
    runs = {
        "exc": run(0, [(0, [10, 0])]),
        "inh": run(0, [(0, [0, 20])]),
        "both": run(0, [(0, [10, 50])], reversal=-20),
        "current": run(150, []),
        "fires": run(0, [(step * DT, [6, 1]) for step in TRAIN]),
    }
    return courses(runs, v=lambda y: y[:, 0], g_exc=lambda y: np.concatenate([y[:1, 1], y[:-1, 1]]) / 1000)


NEURON = Neuron("coba_lif", DT, UNTIL, ("v", "g_exc"), CASES, LOOKS, independent)
MODEL = NEURON.model
