"""Events with sums and largest values over elements, as generated code computes them: one part after the other.

Generated code does all statements of a body for one element before the next element. So an event is cut before each
statement that reduces. The part before it leaves what is reduced in an array, the executor reduces that (`Total`), and
the part behind it reads what came out. What a part names and a later one needs is left in an array, too. These arrays
are `scratch`: no state has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from neuroport.backends.scratch import Scratch, as_number, left_in
from neuroport.program.ir import (
    Const,
    Expr,
    Let,
    Read,
    Reduce,
    Stmt,
    Store,
    Temp,
    Type,
    Where,
    parts,
    reductions,
    with_children,
    with_expressions,
)
from neuroport.program.machine import Arrays, Event, Over, Program, Total, arrays_of
from neuroport.program.verify import made


def reduces(program: Program) -> bool:
    """Whether some event has a sum, or a largest value, over neurons or synapses of a neuron."""
    return any(_is_cut(event) and isinstance(part, Reduce) for event in program.events for part in parts(event.body))


def _is_cut(event: Event) -> bool:
    """Whether an event is one of those that are cut: those over the entries of a kernel have turns of their own."""
    return event.over != "kernel"


def unfolded(program: Program) -> Program:
    """The same machine without Reduce but over a kernel's entries; the program itself where it has none."""
    if not reduces(program):
        return program
    arrays = arrays_of(program.arrays.values())
    return made(_Unfolding(program, arrays, Scratch(arrays)).program_of_parts(), "unfolded")


@dataclass(slots=True)
class _Part:
    """A part of an event: what is reduced before it, and its statements."""

    totals: list[Total] = field(default_factory=list)
    body: list[Stmt] = field(default_factory=list)

    def named(self) -> dict[str, Let]:
        """The names that it gives."""
        return {stmt.name: stmt for stmt in self.body if isinstance(stmt, Let)}


@dataclass(slots=True)
class _Unfolding:
    """`arrays`: those of the program, and the new ones."""

    program: Program
    arrays: Arrays
    made: Scratch

    def program_of_parts(self) -> Program:
        """The program whose events are in parts."""
        events = tuple(part for event in self.program.events for part in self.parts_of(event))
        return replace(self.program, arrays=self.arrays, events=events)

    def parts_of(self, event: Event) -> Iterator[Event]:
        """The parts of an event; none of one that no synapse has."""
        if not _is_cut(event):
            yield event
        elif event.over == "neuron" or self.program.projection(event.owner).synapses:
            yield from _Event(self, event).parts()

    def scratch(self, owner: str, at: Over, type_: Type, own: bool) -> str:
        """A new array; own: of each copy."""
        p = self.program
        size = p.population(owner).size if at == "neuron" else p.projection(owner).synapses
        shape = (size, p.copies) if own and p.copies > 1 else (size,)
        return self.made.add(owner, at, type_, shape, shared=not own)


@dataclass(slots=True)
class _Event:
    """`done`: its parts; `kept`: the arrays in which values of names are left."""

    unfolding: _Unfolding
    event: Event
    done: list[_Part] = field(default_factory=lambda: [_Part()])
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def own(self) -> bool:
        """Whether each copy computes the event for itself."""
        return not self.event.once

    def parts(self) -> Iterator[Event]:
        """The event as one event for each of its parts, the first of which has the totals that the event had."""
        self.done[0].totals.extend(self.event.totals)
        for stmt in self.event.body:
            found = dict.fromkeys(reductions(stmt))
            read = self.reduce(found) if found else {}
            self.done[-1].body.append(_without(stmt, read))
        for number in range(1, len(self.done)):
            self.remember(number)
        for part in self.done:
            if part.body:
                yield replace(self.event, body=tuple(part.body), totals=tuple(part.totals))

    def reduce(self, found: Sequence[Reduce] | dict[Reduce, None]) -> dict[Expr, Expr]:
        """Begin another part, which reads these instead."""
        sources = {one: one.x if one.terms == 1 and one.axis == "shared" else self.source(one) for one in found}
        part = _Part()
        read: dict[Expr, Expr] = {}
        for one, source in sources.items():
            if not isinstance(source, str):
                read[one] = source
                continue
            into, at = self.holder(one, source)
            part.totals.append(Total(one.op, one.axis, source, into))
            read[one] = Read(into, at, one.type)
        self.done.append(part)
        return read

    def source(self, one: Reduce) -> str:
        """The array of what is reduced: one that is there, or a new one that the part before leaves."""
        match one.x:
            case Read(array=name, at="own", lag=0) if self.in_place(name):
                return name
            case Temp(name=name):
                return self.keep(name)
        name = self.unfolding.scratch(self.event.owner, self.event.over, one.x.type, self.own)
        self.done[-1].body.append(Store(name, one.x))
        return name

    def in_place(self, name: str) -> bool:
        """Whether an array has a value for each element, and in the precision in which they are reduced."""
        array = self.unfolding.arrays[name]
        return array.at == self.event.over and not (array.wide and self.unfolding.program.precision == "float32")

    def holder(self, one: Reduce, source: str) -> tuple[str, Where]:
        """A new array for what comes of the groups, and where an element finds what comes of its own."""
        program, owner = self.unfolding.program, self.event.owner
        own = self.unfolding.arrays[source].own
        match one.axis:
            case "population":
                return self.unfolding.scratch(owner, "neuron", one.type, own), "own"
            case "incoming":
                return self.unfolding.scratch(program.projection(owner).target, "neuron", one.type, own), "post"
            case "outgoing":
                return self.unfolding.scratch(program.projection(owner).source, "neuron", one.type, own), "pre"
            case "shared":
                return self.unfolding.scratch(owner, "synapse", one.type, own), "own"

    # ------------------------------------------------------------------------------------------ names of earlier parts

    def remember(self, number: int) -> None:
        """Give a part the names that it needs of those before."""
        part = self.done[number]
        known = part.named()
        needed = dict.fromkeys(e.name for e in parts(tuple(part.body)) if isinstance(e, Temp) and e.name not in known)
        part.body[:0] = [self.again(name) for name in needed]

    def again(self, name: str) -> Let:
        """A name once more: what is only read is read again, anything else was kept."""
        let = self.let(name)
        if isinstance(let.value, Const) or (
            isinstance(let.value, Read) and self.unfolding.arrays[let.value.array].scratch
        ):
            return let
        return replace(let, value=left_in(self.keep(name), let.value.type))

    def let(self, name: str) -> Let:
        """The statement that gives a name."""
        return next(part.named()[name] for part in self.done if name in part.named())

    def keep(self, name: str) -> str:
        """The array in which the value of a name is left where it is given."""
        if name not in self.kept:
            part = next(part for part in self.done if name in part.named())
            let = part.named()[name]
            type_ = let.value.type
            value = as_number(Temp(name, type_))
            self.kept[name] = self.unfolding.scratch(self.event.owner, self.event.over, type_, self.own)
            part.body.insert(part.body.index(let) + 1, Store(self.kept[name], value, place=let.place))
        return self.kept[name]


def _without(stmt: Stmt, read: dict[Expr, Expr]) -> Stmt:
    """A statement that reads what comes of its reductions."""

    def without(expr: Expr) -> Expr:
        return read[expr] if isinstance(expr, Reduce) else with_children(expr, without)

    return with_expressions(stmt, without) if read else stmt
