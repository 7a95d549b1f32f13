"""The range that an array gets, from what it held and what its model says."""

from __future__ import annotations

import math

import pytest

import neuroport
from neuroport.files import network as reader
from neuroport.program.machine import Program
from neuroport.quantise.calibrate import Choice, Held, choose, power_above
from neuroport.quantise.limits import clip_limits, not_negative

MODEL = """\
neuroport: 1
name: n
dt: 1 ms
neurons:
  cell:
    params: {{decay: {{default: 0.9}}, top: {{default: 3}}, gate: {{default: 1, dynamic: true, range: [0, 1]}}}}
    inputs: {{i: {{}}, j: {{}}}}
    state:
      x: {declared}
      other: {{init: 0, range: [-8, 8]}}
    update: |
      other = i
      {text}
    spike: other > 3
synapses:
  line:
    traces: {{s: {{of: pre, decay: 0.5}}}}
    state: {{w: {{weight: true, init: 0.5}}}}
    on_pre: |
      send(target, w)
      w = w + 0.1 * pre.s
populations:
  a: {{size: 2, neuron: cell}}
projections:
  aa: {{source: a, target: a, input: {input}, synapse: line, connect: all_to_all}}
protocol: [{{run: 1 step}}]
"""


def program(text: str, declared: str = "{init: 0}", input: str = "i") -> Program:
    lines = "\n      ".join(text.split("\n"))
    whole = MODEL.format(text=lines, declared=declared, input=input)
    return neuroport.compile(reader.loads(whole.encode(), "n.yaml"), "ideal")


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("x = clip(x + i, 0, 5)", (0, 5)),
        ("x = clip(x + i, -top, top)", (-3, 3)),
        ("x = min(x + i, 2)", (-math.inf, 2)),
        ("x = max(x + i, -1)", (-1, math.inf)),
        ("x = 1 if i > 0 else 0", (0, 1)),
        ("x = gate", (0, 1)),
        ("x = x if i > 0 else clip(i, -2, 1)", (-2, 1)),
        ("x = max(x - 1, 0)\nif i > 2:\n  x = top", (0, 3)),
        ("x = sigmoid(i)", (0, 1)),
        ("x = 2 * tanh(i) + 1", (-1, 3)),
        ("y = clip(i, 0, 4)\nz = 0.5 * y\nx = z", (0, 2)),
        ("x = x * decay + i", (-math.inf, math.inf)),
        ("x = x * decay + 1", (0, math.inf)),
        ("x = exp(clip(i, -20, 20))", (-math.inf, math.inf)),
        ("x = clip(i, 0, 1) * clip(other, 0, 1)", (-math.inf, math.inf)),
        ("x = i\nx = clip(x, 0, 5)", (-math.inf, math.inf)),
    ],
)
def test_limits_that_a_text_sets(text: str, limits: tuple[float, float]) -> None:
    assert clip_limits(program(text))["a.x"] == limits


@pytest.mark.parametrize(
    ("text", "certain"),
    [
        ("x = x * decay + i", True),
        ("x = x * decay + j", True),
        ("x = x + i * (1 - decay)", True),
        ("x = x - i", False),
        ("x = x * decay + other", True),
        ("x = x * decay + 1 if i > 0 else other - 1", False),
        ("x = other * other - 0", True),
        ("x = uniform()", True),
        ("x = normal()", False),
        ("y = exp(-i)\nx = y * x", True),
        ("x = max(i - 3, 0)", True),
    ],
)
def test_what_is_never_negative(text: str, certain: bool) -> None:
    made = program(text)
    assert ("a.x" in not_negative(made)) == certain
    assert {"aa.s", "aa.w", "a.i", "a.other"} <= not_negative(made)


def test_a_negative_stimulus_or_weight_is_thought_of() -> None:
    text = MODEL.format(text="x = i", declared="{}", input="i")
    stimuli = "stimuli: {s: {series: {values: [0, -1], every: 1 step}, population: a, input: i}}\n"
    for changed in (text + stimuli, text.replace("w: {weight: true, init: 0.5}", "w: {weight: true, init: -0.5}")):
        assert not {"a.x", "a.i", "a.other"} & not_negative(neuroport.compile(reader.loads(changed.encode(), "n.yaml")))


def choice(
    held: Held, text: str = "x = x * decay - i", declared: str = "{init: 0}", input: str = "i", name: str = "a.x"
) -> Choice:
    return choose(program(text, declared, input), {name: held})[name]


