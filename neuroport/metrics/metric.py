"""What a metric is, what it may ask of the file that names it, and what it may look at in a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Place
from neuroport.numerics.parts import Part

if TYPE_CHECKING:
    from neuroport.metrics.following import Followed
    from neuroport.program.machine import Projection

Real = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a metric names, OBJECT.VARIABLE; of a projection with what it connects, as in a file ("a[0:10]").

    `part`: of some neurons of a population. `size`: how many neurons these are; 0 of a projection. `largest`: of a
    projection to an input of which the largest is taken. `weight`: it is the weight of a projection's synapses.
    """

    name: str
    ends: tuple[str, str] | None
    part: Part | None = None
    size: int = 0
    largest: bool = False
    weight: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """Patterns that a `present` item shows, with those that are shown beside them (`together`: all of their names)."""

    name: str
    labelled: bool
    together: tuple[str, ...]


class Form(Protocol):
    """A metric as it stands in a network file. What gives None has put the reason into the report."""

    name: str
    place: Place | None

    @property
    def what(self) -> str:
        """ "metric 'w'" for messages."""

    def add(self, key: str, text: str) -> None:
        """Note a problem at a key that is there."""

    def has(self, key: str) -> bool:
        """Whether there is that key."""

    def quoted(self, key: str) -> str:
        """What stands at a key, for messages."""

    def number(self, key: str, low: float) -> float | None:
        """A number of at least `low`; None also where there is no such key."""

    def true(self, key: str) -> bool:
        """Whether a key is there and true."""

    def population(self, key: str) -> str | None:
        """The name of a population."""

    def neurons(self, key: str) -> tuple[str, Part | None] | None:
        """The name of a population, and which of its neurons where it is some: `cells[0:10]`."""

    def variable(self, key: str) -> Variable | None:
        """A variable of a population or projection."""

    def names_readout(self, key: str) -> bool:
        """Whether the name of a readout stands there."""

    def lacks(self, key: str, what: str) -> None:
        """Note that a key is missing, and what is wanted there."""

    def each(self, key: str) -> list[Form]:
        """A form for each item of a list, with the item at that key."""

    def word(self, key: str) -> str | None:
        """The text that stands at a key."""

    def variable_of(self, key: str, owner: str) -> str | None:
        """The name of a variable of a projection."""

    def samples_of(self, key: str, population: str) -> str | None:
        """The name of a samples readout of all neurons of a population."""

    def signed(self, key: str, population: str) -> tuple[bool, str | None]:
        """Whether a minus stands before the name of a samples readout of all neurons of a population, and that."""

    def histogram(self, key: str) -> str | None:
        """The name of a histogram readout."""

    def samples(self, key: str) -> str | None:
        """The name of a samples readout."""

    def distribution(self, key: str, histogram: str) -> str | None:
        """A target's distribution TARGET.p over the states that a histogram counts."""

    def patterns(self, key: str, samples: str) -> str | None:
        """The name of patterns with as many cells as the rows of a samples readout."""


class Observed(Protocol):
    """What there is to see of a run."""

    @property
    def dt(self) -> float:
        """The time step in ms."""

    def spikes_since(self, metric: str, population: str, part: Part | None = None) -> tuple[int, int, int]:
        """Spikes, neurons and steps since that metric was last measured; over all copies.

        `part`: of these neurons, which the metric says in its field of that name.
        """

    def variable(self, name: str, effective: bool) -> Real:
        """The values of OBJECT.VARIABLE in real units, (size,) or (size, copies).

        `effective`: as they act on this chip, visible and times their circuits' deviation.
        """

    def of_synapses(self, name: str, effective: bool) -> Real:
        """The values of PROJECTION.VARIABLE of every synapse, also where these share them; see `variable`."""

    def entry(self, name: str) -> NDArray[np.int64] | None:
        """Which number of PROJECTION.VARIABLE is that of each synapse, where they share them; else None."""

    def synapses(self, projection: str) -> Projection:
        """The synapses of a projection."""

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """How often each joint state was seen, (2**size,)."""

    def rows(self, readout: str) -> tuple[NDArray[np.int64], Real]:
        """Pattern numbers (rows,), -1 for a `run` item, and rows (rows, cells) of a samples readout."""

    def latest(self, readout: str) -> Real:
        """The rows (rows, cells) of a samples readout of the item that ended last; of copies one after the other."""

    def followed(self, metric: str) -> Followed:
        """What a metric has of the items since it was last measured."""

    def labels(self, readout: str) -> NDArray[np.int64]:
        """The label of the pattern of every row (rows,)."""

    def patterns(self, stimulus: str) -> Real:
        """The patterns of a stimulus (patterns, cells)."""

    def distribution(self, target: str) -> Real:
        """The probabilities TARGET.p, (2**size,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(ABC):
    """A number, or a list of numbers, computed from a run.

    In a file it is a mapping with its `kind` as a key, which says `of` what, with `further` keys, of which the
    `required` ones must be there. A metric that is not `one_number` is a list; a `labelled` one compares the cells of a
    samples readout with the labels of the patterns.
    """

    kind: ClassVar[str]
    unit: ClassVar[str | None] = ""
    """Of what it measures; None: that of the variable `of`."""
    further: ClassVar[tuple[str, ...]] = ()
    required: ClassVar[tuple[str, ...]] = ()
    one_number: ClassVar[bool] = True
    labelled: ClassVar[bool] = False

    name: str
    of: str
    place: Place | None = field(default=None, compare=False)

    @classmethod
    @abstractmethod
    def read(cls, form: Form) -> Self | None:
        """The metric that stands in a file, or None with its problems in the report."""

    @abstractmethod
    def written(self) -> dict[str, Any]:
        """The mapping that `read` reads."""

    @abstractmethod
    def value(self, run: Observed) -> float | list[float]:
        """What it comes to."""

    @property
    def shown(self) -> str:
        """Of what it is, for people: "cells.v[0:10]"."""
        return self.of

    @property
    def readout(self) -> str:
        """The readout that it evaluates, which then starts afresh; "" when it needs none, or several."""
        return ""

    @property
    def readouts(self) -> tuple[str, ...]:
        """All readouts that it evaluates."""
        return (self.readout,) if self.readout else ()

    @property
    def distribution(self) -> str:
        """The distribution TARGET.p that it compares with; "" when it needs none."""
        return ""

    def unfit(self, shown: Shown | None) -> str:
        """What is wrong with these patterns (None: a run, which shows none) while its readout is active; or ""."""
        return ""
