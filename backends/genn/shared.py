"""Copies of a batch that share what they learn, as a program in which every copy has its own contribution.

What a step sums over the copies becomes an array of contributions, one of each copy, which events add up where they
read it. Of what else such an array is given, copy 0 has the whole and the others nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from neuroport.backends.scratch import Scratch, as_number, differs, left_in
from neuroport.program.ir import (
    Body,
    Expr,
    Let,
    Read,
    Stmt,
    Store,
    Sum,
    Temp,
    children,
    reads,
    with_children,
    with_expressions,
)
from neuroport.program.machine import Arrays, Event, Program, arrays_of


def contributed(program: Program) -> Program:
    """The program whose steps add up nothing over the copies."""
    if program.copies == 1 or not (program.summed() or any(event.once for event in program.events)):
        return program
    arrays = arrays_of(program.arrays.values())
    return _Contributing(program, program.summed(), arrays, Scratch(arrays)).made()


@dataclass(slots=True)
class _Contributing:
    program: Program
    summed: frozenset[str]
    arrays: Arrays
    scratch: Scratch

    def made(self) -> Program:
        """See `contributed`."""
        p = self.program
        for name in self.summed:
            array = self.arrays[name]
            initial = np.zeros((*array.initial.shape, p.copies), array.initial.dtype)
            initial[..., 0] = array.initial
            self.arrays.change(replace(array, initial=initial, shared=False))
        return replace(
            p,
            populations=tuple(replace(q, body=_own(q.body)) for q in p.populations),
            projections=tuple(q.with_bodies(_own) for q in p.projections),
            events=tuple(self.event(event) for event in p.events),
            arrays=self.arrays,
        )

    def event(self, event: Event) -> Event:
        """An event that adds up contributions where it reads them."""
        body = tuple(with_expressions(stmt, self.total) for stmt in event.body)
        return replace(event, body=_Once(self, event).kept(body) if event.once else body)

    def total(self, expr: Expr) -> Expr:
        """An expression that does so."""
        if isinstance(expr, Read) and expr.array in self.summed:
            return Sum(expr, expr.type)
        return with_children(expr, self.total)


@dataclass(slots=True)
class _Once:
    """A body that is computed once. `own`: names whose value differs from copy to copy, and arrays that it reads."""

    of: _Contributing
    event: Event
    own: dict[str, set[str]] = field(default_factory=dict)

    def kept(self, body: Body) -> Body:
        """The body in which a copy's own value is left in an array where what it is made of is assigned before its use.

        The others are computed where they are used, once for each copy.
        """
        done: list[Stmt] = []
        left: dict[str, Read] = {}

        def found(expr: Expr) -> Expr:
            if isinstance(expr, Temp) and expr.name in left:
                return left_in(left[expr.name].array, expr.type)
            return with_children(expr, found)

        for k, stmt in enumerate(body):
            stmt = with_expressions(stmt, found)
            if not (isinstance(stmt, Let) and differs(stmt.value, self.of.arrays, self.own)):
                done.append(stmt)
                continue
            self.own[stmt.name] = {read.array for read in reads((stmt,))} | self.within(stmt.value)
            if not self.own[stmt.name] & self.assigned(body[k + 1 :]):
                done.append(stmt)
                continue
            type_, size = stmt.value.type, self.size()
            of = self.event.owner, self.event.over
            name = self.of.scratch.add_for(self.of.program.copies, *of, type_, size, own=True)
            done.append(Store(name, as_number(stmt.value), place=stmt.place))
            left[stmt.name] = Read(name, "own", type_)
        return tuple(done)

    def within(self, expr: Expr) -> set[str]:
        """The arrays that names in it read."""
        names = {expr.name} & self.own.keys() if isinstance(expr, Temp) else set()
        return set().union(*(self.own[name] for name in names), *map(self.within, children(expr)))

    @staticmethod
    def assigned(body: Body) -> set[str]:
        """What is assigned further on, and might be before the value is used."""
        return {stmt.array for stmt in body if isinstance(stmt, Store)}

    def size(self) -> int:
        """How many elements the event is over."""
        p, owner = self.of.program, self.event.owner
        if self.event.over == "neuron":
            return p.population(owner).size
        return p.projection(owner).synapses if self.event.over == "synapse" else p.projection(owner).values


def _own(body: Body) -> Body:
    """A body that leaves a copy's own contribution where it adds up over the copies."""

    def contribution(stmt: Stmt) -> Stmt:
        if isinstance(stmt, Store) and isinstance(stmt.value, Sum):
            return replace(stmt, value=stmt.value.x)
        return stmt

    return tuple(map(contribution, body))
