"""Where the values of synapses lie: GeNN has a row of equally many places for every presynaptic neuron."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.program.machine import Program, Projection


def stride(projection: Projection) -> int:
    """How many places a row has: as many as the presynaptic neuron with the most synapses needs."""
    return int(np.diff(projection.indptr).max(initial=0))


def of_synapses(projection: Projection) -> NDArray[np.int64]:
    """The place of every synapse."""
    within = np.arange(projection.synapses) - projection.indptr[projection.pre]
    return np.asarray(projection.pre * stride(projection) + within, np.int64)


def count(projection: Projection) -> int:
    """All places, also those without a synapse."""
    return projection.source_size * stride(projection)


def of_twins(projection: Projection, other: Projection) -> NDArray[np.int64]:
    """For every synapse the place of its twin among those of the other projection."""
    twin = np.arange(projection.synapses) if projection.twin is None else projection.twin
    return of_synapses(other)[twin]


def first_elements(program: Program) -> dict[str, int | None]:
    """By how much the numbers of an object's random elements are larger than usual; None where they follow no rule."""
    return {o.name: o.first_element for o in program.populations} | {p.name: _first(p) for p in program.projections}


def _first(projection: Projection) -> int | None:
    usual = (projection.pre * projection.target_size + projection.post).astype(np.uint64)
    shift = int(projection.element[0]) - int(usual[0]) if projection.synapses else 0
    return shift if shift >= 0 and np.array_equal(projection.element, usual + np.uint64(shift)) else None
