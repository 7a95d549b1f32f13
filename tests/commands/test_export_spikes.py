"""neuroport export of spikes: the record of a session as SONATA, and records and traces as NIR data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from neuroport.hil.limits import Limits
from neuroport.hil.messages import encode
from neuroport.hil.record import Record
from neuroport.hil.served import Effects, Once
from neuroport.trace import nird
from neuroport.trace.read import open_trace
from neuroport.trace.spike_files import WRITERS
from tests.support.looped import TEXT, how, opened
from tests.support.traces import write as write_trace

pytest.importorskip("msgpack", reason="records need msgpack: pip install 'neuroport[hil]'")

QUIET = TEXT.replace("record: {spikes: all, states: {cells.v: 1 ms}}", "")


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(main, [*map(str, arguments)])
    return done.exit_code, done.output


def recorded(path: Path, *ops: dict[str, Any], ended: bool = True, network: str = QUIET) -> tuple[Path, Any]:
    """The record of a session of a network that records nothing, and the spikes of its cells."""
    with opened() as session:
        made = Record(path, how(network=network))
        once = Once(Effects(session, Limits()), made)
        drive = {"op": "exchange", "in": [{"port": "cells.drive", "values": [1.0, 0.5, 0.7, 0.0]}], "run": 20}
        for number, message in enumerate((drive, *ops), 1):
            once.handle(encode({"id": number} | message))
        if ended:
            made.close(session.digest())
        else:
            made._file.close()
        return path, session.spikes("cells")


def test_a_record_is_written_as_sonata_has_spikes(tmp_path: Path) -> None:
    record, (steps, neurons) = recorded(tmp_path / "r.hil")
    out = tmp_path / "spikes.h5"
    assert run("export", record, "-o", out) == (0, f"{out}\n")
    with h5py.File(out) as file:
        assert list(file["spikes"]) == ["cells", "others"]
        assert file["spikes/cells/timestamps"][()].tolist() == steps.tolist()
        assert file["spikes/cells/node_ids"][()].tolist() == neurons.tolist()
    assert len(steps) > 10
    assert open_trace(out).complete


def test_and_as_nir_data(tmp_path: Path) -> None:
    record, (steps, neurons) = recorded(tmp_path / "r.hil")
    out = tmp_path / "spikes.nird"
    assert run("export", record, "-o", out) == (0, f"{out}\n")
    with h5py.File(out) as file:
        assert file.attrs["__type__"] == "NIRGraphData"
        assert {name: node.attrs["__type__"] for name, node in file["nodes"].items()} == {
            "cells": "NIRNodeData",
            "others": "NIRNodeData",
        }
        events = file["nodes/cells/observables/spikes"]
        assert dict(events.attrs) == {"__type__": "EventData", "n_neurons": 4, "t_max": pytest.approx(0.02)}
        assert events["idx"][()].tolist() == [neurons.tolist()]
        assert events["time"][()] == pytest.approx((steps[None] + 0.5) * 0.001)


def test_nir_reads_it(tmp_path: Path) -> None:
    """Where the package is there: its grid has every spike in its step."""
    nir = pytest.importorskip("nir", reason="reading NIR data needs nir")
    record, (steps, neurons) = recorded(tmp_path / "r.hil")
    run("export", record, "-o", tmp_path / "spikes.nird")
    found = nir.read_data(tmp_path / "spikes.nird").nodes["cells"].observables["spikes"]
    grid = (
        found.to_time_gridded(0.001).data if hasattr(found, "to_time_gridded") else found.get_time_gridded(0.001).data
    )
    assert np.argwhere(grid.reshape(20, 4)).tolist() == np.stack([steps, neurons], 1).tolist()


def test_copies_of_a_trace_are_samples_of_nir_data(tmp_path: Path) -> None:
    """Neuron i of copy c has the number 2 i + c in the trace of two copies."""
    record, (steps, neurons) = recorded(tmp_path / "r.hil")
    run("export", record, "-o", tmp_path / "t.h5")
    nird.write(replace(open_trace(tmp_path / "t.h5"), copies=2), tmp_path / "t.nird")
    with h5py.File(tmp_path / "t.nird") as file:
        events = file["nodes/cells/observables/spikes"]
        assert events.attrs["n_neurons"] == 2
        assert events["idx"].shape == events["time"].shape
        assert len(events["idx"]) == 2
        for copy, (idx, times) in enumerate(zip(events["idx"][()], events["time"][()], strict=True)):
            there = idx >= 0
            assert idx[there].tolist() == (neurons[neurons % 2 == copy] // 2).tolist()
            assert times[there] == pytest.approx((steps[neurons % 2 == copy] + 0.5) * 0.001)
            assert np.isinf(times[~there]).all()


def test_only_files_of_the_kind_are_replaced(tmp_path: Path) -> None:
    record, _ = recorded(tmp_path / "r.hil")
    for name in ("a.h5", "a.nird"):
        out = tmp_path / name
        assert run("export", record, "-o", out)[0] == 0
        code, said = run("export", record, "-o", out)
        assert code == 2
        assert "exists already" in said
        assert run("export", record, "-o", out, "--overwrite")[0] == 0
        out.write_bytes(b"mine")
        assert run("export", record, "-o", out, "--overwrite")[0] == 2
        assert out.read_bytes() == b"mine"


def test_what_was_cut_off_is_written_as_far_as_it_goes(tmp_path: Path) -> None:
    record, (steps, _) = recorded(tmp_path / "r.hil", ended=False)
    out = tmp_path / "spikes.h5"
    code, said = run("export", record, "-o", out)
    assert code == 0
    assert sorted(said.splitlines()) == [str(out), f"note: '{record}' was cut off; what is in it was written"]
    assert len(open_trace(out).spikes("cells").steps) == len(steps)


@pytest.mark.parametrize(
    ("output", "options", "said"),
    [
        (
            "x.yaml",
            (),
            "x.yaml: what spiked in a session needs a name that ends in .h5 or .hdf5 or .nird or .csv or .npz or .nwb, "
            "such as x.yaml.h5",
        ),
        ("x.h5", ("--set", "a=1"), "--set changes a network file, not a record; leave it out"),
    ],
)  # fmt: skip
def test_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    record, _ = recorded(tmp_path / "r.hil")
    assert run("export", record, "-o", output, *options) == (2, f"error: {said}\n")
    assert list(tmp_path.iterdir()) == [record]


def test_a_record_that_does_not_come_again_is_not_written(tmp_path: Path) -> None:
    other = QUIET.replace("v = 0.5 * v", "v = 0.25 * v")
    record, _ = recorded(tmp_path / "r.hil", {"op": "digest"}, network=other)
    code, said = run("export", record, "-o", tmp_path / "x.h5")
    assert code == 1
    assert said.startswith(
        f"error: {record}: does not come again, so that nothing was written: message 2, before step 20"
    )
    assert list(tmp_path.iterdir()) == [record]


@pytest.mark.parametrize("command", [("export", "-o"), ("hil", "replay", "--trace")])
def test_a_session_that_went_back_has_no_trace(tmp_path: Path, command: tuple[str, ...]) -> None:
    with opened() as session:
        reply = Effects(session, Limits())("checkpoint", {})
    back = {"op": "restore", "checkpoint": reply["checkpoint"], "sha256": reply["sha256"]}
    record, _ = recorded(tmp_path / "r.hil", back)
    *words, option = command
    assert run(*words, record, option, tmp_path / "x.h5") == (
        2,
        f"error: {record}: goes on from a checkpoint at message 2, and the steps of a trace follow each other; "
        "replay it without a trace\n",
    )
    assert list(tmp_path.iterdir()) == [record]


def test_a_trace_without_spikes_has_no_nir_data(tmp_path: Path) -> None:
    trace = tmp_path / "t.h5"
    neuroport.run(neuroport.load("sal_pair", ["record={}", "protocol=[{run: 3 ms}]"]), backend="reference", trace=trace)
    assert run("export", trace, "-o", tmp_path / "x.nird") == (
        2,
        f"error: {trace}: has no spikes, which NIR data is made of; name populations in `record: {{spikes: …}}` and "
        "run it again\n",
    )
    assert run("export", trace, "-o", tmp_path / "x.nird", "--set", "a=1") == (
        2,
        "error: --set changes a network file, not a trace; leave it out\n",
    )


@pytest.mark.parametrize("ending", WRITERS)
def test_every_ending_is_known_wherever_it_is_asked_for(tmp_path: Path, ending: str) -> None:
    """By traces and records, in any case, and in what is said of other endings and shown by --help."""
    written, (record, _) = write_trace(tmp_path / "t.h5"), recorded(tmp_path / "r.hil")
    if ending == ".nwb":
        pytest.importorskip("pynwb", reason="pynwb is not installed")
    for source in (written, record):
        for name in (f"{source.stem}{ending}", f"{source.stem}_upper{ending.upper()}"):
            assert run("export", source, "-o", tmp_path / name) == (0, f"{tmp_path / name}\n")
        assert ending in run("export", source, "-o", tmp_path / "x.odd")[1]
    assert ending in run("export", "--help")[1]
