"""Projections between parts of populations: connected as if the parts were populations of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.connections import Ends
from neuroport.elaborate.connect import make_synapses
from neuroport.elaborate.memory import parts
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network

TEXT = """
neuroport: 1
name: n
dt: 1 ms
populations:
  a: {size: A, neuron: lif}
  b: {size: B, neuron: lif}
projections:
  p: {source: SOURCE, target: TARGET, input: jump, synapse: static, connect: CONNECT, weight: WEIGHT}
MORE
"""
LISTED = "{pairs: [[3, 1], [0, 2], [0, 2], [5, 0]]}"
RULES = [
    "all_to_all",
    "{fixed_probability: 0.4}",
    "{fixed_in_degree: 3}",
    "{fixed_out_degree: 2}",
    LISTED,
    "{distance_dependent: {grid: [2, 3], target_grid: [1, 4], profile: gaussian, p: 0.9, length: 2}}",
]
WITHIN = [
    "{all_to_all: {self: false}}",
    "{fixed_probability: {p: 0.4, self: false}}",
    "{fixed_in_degree: {degree: 2, self: false}}",
    "{fixed_out_degree: {degree: 3, self: false}}",
    "one_to_one",
    "all_to_all_but_same",
    "{distance_dependent: {grid: [2, 3], profile: flat, p: 0.5, length: 2, periodic: true, self: false}}",
]
SOURCES, TARGETS = [1, 4, 7, 10, 11, 12], [2, 4, 5, 6]


def network(
    source: str, target: str, connect: str, weight: str = "1", sizes: tuple[int, int] = (14, 8), more: str = ""
) -> Network:
    text = TEXT.replace("SOURCE", source).replace("TARGET", target).replace("CONNECT", connect)
    text = text.replace("size: A", f"size: {sizes[0]}").replace("size: B", f"size: {sizes[1]}")
    return reader.loads(text.replace("WEIGHT", weight).replace("MORE", more), "n.yaml")


def messages(source: str, target: str, connect: str, weight: str = "1", more: str = "") -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        network(source, target, connect, weight, more=more)
    return [str(problem) for problem in caught.value.problems]


def weights(of: Network) -> Any:
    return neuroport.compile(of).arrays["p.w"].initial


def check(part: Network, alone: Network, sources: list[int], targets: list[int]) -> None:
    """Whether synapses of parts are those of populations of their sizes, with the same numbers for random draws."""
    ours, theirs = (make_synapses(one.projection("p"), one) for one in (part, alone))
    assert len(theirs.pre) > 3
    assert np.array_equal(ours.pre, np.array(sources)[theirs.pre])
    assert np.array_equal(ours.post, np.array(targets)[theirs.post])
    assert np.array_equal(ours.elements.keys, theirs.elements.keys)
    assert np.array_equal(weights(part), weights(alone))
    assert np.array_equal(np.diff(ours.wiring.indptr), np.bincount(ours.pre, minlength=len(ours.wiring.indptr) - 1))


@pytest.mark.parametrize("weight", ["{uniform: [0, 1]}", "MATRIX"])
@pytest.mark.parametrize("connect", RULES)
def test_parts_are_connected_like_populations(connect: str, weight: str) -> None:
    weight = weight.replace("MATRIX", str((np.arange(24) / 2).reshape(6, 4).tolist()))
    part = network('"a[1:11:3, 11:13]"', '"b[2, 4:7]"', connect, weight)
    check(part, network("a", "b", connect, weight, (6, 4)), SOURCES, TARGETS)


@pytest.mark.parametrize("connect", WITHIN)
def test_a_part_is_connected_with_itself_like_a_population(connect: str) -> None:
    part = network('"a[1:11:3, 11:13]"', '"a[1, 4, 7, 10:13]"', connect, "{uniform: [0, 1]}")
    check(part, network("a", "a", connect, "{uniform: [0, 1]}", (6, 6)), SOURCES, SOURCES)


@pytest.mark.parametrize("connect", [rule for rule in WITHIN if "self" in rule])
def test_no_neuron_of_two_parts_is_connected_with_itself(connect: str) -> None:
    made = network('"a[2:8]"', '"a[5:11]"', connect)
    synapses = make_synapses(made.projection("p"), made)
    assert not np.any(synapses.pre == synapses.post)
    assert set(synapses.pre.tolist()) <= set(range(2, 8))
    assert set(synapses.post.tolist()) <= set(range(5, 11))
    assert len(synapses.pre) > 10
    if "degree" in connect:
        counted = synapses.post if "in_degree" in connect else synapses.pre
        assert len(np.unique(np.bincount(counted)[counted])) == 1


def test_partners_of_neurons_of_one_part_alone_are_drawn_from_all() -> None:
    made = network('"a[2:8]"', '"a[5:11]"', "{fixed_in_degree: {degree: 5, self: false}}")
    synapses = make_synapses(made.projection("p"), made)
    of_both = [sorted(synapses.pre[synapses.post == k].tolist()) for k in (5, 6, 7)]
    assert of_both == [[2, 3, 4, 6, 7], [2, 3, 4, 5, 7], [2, 3, 4, 5, 6]]


def test_one_value_for_each_pair_keeps_its_pair() -> None:
    made = network('"a[1:11:3, 11:13]"', '"b[2, 4:7]"', LISTED, "[3, 0, 2, 5]")
    synapses = make_synapses(made.projection("p"), made)
    found = list(zip(synapses.pre.tolist(), synapses.post.tolist(), weights(made).tolist(), strict=True))
    assert found == [(1, 5, 0), (1, 5, 2), (10, 4, 3), (12, 2, 5)]


def test_how_a_part_is_written_makes_no_difference() -> None:
    one = network('"a[0:6:2]"', '"b[3:8]"', "{fixed_out_degree: 2}", "{uniform: [0, 1]}")
    other = network('"a[[0, 2, 4]]"', '"b[ 3, 4:6, 6, 7: ]"', "{fixed_out_degree: 2}", "{uniform: [0, 1]}")
    assert one == other
    assert network('"a[:]"', '"b[0:3, 3:8]"', "all_to_all") == network("a", "b", "all_to_all")


def test_it_is_written_as_it_was_read() -> None:
    made = network('"a[1:11:3, 11:13]"', '"b[2, 4:7]"', "{fixed_out_degree: 2}")
    text = writer.to_yaml(made)
    assert 'source: "a[1:11:3, 11:13]"' in text
    assert 'target: "b[2, 4:7]"' in text
    assert reader.loads(text, "again.yaml") == made


def test_its_memory_is_that_of_its_synapses() -> None:
    part = [one.size for one in parts(network('"a[0:7]"', '"b[0:4]"', "all_to_all"))]
    whole = [one.size for one in parts(network("a", "b", "all_to_all"))]
    assert part[:2] == whole[:2]
    assert part[2] * 4 == whole[2]


def test_many_pairs_are_expected_between_the_neurons_of_parts() -> None:
    made = network('"a[2:8]"', '"a[2:8]"', "{all_to_all: {self: false}}")
    assert Ends.of(made.projection("p"), made).possible(False) == 30


TWINS = """  q: {source: "b[1:3]", target: "a[9:12]", input: jump, synapse: follows, connect: all_to_all, twin: p}
synapses:
  follows: {state: {w: {weight: true, init: 0}}, on_event: {copy: w = twin.w}}
