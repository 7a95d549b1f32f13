"""What may be a name in a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from neuroport.errors import InvalidInput, Place, Problem

if TYPE_CHECKING:
    from neuroport.network.model import NeuronModel, SynapseModel
    from neuroport.network.network import Network

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A name that somebody gives to a part of a network or model."""
NO_NAME = "is no name; use letters, digits and _, not starting with a digit"
"""What is said of another text in the place of a name."""


Named = tuple[str, Place | None, str]
"""A name, where it stands, and what has it."""


def check_names(network: Network) -> None:
    """InvalidInput for parts of a network with names that no file could give them, as objects of Python can have."""
    wrong = [(place, what, name) for name, place, what in _names(network) if not IDENTIFIER.fullmatch(name)]
    if wrong:
        raise InvalidInput(Problem(place, f"'{name}', the name of {what}, {NO_NAME}") for place, what, name in wrong)


def _names(network: Network) -> Iterator[Named]:
    yield from ((p.name, p.place, "a population") for p in network.populations)
    yield from ((p.name, p.place, "a projection") for p in network.projections)
    yield from ((s.name, s.place, "a stimulus") for s in network.stimuli)
    yield from ((p.name, p.place, "a port") for p in network.ports)
    yield from ((t.name, t.place, "a target") for t in network.targets)
    yield from ((r.name, r.place, "a readout") for r in network.readouts)
    yield from ((m.name, m.place, "a metric") for m in network.metrics)
    for model in {p.neuron.name: p.neuron for p in network.populations}.values():
        yield from _of_model(model, f"of neuron model '{model.name}'")
        yield from ((i.name, i.place, f"an input of neuron model '{model.name}'") for i in model.inputs)
    for synapse in {p.synapse.name: p.synapse for p in network.projections}.values():
        yield from _of_model(synapse, f"of synapse model '{synapse.name}'")
        yield from ((t.name, t.place, f"a trace of synapse model '{synapse.name}'") for t in synapse.traces)
        yield from ((m.name, m.place, f"a modulator of synapse model '{synapse.name}'") for m in synapse.modulators)


def _of_model(model: NeuronModel | SynapseModel, of: str) -> Iterator[Named]:
    yield model.name, model.place, "a model"
    yield from ((p.name, p.place, f"a parameter {of}") for p in model.parameters)
    yield from ((name, value.place, f"a derived constant {of}") for name, value in model.derived)
    yield from ((s.name, s.place, f"a variable {of}") for s in model.states)
    yield from ((name, block.place, f"an event {of}") for name, block in model.on_event)
