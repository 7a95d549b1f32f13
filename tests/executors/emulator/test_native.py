"""The language of generated modules: what Python says of the same text is what the machine code computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import runtime
from neuroport.backends.emulator.native import words
from neuroport.backends.emulator.native.kinds import array_of
from neuroport.backends.emulator.native.translate import OUTSIDE, Module
from neuroport.backends.emulator.prelude import prelude
from neuroport.errors import InternalError
from tests.support.compiled import built, call

INT64 = np.iinfo(np.int64)
WHOLE = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    7,
    -7,
    64,
    2**31 - 1,
    -(2**31),
    2**40 + 1,
    -(2**40),
    INT64.max,
    INT64.min,
    INT64.min + 1,
]
REALS = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, 3.7, -3.7, 0.1, 1e-300, 1e300, -1e18, math.inf, -math.inf, math.nan]


def of_pairs(expression: str, a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], out: Any) -> np.ndarray[Any, Any]:
    """An expression of `a` and `b`, of every pair of two lists of numbers."""
    result = np.zeros(len(a) * len(b), out)
    text = f"""
{prelude("float64")}

def f(left, right, out):
    for i in range(left.shape[0]):
        for j in range(right.shape[0]):
            a = left[i]
            b = right[j]
            out[i * right.shape[0] + j] = {expression}
"""
    call(text, a, b, result)
    return result


def wrapped(value: int) -> int:
    return (value + 2**63) % 2**64 - 2**63


OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "a // b": lambda a, b: a // b if b else 0,
    "a % b": lambda a, b: a % b if b else 0,
    "a & b": lambda a, b: a & b,
    "a | b": lambda a, b: a | b,
    "a ^ b": lambda a, b: a ^ b,
    "-a": lambda a, b: -a,
    "abs(a)": lambda a, b: abs(a),
    "min(a, b)": min,
    "max(a, b)": max,
    "a << (b & 31)": lambda a, b: a << (b & 31),
    "a >> (b & 31)": lambda a, b: a >> (b & 31),
    "a if a < b else b": min,
    "1 if a <= b else 0": lambda a, b: int(a <= b),
    "1 if a == b else 0": lambda a, b: int(a == b),
    "1 if a > b else 0": lambda a, b: int(a > b),
    "1 if not a else 0": lambda a, b: int(not a),
    "1 if a and b else 0": lambda a, b: int(bool(a and b)),
    "1 if a or b else 0": lambda a, b: int(bool(a or b)),
    "np.int64(a < b) + (a > 0)": lambda a, b: int(a < b) + int(a > 0),
    "np.int64(np.int32(a))": lambda a, b: (a + 2**31) % 2**32 - 2**31,
    "np.int32(a) * np.int32(b)": lambda a, b: ((a + 2**31) % 2**32 - 2**31) * ((b + 2**31) % 2**32 - 2**31),
    "np.int64(np.uint64(a) >> 1)": lambda a, b: (a % 2**64) >> 1,
    "1 if np.uint64(a) < np.uint64(b) else 0": lambda a, b: int(a % 2**64 < b % 2**64),
    "a // 8 + a % 8": lambda a, b: a // 8 + a % 8,
    "a // 10 + a % 10": lambda a, b: a // 10 + a % 10,
    "trailing_zeros(np.uint64(a | 4096))": lambda a, b: bin(a % 2**64 | 4096)[::-1].index("1"),
    "64 - leading_zeros(np.uint64(a))": lambda a, b: (a % 2**64).bit_length(),
}


@pytest.mark.dear
@pytest.mark.parametrize("expression", OPERATIONS)
def test_whole_numbers_are_those_of_python_in_64_bits(expression: str) -> None:
    numbers = np.array(WHOLE, np.int64)
    found = of_pairs(expression, numbers, numbers, np.int64)
    right = [wrapped(OPERATIONS[expression](a, b)) for a in WHOLE for b in WHOLE]
    assert found.tolist() == right


@pytest.mark.dear
@pytest.mark.parametrize(
    "expression",
    ["a + b", "a - b", "a * b", "a / b", "-a", "abs(a)", "a % b", "a // b", "a if a < b else b", "math.sqrt(abs(a))"],
)
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_real_numbers_are_those_of_numpy(expression: str, precision: Any) -> None:
    with np.errstate(all="ignore"):
        numbers = np.array(REALS).astype(precision)
        a, b = (x.ravel() for x in np.meshgrid(numbers, numbers, indexing="ij"))
        numpy = {"a if a < b else b": np.where(a < b, a, b), "math.sqrt(abs(a))": np.sqrt(np.abs(a))}
        right = numpy.get(expression)
        right = eval(expression, {"a": a, "b": b}) if right is None else right
    found = of_pairs(expression, numbers, numbers, precision)
    if expression == "a // b":  # programs never divide by 0
        found, right = found[b != 0], right[b != 0]
    whole = {4: np.uint32, 8: np.uint64}[found.itemsize]
    valid = ~np.isnan(right)
    assert (np.isnan(found) == ~valid).all()
    if expression in ("a % b", "a // b"):  # the sign of a zero is not told
        assert (found[valid] == right[valid]).all()
    else:
        assert (found[valid].view(whole) == right[valid].view(whole)).all()


FLOW = """
LIMIT = 3
BITS = np.uint64(18446744073709551615)

def twice(values, i):
    values[i] *= 2

def count(values, out):
    kept = 0
    for i in range(1, values.shape[0], 2):
        if values[i] < 0:
            continue
        kept += values[i]
        if kept > 100:
            out[0] = -1
            return
        elif kept > 50:
            out[2] += 1
        else:
            out[3] = i
    at = 0
    while at < values.shape[0] and values[at] != 0:
        at += 1
    out[0] = kept
    out[1] = at

