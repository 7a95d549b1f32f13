"""What integer functions give, on every executor and in plain Python's unbounded numbers."""

from __future__ import annotations

import random
from typing import Any

import pytest

from neuroport.copies.axis import with_copies
from neuroport.program import functions
from neuroport.program.ir import Const, Expr, Int, Read, Store
from neuroport.program.machine import Population, Program
from neuroport.program.printer import statement
from tests.support.executors import BACKENDS
from tests.support.integer_cases import applied, cases
from tests.support.oracle import Oracle
from tests.support.programs import array, program
from tests.support.random_expressions import random_populations


def results(backend: Any, p: Program) -> dict[str, list[int]]:
    """What an executor makes of a program's arrays in one step."""
    assert backend.check(p) == ()
    machine = backend.open(p, 1, [])
    machine.advance(1)
    return {name: machine.read(name).ravel().tolist() for name in p.arrays}


def expected(p: Program) -> dict[str, list[int]]:
    """What plain Python makes of them."""
    oracle = Oracle(p, 1)
    oracle.advance(1)
    return {name: oracle.a[name] for name in p.arrays}


def kept(value: Expr) -> Int:
    """The format of an array for a value: it also holds 0, with which the array begins."""
    assert isinstance(value.type, Int)
    return Int(min(value.type.lo, 0), max(value.type.hi, 0))


def in_steps(columns: dict[str, tuple[Int, list[int]]], values: dict[str, Expr]) -> Program:
    """One population: its columns hold these numbers, and each value goes to an array of its own."""
    size = len(next(iter(columns.values()))[1])
    arrays = [array(f"p.{name}", "neuron", "state", type_, numbers) for name, (type_, numbers) in columns.items()]
    arrays += [array(f"p.{name}", "neuron", "state", kept(value), [0] * size) for name, value in values.items()]
    body = tuple(Store(f"p.{name}", value) for name, value in values.items())
    return program(arrays=tuple(arrays), populations=(Population("p", size, body, (), False, 0),))


# ---------------------------------------------------------------------------------------- shifts by variable counts


def shifts() -> Program:
    """Shifts of narrow and wide numbers, by a number of bits that differs from neuron to neuron."""
    draw = random.Random(1)
    narrow, wide = Int(-(2**15), 2**15 - 1), Int(-(2**61), 2**61)
    some, few, all_ = Int(0, 15), Int(0, 1), Int(0, 62)
    rows = [(n, w, k) for n in (-(2**15), -1, 0, 1, 2**15 - 1) for w in (-(2**61), -1, 0, 5, 2**61) for k in (0, 1, 7)]
    rows += [
        (draw.randint(narrow.lo, narrow.hi), draw.randint(wide.lo, wide.hi), draw.randint(0, 62)) for _ in "x" * 99
    ]
    columns = {
        "n": (narrow, [r[0] for r in rows]),
        "w": (wide, [r[1] for r in rows]),
        "k": (all_, [r[2] for r in rows]),
        "m": (some, [r[2] % 16 for r in rows]),
        "b": (few, [r[2] % 2 for r in rows]),
    }
    n, w, k, m, b = (Read(f"p.{name}", "own", type_) for name, (type_, _) in columns.items())
    one, minus = Const(1, Int(1, 1)), Const(-3, Int(-3, -3))
    values: dict[str, Expr] = {
        "narrow_left": applied("shl", n, m),
        "wide_left": applied("shl", w, b),
        "to_the_left_far": applied("shl", n, applied("add", m, m)),
        "power": applied("shl", one, k),
        "minus": applied("shl", minus, m),
        "narrow_right": applied("shr", n, k),
        "wide_right": applied("shr", w, k),
        "literal_right": applied("shr", minus, k),
        "of_sum": applied("shr", applied("add", w, n), applied("max", m, one)),
        "none": applied("shl", n, Const(0, Int(0, 0))),
    }
    return in_steps(columns, values)


def test_shifts_by_variable_counts_are_exact(backend: Any) -> None:
    p = shifts()
    assert results(backend, p) == expected(p)


@pytest.mark.dear
def test_shifts_of_several_copies_are_exact() -> None:
    p = with_copies(shifts(), 3)
    found = results(BACKENDS["emulator"], p)
    assert found == results(BACKENDS["reference"], p)
    assert {name: values[::3] for name, values in found.items()} == expected(shifts())


# --------------------------------------------------------------------------------------------------- bit lengths