protocol: [{event: copy}, {run: 1 ms}]
"""


def test_twins_have_the_same_numbers_within_their_parts() -> None:
    made = network('"a[0:3]"', '"b[5:7]"', "all_to_all", "[[1, 2], [3, 4], [5, 6]]", more=TWINS)
    with neuroport.open(made, "reference") as session:
        session.run_protocol()
        pre, post, copied = session.weights("q")
    matrix = np.zeros((8, 14))
    matrix[pre, post] = copied
    assert matrix[1:3, 9:12].tolist() == [[1, 3, 5], [2, 4, 6]]


def test_a_variable_starts_like_that_of_another_part() -> None:
    more = '  q: {source: "a[6:9]", target: "b[1:3]", input: jump, synapse: static, connect: all_to_all, '
    more += "weight: {same_as: p.w}}"
    made = network('"a[0:3]"', '"b[5:7]"', "all_to_all", "[[1, 2], [3, 4], [5, 6]]", more=more)
    assert neuroport.compile(made).arrays["q.w"].initial.tolist() == [1, 2, 3, 4, 5, 6]


BACK = """  q: {source: "a[5:7]", target: "a[0:3]", input: jump, synapse: static, connect: all_to_all,
      weight: [[1, 3, 5], [2, 4, 7]]}
