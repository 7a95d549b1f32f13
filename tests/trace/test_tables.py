"""A trace as tables of pandas, xarray and Neo, and its spikes as files: every number, with its time and unit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.errors import InvalidInput, Unsupported
from neuroport.program.executor import Capture
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.tables import FILES, write_spikes
from neuroport.trace.write import Writer
from tests.support.traces import SOURCE, write


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    return open_trace(write(tmp_path / "a.h5"))


def test_a_frame_has_every_spike(trace: Trace) -> None:
    pytest.importorskip("pandas", reason="frames need pandas")
    frame = trace.to_pandas()
    assert list(frame.columns) == ["population", "neuron", "step", "time_ms"]
    assert len(frame) == sum(len(trace.spikes(name).steps) for name in trace.recorded) > 0
    for name in trace.recorded:
        spikes, mine = trace.spikes(name), frame[frame.population == name]
        assert np.array_equal(mine.neuron, spikes.neurons)
        assert np.array_equal(mine.step, spikes.steps)
        assert np.array_equal(mine.time_ms, spikes.times)
    assert set(trace.to_pandas("b").population) == {"b"}
    with pytest.raises(InvalidInput, match="holds no spikes of 'c'"):
        trace.to_pandas("c")


def test_a_frame_without_spikes_has_its_columns(tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="frames need pandas")
    with Writer(tmp_path / "b.h5", SOURCE) as writer:
        writer.close(steps=3)
    frame = open_trace(tmp_path / "b.h5").to_pandas()
    assert (len(frame), frame.time_ms.dtype, list(frame.population.cat.categories)) == (0, np.float64, ["a", "b"])


def test_a_frame_has_every_measurement(trace: Trace) -> None:
    pytest.importorskip("pandas", reason="frames need pandas")
    frame = trace.metric_frame()
    assert list(frame.columns) == ["metric", "element", "step", "time_ms", "value"]
    for name, points in trace.metrics.items():
        mine = frame[frame.metric == name]
        wanted = [
            (element, step, step * trace.dt, value)
            for step, values in points
            for element, value in enumerate(values if isinstance(values, list) else [values])
        ]
        assert [tuple(row) for row in mine.itertuples(index=False, name=None)] == [(name, *row) for row in wanted]


def test_samples_have_axes_and_units(trace: Trace) -> None:
    pytest.importorskip("xarray", reason="arrays with axes need xarray")
    states = trace.to_xarray("a.v")
    assert states.dims == ("time", "neuron")
    assert np.array_equal(states.values, trace.record("a.v").values)
    assert np.array_equal(states.time, trace.record("a.v").steps * trace.dt)
    assert (states.attrs["units"], states.time.attrs["units"]) == ("mV", "ms")
    weights = trace.to_xarray("ab.w")
    assert weights.dims == ("time", "synapse")
    assert np.array_equal(weights.values, trace.weight_samples("ab.w").values)
    assert [list(map(int, weights[end])) for end in ("pre", "post")] == [end.tolist() for end in trace.pairs("ab")]
    everything = trace.to_xarray()
    assert set(everything.data_vars) == {"a.v", "ab.w"}
    assert np.array_equal(everything["ab.w"].values, weights.values)
    assert everything.attrs["digest"] == trace.digest


def test_a_block_of_neo_has_trains_and_signals(trace: Trace) -> None:
    pytest.importorskip("neo", reason="blocks need neo")
    (segment,) = trace.to_neo().segments
    assert len(segment.spiketrains) == 5
    for train in segment.spiketrains:
        spikes = trace.spikes(train.annotations["population"])
        mine = spikes.times[spikes.neurons == train.annotations["neuron"]]
        assert np.array_equal(train.magnitude, mine)
        assert (train.units.dimensionality.string, float(train.t_stop)) == ("ms", trace.steps * trace.dt)
    (signal,) = [*segment.analogsignals, *segment.irregularlysampledsignals]
    assert signal.units.dimensionality.string == "mV"
    assert np.array_equal(signal.magnitude, trace.record("a.v").values)
    assert np.allclose(signal.times.magnitude, trace.record("a.v").steps * trace.dt)


def _csv(path: Path) -> dict[str, Any]:
    first, *lines = path.read_text().splitlines()
    assert first == "population,neuron,time_ms"
    rows = [line.split(",") for line in lines]
    return {name: [(int(n), float(t)) for of, n, t in rows if of == name] for name in {row[0] for row in rows}}


def _npz(path: Path) -> dict[str, Any]:
    with np.load(path) as arrays:
        names = {key.rpartition(".")[0] for key in arrays}
        columns = {name: (arrays[f"{name}.neurons"], arrays[f"{name}.times_ms"]) for name in names}
    return {
        name: list(zip(neurons.tolist(), times.tolist(), strict=True)) for name, (neurons, times) in columns.items()
    }


def _nwb(path: Path) -> dict[str, Any]:
    pynwb = pytest.importorskip("pynwb", reason="NWB files need pynwb")
    with pynwb.NWBHDF5IO(path, "r") as file:
        units = file.read().units
        trains = [(units["population"][k], units["neuron"][k], units["spike_times"][k]) for k in range(len(units))]
    found: dict[str, Any] = {}
    for name, neuron, times in trains:
        found.setdefault(name, []).extend((int(neuron), time * 1000) for time in times)
    return found


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(("ending", "read"), [(".csv", _csv), (".npz", _npz), (".nwb", _nwb)])
def test_files_of_spikes_have_every_spike(ending: str, read: Any, trace: Trace, tmp_path: Path) -> None:
    if ending == ".nwb":
        pytest.importorskip("pynwb", reason="NWB files need pynwb")
    path = tmp_path / f"spikes{ending}"
    write_spikes(trace, path)
    found = read(path)
    for name in trace.recorded:
        spikes = trace.spikes(name)
        wanted = sorted(zip(spikes.neurons.tolist(), spikes.times.tolist(), strict=True))
        assert sorted(found[name]) == pytest.approx(np.array(wanted))
    assert set(FILES) == {".csv", ".npz", ".nwb"}


def test_what_cannot_be_written_ends_in_a_sentence(trace: Trace, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        write_spikes(trace, tmp_path / "a.mat")
    said = "a file of spikes needs a name that ends in .csv or .npz or .nwb, such as a.mat.csv"
    assert str(caught.value) == f"{tmp_path / 'a.mat'}: {said}"


@pytest.mark.parametrize(
    ("package", "extra", "call"),
    [
        ("pandas", "tables", lambda trace: trace.to_pandas()),
        ("pandas", "tables", lambda trace: trace.metric_frame()),
        ("xarray", "tables", lambda trace: trace.to_xarray()),
        ("neo", "neo", lambda trace: trace.to_neo()),
        ("pynwb", "nwb", lambda trace: write_spikes(trace, trace.path.with_suffix(".nwb"))),
    ],
)
def test_what_is_missing_is_named(
    package: str, extra: str, call: Any, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Unsupported) as caught:
        call(trace)
    assert str(caught.value) == f"this needs the package {package}; install it with: pip install 'neuroport[{extra}]'"


def test_the_lone_spike_of_a_train_is_in_its_place(tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="frames need pandas")
    with Writer(tmp_path / "c.h5", SOURCE) as writer:
        empty = np.zeros(0, np.int64)
        writer.capture(Capture({"a": (np.array([7]), np.array([2])), "b": (empty, empty)}, {}))
        writer.close(steps=10)
    (row,) = open_trace(tmp_path / "c.h5").to_pandas().itertuples(index=False, name=None)
    assert row == ("a", 2, 7, open_trace(tmp_path / "c.h5").spikes("a").times[0])
