"""Unrolling: independent copies of a network as one program, copy k in objects named NAME#k.

A copy's random streams are renumbered so that, under the seed that the whole is run with, each has the key that it has
in a single run with the copy's own seed: copy k computes the same bits as that single run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from neuroport.errors import Unsupported
from neuroport.numerics.rng import mix
from neuroport.program.ir import (
    Body,
    Expr,
    Lookup,
    Random,
    Read,
    Round,
    Send,
    Stmt,
    Store,
    with_children,
    with_expressions,
)
from neuroport.program.machine import Array, Derived, Event, Population, Program, Projection, arrays_of
from neuroport.program.names import RUN, of_run
from neuroport.program.verify import verified


def copy_name(name: str, k: int) -> str:
    """The name of an object, or of an array OBJECT.VARIABLE, in copy k. The run's own scalars are shared."""
    if of_run(name):
        return name
    owner, dot, variable = name.partition(".")
    return f"{owner}#{k}{dot}{variable}"


def in_copy(stmt: Stmt, k: int) -> Stmt:
    """The statement with what it assigns to, or sends to, being that of copy k."""
    match stmt:
        case Store():
            return replace(stmt, array=copy_name(stmt.array, k))
        case Send():
            return replace(stmt, input=copy_name(stmt.input, k))
        case _:
            return stmt


@verified
def unroll(programs: Sequence[Program], seeds: Sequence[int]) -> Program:
    """One program that computes them all; to be opened with the first seed. They must be of one network."""
    parts = [
        _renamed(program, k, seed, seeds[0]) for k, (program, seed) in enumerate(zip(programs, seeds, strict=True))
    ]
    first = parts[0]
    events = [event for group in zip(*(p.events for p in parts), strict=True) for event in group]
    return replace(
        first,
        name=f"{programs[0].name} x {len(parts)}",
        arrays={name: array for part in parts for name, array in part.arrays.items()},  # all have the run's own
        populations=tuple(x for part in parts for x in part.populations),
        projections=tuple(x for part in parts for x in part.projections),
        events=tuple(events),
        readouts=tuple(x for part in parts for x in part.readouts),
        records=tuple(x for part in parts for x in part.records),
        injections=tuple(x for part in parts for x in part.injections),
        series=tuple(x for part in parts for x in part.series),
        tables={name: table for part in parts for name, table in part.tables.items()},
        derived=tuple(x for part in parts for x in part.derived),
        constants={name: value for part in parts for name, value in part.constants.items()},
        designed={name: value for part in parts for name, value in part.designed.items()},
        ports=tuple(x for part in parts for x in part.ports),
    )


def _renamed(program: Program, k: int, seed: int, base: int) -> Program:
    if any("#" in name for name in program.arrays):
        raise Unsupported("a program of copies cannot be copied again; give the number of copies once")
    if program.copies > 1:
        raise Unsupported("copies that share variables cannot be copied again; give the number of copies once")
    copy = _Copy(k, mix(seed) - mix(base))
    return replace(
        program,
        arrays=arrays_of(array_of_copy(a, k) for a in program.arrays.values()),
        populations=tuple(copy.population(p) for p in program.populations),
        projections=tuple(copy.projection(p) for p in program.projections),
        events=tuple(copy.event(e) for e in program.events),
        readouts=tuple(
            replace(r, name=copy_name(r.name, k), population=copy_name(r.population, k), bit=copy.expr(r.bit))
            for r in program.readouts
        ),
        records=tuple(
            replace(r, array=copy_name(r.array, k), readout=copy_name(r.readout, k) if r.readout else "")
            for r in program.records
        ),
        injections=tuple(
            replace(i, name=copy_name(i.name, k), input=copy_name(i.input, k)) for i in program.injections
        ),
        series=tuple(replace(s, name=copy_name(s.name, k), input=copy_name(s.input, k)) for s in program.series),
        tables={copy_name(n, k): t for n, t in program.tables.items()},
        derived=tuple(Derived(copy_name(d.array, k), copy.expr(d.value), d.type) for d in program.derived),
        constants={copy_name(n, k): v for n, v in program.constants.items()},
        designed={copy_name(n, k): v for n, v in program.designed.items()},
        ports=tuple(replace(p, name=copy_name(p.name, k), target=copy_name(p.target, k)) for p in program.ports),
    )


def copied(name: str, k: int) -> str:
    """The name of copy k of something, if there is one."""
    return copy_name(name, k) if name else ""


def array_of_copy(array: Array, k: int) -> Array:
    """The array of copy k, with links to that copy's other arrays."""
    owner = array.owner if array.owner == RUN else copy_name(array.owner, k)
    return replace(array.linked(lambda name: copy_name(name, k)), name=copy_name(array.name, k), owner=owner)


class _Copy:
    """Renames what one copy's bodies refer to and renumbers its streams."""

    def __init__(self, k: int, shift: int) -> None:
        self.k, self.shift = k, shift

    def stream(self, stream: int) -> int:
        return (stream + self.shift) % 2**64

    def population(self, p: Population) -> Population:
        inputs = tuple(copy_name(i, self.k) for i in p.inputs)
        return replace(
            p, name=copy_name(p.name, self.k), body=self.body(p.body), inputs=inputs, count=copied(p.count, self.k)
        )

    def projection(self, p: Projection) -> Projection:
        return replace(
            p.with_bodies(self.body),
            name=copy_name(p.name, self.k),
            source=copy_name(p.source, self.k),
            target=copy_name(p.target, self.k),
            row_condition=None if p.row_condition is None else self.expr(p.row_condition),
        )

    def event(self, e: Event) -> Event:
        return replace(e, owner=copy_name(e.owner, self.k), body=self.body(e.body))

    def body(self, body: Body) -> Body:
        return tuple(self.stmt(s) for s in body)

    def stmt(self, stmt: Stmt) -> Stmt:
        return in_copy(with_expressions(stmt, self.expr), self.k)

    def expr(self, expr: Expr) -> Expr:
        expr = with_children(expr, self.expr)
        match expr:
            case Read():
                return replace(expr, array=copy_name(expr.array, self.k))
            case Lookup():
                return replace(expr, table=copy_name(expr.table, self.k))
            case Round() | Random():
                return replace(expr, stream=self.stream(expr.stream))
            case _:
                return expr
