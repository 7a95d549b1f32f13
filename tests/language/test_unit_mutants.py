"""Models with one unit changed: how many of these mistakes are found, and which are not.

What is not found is multiplied or divided by what has no unit, a name that declares none or a literal, and by nothing
else. 1,893 such models of all that come with neuroport and of their networks: 1,635 are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import neuroport
from neuroport.language import dimensions
from neuroport.network.model import Input, NeuronModel, Parameter, State, SynapseModel
from neuroport.network.network import Network
from neuroport.network.objects import Projection
from neuroport.numerics import units
from tests.support.checkout import ROOT

Model = NeuronModel | SynapseModel
COHERENT = ("ms", "mV", "nA", "MOhm", "uS", "nF", "kHz")
RATES = {"tau_m", "tau_r"}
"""They make factors such as k = dt / tau, in 1 - k and k * i, where i has no unit: 1 and k may have some."""

SHIPPED: dict[str, set[str]] = {
    "adaptive_lif": set(), "adaptive_threshold_lif": set(), "adex": set(), "alpha_lif": set(), "clopath_adex": set(),
    "coba_lif": set(), "cuba_lif": set(), "double_exp_coba_lif": set(), "double_exp_lif": set(), "eprop_input": set(),
    "eprop_readout": set(), "hodgkin_huxley": set(), "lif": set(), "poisson": set(), "sal": set(), "stdp_pair": set(),
    "stdp_reward": {"eta"}, "stdp_dopamine": {"eta"}, "stdp_triplet": set(), "tsodyks_markram": {"r"}, "eprop": set(),
    "eprop_lif": {"tau_f", "f_goal"}, "stdp_inhibitory": {"rho_0"}, "synaptic_scaling": set(),
    "gle_linear": RATES, "gle_linear_adam": RATES, "gle_softmax_adam": RATES, "gle_softplus": RATES,
    "gle_softmax_batch": RATES, "gle_tanh_batch": RATES, "pal_output_error": {"tau_r", "tau_hp"},
    "gle_softplus_tau": {"tau_r"}, "gle_softplus_tau_adam": {"tau_r"}, "gle_tanh": RATES, "gle_tanh_adam": RATES,
    "pal_interneuron": {"tau_r"}, "pal_output": {"tau_r", "tau_hp"}, "pal_pyramidal": {"tau_r", "tau_hp", "tau_xi"},
    "pal_up": {"tau_w"},
}  # fmt: skip
"""Models that come with neuroport, and the names in them of which a wrong unit is not found."""

PUBLISHED: dict[str, set[str]] = {
    "brunel": set(), "dopamine": {"gated.tau_c"}, "triplet": set(),
    "clopath": {f"aeif.tau_{name}" for name in ("minus", "plus", "v", "w", "z")} | {"bursting.tau_x"},
    "diehl_cook": {"pixel.rate", "excitatory.tau", "excitatory.v_rest", "inhibitory.tau", "inhibitory.v_rest"},
    "eprop": {"leaky.tau_f", "leaky.f_goal"}, "potjans_diesmann": {"potjans_diesmann.background"},
    "synaptic_scaling": {"sensing.goal"}, "tsodyks_markram": {"depressing.w", "facilitating.w"},
    "vogels": {"inhibitory.rho_0"},
}  # fmt: skip


def mutants(model: Model) -> Iterator[tuple[str, Model]]:
    """The model with another unit for one of its names, for each of these and each unit."""
    for part in ("parameters", "states", "inputs"):
        items: tuple[Parameter | State | Input, ...] = getattr(model, part, ())
        for at, item in enumerate(items):
            for unit in COHERENT if item.unit and not units.is_step(item.unit) else ():
                if units.powers(unit) != units.powers(item.unit):
                    other = (*items[:at], replace(item, unit=unit), *items[at + 1 :])
                    yield item.name, replace(model, **{part: other})


def refused(model: Model) -> bool:
    problems = dimensions.of_neuron(model) if isinstance(model, NeuronModel) else dimensions.of_synapse(model)
    return bool(problems)


def refused_between(network: Network, item: Projection, model: Model, other: Model) -> bool:
    """Whether a projection is refused where one of the models at it is another one."""
    synapse = other if item.synapse == model else item.synapse
    ends = [other if (end := network.population(name).neuron) == model else end for name in (item.source, item.target)]
    assert isinstance(synapse, SynapseModel)
    source, target = (end for end in ends if isinstance(end, NeuronModel))
    problems, sent = dimensions.of_projection(synapse, source, target, None)
    into = {each.name: units.powers(each.unit) for each in target.inputs if each.unit}
    return bool(problems) or any(
        not each.back and dimensions.mismatch(each.dimension, into.get(item.input, each.dimension)) for each in sent
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_a_wrong_unit_in_a_model_is_found(name: str) -> None:
    survived = {name for name, other in mutants(neuroport.models[name]) if not refused(other)}
    assert survived == SHIPPED[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_wrong_unit_in_a_published_network_is_found(name: str) -> None:
    network = neuroport.load(ROOT / "networks" / "published" / f"{name}.yaml")
    models: dict[str, Model] = {each.neuron.name: each.neuron for each in network.populations}
    models |= {each.synapse.name: each.synapse for each in network.projections}
    survived = {
        f"{model.name}.{changed}"
        for model in models.values()
        if model.name not in neuroport.models
        for changed, other in mutants(model)
        if not refused(other) and not any(refused_between(network, item, model, other) for item in network.projections)
    }
    assert survived <= PUBLISHED[name]
