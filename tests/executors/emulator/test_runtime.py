"""What every generated module has: each of its functions does what it says, in Python and compiled."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import runtime, runtime_copies, runtime_threads, runtime_totals
from neuroport.backends.emulator.prelude import prelude, reserved
from neuroport.copies.axis import LANES, sum_over_copies
from neuroport.numerics import rng
from tests.support.compiled import call

Numbers = np.ndarray[Any, Any]
LARGEST, LOWEST = 2**63 - 1, -(2**63)
PAIRS = [(a, b) for a in (0, 1, -1, 5, -5, 7, -8, 101, LARGEST, LOWEST + 1) for b in (1, -1, 2, -2, 3, -4, 10, LARGEST)]
REALS = [(a, b) for a in (0.0, 0.5, -0.5, 3.7, -3.7, 1e300) for b in (0.1, 1.0, -1.0, 2.5, -1e-3)]
NAN = math.nan
KEY = 0xFEDCBA9876543210


@dataclass(frozen=True)
class Case:
    """Lines that call a function, the arrays that they use, and what these hold afterwards, unless that is the same."""

    lines: str
    given: dict[str, Numbers]
    right: dict[str, Any] = field(default_factory=dict)


def each(expression: str, rows: list[tuple[Any, ...]], right: Callable[..., Any], kind: Any = np.int64) -> Case:
    """An expression of a, b and c, for many of them; numbers are Python's."""
    values = {name: np.array(column, kind) for name, column in zip("abc", zip(*rows, strict=True), strict=False)}
    out = np.zeros(len(rows), kind)
    called = expression
    for name in values:
        called = called.replace(f"<{name}>", f"{name}[k]")
    lines = f"for k in range(out.shape[0]):\n    out[k] = {called}"
    return Case(lines, {**values, "out": out}, {"out": [right(*row) for row in rows]})


def words(*numbers: int) -> Numbers:
    return np.array(numbers, np.uint64)


def whole(*numbers: int) -> Numbers:
    return np.array(numbers, np.int64)


def nearest(a: int, b: int) -> int:
    """A quotient, rounded half away from zero."""
    exact = abs(Fraction(a, b))
    return (1 if (a < 0) == (b < 0) else -1) * math.floor(exact + Fraction(1, 2))


def draws(expression: str, right: Callable[[int], int]) -> Case:
    """An expression of a 64-bit word."""
    numbers = [0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF]
    lines = f"for k in range(out.shape[0]):\n    out[k] = {expression}"
    given = {"a": words(*numbers), "key": words(KEY), "out": words(*[0] * 5)}
    return Case(lines, given, {"out": [right(n) for n in numbers]})


TERMS = np.random.default_rng(3).normal(size=(3, 21))
FIRED = np.zeros(16, np.bool_)
FIRED[[2, 8, 15]] = True
TABLE = np.arange(12, dtype=np.int64).reshape(4, 3) + 1
ROWS = {"acc": np.zeros((4, 3), np.int64), "table": TABLE}
COPIES = {"acc": np.zeros((4, 6), np.int64), "table": TABLE}


def added(row: int | None) -> dict[str, Any]:
    """What inputs of three neurons hold after step 5."""
    return {"acc": [[0] * 3, [0] * 3 if row is None else TABLE[row].tolist(), [0] * 3, [0] * 3]}


def added_to_copies(*rows: int | None) -> dict[str, Any]:
    """What inputs of three neurons of two copies hold after step 5."""
    values = np.zeros((4, 6), np.int64)
    for copy, row in enumerate(rows):
        if row is not None:
            values[1, copy::2] = TABLE[row]
    return {"acc": values.tolist()}


def kept(room: int, at: int, right: dict[str, Any]) -> Case:
    """Three spikes of step 7, where `at` are already recorded."""
    given = {
        "spikes": np.array([[0] * 8, [2, 3, 7, 0, 0, 0, 0, 0]], np.int64),
        "count": whole(1, 3),
        "steps": np.full(room, -1, np.int64),
        "neurons": np.full(room, -1, np.int64),
        "ctl": whole(at, 0),
    }
    return Case("keep(7, spikes, count, steps, neurons, ctl, 0, 1)", given, right)


