"""Sums and largest values over elements: what comes of each group, in the order that all executors keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neuroport.program.reductions import Groups, groups_of, most_terms, reduced, spread
from tests.support.small_programs import rich

GROUPS = Groups(np.array([1, 0, 1, 1]), 3)


@pytest.mark.parametrize(
    ("op", "values", "right"),
    [
        ("sum", [1, 2, 4, 8], [2, 13, 0]),
        ("sum", [1e16, 1.0, 1.0, -1e16], [1.0, 0.0, 0.0]),
        ("sum", [-0.0, -0.0, -0.0, -0.0], [0.0, 0.0, 0.0]),
        ("sum", [[1, 10], [2, 20], [4, 40], [8, 80]], [[2, 20], [13, 130], [0, 0]]),
        ("max", [1, -2, -4, 8], [-2, 8, -(2**63)]),
        ("max", [-1.5, -0.0, np.nan, 8.0], [0.0, np.nan, -np.inf]),
        ("max", [[1, 80], [2, 20], [4, 40], [8, 10]], [[2, 20], [8, 80], [-(2**63)] * 2]),
    ],
)
def test_groups_are_reduced_in_order(op: Any, values: list[Any], right: list[Any]) -> None:
    given = np.array(values)
    found = reduced(op, given, GROUPS)
    np.testing.assert_array_equal(found, np.array(right))
    assert found.dtype == given.dtype
    assert not np.signbit(found[found == 0]).any()
    np.testing.assert_array_equal(spread(op, given, GROUPS), np.array(right)[GROUPS.of])


def test_sums_of_single_precision_are_rounded_at_every_term() -> None:
    values = np.full(2**10, 2.0**-24, np.float32)
    values[0] = 1
    assert reduced("sum", values, Groups(np.zeros(2**10, np.int64), 1)) == 1
    assert reduced("sum", values.astype(np.float64), Groups(np.zeros(2**10, np.int64), 1)) == 1 + 1023 * 2.0**-24


def test_what_belongs_together() -> None:
    program = rich()
    forward = program.projection("forward")
    assert groups_of(program, "in", "population").of.tolist() == [0] * program.population("in").size
    assert np.array_equal(groups_of(program, "forward", "incoming").of, forward.post)
    assert np.array_equal(groups_of(program, "forward", "outgoing").of, forward.pre)
    assert groups_of(program, "forward", "shared").of.tolist() == list(range(forward.synapses))
    ends = (forward.source_size, forward.target_size)
    assert [most_terms(forward.wiring, ends, axis) for axis in ("incoming", "outgoing", "shared")] == [
        np.bincount(forward.post).max(),
        np.bincount(forward.pre).max(),
        1,
    ]
