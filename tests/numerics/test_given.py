"""Whole numbers and seeds as a caller gives them."""

from __future__ import annotations

import numpy as np
import pytest

from neuroport.errors import InvalidInput, Place
from neuroport.numerics.given import LARGEST_SEED, checked_seed, whole


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3), np.int32(3)])
def test_whole_numbers_of_python_and_numpy_are_one_kind(value):
    assert whole(value) == 3 and type(whole(value)) is int and type(checked_seed(value)) is int


@pytest.mark.parametrize("value", [True, np.bool_(True), 3.0, np.float32(3), "3", None, [3], np.array([3]), object])
def test_nothing_else_is_a_whole_number(value):
    assert whole(value) is None


@pytest.mark.parametrize("seed", [0, LARGEST_SEED, np.uint64(LARGEST_SEED)])
def test_seeds_are_what_files_hold(seed):
    assert checked_seed(seed) == seed


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-1, "-1"), (2**63, "9223372036854775808"), (2**64, "18446744073709551616"), (0.5, "0.5"), (True, "True")],
)
def test_other_seeds_are_refused_with_what_is_allowed(value, shown):
    with pytest.raises(InvalidInput) as told:
        checked_seed(value, "--seed", Place("net.yaml", 3, 7))
    assert str(told.value) == f"net.yaml:3:7: --seed must be a whole number from 0 to 2**63 - 1; found {shown}"
