"""Random graphs of NIR as networks beside an independent program: what every neuron does, step for step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from tests.oracles.nir_steps import Meaning, flat, run
from tests.support.random_nir import DT, random_graph

nir = pytest.importorskip("nir", reason="graphs are made by the package nir")
STEPS = 24
ALL = (
    *("Affine", "AvgPool2d", "Conv1d", "Conv2d", "CubaLI", "CubaLIF", "Delay", "Flatten", "I", "IF", "Input", "LI"),
    *("LIF", "Linear", "NIRGraph", "Output", "Scale", "SumPool2d", "Threshold"),
)
"""Of nir 1.0.8, but for Identity, which cannot be stored."""


def here(made: Any, inputs: dict[str, Any], backend: str) -> dict[str, tuple[Any, Any]]:
    """Spikes and voltages of every population, (steps, size), with values given to the inputs."""
    net = neuroport.Network.of(made.network)
    names = [p.name for p in made.network.populations]
    voltages = [p.name for p in made.network.populations if any(s.name == "v" for s in p.neuron.states)]
    for name, values in inputs.items():
        rows = np.moveaxis(values, 1, -1).reshape(len(values), -1)
        net.stimulus(f"given_{name}", made.populations[name], series={"values": rows, "every": "1 step"}, input="x")
    steps = STEPS + made.late
    found = {}
    with neuroport.open(net, backend, chip="ideal") as session:
        v: dict[str, list[Any]] = {name: [] for name in voltages}
        for _ in range(steps):
            session.run(1)
            for name in voltages:
                v[name].append(session.get(f"{name}.v"))
        sizes = {p.name: p.size for p in session.program.populations}
        for name in names:
            spikes = np.zeros((steps, sizes[name]))
            if session.program.population(name).spiking:
                spikes[session.spikes(name)] = 1
            found[name] = (spikes, np.array(v.get(name, [])))
    return found


def numbered(values: Any) -> Any:
    """(steps, *shape) of NIR as (steps, neurons) here: the channels of a place stand together."""
    return (np.moveaxis(values, 1, -1) if values.ndim > 2 else values).reshape(len(values), -1)


SEEDS = 18


def test_the_graphs_have_nodes_of_all_classes() -> None:
    graphs = [random_graph(seed)[0] for seed in range(SEEDS)]
    classes = {type(node).__name__ for graph in graphs for node in flat(graph)[0].values()}
    nested = {type(node).__name__ for graph in graphs for node in graph.nodes.values()}
    assert classes | nested & {"NIRGraph"} == set(ALL)


QUICK = (*range(SEEDS), 53, 54)
"""In the last two a Threshold with a bias is behind other neurons."""


@pytest.mark.parametrize("seed", QUICK)
def test_every_neuron_does_what_it_does_in_nir(seed: int) -> None:
    check(seed, "reference")


def check(seed: int, backend: str) -> None:
    """Whether every neuron of a random graph does the same by both programs, each so many steps later."""
    graph, shapes = random_graph(seed)
    rng = np.random.default_rng(seed)
    exact, updated, subtract = (bool(one) for one in rng.integers(0, 2, 3))
    inputs = {name: np.round(rng.normal(0, 1.5, (STEPS, *shape)), 3) for name, shape in shapes.items()}
    made = neuroport.from_nir(
        graph, dt="1 ms", time_unit="s", input="values", integrate="exact" if exact else "euler",
        current="updated" if updated else "previous", reset="subtract" if subtract else "value",
    )  # fmt: skip
    there, found = run(graph, inputs, Meaning(DT, exact, updated, subtract)), here(made, inputs, backend)
    late = set()
    for name in there.v:
        spikes, v = found[made.populations[name]]
        kind = type(flat(graph)[0][name]).__name__
        wanted, sends = numbered(there.v[name]), kind in ("IF", "LIF", "CubaLIF", "Threshold")
        given = numbered(there.given[name])
        fits = [
            at
            for at in range(made.late + 1)
            if (not sends or np.array_equal(spikes[at : at + STEPS], given))
            and (kind == "Threshold" or np.allclose(v[at : at + STEPS], wanted, rtol=1e-12, atol=1e-12))
        ]
        assert fits, f"seed {seed}: {name} ({kind})"
        late.add(fits[0])
    assert late


@pytest.mark.dear
def test_the_emulator_does_the_same() -> None:
    check(1, "emulator")


@pytest.mark.slow
@pytest.mark.parametrize("first", range(SEEDS, 200, 26))
def test_more_of_them(first: int) -> None:
    for seed in range(first, first + 26):
        check(seed, "reference")
