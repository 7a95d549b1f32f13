"""How much memory a network needs, known before any of it is taken."""

from __future__ import annotations

import os

from neuroport import connections
from neuroport.connections import Ends
from neuroport.errors import InvalidInput, Problem
from neuroport.language import blocks
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.network.network import Network, shares

BYTES_PER_VALUE = 8
BYTES_PER_SYNAPSE_INDEX = 40  # pre, post, element, and the transposed index
COPIES = 3  # the program in real numbers, in integers, and in the executor


def estimate(network: Network) -> float:
    """Bytes that building and running the network takes, roughly."""
    total = 0.0
    copies = network.copies if shares(network) else 1
    for population in network.populations:
        model = population.neuron
        values = _variables(model, copies) + len(model.inputs) * copies + len(model.parameters) + len(model.derived)
        total += float(population.size) * values * BYTES_PER_VALUE * COPIES
    for projection in network.projections:
        count = connections.rule(projection.connect).expected(projection.connect, Ends.of(projection, network))
        values = _variables(projection.synapse, copies) + len(projection.synapse.parameters)
        total += count * (BYTES_PER_SYNAPSE_INDEX + values * BYTES_PER_VALUE * COPIES)
    return total


def _variables(model: NeuronModel | SynapseModel, copies: int) -> int:
    """Numbers that the variables of one neuron or synapse take."""
    known = blocks.shared(model) if isinstance(model, NeuronModel) else blocks.common(model)
    return sum(1 if state.name in known else copies for state in model.states)


def available() -> float:
    """Bytes of memory that this machine has."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return float("inf")


def refuse_too_large(network: Network) -> None:
    """Raise InvalidInput when the network does not fit the machine's memory."""
    need, have = estimate(network), available()
    if need > have:
        text = (
            f"network '{network.name}' needs about {need / 2**30:.1f} GiB of memory, this machine has "
            f"{have / 2**30:.1f} GiB; make it smaller"
        )
        raise InvalidInput([Problem(network.place, text)])
