"""The kinds of connections: which pairs they make, how often, and that nobody's pairs depend on anybody else's."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport import connections
from neuroport.connections import Ends, Side
from neuroport.connections.distance_dependent import DistanceDependent
from neuroport.connections.fixed_in_degree import FixedInDegree
from neuroport.connections.fixed_out_degree import FixedOutDegree
from neuroport.elaborate.connect import make_synapses
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.objects import Connect
from neuroport.numerics.draws import Source
from tests.support.memory import peak

LIF = neuroport.models["lif"]
TEXT = """
neuroport: 1
name: n
dt: 1 ms
populations:
  a: {size: 12, neuron: lif}
  b: {size: 12, neuron: lif}
  c: {size: 6, neuron: lif}
projections:
  p: {source: a, target: TARGET, input: jump, synapse: static, weight: 1, connect: CONNECT}
"""


def text(connect: str, target: str = "b") -> str:
    return TEXT.replace("TARGET", target).replace("CONNECT", connect)


def pairs(connect: str, target: str = "b") -> NDArray[np.int64]:
    network = reader.loads(text(connect, target), "n.yaml")
    made = make_synapses(network.projection("p"), network)
    return np.stack([made.pre, made.post], axis=1)


def messages(connect: str, target: str = "b") -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        reader.loads(text(connect, target), "n.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("target", ["a", "b"])
def test_all_but_the_same_number(target: str) -> None:
    expected = [[i, j] for i in range(12) for j in range(12) if i != j]
    assert pairs("all_to_all_but_same", target).tolist() == expected


def test_within_a_population_it_is_all_to_all_without_self() -> None:
    assert np.array_equal(pairs("all_to_all_but_same", "a"), pairs("{all_to_all: {self: false}}", "a"))


@pytest.mark.parametrize(("target", "own"), [("a", "{degree: 3, self: false}"), ("a", "11"), ("b", "12"), ("c", "5")])
def test_every_source_has_as_many_targets(target: str, own: str) -> None:
    made = pairs(f"{{fixed_out_degree: {own}}}", target)
    degree = 3 if "degree" in own else int(own)
    assert np.bincount(made[:, 0], minlength=12).tolist() == [degree] * 12
    assert len(np.unique(made, axis=0)) == len(made)
    assert not ("self" in own and np.any(made[:, 0] == made[:, 1]))


def test_targets_of_a_source_are_equally_likely() -> None:
    counts = np.zeros((20, 20))
    for seed in range(400):
        pre, post = made(FixedOutDegree(degree=4, self_connections=False), 20, 20, seed, "aa")
        np.add.at(counts, (pre, post), 1)
    expected = 400 * 4 / 19
    off = counts[~np.eye(20, dtype=np.bool_)]
    assert np.diagonal(counts).tolist() == [0] * 20
    assert np.abs(off - expected).max() < 5 * math.sqrt(expected * (1 - 4 / 19))


def ends(sources: int, targets: int, seed: int = 1, names: str = "ab") -> Ends:
    own, other = (Side(n, k) for n, k in zip(names, (sources, targets), strict=True))
    return Ends(own, other, Source(seed, "p", "connect"))


def made(rule: Connect, sources: int, targets: int, seed: int = 1, names: str = "ab") -> Any:
    return connections.rule(rule).pairs(rule, ends(sources, targets, seed, names))


FALLS: dict[str, Callable[[float], float]] = {
    "gaussian": lambda x: math.exp(-x * x / 2),
    "exponential": lambda x: math.exp(-x),
    "linear": lambda x: max(0.0, 1 - x),
    "flat": lambda x: float(x <= 1),
}
SHAPES = {
    "line": ((40,), (40,)),
    "sheet": ((6, 9), (6, 9)),
    "block": ((3, 4, 5), (3, 4, 5)),
    "fewer targets": ((6, 8), (3, 4)),
    "more targets": ((4, 3), (8, 9)),
    "other sheet": ((5, 7), (7, 4)),
    "one beside many": ((1, 9), (4, 2)),
}


def expectation(rule: DistanceDependent) -> NDArray[np.float64]:
    """The probability of every pair, each by itself, in the plainest way."""
    sizes = list(zip(rule.grid, rule.target_grid, strict=True))
    result = np.zeros((math.prod(rule.grid), math.prod(rule.target_grid)))
    for i, source in enumerate(np.ndindex(*rule.grid)):
        for j, target in enumerate(np.ndindex(*rule.target_grid)):
            square = 0.0
            for (own, other), s, t in zip(sizes, source, target, strict=True):
                apart = abs((t + 0.5) / other - (s + 0.5) / own)
                square += ((min(apart, 1 - apart) if rule.periodic else apart) * own) ** 2
            result[i, j] = rule.probability * FALLS[rule.profile](math.sqrt(square) / rule.length)
    return result


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("profile", FALLS)
def test_probability_falls_with_distance(profile: str, shape: str, periodic: bool) -> None:
    """No pair is off by more than 5.5 standard deviations, nor their number or the sum of squares by more than 5."""
    grid, target_grid = SHAPES[shape]
    length = 1.73 if profile in ("gaussian", "exponential") else 2.6
    rule = DistanceDependent(
        grid=grid, target_grid=target_grid, profile=profile, probability=0.9, length=length, periodic=periodic
    )
    expected, runs = expectation(rule), 60
    counts = np.zeros(expected.shape)
    for seed in range(runs):
        pre, post = made(rule, *expected.shape, seed=seed)
        assert np.all(np.diff(pre * expected.shape[1] + post) > 0)
        counts[pre, post] += 1
    spread = np.sqrt(runs * expected * (1 - expected))
    assert np.all(counts[expected == 0] == 0)
    some = spread > 0
    off = (counts[some] - runs * expected[some]) / spread[some]
    seen = spread[some] > 1.5
    assert np.abs(off[seen]).max() < 5.5
    assert abs(counts.sum() - runs * expected.sum()) < 5 * math.sqrt(np.square(spread).sum())
    assert abs(np.square(off[seen]).mean() - 1) < 5 * math.sqrt(2.5 / np.count_nonzero(seen))


def test_a_certain_connection_is_made_and_an_impossible_one_is_not() -> None:
    rule = DistanceDependent(grid=(5, 5), target_grid=(5, 5), profile="flat", probability=1, length=1)
    pre, post = made(rule, 25, 25)
    expected = [(i, j) for i in range(25) for j in range(25) if abs(i // 5 - j // 5) + abs(i % 5 - j % 5) <= 1]
    assert list(zip(pre.tolist(), post.tolist(), strict=True)) == expected
    none = DistanceDependent(grid=(5, 5), target_grid=(5, 5), profile="flat", probability=0, length=1)
    assert len(made(none, 25, 25)[0]) == 0


def test_self_connections_on_a_grid_can_be_left_out() -> None:
    connect = "{distance_dependent: {grid: [3, 4], profile: flat, p: 1, length: 1, self: false}}"
    found = pairs(connect, "a")
    assert not np.any(found[:, 0] == found[:, 1])
    assert len(found) == len(pairs(connect.replace(", self: false", ""), "a")) - 12


@pytest.mark.parametrize(
    "rule",
    [
        FixedOutDegree(degree=3),
        FixedInDegree(degree=3),
        DistanceDependent(grid=(60, 10), target_grid=(60, 10), profile="gaussian", probability=0.6, length=2.5),
        DistanceDependent(grid=(60, 10), target_grid=(20, 30), profile="exponential", probability=0.3, length=2),
    ],
)
def test_pairs_are_the_same_however_many_are_drawn_at_once(rule: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroport.connections import distance_dependent
    from neuroport.numerics import draws

    whole = made(rule, 600, 600)
    monkeypatch.setattr(draws, "BLOCK", 50)
    monkeypatch.setattr(distance_dependent, "BLOCK", 50)
    assert all(np.array_equal(a, b) for a, b in zip(whole, made(rule, 600, 600), strict=True))


def test_who_is_connected_never_changes() -> None:
    """Numbers of other machines and versions."""
    near = DistanceDependent(
        grid=(6, 6), target_grid=(3, 3), profile="gaussian", probability=0.7, length=1.2, periodic=True
    )
    pre, post = made(near, 36, 9)
    assert (pre[:12].tolist(), post[:12].tolist()) == (
        [0, 0, 0, 0, 1, 2, 2, 3, 4, 4, 5, 5],
        [0, 1, 2, 6, 1, 2, 4, 2, 0, 2, 1, 2],
    )
    assert (len(pre), int(pre @ post)) == (63, 4535)
    pre, post = made(FixedOutDegree(degree=3), 4, 9)
    assert post.tolist() == [4, 5, 6, 0, 7, 8, 4, 6, 7, 3, 4, 6]


@pytest.mark.parametrize("profile", FALLS)
def test_about_as_many_as_expected(profile: str) -> None:
    for length in (0.3, 2.0, 500.0):
        rule = DistanceDependent(grid=(25, 24), target_grid=(25, 24), profile=profile, probability=0.3, length=length)
        told = connections.rule(rule).expected(rule, ends(600, 600))
        assert 0.9 < told / len(made(rule, 600, 600)[0]) < 7


@pytest.mark.parametrize("length", [5.0, 1e9])
def test_time_and_memory_grow_with_the_synapses(length: float) -> None:
    """A hundred thousand synapses take less than 2 s and 250 bytes each, also where most neurons are out of reach."""
    near = length < 100
    size = (300, 250) if near else (60, 60)
    rule = DistanceDependent(grid=size, target_grid=size, profile="gaussian", probability=0.01, length=length)
    before = time.process_time()
    found = len(made(rule, math.prod(size), math.prod(size))[0])
    assert time.process_time() - before < 2
    assert 100_000 < found < 140_000
    assert peak(lambda: made(rule, math.prod(size), math.prod(size))) < 250 * found


KINDS = [
    "all_to_all_but_same",
    "{fixed_out_degree: 3}",
    "{fixed_out_degree: {degree: 3, self: false}}",
    "{distance_dependent: {grid: [3, 4], profile: gaussian, p: 0.5, length: 1.5}}",
    "{distance_dependent: {grid: [12], profile: flat, p: 1, length: 2, periodic: true, self: false}}",
]


@pytest.mark.parametrize("connect", KINDS)
def test_what_is_written_comes_back_equal(connect: str) -> None:
    network = reader.loads(text(connect, "a"), "n.yaml")
    written = writer.to_yaml(network)
    assert connect.removeprefix("{").removesuffix("}") in " ".join(written.split()).replace(".0,", ",")
    assert reader.loads(written, "again.yaml") == network


def test_another_grid_is_written_too() -> None:
    grids = "{distance_dependent: {grid: [3, 4], profile: linear, p: 0.5, length: 3, target_grid: [2, 3]}}"
    network = reader.loads(text(grids, "c"), "n.yaml")
    assert reader.loads(writer.to_yaml(network), "again.yaml") == network
    assert network.projection("p").connect.target_grid == (2, 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("connect", "target", "expected"),
    [
        (
            "all_to_all_but_same",
            "c",
            ["n.yaml:10:79: all_to_all_but_same of projection 'p' needs populations of equal size; found 12 and 6"],
        ),
        (
            "{all_to_all_but_same: {self: false}}",
            "b",
            ["n.yaml:10:102: unknown key 'self' in all_to_all_but_same of projection 'p'; there are none"],
        ),
        (
            "{fixed_out_degree: 7}",
            "c",
            ["n.yaml:10:98: degree of projection 'p' must be at most 6, the neurons of its target; found 7"],
        ),
        (
            "{fixed_out_degree: {degree: 12, self: false}}",
            "a",
            ["n.yaml:10:107: degree of projection 'p' must be at most 11, the other neurons of its target; found 12"],
        ),
        (
            "fixed_out_degree",
            "b",
            ["n.yaml:10:79: connect of projection 'p' must say how many: write 'fixed_out_degree: NUMBER'"],
        ),
        (
            "distance_dependent",
            "b",
            ["n.yaml:10:79: connect of projection 'p' must have the keys grid, profile, p, length"],
        ),
        (
            "{distance_dependent: 3}",
            "b",
            [
                "n.yaml:10:100: distance_dependent of projection 'p' must be a mapping with the keys grid, "
                "profile, p, length, periodic, target_grid, self; found 3"
            ],
        ),
        (
            "{distance_dependent: {grid: 12, profile: gauss, p: 2, length: 0}}",
            "b",
            [
                "n.yaml:10:107: grid of projection 'p' must list the numbers of neurons in one to three "
                "directions, such as [20, 30]; found 12",
                "n.yaml:10:120: profile of projection 'p' cannot be 'gauss'; did you mean 'gaussian'? allowed "
                "are gaussian, exponential, linear, flat",
                "n.yaml:10:130: probability of projection 'p' must be from 0 to 1; found 2",
                "n.yaml:10:141: length of projection 'p' must be from 0.001 to 1e+09; found 0",
            ],
        ),
        (
            "{distance_dependent: {grid: [3, 5], profile: flat, p: 1, length: 2 mm}}",
            "b",
            [
                "n.yaml:10:107: grid of projection 'p' has 3 x 5 = 15 places and population 'a' 12 neurons; "
                "they must be equal",
                "n.yaml:10:144: length of projection 'p' must be a number; found the text '2 mm'",
            ],
        ),
        (
            "{distance_dependent: {grid: [3, 4], profile: flat, p: 1, length: 2}}",
            "c",
            [
                "n.yaml:10:100: distance_dependent of projection 'p' needs the grid of its target 'c', which "
                "has 6 neurons; add 'target_grid: [NUMBER, NUMBER]'"
            ],
        ),
        (
            "{distance_dependent: {grid: [3, 4], target_grid: [6], profile: flat, p: 1, length: 2}}",
            "c",
            ["n.yaml:10:128: target_grid of projection 'p' must have as many directions as grid, 2; found 1"],
        ),
        (
            "{distance_dependent: {grid: [3, 4], target_grid: [2, 4], profile: flat, p: 1, length: 2}}",
            "c",
            [
                "n.yaml:10:128: target_grid of projection 'p' has 2 x 4 = 8 places and population 'c' 6 "
                "neurons; they must be equal"
            ],
        ),
        (
            "{distance_dependent: {grid: [3, 4], target_grid: [4, 3], profile: flat, p: 1, length: 2}}",
            "a",
            ["n.yaml:10:128: target_grid of projection 'p' has no meaning within one population; leave it out"],
        ),
        (
            "{distance_dependent: {grid: [3, 4.5], profile: flat, p: 1, length: 2, periodic: 1}}",
            "b",
            [
                "n.yaml:10:111: a number in grid of projection 'p' must be a whole number; found 4.5",
                "n.yaml:10:159: periodic of projection 'p' must be true or false; found 1",
            ],
        ),
        (
            "{distance_dependent: {grid: [13], profile: flat, p: 1, length: 2, self: false}}",
            "b",
            [
                "n.yaml:10:107: grid of projection 'p' has 13 places and population 'a' 12 neurons; they must be equal",
                "n.yaml:10:151: self of connect of projection 'p' has no meaning between two populations; leave it out",
            ],
        ),
    ],
)
def test_misuse_is_refused_with_its_place_and_what_to_do(connect: str, target: str, expected: list[str]) -> None:
    assert messages(connect, target) == expected