def lengths() -> Program:
    """The lengths of all powers of two and of what lies beside them."""
    wide, narrow = Int(-(2**63) + 1, 2**63 - 1), Int(-(2**31), 2**31 - 1)
    around = {s * (2**k + d) for k in range(64) for d in (-1, 0, 1) for s in (-1, 1)}
    inside = sorted(v for v in around if wide.lo <= v <= wide.hi)
    short = [max(narrow.lo, min(narrow.hi, v)) for v in inside]
    columns = {"w": (wide, inside), "n": (narrow, short)}
    w, n = (Read(f"p.{name}", "own", type_) for name, (type_, _) in columns.items())
    values: dict[str, Expr] = {
        "of_wide": applied("bit_length", w),
        "of_narrow": applied("bit_length", n),
        "of_literal": applied("bit_length", Const(-(2**40), Int(-(2**40), -(2**40)))),
        "of_zero": applied("bit_length", Const(0, Int(0, 0))),
        "shifted": applied("shr", w, applied("min", applied("bit_length", n), Const(62, Int(62, 62)))),
    }
    return in_steps(columns, values)


def test_bit_lengths_are_exact(backend: Any) -> None:
    p = lengths()
    assert results(backend, p) == expected(p)
    assert max(expected(p)["p.of_wide"]) == 63


def test_bounds_of_shifts_and_lengths_hold_every_value_and_are_reached() -> None:
    for lo, hi in ((-5, 3), (0, 9), (-8, -2), (4, 4)):
        for first, last in ((0, 3), (2, 2), (1, 4)):
            for fn, value in (("shl", lambda x, k: x << k), ("shr", lambda x, k: x >> k)):
                all_ = [value(x, k) for x in range(lo, hi + 1) for k in range(first, last + 1)]
                assert functions.bounds(fn, (lo, hi), (first, last)) == (min(all_), max(all_))
        bits = [x.bit_length() for x in range(lo, hi + 1)]
        assert functions.bounds("bit_length", (lo, hi)) == (min(bits), max(bits))


# ---------------------------------------------------------------- all functions of literals, variables and counters


def wrong(backend: Any, p: Program) -> list[str]:
    """The statements of which an executor stores anything else than plain Python."""
    found, right = results(backend, p), expected(p)
    return [
        statement(s) for q in p.populations for s in q.body if isinstance(s, Store) and found[s.array] != right[s.array]
    ]


CASES = {"reference": (11, 0), "emulator": (120, 7), "genn": (60, 4)}
"""Every how many-th case is tried, from which on."""


@pytest.mark.dear
def test_functions_of_literals_and_variables_are_exact(backend: Any) -> None:
    assert wrong(backend, cases(*CASES[backend.name])) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", [1, 4, 7, 10])
def test_thousands_of_functions_are_exact(backend: Any, first: int) -> None:
    assert wrong(backend, cases(12, first)) == []


@pytest.mark.dear
def test_functions_of_several_copies_are_exact() -> None:
    p = cases(400, 11)
    found = results(BACKENDS["emulator"], with_copies(p, 2))
    assert {name: values[::2] for name, values in found.items()} == expected(p)
    assert {name: values[1::2] for name, values in found.items()} == expected(p)


@pytest.mark.dear
def test_there_are_thousands_of_cases() -> None:
    assert sum(len(p.body) for p in cases(1).populations) > 14000


# --------------------------------------------------------------------------------------------------- random programs


def differs(backend: Any, p: Program, steps: int = 4) -> list[str]:
    """The populations, each a random program, of which an executor and plain Python do not make the same."""
    oracle = Oracle(p, 1)
    assert backend.check(p) == ()
    machine = backend.open(p, 1, [])
    machine.advance(steps)
    oracle.advance(steps)
    wrong = {name.split(".")[0] for name in p.arrays if machine.read(name).ravel().tolist() != oracle.a[name]}
    assert wrong or machine.overflows() == oracle.over
    return sorted(wrong)


RANDOM = {"reference": range(300), "genn": range(300, 340), "emulator": range(340, 352)}


@pytest.mark.dear
def test_random_programs_heavy_in_literals_and_wide_words_are_exact(backend: Any) -> None:
    assert differs(backend, random_populations(RANDOM[backend.name])) == []


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_thousands_of_random_programs_are_exact(backend: Any, part: int) -> None:
    count = {"reference": 200, "genn": 100, "emulator": 40}[backend.name]
    assert differs(backend, random_populations(range(1000 + count * part, 1000 + count * (part + 1)))) == []
