"""What is observed: readouts, metrics, recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from neuroport.errors import Place
from neuroport.network.model import Expression
from neuroport.network.values import Quantity

MetricKind = Literal[
    "dkl",
    "asymmetry",
    "angle",
    "distance",
    "rate",
    "accuracy",
    "cross_entropy",
    "squared_error",
    "mean",
    "sd",
    "min",
    "max",
    "values",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateHistogram:
    """Counts how often each joint binary state of a population is seen: bit = `state` of each neuron."""

    name: str
    population: str
    state: Expression
    every: Quantity
    phase: Quantity
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One row per shown pattern: the mean, sum or last of some samples of a population's variable `of`.

    Sampled are the steps start, start + every, … before `stop` (None: the end), counted from 0 in each pattern, or in
    the whole item where it is a `run`.
    """

    name: str
    of: str
    every: Quantity
    start: Quantity
    stop: Quantity | None = None
    reduce: Literal["mean", "sum", "last"] = "mean"
    place: Place | None = field(default=None, compare=False)


Readout = StateHistogram | Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number (or list of numbers) computed from the run.

    kind      of                       argument            value
    dkl       a histogram readout      target: NAME.p      sum p ln(p/q), unseen states counted as `floor`
    asymmetry PROJECTION.VARIABLE                          variance over pairs i<j of w_ij - w_ji
    angle     PROJECTION.VARIABLE      to: the same        degrees between a weight matrix and another's transpose
    distance  PROJECTION.VARIABLE      to: the same        Frobenius norm of the difference, transposed likewise
    rate      POPULATION                                   mean rate in Hz since the previous measurement
    accuracy  a samples readout                            percent of rows whose largest cell is the pattern's label
    cross_entropy  a samples readout                       mean of -log softmax(row)[label]
    squared_error  a samples readout   target: PATTERNS    mean over rows and cells of (row - target's pattern)**2
    mean, sd, min, max  OBJECT.VARIABLE or samples         over all elements
    values    OBJECT.VARIABLE or samples                   all elements

    `effective`: variables as they act on a chip whose circuits deviate, times their deviation.
    """

    name: str
    kind: MetricKind
    of: str
    target: str = ""
    floor: float = 0.5
    effective: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRecord:
    """Sample a variable of a population (`every`: a time) or of a projection."""

    of: str
    every: Quantity
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What goes to the trace file. `spikes`: names of populations."""

    spikes: tuple[str, ...] = ()
    states: tuple[StateRecord, ...] = ()
    weights: tuple[StateRecord, ...] = ()
