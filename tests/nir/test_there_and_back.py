"""What neuroport export wrote comes back by neuroport import: whole, or of its nodes where somebody changed them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main

nir = pytest.importorskip("nir", reason="graphs of NIR need the package nir")
STEPS = 50


def network() -> neuroport.Network:
    """Cells of NIR in loops, with delays, that sources of spikes drive."""
    rng = np.random.default_rng(5)
    net = neuroport.Network(dt="0.5 ms", name="loops")
    net.population("source", 4, "spike_source")
    net.stimulus(
        "given", "source", series={"values": rng.integers(0, 2, (STEPS, 4)), "every": "1 step"}, input="spike_in"
    )
    for name in "abc":
        net.population(name, 3, "nir_cuba_lif", exact=1, tau_mem="4 ms", tau_syn="2 ms", v_threshold=0.3, v_reset=-0.1)
    ways = [("source", "a", 1), ("a", "b", 2), ("b", "a", 3), ("b", "c", 4), ("c", "c", 1), ("b", "b", 2)]
    for source, target, delay in ways:
        weight = rng.uniform(-1 if source == target else 0.5, 3, (4 if source == "source" else 3, 3))
        net.project(source, target, "static", connect="all_to_all", weight=weight, delay=f"{delay} steps")
    net.record(spikes=["a", "b", "c"])
    return net


def spikes(net: Any, late: int) -> dict[str, Any]:
    with neuroport.open(net, "reference") as session:
        session.run(STEPS + late)
        found = {}
        for name in "abc":
            found[name] = np.zeros((STEPS + late, 3))
            found[name][session.spikes(name)] = 1
    return found


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "x.nir"
    nir.write(path, neuroport.to_nir(network()))
    return path


def call(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["import", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


WHOLE = "neuroport wrote this graph, and nobody changed it: the network is the one that was written, whole"
NODES = "neuroport wrote this graph; with what is asked for, the network is made of its nodes instead of taken whole"
CHANGED = (
    "neuroport wrote this graph, and it was changed since: the network is made of its nodes, and what NIR has no word "
    "for is not in it"
)


def test_it_comes_back_whole(graph: Path, tmp_path: Path) -> None:
    written = network().build()
    for given in (graph, nir.read(graph), neuroport.to_nir(written)):
        found = neuroport.from_nir(given)
        assert (found.network, found.notes, found.late) == (written, (WHOLE,), 0)
        assert found.populations == {name: name for name in ("source", "a", "b", "c")}
    out = tmp_path / "back.yaml"
    assert call(graph, "-o", out) == (
        0, f"written    {out}\nwritten    {out.with_suffix('.h5')}\n", f"note: {WHOLE}\n"
    )  # fmt: skip
    assert neuroport.load(out) == written
    assert call(graph, "-o", out)[0] == 2


@pytest.mark.parametrize("name", ["loihi_lif", "cartpole"])
def test_a_shipped_network_comes_back_by_the_commands(name: str, tmp_path: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(main, ["export", name, "-o", str(tmp_path / "x.nir")]).exit_code == 0
    assert call(tmp_path / "x.nir", "-o", tmp_path / "back.yaml")[0] == 0
    back, there = neuroport.load(tmp_path / "back.yaml"), neuroport.networks[name]
    assert back == there
    digests = [neuroport.run(one, backend="reference", duration="20 steps").digest for one in (back, there)]
    assert digests[0] == digests[1]


def test_of_its_nodes_it_does_the_same_later(graph: Path) -> None:
    found = neuroport.from_nir(graph, dt="0.5 ms")
    assert found.notes == (NODES,)
    said = {choice.name: choice.value for choice in found.choices if not choice.guessed}
    assert (said["dt"], said["time_unit"], said["input"]) == ("0.5 ms", "s", "spikes")
    assert (said["integrate"], said["current"], said["reset"]) == ("exact", "previous", "value")
    net = neuroport.Network.of(found.network)
    net.stimulus("given", "source", series=_rows(), input="spike_in")
    there, here = spikes(network(), 0), spikes(net, found.late)
    for name in "abc":
        fits = [at for at in range(-2, found.late + 1) if _alike(there[name], here[name], at)]
        assert there[name].sum() > 5 and fits, name


def _rows() -> dict[str, Any]:
    given = network().build().stimuli[0]
    return {"values": given.values.values.array, "every": "1 step"}  # type: ignore[attr-defined]


def _alike(there: Any, here: Any, at: int) -> bool:
    """Whether one is the other, so many steps later."""
    first, second = (there, here[at:]) if at >= 0 else (there[-at:], here)
    n = min(len(first), len(second))
    return bool(np.array_equal(first[:n], second[:n]))


def test_a_changed_graph_is_made_of_its_nodes(graph: Path, tmp_path: Path) -> None:
    changed = nir.read(graph)
    changed.nodes["source_a"].weight[0, 0] = 7.5
    nir.write(tmp_path / "changed.nir", changed)
    found = neuroport.from_nir(tmp_path / "changed.nir")
    assert found.notes == (CHANGED,)
    assert all(not choice.guessed for choice in found.choices)
    assert neuroport.compile(found.network).arrays["source_a.w"].initial.max() == 7.5
    assert call(tmp_path / "changed.nir", "-o", tmp_path / "c.yaml")[2] == f"note: {CHANGED}\n"


def test_check_tells_of_it(graph: Path) -> None:
    code, printed, told = call(graph, "--check")
    assert (code, told) == (0, f"note: {WHOLE}\n")
    assert "CubaLIF" in printed
    assert json.loads(call(graph, "--check", "--json")[1])["notes"] == [WHOLE]
    assert call(graph, "--check", "--reset", "value")[2] == f"note: {NODES}\n"
