"""Networks of NIR graphs beside independent programs in NumPy, and the NIR paper's own vectors, step for step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from tests.oracles.nir_steps import Meaning, run
from tests.support import nir_graphs as graphs

nir = pytest.importorskip("nir", reason="graphs are made by the package nir")


def compare(made: Any, expected: dict[str, Any], chip: str = "ideal", backend: str = "reference") -> None:
    found = graphs.spikes(made, chip, backend)
    for name, rows in expected.items():
        shape = rows.shape[1:]
        own = graphs.in_nir_order(found[name], shape) if len(shape) > 1 else found[name]
        assert rows.sum() > 0 and np.array_equal(own, rows), name


def spiking(graph: Any, x: Any, dt: float = 1.0, **semantics: bool) -> dict[str, Any]:
    """Who spikes in a graph whose input is `input`, by node: (steps, *shape)."""
    given = run(graph, {"input": x}, Meaning(dt, **semantics)).given
    return {name: given[name] for name, node in graph.nodes.items() if isinstance(node, nir.IF | nir.CubaLIF)}


@pytest.mark.parametrize("reset", ["value", "subtract"])
@pytest.mark.parametrize("current", ["previous", "updated"])
def test_a_recurrent_graph_with_biases(tmp_path: Path, reset: str, current: str) -> None:
    """Each layer begins its first step when the first input reaches it, so that biases do not come first."""
    graph = graphs.braille()
    x = (np.random.default_rng(1).random((80, 6)) < 0.3).astype(float)
    made = neuroport.from_nir(
        graph, samples=x, output=tmp_path / "net.yaml", backend="reference", reset=reset, current=current
    )
    assert {choice.name: choice.value for choice in made.choices}["dt"] == "0.1 ms"
    compare(made, spiking(graph, x, 1e-4, subtract=reset == "subtract", updated=current == "updated"))


def test_a_convolutional_graph(tmp_path: Path) -> None:
    graph = graphs.cnn()
    x = (np.random.default_rng(2).random((15, 2, 12, 12)) < 0.3).astype(float)
    made = neuroport.from_nir(graph, samples=x, output=tmp_path / "net.yaml", backend="reference")
    compare(made, spiking(graph, x))
    kinds = [type(projection.connect).__name__ for projection in made.network.projections]
    assert kinds == ["Convolution", "Convolution", "Convolution", "AllToAll", "AllToAll"]


def test_graphs_that_are_calibrated_run_on_chips(tmp_path: Path) -> None:
    graph = graphs.braille()
    x = (np.random.default_rng(1).random((80, 6)) < 0.3).astype(float)
    made = neuroport.from_nir(graph, samples=x, output=tmp_path / "net.yaml", backend="reference", chip="generic16")
    assert made.network.chip == "generic16"
    ideal = graphs.spikes(made)
    shares = {chip: graphs.same(ideal, graphs.spikes(made, chip)) for chip in ("generic16", "generic8")}
    assert min(shares["generic16"].values()) > 0.95
    assert 0.2 < min(shares["generic8"].values())


# ------------------------------------------------------------------------------------------- files of the NIR paper


def test_the_paper_s_lif(tmp_path: Path) -> None:
    """Its voltages are those of Norse to 1e-6, a step later."""
    file = graphs.paper("01_lif/lif_norse.nir")
    given, v, spiked = np.loadtxt(graphs.paper("01_lif/lif_norse.csv"), delimiter=",").T
    made = neuroport.from_nir(
        file, samples=given[:, None], output=tmp_path / "net.yaml", backend="reference", input="values"
    )
    with neuroport.open(made.network, "reference") as session:
        found = []
        for _ in range(len(given) + 1):
            session.run(1)
            found.append(session.get("lif_1.v")[0])
        steps = session.spikes("lif_1")[0]
    assert np.abs(np.array(found[1:]) - v).max() < 1e-6
    assert (steps - 1).tolist() == np.flatnonzero(spiked).tolist() == [460, 510, 710, 760]


@pytest.mark.parametrize("current", ["previous", "updated"])
@pytest.mark.parametrize(
    ("name", "reset"), [("braille_noDelay_bias_zero", "value"), ("braille_noDelay_noBias_subtract", "subtract")]
)
def test_the_paper_s_braille_graphs(tmp_path: Path, name: str, reset: str, current: str) -> None:
    file = graphs.paper(f"03_rnn/{name}.nir")
    x = (np.random.default_rng(3).random((256, 12)) < 0.15).astype(float)
    made = neuroport.from_nir(
        file, samples=x, output=tmp_path / "net.yaml", backend="reference", reset=reset, current=current
    )
    semantics = {"subtract": reset == "subtract", "updated": current == "updated"}
    compare(made, spiking(nir.read(file), x, 1e-4, **semantics))


@pytest.mark.dear
def test_the_paper_s_cnn(tmp_path: Path) -> None:
    file = graphs.paper("02_cnn/cnn_sinabs.nir")
    x = (np.random.default_rng(5).random((20, 2, 34, 34)) < 0.1).astype(float)
    made = neuroport.from_nir(file, samples=x, output=tmp_path / "net.yaml")
    compare(made, spiking(nir.read(file), x), backend="emulator")
