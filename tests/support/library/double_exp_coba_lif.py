"""Double-exponential and alpha-shaped synaptic conductances: their course, the voltages that they make, and spikes."""

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
TRAIN = range(0, 2000, 20)
ALPHA = {"tau_rise_exc": 2, "tau_decay_exc": 2}
CASES = {
    "exc": Case(pulses={"exc": {0: 0.01}}),
    "inh": Case(pulses={"inh": {0: 0.02}}),
    "alpha": Case(ALPHA, pulses={"exc": {0: 0.01}}),
    "nearly": Case({"tau_rise_exc": 10, "tau_decay_exc": 10.005}, pulses={"exc": {0: 0.01}}),
    "fires": Case(pulses={"exc": dict.fromkeys(TRAIN, 0.008), "inh": dict.fromkeys(TRAIN, 0.001)}),
}
EULER = "conductances are held for a step of 0.1 ms"
LOOKS = (
    Look("conductance 1 ms after 10 nS, 0.5 and 3 ms (uS)", at("exc", "g_exc", 11)),
    Look("highest voltage after it (mV from rest)", highest("exc", "v", -60), EULER),
    Look("voltage 30 ms after it (mV from rest)", at("exc", "v", 301, -60), EULER),
    Look("lowest voltage after 20 nS, 1 and 8 ms (mV from rest)", lowest("inh", "v", -60), EULER),
    Look("conductance 5 ms after 10 nS, both 2 ms (uS)", at("alpha", "g_exc", 51)),
    Look("highest voltage after it (mV from rest), both 2 ms", highest("alpha", "v", -60), EULER),
    Look("conductance 5 ms after 10 nS, 10 and 10.005 ms (uS)", at("nearly", "g_exc", 51)),
    Look("8 nS and 1 nS every 2 ms: first spike (ms)", first("fires"), GRID),
    Look("late rate of the same (Hz)", rate("fires"), GRID),
    Look("voltage right after the first spike (mV)", at_first("fires", "v", DT)),
)


def run(exc: tuple[float, float], arrivals: Arrivals) -> Course:
    """The independent program; what arrives is in nS, at the end of its step."""
    inh = (1.0, 8.0)
    up, down = oracle.shape(*exc)[1], oracle.shape(*inh)[1]
    scaled = [(time, [0, 0, up * change[0], 0, down * change[1]]) for time, change in arrivals]
    return course(oracle.shaped_conductances(exc, inh), UNTIL, DT, scaled)


def independent() -> Found:
    runs = {
        "exc": run((0.5, 3), [(DT, [10, 0])]),
        "inh": run((0.5, 3), [(DT, [0, 20])]),
        "alpha": run((2, 2), [(DT, [10, 0])]),
        "nearly": run((10, 10.005), [(DT, [10, 0])]),
        "fires": run((0.5, 3), [((step + 1) * DT, [8, 1]) for step in TRAIN]),
    }
    return courses(runs, v=lambda y: y[:, 0], g_exc=lambda y: y[:, 1] / 1000)


NEURON = Neuron("double_exp_coba_lif", DT, UNTIL, ("v", "g_exc"), CASES, LOOKS, independent)
MODEL = NEURON.model
