"""The multi-timescale adaptive threshold: four of the paper's cells."""

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
    courses,
    first,
    highest,
    interval,
    many,
    slowing,
)

DT, UNTIL = 0.1, 500.0
CELLS = {"RS": (30.0, 2.0, 20.0), "IB": (7.5, 1.5, 19.0), "FS": (10.0, 0.2, 10.0), "CH": (-0.5, 0.4, 26.0)}
"""alpha_1, alpha_2 and omega from rest, mV."""
CASES = {
    name: Case({"alpha_1": one, "alpha_2": two, "omega": omega - 65}, constant={"i": 0.6})
    for name, (one, two, omega) in CELLS.items()
} | {"RS": Case(constant={"i": 0.6}), "rises": Case(constant={"i": 0.3}, pulses={"jump": {1000: 4}})}


def raised(found: Found) -> float:
    """The threshold above omega after 500 ms."""
    return at("RS", "th_1", 5000)(found) + at("RS", "th_2", 5000)(found)


LOOKS = (
    Look("0.3 nA, a jump of 4 mV at 100 ms: highest voltage (mV from rest)", highest("rises", "v", -65)),
    *(Look(f"{name}, 0.6 nA: spikes in 500 ms", many(name), GRID) for name in CELLS),
    *(Look(f"{name}: last interval / first", slowing(name), GRID) for name in CELLS),
    *(Look(f"{name}: first spike (ms)", first(name), GRID) for name in CELLS),
    Look("CH: first interval (ms)", interval("CH"), GRID),
    Look(
        "RS: threshold at the end (mV from omega)",
        raised,
        GRID,
    ),
)


def independent() -> Found:
    """A jump arrives at the end of its step."""
    runs = {name: course(oracle.mat(600, *cell), UNTIL, DT) for name, cell in CELLS.items()}
    runs["rises"] = course(oracle.mat(300, *CELLS["RS"]), UNTIL, DT, [(1001 * DT, [4, 0, 0])])
    return courses(runs, v=lambda y: y[:, 0] - 65, th_1=lambda y: y[:, 1], th_2=lambda y: y[:, 2])


NEURON = Neuron("adaptive_threshold_lif", DT, UNTIL, ("v", "th_1", "th_2"), CASES, LOOKS, independent)
MODEL = NEURON.model
