"""The standard neurons of the library do what independent programs do, on `ideal` and on a chip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import pytest

import neuroport
from neuroport import backends
from neuroport.network.model import NeuronModel
from neuroport.session.verify import verify
from tests.support.library import (
    adaptive_lif,
    adaptive_threshold_lif,
    adex,
    alpha_lif,
    coba_lif,
    cuba_lif,
    double_exp_coba_lif,
    double_exp_lif,
    hodgkin_huxley,
    izhikevich,
    lif,
)
from tests.support.library.driving import Case, Neuron, driven
from tests.support.planning import shortened
from tests.support.published import Numbers

NEURONS: Mapping[str, Neuron] = {
    neuron.name: neuron
    for neuron in (
        adaptive_lif.NEURON,
        adaptive_threshold_lif.NEURON,
        adex.NEURON,
        alpha_lif.NEURON,
        coba_lif.NEURON,
        cuba_lif.NEURON,
        double_exp_coba_lif.NEURON,
        double_exp_lif.NEURON,
        hodgkin_huxley.NEURON,
        izhikevich.NEURON,
        lif.NEURON,
    )
}
each = pytest.mark.parametrize("name", NEURONS)


@cache
def ideal(name: str) -> Numbers:
    return NEURONS[name].numbers("ideal")


@cache
def expected(name: str) -> Numbers:
    return NEURONS[name].expected()


def off(name: str, found: Numbers, right: Numbers, relative: Mapping[str, float]) -> dict[str, str]:
    """The rows that are further from the right numbers than that; times may be a step off besides."""
    assert list(found) == list(right)
    step = NEURONS[name].dt
    return {
        row: f"{found[row]:.8g}, not {right[row]:.8g}"
        for row in right
        if not abs(found[row] - right[row]) <= relative[row] * abs(right[row]) + (step if row.endswith("(ms)") else 0)
    }


def wrong(name: str, found: Numbers) -> dict[str, str]:
    """The rows that are not as in the independent program.

    To 1e-8 where nothing says why not; spikes on a grid and steps of first order are up to 2.5 % off.
    """
    return off(
        name, found, expected(name), {look.quantity: 0.025 if look.why else 1e-8 for look in NEURONS[name].looks}
    )


@each
def test_a_neuron_does_what_an_independent_program_does(name: str) -> None:
    assert wrong(name, ideal(name)) == {}


@each
def test_a_neuron_on_a_chip_does_what_it_does_on_ideal(name: str) -> None:
    """To 1e-4 but for intervals, of which one may be a step longer."""
    exact = {look.quantity: 5e-3 if "interval" in look.quantity else 1e-4 for look in NEURONS[name].looks}
    assert off(name, NEURONS[name].numbers("generic16"), ideal(name), exact) == {}


MUTANTS = [
    ("lif", {"ref = t_ref": "ref = t_ref + 2"}),
    ("lif", {"gain * i + jump": "gain * i - jump"}),
    ("lif", {"\\nref = t_ref": "", "v = v_reset\\n": "v = v_reset"}),
    ("adaptive_lif", {"i - i_a": "i + i_a"}),
    ("adaptive_lif", {"i_a + b": "i_a + 1.1 * b"}),
    ("adaptive_lif", {"a * (1 - decay_a)": "a * (1 - decay)"}),
    ("adaptive_threshold_lif", {"and ref == 0": ""}),
    ("adaptive_threshold_lif", {"omega + th_1": "omega - th_1"}),
    ("adaptive_threshold_lif", {"th_2 * decay_2": "th_2 * decay_1"}),
    ("adaptive_threshold_lif", {"th_1 + alpha_1": "th_1 + alpha_2"}),
    ("alpha_lif", {"weight * exc": "exc"}),
    ("alpha_lif", {"rise_exc * x_exc": "decay_exc * x_exc"}),
    ("alpha_lif", {"+ from_x_exc * x_exc": ""}),
    ("alpha_lif", {"decay * late_inh": "late_inh"}),
    ("cuba_lif", {"i_inh * decay_inh": "i_inh * decay_exc"}),
    ("cuba_lif", {"i_exc + i_inh + i": "i_exc - i_inh + i"}),
    ("coba_lif", {"g_inh * e_inh": "g_inh * e_exc"}),
    ("coba_lif", {"g_l + g_exc + g_inh": "g_l + g_exc"}),
    ("coba_lif", {"* e_inh + i": "* e_inh"}),
    ("double_exp_lif", {"weight_exc * exc": "exc"}),
    ("double_exp_lif", {"x_exc * rise_exc": "x_exc * decay_exc"}),
    ("double_exp_lif", {"mean_decay_exc - mean_rise_exc": "mean_decay_exc + mean_rise_exc"}),
    ("double_exp_coba_lif", {"ratio_inh * log_inh": "log_inh"}),
    ("double_exp_coba_lif", {"-log(ratio_exc) / part_exc": "log(ratio_exc) / part_exc"}),
    ("double_exp_coba_lif", {"rise_exc * dt": "decay_exc * dt"}),
    pytest.param("adex", {"- w + i": "+ w + i"}, marks=pytest.mark.slow),
    pytest.param("adex", {"w + b": "w"}, marks=pytest.mark.slow),
    pytest.param("adex", {"a * (v - v_rest) - w": "a * (v - v_rest) + w"}, marks=pytest.mark.slow),
    pytest.param("hodgkin_huxley", {"m * m * m * h": "m * m * h"}, marks=pytest.mark.slow),
    pytest.param("hodgkin_huxley", {"n * n * n * n": "n * n * n"}, marks=pytest.mark.slow),
    pytest.param("hodgkin_huxley", {"(v + 35) / 10": "(v + 45) / 10"}, marks=pytest.mark.slow),
    pytest.param("hodgkin_huxley", {"dt / c": "1.1 * dt / c"}, marks=pytest.mark.slow),
    pytest.param("izhikevich", {"u + d": "u - d"}, marks=pytest.mark.slow),
    pytest.param("izhikevich", {"a * (b * v - u)": "a * (b * v + u)"}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("name", "instead"), MUTANTS, ids=str)
def test_a_neuron_that_is_wrong_is_found(name: str, instead: dict[str, str]) -> None:
    try:
        found = NEURONS[name].numbers("ideal", instead)
    except AssertionError:
        return  # a variable leaves its range
    assert wrong(name, found) != {}


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


def together(names: Iterable[str]) -> neuroport.Network:
    """A network of neurons, five of each, that Poisson sources reach at every input."""
    network = neuroport.Network(dt="0.02 ms", name="together")
    network.population("sources", 20, "poisson", rate="1 kHz")
    weights = {"nA": 0.4, "mV": 3.0, "uS": 0.01, "": 40.0}
    for name in names:
        model = neuroport.models[name]
        assert isinstance(model, NeuronModel)
        network.population(name, 5, name)
        for target in model.inputs:
            weight = weights[target.unit] * (0.2 if target.name == "inh" else 1)
            sign = -1 if target.name == "inh" and target.unit == "nA" else 1
            network.project(
                "sources",
                name,
                "static",
                name=f"{name}_{target.name}",
                input=target.name,
                connect={"fixed_probability": 0.2},
                weight=sign * weight,
                ranges={"w": [-2 * weight, 2 * weight]},
            )
    network.protocol({"run": "12 ms"})
    return network


FEW = ("adaptive_threshold_lif", "alpha_lif")


@pytest.mark.dear
@pytest.mark.parametrize(
    ("names", "chip", "which"),
    [
        (FEW, "generic8", ("reference", "emulator")),
        pytest.param(tuple(NEURONS), "generic16", backends.ready(), marks=pytest.mark.slow),
        pytest.param(tuple(NEURONS), "generic8_stochastic", backends.ready(), marks=pytest.mark.slow),
    ],
    ids=["emulator", "all", "all, stochastic"],
)
def test_executors_make_the_same_bits_of_the_neurons(names: Sequence[str], chip: str, which: tuple[str, ...]) -> None:
    network = together(names).build()
    found = verify(*shortened(network, chip, None, steps=600), which, full=True)
    assert found.identical, found.first_difference
    with neuroport.open(network, "reference", chip) as session:
        session.run_protocol()
        assert [name for name in names if not session.spike_counts()[name]] == []