@pytest.mark.parametrize(
    ("held", "declared", "expected"),
    [
        (Held(-0.3, 0.7, True), "{}", Choice((-1, 1), "fitted")),
        (Held(-0.3, 0.8, True), "{}", Choice((-1, 1), "fitted")),
        (Held(-0.3, 0.81, True), "{}", Choice((-2, 2), "fitted")),
        (Held(-1e-9, 0, True), "{}", Choice((-(2**-29), 2**-29), "fitted")),
        (Held(0, 0.7, True), "{}", Choice((-1, 1), "fitted")),
        (Held(0, 0.7, True), "{range: [0, 16]}", Choice((0, 1), "fitted")),
        (Held(0, 0.7, True), "{range: [0, 1]}", Choice((0, 1), "kept")),
        (Held(0, 0.99, True), "{range: [0, 1]}", Choice((0, 1), "kept")),
        (Held(0, 0.7, True), "{range: [-8, 0.75]}", Choice((-1, 0.75), "fitted")),
        (Held(-0.1, 0.7, True), "{range: [0, 1]}", Choice((-1, 1), "fitted")),
        (Held(0, 3, True), "{range: [0, 1]}", Choice((0, 4), "fitted")),
        (Held(2, 3, True), "{init: 2, range: [1, 64]}", Choice((1, 4), "fitted")),
        (Held(0, 0, False), "{range: [0, 1]}", Choice((0, 1), "never moved")),
        (Held(0, 0, False), "{}", Choice(None, "no range")),
        (Held(0.5, 0.5, False), "{init: 0.5}", Choice((-1, 1), "fitted")),
        (Held(0.5, 0.5, False), "{init: 0.5, range: [0, 64]}", Choice((0, 64), "never moved")),
        (Held(0, math.inf, True), "{range: [0, 1]}", Choice((0, 1), "not finite")),
        (Held(math.nan, 1, True), "{}", Choice(None, "not finite")),
        (Held(0.1, 0.2, True, (-3, 5)), "{}", Choice((-3, 5), "fitted")),
    ],
)
def test_the_range_of_a_variable(held: Held, declared: str, expected: Choice) -> None:
    assert choice(held, declared=declared) == expected


@pytest.mark.parametrize(
    ("held", "text", "declared", "expected"),
    [
        (Held(0, 0.1, True), "x = clip(x - i, 0, 5)", "{}", Choice((0, 5), "fitted")),
        (Held(0, 0.1, True), "x = clip(x - i, 0, 5)", "{range: [-1, 2]}", Choice((0, 2), "fitted")),
        (Held(0, 4.9, True), "x = clip(x - i, 0, 5)", "{}", Choice((0, 5), "fitted")),
        (Held(0, 0.1, True), "x = min(x - i, 5)", "{}", Choice((-0.125, 5), "fitted")),
        (Held(0, 0, False), "x = 1 if i > 0 else 0", "{}", Choice((0, 1), "fitted")),
        (Held(0, 0.7, True), "x = x * decay + i", "{}", Choice((0, 1), "fitted")),
        (Held(0, 30, True), "x = x * decay + i", "{range: [-100, 100]}", Choice((0, 64), "fitted")),
        (Held(0, 9, True), "x = x + 1", "{type: int, range: [0, 1000]}", Choice((0, 1000), "whole numbers")),
        (Held(0, 9, True), "x = x + 1", "{type: int, range: [0, 5]}", Choice((0, 16), "fitted")),
        (Held(0, 9, True), "x = x - 1", "{type: int}", Choice((-16, 0), "fitted")),
    ],
)
def test_what_the_text_says_of_it_counts(held: Held, text: str, declared: str, expected: Choice) -> None:
    assert choice(held, text, declared) == expected


def test_inputs_traces_and_plastic_weights() -> None:
    assert choice(Held(0, 0.3, True), name="a.i") == Choice((0, 0.5), "fitted")
    assert choice(Held(0, 0, False), name="a.j") == Choice(None, "never moved")
    assert choice(Held(0, 1.9, True), name="aa.s") == Choice((0, 4), "fitted")
    assert choice(Held(0.5, 0.9, True), name="aa.w") == Choice((0, 2), "fitted")


@pytest.mark.parametrize(
    ("value", "power"), [(1, 1), (1.0001, 2), (0.9, 1), (0.5, 0.5), (0.51, 1), (5e-324, 5e-324), (2.0**1022, 2.0**1022)]
)
def test_powers_of_two_above(value: float, power: float) -> None:
    assert power_above(value) == power


PORTS = """\
ports:
  added: {inject: a.i, range: [-3, 1]}
  whole: {inject: a.j}
  written: {write: a.x}
  weights: {read: aa.w}
"""
HOSTED = [
    ("{}", "a.i", Held(0, 2, True), Choice((-4, 4), "fitted")),  # -3 .. 3
    ("{}", "a.i", Held(0, 0, False), Choice(None, "never moved")),
    ("{i: [0, 4]}", "a.i", Held(0, 2, True), Choice((-4, 4), "fitted")),
    ("{j: [-2, 8]}", "a.j", Held(0, 1, True), Choice((-2, 8), "kept")),
    ("{j: [-2, 8]}", "a.j", Held(0, 9, True), Choice((-2, 16), "fitted")),
    ("{x: [-4, 8]}", "a.x", Held(0, 1, True), Choice((-4, 8), "kept")),
    ("{x: [-4, 8]}", "a.x", Held(0, 0, False), Choice((-4, 8), "never moved")),
    ("{}", "a.x", Held(0, 1, True), Choice(None, "a host writes it")),
    ("{}", "aa.w", Held(0, 1, True), Choice((0, 2), "fitted")),
]


@pytest.mark.parametrize(("ranges", "name", "held", "expected"), HOSTED)
def test_what_ports_lead_to_keeps_room_for_the_host(ranges: str, name: str, held: Held, expected: Choice) -> None:
    whole = MODEL.format(text="x = 0.5 * x", declared="{init: 0}", input="i") + PORTS
    whole = whole.replace("{size: 2, neuron: cell}", f"{{size: 2, neuron: cell, ranges: {ranges}}}")
    assert choose(neuroport.compile(reader.loads(whole, "n.yaml"), "ideal"), {name: held})[name] == expected
