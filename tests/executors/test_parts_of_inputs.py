"""Stimuli that lead to parts of populations: only their neurons get something, and count from 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.program.verify import verify
from tests.support.executors import BACKENDS

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8
neurons:
  cell: {inputs: {i: {range: [-8, 8]}}, state: {v: {init: 0, range: [-8, 8]}}, update: "v = i"}
populations:
  s: {size: 6, neuron: spike_source}
  a: {size: 6, neuron: cell}
stimuli:
  k: {spikes: {times: [1 ms, 3 ms, 3 ms], neurons: [1, 0, 2]}, population: "s[1, 3, 5]", input: spike_in}
  r: {series: {values: [[1, 2], [3, 4]], every: 2 ms}, population: "a[::3]"}
  one: {series: {values: [1, 2, 3], every: 1 ms}, population: "a[5]"}
  p: {patterns: {values: [[1, 0, 2], [3, 1, 0]], hold: 2 ms}, population: "a[1:4]"}
  q: {patterns: {values: 0, beside: p}, population: "a[2, 4:6]"}
readouts:
  x: {samples: {of: "a.v[2:5]", reduce: last}}
metrics:
  e: {squared_error: x, target: q}
protocol: [{present: p, readout: [x]}, {capture: {q: x}}, {present: p, readout: [x]}, {measure: []}]
record: {spikes: all, states: {a.v: 1 ms}}
"""
SHOWN = [[1, 0, 2], [1, 0, 2], [3, 1, 0], [3, 1, 0]]
IN_TIME, ONE = [[1, 2], [1, 2], [3, 4], [3, 4]], [1, 2, 3, 0]


def network(text: str = TEXT) -> Network:
    return reader.loads(text, "n.yaml")


def expected() -> np.ndarray:
    v = np.zeros((8, 6))
    v[:4, [0, 3]] += IN_TIME
    v[:4, 5] += ONE
    v[:4, 1:4] += SHOWN
    v[4:, 1:4] += SHOWN
    v[4:6, [2, 4, 5]] += v[1, 2:5]
    v[6:, [2, 4, 5]] += v[3, 2:5]
    return v


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_leads_to_a_part_reaches_its_neurons(backend: str) -> None:
    with neuroport.open(network(), backend) as session:
        session.run_protocol()
        assert session.records("a.v")[1].tolist() == expected().tolist()
        assert [list(one) for one in session.spikes("s")] == [[1, 3, 3], [3, 1, 5]]
        rows, goals = expected()[[5, 7], 2:5], expected()[[1, 3], 2:5]
        assert session.results["e"] == [(8, pytest.approx(np.mean((rows - goals) ** 2)))]


def test_a_session_goes_on_with_what_was_captured(tmp_path: Path) -> None:
    with neuroport.open(network(), "reference") as session:
        for _ in session.walk_protocol(lambda step: 1):
            if session.step == 6:
                session.checkpoint(tmp_path / "c.h5")
        whole = session.digest()
    with neuroport.open(network(), "reference") as session:
        session.restore(tmp_path / "c.h5")
        session.run_protocol()
        assert session.digest() == whole


def test_it_is_written_as_it_was_read() -> None:
    made = network()
    text = writer.to_yaml(made)
    assert reader.loads(text, "again.yaml") == made
    assert 'population: "a[0, 3]"' in text


def test_how_a_part_is_written_makes_no_difference() -> None:
    assert network(TEXT.replace("a[1:4]", "a[1, 2, 3]")) == network()


def test_a_network_in_python_takes_parts() -> None:
    net = neuroport.Network.of(network())
    net.stimulus("two", "a[5]", series={"values": [1, 2, 3], "every": "1 ms"})
    made = {s.name: s for s in net.build().stimuli}
    assert made["two"] == replace(made["one"], name="two")


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("a[1:4]", "a[1:5]", "15:26: values of stimulus 'p' has the shape (2, 3); it must be (n, 4), one row per "
         "pattern"),
        ("s[1, 3, 5]", "s[1, 3]", "12:52: neurons of stimulus 'k' must be from 0 to 1; found 2 at [2]"),
        ("a[5]", "a[6]", "14:63: population of stimulus 'one': '[6]' is outside of the population, whose neurons are "
         "0 to 5"),
        ('"a[5]"', "[a]", "14:63: population must be a name of letters, digits and _; found a list"),
        ("a[2, 4:6]", "a[4:6]", "21:51: capture: readout 'x' has 3 cells and 'q' 2; the numbers must be equal"),
    ],
)  # fmt: skip
def test_misuse_is_refused(old: str, new: str, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        network(TEXT.replace(old, new))
    assert f"n.yaml:{text}" in [str(problem) for problem in caught.value.problems]


def test_a_series_leads_to_some_neurons_alone() -> None:
    program = neuroport.compile(network())
    series = {s.name: s for s in program.series}
    assert series["q"].neurons is not None
    assert series["q"].neurons.tolist() == [2, 4, 5]
    for neurons, text in (
        ([4, 2], "its neurons are not some of 0..5 in ascending order"),
        ([0], "its table has numbers"),
    ):
        wrong = replace(series["r"], neurons=np.array(neurons))
        assert any(text in found.text for found in verify(replace(program, series=(wrong,))))
