"""Numbers that no chip can hold, or no machine count: each gets its sentence, and what can be had is right."""

from __future__ import annotations

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader

TEXT = """\
neuroport: 1
name: t
dt: 1 ms
neurons:
  unit:
    params: {p: {default: 1, range: [0, 4]}, q: {default: 2, range: [1, 8], dynamic: true}}
    derived: {r: p}
    inputs: {u: {}}
    state: {x: {init: 0, range: [-8, 8]}}
    update: |
      x = x * 0.5 + u
    spike: x > 1
populations: {a: {size: 3, neuron: unit}}
protocol: [{run: 3 ms}]
"""
REFUSED = [
    ("x * 0.5", "x * 1e999", "net.yaml:11:15: this number is too large; numbers go up to 1.7e308"),
    (
        "x * 0.5",
        "x * 1e-300",
        "net.yaml:11:7: a.update: a constant is 1e-300, too small for any number format; rescale it",
    ),
    (
        "[-8, 8]",
        "[-1e300, 1e300]",
        "net.yaml:9:13: a.x is 1e+300, too large for any number format; rescale it",
    ),
    (
        "range: [0, 4]}",
        "range: [0, 4]}, k: {type: int, default: 1, range: [0, 1e30]}",
        "net.yaml:6:80: range of parameter 'k' of neuron model 'unit' must lie between -2^63 and 2^63 - 1, which 64 "
        "bits hold; found [0, 1e+30]",
    ),
    (
        "r: p",
        "r: p * uniform()",
        "net.yaml:7:22: uniform() is not allowed in 'derived r', which is computed once, from parameters alone; draw "
        "in a block, or give a parameter a distribution",
    ),
    (
        "r: p",
        "r: normal()",
        "net.yaml:7:18: normal() is not allowed in 'derived r', which is computed once, from parameters alone; draw "
        "in a block, or give a parameter a distribution",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), REFUSED)
def test_what_no_chip_can_hold_is_refused(old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(InvalidInput) as told:
        neuroport.compile(reader.loads(TEXT.replace(old, new, 1), "net.yaml"), "generic16")
    assert str(told.value) == message


@pytest.mark.parametrize("chip", ["ideal", "generic16", "generic8"])
@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("tanh(x * 1e60 + 1e60)", 1),
        ("sigmoid(-1e60 - x * 1e50)", 0),
        ("0.1234567890123456789012345678901234567890", 0.1234567890123456789),
    ],
)
def test_flat_functions_and_long_decimals_have_their_values(value: str, rounded: float, chip: str) -> None:
    network = reader.loads(TEXT.replace("x * 0.5 + u", value), "net.yaml")
    with neuroport.open(network, "reference", chip) as session:
        session.run(1)
        assert session.get("a.x") == pytest.approx([rounded] * 3, abs=0.06 if chip == "generic8" else 1e-3)


@pytest.mark.parametrize("chip", ["generic16", "generic8"])
@pytest.mark.parametrize(
    ("state", "update", "value"),
    [
        ("{init: 5, range: [5, 5]}", "x * -1e60", 5),
        ("{init: -1e60, range: [-1e60, -1e60]}", "x * -1e60", -1e60),
        ("{init: 1e-60, range: [1e-60, 1e-60]}", "x * 1e60 + 1", 1e-60),
        ("{type: int, init: 3, range: [3, 3]}", "3 * x + 1", 3),
    ],
)
def test_a_range_of_one_value_holds_that(state: str, update: str, value: float, chip: str) -> None:
    text = TEXT.replace("{init: 0, range: [-8, 8]}", state).replace("x * 0.5 + u", update)
    with neuroport.open(reader.loads(text, "net.yaml"), "reference", chip) as session:
        session.run(2)
        assert session.get("a.x") == pytest.approx([value] * 3, rel=0.01)
        assert session.overflows()["a.x"] == 6


@pytest.mark.parametrize("chip", ["generic16", "generic8"])
@pytest.mark.parametrize("value", ["softplus(q - 1e18)", "sigmoid(q - 1e18)"])
def test_what_is_0_for_every_value_of_a_parameter_is_0(value: str, chip: str) -> None:
    text = TEXT.replace("x * 0.5 + u", f"x * 0.5 + {value}")
    with neuroport.open(reader.loads(text, "net.yaml"), "reference", chip) as session:
        session.run(2)
        assert session.get("a.x").tolist() == [0, 0, 0]


def test_a_default_that_no_number_of_steps_is_gets_a_sentence() -> None:
    old = "p: {default: 1, range: [0, 4]}"
    text = TEXT.replace(old, "p: {type: int, default: 1e300 s, unit: step}").replace("dt: 1 ms", "dt: 1e-300 ms")
    text = text.replace("run: 3 ms", "run: 3 steps")
    with pytest.raises(InvalidInput) as told:
        reader.loads(text, "net.yaml")
    assert str(told.value) == (
        "net.yaml:13:15: parameter 'p' of population 'a', from the model,: the number is too large; give another in "
        "'params'"
    )