def sampled(some: bool) -> list[Case]:
    """Two values of step 5, of all neurons or of some: recorded first and last of two samples, or not due."""
    cases = [
        (0, 5, {"steps": [5, -1], "samples": [[7, 8], [0, 0]], "ctl": [15, 1, 0]}),
        (1, 5, {"steps": [-1, 5], "samples": [[0, 0], [7, 8]], "ctl": [15, 2, 1]}),
        (0, 6, {}),
    ]
    values = {"values": whole(9, 7, 9, 8), "chosen": whole(1, 3)} if some else {"values": whole(7, 8)}
    start = "sample_some(chosen, " if some else "sample("
    room = {"steps": whole(-1, -1), "samples": np.zeros((2, 2), np.int64)}
    return [
        Case(
            f"{start}5, values, steps, samples, ctl, 0, 10, 1, 2)", {**values, **room, "ctl": whole(due, at, 0)}, right
        )
        for at, due, right in cases
    ]


def injected(t: int, at: int, right: dict[str, Any]) -> Case:
    given = {
        "acc": np.zeros((2, 3), np.int64),
        "steps": whole(3, 7, 7, 8),
        "neurons": whole(0, 1, 1, 2),
        "values": whole(9, 10, 20, 30),
        "ctl": whole(at),
    }
    return Case(f"inject({t}, acc, steps, neurons, values, ctl, 0)", given, right)


def series(hold: int, loop: int, start: int, row: int | None) -> Case:
    return Case(f"add_series(5, acc, table, {hold}, {loop}, {start})", ROWS, added(row))


def lanes(copies: int) -> Case:
    values = {"terms": TERMS[0], "out": np.zeros(1)}
    return Case(f"out[0] = sum_lanes(terms, {copies})", values, {"out": [sum_over_copies(TERMS[0, :copies])]})


def products(copies: int) -> Case:
    a, b = TERMS[:2].ravel(), TERMS[1:].ravel()
    right = sum_over_copies(TERMS[1, :copies] * TERMS[1, :copies])
    return Case(f"out[0] = sum_products(a, 21, b, 0, {copies})", {"a": a, "b": b, "out": np.zeros(1)}, {"out": [right]})


def total(lines: str, values: list[float], into: list[float], index: Sequence[int] = ()) -> Case:
    """What comes of values, of groups that hold 7 before; index: of incoming or outgoing synapses."""
    where = {"index": whole(*index)} if index else {}
    given = {"values": np.array(values), "into": np.full(len(into), 7.0), **where}
    return Case(lines, given, {"into": into})


