"""A network as its author wrote it: frozen values, equal when their contents are equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from neuroport.errors import Place
from neuroport.network.model import Expression, NeuronModel, SynapseModel
from neuroport.network.values import Frozen, Quantity, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Neurons of one model. `parameters`, `initial` and `ranges` override what the model declares.

    `mismatch` False: a chip instance leaves its parameters and learned values as designed.
    """

    name: str
    size: int
    neuron: NeuronModel
    parameters: tuple[tuple[str, Value], ...] = ()
    initial: tuple[tuple[str, Value], ...] = ()
    ranges: tuple[tuple[str, tuple[float, float]], ...] = ()
    mismatch: bool = True
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Which pairs of neurons a projection connects.

    all_to_all (`self_connections`), one_to_one, fixed_probability (`probability`, `self_connections`), fixed_in_degree
    (`degree`: presynaptic neurons per postsynaptic one, drawn without replacement; `self_connections`),
    pairs (`pairs`: int64 (n, 2) of source, target), file (`file`, `dataset`: the same in an HDF5 file).
    """

    kind: Literal["all_to_all", "one_to_one", "fixed_probability", "fixed_in_degree", "pairs", "file"]
    self_connections: bool = True
    probability: float = 0.0
    degree: int = 0
    pairs: Frozen | None = None
    file: str = ""
    dataset: str = ""
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The projection whose synapses correspond to those of another: between the same neuron numbers.

    `transposed`: presynaptic numbers correspond to postsynaptic ones. It is so anyway where only that fits the sizes.
    """

    of: str
    transposed: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Synapses of one model from `source` to an input of `target`.

    `delay`: axonal, one for all, at least one step. `dendritic`: added per synapse to what is sent, zero or more steps.
    `twin`: whose variables triggered blocks read as twin.NAME. `mismatch`: see Population; also of its weights.
    """

    name: str
    source: str
    target: str
    synapse: SynapseModel
    input: str
    connect: Connect
    delay: Quantity
    dendritic: Value | None = None
    weight: Value | None = None
    parameters: tuple[tuple[str, Value], ...] = ()
    initial: tuple[tuple[str, Value], ...] = ()
    ranges: tuple[tuple[str, tuple[float, float]], ...] = ()
    twin: Twin | None = None
    mismatch: bool = True
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeList:
    """Spikes at given times: one unit is added to `input` of neuron `neurons[k]` in the step of `times[k]`."""

    name: str
    population: str
    input: str
    times: Value
    neurons: Value
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSeries:
    """Values added to an input: row k of `values` (rows, size) or (rows,) during the k-th `every`.

    `start`: the row at which each copy of a network with copies begins; only with `loop`.
    """

    name: str
    population: str
    input: str
    values: Value
    every: Quantity
    loop: bool = False
    start: Value | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """Patterns added to an input while a `present` item runs, each for `hold`: `values` has patterns x frames x size.

    A pattern of several `frames` is a film: each frame is shown for hold / frames. `labels`: one int per pattern.
    `beside`: the name of other patterns with which these are shown, pattern by pattern; `hold` is then None, and a
    number as `values` stands for all of them.
    """

    name: str
    population: str
    input: str
    values: Value
    hold: Quantity | None = None
    order: Literal["sequential", "shuffle", "choice"] = "sequential"
    frames: int = 1
    labels: Value | None = None
    beside: str = ""
    place: Place | None = field(default=None, compare=False)


Stimulus = SpikeList | TimeSeries | Patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Boltzmann:
    """Moments of p(z) ~ exp(z'Wz/2 + b'z), z in {0,1}^n: fields c (n, n) = <z_i z_j>, m (n,) = <z_i>, p (2**n,)."""

    name: str
    weights: Frozen
    biases: Frozen
    place: Place | None = field(default=None, compare=False)


# ------------------------------------------------------------------------------------------------------- protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Do the items `count` times; `variable` counts from 0 and can be used in conditions inside."""

    count: int
    variable: str
    do: tuple[Item, ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Simulate for a time, with these readouts active."""

    duration: Quantity
    readouts: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Simulate while `patterns` shows `count` of its patterns (None: each once)."""

    patterns: str
    count: int | None = None
    readouts: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """One of two item lists, by a condition over the variables of enclosing repeats."""

    condition: Expression
    then: tuple[Item, ...]
    otherwise: tuple[Item, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Run every triggered block of this name, in file order (populations, then projections)."""

    event: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Give dynamic parameters (OBJECT.PARAMETER) new values; * in OBJECT stands for any text."""

    values: tuple[tuple[str, Quantity], ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Put populations back to their initial state, with their spikes in flight discarded.

    `keep_learned`: their variables of class plastic stay as they are.
    """

    populations: tuple[str, ...]
    keep_learned: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Evaluate these metrics now."""

    metrics: tuple[str, ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Make rows of readouts the patterns of stimuli, by pattern number: pairs of stimulus and readout.

    `all_shown`: refuse if a pattern was not shown; else it keeps its old values.
    """

    rows: tuple[tuple[str, str], ...]
    all_shown: bool = True
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anneal:
    """Multiply dynamic parameters by a factor once a metric has stayed above its minimum for too long.

    At more than `patience` measurements in a row without a new minimum; the count then starts again.
    """

    parameters: tuple[str, ...]
    by: float
    when: str
    patience: int = 0
    place: Place | None = field(default=None, compare=False)


Item = Repeat | Run | Present | If | Trigger | Set | Reset | Measure | Capture | Anneal


# ------------------------------------------------------------------------------------------- readouts and metrics

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A whole network file. `folder` is where its relative paths start, `copies` how many run beside each other."""

    name: str
    title: str = ""
    dt: Quantity
    seed: int = 1
    copies: int = 1
    chip: str = "ideal"
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...] = ()
    stimuli: tuple[Stimulus, ...] = ()
    targets: tuple[Boltzmann, ...] = ()
    protocol: tuple[Item, ...] = ()
    readouts: tuple[Readout, ...] = ()
    metrics: tuple[Metric, ...] = ()
    record: Recording = field(default_factory=Recording)
    folder: str = field(default="", compare=False)
    place: Place | None = field(default=None, compare=False)

    @property
    def notices(self) -> dict[str, tuple[str, ...]]:
        """What users of the network must be told: the text of a notice -> the names of the models that have it."""
        models = [p.neuron for p in self.populations] + [p.synapse for p in self.projections]
        found: dict[str, tuple[str, ...]] = {}
        for model in models:
            if model.notice and model.name not in found.get(model.notice, ()):
                found[model.notice] = (*found.get(model.notice, ()), model.name)
        return found

    @property
    def histograms(self) -> tuple[StateHistogram, ...]:
        """The readouts that count joint states."""
        return tuple(r for r in self.readouts if isinstance(r, StateHistogram))

    @property
    def samples(self) -> tuple[Samples, ...]:
        """The readouts that sample a variable."""
        return tuple(r for r in self.readouts if isinstance(r, Samples))

    def patterns(self, name: str) -> Patterns:
        """The patterns of that name."""
        return next(s for s in self.stimuli if isinstance(s, Patterns) and s.name == name)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a chip's mismatch can attach to in this network: the kinds of its parameters, variables and weights."""
        models = [(p.neuron.parameters, p.neuron.states) for p in self.populations]
        models += [(p.synapse.parameters, p.synapse.states) for p in self.projections]
        parameters = {x.kind for declared, _ in models for x in declared}
        states = {x.kind for _, declared in models for x in declared}
        weights = {"weight" for p in self.projections if not p.synapse.weight.kind}
        return tuple(sorted((parameters | states | weights) - {""}))

    def population(self, name: str) -> Population:
        """The population of that name."""
        return next(p for p in self.populations if p.name == name)

    def projection(self, name: str) -> Projection:
        """The projection of that name."""
        return next(p for p in self.projections if p.name == name)
