"""Types, expressions and statements of a program; the grammar stands in `neuroport.program`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Place

Numbers = NDArray[Any]
"""float64 in a real program, int64 (raw) in an integer one, and for integer variables in both."""
WORDS = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32)
"""Whole numbers of less than 64 bits, the narrowest first."""

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

    @property
    def dtype(self) -> np.dtype[np.integer]:
        """That of the fewest bytes that hold lo..hi, with a sign where both do."""
        for dtype in WORDS:
            ends = np.iinfo(dtype)
            if ends.min <= self.lo and self.hi <= ends.max:
                return np.dtype(dtype)
        return np.dtype(np.int64)

    def __str__(self) -> str:
        return f"Q({self.bits},{self.frac})" if self.frac else f"int{self.bits}"


Type = Real | Int | Bool
REAL, BOOL, INT = Real(), Bool(), Int()

# ---------------------------------------------------------------------------------------------------- expressions

Where = Literal["scalar", "own", "pre", "post", "twin", "single"]
Axis = Literal["population", "incoming", "outgoing", "shared"]
Rounding = Literal["toward_zero", "floor", "nearest", "nearest_even", "stochastic", "floor_min_step"]
Overflow = Literal["saturate", "wrap", "error", "none"]
ROUNDINGS, OVERFLOWS = get_args(Rounding), get_args(Overflow)


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
    corresponding synapse of that other projection; "single" is, in a synapse body or an event, the only neuron of some
    population. `lag` reads that many steps further back from the array's history
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
    """A function of `program.functions` applied to arguments."""

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

    It stands as the whole value of a Store into a shared array in a body of every step (a population's, or the `step`
    of a projection), or anywhere in the body of an event that runs `once`. Nothing inside is a Sum.
    """

    x: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Reduce:
    """x of all elements of a group, added up (`op` "sum") or the largest of them ("max").

    The group of an element, by `axis`: all neurons of its population ("population"), or all synapses onto the same
    postsynaptic neuron ("incoming"), of the same presynaptic neuron ("outgoing"), or of the same entry of a kernel
    ("shared"): that stands in an event over a kernel's entries, and x is of each synapse of the entry. `terms` is the
    largest number of elements of a group.

    It stands anywhere in the statements of an event, and nothing inside is a Reduce. A statement is done for all
    elements before the next one begins, so x is what it was before the statement. A sum begins with 0 and is
    made one after the other in the order of the elements, in the program's precision, into which each x is rounded
    first; so the largest of real numbers is, and it is never -0.
    """

    x: Expr
    type: Type
    op: Literal["sum", "max"]
    axis: Axis
    terms: int = 1

    @property
    def least(self) -> int:
        """The least number of elements of a group: an entry of a kernel may be in nobody's reach."""
        return 0 if self.axis == "shared" else 1

    @property
    def name(self) -> str:
        """How it is written."""
        return f"{self.op}_{self.axis}"


Expr = Const | Read | Temp | Apply | Round | Lookup | Random | Sum | Reduce


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct operands of an expression."""
    match expr:
        case Apply():
            return expr.args
        case Round() | Sum() | Reduce():
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
        case Round() | Sum() | Reduce():
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
# `place` is the line of a model's text that a statement came from, None where there is none. It does not count when
# statements are compared.


@dataclass(frozen=True, slots=True)
class Let:
    """Name an intermediate value. Each name is given once per body."""

    name: str
    value: Expr
    place: Place | None = field(default=None, compare=False)


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
    place: Place | None = field(default=None, compare=False)


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
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Spike:
    """The neuron spikes in this step where the condition holds. At most one per body."""

    condition: Expr
    place: Place | None = field(default=None, compare=False)


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
            return replace(stmt, condition=change(stmt.condition))


def parts(body: Body) -> Iterator[Expr]:
    """Every expression in the body and all their parts."""
    for expr in expressions(body):
        yield from walk(expr)


def reductions(stmt: Stmt) -> Iterator[Reduce]:
    """Every sum and largest value over elements in a statement."""
    return (part for part in parts((stmt,)) if isinstance(part, Reduce))


def reads(body: Body) -> Iterator[Read]:
    """Every read in the body."""
    return (part for part in parts(body) if isinstance(part, Read))


def stored(body: Body) -> set[str]:
    """The arrays to which the body stores."""
    return {stmt.array for stmt in body if isinstance(stmt, Store)}
