"""What is observed: readouts, recording. Metrics have a folder of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from neuroport.errors import Place
from neuroport.network.model import Expression
from neuroport.numerics.parts import Part
from neuroport.numerics.units import Quantity

MAX_UNITS = 20
"""The largest number of neurons whose joint states, 2**n, are counted, or enumerated for a distribution to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateHistogram:
    """Counts how often each joint binary state of a population is seen: bit = `state` of each neuron.

    `part`: of some of the neurons.
    """

    name: str
    population: str
    state: Expression
    every: Quantity
    phase: Quantity
    part: Part | None = None
    place: Place | None = field(default=None, compare=False)

    def cells(self, size: int) -> int:
        """How many neurons it counts, of a population of that size."""
        return size if self.part is None else len(self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One row per shown pattern: the mean, sum or last of some samples of a population's variable `of`.

    `part`: of some of the neurons.

    Sampled are the steps start, start + every, … before `stop` (None: the end), counted from 0 in each pattern, or in
    the whole item where it is a `run`.
    """

    name: str
    of: str
    every: Quantity
    start: Quantity
    stop: Quantity | None = None
    reduce: Literal["mean", "sum", "last"] = "mean"
    part: Part | None = None
    place: Place | None = field(default=None, compare=False)

    def cells(self, size: int) -> int:
        """How many numbers a row has, of a population of that size."""
        return size if self.part is None else len(self.part)


Readout = StateHistogram | Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecord:
    """Sample a variable of a population (`every`: a time) or of a projection. `part`: of some of the neurons."""

    of: str
    every: Quantity
    part: Part | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What goes to the trace file. `spikes`: names of populations; `topology`: synapses and their final values.

    `parts`: of which populations only some neurons' spikes.
    """

    spikes: tuple[str, ...] = ()
    parts: tuple[tuple[str, Part], ...] = ()
    states: tuple[StateRecord, ...] = ()
    weights: tuple[StateRecord, ...] = ()
    topology: Literal["all", "none"] = "all"
