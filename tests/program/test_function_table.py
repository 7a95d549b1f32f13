"""The table of functions is whole: each entry's meanings agree, bounds hold, and every executor writes all of them."""

from __future__ import annotations

import ast
import itertools
import math
import random
import re
from collections.abc import Iterator
from decimal import localcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport import backends
from neuroport.api.compile import lower, specimen
from neuroport.backends.emulator import spelling as emulator
from neuroport.backends.genn import spelling as genn
from neuroport.backends.reference import text as reference
from neuroport.errors import InternalError
from neuroport.language import lower as lowering
from neuroport.language.syntax import calls
from neuroport.program import functions, intervals, printer
from neuroport.program.constants import real
from neuroport.program.curves import Curve
from neuroport.program.fixed import LIMIT
from neuroport.program.functions import FUNCTIONS, Function, OnReals
from neuroport.program.ir import BOOL, REAL, Apply, Bool, Const, Expr, Int, Read, Real, Store, parts
from neuroport.program.machine import Array, Population, Program
from neuroport.quantise import demand, tables
from tests.support.programs import array, program

SPELL: dict[str, dict[str, Any]] = {"reference": reference.SPELL, "emulator": emulator.SPELL, "genn": genn.SPELL}
UNSUPPORTED: dict[str, dict[str, str]] = {"reference": {}, "emulator": {}, "genn": {}}
"""Functions that an executor does not write, each with the reason."""
OF_INTS = [fn for fn, function in FUNCTIONS.items() if function.ints]
CURVES = [fn for fn, function in FUNCTIONS.items() if function.curve]
EXTREMES = (-(2**61), -(2**31), -129, -7, -2, -1, 0, 1, 2, 3, 8, 129, 2**31 - 1, 2**61)
REALS = (-1e300, -40.0, -2.5, -1.0, -1e-9, 0.0, 1e-9, 0.5, 1.0, 3.0, 40.0, 1e300)


# ------------------------------------------------------------------------------------------------------- completeness


@pytest.mark.parametrize("backend", SPELL)
def test_every_executor_writes_every_function_or_says_why_not(backend: str) -> None:
    assert SPELL[backend].keys() == FUNCTIONS.keys() - UNSUPPORTED[backend].keys()
    assert all(UNSUPPORTED[backend].values())


def adding(fn: str) -> Program:
    """A population that stores a function of two ints."""
    value = Apply(fn, (Read("p.a", "own", Int(0, 9)), Const(3, Int(3, 3))), Int(0, 12))
    arrays = (array("p.a", "neuron", "state", Int(0, 9), [5]), array("p.y", "neuron", "state", Int(0, 12), [0]))
    return program(arrays=arrays, populations=(Population("p", 1, (Store("p.y", value),), (), False, 0),))


