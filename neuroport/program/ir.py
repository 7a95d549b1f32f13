"""The program: a flat machine of named arrays and an ordered list of operations.

    type    ::= Real | Int(lo, hi, frac) | Bool
    expr    ::= Const | Read(array, at, lag) | Temp(name) | Apply(fn, args)
              | Round(x, shift, mode) | Lookup(table, index) | Random(stream) | Sum(x)
    stmt    ::= Let(name, expr) | Store(array, expr, guard) | Send(input, expr, guard) | Spike(expr)
    body    ::= stmt*                      straight-line: every `if` has become a guard or a select
    machine ::= arrays, populations, projections, events, readouts, tables

`elaborate` makes a program whose numbers are real; `quantise` turns it into one whose numbers are all integers, with
every shift, rounding, clip and table look-up explicit. Both are the same types, and every executor runs either.

A step t does, in this order (docs/time-step.md):
  0. for every array with `history`: slot (t-1) mod history := the array               (S(t-1))
  1. every projection's `step` body for every synapse
  2. every projection's `arrive` body for the synapses of every neuron that spiked at t - delay
  3. every projection's `post` body for the synapses onto every neuron that spiked at t - 1
  4. stimuli are added to inputs; every population's body; its inputs' slot of this step is cleared
  5. events with `every_step`, in order
  6. readouts and records
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InternalError

Numbers = NDArray[Any]
"""float64 in a real program, int64 (raw) in an integer one, and for integer variables in both."""

# ---------------------------------------------------------------------------------------------------------- types


@dataclass(frozen=True, slots=True)
class Real:
    """A floating-point number in the executor's precision."""

    def __str__(self) -> str:
        return "real"


@dataclass(frozen=True, slots=True)
class Bool:
    """A truth value."""

    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True, slots=True)
class Int:
    """An integer known to lie in lo..hi. In an integer program it stands for raw * 2**-frac."""

    lo: int = -(2**63)
    hi: int = 2**63 - 1
    frac: int = 0

    @property
    def bits(self) -> int:
        """Width of the smallest two's complement word that holds lo..hi."""
        return max(self.hi.bit_length(), (-self.lo - 1).bit_length() if self.lo < 0 else 0) + 1

    def __str__(self) -> str:
        return f"Q({self.bits},{self.frac})" if self.frac else f"int{self.bits}"


Type = Real | Int | Bool
REAL, BOOL, INT = Real(), Bool(), Int()

# ---------------------------------------------------------------------------------------------------- expressions

Where = Literal["scalar", "own", "pre", "post", "twin"]
Rounding = Literal["toward_zero", "floor", "nearest", "nearest_even", "stochastic", "floor_min_step"]
Overflow = Literal["saturate", "wrap", "error", "none"]

# Every function an expression may apply. Arguments and result per executor: docs/language.md.
# `select(c, a, b)` is a if c else b. `clip(x, lo, hi)`. `shl(x, k)`/`shr(x, k)`: k an integer whose type says 0..62;
# `shr` is floor. `bit_length(x)`: the bits of |x|, as Python's. `wrap(x, bits)`: bits a Const. `trunc_div` truncates,
# `floordiv`/`mod` are Python's, `div` is real division, and `round_div` an integer quotient to the nearest (half away
# from zero), x // 0 and x % 0 are 0.
FUNCTIONS = frozenset(
    (
        "add",
        "sub",
        "mul",
        "div",
        "neg",
        "abs",
        "min",
        "max",
        "lt",
        "le",
        "gt",
        "ge",
        "eq",
        "ne",
        "and",
        "or",
        "not",
        "select",
        "clip",
        "floordiv",
        "mod",
        "trunc_div",
        "round_div",
        "shl",
        "shr",
        "bit_length",
        "wrap",
        "exp",
        "log",
        "sqrt",
        "tanh",
        "sigmoid",
        "softplus",
        "to_real",
    )
)


@dataclass(frozen=True, slots=True)
class Const:
    """A literal."""

    value: float | int | bool
    type: Type


@dataclass(frozen=True, slots=True)
class Read:
    """The value of an array.

    `at` says which element: the only one ("scalar"), this neuron's or this synapse's ("own"), or, in a synapse body,
    the one of the presynaptic or postsynaptic neuron; in an event of a projection that has a twin, "twin" is the
    corresponding synapse of that other projection. `lag` reads that many steps further back from the array's history
    (0: the array itself, "synapse": the synapse's own dendritic delay).
    """

    array: str
    at: Where
    type: Type
    lag: int | Literal["synapse"] = 0


