"""Neurons that spike several times in a step: what the variable that counts the spikes has to be."""

from __future__ import annotations

from neuroport.errors import Problem
from neuroport.language.blocks import assigned_in
from neuroport.network.model import NeuronModel, State

MOST = 2**16 - 1
"""So many spikes a neuron has in a step at most: each is recorded, and is counted in 64 bits with those of others."""


def problems(model: NeuronModel) -> tuple[Problem, ...]:
    """What is wrong with the `spike_count` of a neuron model; nothing where it has none."""
    if not model.spike_count or model.spike is None:
        return ()
    name, place = model.spike_count, model.spike.place
    state = next((s for s in model.states if s.name == name), None)
    if state is None:
        ints = ", ".join(s.name for s in model.states if s.type == "int") or "none"
        return (Problem(place, f"spike_count takes an int variable of the model; '{name}' is none, there are {ints}"),)
    if not _counts(state):
        text = f"'{name}' counts spikes, so it is an int from 0 up to {MOST} at most, one of each copy: write "
        return (Problem(place, f"{text}{name}: {{type: int, init: 0, range: [0, 15]}}"),)
    blocks = [("on_spike", model.on_spike), ("after", model.after)]
    blocks += [(f"on_event {event}", block) for event, block in model.on_event]
    text = f"counts the spikes of the step, which synapses read later, so only 'update' assigns '{name}'; found it in "
    return tuple(Problem(b.place, f"'{name}' {text}{title}") for title, b in blocks if name in assigned_in(b))


def countable(ends: tuple[float, float] | None) -> bool:
    """Whether numbers of a range can say how many spikes a neuron has in a step: none, and at least up to one."""
    return ends is not None and ends[0] == 0 < ends[1] <= MOST


def _counts(state: State) -> bool:
    return state.type == "int" and countable(state.range) and state.over_copies == "own"
