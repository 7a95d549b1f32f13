"""Real numbers as arrays hold them: the quick way for what lies inside a format, beside the exact one."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from neuroport.program.held import held
from neuroport.program.ir import Int
from tests.support.small_programs import array

KINDS = [Int(-128, 127, 6), Int(0, 255, 0), Int(-(2**31), 2**31 - 1, 40), Int(-5, 9, -3), Int(-(2**62), 2**62, 50)]


def rounded(value: float, kind: Int) -> int:
    """Half away from zero, put to the ends of the format, in exact numbers."""
    exact = Fraction(value) * Fraction(2) ** kind.frac
    whole = math.floor(abs(exact) + Fraction(1, 2))
    return min(max(whole if exact >= 0 else -whole, kind.lo), kind.hi)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_numbers_are_held_as_exact_rounding_says(kind: Int) -> None:
    draw = np.random.default_rng(3)
    ends = np.ldexp([float(kind.lo), float(kind.hi)], -kind.frac)
    unit = 2.0**-kind.frac
    values = [*draw.uniform(*ends, 300), *(unit * (draw.integers(-9, 9, 100) + 0.5)), *ends, 0.0, -0.0, 5e-324]
    values += [unit * 0.49999999999999994, -unit * 0.49999999999999994, unit * np.nextafter(1.5, 0), ends[1] + unit]
    a = array("p.x", "neuron", "state", [0], kind)
    inside = [v for v in values if ends[0] <= v <= ends[1]]
    for some in (values, inside):
        raw, outside = held(np.array(some), a)
        assert raw.tolist() == [rounded(v, kind) for v in some]
        assert not outside[: len(inside)].any() or some is values
    assert not held(np.array(inside), a)[1].any()


@pytest.mark.parametrize("kind", KINDS[:2], ids=str)
def test_ints_are_held_too(kind: Int) -> None:
    a = array("p.x", "neuron", "state", [0], kind)
    values = np.array([0, 1, 1])
    assert held(values, a)[0].tolist() == [rounded(float(v), kind) for v in values]


def test_only_the_end_of_a_range_may_lie_a_unit_beyond_its_format() -> None:
    """And no other value of the range, where its format holds less than all of that."""
    whole, part = (replace(array("p.x", "neuron", "state", [0], kind), range=ends) for kind, ends in (
        (Int(-128, 127, 7), (-1.0, 1.0)), (Int(-128, 0, 0), (-128.0, 127.0))
    ))  # fmt: skip
    assert held(np.array([1.0, -1.0, 1.01]), whole)[1].tolist() == [False, False, True]
    assert held(np.array([0.0, 1.0, 2.0, -128.0, -129.0]), part)[1].tolist() == [False, True, True, False, True]
