"""A network with few of its synapses: what is made of it has the arrays of the whole, and takes next to no memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport.connections as connections
import neuroport.datasets as datasets
from neuroport.connections import Ends
from neuroport.connections.listed import Listed
from neuroport.network.network import Network
from neuroport.network.objects import Projection
from neuroport.network.values import ArrayValue, DataValue, Distribution, FileValue, Frozen, Value
from neuroport.numerics.units import Quantity
from neuroport.yaml.arrays import read_dataset, read_entries

FEW = 4096
"""Projections of so many synapses stay as they are; of others one synapse stays."""
WIDEST = 5
"""Within so many standard deviations lies what is drawn, nearly."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """A network with few of its synapses.

    synapses: how many a projection will have, about, of those that have one here. full: those of them that join every
    neuron with every other one.
    """

    network: Network
    synapses: dict[str, float]
    full: frozenset[str]


def sketched(network: Network) -> Sketch:
    """A network whose large projections have one synapse, that with the longest delay. Nothing is drawn."""
    synapses: dict[str, float] = {}
    full: set[str] = set()
    projections = []
    for projection in network.projections:
        rule = connections.rule(projection.connect)
        many = rule.expected(projection.connect, Ends.of(projection, network))
        if many <= FEW or rule.axes is not None:
            projections.append(projection)
            continue
        synapses[projection.name] = many
        if many == network.population(projection.source).size * float(network.population(projection.target).size):
            full.add(projection.name)
        projections.append(_one(projection, network.folder))
    return Sketch(replace(network, projections=tuple(projections)), synapses, frozenset(full))


def _one(projection: Projection, folder: str) -> Projection:
    """A projection with one synapse."""

    def first(values: tuple[tuple[str, Value], ...]) -> tuple[tuple[str, Value], ...]:
        return tuple((name, _first(value, folder)) for name, value in values)

    return replace(
        projection,
        connect=Listed(pairs=Frozen(np.zeros((1, 2), np.int64)), place=projection.connect.place),
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
