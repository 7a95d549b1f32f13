"""NIR graphs for tests, made by the package nir, and what a network made of one spikes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport.api.nir import Imported

PAPER = "NEUROPORT_NIR_PAPER"
"""The environment variable that names the folder `paper` of the NIR repository."""


def paper(file: str) -> Path:
    """A file of the NIR paper; the test is skipped where these are not there."""
    folder = os.environ.get(PAPER)
    if not folder or not (Path(folder) / file).is_file():
        pytest.skip(f"needs {file} of the folder that {PAPER} names, a copy of `paper` of the NIR repository")
    return Path(folder) / file


def cuba(size: int, rng: np.random.Generator, **more: Any) -> Any:
    """Neurons as snnTorch writes them, with a step of 0.1 ms."""
    import nir

    tau_mem, tau_syn = rng.uniform(3e-4, 1e-3, size), rng.uniform(2e-4, 4e-4, size)
    given = {"tau_mem": tau_mem, "tau_syn": tau_syn, "r": tau_mem / 1e-4, "w_in": tau_syn / 1e-4}
    return nir.CubaLIF(**given, v_leak=np.zeros(size), v_threshold=np.ones(size), **more)


def braille(seed: int = 4, ins: int = 6, hidden: int = 9, outs: int = 4) -> Any:
    """A graph like those of the paper's task of reading braille: recurrent, with biases."""
    import nir

    rng = np.random.default_rng(seed)
    graph = {
        "input": nir.Input(np.array([ins])),
        "fc1": nir.Affine(rng.normal(0, 0.8, (hidden, ins)), rng.normal(0, 0.1, hidden)),
        "lif1.lif": cuba(hidden, rng),
        "lif1.w_rec": nir.Affine(rng.normal(0, 0.4, (hidden, hidden)), rng.normal(0, 0.1, hidden)),
        "fc2": nir.Affine(rng.normal(0, 0.6, (outs, hidden)), rng.normal(0, 0.1, outs)),
        "lif2": cuba(outs, rng),
        "output": nir.Output(np.array([outs])),
    }
    names = ["input fc1", "fc1 lif1.lif", "lif1.lif lif1.w_rec", "lif1.w_rec lif1.lif", "lif1.lif fc2", "fc2 lif2"]
    edges = [tuple(pair.split()) for pair in [*names, "lif2 output"]]
    return nir.NIRGraph(graph, edges, type_check=False)


def cnn(seed: int = 6, size: int = 12) -> Any:
    """A graph like the paper's CNN, with fewer channels: the names of nodes are numbers."""
    import nir

    rng = np.random.default_rng(seed)

    def conv(ins: int, outs: int, kernel: int, side: int, stride: int) -> Any:
        weight = rng.normal(0, 0.3, (outs, ins, kernel, kernel)).astype(np.float32)
        return nir.Conv2d((side, side), weight, (stride, stride), (1, 1), (1, 1), 1, np.zeros(outs, np.float32))

    def cells(*shape: int) -> Any:
        return nir.IF(np.ones(shape), np.ones(shape))

    def pool() -> Any:
        return nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))

    def dense(ins: int, outs: int) -> Any:
        return nir.Affine(rng.normal(0, 0.3, (outs, ins)), np.zeros(outs))

    half, quarter = size - 2, (size - 2) // 2
    graph = {
        "input": nir.Input(np.array([2, size, size])),
        "0": conv(2, 3, 5, size, 1),
        "1": cells(3, half, half),
        "2": conv(3, 4, 3, half, 1),
        "3": cells(4, half, half),
        "4": pool(),
        "5": conv(4, 2, 3, quarter, 1),
        "6": cells(2, quarter, quarter),
        "7": pool(),
        "8": nir.Flatten({"input": np.array([2, quarter // 2, quarter // 2])}, 0),
        "9": dense(2 * (quarter // 2) ** 2, 7),
        "10": cells(7),
        "11": dense(7, 3),
        "12": cells(3),
        "output": nir.Output(np.array([3])),
    }
    order = ["input", *map(str, range(13)), "output"]
    return nir.NIRGraph(graph, list(pairwise(order)), type_check=False)


def spikes(made: Imported, chip: str = "ideal", backend: str = "reference") -> dict[str, NDArray[np.float64]]:
    """Who spikes when the samples of a network are shown, (steps, neurons) by node, in the steps and numbers of NIR."""
    network = made.network
    with neuroport.open(network, backend, chip) as session:
        session.run_protocol()
        total, found = session.step, {}
        for population in network.populations:
            if population.neuron.spike is not None:
                steps, neurons = session.spikes(population.name)
                rows = np.zeros((total, population.size))
                rows[steps, neurons] = 1
                found[population.name] = rows
    late = {line.node: int(text) for line in made.nodes for text in [_late(line.text)]}
    by_node = {node: found[name] for node, name in made.populations.items() if name in found}
    return {node: rows[late[node] : total - made.late + late[node]] for node, rows in by_node.items()}


def _late(text: str) -> str:
    parts = [part for part in text.split("; ") if part.endswith("late")]
    return parts[0].split()[0] if parts else "0"


def in_nir_order(rows: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Rows of neurons of a map (channels, rows, columns), numbered as they are here, as (steps, *shape)."""
    moved = rows.reshape(len(rows), *shape[1:], shape[0])
    return np.moveaxis(moved, -1, 1)


def same(share: Mapping[str, NDArray[np.float64]], spikes_: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """The share of the spikes of a first run that others have at the same step, by node."""
    return {n: float((rows * spikes_[n].reshape(rows.shape)).sum() / max(rows.sum(), 1)) for n, rows in share.items()}
