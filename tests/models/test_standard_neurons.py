"""The standard neurons of the library do what independent programs do, on `ideal` and on a chip."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

import neuroport
from tests.support.library import models
from tests.support.library.driving import Case, driven
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
    "izhikevich",
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


TIMES = {
    "alpha_lif": [{"tau": tau} for tau in (0.5, 19.98, 20, 23, 80)],
    "cuba_lif": [{"tau": tau} for tau in (0.5, 20, 80)],
    "coba_lif": [{"tau": tau} for tau in (0.5, 20, 80)],
    "double_exp_lif": [
        {"tau_rise": rise, "tau_decay": tau} for rise, tau in ((0.5, 3), (2, 20), (19.98, 23), (20, 80))
    ],
    "double_exp_coba_lif": [{"tau_rise": rise, "tau_decay": tau} for rise, tau in ((0.5, 3), (2, 2), (5, 5.001))],
}
"""Time constants of a receptor (ms), near that of the membrane and far from it."""


@pytest.mark.parametrize("name", TIMES)
def test_both_receptors_of_a_neuron_work_alike(name: str) -> None:
    """What arrives at the one makes of it what the same makes of it at the other, but for the sign of currents."""
    current = "coba" not in name
    sign, weight, rest = (-1, 0.1, -70) if current else (1, 0.002, -60)
    cases = {}
    for k, times in enumerate(TIMES[name]):
        for receptor, change in (("exc", weight), ("inh", sign * weight)):
            params: dict[str, float] = {f"{time}_{receptor}": value for time, value in times.items()}
            params |= {} if current else {f"e_{receptor}": -20}
            cases[f"{receptor}{k}"] = Case(params, {"v": rest}, {}, {receptor: {0: change}})
    found = driven(name, cases, "ideal", 0.1, 30)
    for k in range(len(TIMES[name])):
        exc, inh = (found[f"{receptor}{k}"].states["v"] - rest for receptor in ("exc", "inh"))
        assert exc.max() > 0.1
        assert inh == pytest.approx(sign * exc, abs=1e-11)


def test_an_alpha_function_is_the_limit_of_two_exponentials() -> None:
    """Currents of nearly equal time constants, and conductances of equal ones, that `alpha_lif` has exactly."""
    pulse = {"exc": {0: 0.5}}
    alpha = driven("alpha_lif", {"a": Case({"tau_exc": 3}, {}, {}, pulse)}, "ideal", 0.1, 20, ("i_exc",))["a"]
    nearly = Case({"tau_rise_exc": 3, "tau_decay_exc": 3.0001}, {}, {}, pulse)
    double = driven("double_exp_lif", {"a": nearly}, "ideal", 0.1, 20, ("i_exc",))["a"]
    equal = Case({"tau_rise_exc": 3, "tau_decay_exc": 3}, {}, {}, {"exc": {0: 0.005}})
    conductance = driven("double_exp_coba_lif", {"a": equal}, "ideal", 0.1, 20, ("g_exc",))["a"]
    assert double.states["i_exc"] == pytest.approx(alpha.states["i_exc"], abs=1e-5)
    assert 100 * conductance.states["g_exc"] == pytest.approx(alpha.states["i_exc"], abs=1e-13)


def test_two_exponentials_that_are_one_are_refused() -> None:
    cell = {"cell": Case({"tau_rise_exc": 3, "tau_decay_exc": 3})}
    with pytest.raises(neuroport.InvalidInput, match="'weight_exc' of 'cells' is not finite; check the parameters"):
        driven("double_exp_lif", cell, "ideal", 0.1, 1)
