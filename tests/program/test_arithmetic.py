"""Formats, rounding, overflow and bounds."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neuroport.program import functions, intervals, whole
from neuroport.program.fixed import (
    LIMIT,
    constant,
    decode,
    encode,
    finest_frac,
    fit,
    fit_frac,
    overflow,
    overflow_array,
    round_shift,
    round_shift_array,
    word,
)
from neuroport.program.functions import FUNCTIONS
from neuroport.program.ir import Int
from neuroport.quantise import tables

MODES = ("toward_zero", "floor", "nearest", "nearest_even", "stochastic", "floor_min_step")


@pytest.mark.parametrize(
    ("mode", "rounded"),
    [
        # of -10, -6, -5, -2, -1, 0, 1, 2, 5, 6, 10 quarters: -2.5, -1.5, -1.25, -0.5 ...
        ("toward_zero", [-2, -1, -1, 0, 0, 0, 0, 0, 1, 1, 2]),
        ("floor", [-3, -2, -2, -1, -1, 0, 0, 0, 1, 1, 2]),
        ("nearest", [-3, -2, -1, -1, 0, 0, 0, 1, 1, 2, 3]),
        ("nearest_even", [-2, -2, -1, 0, 0, 0, 0, 0, 1, 2, 2]),
        ("floor_min_step", [-3, -2, -2, -1, -1, 0, 1, 1, 1, 1, 2]),
    ],
)
def test_rounding_modes_at_ties_of_both_signs(mode, rounded):
    values = [-10, -6, -5, -2, -1, 0, 1, 2, 5, 6, 10]
    assert [round_shift(v, 2, mode) for v in values] == rounded
    assert round_shift_array(np.array(values), 2, mode).tolist() == rounded


def test_stochastic_rounding_adds_the_draw_to_the_magnitude():
    assert [round_shift(5, 2, "stochastic", d) for d in range(4)] == [1, 1, 1, 2]
    assert [round_shift(-5, 2, "stochastic", d) for d in range(4)] == [-1, -1, -1, -2]
    assert round_shift(4, 2, "stochastic", 3) == 1
    draws = np.arange(4, dtype=np.uint64)
    assert round_shift_array(np.full(4, -6), 2, "stochastic", draws).tolist() == [-1, -1, -2, -2]


@given(st.integers(-(2**62) + 1, 2**62 - 1), st.integers(1, 62), st.sampled_from(MODES), st.integers(0, 2**32 - 1))
def test_arrays_and_integers_round_alike(x, shift, mode, draw):
    draws = np.array([draw], dtype=np.uint64)
    assert round_shift_array(np.array([x]), shift, mode, draws)[0] == round_shift(x, shift, mode, draw)


@given(st.integers(-(2**40), 2**40), st.integers(1, 20), st.sampled_from(MODES), st.integers(0, 2**20 - 1))
def test_rounding_stays_within_one_unit(x, shift, mode, draw):
    error = Fraction(round_shift(x, shift, mode, draw)) - Fraction(x, 2**shift)
    assert abs(error) < 1
    if mode.startswith("nearest"):
        assert abs(error) <= Fraction(1, 2)


def test_a_range_of_two_in_eight_bits_has_six_fractional_bits():
    assert fit_frac(-2, 2, 8) == 6
    assert fit_frac(-2, 2.001, 8) == 5
    assert fit_frac(0, 0, 8) == 0
    assert fit_frac(0, 1000, 8) == -3
    assert encode(np.array([-2.0, 2.0]), word(8, 6)).tolist() == [-128, 127]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(2, 63))
def test_the_frac_is_the_largest_that_fits(a, b, bits):
    largest = max(abs(Fraction(a)), abs(Fraction(b)))
    frac = fit_frac(min(a, b), max(a, b), bits)
    if largest:
        assert largest * Fraction(2) ** frac <= 2 ** (bits - 1) < largest * Fraction(2) ** (frac + 1)


def test_constants_drop_their_trailing_zeros():
    assert constant(0.5, 24) == (1, 1)
    assert constant(0.0, 24) == (0, 0)
    assert constant(6.0, 24) == (6, 0)
    assert constant(-0.75, 24) == (-3, 2)
    assert constant(2.0**30, 8) == (1, -30)
    assert constant(0.1, 8) == (51, 9)


@given(st.floats(-1e9, 1e9, allow_subnormal=False), st.integers(8, 32))
@example(0.998046875, 8)
def test_a_constant_is_within_half_a_unit_of_its_word(value, bits):
    raw, frac = constant(value, bits)
    assert abs(raw) < 2 ** (bits - 1) or raw == -(2 ** (bits - 1))
    assert abs(Fraction(raw) / Fraction(2) ** frac - Fraction(value)) <= abs(Fraction(value)) / 2 ** (bits - 2)


def test_encoding_rounds_ties_away_from_zero():
    values = np.array([0.5, 1.5, -0.5, -1.5, 0.49999999999999994, 2.4])
    assert encode(values, word(8)).tolist() == [1, 2, -1, -2, 0, 2]


def test_encoding_saturates_wide_words_at_their_exact_ends():
    assert encode(np.array([1e30, -1e30]), word(63)).tolist() == [2**62 - 1, -(2**62)]


@given(st.integers(-(2**31), 2**31 - 1), st.integers(-10, 40))
def test_decoding_undoes_encoding(raw, frac):
    kind = word(32, frac)
    assert encode(decode(np.array([raw]), frac), kind)[0] == raw


def test_overflow_saturates_wraps_or_refuses():
    assert [overflow(x, -128, 127, "saturate") for x in (-129, 0, 128)] == [-128, 0, 127]
    assert [overflow(x, -128, 127, "wrap") for x in (-129, 0, 128)] == [127, 0, -128]
    assert overflow_array(np.array([-129, 128]), -128, 127, "wrap").tolist() == [127, -128]
    with pytest.raises(OverflowError, match=r"128 is outside -128\.\.127"):
        overflow(128, -128, 127, "error")
    with pytest.raises(OverflowError):
        overflow_array(np.array([128]), -128, 127, "none")


def test_the_finest_frac_counts_the_bits_after_the_point_of_all_values():
    assert [finest_frac(np.array([x])) for x in (0.0, 3.0, 0.5, -0.375)] == [0, 0, 1, 3]
    assert finest_frac(np.array([*np.arange(-6000.0, 0), 0.25, 0.5])) == 2
    assert finest_frac(np.array([])) == 0


def test_a_range_without_negative_values_spends_no_bit_on_the_sign():
    assert fit(0, 1, 8) == Int(0, 128, 7), "and holds 1"
    assert fit(0, 15, 8) == Int(0, 240, 4)
    assert fit(0.3, 1, 16) == Int(9830, 32768, 15)
    assert fit(-1, 1, 8) == Int(-128, 127, 7)
    assert fit(-1, 0.7, 8) == Int(-128, 90, 7), "the ends of a range are those of its format"
    assert fit(0, 3, 63).hi <= LIMIT


@given(lo=st.floats(-1e6, 1e6), width=st.floats(1e-6, 1e6), bits=st.integers(4, 63))
def test_the_ends_of_a_format_are_those_of_its_range(lo, width, bits):
    kind = fit(lo, lo + width, bits)
    ends = [Fraction(end) * Fraction(2) ** kind.frac for end in (lo, lo + width)]
    assert abs(kind.lo - ends[0]) <= 0.5
    assert abs(kind.hi - ends[1]) <= (1 if lo < 0 else 0.5)
    assert max(abs(kind.lo), abs(kind.hi)) <= LIMIT


def test_int_types_know_their_width():
    assert [word(8).bits, Int(0, 255).bits, Int(0, 127).bits, Int(-1, 0).bits] == [8, 9, 8, 1]


SMALL = st.integers(-40, 40)
PAIR = st.tuples(SMALL, SMALL).map(lambda p: (min(p), max(p)))
BINARY = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "min": min,
    "max": max,
    "floordiv": whole.floor_div,
    "trunc_div": whole.trunc_div,
    "round_div": whole.round_div,
    "mod": lambda a, b: a % b if b else 0,
}


@settings(max_examples=300)
@given(PAIR, PAIR, st.sampled_from(sorted(BINARY)), st.data())
def test_bounds_hold_for_every_value(a, b, fn, data):
    x, y = data.draw(st.integers(*a)), data.draw(st.integers(*b))
    lo, hi = functions.bounds(fn, a, b)
    assert lo <= BINARY[fn](x, y) <= hi


@given(PAIR, st.integers(1, 8), st.sampled_from(MODES), st.integers(0, 255), st.data())
def test_bounds_of_roundings_hold(a, shift, mode, draw, data):
    x = data.draw(st.integers(*a))
    lo, hi = intervals.rounded(a, shift, mode)
    assert lo <= round_shift(x, shift, mode, draw) <= hi


def test_division_is_exact_at_its_corners():
    assert intervals.floor_div((-7, 7), (2, 3)) == (-4, 3)
    assert intervals.mod((0, 100), (7, 7)) == (0, 6)
    assert intervals.mod((0, 5), (7, 9)) == (0, 5)
    assert intervals.magnitude((-3, 2)) == (0, 3)


@pytest.mark.parametrize("fn", [fn for fn, function in FUNCTIONS.items() if function.curve])
def test_table_entries_are_correctly_rounded(fn):
    table = tables.table(fn, 64, 5, 33, 8, 32)
    assert 2**30 < np.abs(table.entries).max() < 2**31
    plain = {
        "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
        "softplus": lambda x: math.log1p(math.exp(x)),
        "exprel": lambda x: math.expm1(x) / x,
    }.get(fn) or getattr(math, fn)
    for i in (0, 1, 17, 32):
        x = (64 + 32 * i) / 256
        assert abs(table.entries[i] - plain(x) * 2.0**table.frac) <= 0.5 + 1e-5
    with localcontext() as context:
        context.prec = 60
        if fn == "exp":
            x = Decimal(64 + 32 * 17) / 256
            exact = x.exp() * 2**table.frac
            assert table.entries[17] == int(exact.to_integral_value(rounding="ROUND_HALF_UP"))


def test_a_table_states_its_interpolation_error():
    coarse, fine = tables.table("exp", -1024, 6, 33, 8, 32), tables.table("exp", -1024, 4, 129, 8, 32)
    assert 10 < coarse.error / fine.error < 20
