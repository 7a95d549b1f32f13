"""The printed form of programs: every statement and expression can be read."""

from __future__ import annotations

import pytest

from neuroport import compile as lower
from neuroport import load, networks
from neuroport.program import printer
from neuroport.program.ir import (
    BOOL,
    INT,
    REAL,
    Apply,
    Const,
    Expr,
    Int,
    Let,
    Lookup,
    Random,
    Read,
    Reduce,
    Round,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
)
from neuroport.program.names import written
from tests.support.traces import PROGRAM

X = Read("a.v", "own", Int(-128, 127, 4))
ONE = Const(1, INT)
POSITIVE = Apply("gt", (X, ONE), BOOL)


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Const(3, Int(0, 7, 2)), "3q2"),
        (Const(0.5, REAL), "0.5"),
        (X, "a.v"),
        (Read("b.y", "post", REAL, lag="synapse"), "post:b.y[d]"),
        (Read("b.y", "pre", REAL, lag=2), "pre:b.y[2]"),
        (Apply("add", (X, Apply("mul", (ONE, Temp("t", INT)), INT)), INT), "(a.v + (1 * t))"),
        (Apply("select", (POSITIVE, X, ONE), INT), "(a.v if (a.v > 1) else 1)"),
        (Apply("neg", (X,), INT), "(-a.v)"),
        (Apply("not", (POSITIVE,), BOOL), "(not (a.v > 1))"),
        (Apply("clip", (X, ONE, ONE), INT), "clip(a.v, 1, 1)"),
        (Round(X, 3, "nearest", Int(-16, 15, 1)), "round(a.v, 3, nearest):Q(5,1)"),
        (Round(X, 3, "stochastic", INT, 255), "round(a.v, 3, stochastic, stream 00000000000000ff):int64"),
        (Lookup("exp_0", X, Int(0, 255, 8)), "exp_0[a.v]:Q(9,8)"),
        (Random(255, REAL, 2), "random(00000000000000ff.2)"),
        (Read("b.w", "twin", REAL), "twin:b.w"),
        (Sum(Read("a.r", "own", REAL), REAL), "sum_copies(a.r)"),
        (Sum(X, Int(-640, 635, 4)), "sum_copies(a.v):Q(11,4)"),
        (Reduce(X, Int(-640, 635, 4), "sum", "incoming", 5), "sum_incoming(a.v):Q(11,4)"),
        (Reduce(Read("a.r", "own", REAL), REAL, "max", "population"), "max_population(a.r)"),
    ],
)
def test_expressions(expr: Expr, text: str) -> None:
    assert printer.expression(expr) == text


def test_what_no_program_applies_is_printed_in_messages_about_it() -> None:
    one = Const(1, Int(1, 1))
    assert printer.expression(Apply("atan", (one, one), Int())) == "atan(1, 1)"
    assert printer.expression(Apply("select", (one, one), Int())) == "select(1, 1)"


@pytest.mark.parametrize(
    ("stmt", "text"),
    [
        (Let("t", X), "let t: Q(8,4) = a.v"),
        (Store("a.v", X, POSITIVE, "saturate", -8, 7), "a.v := a.v  where (a.v > 1)  [saturate -8..7]"),
        (Send("b.i", X), "send a.v to post b.i"),
        (
            Send("b.i", X, POSITIVE, delay="synapse"),
            "send a.v to post b.i, after the synapse's dendritic delay  where (a.v > 1)",
        ),
        (Send("a.i", X, to="pre"), "send a.v to pre a.i"),
        (Spike(POSITIVE), "spike where (a.v > 1)"),
    ],
)
def test_statements(stmt: Stmt, text: str) -> None:
    assert printer.statement(stmt) == text


def test_a_whole_program() -> None:
    assert printer.text(PROGRAM).splitlines() == [
        "program small: integers, chip generic8, dt 0.5 ms, seed 3",
        "",
        "arrays",
        "  a.v: Q(16,4) (3,), state, -32768..32767, = 0",
        "  b.v: Q(16,4) (2,), state, -32768..32767, = 0",
        "  ab.w: Q(8,5) (6,), weight, -128..127, = 0",
        "",
        "population a: 3 neurons, spikes kept for 1 steps",
        "",
        "population b: 2 neurons, spikes kept for 1 steps",
        "",
        "projection ab: a -> b, 6 synapses, delay 1 steps",
        "",
        "records",
        "  a.v every 10 steps",
        "  ab.w every 50 steps",
    ]


def test_every_array_of_a_shipped_network_is_printed() -> None:
    program = lower(load(networks.path("sal_sampling")))
    text = printer.text(program)
    assert all(f"  {written(name)}: " in text for name in program.arrays)
    assert all(f"  {name}: " in text for name in program.tables)
