"""Copies that share, written out: a program with an axis of copies as an ordinary one, copy k in objects NAME#k.

Each copy has its own of what is shared, and all are kept equal: a block that is computed once becomes one event of
NAME#0 that reads and stores the arrays of all copies, with every sum over copies written out in the order of
`sum_over_copies`. A shared array that a `step` body sums into becomes the copies' contributions; whoever reads it
adds them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuroport.copies.axis import ELEMENT_SHIFT, LANES, is_own
from neuroport.copies.unroll import array_of_copy, copied, copy_name, in_copy
from neuroport.errors import InternalError, Unsupported
from neuroport.program.ir import (
    REAL,
    Apply,
    Body,
    Const,
    Expr,
    Int,
    Let,
    Random,
    Read,
    Real,
    Round,
    Stmt,
    Store,
    Sum,
    Temp,
    Type,
    children,
    walk,
    with_children,
    with_expressions,
)
from neuroport.program.machine import Array, Event, Population, Program, Projection, Series, arrays_of
from neuroport.program.names import of_run
from neuroport.program.printer import statement
from neuroport.program.verify import verified

WIDEST = 2**63 - 1


@verified
def unbatch(program: Program) -> Program:
    """The same machine without an axis of copies. Every copy draws the random numbers that it draws in the batch."""
    if program.copies == 1:
        return program
    return _Unbatching(program, program.summed()).program()


@dataclass(frozen=True)
class _Unbatching:
    batch: Program
    summed: frozenset[str]

    def program(self) -> Program:
        batch = self.batch
        arrays = [self.array(array, k) for array in batch.arrays.values() for k in self.copies(array.name)]
        return replace(
            batch,
            name=f"{batch.name} x {batch.copies}",
            arrays=arrays_of(arrays),
            populations=tuple(self.population(p, k) for p in batch.populations for k in range(batch.copies)),
            projections=tuple(self.projection(p, k) for p in batch.projections for k in range(batch.copies)),
            events=tuple(event for e in batch.events for event in self.events(e)),
            readouts=tuple(
                replace(
                    r,
                    name=copy_name(r.name, k),
                    population=copy_name(r.population, k),
                    bit=_OneCopy(self, k).expr(r.bit),
                )
                for r in batch.readouts
                for k in range(batch.copies)
            ),
            records=tuple(
                replace(r, array=copy_name(r.array, k), readout=copy_name(r.readout, k) if r.readout else "")
                for r in batch.records
                for k in self.copies(r.array)
            ),
            injections=tuple(
                replace(i, name=copy_name(i.name, k), input=copy_name(i.input, k))
                for i in batch.injections
                for k in range(batch.copies)
            ),
            series=tuple(_series(s, k) for s in batch.series for k in range(batch.copies)),
            derived=(),
            constants={},
            designed={},
            ports=(),
            copies=1,
        )

    def copies(self, array: str) -> range:
        """The copies that have this array: the run's own scalars exist once."""
        return range(1 if of_run(array) else self.batch.copies)

    def array(self, array: Array, k: int) -> Array:
        initial = array.initial[..., k] if is_own(array) else array.initial
        if array.name in self.summed and k > 0:
            initial = np.zeros_like(initial)
        return replace(array_of_copy(array, k), initial=initial.copy(), shared=False)

    def population(self, p: Population, k: int) -> Population:
        return replace(
            p,
            name=copy_name(p.name, k),
            body=_OneCopy(self, k).body(p.body),
            inputs=tuple(copy_name(i, k) for i in p.inputs),
            first_element=p.first_element + (k << ELEMENT_SHIFT),
            count=copied(p.count, k),
        )

    def projection(self, p: Projection, k: int) -> Projection:
        copy = _OneCopy(self, k)
        return replace(
            p.with_bodies(copy.body),
            name=copy_name(p.name, k),
            source=copy_name(p.source, k),
            target=copy_name(p.target, k),
            wiring=p.wiring.keyed_from(k << ELEMENT_SHIFT),
            row_condition=None if p.row_condition is None else copy.expr(p.row_condition),
        )

    def events(self, event: Event) -> Iterator[Event]:
        if event.once:
            yield replace(event, owner=copy_name(event.owner, 0), body=_AllCopies(self).body(event.body), once=False)
            return
        for k in range(self.batch.copies):
            yield replace(event, owner=copy_name(event.owner, k), body=_OneCopy(self, k, event=True).body(event.body))

    def total(self, read: Read) -> Expr:
        """What a shared array of contributions holds."""
        reads = [replace(read, array=copy_name(read.array, k)) for k in range(self.batch.copies)]
        return added(reads, lambda _: _with_zero(read.type), read.type)


def _series(series: Series, k: int) -> Series:
    start = None if series.start is None else series.start[k : k + 1]
    return replace(series, name=copy_name(series.name, k), input=copy_name(series.input, k), start=start)


# ------------------------------------------------------------------------------------------------------------- sums


def added(terms: Sequence[Expr], partial: Callable[[int], Type], whole: Type) -> Expr:
    """The terms of all copies added in the order of `sum_over_copies`; `partial` gives the type of a sum of n terms."""
    lanes: list[tuple[Expr, int] | None] = [None] * LANES
    for c, term in enumerate(terms):
        lanes[c % LANES] = _plus(lanes[c % LANES], (term, 1), partial)
    while len(lanes) > 1:
        lanes = [_plus(a, b, partial) for a, b in zip(lanes[0::2], lanes[1::2], strict=True)]
    assert lanes[0] is not None
    total = lanes[0][0]
    if isinstance(whole, Real):  # a lane begins at 0, so that a sum is never -0
        return Apply("add", (total, Const(0.0, whole)), whole)
    return replace(total, type=whole)


