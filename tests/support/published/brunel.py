"""Brunel (2000): rates and irregularity in three of the states of figure 8."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.oracles import published_brunel as oracle
from tests.support.published.model import CHANCE, Model, Numbers, Row
from tests.support.published.running import Steps, irregularity, ran, trains

DT, FROM, TO = 0.1, 1000, 5000  # ms; the steps that count
STATES = {"AI": (5.0, 2.0), "SI, fast": (6.0, 4.0), "SI, slow": (4.5, 0.9)}
LARGE = oracle.Size(4000, 1000, 1000, 250, 0.1)


def sets(size: oracle.Size, g: float, ratio: float, seed: int) -> list[str]:
    """The changes of the shipped network that make it this one."""
    cells = {"exc": size.exc, "inh": size.inh}
    inputs = {"exc": (size.inputs_exc, size.efficacy), "inh": (size.inputs_inh, -g * size.efficacy)}
    found = [f"seed={seed}"]
    for name, many in cells.items():
        found += [f"{name}.size={many}", f"{name}.ratio={ratio}", f"{name}.j={size.efficacy} mV"]
        for target in cells:
            degree = f"{inputs[name][0]}" if target != name else f"{{degree: {inputs[name][0]}, self: false}}"
            found += [f"{name}_to_{target}.weight={inputs[name][1]}"]
            found += [f"{name}_to_{target}.connect={{fixed_in_degree: {degree}}}"]
    return found


def numbers(state: str, every: list[Steps]) -> Numbers:
    """Rate of all neurons, and irregularity of their trains."""
    late = [train[(train >= FROM) & (train < TO)] for train in every]
    rate = sum(len(train) for train in late) / len(late) / ((TO - FROM) * DT / 1000)
    return {f"{state}: rate (Hz)": rate, f"{state}: CV of the intervals": irregularity(late)}


def each(fired: NDArray[np.bool_]) -> list[Steps]:
    return [np.flatnonzero(column) for column in fired.T]


def measure_state(state: str, size: oracle.Size, g: float, ratio: float, chip: str, seed: int) -> Numbers:
    session = ran("published/brunel", chip, seed, sets(size, g, ratio, seed))
    return numbers(state, trains(session, "exc", size.exc) + trains(session, "inh", size.inh))


def measure(chip: str, seed: int) -> Numbers:
    found: dict[str, float] = {}
    for state, (g, ratio) in STATES.items():
        found |= measure_state(state, oracle.Size(), g, ratio, chip, seed)
    return found | measure_state("AI, 1000 + 250 inputs", LARGE, 5.0, 2.0, chip, seed)


def independent(seed: int) -> Numbers:
    found: dict[str, float] = {}
    for state, (g, ratio) in STATES.items():
        found |= numbers(state, each(oracle.spikes(oracle.Size(), g, ratio, TO * DT, seed)))
    return found | numbers("AI, 1000 + 250 inputs", each(oracle.spikes(LARGE, 5.0, 2.0, TO * DT, seed)))


MODEL = Model(
    name="published/brunel",
    source="Brunel, J. Comput. Neurosci. 8 (2000) 183, fig. 8",
    rows=(
        Row("AI: rate (Hz)", why="two of three runs have the same spikes for 500 ms"),
        Row("AI: CV of the intervals"),
        Row("SI, fast: rate (Hz)", "60.7 (1000 + 250 inputs)", CHANCE),
        Row("SI, fast: CV of the intervals", why=CHANCE),
        Row("SI, slow: rate (Hz)", "5.5 (1000 + 250 inputs)", CHANCE),
        Row("SI, slow: CV of the intervals", why=CHANCE),
        Row("AI, 1000 + 250 inputs: rate (Hz)", "37.7", CHANCE),
        Row("AI, 1000 + 250 inputs: CV of the intervals", why=CHANCE),
    ),
    measure=measure,
    independent=independent,
    seeds=3,
)
