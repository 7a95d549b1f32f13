"""Ints that are made of real numbers: the same on chips as the exact numbers say, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from math import floor, trunc

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program.executor import Backend
from neuroport.program.ir import Int
from tests.support import oracle
from tests.support.planning import open_session

PLASTIC = """
neuroport: 1
name: sending
dt: 1 ms
chip: {chip}
neurons:
  source:
    state: {{k: {{type: int, init: 0, range: [0, 2]}}}}
    update: k = (k + 1) % 3
    spike: k == 0
  adding:
    inputs: {{a: {{type: int, range: [-2048, 2047]}}}}
    state: {{got: {{type: int, init: 0, range: [-2048, 2047]}}}}
    update: got = a
synapses:
  learning:
    state: {{w: {{weight: true, init: 0, range: [-2, 2]}}}}
    on_pre: |
      send(target, {sent})
      w = w + 0.0123
populations:
  x: {{size: 1, neuron: source}}
  y: {{size: 41, neuron: adding}}
projections:
  up: {{source: x, target: y, input: a, synapse: learning, connect: all_to_all, weight: [{weights}]}}
protocol: [{{run: 12 steps}}]
"""
WEIGHTS = [-2 + 0.1 * k for k in range(40)] + [1.99]


def plastic(chip: str, sent: str) -> Network:
    return reader.loads(PLASTIC.format(chip=chip, sent=sent, weights=WEIGHTS).encode(), "sending.yaml")


@pytest.mark.parametrize(
    ("sent", "exact"),
    [
        ("int(round(w * 64))", lambda w: floor(64 * w + 0.5)),
        ("int(w * 64)", lambda w: trunc(64 * w)),
        ("int(floor(w * 10)) - 3", lambda w: floor(10 * w) - 3),
    ],
)
@pytest.mark.parametrize("chip", ["generic8", "generic16", "ideal"])
def test_a_plastic_weight_reaches_an_int_input(chip: str, sent: str, exact: object, backend: Backend) -> None:
    """As the exact number of its visible word; on generic8 times 64 its raw code, which is the word itself."""
    network = plastic(chip, sent)
    program = neuroport.compile(network)
    with open_session(network, program, backend) as session:
        session.run(3)
        array = program.arrays.get("up.w.visible")
        raw = session.executor.read("up.w" if array is None else array.name)
        session.run(1)
        got = session.get("y.got")
    kind = program.arrays["up.w" if array is None else array.name].type
    weights = [Fraction(int(w)) / 2**kind.frac if isinstance(kind, Int) else float(w) for w in raw.ravel()]
    assert got.ravel().tolist() == [exact(w) for w in weights]  # type: ignore[operator]
    if chip == "generic8" and "round" in sent:
        assert np.array_equal(got.ravel(), raw.ravel())


PART = "a constant part of the model of 'p'"
REFUSED = {
    "k = int(v) if v > 0 else int(1 / few)": None,
    "k = v * 64": "'k' is an int, this value is real; write int(round(...)), use //, make the variable real, or "
    "declare what is whole in it `type: int`",
    "k = int(v, 2)": "int takes 1 arguments, 2 given",
    "k = int(1e300)": f"{PART} needs more than 63 bits; correct the numbers in it",
    "k = int(1e300 * few)": f"{PART} needs more than 63 bits; narrow what it follows from",
    "k = int(1 / none)": f"{PART} makes an int of what is not finite; narrow what it follows from",
    "k = int(now / 1e-20)": f"{PART} needs more than 63 bits; narrow what it follows from",
}
MODEL = """
neuroport: 1
name: refused
dt: 1 ms
chip: {chip}
neurons:
  m:
    params:
      few: {{default: 3, range: [1, 20]}}
      none: {{default: 0, range: [0, 20]}}
      now: {{default: 0, range: [0, 2], dynamic: true}}
    state:
      k: {{type: int, init: 0, range: [-100, 100]}}
      v: {{init: 0, range: [-1, 1]}}
    update: {update}
populations: {{p: {{neuron: m, size: 1}}}}
protocol: [{{run: 1 step}}]
"""


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
@pytest.mark.parametrize("update", REFUSED)
def test_what_is_refused(update: str, chip: str) -> None:
    text = MODEL.format(chip=chip, update=update).encode()
    if REFUSED[update] is None:
        neuroport.compile(reader.loads(text, "refused.yaml"))
        return
    with pytest.raises(InvalidInput) as found:
        neuroport.compile(reader.loads(text, "refused.yaml"))
    (problem,) = found.value.problems
    assert problem.text == REFUSED[update]
    assert problem.place is not None
    assert problem.place.line == 15


@pytest.mark.parametrize("chip", ["generic8", "generic16", "loihi1"])
def test_derived_ints_of_reals_are_those_of_the_host(chip: str) -> None:
    """A number of steps from a time, switched later, with every value inside its bounds."""
    text = MODEL.format(chip=chip, update="k = int(round(now * few)) + int(-2.5) + (1 << min(max(int(few), 0), 8))")
    program = neuroport.compile(reader.loads(text.encode(), "derived.yaml"))
    oracle.check(program, 2)
    with neuroport.open(reader.loads(text.encode(), "derived.yaml"), backend="reference") as session:
        session.run(1)
        assert session.get("p.k").tolist() == [-2 + 8]
        session.set("p.now", 1.5)
        session.run(1)
        assert session.get("p.k").tolist() == [5 - 2 + 8]


def test_a_model_that_sends_its_real_weight_to_an_int_input_is_told_what_to_write() -> None:
    text = PLASTIC.format(chip="generic8", sent="w", weights=WEIGHTS)
    for given in (text, text.replace("      send(target, w)\n", "")):
        with pytest.raises(InvalidInput) as found:
            neuroport.compile(reader.loads(given.encode(), "sending.yaml"))
        assert [str(problem) for problem in found.value.problems] == [
            "sending.yaml:19:7: input 'target' takes ints, this value is real; write int(round(...)) or make the input "
            "real"
            if given is text
            else "sending.yaml:24:3: input 'a' takes ints, but the weight of 'up' is real; let its model say "
            "send(target, int(round(w))), or make the input real"
        ]
