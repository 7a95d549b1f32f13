"""Which projections can do without stored synapses: those whose synapses are all alike, and only send."""

from __future__ import annotations

from collections.abc import Iterator

from neuroport.chips.chip import Chip
from neuroport.errors import Problem
from neuroport.network.network import Network
from neuroport.network.objects import Projection
from neuroport.network.values import CopyValue, Value
from neuroport.numerics.units import Quantity
from neuroport.program.ir import Let, Send
from neuroport.program.machine import Projection as ProgramProjection


def is_redrawn(projection: Projection) -> bool:
    """Whether the synapses of a projection are not stored, but drawn anew for every spike."""
    return not getattr(projection.connect, "stored", True)


def refusals(projection: Projection, network: Network, chip: Chip) -> Iterator[Problem]:
    """Why synapses of a projection have to be stored, by what the network says of them."""
    for reason in _reasons(projection, network, chip):
        yield _problem(projection, reason)


def refused_bodies(projection: Projection, made: ProgramProjection) -> Iterator[Problem]:
    """Why synapses of a projection have to be stored, by what they do."""
    if made.step:
        yield _problem(projection, f"synapse model '{projection.synapse.name}' computes them in every step")
    if made.post_body:
        yield _problem(projection, f"synapse model '{projection.synapse.name}' computes them at postsynaptic spikes")
    if not all(isinstance(stmt, Let) or (isinstance(stmt, Send) and stmt.to == "post") for stmt in made.arrive):
        text = f"synapse model '{projection.synapse.name}' does more at spikes than send to postsynaptic neurons"
        yield _problem(projection, text)


def _problem(projection: Projection, reason: str) -> Problem:
    text = f"projection '{projection.name}' is connected with `stored: false`, and {reason}; leave out `stored: false`"
    return Problem(projection.connect.place or projection.place, text)


def _reasons(projection: Projection, network: Network, chip: Chip) -> Iterator[str]:
    name, model, variables = projection.name, projection.synapse, projection.name + "."
    if projection.source_part is not None or projection.target_part is not None:
        yield "it is between parts of populations, which has to be stored"
    if network.copies > 1:
        yield "there are copies of the network"
    if model.on_event:
        yield f"synapse model '{model.name}' computes them at events"
    if projection.dendritic is not None:
        yield "its synapses have a dendritic delay: give it as part of `delay`"
    for what, value in _values(projection):
        if not isinstance(value, Quantity | None):
            yield f"its {what} can differ from synapse to synapse: give one number"
    kinds = {p.name: p.kind for p in model.parameters} | {s.name: s.kind or "weight" * s.weight for s in model.states}
    for what, kind in kinds.items():
        if projection.mismatch and kind and kind in dict(chip.mismatch):
            yield f"its {what} deviates from circuit to circuit on chip '{chip.name}': give it `mismatch: false`"
    if any(record.of.startswith(variables) for record in network.record.weights):
        yield "a variable of its synapses is recorded"
    if any(port.target.startswith(variables) and port.writable for port in network.ports):
        yield "a port writes a variable of its synapses"
    for other in network.projections:
        if other.twin is not None and other.twin.of == name:
            yield f"projection '{other.name}' has it for a twin"
        if any(isinstance(value, CopyValue) and value.of.startswith(variables) for _, value in _values(other)):
            yield f"projection '{other.name}' starts with the same values"


def _values(projection: Projection) -> Iterator[tuple[str, Value | None]]:
    """What synapses are given, by its name."""
    given = dict(projection.parameters) | dict(projection.initial)
    for parameter in projection.synapse.parameters:
        yield parameter.name, given.get(parameter.name, parameter.default)
    for state in projection.synapse.states:
        known = given.get(state.name, state.init)
        yield (state.name, projection.weight if state.weight and projection.weight is not None else known)
    yield "delay", projection.delay
