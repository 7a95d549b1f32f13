"""Traces: what is written is what is read, by us and by SONATA's readers, also after a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from neuroport.disk.output import check_output
from neuroport.errors import InvalidInput
from neuroport.trace.join import repair
from neuroport.trace.read import is_trace, open_trace
from neuroport.trace.segments import parts_folder
from neuroport.trace.write import Writer
from tests.support.checkout import ROOT
from tests.support.traces import NETWORK, SOURCE, captures, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "out.h5")


def joined_spikes(name: str) -> tuple[np.ndarray, np.ndarray]:
    pieces = [capture.spikes[name] for capture in captures()]
    return np.concatenate([p[0] for p in pieces]), np.concatenate([p[1] for p in pieces])


def test_everything_written_is_read_back(path: Path) -> None:
    trace = open_trace(path)
    assert (trace.name, trace.backend, trace.arithmetic, trace.chip) == ("small", "emulator", "integer", "generic8")
    assert (trace.seed, trace.chip_seed, trace.dt, trace.steps, trace.digest) == (3, 7, 0.5, 200, "abc")
    assert (trace.complete, trace.build_s, trace.run_s) == (True, 0.5, 1.5)
    assert trace.network_text == "neuroport: 1\nname: small\n"
    assert '"name": "generic8"' in trace.chip_text
    assert trace.populations == {"a": 3, "b": 2}
    assert trace.spike_counts == {"a": 60, "b": 40}
    assert trace.overflows == {"a.v": 3}
    assert trace.metrics["dkl"] == [(100, 0.5), (200, 0.25)]
    assert trace.metrics["rates"] == [(100, [1.0, 2.0]), (200, [1.0, 2.0])]
    assert trace.report[0]["values"] == {"zero": 2}
    assert set(trace.versions) >= {"python", "system", "numpy", "neuroport"}
    for name in "ab":
        steps, neurons = joined_spikes(name)
        spikes = trace.spikes(name)
        assert np.array_equal(spikes.steps, steps)
        assert np.array_equal(spikes.neurons, neurons)
        assert np.array_equal(spikes.times, steps * 0.5)
    record = trace.record("a.v")
    assert record.raw.dtype == np.int16
    assert record.steps[:2].tolist() == [9, 19]
    assert record.values[0].tolist() == [9 / 16, -9 / 16, 18 / 16]
    assert record.unit == "mV"


def test_weight_snapshots_have_indices_and_end_with_the_final_weights(path: Path) -> None:
    trace = open_trace(path)
    first, last = trace.weights("ab", 0), trace.weights("ab")
    assert first.pre.tolist() == [0, 0, 1, 1, 2, 2]
    assert first.post.tolist() == [0, 1, 0, 1, 0, 1]
    assert (first.step, last.step) == (49, 199)
    # the weights were sampled after the last step, too, but changed since, as by a block triggered at the end
    assert trace.weights("ab", 3).raw.tolist() == [-9, -6, -3, 0, 3, 6]
    assert last.raw.tolist() == [1, 2, 3, 4, 5, 6]
    assert trace.final_array("ab.w").values.tolist() == [k / 32 for k in range(1, 7)]
    assert trace.weight_history("ab").raw.shape == (5, 6)
    assert last.raw.dtype == np.int8


def test_final_weights_are_there_without_any_snapshot(tmp_path: Path) -> None:
    with Writer(tmp_path / "o.h5", SOURCE) as writer:
        writer.close(steps=10, final={"ab.w": np.arange(6)})
    last = open_trace(tmp_path / "o.h5").weights("ab")
    assert (last.step, last.raw.tolist()) == (9, [0, 1, 2, 3, 4, 5])


def test_libsonata_reads_spikes_and_reports(path: Path) -> None:
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed")
    spikes = libsonata.SpikeReader(str(path))
    assert sorted(spikes.get_population_names()) == ["a", "b"]
    steps, neurons = joined_spikes("a")
    assert spikes["a"].sorting == "by_time"
    assert spikes["a"].time_units == "ms"
    assert spikes["a"].get() == list(zip(neurons.tolist(), (steps * 0.5).tolist(), strict=True))
    report = libsonata.ElementReportReader(str(path))
    assert report.get_population_names() == ["a"]
    voltage = report["a"]
    assert voltage.times == (4.5, 104.5, 5.0)
    assert (voltage.time_units, voltage.data_units, voltage.sorted) == ("ms", "mV", True)
    assert voltage.get_node_ids() == [0, 1, 2]
    frame = voltage.get()
    expected = open_trace(path).record("a.v")
    assert np.array_equal(frame.data, expected.values.astype(np.float32))
    assert np.allclose(frame.times, expected.steps * 0.5)
    one = voltage.get(node_ids=[2], tstart=5.0, tstop=20.0)
    assert one.data[:, 0].tolist() == [38 / 16, 58 / 16, 78 / 16]


def test_bmtk_reads_spikes_and_reports(path: Path) -> None:
    reason = "bmtk or a package that it needs is not installed"
    reports = pytest.importorskip("bmtk.utils.reports", reason=reason, exc_type=ImportError)

    spikes = reports.SpikeTrains.from_sonata(str(path))
    steps, neurons = joined_spikes("b")
    assert sorted(spikes.populations) == ["a", "b"]
    assert np.array_equal(spikes.get_times(node_id=1, population="b"), steps[neurons == 1] * 0.5)
    report = reports.CompartmentReport.load(str(path))
    assert report.node_ids(population="a").tolist() == [0, 1, 2]
    expected = open_trace(path).record("a.v").values.astype(np.float32)
    assert np.array_equal(report.data(node_id=1, population="a").ravel(), expected[:, 1])


def test_nothing_that_sonata_reads_is_compressed(path: Path) -> None:
    with h5py.File(path, "r") as file:
        filters: dict[str, object] = {}
        file.visititems(
            lambda n, item: filters.update({n: item.compression}) if isinstance(item, h5py.Dataset) else None
        )
        assert file["report/a/data"].dtype == np.float32
        assert file["spikes/a/node_ids"].dtype == np.uint64
        assert file["report/a/mapping/index_pointers"] == file["report/a/mapping/index_pointer"]
    assert set(filters.values()) == {None}


def test_two_variables_of_a_population_become_two_reports(tmp_path: Path) -> None:
    from dataclasses import replace

    from neuroport.program.machine import Record
    from tests.support.traces import PROGRAM, array

    arrays = {**PROGRAM.arrays, "a.u": array("a.u", "neuron", "state", 3, 8, 0)}
    records = (Record("a.v", 10), Record("a.u", 10))
    program = replace(PROGRAM, arrays=arrays, records=records)
    with Writer(tmp_path / "o.h5", replace(SOURCE, program=program)) as writer:
        capture = captures()[0]
        capture.records = dict.fromkeys(("a.v", "a.u"), capture.records["a.v"])
        writer.capture(capture)
        writer.close(steps=100)
    with h5py.File(tmp_path / "o.h5") as file:
        assert sorted(file["report"]) == ["a.u", "a.v"]


def test_a_recorded_population_without_spikes_is_in_the_file(tmp_path: Path) -> None:
    with Writer(tmp_path / "o.h5", SOURCE) as writer:
        writer.close(steps=10)
    trace = open_trace(tmp_path / "o.h5")
    assert trace.recorded == ("a", "b")
    assert len(trace.spikes("a").steps) == 0


def test_parts_are_gone_after_the_end(path: Path) -> None:
    assert sorted(p.name for p in path.parent.iterdir()) == ["out.h5"]


KILLED = """
import os, sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.support.traces import SOURCE, captures
from neuroport.trace.write import Writer
writer = Writer(Path({path!r}), SOURCE)
first, second = captures()
writer.capture(first)
writer.metric("dkl", 100, 0.5)
writer.flush()
writer.capture(second)
(writer.folder / "000002.tmp").write_bytes(b"cut off")
os.kill(os.getpid(), 9)
"""


def test_after_a_kill_the_parts_join_to_what_was_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    code = KILLED.format(root=str(ROOT), path=str(path))
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert not path.exists()
    assert repair(parts_folder(path)) == path
    trace = open_trace(path)
    assert (trace.complete, trace.steps) == (False, 100)
    assert np.array_equal(trace.spikes("a").steps, captures()[0].spikes["a"][0])
    assert trace.metrics["dkl"] == [(100, 0.5)]
    assert trace.weights("ab").raw.tolist() == [-3, -2, -1, 0, 1, 2]
    assert not parts_folder(path).exists()


def test_an_error_during_the_run_leaves_an_incomplete_trace(tmp_path: Path) -> None:
    path = tmp_path / "out.h5"

    def interrupted() -> None:
        with Writer(path, SOURCE) as writer:
            writer.capture(captures()[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not open_trace(path).complete


def message(call: object, *arguments: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        call(*arguments)  # type: ignore[operator]
    return str(caught.value)


def test_messages_of_outputs_that_cannot_be(tmp_path: Path, path: Path) -> None:
    assert message(check_output, path) == f"{path}: exists already; choose another name, or replace it with --overwrite"
    check_output(path, True)
    assert message(check_output, tmp_path) == f"{tmp_path}: is a folder; give the name of a file"
    lost = tmp_path / "no" / "x.h5"
    assert message(check_output, lost) == (
        f"{lost}: the folder '{lost.parent}' does not exist; create it or choose another one"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_message_of_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    out = tmp_path / "x.h5"
    assert message(check_output, out) == f"{out}: the folder '{tmp_path}' cannot be written to; choose another one"


def test_message_of_an_unwritable_folder_as_told_by_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    out = tmp_path / "x.h5"
    assert message(check_output, out) == f"{out}: the folder '{tmp_path}' cannot be written to; choose another one"


def test_messages_of_files_that_are_no_traces(tmp_path: Path, path: Path) -> None:
    missing = tmp_path / "missing.h5"
    assert message(open_trace, missing) == f"{missing}: there is no such file"
    parts_folder(missing).mkdir()
    assert message(open_trace, missing) == (
        f"{missing}: there is no such file; its run did not end: join its parts with 'neuroport show {missing}.part'"
    )
    assert message(open_trace, tmp_path) == f"{tmp_path}: is a folder; give the name of a trace"
    text = tmp_path / "text.h5"
    text.write_text("neuroport: 1")
    assert message(open_trace, text) == (
        f"{text}: cannot be read as a trace (file signature not found); it is damaged, cut off, or another kind of file"
    )
    foreign = tmp_path / "foreign.h5"
    with h5py.File(foreign, "w") as file:
        file["x"] = 1
    assert message(open_trace, foreign) == f"{foreign}: is an HDF5 file, but no trace: the group /neuroport is missing"
    newer = tmp_path / "newer.h5"
    newer.write_bytes(path.read_bytes())
    with h5py.File(newer, "r+") as file:
        file["neuroport"].attrs["format"] = 9
    assert message(open_trace, newer) == f"{newer}: has trace format 9; this version of neuroport reads format 1"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_gets_a_sentence(tmp_path: Path, path: Path, share: float) -> None:
    cut = tmp_path / "cut.h5"
    content = path.read_bytes()
    cut.write_bytes(content[: int(len(content) * share)])
    text = message(open_trace, cut)
    assert text.startswith(f"{cut}: cannot be read as a trace (")
    assert text.endswith("); it is damaged, cut off, or another kind of file")


def test_messages_of_repair(tmp_path: Path) -> None:
    out = tmp_path / "o.h5"
    assert message(repair, out) == f"{out}: there is neither a trace nor the parts of an interrupted run here"
    writer = Writer(out, SOURCE)
    assert message(repair, out) == f"{out}.part: a run is still writing these parts; wait until it ends"
    writer.close(steps=1)
    parts_folder(out).mkdir()
    assert message(repair, out) == (
        f"{out}.part: cannot be joined: '{out}' exists; give another name with -o, or replace it with --overwrite"
    )
    empty = parts_folder(tmp_path / "e.h5")
    empty.mkdir()
    assert message(repair, empty) == f"{empty}: holds no complete part of a trace; remove the folder"


def test_messages_of_names_that_a_trace_does_not_hold(path: Path) -> None:
    trace = open_trace(path)
    assert message(trace.spikes, "c") == f"{path}: holds no spikes of 'c'; it has those of a, b"
    assert message(trace.record, "b.v") == f"{path}: holds no samples of 'b.v'; it has those of a.v"
    assert message(trace.weights, "x") == f"{path}: holds no weights of 'x'; it has those of ab, ab.w"
    assert message(trace.weights, "ab", 9) == f"{path}: has 5 snapshots of 'ab'; there is none with index 9"
    assert message(trace.final_array, "x") == f"{path}: holds no final values of 'x'; it has those of a.v, b.v, ab.w"


def test_is_trace_tells_by_name_and_first_bytes(path: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.dat"
    renamed.write_bytes(path.read_bytes())
    text = tmp_path / "net.yaml"
    text.write_text(NETWORK.name)
    assert is_trace(path) and is_trace(renamed)
    assert not is_trace(text) and not is_trace(tmp_path / "absent.yaml")


def test_large_captures_are_written_before_the_end(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "o.h5", SOURCE)
    capture = captures()[0]
    steps = np.arange(600_000)
    capture.spikes = {"a": (steps, steps % 3)}
    capture.records = {}
    writer.capture(capture)
    assert (writer.folder / "000001.h5").exists()
    writer.close(steps=600_000)
    assert len(open_trace(tmp_path / "o.h5").spikes("a").steps) == 600_000


def test_the_period_of_every_recording_is_told(tmp_path: Path) -> None:
    import neuroport

    path = tmp_path / "pair.h5"
    network = neuroport.load("sal_pair", ["record.states.units.x=20 ms", "record.weights.recurrent.w=50 ms"])
    neuroport.run(network, backend="reference", duration="100 ms", trace=path)
    with h5py.File(path) as file:
        assert file["neuroport/records/units.x"].attrs["every"] == 20
        assert file["neuroport/weights/recurrent.w"].attrs["every"] == 50
