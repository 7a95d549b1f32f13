"""Parameters that a protocol sets for some neurons of a population."""

from __future__ import annotations

from pathlib import Path

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.network.values import ArrayValue
from neuroport.trace.learned import with_learned
from neuroport.trace.read import open_trace
from tests.support.executors import BACKENDS

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8
neurons:
  cell:
    params: {gain: {default: 1, dynamic: true, range: [0, 4]}, other: {default: 1, dynamic: true, range: [0, 4]}}
    derived: {twice: 2 * gain}
    state: {v: {init: 0, range: [-8, 16]}}
    update: v = twice + other
populations:
  a: {size: 5, neuron: cell, params: {other: 0}}
  ab: {size: 3, neuron: cell}
protocol:
  - {run: 1 ms}
  - {set: SET}
  - {run: 1 ms}
  - {set: {a.gain: 0.5}}
  - {run: 1 ms}
record: {states: {a.v: 1 ms, ab.v: 1 ms}}
"""
SET = '{"a.gain[0:2, 4]": 2, "a*.other[1:]": 3, "a.gain[2]": 0}'


def network(what: str = SET) -> Network:
    return reader.loads(TEXT.replace("SET", what), "n.yaml")


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_neurons_of_a_part_have_the_value(backend: str) -> None:
    with neuroport.open(network(), backend) as session:
        session.run_protocol()
        assert session.records("a.v")[1].tolist() == [[2, 2, 2, 2, 2], [4, 7, 3, 5, 7], [1, 4, 4, 4, 4]]
        assert session.records("ab.v")[1].tolist() == [[3, 3, 3], [3, 5, 5], [3, 5, 5]]
        assert session.get("a.other").tolist() == [0, 3, 3, 3, 3]


def test_inside_of_a_pattern_it_is_the_same() -> None:
    text = TEXT.replace("  cell:\n", "  cell:\n    inputs: {i: {range: [0, 1]}}\n").replace("  - {set: SET}\n", "")
    text = text.replace("{run: 1 ms}", '{present: p, each: [{at: 1 ms, set: {"a.gain[3]": 2}}]}', 1)
    stimuli = '{p: {patterns: {values: [[0]], hold: 2 ms}, population: "a[0]"}}'
    text = text.replace("protocol:", f"stimuli: {stimuli}\nprotocol:")
    with neuroport.open(reader.loads(text, "n.yaml"), "reference") as session:
        session.run_protocol()
        assert session.records("a.v")[1][:3].tolist() == [[2] * 5, [2, 2, 2, 4, 2], [2, 2, 2, 4, 2]]


def test_a_session_goes_on_and_the_trace_tells_what_was_set(tmp_path: Path) -> None:
    whole = neuroport.run(network(), backend="reference", trace=tmp_path / "t.h5")
    trace = open_trace(tmp_path / "t.h5")
    assert trace.setting("a.other").tolist() == [0, 3, 3, 3, 3]
    given = dict(with_learned(network(), trace).population("a").parameters)["other"]
    assert isinstance(given, ArrayValue)
    assert given.values.array.tolist() == [0, 3, 3, 3, 3]
    with neuroport.open(network(), "reference") as session:
        for _ in session.walk_protocol(lambda step: 1):
            if session.step == 2:
                session.checkpoint(tmp_path / "c.h5")
    with neuroport.open(network(), "reference") as session:
        session.restore(tmp_path / "c.h5")
        session.run_protocol()
        assert session.digest() == whole.digest


def test_it_is_written_as_it_was_read() -> None:
    made = network()
    assert reader.loads(writer.to_yaml(made), "again.yaml") == made
    assert '"a.gain[0:2, 4]": 2' in writer.to_yaml(made)
    assert network(SET.replace("0:2, 4", "0, 1, 4")) == made


def test_a_part_that_is_all_of_a_population_is_that_population() -> None:
    made = network('{"a*.gain[0:3]": 2, "ab.other[:]": 3, "a.other": 1}')
    assert made == network('{"a.other": 1, "a.gain[:3]": 2, "ab.gain": 2, "ab.other": 3}')
    assert reader.loads(writer.to_yaml(made), "n.yaml") == made


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ('{"a.gain[0:6]": 1}', "'set': '[0:6]' is outside of the population, whose neurons are 0 to 4"),
        ('{"a[0:2].gain": 1}', "'set': which neurons are meant stands last; write 'a.gain[0:2]'"),
        ('{"a.gain[0:2]": 5}', "parameter 'gain' of population 'a' must be from 0 to 4; found 5"),
        ('{"a.gain[0:2]": 1, "a.gain[1:]": 2}', "'set' gives some neurons two values of 'a.gain'; name each neuron "
         "once, or use two items"),
        ('{"*.gain[3:5]": 1, "ab.gain": 2}', "'set': '[3:5]' is outside of the population, whose neurons are 0 to 2"),
        ('{"a.gain[0:5]": 1, "a.gain": 2}', "'set' gives some neurons two values of 'a.gain'; name each neuron "
         "once, or use two items"),
        ('{"a.gain[0:5]": 1, "a.gain[::1]": 2}', "'set' gives some neurons two values of 'a.gain'; name each neuron "
         "once, or use two items"),
        ('{"a*.gain": 1, "ab.gain[1]": 2}', "'set' gives some neurons two values of 'ab.gain'; name each neuron "
         "once, or use two items"),
    ],
)  # fmt: skip
def test_misuse_is_refused(what: str, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        network(what)
    assert [problem.text for problem in caught.value.problems] == [text]


def test_a_part_of_a_projection_is_refused() -> None:
    text = (
        TEXT.replace("SET", '{"p.rate[0:2]": 1}')
        .replace(
            "populations:\n",
            """synapses:
  s:
    params: {rate: {default: 1, dynamic: true, range: [0, 1]}}
    state: {w: {weight: true, init: 1, range: [0, 4]}}
    on_event: {e: w = w * rate}
projections:
  p: {source: a, target: a, input: i, synapse: s, connect: {pairs: []}}
populations:
""",
        )
        .replace("  cell:\n", "  cell:\n    inputs: {i: {range: [0, 1]}}\n")
    )
    with pytest.raises(InvalidInput) as caught:
        reader.loads(text, "n.yaml")
    assert [problem.text for problem in caught.value.problems] == [
        "'set': a part is one of a population's neurons; name 'p.rate' whole"
    ]
