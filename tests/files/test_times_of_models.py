"""Times that a model has by itself are asked for whole steps where they are used, and the user's file is named."""

from __future__ import annotations

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files.library import shipped

MODEL = """\
neurons:
  cell:
    params: {wait: {type: int, default: 2 ms, unit: step, range: [0, 1000]}}
    state: {left: {type: int, init: 7 ms, unit: step, range: [0, 1000]}}
    update: left = max(left - wait, 0)
"""


def network(dt: str, population: str, models: str = "") -> str:
    return f"neuroport: 1\nname: n\ndt: {dt}\n{models}populations:\n  a: {{size: 1, {population}}}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        reader.loads(text, "n.yaml")
    return str(caught.value).splitlines()


def places(text: str) -> list[str]:
    """Where there are problems."""
    try:
        reader.loads(text, "n.yaml")
    except InvalidInput as error:
        return [str(problem.place) for problem in error.problems]
    return []


def test_a_default_that_is_not_used_need_not_fit() -> None:
    read = reader.loads(network("0.3 ms", "neuron: lif, params: {t_ref: 3 ms}"), "n.yaml")
    assert neuroport.compile(read).constants["a.t_ref"] == 10
    own = reader.loads(network("2 ms", "neuron: cell, init: {left: 4 ms}", MODEL), "n.yaml")
    made = neuroport.compile(own)
    assert (made.constants["a.wait"], made.arrays["a.left"].initial.tolist()) == (1, [2])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            network("5 ms", "neuron: lif"),
            [
                "n.yaml:5:3: parameter 't_ref' of population 'a', from the model, must be a whole number of steps; "
                "found 2 ms; 2 ms is 0.4 steps of 5 ms; give another in 'params'"
            ],
        ),
        (
            network("1 us", "neuron: lif"),
            [
                "n.yaml:5:3: parameter 't_ref' of population 'a', from the model, must be from 0 to 1000 steps; "
                "found 2 ms; give another in 'params'"
            ],
        ),
        (
            network("3 ms", "neuron: cell", MODEL),
            [
                "n.yaml:10:3: parameter 'wait' of population 'a', from the model, must be a whole number of steps; "
                "found 2 ms; 2 ms is 0.666667 steps of 3 ms; give another in 'params'",
                "n.yaml:10:3: initial 'left' of population 'a', from the model, must be a whole number of steps; "
                "found 7 ms; 7 ms is 2.33333 steps of 3 ms; give another in 'init'",
            ],
        ),
    ],
)
def test_one_that_is_used_is_refused_at_the_population(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


@pytest.mark.parametrize("dt", ["5 ms", "0.3 ms", "1 us", "10 s"])
def test_a_time_step_never_makes_a_file_of_the_library_wrong(dt: str) -> None:
    names = [name for kind, name in shipped().entries if kind == "neuron"]
    assert len(names) > 10
    for name in names:
        assert set(places(network(dt, f"neuron: {name}"))) <= {"n.yaml:5:3"}
