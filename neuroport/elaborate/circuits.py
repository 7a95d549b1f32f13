"""The circuits of a chip instance that a network's elements get, and how these deviate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.chips import instance as instances
from neuroport.elaborate.connect import Synapses
from neuroport.elaborate.deviating import Deviating
from neuroport.elaborate.state import Elaboration, Object
from neuroport.network.model import Parameter
from neuroport.network.objects import Projection
from neuroport.program.ir import Numbers
from neuroport.program.machine import Designed, ReportLine


def deviates(made: Elaboration, obj: Object, kind: str) -> bool:
    """Whether parameters of this kind deviate on the chip and for this object."""
    return obj.mismatch and bool(kind) and kind in dict(made.chip.mismatch)


def is_deviating(made: Elaboration, parameter: Parameter, obj: Object) -> bool:
    """Whether circuits do something to a parameter: by a factor, or to an int by steps that are added.

    That is a matter of the chip, not of the specimen: all specimens have the same arrays.
    """
    if not deviates(made, obj, parameter.kind):
        return False
    return parameter.type == "real" or instances.offset_range(made.chip, parameter.kind) != (0, 0)


def made_by(made: Elaboration, one: Deviating) -> tuple[Numbers, Designed | None]:
    """The numbers of the specimen that is elaborated; see `Deviating.on`."""
    made.deviating.append(one)
    outside = one.outside(made.instance)
    if outside:
        assert one.counts is not None
        text = f"{outside} values of this specimen are outside {one.counts[0]}..{one.counts[1]}, what the offsets that "
        text += f"chip '{made.chip.name}' states allow, and stand at its ends"
        made.report.append(ReportLine(one.array, "saturated", text, {"count": outside}))
    return one.on(made.instance)


def designed_factors(made: Elaboration, kind: str, numbers: Numbers) -> tuple[float, float]:
    """Between what these numbers, times the factors of their circuits, lie on any specimen of the chip."""
    factors = instances.factor_range(made.chip, kind)
    ends = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)
    corners = [end * factor for end in ends for factor in factors]
    return min(corners), max(corners)


def designed_steps(
    made: Elaboration, kind: str, numbers: Numbers, limits: tuple[float, float] | None
) -> tuple[int, int]:
    """Between what these counts, plus the offsets of their circuits, lie on any specimen.

    They stay in their declared range; without one, counts do not fall below 0.
    """
    low, high = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)
    least, most = (int(end) for end in limits) if limits is not None else (min(low, 0), 2**62)
    down, up = instances.offset_range(made.chip, kind)
    return max(low + down, least), min(high + up, most)


def synapse_circuits(made: Elaboration, projection: Projection, synapses: Synapses) -> NDArray[np.int64]:
    """Circuit numbers: the rank of a synapse among all those of its postsynaptic neuron, in file order.

    What synapses share is in one circuit for each entry of their kernel, and these are beside the first neuron.
    """
    target = made.objects[projection.target]
    taken = np.zeros(target.elements.size, np.int64)
    for other in made.network.projections:
        if other.name == projection.name:
            break
        if other.target == projection.target and other.name in made.synapses:
            taken += _taken(made.synapses[other.name], len(taken))
    if synapses.shares:
        return instances.synapse_circuits(target.circuits[:1], taken[0] + np.arange(synapses.values.size))
    order, counts, post = np.argsort(synapses.post, kind="stable"), synapses.wiring.incoming(len(taken)), synapses.post
    rank = np.empty(len(post), np.int64)
    rank[order] = np.arange(len(post)) - np.repeat(np.cumsum(counts) - counts, counts)
    return instances.synapse_circuits(target.circuits[post], taken[post] + rank)


def _taken(synapses: Synapses, targets: int) -> NDArray[np.int64]:
    """How many circuits each of the postsynaptic neurons has for a projection's synapses."""
    if not synapses.shares:
        return synapses.wiring.incoming(targets)
    taken = np.zeros(targets, np.int64)
    taken[:1] = synapses.values.size
    return taken
