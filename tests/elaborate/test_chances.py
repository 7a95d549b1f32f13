"""Chances above 1: who would have to spike more than once in a step is named before a run."""

from __future__ import annotations

import pytest

import neuroport
from neuroport.files import network as reader

NET = """\
neuroport: 1
name: p
dt: {dt}
neurons:
  own:
    params: {{p: {{default: 0.2, range: [0, 9], dynamic: true}}, n: {{type: int, default: 3}}}}
    inputs: {{i: {{range: [0, 9]}}}}
    state: {{x: {{init: 0, range: [0, 9]}}}}
    update: |
      x = 0.5 * x + i
      chance = p * n
    spike: {spike}
populations:
  a: {{size: 2, neuron: poisson{rate}}}
  b: {{size: 2, neuron: own}}
{more}"""
PARAMS = ", params: {rate: %s}"
SERIES = "stimuli:\n  s: {series: {values: %s, every: 10 ms, loop: true}, population: a, input: rate_in}\n"


def told(dt: str = "5 ms", rate: str = "", more: str = "", spike: str = "uniform() < chance", chip: str = "ideal"):
    text = NET.format(dt=dt, rate=PARAMS % rate if rate else "", more=more, spike=spike)
    made = neuroport.compile(reader.loads(text, "n.yaml"), chip)
    return [(line.subject, line.text, str(line.place)) for line in made.notices if line.topic == "chance"]


A = "would spike {} times in a step of 5 ms, and once is the most: it stays at 200 Hz; "
A += "take a lower rate or a shorter dt"


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_a_rate_above_one_spike_per_step_is_told(chip: str) -> None:
    assert told(rate="400 Hz", chip=chip) == [("a", A.format(2), "n.yaml:14:3")]


@pytest.mark.parametrize(
    ("arguments", "times"),
    [
        (dict(rate="200 Hz"), None),
        (dict(rate="200.4 Hz"), "1.002"),
        (dict(dt="1 ms", rate="1000 Hz"), None),
        (dict(rate="{uniform: [10 Hz, 190 Hz]}"), None),
        (dict(rate="[100 Hz, 300 Hz]"), "1.5"),
        (dict(rate="150 Hz", more=SERIES % "[0 Hz, 50 Hz]"), None),
        (dict(rate="150 Hz", more=SERIES % "[0 Hz, 90 Hz]"), "1.2"),
        (dict(rate="10 Hz", more=SERIES % "[[0 Hz, 0 Hz], [0 Hz, 390 Hz]]"), "2"),
        (dict(more="protocol:\n  - repeat: 3\n    do:\n      - set: {a.rate: 800 Hz}\n      - run: 5 ms\n"), "4"),
        (dict(more="protocol:\n  - set: {a.rate: 80 Hz}\n  - run: 5 ms\n"), None),
    ],
)
def test_rates_that_are_given_drawn_switched_and_in_time_count(arguments: dict[str, str], times: str | None) -> None:
    expected = [] if times is None else [("a", A.format(times), "n.yaml:14:3")]
    assert told(**arguments) == expected


@pytest.mark.parametrize(
    ("spike", "times"),
    [
        ("uniform() < 0.5", None),
        ("uniform() < 2 * p * n", "1.2"),
        ("2 * chance > uniform()", "1.2"),
        ("uniform() < 2 * chance and x < 5", "1.2"),
        ("uniform() >= 2 * chance", None),  # a chance of less than 0 would be 0
        ("uniform() < 4 * x", None),  # not known before it runs
        ("uniform() + uniform() < 2 * chance", None),
        ("x > 2 * chance", None),
    ],
)
def test_models_of_ones_own_count(spike: str, times: str | None) -> None:
    expected = [] if times is None else [("b", A.format(times), "n.yaml:15:3")]
    assert told(spike=spike) == expected
