"""Sums and largest values over elements (`ir.Reduce`): which elements belong together, and what comes of each group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.program.ir import Axis
from neuroport.program.machine import Program, Projection
from neuroport.program.wiring import Wiring

AXES: Mapping[str, tuple[Axis, ...]] = {
    "neuron": ("population",),
    "synapse": ("incoming", "outgoing", "shared"),
    "kernel": ("shared",),
}
"""Over what the events of neurons, of synapses and of the entries of a kernel may reduce."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Which elements belong together: of each element the number of its group, int64 (elements,), and how many."""

    of: NDArray[np.int64]
    count: int


def of_population(size: int) -> Groups:
    """All neurons of a population together."""
    return Groups(np.zeros(size, np.int64), 1)


def of_synapses(projection: Projection, axis: Axis) -> Groups:
    """The synapses of a projection that belong together along an axis."""
    match axis:
        case "incoming":
            return Groups(projection.post, projection.target_size)
        case "outgoing":
            return Groups(projection.pre, projection.source_size)
        case _:
            entry = projection.wiring.entry
            own = np.arange(projection.synapses, dtype=np.int64) if entry is None else entry
            return Groups(own, projection.values)


def most_terms(wiring: Wiring, sizes: tuple[int, int], axis: Axis) -> int:
    """How many synapses the largest group along an axis has, at least 1; sizes: of the populations that are joined."""
    sources, targets = sizes
    match axis:
        case "incoming":
            counts = wiring.incoming(targets)
        case "outgoing":
            counts = wiring.outgoing(sources)
        case _:
            counts = wiring.uses()
    return max(1, int(counts.max(initial=1)))


def groups_of(program: Program, owner: str, axis: Axis) -> Groups:
    """The elements of a population or projection that belong together along an axis."""
    if axis == "population":
        return of_population(program.population(owner).size)
    return of_synapses(program.projection(owner), axis)


def spread(op: Literal["sum", "max"], values: NDArray[Any], by: Groups) -> NDArray[Any]:
    """What comes of the group of each element, (elements, ...)."""
    return np.asarray(reduced(op, values, by)[by.of])


def reduced(op: Literal["sum", "max"], values: NDArray[Any], by: Groups) -> NDArray[Any]:
    """What comes of each group, one element after the other: (groups, ...) from (elements, ...), of the same dtype.

    A sum begins with 0. The largest of real numbers is never -0; of a group without elements it is the lowest number.
    """
    shape, real = (by.count, *values.shape[1:]), values.dtype.kind == "f"
    first = 0 if op == "sum" else -np.inf if real else np.iinfo(values.dtype).min
    found = np.full(shape, first, values.dtype)
    with np.errstate(all="ignore"):
        (np.add if op == "sum" else np.maximum).at(found, by.of, values)
    return found + values.dtype.type(0) if real else found
