"""What is said of a key that is none, of a list of another length, and of what is left empty."""

from __future__ import annotations

import pytest

from neuroport.errors import InvalidInput
from neuroport.files import network as reader

TEXT = """
neuroport: 1
name: n
dt: 1 ms
populations:
  a: {size: 4, neuron: lif, params: {tau_m: TAU}, ranges: {v: RANGE}}
projections:
  p: {source: a, target: a, input: jump, synapse: static, weight: WEIGHT, delay: DELAY, connect: CONNECT}
metrics: {m: METRIC}
protocol: [ITEM]
"""
USUAL = {
    "TAU": "20 ms",
    "RANGE": "[-80 mV, -40 mV]",
    "WEIGHT": "1",
    "DELAY": "1 ms",
    "CONNECT": "all_to_all",
    "METRIC": "{rate: a}",
    "ITEM": "{run: 1 ms}",
}
FORMS = "a number, a list or one of these forms: uniform, normal, lognormal, beta, array, file, data, from"


def message(**changes: str) -> str:
    text = TEXT
    for word, usual in USUAL.items():
        text = text.replace(word, changes.get(word, usual))
    with pytest.raises(InvalidInput) as caught:
        reader.loads(text, "n.yaml")
    (problem,) = caught.value.problems
    return problem.text


@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [
        ("CONNECT", "{fixed_outdegree: 3}", "fixed_out_degree"),
        ("CONNECT", "{fixed_indegree: 3, self: false}", "fixed_in_degree"),
        ("CONNECT", "{alltoall: {self: false}}", "all_to_all"),
        ("CONNECT", "fixed_outdegree", "fixed_out_degree"),
        ("WEIGHT", "{unifrom: [0, 1]}", "uniform"),
        ("METRIC", "{meen: a.v}", "mean"),
        ("ITEM", "{prsent: x}", "present"),
    ],
)
def test_a_key_that_is_none_is_told_with_the_one_that_is_meant(key: str, given: str, meant: str) -> None:
    assert f"did you mean '{meant}'?" in message(**{key: given})


def test_nothing_is_meant_by_a_key_that_is_far_from_all() -> None:
    assert message(CONNECT="{zzz: 3}").endswith("found a mapping with 'zzz'")


@pytest.mark.parametrize(
    ("given", "found"),
    [("[]", "an empty list"), ("[1, 2, 2, 1]", "a list of 4"), ("4", "4"), ("{}", "an empty mapping")],
)
def test_a_grid_is_told_with_how_many_directions_it_has(given: str, found: str) -> None:
    grid = f"{{distance_dependent: {{grid: {given}, profile: flat, p: 1, length: 1}}}}"
    text = "grid of projection 'p' must list the numbers of neurons in one to three directions, such as [20, 30]"
    assert message(CONNECT=grid) == f"{text}; found {found}"


def test_a_range_is_told_with_how_many_ends_it_has() -> None:
    text = "range of 'v' of population 'a' must be a list of two numbers [low, high]; found a list of 3"
    assert message(RANGE="[-80 mV, -60 mV, -40 mV]") == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("{pairs: }", "connect of projection 'p' must list its pairs: write 'pairs: [[0, 1], [1, 0]]'"),
        ("{file: }", "connect of projection 'p' must name its file: write 'file: pairs.h5' and 'dataset: /pairs'"),
        ("{fixed_in_degree: }", "connect of projection 'p' must say how many: write 'fixed_in_degree: NUMBER'"),
        ("{fixed_out_degree: }", "connect of projection 'p' must say how many: write 'fixed_out_degree: NUMBER'"),
        ("{fixed_probability: }", "connect of projection 'p' must say how many: write 'fixed_probability: NUMBER'"),
        ("{distance_dependent: }", "connect of projection 'p' must have the keys grid, profile, p, length"),
    ],
)
def test_a_rule_that_is_left_empty_is_told_with_what_it_needs(given: str, text: str) -> None:
    assert message(CONNECT=given) == text


def test_one_step_is_one() -> None:
    assert message(DELAY="{uniform: [0 ms, 3 ms]}") == "delay of projection 'p' must be at least 1 step; found 0 ms"


@pytest.mark.parametrize(
    ("key", "what"), [("DELAY", "delay of projection 'p'"), ("TAU", "parameter 'tau_m' of population 'a'")]
)
def test_what_cannot_be_that_of_a_variable_of_synapses_does_not_offer_it(key: str, what: str) -> None:
    assert message(**{key: "{foo: 1}"}) == f"{what} must be {FORMS}; found a mapping with 'foo'"
    assert message(WEIGHT="{foo: 1}").endswith(f"{FORMS}, same_as; found a mapping with 'foo'")
