"""The paths of --set that change a network, for completion: what exists in it, and what could be added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from neuroport.network.described import unit
from neuroport.network.model import Parameter, State

if TYPE_CHECKING:
    from neuroport.network.network import Network
    from neuroport.network.stimuli import Stimulus

TOP = {"seed": "seed of the network", "dt": "time step", "chip": "chip", "copies": "copies of the network"}
OF_POPULATION = {"size": "neurons", "neuron": "model", "mismatch": "whether its circuits deviate"}
OF_PROJECTION = {
    "weight": "weights",
    "delay": "axonal delay",
    "dendritic_delay": "delay per synapse",
    "connect": "which neurons are joined",
    "synapse": "model",
    "source": "population",
    "target": "population",
    "input": "input of the target",
    "twin": "projection whose synapses correspond",
    "modulators": "variables that all synapses see",
    "mismatch": "whether its circuits deviate",
}


def paths(network: Network) -> Iterator[tuple[str, str]]:
    """(path, what it is) of all that --set can change but lists of the protocol, items of which have numbers."""
    yield from TOP.items()
    for population in network.populations:
        model = population.neuron
        yield from _owned(population.name, OF_POPULATION, model.parameters, model.states)
    for projection in network.projections:
        synapse = projection.synapse
        yield from _owned(projection.name, OF_PROJECTION, synapse.parameters, synapse.states)
    for stimulus in network.stimuli:
        yield from ((f"{stimulus.name}.{key}", "of the stimulus") for key in _given(stimulus))
    yield from _recorded(network)


def _given(stimulus: Stimulus) -> Iterator[str]:
    """The keys of a stimulus that a file must have given: only those are found without naming their kind."""
    common = ("name", "population", "input", "place")
    for own in fields(stimulus):
        if own.name not in common and getattr(stimulus, own.name) != own.default:
            yield own.name


def _owned(
    owner: str, keys: dict[str, str], parameters: tuple[Parameter, ...], states: tuple[State, ...]
) -> Iterator[tuple[str, str]]:
    yield from ((f"{owner}.{p.name}", f"parameter, {unit(p)}".removesuffix(", -")) for p in parameters)
    yield from ((f"{owner}.{key}", what) for key, what in keys.items())
    yield from ((f"{owner}.init.{s.name}", f"at first, {unit(s)}".removesuffix(", -")) for s in states)
    yield from ((f"{owner}.ranges.{s.name}", "range") for s in states)


def _recorded(network: Network) -> Iterator[tuple[str, str]]:
    yield "record.spikes", "all, or names of populations"
    for section, objects in (("states", network.populations), ("weights", network.projections)):
        for one in objects:
            model = one.neuron if hasattr(one, "neuron") else one.synapse
            yield from ((f"record.{section}.{one.name}.{s.name}", "how often it is sampled") for s in model.states)
