"""Izhikevich's neuron in short steps; published/izhikevich has it as printed, with steps of 1 ms."""

from __future__ import annotations

from tests.oracles import standard_neurons as oracle
from tests.oracles.standard_cells import course
from tests.support.library.driving import Case, Found, Look, Neuron, at, courses, first, last, many, slowing

DT, UNTIL = 0.02, 150.0
CASES = {
    "RS": Case(constant={"i": 10}),
    "FS": Case({"a": 0.1, "d": 2}, constant={"i": 10}),
    "CH": Case({"c": -50, "d": 2}, constant={"i": 10}),
    "rests": Case({"b": 0.25}, constant={"i": 0.2}),
}
EULER = "steps of 0.02 ms, of first order"
LOOKS = (
    *(Look(f"{name} at a current of 10: first spike (ms)", first(name), EULER) for name in ("RS", "FS", "CH")),
    *(Look(f"{name}: spikes in 150 ms", many(name), EULER) for name in ("RS", "FS", "CH")),
    *(Look(f"{name}: last spike (ms)", last(name), EULER) for name in ("RS", "FS", "CH")),
    Look("RS: last interval / first", slowing("RS"), EULER),
    Look("b 0.25, at a current of 0.2: v after 150 ms", at("rests", "v", 7500), EULER),
    Look("b 0.25, at a current of 0.2: u after 20 ms", at("rests", "u", 1000), EULER),
)


def independent() -> Found:
    runs = {
        "RS": course(oracle.izhikevich(10, 0.02, 0.2, -65, 8), UNTIL, DT),
        "FS": course(oracle.izhikevich(10, 0.1, 0.2, -65, 2), UNTIL, DT),
        "CH": course(oracle.izhikevich(10, 0.02, 0.2, -50, 2), UNTIL, DT),
        "rests": course(oracle.izhikevich(0.2, 0.02, 0.25, -65, 8), UNTIL, DT),
    }
    return courses(runs, v=lambda y: y[:, 0], u=lambda y: y[:, 1])


NEURON = Neuron("izhikevich", DT, UNTIL, ("v", "u"), CASES, LOOKS, independent)
MODEL = NEURON.model
