"""Alpha-shaped synaptic currents: their course, the voltages that they make, and spikes."""

from __future__ import annotations

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
    "exc": Case(pulses={"exc": {0: 0.5}}),
    "inh": Case(pulses={"inh": {0: -0.5}}),
    "as slow": Case({"tau_exc": 20}, pulses={"exc": {0: 0.1}}),
    "nearly": Case({"tau_exc": 24}, pulses={"exc": {0: 0.1}}),
    "fires": Case({"tau_exc": 1}, constant={"i": 0.25}, pulses={"exc": dict.fromkeys(TRAIN, 0.4)}),
}
LOOKS = (
    Look("current 2 ms after 0.5 nA, tau 2 ms (nA)", at("exc", "i_exc", 21)),
    Look("current 10 ms after it (nA)", at("exc", "i_exc", 101)),
    Look("highest voltage after it (mV from rest)", highest("exc", "v", -70)),
    Look("voltage 30 ms after it (mV from rest)", at("exc", "v", 301, -70)),
    Look("lowest voltage after -0.5 nA, tau 5 ms (mV from rest)", lowest("inh", "v", -70)),
    Look("voltage 30 ms after 0.1 nA, tau = tau_m (mV from rest)", at("as slow", "v", 301, -70)),
    Look("the same, tau 24 ms, tau_m 20 ms (mV from rest)", at("nearly", "v", 301, -70)),
    Look("0.25 nA, and 0.4 nA every 5 ms: first spike (ms)", first("fires"), GRID),
    Look("late rate of the same (Hz)", rate("fires"), GRID),
    Look("voltage right after the first spike (mV)", at_first("fires", "v", DT)),
)


def run(exc: float, inh: float, current: float, arrivals: Arrivals) -> Course:
    """The independent program with these time constants (ms); of what arrives, the second number is in pA."""
    (_, up), (_, down) = oracle.shape(exc, exc), oracle.shape(inh, inh)
    scaled = [(time, [0, 0, up * change[0], 0, down * change[1]]) for time, change in arrivals]
    return course(oracle.shaped_currents((exc, exc), (inh, inh), current), UNTIL, DT, scaled)


def independent() -> Found:
    """A weight arrives at the end of its step."""
    runs = {
        "exc": run(2, 5, 0, [(DT, [500, 0])]),
        "inh": run(2, 5, 0, [(DT, [0, -500])]),
        "as slow": run(20, 5, 0, [(DT, [100, 0])]),
        "nearly": run(24, 5, 0, [(DT, [100, 0])]),
        "fires": run(1, 5, 250, [((step + 1) * DT, [400, 0]) for step in TRAIN]),
    }
    return courses(runs, v=lambda y: y[:, 0], i_exc=lambda y: y[:, 1] / 1000)


NEURON = Neuron("alpha_lif", DT, UNTIL, ("v", "i_exc"), CASES, LOOKS, independent)
MODEL = NEURON.model
