"""Histograms of parts of populations count the joint states of their neurons alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neuroport
from neuroport.backends.emulator import Emulator
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.program.verify import verify
from tests.support.executors import BACKENDS, start

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8
neurons:
  cell: {state: {x: {type: int, init: 0, range: [0, 7]}}, update: "x = 1 if uniform() < 0.5 else 5"}
populations:
  a: {size: 30, neuron: cell}
targets:
  goal: {boltzmann: {weights: [[0, 0, 0], [0, 0, 0], [0, 0, 0]], biases: [0, 0, 0]}}
readouts:
  seen: {histogram: {population: "a[4, 7:30:22]", state: x > 2, every: 1 ms, phase: 0 steps}}
metrics:
  far: {dkl: seen, target: goal.p}
protocol: [{run: 60 ms, readout: [seen]}, {measure: []}]
record: {states: {a.x: 1 ms}}
"""


def network(text: str = TEXT) -> Network:
    return reader.loads(text, "n.yaml")


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_neurons_of_a_part_are_counted(backend: str) -> None:
    with neuroport.open(network(), backend) as session:
        session.executor.begin_item(["seen"], {})
        session.run(60)
        up = session.records("a.x")[1][:, [4, 7, 29]] > 2
        counts = np.bincount(up @ np.array([4, 2, 1]), minlength=8)
        assert session.executor.histogram("seen").tolist() == counts.tolist()
    assert len(np.flatnonzero(counts)) > 5


@pytest.mark.dear
def test_they_are_counted_by_one_of_several_threads() -> None:
    program = neuroport.compile(
        network(
            TEXT.replace(
                "  a: {size: 30, neuron: cell}", "  a: {size: 30, neuron: cell}\n  many: {size: 300, neuron: cell}"
            )
        )
    )
    counts = []
    for backend in (Emulator(), Emulator(threads=2, boundscheck=True)):
        (machine,) = start(program, backend)
        machine.begin_item(["seen"], {})
        machine.advance(60)
        counts.append(machine.histogram("seen").tolist())
    assert counts[0] == counts[1] and sum(counts[0]) == 60


def test_it_is_measured_against_a_distribution_of_as_many_units() -> None:
    assert neuroport.run(network(), backend="reference").metrics["far"][0][1] > 0
    with pytest.raises(InvalidInput) as caught:
        network(TEXT.replace("a[4, 7:30:22]", "a[4, 7]"))
    assert str(caught.value) == (
        "n.yaml:15:28: metric 'far' compares 2 neurons of readout 'seen' with 3 units of target 'goal'; the numbers "
        "must be equal"
    )


def test_it_is_written_as_it_was_read() -> None:
    assert reader.loads(writer.to_yaml(network()), "again.yaml") == network()
    assert 'population: "a[4, 7, 29]"' in writer.to_yaml(network())


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("a", "readout 'seen' counts joint states of at most 20 neurons; population 'a' has 30, name some of them: "
         "a[0:10]"),
        ("a[0:21]", "readout 'seen' counts joint states of at most 20 neurons; a[0:21] are 21"),
        ("a[30]", "population of readout 'seen': '[30]' is outside of the population, whose neurons are 0 to 29"),
    ],
)  # fmt: skip
def test_misuse_is_refused(part: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        network(TEXT.replace('"a[4, 7:30:22]"', f'"{part}"'))
    assert expected in [problem.text for problem in caught.value.problems]


def test_a_program_counts_neurons_that_are_there() -> None:
    program = neuroport.compile(network())
    wrong = replace(program.readouts[0], neurons=np.array([4, 30]))
    (found,) = verify(replace(program, readouts=(wrong,)))
    assert found.text.endswith("its neurons are not some of 0..29 in ascending order")
