"""Exponential synaptic currents: the voltages that they make, and spikes."""

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
TRAIN = range(0, 2000, 50)
CASES = {
    "exc": Case(init={"v": -70}, pulses={"exc": {0: 0.5}}),
    "inh": Case(init={"v": -70}, pulses={"inh": {0: -0.5}}),
    "fires": Case(constant={"i": 0.25}, pulses={"exc": dict.fromkeys(TRAIN, 0.2)}),
}
HELD = "currents are held for a step of 0.1 ms"
LOOKS = (
    Look("current 10 ms after 0.5 nA (nA)", at("exc", "i_exc", 101)),
    Look("highest voltage after 0.5 nA at `exc` (mV from rest)", highest("exc", "v", -70), HELD),
    Look("voltage 30 ms after it (mV from rest)", at("exc", "v", 301, -70), HELD),
    Look("lowest voltage after -0.5 nA at `inh` (mV from rest)", lowest("inh", "v", -70), HELD),
    Look("0.25 nA, and 0.2 nA every 5 ms: first spike (ms)", first("fires"), GRID),
    Look("late rate of the same (Hz)", rate("fires"), GRID),
    Look("voltage right after the first spike (mV)", at_first("fires", "v", DT)),
)


def run(current: float, arrivals: Arrivals, start: float = -70) -> Course:
    """The independent program; what arrives is in pA, at the beginning of its step."""
    return course(oracle.currents(current, start), UNTIL, DT, [(time, [0, *change]) for time, change in arrivals])


def independent() -> Found:
    """What is held in a step is what there is at its beginning."""
    runs = {
        "exc": run(0, [(0, [500, 0])]),
        "inh": run(0, [(0, [0, -500])]),
        "fires": run(250, [(step * DT, [200, 0]) for step in TRAIN], start=-60),
    }
    return courses(runs, v=lambda y: y[:, 0], i_exc=lambda y: np.concatenate([y[:1, 1], y[:-1, 1]]) / 1000)


NEURON = Neuron("cuba_lif", DT, UNTIL, ("v", "i_exc"), CASES, LOOKS, independent)
MODEL = NEURON.model
