"""The circuits of a chip instance that a network's elements get, and how these deviate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport import instance as instances
from neuroport.connect import Synapses
from neuroport.elaborate_state import Elaboration, Object
from neuroport.model import Parameter
from neuroport.network import Projection
from neuroport.program import Numbers


def deviates(made: Elaboration, obj: Object, kind: str) -> bool:
    """Whether parameters of this kind deviate on the chip and for this object."""
    return obj.mismatch and bool(kind) and kind in dict(made.chip.mismatch)


def circuit(made: Elaboration, parameter: Parameter, obj: Object) -> Numbers | None:
    """What circuits do to a parameter, as in Designed: factors, or offsets of an int; None where they do nothing."""
    if not deviates(made, obj, parameter.kind):
        return None
    if parameter.type == "real":
        return instances.factor(made.instance, parameter.kind, obj.circuits)
    offset = instances.offset(made.instance, parameter.kind, obj.circuits)
    return offset if np.any(offset) else None


def synapse_circuits(made: Elaboration, projection: Projection, synapses: Synapses) -> NDArray[np.int64]:
    """Circuit numbers: the rank of a synapse among all those of its postsynaptic neuron, in file order."""
    target = made.objects[projection.target]
    taken = np.zeros(len(target.circuits), np.int64)
    for other in made.network.projections:
        if other.name == projection.name:
            break
        if other.target == projection.target and other.name in made.synapses:
            taken += np.bincount(made.synapses[other.name].post, minlength=len(taken))
    order = np.argsort(synapses.post, kind="stable")
    post = synapses.post[order]
    first = np.searchsorted(post, post, side="left")
    rank = np.empty(len(post), np.int64)
    rank[order] = np.arange(len(post)) - first
    return instances.synapse_circuits(target.circuits[synapses.post], taken[synapses.post] + rank)
