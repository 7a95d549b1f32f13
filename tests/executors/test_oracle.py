"""The machine in plain Python finds every value outside the bounds that a program states, and says where."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.backends.reference import Reference
from neuroport.copies.axis import with_copies
from neuroport.program.ir import Apply, Expr, Int, Let, Lookup, Read, Round, Send, Spike, Stmt, Store, Temp
from neuroport.program.machine import Event, Injection, Population, Program, Projection, Readout, Series
from tests.support.oracle import OutOfBounds, check
from tests.support.programs import array, c, call, pairs, program, test
from tests.support.random_programs import batched, network

V = Read("p.v", "own", Int(0, 100))
ONE = call("add", V, c(1), lo=0, hi=101)


def small(*body: Stmt, **parts: Any) -> Program:
    """Three neurons, of which the second reaches 7 in step 3, with a projection onto themselves."""
    count = Store("p.v", ONE, None, "wrap", 0, 100)
    arrays = (
        array("p.v", "neuron", "state", Int(0, 100), [0, 3, 1]),
        array("p.w", "neuron", "state", Int(-1000, 1000), [0, 0, 0]),
        array("p.i", "neuron", "input", Int(0, 20), [0, 0, 0], slots=4),
        array("w.w", "synapse", "weight", Int(0, 9), [1, 2]),
    )
    made = program(
        arrays=arrays,
        populations=(Population("p", 3, (*body, count), ("p.i",), FIRE in body, 1),),
        projections=(_wires(parts.pop("arrive", ()), parts.pop("step", ())),),
        **parts,
    )
    return replace(made, tables={"steps": np.arange(7) * 10})


def _wires(arrive: tuple[Stmt, ...], step: tuple[Stmt, ...]) -> Projection:
    return pairs("w", "p", "p", (3, 3), [(1, 0), (1, 2)], dendritic=[0, 2], arrive=arrive, step=step)


def wrong(value: Expr, **type_: int) -> Expr:
    """The value with bounds that are too narrow."""
    return replace(value, type=Int(**type_))  # type: ignore[call-arg]


SENT = Send("p.i", call("mul", Read("w.w", "own", Int(0, 9)), c(3), lo=0, hi=27), None, "post", "synapse")
FIRE = Spike(test("eq", V, c(5)))
BROKEN = {
    "a sum": (
        small(Let("x", wrong(ONE, lo=0, hi=7))),
        "population p, `let x: int4 = (p.v + 1)`, step 4, element 1: (p.v + 1) is 8, and is said to lie in 0..7",
    ),
    "an operand": (
        small(Store("p.w", call("neg", wrong(ONE, lo=0, hi=7)))),
        "population p, `p.w := (-(p.v + 1))`, step 4, element 1: (p.v + 1) is 8, and is said to lie in 0..7",
    ),
    "a guard": (
        small(Store("p.w", c(1), test("gt", wrong(ONE, lo=0, hi=7), c(2)))),
        "population p, `p.w := 1  where ((p.v + 1) > 2)`, step 4, element 1: (p.v + 1) is 8, "
        "and is said to lie in 0..7",
    ),
    "a name": (
        small(Let("x", ONE), Store("p.w", Temp("x", Int(0, 7)))),
        "population p, `p.w := x`, step 4, element 1: x is 8, and is said to lie in 0..7",
    ),
    "a variable": (
        small(Store("p.w", wrong(V, lo=0, hi=7))),
        "population p, `p.w := p.v`, step 5, element 1: p.v is 8, and is said to lie in 0..7",
    ),
    "a rounding": (
        small(Store("p.w", Round(call("mul", ONE, c(4)), 2, "nearest", Int(0, 7)))),
        "population p, `p.w := round(((p.v + 1) * 4), 2, nearest):int4`, step 4, element 1: "
        "round(((p.v + 1) * 4), 2, nearest):int4 is 8, and is said to lie in 0..7",
    ),
    "an index": (
        small(Store("p.w", Lookup("steps", V, Int(0, 60)))),
        "population p, `p.w := steps[p.v]:int7`, step 4, element 1: p.v is 7, and is said to lie in 0..6",
    ),
    "a count": (
        small(Store("p.w", call("min", call("shl", c(0), call("mul", V, c(10))), c(3)))),
        "population p, `p.w := min((0 << (p.v * 10)), 3)`, step 4, element 1: (p.v * 10) is 70, "
        "and is said to lie in 0..62",
    ),
    "what is stored": (
        small(Store("p.w", call("mul", V, c(143)))),
        "population p, `p.w := (p.v * 143)`, step 4, element 1: p.w is 1001, and is said to lie in -1000..1000",
    ),
    "an input": (
        small(
            FIRE,
            arrive=(SENT,),
            injections=(Injection("kick", "p.i", np.array([5]), np.array([2]), np.array([15])),),
        ),
        "the input of population p, step 5, element 2: p.i is 21, and is said to lie in 0..20",
    ),
    "a stimulus": (
        small(series=(Series("wave", "p.i", np.array([[1, 0, 2], [3, 0, 50]]), 3, "item"),)),
        "the input of population p, step 3, element 2: p.i is 50, and is said to lie in 0..20",
    ),
    "a synapse": (
        small(step=(Let("x", wrong(call("add", Read("p.v", "pre", V.type), c(1)), lo=0, hi=7)),)),
        "projection w, `let x: int4 = (pre:p.v + 1)`, step 4, element 0: (pre:p.v + 1) is 8, "
        "and is said to lie in 0..7",
    ),
    "an event": (
        small(events=(Event("ask", "p", "neuron", (Store("p.w", wrong(ONE, lo=0, hi=7)),)),)),
        "population p, `p.w := (p.v + 1)`, step 4, element 1: (p.v + 1) is 8, and is said to lie in 0..7",
    ),
    "a readout": (
        small(readouts=(Readout("bits", "p", test("gt", wrong(ONE, lo=0, hi=7), c(2)), 1, 0),)),
        "population p, `spike where ((p.v + 1) > 2)`, step 3, element 1: (p.v + 1) is 8, and is said to lie in 0..7",
    ),
}
"""Programs in which one thing is said to be smaller than it gets, and what the oracle says."""


@pytest.mark.parametrize("what", BROKEN)
def test_the_oracle_names_the_statement_the_step_and_the_element(what: str) -> None:
    broken, said = BROKEN[what]
    with pytest.raises(OutOfBounds) as error:
        check(broken, 8)
    assert str(error.value) == said


@pytest.mark.parametrize("what", [w for w in BROKEN if w not in ("a count", "a readout")])
def test_the_checked_reference_finds_the_same(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEUROPORT_CHECK")
    broken, said = BROKEN[what]
    machine = Reference(checked=True).open(broken, 1, [])
    machine.begin_item((), {s.name: np.arange(2) for s in broken.series})
    with pytest.raises(AssertionError) as error:  # noqa: PT012 as in `check`
        machine.advance(4)
        machine.trigger("ask")
        machine.advance(4)
    assert str(error.value).partition(", element")[0] == said.partition(", element")[0]


def test_right_programs_pass() -> None:
    assert check(small(FIRE, Store("p.w", ONE), arrive=(SENT,)), 20).checked > 500
    for seed in range(3):
        check(network(seed), 20)


def test_copies_and_what_is_computed_once_are_checked() -> None:
    broken, _ = BROKEN["a sum"]
    with pytest.raises(OutOfBounds):
        check(with_copies(broken, 2), 8)
    assert check(batched(1, 2), 6).checked > 1000


@pytest.mark.parametrize("chip", ["generic16", "generic8_stochastic"])
@pytest.mark.parametrize("name", ["loihi_lif", "sal_pair", "sal_sampling", "stdp_pair", "gle_lagline", "sal_micro"])
def test_shipped_networks_keep_within_what_they_state(name: str, chip: str) -> None:
    assert check(neuroport.compile(neuroport.load(name), chip), 40).checked > 1000


def test_bounds_of_the_widest_word_are_bounds() -> None:
    value = Apply("mul", (call("add", V, c(2**62), lo=0, hi=2**62 + 100), c(2)), Int(0, 2**64))
    with pytest.raises(OutOfBounds):
        check(small(Let("x", value)), 1)
