"""Values that a network file may give: quantities, distributions, arrays, files, targets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Place
from neuroport.numerics.units import Quantity


class Frozen:
    """A read-only array that compares by shape, dtype and content, so that networks can be compared."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array: NDArray[Any] = np.array(array)
        self.array.setflags(write=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frozen):
            return NotImplemented
        a, b = self.array, other.array
        return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()

    def __hash__(self) -> int:
        return hash((self.array.shape, self.array.dtype.str, self.array.tobytes()))

    def __repr__(self) -> str:
        return f"Frozen{self.array.shape}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """A random value per element: kind and arguments as written, e.g. normal(mean=0, sd=0.2).

    A scale and an offset are applied last: offset + scale * x. For the kinds see neuroport.distributions.
    """

    kind: str
    arguments: tuple[tuple[str, Quantity], ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ArrayValue:
    """Numbers given one by one; `unit` for all of them.

    A two-dimensional array for a projection has one row per `rows` neuron ("source" or "target").
    """

    values: Frozen
    unit: str = ""
    rows: Literal["source", "target"] = "source"
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class FileValue:
    """Numbers in a file: a path relative to the network file, and what they are called inside, "" if by nothing."""

    file: str
    dataset: str
    unit: str = ""
    rows: Literal["source", "target"] = "source"
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TargetValue:
    """A field of a target of the network, `from: target.c`."""

    target: str
    field: str
    place: Place | None = dataclasses.field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CopyValue:
    """`scale` times what another projection's variable starts with, `{same_as: up.w, scale: -1}`.

    `of` is PROJECTION.VARIABLE of an earlier projection between populations of the same sizes; synapses correspond by
    their neurons' numbers.
    """

    of: str
    scale: float = 1.0
    place: Place | None = dataclasses.field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class DataValue:
    """A field of a part of a data set, `{data: yin_yang, part: train, field: inputs}`: offset + scale * x.

    `options` are what the data set can be told, such as its size and seed. See neuroport.datasets.
    """

    data: str
    part: str
    field: str
    options: tuple[tuple[str, int], ...] = ()
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    place: Place | None = dataclasses.field(default=None, compare=False)


Value = Quantity | Distribution | ArrayValue | FileValue | TargetValue | CopyValue | DataValue
