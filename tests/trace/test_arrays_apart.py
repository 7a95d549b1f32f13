"""Large arrays of a network lie beside its text in a trace, and are those that it was run with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import apart
from neuroport.network.network import Network
from neuroport.trace.read import open_trace

WEIGHTS = np.arange(60.0).reshape(12, 5) / 8


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LARGE", 20)


def network() -> Network:
    net = neuroport.Network("1 ms", name="net")
    net.population("a", 12, "poisson", rate="200 Hz")
    net.population("b", 5, "lif", init={"v": {"array": -60.0 - np.arange(5), "unit": "mV"}})
    net.project("a", "b", "static", input="jump", connect="all_to_all", weight=WEIGHTS, ranges={"w": [0, 16]})
    net.project("b", "b", "static", input="jump", name="c", connect=np.ones((5, 5), bool), weight=-1)
    net.target("goal", boltzmann={"weights": np.eye(5), "biases": np.zeros(5)})
    net.record(spikes=["a", "b"])
    net.protocol({"run": "40 ms"})
    return net.build()


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    neuroport.run(network(), "reference", trace=tmp_path / "net.h5")
    return tmp_path / "net.h5"


def test_the_network_of_a_trace_is_that_which_was_run(trace: Path, tmp_path: Path) -> None:
    found = open_trace(trace)
    assert found.network() == network()
    with h5py.File(trace) as file:
        stored = file["neuroport/arrays"]
        assert np.array_equal(stored["projections/a_b/weight"], WEIGHTS)
        assert stored["projections/c/pairs"].shape == (25, 2) and stored["targets/goal/weights"].shape == (5, 5)
    assert "-61" in found.network_text and "7.375" not in found.network_text
    trace.rename(tmp_path / "elsewhere.h5")
    assert open_trace(tmp_path / "elsewhere.h5").network() == network()


def test_a_trace_of_small_arrays_has_them_in_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LARGE", 60)
    neuroport.run(network(), "reference", trace=tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        assert "arrays" not in file["neuroport"]
    assert "7.375" in open_trace(tmp_path / "net.h5").network_text


def test_a_run_that_was_stopped_goes_on(tmp_path: Path) -> None:
    whole = neuroport.run(network(), "reference", trace=tmp_path / "whole.h5")

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        neuroport.run(network(), "reference", trace=tmp_path / "net.h5", progress=stop)
    assert neuroport.resume(tmp_path / "net.h5").digest == whole.digest
    assert open_trace(tmp_path / "net.h5").network() == network()
    assert open_trace(tmp_path / "net.h5").network_text == open_trace(tmp_path / "whole.h5").network_text


def change(file: h5py.File) -> None:
    file["neuroport/arrays/projections/a_b/weight"][3, 2] = 9


def cast(file: h5py.File) -> None:
    values = file["neuroport/arrays/projections/a_b/weight"][()]
    del file["neuroport/arrays/projections/a_b/weight"]
    file["neuroport/arrays/projections/a_b/weight"] = values.reshape(-1)


def remove(file: h5py.File) -> None:
    del file["neuroport/arrays/projections/a_b"]


DAMAGED: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "changed": (change, "is not what it was"),
    "reshaped": (cast, "is not what it was"),
    "removed": (remove, "is missing"),
}


@pytest.mark.parametrize("way", DAMAGED)
def test_an_array_that_is_another_one_is_told(way: str, trace: Path) -> None:
    damage, said = DAMAGED[way]
    with h5py.File(trace, "r+") as file:
        damage(file)
    with pytest.raises(InvalidInput) as error:
        open_trace(trace).network()
    text = f"the array 'projections/a_b/weight' of the network {said}; without it the network cannot be had"
    place, _, told = str(error.value).partition(": ")
    assert place.startswith(f"{trace} (network):") and told == text


def test_a_text_whose_arrays_are_elsewhere_is_no_network(trace: Path) -> None:
    with pytest.raises(InvalidInput, match="unknown key 'stored' in the array of weight of projection 'a_b'"):
        neuroport.loads(open_trace(trace).network_text)