def f(values, square, flags, out):
    count(values, out)
    row = square[1]
    for j in range(LIMIT):
        row[j] = square[0, j] + 10 * row[j]
        twice(row, j)
    flags[0] = out[0] > 0
    flags[1] = not flags[0]
    out[4] = np.int64(flags[0]) + values.itemsize + np.int64(BITS >> 60)
"""


@pytest.mark.dear
def test_statements() -> None:
    values = np.array([5, 1, 2, -7, 3, 60, 0, 8], np.int16)
    square, flags, out = np.arange(6, dtype=np.int32).reshape(2, 3), np.zeros(2, np.bool_), np.zeros(5, np.int64)
    call(FLOW, values, square, flags, out)
    assert out.tolist() == [69, 6, 2, 1, 1 + 2 + 15]
    assert square.tolist() == [[0, 1, 2], [2 * 30, 2 * 41, 2 * 52]]
    assert flags.tolist() == [True, False]


@pytest.mark.dear
@pytest.mark.parametrize(("index", "outside"), [("0", 0), ("4", 0), ("5", 1), ("-1", 1), ("1 << 40", 1)])
def test_checked_indices_are_counted_and_harm_nothing(index: str, outside: int) -> None:
    values = np.zeros(5)
    library = built(f"def f(values):\n    values[{index}] = 1.0\n", "f", values, checked=True)
    library.function("f", 0, returns=False)(np.array([values.ctypes.data, 5], np.int64).ctypes.data)
    assert library.number(OUTSIDE).value == outside and values.sum() == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x = y", "generated code cannot be compiled: y in f"),
        ("values.sort()", "generated code cannot be compiled: values.sort() in f"),
        ("x, y = 1, 2", "generated code cannot be compiled: x, y = (1, 2) in f"),
        ("values[0, 1] = 1", "generated code cannot be compiled: values[0, 1] in f"),
        ("x = values[0] @ 2", "generated code cannot be compiled: values[0] @ 2 in f"),
        ("x = unknown(1)", "generated code cannot be compiled: unknown(1) in f"),
        ("x = values + 1", "generated code cannot be compiled: values in f"),
        ("x = 1\n    x = 0.5", "generated code gives x of f values of two types"),
    ],
)
def test_what_has_no_translation_is_a_fault_that_is_told(line: str, said: str) -> None:
    module = Module(f"def f(values):\n    {line}\n")
    with pytest.raises(InternalError) as error:
        module.entry("f", [array_of(np.zeros(3))], 0)
    assert str(error.value).splitlines()[0] == said


@pytest.mark.dear
def test_a_ring_of_many_populations_stays_a_short_text() -> None:
    """What a function that is called often costs does not grow with what else calls it."""
    calls = "\n".join(f"    twice(values_{k})" for k in range(40))
    names = ", ".join(f"values_{k}" for k in range(40))
    twice = "def twice(values):\n    for i in range(values.shape[0]):\n        values[i] *= 2\n"
    text = f"{twice}\ndef f({names}):\n{calls}\n"
    arrays = [np.full(3, k) for k in range(40)]
    call(text, *arrays)
    assert [values.tolist() for values in arrays] == [[2 * k] * 3 for k in range(40)]
    module = Module(text)
    module.entry("f", [array_of(values) for values in arrays], 0)
    assert module.ir().count("define internal") == 1 and "noinline" in module.ir()


COUNTING = """
def f(shared, seen):
    for k in range(100000):
        atomic_add(shared, 1, 2)
        if k % 1000 == 0:
            yield_processor()
    seen[0] = atomic_add(shared, 0, 5)
    seen[1] = atomic_load(shared, 0)
"""


@pytest.mark.dear
def test_what_threads_add_at_the_same_time_is_all_there() -> None:
    shared, seen = np.zeros(2, np.int64), np.zeros(2, np.int64)
    table = np.array([shared.ctypes.data, 2, seen.ctypes.data, 2], np.int64)
    function = built(COUNTING, "f", shared, seen).function("f", 0, returns=False)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(function, [table.ctypes.data] * 3))
    assert shared.tolist() == [15, 600_000]
    assert seen[0] in (0, 5, 10) and seen[1] in (5, 10, 15)


def test_what_threads_share_in_python() -> None:
    shared = np.array([3, 4])
    words.yield_processor()
    assert (words.atomic_add(shared, 1, 5), words.atomic_load(shared, 1), shared.tolist()) == (4, 9, [3, 9])


@pytest.mark.dear
@pytest.mark.parametrize("name", ["floordiv", "mod", "trunc_div", "round_div"])
def test_functions_of_every_module_do_as_in_python(name: str) -> None:
    """They are a module that Python can run, too."""
    numbers = np.array([0, 1, -1, 2, -2, 3, -3, 7, -8, 100, -101, 2**40, -(2**40) - 1], np.int64)
    found = of_pairs(f"{name}(a, b)", numbers, numbers, np.int64)
    assert found.tolist() == [getattr(runtime, name)(a, b) for a in numbers.tolist() for b in numbers.tolist()]


@pytest.mark.dear
def test_real_functions_of_every_module_do_as_in_python() -> None:
    numbers = np.array([0.1, 1.0, 1.5, 3.7, 1e-300, 1e300, 2.0**-20, 7.0])
    for expression in ("real_floordiv(a, b)", "real_mod(-a, b)", "real_min(a, b)", "exponent(a)", "significand(a)"):
        found = of_pairs(expression, numbers, numbers, np.float64)
        right = [eval(expression, vars(runtime) | {"a": a, "b": b}) for a in numbers.tolist() for b in numbers.tolist()]
        assert found.tolist() == right, expression