@pytest.mark.parametrize("backend", SPELL)
def test_a_function_that_an_executor_does_not_write_ends_with_its_name(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := backends.load(backend).missing():
        pytest.skip(reason)
    monkeypatch.delitem(SPELL[backend], "add")
    with pytest.raises(InternalError, match="has no line for the function 'add' in its table SPELL"):
        backends.load(backend).open(adding("add"), 1, ()).advance(1)


def test_no_table_gives_anything_for_a_function_that_is_not_there() -> None:
    for ask in (functions.exact, functions.host, functions.bounds, tables.curve):
        with pytest.raises(KeyError, match="'atan'"):
            ask("atan")
    for what, ask in (("integer meaning", functions.exact), ("integer meaning", functions.bounds)):
        with pytest.raises(ValueError, match=f"no {what} for 'exp'"):
            ask("exp")
    with pytest.raises(ValueError, match="no host arithmetic for 'shl'"):
        functions.host("shl")
    with pytest.raises(ValueError, match="no table for 'add'"):
        tables.curve("add")


def test_of_a_function_without_a_rule_nothing_is_known_to_be_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    cube = Function("cube", 1, "reals", None, OnReals(lambda x: x * x * x, intervals.unlimited))
    monkeypatch.setitem(FUNCTIONS, "cube", cube)
    want = demand.Demand(0.0, 1.0, 8)
    assert demand.operands(Apply("cube", (Const(0.5, REAL),), REAL), want, lambda expr: (0.0, 1.0)) == [demand.ANY]


def test_an_entry_has_the_meanings_of_its_types() -> None:
    for fn, function in FUNCTIONS.items():
        assert function.name == fn
        assert (function.ints is None) == (function.types == "reals"), fn
        assert (function.reals.value is None) == (function.types in ("ints", "whole")), fn
        assert function.curve is None or (function.types, function.arity) == ("reals", 1), fn
        assert (function.degree is not None) == (function.types == "numbers"), fn
        assert function.types != "ints" or function.ints_only, fn


def test_the_quantiser_knows_what_a_real_function_needs_of_its_operands() -> None:
    of_reals = {fn for fn, f in FUNCTIONS.items() if f.types in ("numbers", "reals", "choice")}
    assert of_reals == {fn for fn in of_reals if fn in demand._RULES or FUNCTIONS[fn].curve}
    assert demand._RULES.keys() <= FUNCTIONS.keys()


def test_the_signs_of_the_language_are_those_of_the_table() -> None:
    made = {**lowering._BINARY, **lowering._COMPARE, ast.And: "and", ast.Or: "or"}
    assert set(made.values()) == {fn for fn, f in FUNCTIONS.items() if f.infix}
    for node, fn in made.items():
        a, b = ast.Name("a"), ast.Name("b")
        if issubclass(node, ast.operator):
            tree: ast.expr = ast.BinOp(a, node(), b)
        elif issubclass(node, ast.cmpop):
            tree = ast.Compare(a, [node()], [b])
        else:
            tree = ast.BoolOp(node(), [a, b])
        assert f"({ast.unparse(tree)})" == FUNCTIONS[fn].printed(["a", "b"])


def test_what_the_language_calls_has_types_that_it_can_give() -> None:
    called = {fn: f for fn, f in FUNCTIONS.items() if f.most}
    assert all(f.types in ("numbers", "reals", "ints") for f in called.values())
    assert all(f.most == f.arity or f.arity == 2 for f in called.values()), "more are taken two at a time"
    assert not any(f.infix or f.form for f in called.values())


def test_the_page_of_the_language_lists_every_function() -> None:
    page = (Path(neuroport.__file__).parents[1] / "docs/language.md").read_text("utf-8")
    listed = page[page.index("FUNCTION   ::=") :].split("\n\n")[0].partition("::=")[2]
    assert set(re.findall(r"[a-z_]{3,}", re.sub(r"\([^)]*\)|see .*", "", listed))) == calls().keys()


# -------------------------------------------------------------------------------------------------------------- types


def test_a_function_takes_what_its_rule_says_and_so_many() -> None:
    taken = {
        fn: {
            (*(s.__name__ for s in sorts), result.__name__)
            for count in range(1, 4)
            for sorts in itertools.product((Real, Int, Bool), repeat=count)
            if (result := FUNCTIONS[fn].result(sorts))
        }
        for fn in ("add", "neg", "div", "shl", "lt", "and", "not", "to_real", "to_int", "select", "clip")
    }
    assert taken == {
        "add": {("Real", "Real", "Real"), ("Int", "Int", "Int")},
        "neg": {("Real", "Real"), ("Int", "Int")},
        "div": {("Real", "Real", "Real")},
        "shl": {("Int", "Int", "Int")},
        "lt": {("Real", "Real", "Bool"), ("Int", "Int", "Bool")},
        "and": {("Bool", "Bool", "Bool")},
        "not": {("Bool", "Bool")},
        "to_real": {("Int", "Real")},
        "to_int": {("Real", "Int")},
        "select": {("Bool", s, s, s) for s in ("Real", "Int", "Bool")},
        "clip": {(s, s, s, s) for s in ("Real", "Int")},
    }


@pytest.mark.parametrize("network", ["sal_micro", "pal_backward", "gle_lagline", "izhikevich", "loihi_lif"])
@pytest.mark.parametrize("quantised", [False, True])
def test_programs_apply_functions_to_what_they_take(network: str, quantised: bool) -> None:
    made = neuroport.load(network)
    p = lower(made, *specimen(made), quantised=quantised)
    applied = [part for owned in p.bodies() for part in parts(owned.body) if isinstance(part, Apply)]
    assert applied
    assert all(FUNCTIONS[e.fn].result([type(a.type) for a in e.args]) is type(e.type) for e in applied)


# ----------------------------------------------------------------------------------------------------- equal meanings


def operands(fn: str, values: tuple[int, ...], draw: random.Random) -> Iterator[tuple[int, ...]]:
    """Arguments of a function of ints: all pairs of values, or many triples; counts where it takes some."""
    counts = {"shl": (0, 1, 7, 31), "shr": (0, 1, 7, 31, 62), "wrap": (1, 2, 8, 32, 63)}.get(fn)
    truths = FUNCTIONS[fn].types in ("truths", "choice")
    columns = [(0, 1) if truths and k == 0 else values for k in range(FUNCTIONS[fn].arity)]
    if FUNCTIONS[fn].types == "truths":
        columns = [(0, 1)] * FUNCTIONS[fn].arity
    if counts is not None:
        columns[1] = counts
    found = list(itertools.product(*columns))
    if fn == "clip":
        found = [(x, *sorted(ends)) for x, *ends in found]
    yield from found if len(found) < 300 else draw.sample(found, 300)


@pytest.mark.parametrize("fn", [fn for fn in OF_INTS if FUNCTIONS[fn].reals.value])
def test_the_host_means_the_same_by_whole_numbers_as_ints_are(fn: str) -> None:
    small = tuple(v for v in EXTREMES if abs(v) < 2**20)
    given = list(operands(fn, small, random.Random(1)))
    exact = [functions.exact(fn)(*args) for args in given]
    found = functions.host(fn)(*(np.array(column, np.float64) for column in zip(*given, strict=True)))
    assert np.asarray(found, np.float64).tolist() == exact


@pytest.mark.parametrize("fn", [fn for fn, function in FUNCTIONS.items() if function.degree is not None])
@pytest.mark.parametrize("scale", [2, 2**20])
def test_the_degree_of_a_function_scales_its_value(fn: str, scale: int) -> None:
    degree = FUNCTIONS[fn].degree
    assert degree is not None
    for args in operands(fn, EXTREMES, random.Random(2)):
        value = functions.exact(fn)(*args)
        assert functions.exact(fn)(*(scale * x for x in args)) == scale**degree * value


def around(draw: random.Random, values: tuple[Any, ...]) -> tuple[Any, Any]:
    """An interval between two of the values, or of one."""
    lo, hi = sorted(draw.choices(values, k=2))
    return lo, hi


@pytest.mark.parametrize("fn", OF_INTS)
def test_bounds_of_ints_hold_every_value_and_their_ends_are_ints(fn: str) -> None:
    draw = random.Random(3)
    for args in operands(fn, EXTREMES, draw):
        fixed = {"shl", "shr", "wrap"} & {fn}
        ends = [(x, x) if k and fixed else tuple(sorted((x, draw.choice(EXTREMES)))) for k, x in enumerate(args)]
        lo, hi = functions.bounds(fn, *ends)  # type: ignore[arg-type]
        assert lo <= functions.exact(fn)(*args) <= hi, (args, ends)
        assert type(lo) is type(hi) is int


@pytest.mark.parametrize("fn", [fn for fn, function in FUNCTIONS.items() if function.reals.value])
def test_outer_bounds_hold_every_real_value(fn: str) -> None:
    function, draw = FUNCTIONS[fn], random.Random(4)
    for _ in range(400):
        sides = [around(draw, REALS) for _ in range(function.arity)]
        args = [draw.choice([v for v in REALS if lo <= v <= hi]) for lo, hi in sides]
        with np.errstate(all="ignore"):
            value = float(functions.host(fn)(*(np.array(x) for x in args)))
        lo, hi = function.reals.bounds(*sides)
        slack = 1e-300 + 1e-15 * max(abs(x) for x in (lo, hi, 0.0) if math.isfinite(x))
        assert math.isnan(value) or lo - slack <= value <= hi + slack, (args, sides)


@pytest.mark.parametrize("fn", ["floordiv", "mod", "trunc_div", "round_div", "wrap"])
def test_outer_bounds_as_real_numbers_hold_every_int(fn: str) -> None:
    for args in operands(fn, tuple(v for v in EXTREMES if abs(v) < 2**32), random.Random(5)):
        lo, hi = FUNCTIONS[fn].reals.bounds(*((float(x), float(x)) for x in args))
        assert lo <= functions.exact(fn)(*args) <= hi


# ---------------------------------------------------------------------------------------------------------- executors


ON_EXECUTORS = [fn for fn in OF_INTS if fn not in ("to_real", "to_int")]
"""What integer programs apply; nothing is real in them."""


def on_ints(fn: str) -> tuple[list[Array], Population, list[int]]:
    """A population whose every neuron stores a function of other ints, and what it should store."""
    function, bits = FUNCTIONS[fn], Const(8, Int(8, 8))
    given = [args for args in operands(fn, EXTREMES, random.Random(6)) if _held(fn, args)]
    given = [args for args in given if fn != "wrap" or args[1] == bits.value]
    arrays, args = [], []
    for k, column in enumerate(zip(*given, strict=True)):
        read = Read(f"{fn}.x{k}", "own", Int(min(column), max(column)))
        arrays.append(array(read.array, "neuron", "state", read.type, column))
        condition = function.types == "truths" or (function.types == "choice" and k == 0)
        args.append(Apply("ne", (read, Const(0, Int(0, 0))), BOOL) if condition else read)
    values = [int(functions.exact(fn)(*a)) for a in given]
    word = Int(min(*values, 0), max(*values, 0))
    applied: Expr = Apply(fn, tuple(args) if fn != "wrap" else (args[0], bits), word)
    if function.types in ("comparison", "truths"):
        one, none = Const(1, Int(1, 1)), Const(0, Int(0, 0))
        applied = Apply("select", (Apply(fn, tuple(args), BOOL), one, none), word)
    arrays.append(array(f"{fn}.y", "neuron", "state", word, [0] * len(given)))
    return arrays, Population(fn, len(given), (Store(f"{fn}.y", applied),), (), False, 0), values


def _held(fn: str, args: tuple[int, ...]) -> bool:
    return all(abs(x) <= LIMIT for x in functions.bounds(fn, *((a, a) for a in args)))


@pytest.mark.parametrize("backend", SPELL)
def test_executors_give_the_exact_integers(backend: str) -> None:
    if reason := backends.load(backend).missing():
        pytest.skip(reason)
    made = [on_ints(fn) for fn in ON_EXECUTORS]
    arrays, populations = [a for part in made for a in part[0]], tuple(part[1] for part in made)
    machine = backends.load(backend).open(program(arrays=arrays, populations=populations), 1, ())
    machine.advance(1)
    found = {fn: machine.read(f"{fn}.y").tolist() for fn in ON_EXECUTORS}
    assert found == {fn: part[2] for fn, part in zip(ON_EXECUTORS, made, strict=True)}


# ------------------------------------------------------------------------------------------------------------- curves


def arguments(fn: str) -> np.ndarray[Any, Any]:
    """Arguments of a curve where it has values."""
    x = np.linspace(-8.0, 8.0, 257)
    return x[x > 0] if fn in ("log", "sqrt") else x


@pytest.mark.parametrize("fn", [*CURVES, "tail"])
def test_a_curve_is_what_the_host_makes_of_it_and_goes_one_way(fn: str) -> None:
    curve, x = tables.curve(fn), arguments(fn)
    with localcontext() as context:
        context.prec = 40
        exact = np.array([float(curve.value(tables.Decimal(float(v)))) for v in x])
    np.testing.assert_allclose(tables.host(fn)(x), exact, rtol=1e-15, atol=0)
    half = exact[x >= 0] if fn == "tail" else exact
    assert (np.diff(half) >= 0).all() or (np.diff(half) <= 0).all()
    assert np.abs(exact).max() <= curve.largest
    slopes = np.abs(np.diff(exact) / np.diff(x))
    most = [curve.slope(lo, hi) for lo, hi in itertools.pairwise(x.tolist())]
    assert (slopes <= np.array(most) * (1 + 1e-9)).all()


@pytest.mark.parametrize("fn", [fn for fn in (*CURVES, "tail") if tables.curve(fn).flat])
@pytest.mark.parametrize("frac", [0, 7, 15, 30])
def test_beyond_its_ends_a_curve_is_flat(fn: str, frac: int) -> None:
    flat = tables.curve(fn).flat
    assert flat is not None
    quarter = 2.0 ** -(frac + 2) * (1 + 1e-9)
    for end in (x for x in flat(frac) if math.isfinite(x)):
        near, far = (float(tables.host(fn)(np.array(x))) for x in (end, 40 * end))
        assert abs(near - far) <= quarter


def measured_error(fn: str, table: tables.Table, base: int, step: int, frac: int) -> float:
    """The largest distance between a curve and the interpolation of a table, at eight arguments in each interval."""
    worst = 0.0
    with localcontext() as context:
        context.prec = 40
        for i, eighth in itertools.product(range(len(table.entries) - 1), range(8)):
            argument = base + (i << step) + (eighth << (step - 3))
            true = float(tables.curve(fn).value(tables.Decimal(argument) / 2**frac))
            rise = (int(table.entries[i + 1]) - int(table.entries[i])) * eighth / 8
            worst = max(worst, abs(math.ldexp(int(table.entries[i]) + rise, -table.frac) - true))
    return worst


@pytest.mark.parametrize("fn", [*CURVES, "tail"])
def test_the_interpolation_error_of_a_table_is_the_one_that_is_measured(fn: str) -> None:
    table = tables.table(fn, 64, 5, 33, 8, 16)
    measured = measured_error(fn, table, 64, 5, 8)
    assert 0.9 * measured <= table.error <= 1.1 * measured + 2.0 ** (1 - table.frac)


# -------------------------------------------------------------------------------------------------- adding a function

CUBES = """
neuroport: 1
name: cubes
dt: 1 ms
chip: generic16
neurons:
  cell:
    params:
      a: {default: 0.5, range: [0.25, 1], dynamic: true}
      b: {default: 1.5}
    state:
      v: {range: [-2, 2], init: -1.5}
      y: {range: [-8, 8], init: 0}
      z: {range: [-8, 8], init: 0}
      c: {range: [0, 8], init: 0}
    update: |
      v = v + 0.125
      y = cube(v)
      z = y * cube(a)
      c = cube(b)
populations:
  cells: {size: 3, neuron: cell}
metrics:
  y: {values: cells.y}
  z: {values: cells.z}
  c: {values: cells.c}
protocol:
  - run: 10 ms
  - set: {cells.a: 0.75}
  - run: 13 ms
"""
"""After 23 steps v is 1.375."""


def cubed(lo: float, hi: float) -> float:
    return 3 * max(lo * lo, hi * hi)


@pytest.fixture
def cube(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new function of the language: an entry, and a line for each executor."""
    on_reals = OnReals(lambda x: x * x * x, intervals.rising(lambda x: x * x * x))
    curve = Curve(lambda x: x * x * x, slope=cubed)
    monkeypatch.setitem(FUNCTIONS, "cube", Function("cube", 1, "reals", None, on_reals, most=1, curve=curve))
    monkeypatch.setitem(reference.SPELL, "cube", "{0} * {0} * {0}")
    monkeypatch.setitem(emulator.SPELL, "cube", emulator.of_reals("({0} * {0} * {0})"))
    monkeypatch.setitem(genn.SPELL, "cube", genn.of_reals(genn.signs("({0} * {0} * {0})")))


@pytest.fixture
def cubes(cube: None, tmp_path: Path) -> Any:
    path = tmp_path / "cubes.yaml"
    path.write_text(CUBES, "utf-8")
    return neuroport.load(path)


def test_a_new_function_is_a_table_and_a_constant_computed_at_every_switch(cubes: Any) -> None:
    p = lower(cubes, *specimen(cubes), quantised=True)
    assert list(p.tables) == ["cube_0"]
    assert [printer.expression(d.value) for d in p.derived] == ["cube(cells.a)"]
    told = {line.subject: line.text for line in p.report}
    assert told["cube_0"] == (
        "cube on -2..2 in 1024 intervals, entries with 28 fractional bits; interpolation error up to 2.3e-05"
    )
    scalars = [a for a in p.arrays.values() if a.at == "scalar" and isinstance(a.type, Int)]
    assert 1.5**3 in [real(a.initial, a) for a in scalars]


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_a_new_function_is_the_same_on_every_executor(cubes: Any, chip: str) -> None:
    digests = {}
    for backend in SPELL:
        if backends.load(backend).missing() is None:
            result = neuroport.run(cubes, chip=chip, backend=backend)
            digests[backend] = result.digest
            found = {name: float(np.asarray(rows[-1][1])[0]) for name, rows in result.metrics.items()}
            near = pytest.approx({"y": 1.375**3, "z": 1.375**3 * 0.75**3, "c": 3.375}, abs=0.02)
            assert found == near
    assert len(set(digests.values())) == 1