CASES: dict[str, list[Case]] = {
    "prefetch_row": [Case("prefetch_row(a, rows, 1)", {"a": np.arange(99), "rows": whole(0, 3, 99)})],
    "mix": [draws("mix(a[k])", rng.mix)],
    "step_key": [draws("step_key(a[k], 41)", lambda key: rng.step_key(key, 41))],
    "random_word": [draws("random_word(key[0], a[k])", lambda element: int(rng.words(KEY, words(element))[0]))],
    "floordiv": [each("floordiv(<a>, <b>)", [*PAIRS, (7, 0)], lambda a, b: a // b if b else 0)],
    "mod": [each("mod(<a>, <b>)", [*PAIRS, (7, 0), (LOWEST, -1)], lambda a, b: a % b if b else 0)],
    "trunc_div": [each("trunc_div(<a>, <b>)", [*PAIRS, (7, 0)], lambda a, b: math.trunc(Fraction(a, b)) if b else 0)],
    "round_div": [each("round_div(<a>, <b>)", [*PAIRS, (7, 0)], lambda a, b: nearest(a, b) if b else 0)],
    "bit_length": [each("bit_length(<a>)", [(a,) for a, _ in PAIRS], int.bit_length)],
    "real_floordiv": [
        each("real_floordiv(<a>, <b>)", [*REALS, (2.5, 0.0)], lambda a, b: a // b if b else 0.0, np.float64)
    ],
    "float_floordiv": [each("float_floordiv(<a>, <b>)", REALS, lambda a, b: a // b, np.float64)],
    "float_mod": [each("float_mod(<a>, <b>)", REALS, lambda a, b: a % b, np.float64)],
    "real_mod": [each("real_mod(<a>, <b>)", [*REALS, (2.5, 0.0)], lambda a, b: a % b if b else 0.0, np.float64)],
    "real_min": [each("real_min(<a>, <b>)", [*REALS, (NAN, 1.0), (1.0, NAN)], np.minimum, np.float64)],
    "real_max": [each("real_max(<a>, <b>)", [*REALS, (NAN, 1.0), (1.0, NAN)], np.maximum, np.float64)],
    "select": [each("select(<a> > <b>, <a>, <b>)", PAIRS, max)],
    "power_of_two": [
        each(
            "power_of_two(<a>, -1)",
            [(k + 1.5 * 2.0**52,) for k in (-1000, -1, 0, 1, 1000)],
            lambda a: 2.0 ** (a - 1.5 * 2.0**52 - 1),
            np.float64,
        )
    ],
    "exponent": [
        each("exponent(<a>)", [(1e-300,), (0.75,), (1.0,), (1e9,)], lambda a: math.frexp(a)[1] - 1, np.float64)
    ],
    "significand": [
        each("significand(<a>)", [(1e-300,), (0.75,), (1.0,), (1e9,)], lambda a: 2 * math.frexp(a)[0], np.float64)
    ],
    "remember": [
        Case(
            "remember(7, values, past)",
            {"values": whole(7, 8), "past": np.zeros((2, 2), np.int64)},
            {"past": [[0, 0], [7, 8]]},
        )
    ],
    "collect": [
        Case(
            "collect(7, flags, spikes, count, ctl, 1)",
            {
                "flags": FIRED.view(np.uint64),
                "spikes": np.zeros((2, 16), np.int64),
                "count": whole(0, 9),
                "ctl": whole(0, 100),
            },
            {"spikes": [[0] * 16, [2, 8, 15, *[0] * 13]], "count": [0, 3], "ctl": [0, 103]},
        )
    ],
    "keep": [
        kept(20, 2, {"steps": [-1, -1, 7, 7, 7, *[-1] * 15], "neurons": [-1, -1, 2, 3, 7, *[-1] * 15], "ctl": [5, 0]}),
        kept(12, 2, {"steps": [-1, -1, 7, 7, 7, *[-1] * 7], "neurons": [-1, -1, 2, 3, 7, *[-1] * 7], "ctl": [5, 1]}),
        kept(13, 2, {"steps": [-1, -1, 7, 7, 7, *[-1] * 8], "neurons": [-1, -1, 2, 3, 7, *[-1] * 8], "ctl": [5, 0]}),
        kept(0, 0, {}),
    ],
    "due": [
        Case("out[0] = due(5, ctl, 0, 10)", {"ctl": whole(5), "out": whole(9)}, {"ctl": [15], "out": [1]}),
        Case("out[0] = due(5, ctl, 0, 10)", {"ctl": whole(6), "out": whole(9)}, {"out": [0]}),
    ],
    "lap": [
        Case(
            "now = lap(laps, 1, 5)\nout[0] = now - laps[1]\nlaps[1] = 0",
            {"laps": whole(3, 0), "out": whole(0)},
            {"out": [5]},
        )
    ],
    "sample": sampled(some=False),
    "sample_some": sampled(some=True),
    "inject": [
        injected(7, 1, {"acc": [[0, 0, 0], [0, 30, 0]], "ctl": [3]}),
        injected(7, 0, {"acc": [[0, 0, 0], [0, 30, 0]], "ctl": [3]}),
        injected(6, 1, {}),
        injected(11, 3, {"ctl": [4]}),
    ],
    "add_row": [Case("add_row(5, acc, table, 2)", ROWS, added(2))],
    "add_series": [series(2, 0, 1, 3), series(2, 0, 2, None), series(1, 0, 0, None), series(1, 1, 2, 3)],
    "add_scheduled": [
        Case(f"add_scheduled(5, {at}, acc, table, 4, 2, schedule)", {**ROWS, "schedule": whole(0, 1)}, added(row))
        for at, row in ((0, 0), (1, 0), (2, 1), (4, 2), (7, 3), (8, None))
    ],
    "sum_lanes": [lanes(copies) for copies in range(1, 22)],
    "sum_products": [products(copies) for copies in range(1, 22)],
    "add_to_copy": [Case("add_to_copy(5, acc, table, 2, 1, 2)", COPIES, added_to_copies(None, 2))],
    "add_series_of_copies": [
        Case(f"add_series_of_copies(5, acc, table, 2, {loop}, starts)", {**COPIES, "starts": whole(1, 2)}, right)
        for loop, right in ((0, added_to_copies(3, None)), (1, added_to_copies(3, 0)))
    ],
    "meet": [
        Case("meet(meeting, seat)", {"meeting": whole(8), "seat": whole(6, 3, 1)}, {"meeting": [9], "seat": [9, 3, 1]})
    ],
    "tell": [
        Case(
            "tell(7, spikes, count, told, told_count, told_start, seat)",
            {
                "spikes": np.array([[9, 9], [0, 3]]),
                "count": whole(1, 2),
                "told": whole(-1, -1, -1, -1, -1),
                "told_count": whole(7, 7, 7),
                "told_start": whole(0, 2, 4),
                "seat": whole(0, 3, 1),
            },
            {"told": [-1, -1, 2, 5, -1], "told_count": [7, 2, 7]},
        )
    ],
    "listen": [
        Case(
            "listen(7, told, told_count, told_start, spikes, count)",
            {
                "told": whole(0, -1, 2, 3, -1),
                "told_count": whole(1, 2, 0),
                "told_start": whole(0, 2, 4),
                "spikes": np.full((2, 5), 9),
                "count": whole(8, 8),
            },
            {"spikes": [[9] * 5, [0, 2, 3, 9, 9]], "count": [8, 3]},
        )
    ],
    "sum_population": [
        total("sum_population(values, into, 1)", [1.5, -2.0, 4.0], [3.5] * 3),
        total("sum_population(values, into, 2)", [1.0, 10.0, 2.0, 20.0, 3.0, 30.0], [6.0, 60.0] * 3),
        total("sum_population(values, into, 1)", [], []),
    ],
    "max_population": [
        total("max_population(values, into, 1)", [-3.0, -2.0, -4.0], [-2.0] * 3),
        total("max_population(values, into, 2)", [1.0, 30.0, 3.0, 20.0, 2.0, 10.0], [3.0, 30.0] * 3),
        total("max_population(values, into, 1)", [1.0, math.nan, 2.0], [math.nan] * 3),
        total("max_population(values, into, 1)", [], []),
    ],
    "sum_incoming": [
        total("sum_incoming(values, into, index, 1)", [1.0, 2.0, 4.0], [5.0, 2.0, 0.0], [0, 1, 0]),
        total("sum_incoming(values, into, index, 2)", [1.0, 10.0, 2.0, 20.0], [3.0, 30.0, 0.0, 0.0], [0, 0]),
    ],
    "max_incoming": [
        total("max_incoming(values, into, index, 1)", [-1.0, -2.0, -4.0], [-1.0, -2.0, 7.0], [0, 1, 0]),
        total("max_incoming(values, into, index, 2)", [1.0, 20.0, 2.0, 10.0], [2.0, 20.0, 7.0, 7.0], [0, 0]),
    ],
    "sum_columns": [
        total("sum_columns(values, into)", [1.0, 2.0, 10.0, 20.0], [11.0, 22.0]),
        total("sum_columns(values, into)", [], [0.0, 0.0]),
        total("sum_columns(values, into)", [], []),
    ],
    "max_columns": [
        total("max_columns(values, into)", [-1.0, -20.0, -10.0, -2.0], [-1.0, -2.0]),
        total("max_columns(values, into)", [], [7.0, 7.0]),
    ],
    "sum_outgoing": [
        total("sum_outgoing(values, into, index, 1)", [1.0, 2.0, 4.0], [3.0, 0.0, 4.0], [0, 2, 2, 3]),
        total("sum_outgoing(values, into, index, 2)", [1.0, 10.0, 2.0, 20.0], [3.0, 30.0, 0.0, 0.0], [0, 2, 2]),
    ],
    "max_outgoing": [
        total("max_outgoing(values, into, index, 1)", [-1.0, -2.0, -4.0], [-1.0, 7.0, -4.0], [0, 2, 2, 3]),
        total("max_outgoing(values, into, index, 2)", [1.0, 20.0, 2.0, 10.0], [2.0, 20.0, 7.0, 7.0], [0, 2, 2]),
    ],
    "add_scheduled_of_copies": [
        Case(
            f"add_scheduled_of_copies(5, {at}, acc, table, 4, 2, schedule)",
            {**COPIES, "schedule": np.array([[0, 1], [1, 0], [1, 1]])},
            right,
        )
        for at, right in ((0, added_to_copies(0, 2)), (7, added_to_copies(3, 1)), (8, added_to_copies(2, 2)), (12, {}))
    ],
}


def name_of(module: ModuleType) -> str:
    """The name by which a module stands before generated ones."""
    return module.__name__.rpartition(".")[2]


def in_python(case: Case, arrays: dict[str, Numbers]) -> None:
    with np.errstate(over="ignore"):
        exec(case.lines, {name: found for module in MODULES for name, found in vars(module).items()} | arrays)


def compiled(case: Case, arrays: dict[str, Numbers]) -> None:
    lines = "\n".join(f"    {line}" for line in case.lines.split("\n"))
    call(
        f"{prelude('float64', *map(name_of, MODULES[1:]))}\n\ndef f({', '.join(arrays)}):\n{lines}\n",
        *arrays.values(),
    )


@pytest.mark.parametrize("run", [in_python, pytest.param(compiled, marks=pytest.mark.dear)])
@pytest.mark.parametrize("name", CASES)
def test_function(name: str, run: Callable[[Case, dict[str, Numbers]], None]) -> None:
    for case in CASES[name]:
        arrays = {name: values.copy() for name, values in case.given.items()}
        run(case, arrays)
        for array, values in arrays.items():
            right = case.right.get(array, case.given[array])
            np.testing.assert_array_equal(values, right, f"{array} after {case.lines}")


MODULES = (runtime, runtime_copies, runtime_threads, runtime_totals)


def functions(module: ModuleType) -> list[str]:
    return [name for name, f in inspect.getmembers(module, inspect.isfunction) if f.__module__ == module.__name__]


def test_every_function_is_tried() -> None:
    assert sorted(CASES) == sorted(name for module in MODULES for name in functions(module))


@pytest.mark.parametrize("size", [1, 20, 32, 97])
@pytest.mark.parametrize("begin", [0, 10, 31, 63])
def test_every_cache_line_of_a_row_is_asked_for_wherever_memory_has_it(
    size: int, begin: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(runtime, "prefetch", lambda values, index: asked.append(index))
    runtime.prefetch_row(np.zeros(200, np.int16), whole(0, begin, begin + size), 1)
    assert all(begin <= index < begin + size for index in asked)
    for array in range(0, 64, 2):
        lines = {(array + 2 * index) // 64 for index in range(begin, begin + size)}
        assert {(array + 2 * index) // 64 for index in asked} == lines


def test_sums_have_as_many_lanes_as_other_executors() -> None:
    assert inspect.getsource(runtime_copies.sum_lanes).count("    sum_") == 3 * LANES


@pytest.mark.parametrize(
    ("module", "local"), [(runtime_copies, "c"), (runtime_threads, "seat"), (runtime_totals, "into")]
)
def test_names_that_modules_define_are_reserved_where_they_are(module: ModuleType, local: str) -> None:
    names = {*functions(module), local}
    assert set(functions(runtime)) <= reserved()
    assert names & reserved() == set() and names <= reserved(name_of(module))
