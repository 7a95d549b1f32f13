"""The leaky integrate-and-fire neuron: voltages and rates."""

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
    rate,
)

DT, UNTIL = 0.1, 150.0
CASES = {
    "rises": Case(constant={"i": 0.15}, pulses={"jump": {1000: -5}}),
    "fires": Case(constant={"i": 0.3}),
    "fires often": Case(constant={"i": 2.11}),
    "fires fast": Case({"tau_m": 10, "t_ref": 5}, constant={"i": 1.0}),
}
LOOKS = (
    Look("0.15 nA: voltage after 20 ms (mV from rest)", at("rises", "v", 200, -70)),
    Look("the same after 120 ms, 20 ms after a jump of -5 mV (mV from rest)", at("rises", "v", 1201, -70)),
    Look("0.3 nA: first spike (ms)", first("fires"), GRID),
    Look("0.3 nA: rate (Hz)", rate("fires"), GRID),
    Look("2.11 nA: rate (Hz)", rate("fires often"), GRID),
    Look("1 nA, tau_m 10 ms, t_ref 5 ms: rate (Hz)", rate("fires fast"), GRID),
    Look("voltage right after the first spike (mV)", at_first("fires", "v", DT)),
)


def independent() -> Found:
    """A jump arrives at the end of its step."""
    runs = {
        "rises": course(oracle.lif(150), UNTIL, DT, [(1001 * DT, [-5])]),
        "fires": course(oracle.lif(300), UNTIL, DT),
        "fires often": course(oracle.lif(2110), UNTIL, DT),
        "fires fast": course(oracle.lif(1000, tau=10, refractory=5), UNTIL, DT),
    }
    return courses(runs, v=lambda y: y[:, 0])


NEURON = Neuron("lif", DT, UNTIL, ("v",), CASES, LOOKS, independent)
MODEL = NEURON.model