@dataclass(frozen=True, slots=True)
class Temp:
    """The value that an earlier Let of the same body gave to this name."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of FUNCTIONS applied to arguments."""

    fn: str
    args: tuple[Expr, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Round:
    """x * 2**-shift rounded to an integer (shift > 0). Integer programs only.

    toward_zero, floor, nearest (half away from zero), nearest_even, floor_min_step (floor, but a change of at least
    one unit away from zero is kept), stochastic (the low `shift` bits of Random(stream) are added to the magnitude,
    then it is truncated, and the sign restored).
    """

    x: Expr
    shift: int
    mode: Rounding
    type: Type
    stream: int = 0


@dataclass(frozen=True, slots=True)
class Lookup:
    """Entry `index` of a constant integer table. The index is known to lie inside the table."""

    table: str
    index: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Random:
    """A uniform number below 1, a pure function of (run seed, stream, step, element): neuroport.numerics.rng.

    part None: the top 32 bits of the mixed 64-bit word; part 0..3: its 16-bit quarter, lowest first. In a real program
    the type is Real and the value draw * 2**-32 (or -16), in float32 of part None the top 24 bits times 2**-24, so that
    it stays below 1; in an integer program it is the raw draw, frac 32 (or 16).
    """

    stream: int
    type: Type
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """x added up over the copies of a program that has several, in the order of `sum_over_copies`.

    It stands as the whole value of a Store into a shared array of a `step` body, or anywhere in the body of an event
    that runs `once`. Nothing inside is a Sum.
    """

    x: Expr
    type: Type


Expr = Const | Read | Temp | Apply | Round | Lookup | Random | Sum


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands of an expression."""
    match expr:
        case Apply():
            return expr.args
        case Round() | Sum():
            return (expr.x,)
        case Lookup():
            return (expr.index,)
        case _:
            return ()


def with_children(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with each of its direct operands changed."""
    match expr:
        case Apply():
            return replace(expr, args=tuple(change(a) for a in expr.args))
        case Round() | Sum():
            return replace(expr, x=change(expr.x))
        case Lookup():
            return replace(expr, index=change(expr.index))
        case _:
            return expr


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and all its parts, operands before the whole."""
    for child in children(expr):
        yield from walk(child)
    yield expr


# ------------------------------------------------------------------------------------------------------ statements


@dataclass(frozen=True, slots=True)
class Let:
    """Name an intermediate value. Each name is given once per body."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Store:
    """Assign to this neuron's or synapse's element of an array, where `guard` holds.

    A population's body may assign to its inputs: what it reads after that is what was stored, and the step ends with 0.

    `overflow` says what happens to a value outside lo..hi: saturate and wrap are counted per array (where the guard
    holds), error ends the run, none means that it cannot happen (or, in a real program, is not checked).
    """

    array: str
    value: Expr
    guard: Expr | None = None
    overflow: Overflow = "none"
    lo: int = 0
    hi: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """Add to an input of the postsynaptic neuron (to="post") or of the presynaptic one (to="pre").

    `delay` in steps is the dendritic delay: 0, or "synapse" for the synapse's own. Always 0 for to="pre".
    """

    input: str
    value: Expr
    guard: Expr | None = None
    to: Literal["post", "pre"] = "post"
    delay: Literal[0, "synapse"] = 0


@dataclass(frozen=True, slots=True)
class Spike:
    """The neuron spikes in this step where the condition holds. At most one per body."""

    condition: Expr


Stmt = Let | Store | Send | Spike
Body = tuple[Stmt, ...]


def expressions(body: Body) -> Iterator[Expr]:
    """Every expression that stands directly in a statement of the body."""
    for stmt in body:
        match stmt:
            case Let() | Store() | Send():
                yield stmt.value
                guard = None if isinstance(stmt, Let) else stmt.guard
                if guard is not None:
                    yield guard
            case Spike():
                yield stmt.condition


def with_expressions(stmt: Stmt, change: Callable[[Expr], Expr]) -> Stmt:
    """The statement with each expression that stands directly in it changed, a guard before its value."""
    match stmt:
        case Let():
            return replace(stmt, value=change(stmt.value))
        case Store() | Send():
            guard = None if stmt.guard is None else change(stmt.guard)
            return replace(stmt, value=change(stmt.value), guard=guard)
        case Spike():
            return Spike(change(stmt.condition))


def parts(body: Body) -> Iterator[Expr]:
    """Every expression in the body and all their parts."""
    for expr in expressions(body):
        yield from walk(expr)


# --------------------------------------------------------------------------------------------------------- machine

Role = Literal["state", "parameter", "input", "weight", "visible"]


@dataclass(frozen=True, eq=False)
class Array:
    """A named array of the machine, `OBJECT.VARIABLE`.

    Special scalars of owner "$run" exist where they are used: "$run.t" (step number) and "$run.item_step" are kept by
    the executor, "$run.T" (steps of the running item) is written by the session.

    `initial` has shape () for at="scalar", (size,) for a population's, (synapses,) for a projection's (synapses in the
    projection's order), and dtype float64 or int64: raw integers in an integer program. `type` gives its bounds.
    `designed` is the interval of real values that it can have on any specimen of a chip, if it deviates, or that the
    host may give to static weights whose range the network file says.
    `history` is the number of past slots kept (0: none); an input has `slots` >= 1, written at (t + d) mod slots.

    In a program of several copies every array of role state, weight, visible or input that is not `shared` has one
    value per copy, and `initial` the shape (size, copies) or (synapses, copies). Parameters are always shared.

    Names of other arrays, or "": `visible` of what leaves a learned weight's synapse, `hidden` of the weight that such
    an array of role visible shows, `factor` of the factors of the circuits through which a learned value is used.
    """

    name: str
    owner: str
    at: Literal["scalar", "neuron", "synapse"]
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
    visible: str = ""
    hidden: str = ""
    factor: str = ""

    @property
    def wide(self) -> bool:
        """Whether the array is float64 even in a float32 program: learned values, whose small changes must add up."""
        return self.kind_class == "plastic" and isinstance(self.type, Real)

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
    """

    name: str
    size: int
    body: Body
    inputs: tuple[str, ...]
    spiking: bool
    spike_slots: int
    first_element: int = 0


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from `source` to `target`, sorted by presynaptic, then postsynaptic neuron.

    pre, post: int64 (synapses,); indptr: int64 (source size + 1,), row i of presynaptic neuron i;
    element: uint64 (synapses,), the number by which a synapse's random draws are keyed.
    dendritic: int64 (synapses,) or None when no synapse has a dendritic delay.
    twin: int64 (synapses,) or None: which synapse of the twin projection corresponds to each, for events that read it.
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
    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    indptr: NDArray[np.int64]
    element: NDArray[np.uint64]
    dendritic: NDArray[np.int64] | None
    step: Body
    arrive: Body
    post_body: Body
    row_condition: Expr | None = None
    twin: NDArray[np.int64] | None = None

    @property
    def synapses(self) -> int:
        """Number of synapses."""
        return len(self.pre)


@dataclass(frozen=True, eq=False)
class Event:
    """A triggered block of one population or projection. Several may share a name: they run in order.

    `once`: in a program of several copies, computed once for all of them. It then reads what is shared, and what each
    copy has of its own only inside Sum; a Store into an array that is not shared gives every copy the same value (and
    its overflow counts for every copy). A Random outside Sum is the draw of copy 0, inside it each copy's own.

    In a program that `unbatch` made, an event of NAME#0 stands for what was computed once: "own" may there name arrays
    of NAME#1, NAME#2 ... in reads and stores, "pre", "post" and "twin" those of the other copies of source, target and
    twin. Likewise an event of any NAME#k may read arrays of the other copies. All copies are of the same shape.
    """

    name: str
    owner: str
    over: Literal["neuron", "synapse"]
    body: Body
    every_step: bool = False
    once: bool = False


@dataclass(frozen=True, eq=False)
class Readout:
    """Counts of the joint binary state of a population: bit i (neuron 0 most significant) is `bit` of neuron i.

    Active in the run items that name it: at every step of the item whose number (from 0) is phase modulo every.
    """

    name: str
    population: str
    bit: Expr
    every: int
    phase: int


@dataclass(frozen=True, eq=False)
class Record:
    """Sample an array after every `every`-th step: at steps t with (t + 1) % every == 0.

    With the name of a `readout`: only in the run items that name it, at every step of the item whose number (from 0) is
    `phase` modulo `every`; what was sampled goes under that name instead of the array's.
    """

    array: str
    every: int
    readout: str = ""
    phase: int = 0

    @property
    def name(self) -> str:
        """The name under which a Capture has the samples."""
        return self.readout or self.array


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
    an int the steps that are added, after which it stays in the range.
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

    def population(self, name: str) -> Population:
        """The population of that name."""
        return next(p for p in self.populations if p.name == name)

    def projection(self, name: str) -> Projection:
        """The projection of that name."""
        return next(p for p in self.projections if p.name == name)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One fact that elaboration or quantisation wants a person to know."""

    subject: str
    topic: str
    text: str
    values: dict[str, float | int | str] = field(default_factory=dict)
