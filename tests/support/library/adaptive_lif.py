"""Adaptation by a current: voltages, the current, and slower firing."""

from __future__ import annotations

from tests.oracles import standard_neurons as oracle
from tests.oracles.standard_cells import course
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
    many,
    rate,
    slowing,
)

DT, UNTIL = 0.1, 500.0
CASES = {
    "rises": Case({"a": 0.004}, constant={"i": 0.15}, pulses={"jump": {4900: 3}}),
    "fires often": Case({"b": 0}, constant={"i": 2.2}),
    "fires": Case(constant={"i": 0.5}),
}
EULER = "voltage and current take turns in steps of 0.1 ms"
LOOKS = (
    Look("0.15 nA, a 4 nS: voltage after 50 ms (mV from rest)", at("rises", "v", 500, -70), EULER),
    Look("the same after 500 ms, 10 ms after a jump of 3 mV (mV from rest)", at("rises", "v", 5000, -70), EULER),
    Look("current of adaptation after 50 ms (nA)", at("rises", "i_a", 500), EULER),
    Look("0.5 nA, b 20 pA: first spike (ms)", first("fires"), GRID),
    Look("spikes in 500 ms", many("fires"), GRID),
    Look("last interval / first", slowing("fires"), GRID),
    Look("2.2 nA, b 0: rate (Hz)", rate("fires often"), GRID),
    Look("voltage right after the first spike (mV)", at_first("fires", "v", DT)),
)


def independent() -> Found:
    """A jump arrives at the end of its step."""
    runs = {
        "rises": course(oracle.adaptive(150, a=4, b=20), UNTIL, DT, [(4901 * DT, [3, 0])]),
        "fires often": course(oracle.adaptive(2200, a=0, b=0), UNTIL, DT),
        "fires": course(oracle.adaptive(500, a=0, b=20), UNTIL, DT),
    }
    return courses(runs, v=lambda y: y[:, 0], i_a=lambda y: y[:, 1] / 1000)


NEURON = Neuron("adaptive_lif", DT, UNTIL, ("v", "i_a"), CASES, LOOKS, independent)
MODEL = NEURON.model
