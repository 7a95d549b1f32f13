"""What functions, roundings, draws and overflow rules give, as literal numbers, on every executor.

`test_integers.py` compares far more of them with the oracle; here a reader sees what is meant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.errors import RunFailed
from neuroport.numerics import rng
from neuroport.program.ir import INT, REAL, Expr, Int, Let, Lookup, Random, Round, Spike, Stmt, Store, Temp
from neuroport.program.machine import Population, Program
from tests.support.executors import start
from tests.support.small_programs import apply, array, const, program, projection, read, single, test

X, LARGE_X = read("p.x", type=Int(-9, 9)), read("q.x", type=Int(-(2**61), 2**61))
INTEGERS = [-9, -8, -7, -6, -5, -3, -2, -1, 0, 1, 2, 3, 5, 6, 7, 8, 9]
LARGE = [-(2**61), -(2**40) - 1, -5, -1, 0, 1, 3, 2**31, 2**32 + 7, 2**61]
DIVISORS = (-4, -3, -1, 0, 1, 2, 3, 4)
ROUNDED = {
    "floor": [-3, -2, -2, -2, -2, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 2, 2],
    "toward_zero": [-2, -2, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2],
    "nearest": [-2, -2, -2, -2, -1, -1, -1, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2],
    "nearest_even": [-2, -2, -2, -2, -1, -1, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2],
    "floor_min_step": [-3, -2, -2, -2, -2, -1, -1, -1, 0, 1, 1, 1, 1, 1, 1, 2, 2],
}
"""A quarter of the integers."""

LIMITED = {
    "saturate": ([-4, -4, -4, -4, -4, -3, -2, -1, 0, 1, 2, 3, 3, 3, 3, 3, 3], 10),
    "wrap": ([-1, 0, 1, 2, 3, -3, -2, -1, 0, 1, 2, 3, -3, -2, -1, 0, 1], 10),
    "none": (INTEGERS, 0),
}
"""The integers stored into -4..3, and how many were outside."""

SHIFTS, PARTS, SEED, STEPS = (1, 7, 20, 32), (None, 0, 3), 42, 3


def values() -> dict[str, Expr]:
    """What the neurons `p`, which hold the integers, store."""
    found: dict[str, Expr] = {
        f"{fn}{d}": apply(fn, X, d) for fn in ("floordiv", "mod", "trunc_div", "round_div") for d in DIVISORS
    }
    found |= {mode: Round(X, 2, mode, INT) for mode in ROUNDED}  # type: ignore[arg-type]
    found |= {"word": apply("wrap", X, 3), "shl": apply("shl", X, 3), "shr": apply("shr", X, 1)}
    found |= {"clip": apply("clip", X, -2, 5), "square": Lookup("squares", apply("abs", X, type=Int(0, 9)), INT)}
    return found | {f"drawn{part}": Random(6, INT, part) for part in PARTS}


def calculated() -> Program:
    """Neurons `p` that hold the integers, `q` the large ones, and `s` that spike, with two synapses that draw."""
    of_p, of_q = values(), {f"{shift}": Round(LARGE_X, shift, "stochastic", INT, stream=9) for shift in SHIFTS}
    body: list[Stmt] = [Store(f"p.{name}", value) for name, value in of_p.items()]
    body += [Store(f"p.{rule}", X, None, rule, -4, 3) for rule in LIMITED]  # type: ignore[arg-type]
    body += [
        Store("p.guarded", X, test("gt", X, 8), "saturate", -4, 3),
        Store("p.allowed", X, test("eq", X, 0), "error", -4, 3),
        Let("old", read("p.changing")),
        Store("p.changing", apply("add", read("p.changing"), 10)),
        Store("p.both", apply("add", apply("mul", Temp("old", INT), 100), read("p.changing"))),
    ]
    cells = Population("s", 3, (Spike(const(True)),), (), True, 1)
    kept = [*of_p, *LIMITED, "guarded", "allowed", "changing", "both"]
    return program(
        [
            array("p.x", "neuron", "state", INTEGERS, Int(-9, 9)),
            array("q.x", "neuron", "state", LARGE, Int(-(2**61), 2**61)),
            *(array(f"p.{name}", "neuron", "state", [0] * len(INTEGERS)) for name in kept),
            *(array(f"q.{name}", "neuron", "state", [0] * len(LARGE)) for name in of_q),
            array("s.v", "neuron", "state", [0, 0, 0]),
            array("c.w", "synapse", "weight", [0, 0]),
        ],
        [
            Population("p", len(INTEGERS), tuple(body), (), False, 0),
            Population("q", len(LARGE), tuple(Store(f"q.{name}", value) for name, value in of_q.items()), (), False, 0),
            cells,
        ],
        (projection("c", cells, cells, [(0, 2), (2, 1)], arrive=(Store("c.w", Random(8, INT)),)),),
        tables={"squares": np.arange(10) ** 2},
    )


@pytest.fixture(scope="module")
def machine(backend: Any) -> Any:
    """A machine of `calculated` after three steps."""
    (machine,) = start(calculated(), backend, seed=SEED)
    machine.advance(STEPS)
    return machine


def drawn(stream: int, elements: list[int], part: int | None = None) -> list[int]:
    """The draws of the last step."""
    key = rng.step_key(rng.stream_key(SEED, stream), STEPS - 1)
    numbers: list[int] = rng.draw(key, np.array(elements, np.uint64), part).tolist()
    return numbers


@pytest.mark.parametrize("divisor", DIVISORS)
def test_quotients(machine: Any, divisor: int) -> None:
    found = {fn: machine.read(f"p.{fn}{divisor}").tolist() for fn in ("floordiv", "mod", "trunc_div", "round_div")}
    if divisor == 0:
        assert all(quotients == [0] * len(INTEGERS) for quotients in found.values())
        return
    assert found["floordiv"] == [x // divisor for x in INTEGERS]
    assert found["mod"] == [x % divisor for x in INTEGERS]
    assert found["trunc_div"] == [int(x / divisor) for x in INTEGERS]
    half_away = [int(np.copysign(np.floor(abs(x / divisor) + 0.5), x / divisor)) for x in INTEGERS]
    assert found["round_div"] == half_away


@pytest.mark.parametrize("mode", ROUNDED)
def test_rounding_a_quarter(machine: Any, mode: str) -> None:
    assert machine.read(f"p.{mode}").tolist() == ROUNDED[mode]


@pytest.mark.parametrize("shift", SHIFTS)
def test_stochastic_rounding(machine: Any, shift: int) -> None:
    expected = []
    for value, draw in zip(LARGE, drawn(9, list(range(len(LARGE)))), strict=True):
        magnitude = (abs(value) + draw % 2**shift) >> shift
        expected.append(-magnitude if value < 0 else magnitude)
    assert machine.read(f"q.{shift}").tolist() == expected


def test_words_shifts_and_tables(machine: Any) -> None:
    assert machine.read("p.word").tolist() == [(x + 4) % 8 - 4 for x in INTEGERS]
    assert machine.read("p.shl").tolist() == [x * 8 for x in INTEGERS]
    assert machine.read("p.shr").tolist() == [x // 2 for x in INTEGERS]
    assert machine.read("p.clip").tolist() == [min(5, max(-2, x)) for x in INTEGERS]
    assert machine.read("p.square").tolist() == [x * x for x in INTEGERS]


@pytest.mark.parametrize("part", PARTS)
def test_draws(machine: Any, part: int | None) -> None:
    assert machine.read(f"p.drawn{part}").tolist() == drawn(6, list(range(len(INTEGERS))), part)


def test_draws_of_synapses_are_keyed_by_their_element(machine: Any) -> None:
    assert machine.read("c.w").tolist() == drawn(8, [2, 7])


@pytest.mark.parametrize("rule", LIMITED)
def test_overflow(machine: Any, rule: str) -> None:
    expected, count = LIMITED[rule]
    assert machine.read(f"p.{rule}").tolist() == expected
    assert machine.overflows().get(f"p.{rule}", 0) == STEPS * count


def test_overflow_is_counted_and_refused_only_where_the_guard_holds(machine: Any) -> None:
    assert machine.overflows().get("p.guarded") == STEPS
    assert "p.allowed" not in machine.overflows()


def test_a_name_keeps_its_value_when_the_variable_changes(machine: Any) -> None:
    assert machine.read("p.both").tolist() == [2000 + 30] * len(INTEGERS)


def test_an_overflow_that_has_no_rule_ends_the_run(backend: Any) -> None:
    made = single(read("p.x", type=Int(0, 9)), [2, 5])
    body = (Store("p.y", read("p.x", type=Int(0, 9)), None, "error", 0, 3),)
    made = replace(made, populations=(replace(made.populations[0], body=body),))
    (machine,) = start(made, backend)
    with pytest.raises(RunFailed, match=r"p\.y.*step 0|step 0.*p\.y"):
        machine.advance(1)


# ------------------------------------------------------------------------------------------------------ real numbers

REALS = [-800.0, -2.0, -0.5, 0.0, 0.5, 2.0, 30.0]


def real(fn: str, *args: Any) -> Expr:
    return apply(fn, *args, type=REAL)


def of_reals(precision: str) -> Program:
    """Functions, an integer among real numbers, a division by zero, and a draw."""
    x = read("p.x", type=REAL)
    draw = real("mul", Random(4, REAL), 0.1)
    found = {f"{fn}_x": real(fn, x) for fn in ("exp", "tanh", "sigmoid", "softplus", "neg", "abs")}
    found |= {"over": real("div", x, 0.0), "counted": real("mul", real("to_real", read("p.n")), x)}
    found |= {"mixed": real("add", real("exp", real("mul", read("p.z", type=REAL), 0.3)), draw)}
    zeros = [0.0] * len(REALS)
    return program(
        [
            array("p.x", "neuron", "state", REALS, REAL),
            array("p.z", "neuron", "state", np.linspace(0.1, 1.3, len(REALS)), REAL),
            array("p.n", "neuron", "state", [3, 5, 7, 0, 1, 2, -1]),
            *(array(f"p.{name}", "neuron", "state", zeros, REAL) for name in found),
        ],
        [Population("p", len(REALS), tuple(Store(f"p.{name}", value) for name, value in found.items()), (), False, 0)],
        precision=precision,
    )


@pytest.fixture(scope="module")
def doubles(backend: Any) -> Any:
    (machine,) = start(of_reals("float64"), backend)
    machine.advance(1)
    return machine


def test_real_functions(doubles: Any) -> None:
    x = np.array(REALS)
    with np.errstate(over="ignore"):
        expected = {
            "exp": np.exp(x),
            "tanh": np.tanh(x),
            "sigmoid": 1 / (1 + np.exp(-x)),
            "softplus": np.logaddexp(0, x),
            "neg": -x,
            "abs": np.abs(x),
        }
    for fn, values in expected.items():
        np.testing.assert_allclose(doubles.read(f"p.{fn}_x"), values, rtol=1e-15, atol=1e-300)
    assert doubles.read("p.over").tolist()[:2] + doubles.read("p.over").tolist()[4:] == [-np.inf] * 2 + [np.inf] * 3


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_whole_number_below(precision: str, backend: Any) -> None:
    x = [-2.5, -2.0, -1e-30, -0.0, 0.0, 0.75, 3.0, 2.0**31 + 0.5, 2.0**52 - 0.5, -1e30, np.inf, -np.inf, np.nan]
    held = np.array(x, precision)
    (machine,) = start(single(real("floor", read("p.x", type=REAL)), x, precision=precision), backend)
    machine.advance(1)
    np.testing.assert_array_equal(machine.read("p.y"), np.floor(held).astype(np.float64))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_the_int_before_the_point(precision: str, backend: Any) -> None:
    """It is held within 62 bits, and 0 of what is not a number."""
    x = [-2.5, -2.0, -1e-30, -0.0, 0.75, 3.0, 2.0**31 + 0.5, 2.0**52 - 0.5, -(2.0**62), 1e30, np.inf, -np.inf, np.nan]
    arrays = [array("p.x", "neuron", "state", x, REAL), array("p.y", "neuron", "state", [0] * len(x), Int())]
    body = (Store("p.y", apply("to_int", read("p.x", type=REAL), type=Int())),)
    population = Population("p", len(x), body, (), False, 0)
    (machine,) = start(program(arrays, [population], precision=precision), backend)
    machine.advance(1)
    held = [float(np.trunc(v)) for v in np.array(x[:-4], precision)]
    found = machine.read("p.y").tolist()
    assert found[:-1] == [*map(int, held), 2**62, 2**62, -(2**62)]
    assert found[-1] == 0 or (backend.name, precision) == ("genn", "float32")  # compiled with -ffast-math


def test_integers_among_real_numbers(doubles: Any) -> None:
    assert doubles.read("p.counted").tolist() == [-2400.0, -10.0, -3.5, 0.0, 0.5, 4.0, -30.0]


def test_single_precision_is_single_precision(backend: Any) -> None:
    """Constants, draws and results are all of the program's precision; functions are calculated in float64.

    GeNN calculates functions in float32.
    """
    (machine,) = start(of_reals("float32"), backend)
    machine.advance(1)
    f = np.float32
    draws = rng.draw(rng.step_key(rng.stream_key(1, 4), 0), np.arange(len(REALS), dtype=np.uint64))
    exponents = np.linspace(0.1, 1.3, len(REALS)).astype(f) * f(0.3)
    expected = np.exp(exponents.astype(np.float64)).astype(f) + (draws * 2.0**-32).astype(f) * f(0.1)
    assert expected.dtype == f
    tolerance = 2.0**-22 if backend.name == "genn" else 0.0
    np.testing.assert_allclose(machine.read("p.mixed"), expected.astype(np.float64), rtol=tolerance)
    assert machine.read("p.mixed").astype(f).tolist() == machine.read("p.mixed").tolist()
    assert machine.read("p.counted").tolist() == [-2400.0, -10.0, -3.5, 0.0, 0.5, 4.0, -30.0]
