"""A network in real numbers and on chips beside each other: what is found is what separate runs and traces show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport.api import drift as module
from neuroport.api import run as api
from neuroport.api.drift import drift
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.trace.drift import Course, between
from neuroport.trace.read import open_trace

NETWORK = """
neuroport: 1
name: n
dt: 0.5 ms
seed: 5
chip: generic8_mismatch10
populations:
  source: {size: 20, neuron: poisson, params: {rate: 50 Hz}}
  cells: {size: 4, neuron: cuba_lif, params: {tau_m: 10 ms}}
synapses:
  learning:
    state: {w: {weight: true, init: 0.1, range: [0, 1]}}
    on_pre: |
      send(target, w)
      w = w + 0.01
    on_event: {rest: w = 0.9 * w}
projections:
  up: {source: source, target: cells, input: exc, synapse: learning, connect: all_to_all}
  still: {source: cells, target: cells, input: inh, synapse: static, connect: all_to_all, weight: {uniform: [-0.3, 0]}}
protocol: [{repeat: 3, do: [{run: 50 ms}, {event: rest}, {measure: [w, rate]}]}]
metrics: {w: {mean: up.w}, rate: {rate: cells}}
record: {spikes: all, states: {cells.v: 1 step}, weights: {up.w: 1 step}}
"""
STEPS = 300


@pytest.fixture
def network() -> Network:
    return reader.loads(NETWORK, "n.yaml")


@pytest.fixture
def unrecorded() -> Network:
    """Weights that are recorded would end a piece of the walk after every step."""
    return reader.loads(NETWORK.replace(", weights: {up.w: 1 step}", ""), "n.yaml")


def by_name(courses: tuple[Course, ...]) -> dict[str, Course]:
    return {course.array: course for course in courses}


def test_it_finds_what_the_traces_of_separate_runs_show(network: Network, tmp_path: Path) -> None:
    found = drift(network, chip_seeds=range(2), backend="reference", trace=tmp_path / "o.h5")
    ideal = tmp_path / "o.ideal.h5"
    assert open_trace(ideal).digest == api.run(network, "reference", "ideal").digest
    for k, one in enumerate(found):
        trace = tmp_path / f"o.chip{k}.h5"
        assert open_trace(trace).digest == api.run(network, "reference", chip_seed=k).digest
        compared = between(open_trace(ideal), open_trace(trace))
        assert compared is not None
        assert compared.trains == one.trains
        assert (one.metrics, one.overflows) == (compared.metrics, compared.overflows)
        ours, theirs = by_name(one.arrays), by_name(compared.arrays)
        for name in ("cells.v", "up.w"):
            assert ours[name].gaps[0].steps == 0 and ours[name].gaps[1:] == theirs[name].gaps
            assert ours[name].beyond == theirs[name].beyond
    assert found[0].trains[1].first is not None and found[0] != found[1]


def test_arrays_are_compared_at_the_start_and_as_they_change_and_at_the_end(unrecorded: Network) -> None:
    (found,) = drift(unrecorded, "generic8", backend="reference")
    arrays = by_name(found.arrays)
    assert [gap.steps for gap in arrays["up.w"].gaps] == [0, 1, 2, 5, 10, 20, 50, 100, 200, STEPS]
    still = arrays["still.w"]
    assert [gap.steps for gap in still.gaps] == [0, STEPS], "no statement changes it"
    assert still.gaps[0].largest == still.gaps[1].largest > 0 and still.differs == 0
    assert still.unit is not None and still.gaps[0].largest <= still.unit / 2
    assert found.first is not None and found.first.differs == 0


def test_a_chip_beside_itself_does_not_part(network: Network) -> None:
    (found,) = drift(network, "ideal", backend="reference")
    assert (found.first, found.first_spikes) == (None, None)
    assert all(gap.rms == 0 for course in found.arrays for gap in course.gaps)
    assert {distance.coincidence for distance in found.trains} <= {1.0, None}


def test_more_chips_than_run_together_are_as_each_alone(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = [drift(network, chip_seeds=k, backend="reference", duration=40)[0] for k in range(5)]
    monkeypatch.setattr(module, "TOGETHER", 2)
    seen: list[tuple[int, int]] = []
    common: dict[str, Any] = {"backend": "reference", "duration": 40, "trace": tmp_path / "o.h5"}
    several = drift(network, chip_seeds=range(5), progress=lambda *done: seen.append(done), **common)
    assert list(several) == alone
    assert sorted(file.name for file in tmp_path.iterdir()) == [*(f"o.chip{k}.h5" for k in range(5)), "o.ideal.h5"]
    assert seen == sorted(seen) and seen[-1] == (5 * 40, 5 * 40)


def test_pieces_of_the_walk_do_not_matter(unrecorded: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = drift(unrecorded, "generic8", backend="reference")
    monkeypatch.setattr(module, "CHUNK", 1)
    assert drift(unrecorded, "generic8", backend="reference") == whole


def test_time_scales_are_those_that_were_asked_for(network: Network) -> None:
    usual, fine = (
        drift(network, chip_seeds=1, backend="reference", tau=t, within=w)[0] for t, w in ((10, 2), (0.01, 0))
    )
    distance, other = usual.trains[1], fine.trains[1]
    assert other.van_rossum == pytest.approx((sum(other.spikes) - 2 * other.equal) / 2 / 4), "all others are far away"
    assert distance.coincidence is not None and other.coincidence is not None
    assert distance.coincidence != other.coincidence and distance.van_rossum < other.van_rossum


@pytest.mark.dear
def test_executors_agree_on_what_there_is(network: Network) -> None:
    """Real numbers may differ in their last places, so that only what is far from them is equal."""
    ours, theirs = (drift(network, "generic8", backend=backend)[0] for backend in ("reference", "emulator"))
    for a, b in zip(ours.trains, theirs.trains, strict=True):
        assert (a.spikes, a.equal, a.first, a.coincidence) == (b.spikes, b.equal, b.first, b.coincidence)
    for one, other in zip(ours.arrays, theirs.arrays, strict=True):
        assert one.array == other.array
        assert np.allclose([g.rms for g in one.gaps], [g.rms for g in other.gaps], rtol=1e-6, atol=1e-12)


def test_what_cannot_run_is_refused_before_any_file_is_made(network: Network, tmp_path: Path) -> None:
    (tmp_path / "o.chip1.h5").write_text("precious")
    path = tmp_path / "o.chip1.h5"
    refused = {
        f"{path}: exists already; choose another name, or replace it with --overwrite": {"chip_seeds": range(2)},
        "a chip seed must be a whole number from 0 to 2**63 - 1; found -1": {"chip_seeds": -1},
        "1,000,000,000 copies are more than the 100,000 that can be run at once; run them in parts, each with its "
        "range of seeds or chip seeds": {"chip_seeds": range(10**9)},
    }
    for text, options in refused.items():
        with pytest.raises(InvalidInput) as caught:
            drift(network, backend="reference", trace=tmp_path / "o.h5", **options)  # type: ignore[arg-type]
        assert str(caught.value) == text
    with pytest.raises(InvalidInput, match=r"has no protocol; say how long"):
        drift(reader.loads(NETWORK.replace("protocol: [", "# ["), "n.yaml"), backend="reference")
    assert [file.name for file in tmp_path.iterdir()] == ["o.chip1.h5"]
