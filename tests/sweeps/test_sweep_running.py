"""Points in processes of their own: what happens to one of them is its own row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import neuroport
from neuroport.sweeps.table import Table
from tests.support import deadly
from tests.support.checkout import ROOT
from tests.support.deadly import CRASHING, KILLED, LARGE, RAISING, SLOW
from tests.support.swept import bare

pytestmark = pytest.mark.dear

SEEDS = [1, KILLED, 2, RAISING, CRASHING]


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.syspath_prepend(str(deadly.installed(tmp_path / "site")))
    return "deadly"


def swept(backend: str, seeds: Any, **more: Any) -> Table:
    return neuroport.sweep(neuroport.load("loihi_lif"), {"seed": seeds}, backend=backend, **more)


def test_what_happens_to_a_point_happens_to_no_other(backend: str, tmp_path: Path) -> None:
    table = swept(backend, SEEDS, folder=tmp_path / "s", workers=1)
    assert dict(zip(table["seed"], table["status"], strict=True)) == {
        1: "done",
        KILLED: "killed",
        2: "done",
        RAISING: "failed",
        CRASHING: "killed",
    }
    assert table["error"] == [
        None,
        "its process was ended by signal 9, perhaps because memory was short",
        None,
        "this is a fault of neuroport, or of a backend, not of the network: ValueError: a fault that was planted",
        f"its process was ended with exit code 9; it said last: …{deadly.WORDS}",
    ]
    alone = neuroport.run(neuroport.load("loihi_lif"), "reference", seed=2)
    assert (table["digest"][2], table["spikes.cell"][2]) == (alone.digest, alone.spikes["cell"])
    rows = [json.loads(line) for line in (tmp_path / "s" / "runs.jsonl").read_text("utf-8").splitlines()]
    assert "ValueError: a fault that was planted" in rows[3]["traceback"]


def test_what_failed_is_run_again_where_that_is_asked(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds, said = [1, RAISING], list[Any]()
    folder: dict[str, Any] = {"folder": tmp_path / "s", "workers": 1}
    swept(backend, seeds, **folder)
    again = swept(backend, seeds, progress=said.append, **folder)
    assert [(state.total, state.before, state.ended) for state in said] == [(2, 2, 0)]
    assert again["status"] == ["done", "failed"]
    said.clear()
    swept(backend, seeds, retry_failed=True, progress=said.append, **folder)
    assert [(state.before, state.ended, state.failed) for state in said] == [(1, 0, 0), (1, 1, 1)]
    assert len((tmp_path / "s" / "runs.jsonl").read_text().splitlines()) == 3


def test_a_point_that_takes_too_long_is_ended(backend: str) -> None:
    table = swept(backend, [1, SLOW, 2], time=2, workers=1)
    assert table["status"] == ["done", "timeout", "done"]
    assert table["error"][1] == "it took longer than the limit of 2 s, building included"


def test_a_point_that_takes_too_much_memory_is_ended(backend: str) -> None:
    table = swept(backend, [LARGE, 2], memory="400 MB", workers=1)
    assert table["status"] == ["killed", "done"]
    assert table["error"][0].startswith("its process took ")
    assert table["error"][0].endswith(" of memory, and the limit is 381 MiB")


def test_what_will_not_fit_is_refused_before_it_takes_anything() -> None:
    network = neuroport.load("balanced")
    table = neuroport.sweep(network, {"exc.size": [3200, 320000]}, duration=1, backend="reference", memory="600 MB")
    assert table["status"] == ["done", "failed"]
    assert "does not fit into memory" in table["error"][1]


def test_as_many_processes_as_there_are_come_to_the_same(tmp_path: Path) -> None:
    network = neuroport.load("sal_pair")
    grid = {"recurrent.eta_s": [0, 0.02], "chip": ["ideal", "generic8_mismatch10"], "chip_seed": [0, 3], "seed": [1, 2]}
    given: dict[str, Any] = {"duration": 30, "backend": "reference"}
    one, two = (neuroport.sweep(network, grid, workers=workers, **given) for workers in (1, 2))
    assert bare(one) == bare(two)
    assert one["digest"] == [
        neuroport.run(
            neuroport.load("sal_pair", [f"recurrent.eta_s={row['recurrent.eta_s']}"]),
            "reference",
            row["chip"],
            row["chip_seed"],
            seed=row["seed"],
            duration=30,
        ).digest
        for row in one
    ]


def test_traces_are_kept(tmp_path: Path) -> None:
    from neuroport.trace.read import open_trace

    folder = tmp_path / "s"
    network = neuroport.load("loihi_lif")
    table = neuroport.sweep(network, {"seed": [1, 2]}, folder, backend="reference", traces=True, workers=1)
    for row in table:
        trace = open_trace(folder / "traces" / row["trace"])
        assert (trace.digest, trace.seed, trace.complete) == (row["digest"], row["seed"], True)
    assert len(list((folder / "traces").iterdir())) == 2


def test_a_network_that_the_chip_cannot_have_fails_at_its_points() -> None:
    table = neuroport.sweep(
        neuroport.load("sal_pair"), {"chip": ["loihi1", "generic8"]}, duration=1, backend="reference"
    )
    assert table["status"] == ["failed", "done"]
    assert "chip 'loihi1' has static synapses only" in table["error"][0]


COUNTING = """
import os
from neuroport.backends.emulator import cache
compile = cache.machine_code
def counted(text):
    with open(os.environ["COUNTED"], "a") as file:
        file.write("compiled\\n")
    return compile(text)
cache.machine_code = counted
"""


@pytest.mark.parametrize("specimens", [4, pytest.param(100, marks=pytest.mark.slow)])
def test_many_specimens_of_a_chip_are_compiled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, specimens: int
) -> None:
    """And so are other values of a parameter: these are arguments of the machine code."""
    site, counted = tmp_path / "site", tmp_path / "counted"
    site.mkdir()
    (site / "sitecustomize.py").write_text(COUNTING)
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}")
    monkeypatch.setenv("COUNTED", str(counted))
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path / "cache"))
    network = neuroport.load("sal_pair")
    grid = {"chip": "generic8_mismatch10", "chip_seed": range(specimens)}
    table = neuroport.sweep(network, grid, duration=500, workers=2)
    assert table.statuses == {"done": specimens} and len(set(table["digest"])) > 1
    other = {"recurrent.eta_s": [0, 0.02], "chip": "generic8_mismatch10", "chip_seed": [0, 1]}
    assert neuroport.sweep(network, other, duration=500, workers=2).statuses == {"done": 4}
    assert counted.read_text().splitlines() == ["compiled"]
