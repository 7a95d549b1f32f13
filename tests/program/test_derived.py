"""Host arithmetic of constants: exact ints, one meaning of reals, and bounds that hold for all that may be switched."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from neuroport.elaborate import ranges
from neuroport.program.constants import evaluate
from neuroport.program.held import held
from neuroport.program.ir import BOOL, REAL, Const, Expr, Int, Read
from neuroport.program.machine import Array
from neuroport.program.whole import NoValue
from tests.support.small_programs import apply, const, read

NAMES = ("a.k", "a.l", "a.m")
UNARY = ("neg", "abs")
BINARY = ("add", "sub", "mul", "min", "max", "floordiv", "mod", "trunc_div", "shl", "shr")


def whole(draw: random.Random, depth: int) -> Expr:
    """A random int expression over the parameters."""
    if depth == 0 or draw.random() < 0.15:
        size = draw.choice((3, 70, 10**6, 2**33))
        return read(draw.choice(NAMES), "scalar") if draw.random() < 0.7 else const(draw.randint(-size, size))
    fn = draw.choice((*UNARY, *BINARY, "clip", "select", "wrap"))
    if fn in UNARY:
        return apply(fn, whole(draw, depth - 1))
    if fn == "wrap":
        return apply(fn, whole(draw, depth - 1), draw.randint(1, 62))
    if fn == "clip":
        return apply(fn, *(whole(draw, depth - 1) for _ in range(3)))
    if fn == "select":
        test = apply(draw.choice(("lt", "le", "eq", "ne")), whole(draw, depth - 1), whole(draw, 0), type=BOOL)
        return apply(fn, test, whole(draw, depth - 1), whole(draw, depth - 1))
    right = const(draw.randint(0, 40)) if fn in ("shl", "shr") and draw.random() < 0.7 else whole(draw, depth - 1)
    return apply(fn, whole(draw, depth - 1), right)


class TooLong(Exception):
    """A part of the expression needs more than 63 bits, or shifts by a negative number."""


def plain(expr: Expr, values: dict[str, int]) -> int:
    """The same in Python, one case after the other."""
    match expr:
        case Const(value=value):
            return int(value)
        case Read(array=array):
            return values[array]
    a = [plain(e, values) for e in expr.args]  # type: ignore[union-attr]
    result = int(_plain(expr.fn, a))  # type: ignore[union-attr]
    if not -(2**63) <= result < 2**63:
        raise TooLong
    return result


def _plain(fn: str, a: list[int]) -> int:
    x, y = a[0], a[1] if len(a) > 1 else 0
    if fn in ("shl", "shr") and (y < 0 or (fn == "shl" and x and y > 200)):
        raise TooLong
    texts = {
        "add": "x + y", "sub": "x - y", "mul": "x * y", "neg": "-x", "abs": "abs(x)", "min": "min(x, y)",
        "max": "max(x, y)", "floordiv": "x // y if y else 0", "mod": "x % y if y else 0", "shl": "x << y if x else 0",
        "shr": "x >> min(y, 200)", "lt": "x < y", "le": "x <= y", "eq": "x == y", "ne": "x != y",
        "trunc_div": "(abs(x) // abs(y)) * (1 if (x < 0) == (y < 0) else -1) if y else 0",
        "wrap": "(x + 2 ** (y - 1)) % 2 ** y - 2 ** (y - 1)", "clip": "min(max(x, y), z)", "select": "y if x else z",
    }  # fmt: skip
    return eval(texts[fn], {"x": x, "y": y, "z": a[-1], "abs": abs, "min": min, "max": max})  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(8))
def test_ints_are_exact_or_refused_and_lie_within_their_bounds(seed: int) -> None:
    draw = random.Random(seed)
    exact = bounded = 0
    for _ in range(150):
        expr = whole(draw, 3)
        limits: dict[str, tuple[int, int]] = {}
        for name, most in zip(NAMES, (5, 70, 2**20), strict=True):
            one, other = draw.randint(-most, most), draw.randint(-most, most)
            limits[name] = min(one, other), max(one, other)
        try:
            low, high = ranges.bounds(expr, lambda r: limits[r.array])  # noqa: B023
        except NoValue:
            low, high = -(2**63), 2**63 - 1
        else:
            bounded += 1
        rows = [{n: draw.randint(*limits[n]) for n in NAMES} for _ in range(5)]
        for row in rows:
            given = {n: np.asarray(v, np.int64) for n, v in row.items()}
            try:
                expected = plain(expr, row)
            except TooLong:
                with pytest.raises(NoValue):
                    evaluate(expr, given)
                continue
            assert int(evaluate(expr, given)) == expected
            assert low <= expected <= high
            exact += 1
    assert exact > 400 and bounded > 70


def test_elements_are_computed_one_by_one() -> None:
    k = read("a.k")
    given = {"a.k": np.array([1, -7, 2**31])}
    assert evaluate(apply("mul", apply("floordiv", k, 2), k), given).tolist() == [0, 28, 2**61]


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (apply("mul", const(2**40), const(2**40)), "needs more than 63 bits"),
        (apply("add", const(2**63 - 1), const(1)), "needs more than 63 bits"),
        (apply("abs", const(-(2**63))), "needs more than 63 bits"),
        (const(2**63), "needs more than 63 bits"),
        (apply("shl", const(1), const(100_000_000_000)), "needs more than 63 bits"),
        (apply("shl", const(1), const(-1)), "shifts by a negative number of bits"),
        (apply("gt", apply("sqrt", const(-1.0), type=REAL), const(0.0), type=BOOL), "compares what is not a number"),
    ],
)
def test_what_has_no_value(expr: Expr, reason: str) -> None:
    with pytest.raises(NoValue) as error:
        evaluate(expr, {})
    assert error.value.reason == reason


def test_a_branch_that_is_not_taken_may_have_no_value() -> None:
    a = read("a.a", type=REAL)
    guarded = apply("select", apply("ge", a, 0.0, type=BOOL), apply("sqrt", a, type=REAL), 0.0, type=REAL)
    assert evaluate(guarded, {"a.a": np.array([-1.0, 4.0])}).tolist() == [0.0, 2.0]


def test_bounds_of_reals_see_the_exact_bounds_of_their_ints() -> None:
    k = read("a.k")
    expr = apply("div", apply("to_real", apply("mod", k, 7), type=REAL), 7.0, type=REAL)
    assert ranges.bounds(expr, lambda r: (0, 1000)) == (0, 6 / 7)
    chosen = apply("select", apply("gt", read("a.q", type=REAL), 0.5, type=BOOL), 1, 0)
    assert ranges.bounds(chosen, lambda r: (0.0, 1.0)) == (0, 1)
    square = apply("mul", k, k)
    assert ranges.bounds(square, lambda r: (-3, 5)) == (0, 25)


# --------------------------------------------------------------------------------------------------- what is held


def _array(kind: Any, limits: tuple[float, float] | None) -> Array:
    return Array("a.x", "a", "neuron", "state", kind, np.zeros(1, np.int64), range=limits)


@pytest.mark.parametrize("bits", [8, 16, 24, 32, 48, 53, 54, 60, 62, 63])
def test_every_word_holds_its_ends_and_no_more(bits: int) -> None:
    top = 2 ** (bits - 1)
    kind = Int(-top, top - 1, bits - 1)  # -1 .. 1
    raw, outside = held(np.array([-1.0, 1.0, 0.5]), _array(kind, (-1.0, 1.0)))
    assert raw.tolist() == [-top, top - 1, top // 2] and not outside.any()
    raw, outside = held(np.array([-1.0, 1.0, 1.5]), _array(kind, None))
    assert outside.tolist() == [False, True, True] and raw.tolist() == [-top, top - 1, top - 1]
    raw, outside = held(np.array([top - 1, top, -top - 1]), _array(Int(-top, top - 1, 0), None))
    assert outside.tolist() == [False, True, True] and raw.tolist() == [top - 1, top - 1, -top]