metrics: {far: {distance: p.w, to: q.w}, lean: {angle: p.w, to: q.w}}
protocol: [{measure: []}]
"""


def test_weights_back_between_parts_of_one_population_are_compared_transposed() -> None:
    made = network('"a[0:3]"', '"a[5:7]"', "all_to_all", "[[1, 2], [3, 4], [5, 6]]", more=BACK)
    assert neuroport.run(made, backend="reference").metrics["far"] == [(0, 1.0)]


def test_asymmetry_is_that_within_the_part() -> None:
    more = "metrics: {odd: {asymmetry: p.w}}\nprotocol: [{measure: []}]"
    w = [[0, 1, 2], [5, 0, 4], [3, 9, 0]]
    made = network('"a[4:7]"', '"a[4:7]"', "{all_to_all: {self: false}}", str(w), more=more)
    assert neuroport.run(made, backend="reference").metrics["odd"][0][1] == np.var([1 - 5, 2 - 3, 4 - 9])


def test_a_network_in_python_takes_parts() -> None:
    net = neuroport.Network(dt="1 ms", name="n")
    a, b = net.population("a", 14, "lif"), net.population("b", 8, "lif")
    net.project(f"{a}[2:8]", f"{b}[2, 4:7]", "static", name="p", input="jump", connect="all_to_all", weight=1)
    assert net.build() == network('"a[2:8]"', '"b[2, 4:7]"', "all_to_all")


def test_matrices_in_python_are_those_of_the_parts() -> None:
    net = neuroport.Network(dt="1 ms", name="n")
    net.population("a", 14, "lif")
    net.population("b", 8, "lif")
    connected = np.array([[True, False, True], [False, True, True]])
    net.project("a[12:]", "b[::3]", "static", input="jump", connect=connected, weight=1)
    made = net.build()
    synapses = make_synapses(made.projection("a_b"), made)
    assert list(zip(synapses.pre.tolist(), synapses.post.tolist(), strict=True)) == [(12, 0), (12, 6), (13, 3), (13, 6)]
    with pytest.raises(
        InvalidInput, match=r"the matrix has the shape \(2, 3\); it must be \(3, 8\), one row per source"
    ):
        net.project("a[11:]", "b", "static", name="q", input="jump", connect=connected, weight=1)


@pytest.mark.parametrize(
    ("source", "target", "connect", "expected"),
    [
        ('"a[3:20]"', "b", "all_to_all", "9:15: source of projection 'p': '[3:20]' is outside of the population, whose "
         "neurons are 0 to 13"),
        ("a", '"b[3, 3]"', "all_to_all", "9:26: target of projection 'p': '[3, 3]' must name each neuron once, in "
         "ascending order"),
        ('"c[0:3]"', "b", "all_to_all", "9:15: unknown population 'c'; allowed are a, b"),
        ('"a[0:3]"', '"b[0:4]"', "one_to_one", "9:82: one_to_one of projection 'p' needs populations of equal size; "
         "found 3 and 4"),
        ('"a[0:3]"', '"b[0:4]"', "{fixed_in_degree: 4}", "9:100: degree of projection 'p' must be at most 3, the "
         "neurons of its source; found 4"),
        ('"a[0:3]"', '"b[0:4]"', "{pairs: [[0, 1], [3, 0]]}", "9:90: pairs of projection 'p': [3, 0] at 1 is outside "
         "of part 'a[0:3]', whose neurons are 0 to 2"),
        ('"a[0:3]"', '"a[3:6]"', "{all_to_all: {self: false}}", "9:102: self of connect of projection 'p' has no "
         "meaning between two parts without a common neuron; leave it out"),
        ('"a[0:6]"', '"a[0:6]"', "{distance_dependent: {grid: [7], profile: flat, p: 1, length: 1}}", "9:110: grid of "
         "projection 'p' has 7 places and part 'a[0:6]' 6 neurons; they must be equal"),
    ],
)  # fmt: skip
def test_misuse_is_refused(source: str, target: str, connect: str, expected: str) -> None:
    assert messages(source, target, connect) == [f"n.yaml:{expected}"]


def test_a_matrix_of_weights_is_that_of_the_parts() -> None:
    assert messages('"a[0:3]"', '"b[0:2]"', "all_to_all", "[[1, 2, 3]]") == [
        "n.yaml:9:102: weight of projection 'p' has the shape (1, 3); it must be (3, 2), one row per source neuron"
    ]