def _plus(
    a: tuple[Expr, int] | None, b: tuple[Expr, int] | None, partial: Callable[[int], Type]
) -> tuple[Expr, int] | None:
    if a is None or b is None:
        return a or b
    n = a[1] + b[1]
    return Apply("add", (a[0], b[0]), partial(n)), n


def _with_zero(type_: Type) -> Type:
    return replace(type_, lo=min(type_.lo, 0), hi=max(type_.hi, 0)) if isinstance(type_, Int) else type_


def _times(type_: Type, n: int) -> Type:
    if not isinstance(type_, Int):
        return type_
    return replace(type_, lo=max(n * type_.lo, -WIDEST - 1), hi=min(n * type_.hi, WIDEST))


# ------------------------------------------------------------------------------------------------------------ bodies


@dataclass(frozen=True)
class _OneCopy:
    """Bodies of copy k: its own names, and its own contribution where the batch sums."""

    unbatching: _Unbatching
    k: int
    event: bool = False

    def body(self, body: Body) -> Body:
        return tuple(self.stmt(stmt) for stmt in body)

    def stmt(self, stmt: Stmt) -> Stmt:
        if isinstance(stmt, Store) and isinstance(stmt.value, Sum):
            stmt = replace(stmt, value=stmt.value.x)
        return in_copy(with_expressions(stmt, self.expr), self.k)

    def expr(self, expr: Expr) -> Expr:
        if isinstance(expr, Read):
            if expr.array not in self.unbatching.summed:
                return replace(expr, array=copy_name(expr.array, self.k))
            if self.event:
                return self.unbatching.total(expr)
            raise InternalError(f"'{expr.array}' is a sum over copies, and a body of every step reads it")
        return with_children(expr, self.expr)


class _AllCopies:
    """The body of an event that is computed once, for all copies.

    `k` is the copy whose values an expression reads: within a sum each of them, elsewhere copy 0, as all are equal.
    """

    def __init__(self, unbatching: _Unbatching) -> None:
        self.unbatching = unbatching
        self.batch = unbatching.batch
        self.k = 0
        self.own_lets: set[str] = set()
        self.statements: list[Stmt] = []

    def body(self, body: Body) -> Body:
        for stmt in body:
            match stmt:
                case Let():
                    self.let(stmt)
                case Store():
                    self.store(stmt)
                case _:
                    raise InternalError(f"an event that is computed once for all copies has `{statement(stmt)}`")
        return tuple(self.statements)

    def let(self, let: Let) -> None:
        """A value that is made of a copy's own gets a name in every copy."""
        if not self.reads_own(let.value):
            self.statements.append(replace(let, value=self.expr(let.value)))
            return
        self.own_lets.add(let.name)
        for k in range(self.batch.copies):
            self.statements.append(replace(let, name=copy_name(let.name, k), value=self.of_copy(k, let.value)))

    def store(self, store: Store) -> None:
        """Every copy gets the value; of a sum of contributions, copy 0 does, and the others contribute nothing."""
        value = self.named(store, self.expr(store.value))
        guard = None if store.guard is None else self.named(store, self.expr(store.guard))
        given = replace(store, value=value, guard=guard)
        others = given
        if store.array in self.unbatching.summed:
            zero = Const(0.0, REAL) if isinstance(value.type, Real) else Const(0, Int(0, 0))
            others = replace(given, value=zero, overflow="none")
        for k in range(self.batch.copies):
            self.statements.append(replace(others if k else given, array=copy_name(store.array, k)))

    def named(self, store: Store, expr: Expr) -> Expr:
        """A value that the stores to follow, made of this one, do not change."""
        if isinstance(expr, Const | Temp):
            return expr
        name = f"stored#{len(self.statements)}"
        self.statements.append(Let(name, expr, store.place))
        return Temp(name, expr.type)

    def of_copy(self, k: int, expr: Expr) -> Expr:
        if any(isinstance(part, Random) or _is_stochastic(part) for part in walk(expr)):
            raise Unsupported(
                "a block that is computed once for all copies draws a random number in each of them (within "
                "sum_copies or mean_copies, or by stochastic rounding there), which this backend cannot do; draw it "
                "outside, or run on the reference backend"
            )
        before, self.k = self.k, k
        made = self.expr(expr)
        self.k = before
        return made

    def reads_own(self, expr: Expr) -> bool:
        match expr:
            case Read():
                return is_own(self.batch.arrays[expr.array])
            case Temp():
                return expr.name in self.own_lets
            case Sum():
                return False
            case _:
                return any(self.reads_own(part) for part in children(expr))

    def expr(self, expr: Expr) -> Expr:
        match expr:
            case Read() if expr.array in self.unbatching.summed:
                return self.unbatching.total(expr)
            case Read():
                return replace(expr, array=copy_name(expr.array, self.k))
            case Temp() if expr.name in self.own_lets:
                return replace(expr, name=copy_name(expr.name, self.k))
            case Sum(x=x):
                terms = [self.of_copy(k, x) for k in range(self.batch.copies)]
                return added(terms, lambda n: _times(x.type, n), expr.type)
            case _:
                return with_children(expr, self.expr)


def _is_stochastic(expr: Expr) -> bool:
    return isinstance(expr, Round) and expr.mode == "stochastic"
