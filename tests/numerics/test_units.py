"""Units: what is read, what it is in the coherent system, and that conversions are exact."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuroport.numerics import units
from neuroport.numerics.units import Quantity


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("20 ms", 20, "ms"),
        ("20ms", 20, "ms"),
        ("-0.5 mV", -0.5, "mV"),
        ("5 Hz", 5, "Hz"),
        ("50 steps", 50, "steps"),
        ("1 step", 1, "step"),
        ("1e-5", 1e-5, ""),
        ("1e3 pA", 1e3, "pA"),
        ("3 mV/ms", 3, "mV/ms"),
        ("3 1/ms", 3, "1/ms"),
        ("7", 7, ""),
    ],
)
def test_quantities_are_read(text: str, number: float, unit: str) -> None:
    read = units.parse(text)
    assert read == Quantity(number, unit)
    assert type(read.number) is type(number)


@pytest.mark.parametrize(
    ("number", "unit", "coherent", "dimension"),
    [
        (20, "ms", 20.0, "time"),
        (2, "s", 2000.0, "time"),
        (20, "us", 0.02, "time"),
        (5, "Hz", 0.005, "rate"),
        (1, "V", 1000.0, "voltage"),
        (300, "pA", 0.3, "current"),
        (1, "GOhm", 1000.0, "resistance"),
        (7, "nS", 0.007, "conductance"),
        (250, "pF", 0.25, "capacitance"),
        (3, "pC", 3.0, "charge"),
        (3, "V/s", 3.0, "mV/ms"),
        (2, "nA*ms", 2.0, "charge"),
        (2, "1/s", 0.002, "rate"),
        (2, "mV^2", 2.0, "mV^2"),
        (4, "steps", 4.0, "steps"),
        (4, "", 4.0, "number"),
    ],
)
def test_the_coherent_system_is_ms_mv_na(number: float, unit: str, coherent: float, dimension: str) -> None:
    assert units.coherent(number, unit) == (coherent, dimension)


def test_ohms_law_needs_no_factor() -> None:
    current, _ = units.coherent(2, "nA")
    resistance, _ = units.coherent(3, "MOhm")
    capacitance, _ = units.coherent(4, "nF")
    assert current * resistance == units.coherent(6, "mV")[0]
    assert resistance * capacitance == units.coherent(12, "ms")[0]


@pytest.mark.parametrize(
    ("time", "dt", "steps"), [("0.3 ms", "0.1 ms", 3), ("1 s", "0.1 ms", 10000), ("7 steps", "1 ms", 7)]
)
def test_steps_are_exact_where_floats_are_not(time: str, dt: str, steps: int) -> None:
    assert units.steps(units.parse(time), units.parse(dt)) == steps


def test_a_part_of_a_step_stays_a_part() -> None:
    assert units.steps(units.parse("2.5 ms"), units.parse("1 ms")) == Fraction(5, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("twenty ms", "'twenty ms' is not a number with a unit such as '20 ms'"),
        ("\uff15 ms", "'\uff15 ms' is not a number with a unit such as '20 ms'"),
        ("nan ms", "'nan ms' is not a number with a unit such as '20 ms'"),
    ],
)
def test_what_is_no_quantity_is_refused(text: str, message: str) -> None:
    with pytest.raises(units.UnitError) as caught:
        units.parse(text)
    assert str(caught.value) == message


def test_an_unknown_unit_gets_a_hint() -> None:
    with pytest.raises(units.UnitError) as caught:
        units.parse("5 hz")
    assert str(caught.value) == (
        "unknown unit 'hz'; did you mean 'Hz'? known are ms, s, us, mV, V, nA, pA, uA, MOhm, GOhm, uS, nS, pS, nF, pF, "
        "pC, Hz, kHz, step, steps and products such as mV/ms"
    )


def test_different_dimensions_do_not_convert() -> None:
    with pytest.raises(units.UnitError, match="3 ms is not in mV"):
        units.convert(Quantity(3, "ms"), "mV")


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["", "ms", "kHz", "pA", "steps", "mV/ms"]))
def test_what_is_shown_reads_back(number: float, unit: str) -> None:
    assert units.parse(units.show(Quantity(number, unit))) == Quantity(number, unit)


@given(st.integers(-(10**15), 10**15), st.sampled_from([("ms", "us"), ("V", "mV"), ("nS", "uS"), ("Hz", "kHz")]))
def test_converting_there_and_back_changes_nothing(number: int, pair: tuple[str, str]) -> None:
    there = units.convert(Quantity(number, pair[0]), pair[1])
    assert units.convert(Quantity(there, pair[1]), pair[0]) == number
