"""Axonal delays of synapses each: a spike sets off what a synapse sends, and it arrives when the synapse says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neuroport
from neuroport.elaborate.network import elaborate
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.trace.learned import with_learned
from neuroport.trace.read import open_trace
from tests.support.executors import BACKENDS

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: CHIP
neurons:
  sink:
    inputs: {i: {range: [-64, 64]}}
    state: {v: {init: 0, range: [-64, 64]}}
    update: v = i
populations:
  s: {size: 3, neuron: spike_source}
  a: {size: 4, neuron: sink}
projections:
  p: {source: s, target: a, synapse: static, weight: 2, connect: CONNECT, delay: DELAY}
stimuli:
  k: {spikes: {times: [2 ms, 3 ms, 3 ms, 9 ms], neurons: [0, 1, 2, 0]}, population: s, input: spike_in}
protocol: [{run: 30 ms}]
record: {states: {a.v: 1 ms}}
"""
SPIKES = [(2, 0), (3, 1), (3, 2), (9, 0)]
MATRIX = "{array: [[3, 4, 5, 6], [3, 3, 3, 9], [12, 7, 3, 3]], rows: source, unit: ms}"


def network(delay: str, connect: str = "all_to_all", chip: str = "ideal") -> Network:
    text = TEXT.replace("DELAY", delay).replace("CONNECT", connect).replace("CHIP", chip)
    return reader.loads(text, "n.yaml")


def seen(delays: dict[tuple[int, int], int]) -> list[list[float]]:
    """What arrives, spike by spike."""
    found = np.zeros((30, 4))
    for step, source in SPIKES:
        for (pre, post), delay in delays.items():
            if pre == source:
                found[step + delay, post] += 2
    return found.tolist()


def recorded(made: Network, backend: str = "reference") -> list[list[float]]:
    with neuroport.open(made, backend) as session:
        session.run_protocol()
        return session.records("a.v")[1].tolist()


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_synapse_has_its_delay(backend: str, chip: str) -> None:
    table = [[3, 4, 5, 6], [3, 3, 3, 9], [12, 7, 3, 3]]
    wanted = {(i, j): table[i][j] for i in range(3) for j in range(4)}
    assert recorded(network(MATRIX, chip=chip), backend) == seen(wanted)


def test_a_list_of_pairs_has_one_delay_each() -> None:
    made = network("[5 ms, 2 ms, 1 ms, 2 ms]", "{pairs: [[2, 3], [0, 1], [0, 0], [0, 1]]}")
    found = recorded(made)
    pair, other, twice = seen({(2, 3): 5}), seen({(0, 0): 1}), seen({(0, 1): 2})
    assert found == (np.array(pair) + np.array(other) + 2 * np.array(twice)).tolist()
    projection = elaborate(made, neuroport.chips["ideal"]).projection("p")
    assert projection.delay == 1
    assert projection.dendritic is not None
    assert projection.dendritic.tolist() == [0, 1, 1, 4]


def test_drawn_delays_are_whole_steps_and_add_to_dendritic_ones() -> None:
    made = network("{uniform: [2 ms, 6 ms]}, dendritic_delay: 3 ms")
    projection = elaborate(made, neuroport.chips["ideal"]).projection("p")
    assert projection.delay == 2
    assert projection.dendritic is not None
    assert (projection.dendritic.min(), projection.dendritic.max()) == (3, 7)


def test_one_delay_in_a_list_is_that_of_all() -> None:
    assert recorded(network("[4 ms, 4 ms, 4 ms]", "{pairs: [[0, 0], [1, 1], [2, 2]]}")) == recorded(
        network("4 ms", "{pairs: [[0, 0], [1, 1], [2, 2]]}")
    )


def test_no_synapse_has_no_delay() -> None:
    assert recorded(network("[]", "{pairs: []}")) == [[0] * 4] * 30


@pytest.mark.parametrize("delay", [MATRIX, "{uniform: [1 ms, 6 ms]}", "3 ms"])
def test_what_is_written_comes_back_equal(delay: str, tmp_path: Path) -> None:
    made = network(delay)
    assert reader.loads(writer.to_yaml(made), "again.yaml") == made
    neuroport.run(made, backend="reference", trace=tmp_path / "t.h5")
    exported = with_learned(made, open_trace(tmp_path / "t.h5"))
    assert recorded(exported) == recorded(made)


def test_a_run_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    made = network(MATRIX)
    with neuroport.open(made, "reference") as session:
        session.run(5)
        session.checkpoint(tmp_path / "c.h5")
    with neuroport.open(made, "reference") as session:
        session.restore(tmp_path / "c.h5")
        session.run(25)
        assert session.records("a.v", since=5)[1].tolist() == recorded(made)[5:]


def messages(delay: str, synapse: str) -> list[str]:
    text = TEXT.replace("DELAY", delay).replace("CONNECT", "all_to_all").replace("CHIP", "ideal")
    text = text.replace("synapse: static, weight: 2", f"synapse: {synapse}, weight: 1")
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(reader.loads(text, "n.yaml"))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("synapse", ["stdp_pair", "graded", "tsodyks_markram"])
def test_a_rule_forbids_it(synapse: str) -> None:
    expected = (
        f"delay of projection 'p' must be one time: synapse model '{synapse}' does more at a spike than "
        "send what a synapse holds; put what differs between synapses into 'dendritic_delay'"
    )
    assert [text.partition(": ")[2] for text in messages("{uniform: [1 ms, 3 ms]}", synapse)] == [expected]


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        (
            "[1 ms, 2 ms]",
            "n.yaml:15:85: delay of projection 'p' has the shape (2,); it must be (3, 4), one row per source neuron",
        ),
        ("{uniform: [0 ms, 3 ms]}", "n.yaml:15:95: delay of projection 'p' must be at least 1 step; found 0 ms"),
        (
            "{array: [[0, 4, 5, 6], [3, 3, 3, 9], [12, 7, 3, 3]], rows: source, unit: ms}",
            "n.yaml:15:93: delay of projection 'p' must be at least 1 step; found 0 ms at [0, 0]",
        ),
        (
            "{normal: [0 mV, 3 mV]}",
            "n.yaml:15:94: mean of delay of projection 'p' must be a number of steps or a time, but 0 mV is in mV",
        ),
        (
            "{normal: [1 ms, 3 ms]}",
            "n.yaml:15:85: projection 'p' has a delay of -4 steps; 1 is the least, and 2^53 the most; limit what is "
            "drawn, as {normal: {mean: 5 steps, sd: 2 steps, low: 1 step}} does",
        ),
        (
            "{same_as: p.w}",
            "n.yaml:15:85: delay of projection 'p' must be a time, a distribution or an array of times; found "
            "'same_as', which takes the values of a variable, and a delay is none; write the times out",
        ),
        (
            "1 ms, dendritic_delay: {same_as: p.w}",
            "n.yaml:15:108: dendritic_delay of projection 'p' must be a time, a distribution or an array of times; "
            "found 'same_as', which takes the values of a variable, and a delay is none; write the times out",
        ),
        (
            "{delay: 3 ms}",
            "n.yaml:15:85: delay of projection 'p' must be a number, a list or one of these forms: uniform, normal, "
            "lognormal, beta, array, file, data, from; found a mapping with 'delay'",
        ),
    ],
)
def test_misuse_is_refused_with_its_place_and_what_to_do(delay: str, expected: str) -> None:
    assert messages(delay, "static") == [expected]
