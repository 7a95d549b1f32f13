"""Projections whose synapses share the entries of a kernel: what their models cannot do, and their twins."""

from __future__ import annotations

from collections.abc import Iterator

from neuroport.errors import Problem
from neuroport.language.blocks import over_kernel
from neuroport.network.objects import Projection


def unshared_weight(projection: Projection) -> Iterator[Problem]:
    """A weight that each synapse learns for itself, where all of a kernel's entry have one."""
    model = projection.synapse
    if model.weight.name in over_kernel(model):
        return
    text = f"projection '{projection.name}' shares its weights, and synapse model '{model.name}' lets each synapse "
    text += f"change '{model.weight.name}' for itself; declare it 'over_kernel: shared' and change it in on_event with "
    yield Problem(projection.connect.place or projection.place, f"{text}sum_shared(...), or connect by 'pairs'")
