"""neuroport import: what it tells, writes and refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from neuroport.cli import main
from tests.support import nir_graphs as graphs
from tests.support.checkout import ROOT

nir = pytest.importorskip("nir", reason="graphs are made by the package nir")


def run(*arguments: object, code: int = 0) -> Any:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A graph and samples of its input, in the folder at hand."""
    monkeypatch.chdir(tmp_path)
    nir.write("a.nir", graphs.braille())
    np.save("x.npy", np.random.default_rng(2).integers(0, 2, (40, 6)))
    return Path("a.nir")


def test_what_is_written(file: Path) -> None:
    done = run("import", file, "-o", "a.yaml")
    assert done.stdout.splitlines()[-2:] == ["written    a.yaml", "written    a.h5"]
    lines = Path("a.yaml").read_text().splitlines()
    assert lines[0].startswith("# Made of a.nir (NIR ") and lines[0].endswith("NIR leaves open, and this was taken:")
    assert lines[2] == "#   dt         0.1 ms    tau / r and tau_syn / w_in are this everywhere, as tools write them"
    assert "#   lif1.lif: its spikes reach it again one step later, as NIR does not say when" in lines
    assert lines[lines.index("populations:") + 1] == "  input: {size: 6, neuron: nir_value}"
    run("check", "a.yaml")
    refused = run("check", "a.yaml", "--chip", "generic8", code=2)
    assert "port 'to_input' adds to input.x, which has no range" in refused.stderr


def test_ranges_are_found(file: Path) -> None:
    given = ["--calibrate", "x.npy", "--chip", "generic16", "--backend", "reference", "-q"]
    run("import", file, "-o", "a.yaml", *given)
    assert run("check", "a.yaml").stdout.startswith("a: no problems on chip generic16")
    assert "guess" not in run("run", "a.yaml", "--backend", "reference", "-q").stderr


def test_a_chip_of_its_own(file: Path) -> None:
    """Its path begins at the folder of the network file, as in every network file."""
    Path("sub").mkdir()
    shutil.copy(ROOT / "backends" / "chips" / "generic8.yaml", "chip.yaml")
    given = ["--calibrate", "x.npy", "--chip", "chip.yaml", "--backend", "reference", "-q"]
    run("import", file, "-o", "sub/a.yaml", *given)
    assert "\nchip: ../chip.yaml\n" in Path("sub/a.yaml").read_text()
    assert run("check", "sub/a.yaml").stdout.startswith("a: no problems on chip")


def test_samples_are_never_replaced(file: Path) -> None:
    run("import", file, "-o", "a.yaml", "--calibrate", "x.npy", "--backend", "reference", "-q")
    with h5py.File("a.h5", "r+") as stored:
        stored["input"] = np.load("x.npy")
    given = ["--calibrate", "a.h5", "--backend", "reference", "-q", "--overwrite"]
    assert "is read for this" in run("import", file, "-o", "a.yaml", *given, code=2).stderr


def test_a_look_at_every_node(file: Path) -> None:
    done = run("import", "--check", file)
    rows = [line.split() for line in done.stdout.splitlines()[1:8]]
    kinds = [
        ("input", "Input"),
        ("fc1", "Affine"),
        ("lif1.w_rec", "Affine"),
        ("lif1.lif", "CubaLIF"),
        ("fc2", "Affine"),
    ]
    assert [(row[0], row[1]) for row in rows] == [*kinds, ("lif2", "CubaLIF"), ("output", "Output")]
    assert [row[3] for row in rows] == ["ok", "ok", "ok", "changed", "ok", "ok", "ok"]
    assert not list(Path().glob("*.yaml"))


def test_a_look_at_a_graph_that_is_refused(file: Path) -> None:
    graph = graphs.braille()
    graph.nodes["lif2"].tau_mem[1] = -1
    nir.write("bad.nir", graph)
    done = run("import", "--check", "bad.nir", code=2)
    assert " refused  tau_mem is -1 at (1,)" in done.stdout
    assert done.stderr.startswith("error: bad.nir: node 'lif2' (CubaLIF): tau_mem is -1 at (1,)")
    found = json.loads(run("import", "--check", "--json", "bad.nir", code=2).stdout)
    assert [node["status"] for node in found["nodes"]].count("refused") == 1 and len(found["problems"]) == 1


def test_json(file: Path) -> None:
    found = json.loads(run("import", file, "-o", "a.yaml", "--json").stdout)
    assert found["files"] == ["a.yaml", "a.h5"] and found["problems"] == [] and found["ranges"] is None
    assert found["nodes"][0] == {
        "node": "input",
        "kind": "Input",
        "shape": "(6,)",
        "status": "ok",
        "text": "population input of nir_value; port to_input",
    }
    assert found["choices"][1]["name"] == "dt" and found["choices"][1]["guessed"]


def test_wrong_use(file: Path) -> None:
    assert "Give the network file a name" in run("import", file, code=2).stderr
    assert "--check writes nothing; leave -o out" in run("import", file, "--check", "-o", "a.yaml", code=2).stderr
    assert (
        "takes number formats from ranges" in run("import", file, "-o", "a.yaml", "--chip", "generic8", code=2).stderr
    )
    Path("other.yaml").write_text("a: 1\n")
    text = "is no network file, and only a network file is replaced"
    assert text in run("import", file, "-o", "other.yaml", "--overwrite", code=2).stderr
    Path("a.h5").write_bytes(b"mine")
    text = "is no file of exported numbers, and only a file of exported numbers is replaced"
    assert text in run("import", file, "-o", "a.yaml", "--overwrite", code=2).stderr
    assert Path("a.h5").read_bytes() == b"mine" and not Path("a.yaml").exists()
