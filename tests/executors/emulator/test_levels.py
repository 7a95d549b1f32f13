"""How often what a body computes is computed, and how its lines become text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neuroport.backends.emulator.levels import Levels
from neuroport.backends.emulator.lines import Block, Section, printed
from neuroport.program.ir import Expr, Int, Let, Random, Read, Round, Sum, Temp
from tests.support.programs import array, c, call, program

WORD = Int(-99, 99)
SCALAR, PRE, POST = Read("p.k", "scalar", WORD), Read("p.v", "pre", WORD), Read("p.v", "post", WORD)
OWN, SHARED, PRE_SHARED = Read("pp.x", "own", WORD), Read("pp.w", "own", WORD), Read("p.h", "pre", WORD)
DRAW, CUT = Random(1, Int(0, 2**32 - 1)), Round(c(9), 1, "stochastic", WORD)
P = program(
    arrays=(
        array("p.k", "scalar", "parameter", WORD, 1),
        array("p.v", "neuron", "state", WORD, [0]),
        array("p.h", "neuron", "state", WORD, [0], shared=True),
        array("pp.x", "synapse", "state", WORD, [0]),
        array("pp.w", "synapse", "weight", WORD, [0], shared=True),
    )
)


@pytest.mark.parametrize(
    ("expr", "one", "several", "once"),
    [
        (c(3), "row", "row", "row"),
        (SCALAR, "row", "row", "row"),
        (PRE, "row", "copy", "copy"),
        (replace(PRE, lag=2), "row", "copy", "copy"),
        (replace(PRE, lag="synapse"), "element", "copy", "copy"),
        (PRE_SHARED, "row", "row", "row"),
        (POST, "element", "copy", "copy"),
        (OWN, "element", "copy", "copy"),
        (SHARED, "element", "element", "element"),
        (DRAW, "element", "copy", "element"),
        (CUT, "element", "copy", "element"),
        (Round(SCALAR, 1, "floor", WORD), "row", "row", "row"),
        (Sum(OWN, WORD), "element", "element", "element"),
        (call("add", SCALAR, c(1)), "row", "row", "row"),
        (call("add", SCALAR, SHARED), "element", "element", "element"),
        (call("add", SHARED, call("mul", SCALAR, OWN)), "element", "copy", "copy"),
    ],
)
def test_levels(expr: Expr, one: str, several: str, once: str) -> None:
    copies = replace(P, copies=3)
    assert Levels(P, "pre").of(expr) == one
    assert Levels(copies, "pre").of(expr) == several
    assert Levels(copies, "pre", once=True).of(expr) == once


def test_a_body_without_rows_has_no_level_of_them() -> None:
    assert Levels(P).of(SCALAR) == "element"
    assert Levels(replace(P, copies=3)).of(c(1)) == "element"


def test_what_is_named_keeps_its_level() -> None:
    levels = Levels(P, "pre")
    for let in (Let("a", PRE), Let("b", call("add", Temp("a", WORD), POST))):
        levels.lets[let.name] = levels.of(let.value)
    assert levels.lets == {"a": "row", "b": "element"}


def test_lines_and_blocks_are_printed() -> None:
    inner = Block("for j in range(m):", ["x += 1", Block("if x:", [])])
    lines = ["x = 0", Block("for i in range(n):", [inner, "y = x"])]
    assert "\n".join(printed(lines, 1)) == (
        "    x = 0\n    for i in range(n):\n        for j in range(m):\n            x += 1\n            if x:\n"
        "                pass\n        y = x"
    )


def test_sections_load_ahead_or_where_they_are() -> None:
    ahead, plain = Section(ahead=True), Section()
    for section in (ahead, plain):
        section.put("a = 1")
        section.comment = "# of a model"
        section.put()
        section.load("v = p_v[k]")
        section.load("k = twin[i]", index=True)
        section.put("b = v")
        section.put("c = v")
    assert ahead.lines == ["k = twin[i]", "v = p_v[k]", "a = 1", "# of a model", "b = v", "c = v"]
    assert plain.lines == ["a = 1", "# of a model", "v = p_v[k]", "k = twin[i]", "b = v", "c = v"]
