"""Kernels written out, for executors whose synapses share nothing: each synapse has the values of its kernel's entry.

The entries of a kernel become the neurons of a population that does nothing by itself, with what they share as its
variables. What synapses read of it they have as a `mirror`, which the executor renews when the variable changes. An
event over the entries becomes events of that population, with events of the synapses before them that leave what is
added up (`Total`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.scratch import Scratch, as_number, differs, left_in
from neuroport.backends.turns import Turn, turns
from neuroport.program.ir import (
    Body,
    Expr,
    Let,
    Read,
    Reduce,
    Stmt,
    Store,
    Temp,
    Type,
    with_children,
    with_expressions,
)
from neuroport.program.machine import Arrays, Event, Over, Population, Program, Projection, Total, arrays_of
from neuroport.program.names import ENTRIES
from neuroport.program.verify import made


def entries_of(projection: str) -> str:
    """The name of the population of a kernel's entries; of a copy it ends as that of the copy does."""
    name, mark, copy = projection.partition("#")
    return f"{name}{ENTRIES}{mark}{copy}"


def expanded(program: Program) -> Program:
    """The same machine whose synapses share nothing; the program itself where they do not."""
    if not any(p.shares for p in program.projections):
        return program
    arrays = arrays_of(program.arrays.values())
    return made(_Expanding(program, arrays, Scratch(arrays)).program_without(), "expanded")


@dataclass(slots=True)
class _Expanding:
    """`mirrors`: of which arrays of entries synapses have the values, and in which arrays."""

    program: Program
    arrays: Arrays
    made: Scratch
    mirrors: dict[str, str] = field(default_factory=dict)

    def program_without(self) -> Program:
        """The program without kernels."""
        shared = [p for p in self.program.projections if p.shares]
        for array in [a for a in self.arrays.values() if a.at == "kernel"]:
            self.arrays.change(replace(array, at="neuron", owner=entries_of(array.owner)))
        entries = tuple(
            Population(entries_of(p.name), p.wiring.entries, (), (), False, 1, p.wiring.first_entry) for p in shared
        )
        projections = tuple(self.projection(p) if p.shares else p for p in self.program.projections)
        events = tuple(part for event in self.program.events for part in self.event(event))
        return replace(
            self.program,
            arrays=self.arrays,
            populations=(*self.program.populations, *entries),
            projections=projections,
            events=events,
        )

    def projection(self, projection: Projection) -> Projection:
        """A projection whose synapses read what they have."""
        return replace(projection.with_bodies(self.of_synapses), wiring=projection.wiring.listed(), twin=None)

    def of_synapses(self, body: Body) -> Body:
        """A body of synapses that read what they have."""
        return tuple(with_expressions(stmt, self.mirrored) for stmt in body)

    def mirrored(self, expr: Expr) -> Expr:
        """An expression of a synapse that reads what it has."""
        if isinstance(expr, Read) and expr.at == "own" and expr.array in self.arrays:
            owner = self.arrays[expr.array].owner
            return replace(expr, array=self.mirror(expr.array)) if ENTRIES in owner else expr
        return with_children(expr, self.mirrored)

    def mirror(self, array: str) -> str:
        """The array in which synapses have what an array of entries has."""
        if array not in self.mirrors:
            of = self.arrays[array]
            projection = next(p for p in self.program.projections if entries_of(p.name) == of.owner)
            name = self.mirrors[array] = f"{projection.name}.$entry~{array.partition('.')[2]}"
            here = replace(of, name=name, owner=projection.name, at="synapse", initial=of.initial[_entry(projection)])
            self.arrays.add(replace(here, visible="", hidden="", factor="", scratch=True, mirror=array))
        return self.mirrors[array]

    # ------------------------------------------------------------------------------------------------------ events

    def event(self, event: Event) -> Iterator[Event]:
        """An event in parts, none of which is over entries of a kernel."""
        if event.over == "kernel":
            yield from _Entries(self, event, self.program.projection(event.owner)).parts()
        elif event.over == "synapse" and self.program.projection(event.owner).shares:
            yield replace(event, body=self.of_synapses(event.body))
        else:
            yield event


@dataclass(slots=True)
class _Entries:
    """An event over the entries of a kernel. `kept`: the arrays in which values of names are left for later turns."""

    expanding: _Expanding
    event: Event
    projection: Projection
    kept: dict[str, tuple[str, Type]] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The population of its entries."""
        return entries_of(self.projection.name)

    def parts(self) -> Iterator[Event]:
        """By turns, an event of the synapses and one of the entries."""
        for turn in turns(self.event.body):
            adding: list[Stmt] = []
            read: dict[Expr, Expr] = {}
            totals = tuple(self.total(found, x, adding, read) for found, x in turn.sums.items())
            if adding:
                yield replace(self.event, over="synapse", body=tuple(adding))
            body = tuple(self.body(turn, read))
            yield replace(self.event, owner=self.owner, over="neuron", body=body, totals=totals)

    def total(self, found: Reduce, x: Expr, adding: list[Stmt], read: dict[Expr, Expr]) -> Total:
        """A sum over synapses: what they leave, and where the entries find it."""
        own, wiring = self.differs(x), self.projection.wiring
        of = self.left(self.projection.name, "synapse", x.type, wiring.synapses, own)
        into = self.left(self.owner, "neuron", found.type, wiring.entries, own)
        adding.append(Store(of, self.expanding.mirrored(self.named(x))))
        read[found] = Read(into, "own", found.type)
        return Total(found.op, found.axis, of, into)

    def body(self, turn: Turn, read: dict[Expr, Expr]) -> Iterator[Stmt]:
        """The statements of a turn, which read what sums came to, what twins have, and what earlier turns left."""

        def of_entries(expr: Expr) -> Expr:
            if isinstance(expr, Reduce):
                return read[expr]
            if isinstance(expr, Read) and expr.at == "twin":
                return replace(expr, at="own")
            return with_children(expr, of_entries)

        for stmt in turn.body:
            yield with_expressions(with_expressions(stmt, of_entries), self.named)
        for name, value in turn.kept.items():
            own = name in self.own if self.event.once else True
            array = self.left(self.owner, "neuron", value.type, self.projection.wiring.entries, own)
            yield Store(array, as_number(Temp(name, value.type)))
            self.kept[name] = array, value.type

    def left(self, owner: str, at: Over, type_: Type, size: int, own: bool) -> str:
        """A new array, own: of every copy."""
        return self.expanding.made.add_for(self.expanding.program.copies, owner, at, type_, size, own)

    def differs(self, expr: Expr) -> bool:
        """Whether a value is every copy's own."""
        return not self.event.once or differs(expr, self.expanding.arrays, self.own)

    @property
    def own(self) -> set[str]:
        """The names in a body that is computed once whose values are every copy's own."""
        names: set[str] = set()
        for stmt in self.event.body:
            if isinstance(stmt, Let) and differs(stmt.value, self.expanding.arrays, names):
                names.add(stmt.name)
        return names

    def named(self, expr: Expr) -> Expr:
        """An expression that finds names of earlier turns where these were left."""
        if isinstance(expr, Temp) and expr.name in self.kept:
            return left_in(*self.kept[expr.name])
        return with_children(expr, self.named)


def _entry(projection: Projection) -> NDArray[np.int64]:
    """The entry of each synapse."""
    entry = projection.wiring.entry
    assert entry is not None
    return entry
