"""Ports of parts of populations: the host counts their neurons from 0, and is told which these are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.hil import Linked, link
from neuroport.network.network import Network
from neuroport.numerics.parts import Part
from neuroport.program.verify import verify
from neuroport.session.exchange import Write
from tests.support.executors import BACKENDS

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8
COPIES
neurons:
  cell:
    params: {gain: {default: 1, dynamic: true, range: [0, 4]}}
    inputs: {i: {range: [-8, 8]}}
    state: {v: {init: 0, range: [-8, 8]}, drive: {init: 0, range: [-2, 2]}}
    update: v = i + gain * drive
    spike: v >= 1
populations:
  a: {size: 6, neuron: cell}
projections:
  p: {source: a, target: a, synapse: static, connect: {pairs: []}, weight: 1}
ports:
  current: {inject: "a.i[1:6:2]", range: [-2, 2]}
  drive: {write: "a.drive[0:2]"}
  fired: {spikes: "a[2:6]"}
  seen: {read: "a.v[3, 5]", write: true}
  kept: {read: "a.drive[1, 4]"}
record: {spikes: all, states: RECORD}
protocol: [{run: 5 ms}]
"""
COMMON = """synapses:
  common: {state: {w: {weight: true, init: 1, range: [0, 1], over_copies: shared}}, on_event: {e: w = 0}}
"""
RECORDS = ["{}", '{"a.v[0, 3:6]": 1 ms}', "{a.v: 1 ms}", '{"a.v[5]": 1 ms}']


def text(record: str = RECORDS[1], copies: str = "") -> str:
    return TEXT.replace("RECORD", record).replace("COPIES", copies)


def network(record: str = RECORDS[1]) -> Network:
    return reader.loads(text(record), "n.yaml")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_host_counts_the_neurons_of_a_port_from_0(backend: str) -> None:
    with neuroport.open(network(), backend) as session:
        inputs = [Write("current", [0.5, 1, 2]), Write("drive", [1.5, -0.25])]
        answer = session.exchange(inputs, 1, ["fired", "seen", "kept"])
        assert session.get("a.v").tolist() == [1.5, 0.25, 0, 1, 0, 2]
        assert [list(one) for one in answer.outputs["fired"]] == [[0, 0], [1, 3]]
        assert answer.outputs["seen"][1].tolist() == [[1, 2]]
        assert answer.outputs["kept"][1].tolist() == [[-0.25, 0]]
        session.exchange([Write("current", 1, neurons=[2, 0]), Write("seen", 4, neurons=1)], 1)
        assert session.get("a.v").tolist() == [1.5, 0.75, 0, 0, 0, 1]
        session.set("seen", [3, -3])
        assert session.get("seen").tolist() == [3, -3]
        assert session.get("a.v").tolist() == [1.5, 0.75, 0, 3, 0, -3]
        assert [list(one) for one in session.spikes("fired")] == [[0, 0, 1], [1, 3, 3]]
        assert [list(one) for one in session.spikes("a")] == [[0, 0, 0, 1, 1], [0, 3, 5, 0, 5]]


@pytest.mark.parametrize("record", RECORDS)
def test_what_is_recorded_makes_no_difference_to_the_last_values(record: str) -> None:
    with neuroport.open(network(record), "reference") as session:
        for k in range(3):
            answer = session.exchange({"current": [k / 4, 1, k / 2]}, 1, ["seen"])
            steps, values = answer.outputs["seen"]
            assert steps.tolist() == [k]
            assert values.tolist() == [[1, k / 2]]
        if record in RECORDS[1:3]:
            assert session.records("seen")[1].tolist() == [[1, 0], [1, 0.5], [1, 1]]


def test_values_of_neurons_that_are_not_recorded_cannot_be_had_of_the_past() -> None:
    with neuroport.open(network(RECORDS[3]), "reference") as session:
        session.run(2)
        with pytest.raises(InvalidInput) as caught:
            session.records("seen")
    assert str(caught.value) == ("not all neurons of port 'seen' are recorded of 'a.v'; record them, or take the port")


def test_a_batch_has_spikes_of_a_part_of_every_copy() -> None:
    shared = text("{}", "copies: 2").replace("synapse: static", "synapse: common")
    shared += COMMON
    with neuroport.open(reader.loads(shared, "n.yaml"), "reference") as session:
        session.exchange([Write("current", [[0, 2], [2, 0], [1, 1]])], 1)
        numbers = session.spikes("fired")[1]
        assert session.spikes("a")[1].tolist() == [1 * 2 + 1, 3 * 2, 5 * 2, 5 * 2 + 1]
    assert numbers.tolist() == [1 * 2, 3 * 2, 3 * 2 + 1]


