"""Which neurons a synapse model needs: what its blocks read of both sides, and which shipped models have that."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal

from neuroport.elaborate.state import Elaboration
from neuroport.errors import Problem
from neuroport.files import library
from neuroport.language.blocks import blocks
from neuroport.language.names import SPIKED, SynapseNames
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.network.objects import Projection

End = Literal["pre", "post"]
ENDS: tuple[End, End] = ("pre", "post")


def read_of(model: SynapseModel, end: End) -> frozenset[str]:
    """The names that a synapse model's blocks read of the neurons at an end."""
    trees = (node for block in blocks(model) for node in block.tree)
    found = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return frozenset(node.attr for node in found if isinstance(node.value, ast.Name) and node.value.id == end)


def lacking(made: Elaboration, projection: Projection, names: SynapseNames) -> Iterator[Problem]:
    """A problem for each end whose neurons lack what the synapse model reads, where shipped neuron models have it."""
    model = projection.synapse
    for end, population in zip(ENDS, (projection.source, projection.target), strict=True):
        absent = sorted(read_of(model, end) - set(names.choices(end)))
        takers = _having(read_of(model, end) - {trace.name for trace in model.traces}) if absent else []
        if takers:
            neuron = made.network.population(population).neuron.name
            variables = " and ".join(f"{end}.{name}" for name in absent)
            text = f"synapse model '{model.name}' of projection '{projection.name}' reads {variables}, which neuron "
            text += f"model '{neuron}' of population '{population}' does not have; {' and '.join(takers)} "
            text += "has all that it needs: take it" if len(takers) == 1 else "have all that it needs: take one of them"
            yield Problem(projection.place, text)


def _having(names: frozenset[str]) -> list[str]:
    """The shipped neuron models that have all of these."""
    neurons = [library.neuron(name) for name, kind, _ in library.names() if kind == "neuron"]
    return [f"'{neuron.name}'" for neuron in neurons if names <= _offered(neuron)]


def _offered(neuron: NeuronModel) -> frozenset[str]:
    """What a synapse may read of a neuron."""
    names = {state.name for state in neuron.states} | {parameter.name for parameter in neuron.parameters}
    spiked = {SPIKED} if neuron.spike is not None else set()
    return frozenset(names | {name for name, _ in neuron.derived} | spiked)
