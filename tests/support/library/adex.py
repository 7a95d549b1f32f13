"""The adaptive exponential neuron below and above threshold; published/adex has its firing patterns."""

from __future__ import annotations

from tests.oracles import standard_neurons as oracle
from tests.oracles.standard_cells import course
from tests.support.library.driving import (
    Case,
    Found,
    Look,
    Neuron,
    at,
    at_first,
    courses,
    first,
    last,
    many,
    slowing,
)

DT, UNTIL = 0.02, 120.0
CASES = {
    "rises": Case(constant={"i": 0.3}, pulses={"jump": {4000: 10}}),
    "fires": Case(constant={"i": 1.0}),
    "rests": Case({"t_ref": 5}, constant={"i": 1.0}),
    "bursts": Case({"v_reset": -47}, constant={"i": 0.9}),
}
EULER = "forward Euler steps of 0.02 ms"
LOOKS = (
    Look("0.3 nA: voltage after 20 ms (mV from rest)", at("rises", "v", 1000, -70.6), EULER),
    Look("w after 120 ms (nA)", at("rises", "w", 6000), EULER),
    Look("voltage 5 ms after a jump of 10 mV at 80 ms (mV from rest)", at("rises", "v", 4251, -70.6), EULER),
    Look("1 nA: first spike (ms)", first("fires"), EULER),
    Look("1 nA: spikes in 120 ms", many("fires"), EULER),
    Look("1 nA: last interval / first", slowing("fires"), EULER),
    Look("1 nA, t_ref 5 ms: last interval / first", slowing("rests"), EULER),
    Look("0.9 nA, v_reset -47 mV: spikes in 120 ms", many("bursts"), EULER),
    Look("the same: last spike (ms)", last("bursts"), EULER),
    Look("1 nA, t_ref 5 ms: voltage right after the first spike (mV)", at_first("rests", "v", DT)),
)


def independent() -> Found:
    """A jump arrives at the end of its step."""
    runs = {
        "rises": course(oracle.adex(300), UNTIL, DT, [(4001 * DT, [10, 0])]),
        "fires": course(oracle.adex(1000), UNTIL, DT),
        "rests": course(oracle.adex(1000, refractory=5), UNTIL, DT),
        "bursts": course(oracle.adex(900, reset=-47), UNTIL, DT),
    }
    return courses(runs, v=lambda y: y[:, 0], w=lambda y: y[:, 1] / 1000)


NEURON = Neuron("adex", DT, UNTIL, ("v", "w"), CASES, LOOKS, independent)
MODEL = NEURON.model