def test_the_host_is_told_which_neurons_a_port_and_a_record_have() -> None:
    with neuroport.open(network(), "reference") as session:
        told: dict[str, Any] = json.loads(json.dumps(session.describe()))
    neurons = {port["name"]: (port["size"], port["neurons"]) for port in told["ports"]}
    assert neurons["current"] == (3, [[1, 6, 2]])
    assert neurons["fired"] == (4, [[2, 6, 1]])
    assert neurons["seen"] == (2, [[3, 4, 1], [5, 6, 1]])
    assert told["recorded_parts"] == {"a.v": [[0, 1, 1], [3, 6, 1]]}
    whole = neuroport.open(reader.loads(text("{a.v: 1 ms}").replace('"a[2:6]"', "a"), "n.yaml"), "reference")
    assert whole.describe()["recorded_parts"] == {}
    assert [port["neurons"] for port in whole.describe()["ports"] if port["name"] == "fired"] == [None]


def test_through_a_link_a_port_has_its_neurons(tmp_path: Path) -> None:
    (tmp_path / "l.yaml").write_text("seed: 1\nto_chip: {latency: 1 step}\nfrom_chip: {latency: 1 step}\n")
    made = network()
    with neuroport.open(made, "reference") as session:
        linked = Linked(session, link.load(tmp_path / "l.yaml", made.dt))
        linked.exchange([Write("current", 2, neurons=[1])], 2, ["fired"])
        answer = linked.exchange([], 2, ["fired", "seen"])
        assert [list(one) for one in answer.outputs["fired"]] == [[1], [1]]
        assert [2, 0] in answer.outputs["seen"][1].tolist()
        assert linked.exchange([Write("current", 1, at=0)], 2).late == 3


def test_a_session_goes_on_with_what_waits_for_a_part(tmp_path: Path) -> None:
    with neuroport.open(network(), "reference") as session:
        session.exchange([Write("current", [1, 2, 0], at=3, hold=2)], 1)
        session.checkpoint(tmp_path / "c.h5")
        session.run(4)
        whole = session.digest()
    with neuroport.open(network(), "reference") as session:
        session.restore(tmp_path / "c.h5")
        session.run(4)
        assert session.digest() == whole
        assert session.spikes("fired")[1].tolist() == [1, 1]


def test_it_is_written_as_it_was_read() -> None:
    made = network()
    assert reader.loads(writer.to_yaml(made), "again.yaml") == made
    assert 'current: {inject: "a.i[1:6:2]", range: [-2, 2]}' in writer.to_yaml(made)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a.i[1:6:2]", "a.i[1:7]", "19:21: inject of port 'current': '[1:7]' is outside of the population, whose "
         "neurons are 0 to 5"),
        ("a.drive[0:2]", "a.gain[0:2]", "20:18: write of port 'drive': a parameter is written with one number for all "
         "neurons; name 'a.gain' whole"),
        ("a[2:6]", "a[4, 2]", "21:19: spikes of port 'fired': '[4, 2]' must name each neuron once, in ascending order"),
        ("a[2:6]", "a.v[4]", "21:19: spikes of port 'fired' are those of a population; write a, or a[0:10] of some"),
        ("a.v[3, 5]", "p.w[3, 5]", "22:16: read of port 'seen': a part is one of a population's neurons; name 'p.w' "
         "whole"),
        ("a.v[3, 5]", "a[3, 5].v", "22:16: read of port 'seen': which neurons are meant stands last; write "
         "'a.v[3, 5]'"),
    ],
)  # fmt: skip
def test_misuse_is_refused(old: str, new: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        reader.loads(text().replace(old, new), "n.yaml")
    assert [str(problem) for problem in caught.value.problems] == [f"n.yaml:{expected}"]


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (Write("current", 1, neurons=[3]), "port 'current' has the neurons 0 to 2; found 3; give their numbers"),
        (Write("current", 1, neurons=[-1]), "port 'current' has the neurons 0 to 2; found -1; give their numbers"),
        (Write("drive", [1, 1, 1]), "'a.drive': 2 neurons were given values of the shape (3,); give as many"),
        (Write("current", [0, 3, 0]), "'a.i', all that was injected for this step: 3 of neuron 3 is outside"),
        (Write("kept", 1), "n.yaml:23:3: port 'kept' only reads 'a.drive'; declare it with `write: true` to write it"),
    ],
)
def test_a_host_that_writes_elsewhere_is_told(write: Write, expected: str) -> None:
    with neuroport.open(network(), "reference") as session, pytest.raises(InvalidInput) as caught:
        session.exchange([write], 1)
    assert str(caught.value).startswith(expected)


def test_a_program_has_ports_of_neurons_that_are_there() -> None:
    program = neuroport.compile(network())
    port = program.ports[0]
    assert (port.of, port.size) == ("a.i[1:6:2]", 3)
    for wrong in (replace(port, part=Part(((1, 9, 2),)), size=4), replace(port, size=2)):
        assert any("port current" in problem.text for problem in verify(replace(program, ports=(wrong,))))
