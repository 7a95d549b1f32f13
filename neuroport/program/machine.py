"""The machine: arrays, populations, projections, events and what else a program consists of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InternalError, Place
from neuroport.numerics.parts import Part, named
from neuroport.program.ir import (
    Axis,
    Body,
    Expr,
    Int,
    Numbers,
    Overflow,
    Read,
    Real,
    Rounding,
    Store,
    Sum,
    Type,
    reads,
    stored,
    walk,
)
from neuroport.program.rows import Rows
from neuroport.program.wiring import Wiring

Role = Literal["state", "parameter", "input", "weight", "visible"]


NOTHING = -(2**63) + 1
"""In an input of ints of which the largest is taken: nothing has been sent."""


@dataclass(frozen=True, eq=False)
class Array:
    """A named array of the machine, `OBJECT.VARIABLE`.

    Special scalars of owner "$run" exist where they are used: "$run.t" (step number) and "$run.item_step" are kept by
    the executor, "$run.T" (steps of the running item) is written by the session.

    `initial` has shape () for at="scalar", (size,) for a population's, (synapses,) for a projection's (synapses in the
    projection's order), or (entries,) for at="kernel", of what synapses with the same entry of a kernel share, and
    the `dtype`, but for weights of a program of integers: see `kept`. `type` gives its bounds.
    `designed` is the interval of real values that it can have on any specimen of a chip, if it deviates, or that the
    host may give to static weights whose range the network file says, or that a port writes.
    `history` is the number of past slots kept (0: none); an input has `slots` >= 1, written at (t + d) mod slots.
    `reduce`: an input is the sum of what is sent to it, or the largest of that (max), 0 where nothing is sent. One of
    which the largest is taken has no stimuli. Until it is read it holds `nothing` where nothing has been sent, and its
    numbers are above that.
    `place`: where it was declared, or the line whose constant part it holds.

    In a program of several copies every array of role state, weight, visible or input that is not `shared` has one
    value per copy, and `initial` the shape (size, copies) or (synapses, copies). So has a parameter that is `varied`,
    (copies,) for at="scalar", once `own_parameters` of neuroport.copies.given has given them; all others are shared.

    Names of other arrays, or "": `visible` of what leaves a learned weight's synapse, `hidden` of the weight that such
    an array of role visible shows, `factor` of the factors of the circuits through which a learned value is used.

    `scratch`: it holds what one part of an event leaves for the next; no state has it. `mirror`: the array of a
    kernel's entries whose values it has for their synapses, renewed by the executor, in a program that `expanded` made.
    """

    name: str
    owner: str
    at: Literal["scalar", "neuron", "synapse", "kernel"]
    role: Role
    type: Type
    initial: Numbers
    kind_class: str = "state"
    history: int = 0
    slots: int = 1
    dynamic: bool = False
    range: tuple[float, float] | None = None
    designed: tuple[float, float] | None = None
    rounding: Rounding = "nearest"
    overflow: Overflow = "none"
    shared: bool = False
    varied: bool = False
    visible: str = ""
    hidden: str = ""
    factor: str = ""
    place: Place | None = None
    scratch: bool = False
    mirror: str = ""
    reduce: Literal["sum", "max"] = "sum"

    @property
    def nothing(self) -> float | int:
        """What an input holds where nothing has been sent."""
        if self.reduce == "sum":
            return 0
        return -math.inf if isinstance(self.type, Real) else NOTHING

    def arrived(self, values: NDArray[Any]) -> NDArray[Any]:
        """What an input is, by what it holds."""
        if self.reduce == "sum":
            return values
        return np.where(values == self.nothing, 0, values) + np.zeros((), values.dtype)  # no -0.0

    @property
    def dtype(self) -> np.dtype[Any]:
        """In what its numbers go in and out of executors: float64, or int64, which raw integers are, too."""
        return np.dtype(np.float64 if isinstance(self.type, Real) else np.int64)

    def kept(self, integer: bool) -> np.dtype[Any]:
        """The dtype of `initial`, in a program of integers or another one.

        Weights of integers, of which there may be many, take as few bytes as hold their type: who computes with them
        computes in `dtype`, a piece of a large array after the other.
        """
        if integer and self.role in ("weight", "visible") and isinstance(self.type, Int):
            return self.type.dtype
        return self.dtype

    @property
    def own(self) -> bool:
        """Whether every copy has the array for itself."""
        if self.role == "parameter":
            return self.varied and self.initial.ndim == (1 if self.at == "scalar" else 2)
        return not self.shared

    @property
    def single(self) -> bool:
        """Whether it is one number: for all elements, and for all copies."""
        return self.at == "scalar" and not self.own

    @property
    def held(self) -> bool:
        """Whether a state has it among its arrays: inputs are apart, and what events leave for their parts is not."""
        return self.role != "input" and not self.scratch

    @property
    def wide(self) -> bool:
        """Whether the array is float64 even in a float32 program: learned values, whose small changes must add up."""
        return self.kind_class == "plastic" and isinstance(self.type, Real)

    @property
    def static(self) -> bool:
        """Whether it has weights that no rule changes; the host may."""
        return self.role == "weight" and self.kind_class == "weight"

    def linked(self, change: Callable[[str], str]) -> Array:
        """The array with the names of the others that it has changed."""
        visible, hidden, factor = (change(name) if name else "" for name in (self.visible, self.hidden, self.factor))
        return replace(self, visible=visible, hidden=hidden, factor=factor)


class Arrays(dict[str, Array]):
    """The arrays of a program in the making, by name."""

    def add(self, array: Array) -> None:
        """A new array; InternalError if there is one of its name."""
        known = self.get(array.name)
        if known is not None:
            both = f"{_described(known)} and {_described(array)}"
            raise InternalError(f"two arrays have the name '{array.name}': {both}")
        self[array.name] = array

    def change(self, array: Array) -> None:
        """Another array in the place of the one of its name; InternalError if there is none."""
        if array.name not in self:
            raise InternalError(f"there is no array '{array.name}' to change")
        self[array.name] = array


def arrays_of(arrays: Iterable[Array]) -> Arrays:
    """Arrays by name, in their order."""
    made = Arrays()
    for array in arrays:
        made.add(array)
    return made


def _described(array: Array) -> str:
    kind = f", class {array.kind_class}" if array.role == "state" else ""
    return f"a {array.role} of '{array.owner}' ({array.at}{kind})"


@dataclass(frozen=True, eq=False)
class Population:
    """A population's neurons and what each does in a step.

    `inputs` are the arrays of role "input" that the body reads and that are cleared after it. `spiking`: the body has
    a Spike. `spike_slots` is the number of steps for which spikes are kept for delivery (largest axonal delay).
    Neuron i's random draws are keyed by the element number `first_element` + i: 0 + i but in an unbatched copy.
    `count`: the array that says how many spikes a spike of a neuron is told as; "" for one.
    """

    name: str
    size: int
    body: Body
    inputs: tuple[str, ...]
    spiking: bool
    spike_slots: int
    first_element: int = 0
    place: Place | None = None
    count: str = ""


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from `source` to `target`, sorted by presynaptic, then postsynaptic neuron.

    wiring: which neurons they join; synapses of a kernel have the values of their entries in arrays at="kernel", which
    their bodies read as their own.
    dendritic: int64 (synapses,) or None when no synapse has a dendritic delay.
    twin: int64 (synapses,), of a kernel (entries,), or None: which synapse, or entry, of the twin projection
    corresponds to each, for events that read it.
    step/arrive/post_body: what a synapse does continuously, on a presynaptic, on a postsynaptic spike.
    row_condition: set when the whole `step` body is one Send guarded by a condition on the presynaptic neuron alone;
    an executor may then skip the rows where it is false. The Send keeps its guard.
    """

    name: str
    source: str
    target: str
    source_size: int
    target_size: int
    delay: int
    wiring: Wiring
    dendritic: NDArray[np.int64] | None
    step: Body
    arrive: Body
    post_body: Body
    row_condition: Expr | None = None
    twin: NDArray[np.int64] | None = None
    place: Place | None = None

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return self.wiring.synapses

    @property
    def shares(self) -> bool:
        """Whether synapses share the entries of a kernel."""
        return self.wiring.entries > 0

    @property
    def redrawn(self) -> bool:
        """Whether its synapses are not stored, but drawn anew for every spike; then all have the same values."""
        return isinstance(self.wiring, Rows) and self.wiring.law is not None

    @property
    def values(self) -> int:
        """How many numbers arrays have of what is not each synapse's own: entries of a kernel, or synapses."""
        return self.wiring.entries or self.wiring.synapses

    @property
    def pre(self) -> NDArray[np.int64]:
        """The presynaptic neuron of each synapse."""
        return self.wiring.pre

    @property
    def post(self) -> NDArray[np.int64]:
        """The postsynaptic neuron of each synapse."""
        return self.wiring.post

    @property
    def indptr(self) -> NDArray[np.int64]:
        """Where the row of each presynaptic neuron begins, and where the last one ends: (source size + 1,)."""
        return self.wiring.indptr

    @property
    def element(self) -> NDArray[np.uint64]:
        """The number by which each synapse's random draws are keyed."""
        return self.wiring.element

    @property
    def bodies(self) -> tuple[Body, Body, Body]:
        """What its synapses do by themselves: step, arrive and post_body."""
        return self.step, self.arrive, self.post_body

    @property
    def longest_delay(self) -> int:
        """The longest dendritic delay of its synapses, in steps."""
        return 0 if self.dendritic is None else int(self.dendritic.max(initial=0))

    def with_bodies(self, change: Callable[[Body], Body]) -> Projection:
        """The projection with each of its bodies changed."""
        step, arrive, post_body = map(change, self.bodies)
        return replace(self, step=step, arrive=arrive, post_body=post_body)


Over = Literal["neuron", "synapse", "kernel"]
"""Over what a body is computed: the entries of a kernel have events of their own."""


@dataclass(frozen=True, slots=True)
class Total:
    """What an executor reduces before the body of an event: `into` becomes `op` of the groups along `axis` of `of`.

    `into` has a value for each neuron of the population, or of the one onto which or from which synapses are.
    """

    op: Literal["sum", "max"]
    axis: Axis
    of: str
    into: str


@dataclass(frozen=True, eq=False)
class Event:
    """A triggered block of one population or projection. Several may share a name: they run in order.

    One over the entries of a kernel is computed once for each, and reads what synapses have for themselves in Sum only.
    A synapse's reads what belongs to its neurons as the last step left it; Read.lag counts steps back from there. The
    last step is, for a block that runs at the end of one (`every_step`), that one.

    `once`: in a program of several copies, computed once for all of them. It then reads what is shared, and what each
    copy has of its own only inside Sum; a Store into an array that is not shared gives every copy the same value (and
    its overflow counts for every copy), but for one that is `scratch`, in which each copy leaves its own. A Random
    outside Sum is the draw of copy 0, inside it each copy's own.

    In a program that `unbatch` made, an event of NAME#0 stands for what was computed once: "own" may there name arrays
    of NAME#1, NAME#2 ... in reads and stores, "pre", "post" and "twin" those of the other copies of source, target and
    twin. Likewise an event of any NAME#k may read arrays of the other copies. All copies are of the same shape.

    In a program that `unfolded` made, bodies have no Reduce: `totals` are made before the body.
    """

    name: str
    owner: str
    over: Over
    body: Body
    every_step: bool = False
    once: bool = False
    totals: tuple[Total, ...] = ()


When = Literal["update", "step", "arrive", "post_body", "event"]


@dataclass(frozen=True, slots=True)
class OwnedBody:
    """A body of a program: whose it is, when it is done, and over what. `event`: the event that it belongs to."""

    body: Body
    owner: str
    when: When
    over: Over
    event: Event | None = None

    def __str__(self) -> str:
        """Where it stands, in words."""
        match self.when:
            case "update":
                return f"population {self.owner}"
            case "step":
                return f"projection {self.owner}"
            case "arrive":
                return f"projection {self.owner}, on_pre"
            case "post_body":
                return f"projection {self.owner}, on_post"
            case "event":
                assert self.event is not None
                return f"event {self.event.name} of {self.owner}"


@dataclass(frozen=True, eq=False)
class Readout:
    """Counts of the joint binary state of a population: bit i (neuron 0 most significant) is `bit` of neuron i.

    `neurons`: of these alone, int64 (n,), ascending, the first of them most significant.
    Active in the run items that name it: at every step of the item whose number (from 0) is phase modulo every.
    """

    name: str
    population: str
    bit: Expr
    every: int
    phase: int
    place: Place | None = None
    neurons: NDArray[np.int64] | None = None

    def states(self, size: int) -> int:
        """How many joint states there are, of a population of that size."""
        return int(2 ** (size if self.neurons is None else len(self.neurons)))


@dataclass(frozen=True, eq=False)
class Record:
    """Sample an array after every `every`-th step: at steps t with (t + 1) % every == 0.

    With the name of a `readout`: only in the run items that name it, at every step of the item whose number (from 0) is
    `phase` modulo `every`; what was sampled goes under that name instead of the array's. `neurons`: only
    these elements, int64 (n,), ascending.
    """

    array: str
    every: int
    readout: str = ""
    phase: int = 0
    neurons: NDArray[np.int64] | None = None

    @property
    def name(self) -> str:
        """The name under which a Capture has the samples."""
        return self.readout or self.array

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """What is sampled of an array's values."""
        return values if self.neurons is None else values[self.neurons]


@dataclass(frozen=True, eq=False)
class Injection:
    """Values added to an input at given steps. steps ascending int64 (n,), neurons int64 (n,), values (n,)."""

    name: str
    input: str
    steps: NDArray[np.int64]
    neurons: NDArray[np.int64]
    values: Numbers


@dataclass(frozen=True, eq=False)
class Series:
    """Rows added to an input in every step: table (rows, size).

    order="time": row (t // hold), nothing after the last row unless `loop`. With `start` int64 (copies,) copy c begins
    at row start[c] (only with `loop`).
    order="item": only while a `present` item runs that gives it a schedule, pattern numbers by hold: (holds,), or
    (holds, copies) in a program of several copies. A pattern is `frames` rows of the table, each for hold / frames
    steps: the row is schedule[item_step // hold] * frames + (item_step % hold) // (hold // frames).
    `captured`: the run replaces the table by other values in the input's range.
    `neurons`: those to which it leads, int64 (n,), ascending; the table is 0 for all others. None: all.
    """

    name: str
    input: str
    table: Numbers
    hold: int
    order: Literal["time", "item"] = "time"
    loop: bool = False
    frames: int = 1
    start: NDArray[np.int64] | None = None
    captured: bool = False
    neurons: NDArray[np.int64] | None = None

    def of(self, table: NDArray[Any]) -> NDArray[Any]:
        """What a table has for the neurons to which it leads, (rows, n)."""
        return table if self.neurons is None else table[:, self.neurons]


@dataclass(frozen=True, eq=False)
class Derived:
    """How a parameter array follows from dynamic ones: recomputed on the host at every switch.

    `value` is a real expression over parameter arrays; `type` the format it is rounded to (None: stays real).
    """

    array: str
    value: Expr
    type: Int | None = None


@dataclass(frozen=True, eq=False)
class Designed:
    """What a parameter or static weight was set to before the circuits of a specimen deviated from it.

    `value` and `range` (the declared one) are in coherent units. `circuit` has one number per element: a factor, or of
    an int the steps that are added, after which it stays in the range. Circuits are the same in all copies; where each
    copy has a value of its own, `value` has an axis of copies behind, and `made` is of the numbers of one copy.
    """

    value: Numbers
    range: tuple[float, float] | None
    circuit: Numbers

    def made(self, numbers: Numbers) -> Numbers:
        """What the circuits make of these numbers."""
        if self.circuit.dtype.kind == "f":
            return np.asarray(numbers * self.circuit, np.float64)
        low, high = self.range or (-np.inf, np.inf)
        return np.asarray(np.clip(numbers + self.circuit, low, high), np.int64)


@dataclass(frozen=True, slots=True)
class Port:
    """What a host may write, add to, see or read by name, and how it looks from outside.

    `target`: OBJECT.VARIABLE, POPULATION.INPUT for "inject", a population for "spikes". `size`: how many numbers it
    takes or gives in every copy; neurons for "spikes". Numbers are in the coherent `unit` ("": pure), of this `type`;
    what is written, or added to a neuron in a step, lies in `range` (None: it has none). `writable`: whether the host
    may write what it reads; always True for "write", never for "inject" and "spikes". `part`: it is of some neurons of
    a population, `size` of them, which the host counts from 0.
    """

    name: str
    direction: Literal["write", "inject", "spikes", "read"]
    target: str
    size: int
    type: Literal["real", "int"]
    unit: str
    range: tuple[float, float] | None
    writable: bool
    place: Place | None = field(default=None, compare=False)
    part: Part | None = None

    @property
    def of(self) -> str:
        """What it leads to, as a network file names it: "cells.v", "cells.v[0:10]"."""
        return named(self.target, self.part)

    @property
    def use(self) -> str:
        """The direction, and whether what is read may be written too, for a person."""
        return "read, write" if self.direction == "read" and self.writable else self.direction


@dataclass(frozen=True, eq=False)
class Program:
    """A whole network as a machine. `integer` says whether its numbers are raw integers.

    `copies` > 1: that many networks that share the arrays marked `shared` (a batch). All do the same protocol, each has
    its own stimuli. A random draw of copy c has the element number of copy 0 plus c * 2**40. Spikes have the neuron
    number i * copies + c.
    """

    name: str
    dt: float  # ms
    seed: int
    chip: str
    integer: bool
    precision: Literal["float64", "float32"]
    arrays: dict[str, Array]
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    events: tuple[Event, ...]
    readouts: tuple[Readout, ...]
    records: tuple[Record, ...]
    injections: tuple[Injection, ...]
    series: tuple[Series, ...]
    tables: dict[str, NDArray[np.int64]]
    derived: tuple[Derived, ...]
    report: tuple[ReportLine, ...] = ()
    copies: int = 1
    constants: dict[str, Numbers] = field(default_factory=dict)
    """Real values of the parameter arrays that `derived` reads: what a switch starts from, in any arithmetic."""
    designed: dict[str, Designed] = field(default_factory=dict)
    """The arrays that the host may set and whose circuits deviate."""
    ports: tuple[Port, ...] = ()
    """What the network file declares for a host: programs without ports can be written and read all the same."""
    per_copy: dict[str, Numbers] = field(default_factory=dict)
    """Parameters of which each copy has its own: their real values as they were set, (copies,). The arrays of a program
    of one copy have those of copy 0."""
    place: Place | None = None

    @property
    def notices(self) -> tuple[ReportLine, ...]:
        """The lines of the report that a person must know before a run."""
        return tuple(line for line in self.report if line.notice)

    def population(self, name: str) -> Population:
        """The population of that name."""
        return next(p for p in self.populations if p.name == name)

    def projection(self, name: str) -> Projection:
        """The projection of that name."""
        return next(p for p in self.projections if p.name == name)

    def bodies(self) -> Iterator[OwnedBody]:
        """Every body, in the order of populations, projections and events."""
        for population in self.populations:
            yield OwnedBody(population.body, population.name, "update", "neuron")
        for projection in self.projections:
            yield OwnedBody(projection.step, projection.name, "step", "synapse")
            yield OwnedBody(projection.arrive, projection.name, "arrive", "synapse")
            yield OwnedBody(projection.post_body, projection.name, "post_body", "synapse")
        for event in self.events:
            yield OwnedBody(event.body, event.owner, "event", event.over, event)

    def stored(self, by: str | None = None) -> set[str]:
        """The arrays that some body stores to; with `by`, some body of that population or projection."""
        names = {name for owned in self.bodies() if by in (None, owned.owner) for name in stored(owned.body)}
        return names | {total.into for event in self.events if by in (None, event.owner) for total in event.totals}

    def summed(self) -> frozenset[str]:
        """The arrays into which a body of every step sums over the copies."""
        bodies = (owned.body for owned in self.bodies() if owned.event is None)
        stores = (stmt for body in bodies for stmt in body if isinstance(stmt, Store))
        return frozenset(store.array for store in stores if isinstance(store.value, Sum))

    def reads(self) -> Iterator[Read]:
        """Every read of a body, of a row condition and of a readout."""
        for owned in self.bodies():
            yield from reads(owned.body)
        conditions = [p.row_condition for p in self.projections if p.row_condition is not None]
        for whole in conditions + [r.bit for r in self.readouts]:
            yield from (part for part in walk(whole) if isinstance(part, Read))


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One fact that elaboration or quantisation wants a person to know. `notice`: before anything runs.

    `place`: the line of a model's text that it is about.
    """

    subject: str
    topic: str
    text: str
    values: dict[str, float | int | str] = field(default_factory=dict)
    notice: bool = False
    place: Place | None = None
