"""A network with few of its synapses: what is made of it has the arrays of the whole, and takes next to no memory.

Rules that are more than pairs to what is made of them (`law` of a rule) stay, and draw fewer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport.connections as connections
import neuroport.datasets as datasets
from neuroport.connections import Ends
from neuroport.connections.fixed_out_degree import FixedOutDegree
from neuroport.connections.fixed_probability import FixedProbability
from neuroport.connections.listed import Listed
from neuroport.network.network import Network
from neuroport.network.objects import Connect, Projection
from neuroport.network.values import ArrayValue, CopyValue, DataValue, Distribution, FileValue, Frozen, Value
from neuroport.numerics.units import Quantity
from neuroport.yaml.arrays import read_dataset, read_entries

FEW = 4096
"""Projections of so many synapses stay as they are; of others one synapse stays,"""
SOME = 256.0
"""or about so many, or one of each neuron, where the rule is more than pairs."""
WIDEST = 5
"""Within so many standard deviations lies what is drawn, nearly."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A network with few of its synapses.

    synapses: how many a projection will have, about, of those that have few here. full: those of them that join every
    neuron with every other one.
    """

    network: Network
    synapses: dict[str, float]
    full: frozenset[str]


def sketched(network: Network) -> Sketch:
    """A network whose large projections have few synapses, with the longest delay."""
    synapses: dict[str, float] = {}
    full: set[str] = set()
    joined = {name for projection in network.projections for name in _joined(projection)}
    projections = []
    for projection in network.projections:
        rule = connections.rule(projection.connect)
        ends = Ends.of(projection, network)
        many = rule.expected(projection.connect, ends)
        if many <= FEW or rule.axes is not None:
            projections.append(projection)
            continue
        synapses[projection.name] = many
        if many == network.population(projection.source).size * float(network.population(projection.target).size):
            full.add(projection.name)
        thin = None if projection.name in joined else _thinned(projection.connect, ends, many)
        few = Listed(pairs=Frozen(np.zeros((1, 2), np.int64)), place=projection.connect.place) if thin is None else thin
        projections.append(_with(projection, few, network.folder))
    return Sketch(replace(network, projections=tuple(projections)), synapses, frozenset(full))


def _joined(projection: Projection) -> Iterator[str]:
    """The projections whose synapses have to be the same as those of others, where one is of these."""
    copied = [projection.weight, *dict(projection.initial).values(), *dict(projection.parameters).values()]
    others = [value.of.partition(".")[0] for value in copied if isinstance(value, CopyValue)]
    others += [] if projection.twin is None else [projection.twin.of]
    if others:
        yield from (projection.name, *others)


def _thinned(connect: Connect, ends: Ends, many: float) -> Connect | None:
    """A rule that draws fewer synapses by its law; None where no law draws them."""
    if connections.rule(connect).drawn_by(connect, ends) is None:
        return None
    match connect:
        case FixedProbability():
            return replace(connect, probability=connect.probability * SOME / many)
        case FixedOutDegree():
            return replace(connect, degree=1)
        case _:
            return None


def _with(projection: Projection, connect: Connect, folder: str) -> Projection:
    """A projection with few synapses."""

    def first(values: tuple[tuple[str, Value], ...]) -> tuple[tuple[str, Value], ...]:
        return tuple((name, _first(value, folder)) for name, value in values)

    return replace(
        projection,
        connect=connect,
        weight=None if projection.weight is None else _first(projection.weight, folder),
        delay=_longest(projection.delay, folder),
        dendritic=None if projection.dendritic is None else _longest(projection.dendritic, folder),
        parameters=first(projection.parameters),
        initial=first(projection.initial),
    )


def _first(value: Value, folder: str) -> Value:
    """A value that is listed for every synapse, for the first alone; matrices and all else stay."""
    if not isinstance(value, ArrayValue | FileValue | DataValue):
        return value
    if isinstance(value, FileValue) and read_entries(Path(folder) / value.file, value.dataset) is not None:
        return value
    numbers = _numbers(value, folder)
    if numbers.ndim != 1:
        return value
    return ArrayValue(values=Frozen(numbers[:1]), unit=value.unit, place=value.place)


def _longest(value: Value, folder: str) -> Value:
    """The longest of the delays of synapses, for one of them."""
    if isinstance(value, Distribution):
        given = dict(value.arguments)
        if "high" in given:
            return replace(value, kind="uniform", arguments=(("low", given["high"]), ("high", given["high"])))
        if value.kind == "normal" and {"mean", "sd"} <= given.keys() and given["mean"].unit == given["sd"].unit:
            most = Quantity(given["mean"].number + WIDEST * given["sd"].number, given["mean"].unit)
            return replace(value, kind="uniform", arguments=(("low", most), ("high", most)))
    if isinstance(value, ArrayValue | FileValue | DataValue):
        numbers = _numbers(value, folder)
        return ArrayValue(values=Frozen(np.max(numbers, keepdims=True).reshape(-1)), unit=value.unit, place=value.place)
    return value


def _numbers(value: ArrayValue | FileValue | DataValue, folder: str) -> NDArray[Any]:
    match value:
        case ArrayValue():
            return value.values.array
        case FileValue():
            return np.asarray(read_dataset(Path(folder) / value.file, value.dataset))
        case DataValue():
            loaded = datasets.load(value.data, value.part, value.field, dict(value.options))
            return np.asarray(value.offset + value.scale * loaded)
