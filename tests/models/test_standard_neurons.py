"""The standard neurons of the library do what independent programs do, on `ideal` and on a chip."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from tests.support.library import models
from tests.support.published import Model, Numbers

NEURONS = (
    "adaptive_lif",
    "adaptive_threshold_lif",
    "adex",
    "alpha_lif",
    "coba_lif",
    "cuba_lif",
    "double_exp_coba_lif",
    "double_exp_lif",
    "hodgkin_huxley",
    "lif",
)
ENTRIES: Mapping[str, Model] = {model.name: model for model in models() if model.name in NEURONS}
STEP = 0.1
"""ms: a spike may be as much later than that of a program that knows no steps."""

each = pytest.mark.parametrize("name", NEURONS)


@cache
def ideal(name: str) -> Numbers:
    return ENTRIES[name].measure("ideal", 1)


def off(found: Numbers, right: Numbers, relative: Mapping[str, float]) -> dict[str, str]:
    """The rows that are further from the right numbers than that; times may be a step off besides."""
    assert list(found) == list(right)
    return {
        row: f"{found[row]:.8g}, not {right[row]:.8g}"
        for row in right
        if abs(found[row] - right[row]) > relative[row] * abs(right[row]) + (STEP if row.endswith("(ms)") else 0)
    }


@each
def test_a_neuron_does_what_an_independent_program_does(name: str) -> None:
    """To 1e-8 where nothing says why not; spikes on a grid and steps of first order are up to 2 % off."""
    entry = ENTRIES[name]
    exact = {row.quantity: 0.02 if row.why else 1e-8 for row in entry.rows}
    assert off(ideal(name), entry.independent(1), exact) == {}


@each
def test_a_neuron_on_a_chip_does_what_it_does_on_ideal(name: str) -> None:
    """To 1e-4 but for intervals, of which one may be a step longer."""
    entry = ENTRIES[name]
    exact = {row.quantity: 5e-3 if "interval" in row.quantity else 1e-4 for row in entry.rows}
    assert off(entry.measure("generic16", 1), ideal(name), exact) == {}
