"""Mean and standard deviation over runs, of whatever they have in common."""

from __future__ import annotations

from typing import Any

import pytest

from neuroport.commands.spread import Spread, spread


def test_numbers_are_joined_wherever_they_are() -> None:
    runs = [{"a": 1, "b": [1.0, 5], "name": "x"}, {"a": 2, "b": [3.0, 5], "name": "x"}, {"a": 6, "b": [5.0, 5]}]
    assert spread(runs) == {"a": Spread(3.0, 7**0.5), "b": [Spread(3.0, 2.0), Spread(5.0, 0.0)], "name": "x"}


@pytest.mark.parametrize(
    ("runs", "wanted"),
    [
        ([0.1] * 3, Spread(0.1, 0.0)),
        ([None, 4], Spread(4.0, None)),
        ([None, None], None),
        ([{"a": 1}, {"b": 1}], {"a": Spread(1.0, None), "b": Spread(1.0, None)}),
        ([[1], [1, 2]], None),
        ([True, True], True),
        ([True, False], None),
        (["one", "other"], None),
        ([1, "other"], None),
    ],
)
def test_what_not_all_runs_have(runs: list[Any], wanted: Any) -> None:
    assert spread(runs) == wanted


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Spread(74.66666, 2.5166), "74.7 ± 2.5"),
        (Spread(1234567.0, 12.0), "1.23457e+06 ± 12"),
        (Spread(0.0012345, 0.00056789), "0.00123 ± 0.00057"),
        (Spread(1234.5, 560.0), "1230 ± 560"),
        (Spread(0.5, 0.0), "0.5 ± 0"),
        (Spread(1 / 3, None), "0.333333"),
        (Spread(float("inf"), float("nan")), "inf ± nan"),
    ],
)
def test_as_many_digits_as_mean_something(one: Spread, text: str) -> None:
    assert str(one) == text
