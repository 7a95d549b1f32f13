"""Events over the entries of a kernel, in turns: sums over synapses, and then what is computed of every entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from neuroport.program.ir import (
    Body,
    Expr,
    Let,
    Random,
    Read,
    Reduce,
    Round,
    Stmt,
    Store,
    Temp,
    parts,
    reductions,
    walk,
    with_children,
    with_expressions,
)
from neuroport.program.machine import Program


@dataclass(slots=True)
class Turn:
    """What is computed in one turn.

    sums: the sums over synapses in its body, each with what is added, in which no name of the turn is left. body: what
    is computed of every entry. kept: its names that later turns read, with their values.
    """

    sums: dict[Reduce, Expr] = field(default_factory=dict)
    body: list[Stmt] = field(default_factory=list)
    lets: dict[str, Expr] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    kept: dict[str, Expr] = field(default_factory=dict)

    def add(self, stmt: Stmt) -> None:
        """One more statement."""
        for found in reductions(stmt):
            self.sums[found] = self.written_out(found.x)
        self.body.append(stmt)
        if isinstance(stmt, Let):
            self.lets[stmt.name] = stmt.value
        elif isinstance(stmt, Store):
            self.stored.add(stmt.array)

    def written_out(self, expr: Expr) -> Expr:
        """An expression with the names of this turn replaced by their values."""
        if isinstance(expr, Temp) and expr.name in self.lets:
            return self.written_out(self.lets[expr.name])
        return with_children(expr, self.written_out)

    def too_early(self, expr: Expr) -> bool:
        """Whether synapses cannot compute an expression yet: it is made of what this turn computes of entries."""
        for part in walk(expr):
            match part:
                case Read(array=array) if array in self.stored:
                    return True
                case Temp(name=name) if name in self.lets and self._of_entries(self.lets[name]):
                    return True
        return False

    def _of_entries(self, value: Expr) -> bool:
        """Whether a named value exists for entries only: it is a sum, drawn or of a twin, or made of what is."""
        return any(_is_of_entries(part) for part in walk(value)) or self.too_early(value)


def _is_of_entries(part: Expr) -> bool:
    match part:
        case Random() | Reduce() | Round(mode="stochastic") | Read(at="twin"):
            return True
    return False


def turns(body: Body) -> list[Turn]:
    """The turns of a body: a new one where synapses have to see what was computed of entries."""
    made = [Turn()]
    for stmt in _with_named_twins(body):
        if any(made[-1].too_early(found.x) for found in reductions(stmt)):
            made.append(Turn())
        made[-1].add(stmt)
    for number, turn in enumerate(made):
        later = tuple(stmt for after in made[number + 1 :] for stmt in after.body)
        read = {part.name for part in parts(later) if isinstance(part, Temp)}
        turn.kept = {name: value for name, value in turn.lets.items() if name in read}
    return made


def _with_named_twins(body: Body) -> Iterator[Stmt]:
    """The statements, each after names for what its sums read of twins, which entries have and synapses have not."""
    names: dict[Expr, Temp] = {}

    def named(expr: Expr) -> Expr:
        return names.get(expr) or with_children(expr, named)

    def of_sums(expr: Expr) -> Expr:
        return with_children(expr, named if isinstance(expr, Reduce) else of_sums)

    for number, stmt in enumerate(body):
        added = (part for found in reductions(stmt) for part in walk(found.x))
        twins = dict.fromkeys(part for part in added if isinstance(part, Read) and part.at == "twin")
        names = {read: Temp(f"twin~{number}~{k}", read.type) for k, read in enumerate(twins)}
        yield from (Let(temp.name, read, stmt.place) for read, temp in names.items())
        yield with_expressions(stmt, of_sums)


@dataclass(frozen=True, slots=True)
class Row:
    """Where a number of every entry lies between turns. own: whether every copy has one."""

    number: int
    real: bool
    own: bool


def rows(program: Program) -> tuple[int, int]:
    """How many rows the events of a program need at most between turns, and how long these are for one copy."""
    events = [event for event in program.events if event.over == "kernel"]
    count = max((len(set(_kept(tuple(_with_named_twins(event.body))))) for event in events), default=0)
    return count, max((program.projection(event.owner).wiring.entries for event in events), default=0)


def _kept(body: Body) -> list[Expr | str]:
    """All that can be kept of a body."""
    found: list[Expr | str] = [stmt.name for stmt in body if isinstance(stmt, Let)]
    return found + [found for stmt in body for found in reductions(stmt)]
