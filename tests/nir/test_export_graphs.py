"""neuroport export to a NIR graph: what it writes, says, replaces and refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from neuroport.nir.carried import carried

nir = pytest.importorskip("nir", reason="graphs of NIR need the package nir")
NET = """
neuroport: 1
name: n
dt: 1 ms
populations:
  a: {size: 3, neuron: poisson, params: {rate: 200 Hz}}
  b: {size: 2, neuron: nir_lif, params: {v_threshold: 0.02}}
projections:
  p: {source: a, target: b, input: x, synapse: stdp_pair, connect: all_to_all}
protocol: [{run: 50 ms}]
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.yaml"
    path.write_text(NET, "utf-8")
    return path


def call(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["export", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_a_network_and_what_is_told_of_it(net: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.nir"
    code, printed, told = call(net, "-o", out, "--set", "p.weight=0.25")
    assert (code, printed) == (0, f"{out}\n")
    assert told.splitlines() == [
        "note: population 'a' is of the model 'poisson', which NIR has no form of",
        "note: projection 'p' changes what it has by 'stdp_pair', and NIR has no rules of learning: another tool has "
        "the weights of its beginning",
        "note: in the metadata alone: dt, seed, protocol",
    ]
    graph = nir.read(out)
    assert np.array_equal(graph.nodes["p"].weight, np.full((2, 3), 0.25))
    assert carried(graph, out) == neuroport.load(net, ["p.weight=0.25"])


def test_a_trace_gives_what_was_learned(net: Path, tmp_path: Path) -> None:
    run = neuroport.run(neuroport.load(net), backend="reference", trace=tmp_path / "run.h5")
    assert run.digest
    assert call(tmp_path / "run.h5", "-o", tmp_path / "run.nir")[0] == 0
    [weights] = [n.weight for n in nir.read(tmp_path / "run.nir").nodes.values() if type(n).__name__ == "Linear"]
    assert len(np.unique(weights)) > 1
    code, _, told = call(tmp_path / "run.h5", "-o", tmp_path / "y.nir", "--set", "seed=2")
    assert (code, told) == (
        2, "error: --set changes a network file, not a trace; set it in the exported file instead\n"
    )  # fmt: skip


def test_only_a_graph_is_replaced(net: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.nir"
    assert call(net, "-o", out)[0] == 0
    assert call(net, "-o", out)[0] == 2
    assert call(net, "-o", out, "--overwrite")[0] == 0
    out.write_text("mine", "utf-8")
    code, _, told = call(net, "-o", out, "--overwrite")
    why = "is no NIR graph, and only a NIR graph is replaced; choose another name, or remove it yourself"
    assert (code, told) == (2, f"error: {out}: {why}\n")
    assert out.read_text("utf-8") == "mine"


def test_a_record_is_no_graph(tmp_path: Path) -> None:
    code, _, told = call("sal_pair", "-o", tmp_path / "x.odd")
    assert code == 2
    assert ".nir" in told
