"""Projections that send to several inputs of one population: GeNN's synapse groups have one input at each end.

Such a projection becomes several, one for each input, with the same synapses. All do the same with arrays of their own,
from the same values and with the same random draws, so that these stay equal; each sends to its own input. Events
assign to the arrays of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from neuroport.program.ir import (
    Expr,
    Let,
    Read,
    Send,
    Stmt,
    Store,
    Temp,
    reads,
    stored,
    with_children,
    with_expressions,
)
from neuroport.program.machine import Array, Event, Program, Projection
from neuroport.program.verify import made


@dataclass(frozen=True, slots=True)
class Split:
    """A program without such projections. twice: of an array the others that are kept equal to it.

    summed: of copies of a batch, the arrays of what they contribute to sums (see `contributed`).
    """

    program: Program
    twice: dict[str, list[str]]
    summed: frozenset[str] = frozenset()

    def hidden(self) -> set[str]:
        """Arrays that only repeat others."""
        return {name for names in self.twice.values() for name in names}


def split(program: Program) -> Split:
    """The program with one projection for every input of a population that a projection sends to."""
    twice: dict[str, list[str]] = {}
    arrays: dict[str, Array] = {}
    projections: list[Projection] = []
    for projection in program.projections:
        count = _count(projection)
        pieces = [_part(projection, k, program, twice, arrays) for k in range(count)] if count > 1 else [projection]
        projections += pieces
    if len(projections) == len(program.projections):
        return Split(program, {})
    events = tuple(replace(e, body=tuple(_everywhere(e, twice))) for e in program.events)
    parted = replace(program, arrays=program.arrays | arrays, projections=tuple(projections), events=events)
    return Split(made(parted, "split"), twice)


def inputs(projection: Projection, to: str) -> list[str]:
    """The inputs of the population at one end to which a projection sends."""
    return sorted({s.input for body in projection.bodies for s in body if isinstance(s, Send) and s.to == to})


def _count(projection: Projection) -> int:
    return max(len(inputs(projection, "post")), len(inputs(projection, "pre")), 1)


def _part(
    projection: Projection, k: int, program: Program, twice: dict[str, list[str]], arrays: dict[str, Array]
) -> Projection:
    """The part of a projection that sends to the k-th inputs; the first keeps its name and arrays."""
    kept = {name for to in ("post", "pre") for name in inputs(projection, to)[k : k + 1]}
    part = projection.with_bodies(lambda body: tuple(s for s in body if not isinstance(s, Send) or s.input in kept))
    if k == 0:
        return part
    name = f"{projection.name}~{k}"
    used = {read.array for body in part.bodies for read in reads(body)}
    used |= {array for body in part.bodies for array in stored(body)}
    own = [a for a in program.arrays.values() if a.owner == projection.name and a.at == "synapse" and a.name in used]
    names = {a.name: name + a.name.removeprefix(projection.name) for a in own}
    for array in own:
        linked = array.linked(lambda other: names.get(other, ""))
        arrays[names[array.name]] = replace(linked, name=names[array.name], owner=name)
        twice.setdefault(array.name, []).append(names[array.name])
    part = part.with_bodies(lambda body: tuple(_renamed(stmt, names) for stmt in body))
    return replace(part, name=name, row_condition=None, twin=None)


def _renamed(stmt: Stmt, names: dict[str, str]) -> Stmt:
    def expr(e: Expr) -> Expr:
        if isinstance(e, Read):
            return replace(e, array=names.get(e.array, e.array))
        return with_children(e, expr)

    stmt = with_expressions(stmt, expr)
    return replace(stmt, array=names.get(stmt.array, stmt.array)) if isinstance(stmt, Store) else stmt


def _everywhere(event: Event, twice: dict[str, list[str]]) -> Iterator[Stmt]:
    """The statements of an event, in which every store goes to all arrays that are kept equal."""
    for k, stmt in enumerate(event.body):
        if not isinstance(stmt, Store) or stmt.array not in twice:
            yield stmt
            continue
        yield Let(f"value~{k}", stmt.value, stmt.place)
        value, guard = Temp(f"value~{k}", stmt.value.type), stmt.guard
        if guard is not None:
            yield Let(f"guard~{k}", guard, stmt.place)
            guard = Temp(f"guard~{k}", guard.type)
        for array in (stmt.array, *twice[stmt.array]):
            yield replace(stmt, array=array, value=value, guard=guard)
