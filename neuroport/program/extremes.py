"""A program that also keeps the lowest and highest value that each of its arrays has ever been given.

Every store counts, also one that the same step overwrites: a chip rounds and limits each. Of an input it is the sum
that its neurons read. What is kept stands in arrays of states beside the array, so that executors compute it as they
compute everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from neuroport.program.ir import INT, Apply, Body, Expr, Int, Numbers, Read, Stmt, Store, Sum
from neuroport.program.machine import Array, Arrays, OwnedBody, Program, arrays_of
from neuroport.program.verify import verified

LOW, HIGH = "$low", "$high"
PART, ONCE = "$part", "$once"
"""Of what the copies add to a sum, and of what an event computes once for all copies: apart from all other stores."""


def watched(program: Program) -> tuple[str, ...]:
    """The arrays whose extremes are kept: inputs, and what some body stores, but for what the compiler made."""
    stored = program.stored()
    return tuple(n for n, a in program.arrays.items() if (a.role == "input" or n in stored) and "$" not in n)


def kept_for(program: Program, array: str) -> Iterator[tuple[str, str]]:
    """The arrays of a program made by `with_extremes` that hold the lowest and highest values of one of the others."""
    for kind in ("", PART, ONCE):
        if f"{array}{kind}{LOW}" in program.arrays:
            yield f"{array}{kind}{LOW}", f"{array}{kind}{HIGH}"


@verified
def with_extremes(program: Program) -> Program:
    """The program with arrays for the extremes of all that are `watched`, and the statements that keep them."""
    keeper = _Keeper(program, frozenset(watched(program)), arrays_of(program.arrays.values()))
    return keeper.program_with(*program.bodies())


@dataclass(slots=True)
class _Keeper:
    program: Program
    names: frozenset[str]
    arrays: Arrays
    bodies: dict[tuple[str, str], list[Body]] = field(default_factory=dict)

    def program_with(self, *owned: OwnedBody) -> Program:
        """The program with every body that keeps extremes; they come in the order of `Program.bodies`."""
        made = iter([self.body(body) for body in owned])
        populations = tuple(replace(p, body=self.inputs(p.inputs) + next(made)) for p in self.program.populations)
        projections = tuple(p.with_bodies(lambda _: next(made)) for p in self.program.projections)
        events = tuple(replace(e, body=next(made)) for e in self.program.events)
        return replace(
            self.program, arrays=self.arrays, populations=populations, projections=projections, events=events
        )

    def inputs(self, names: tuple[str, ...]) -> Body:
        """What neurons do first with the sums that arrived."""
        return tuple(stmt for name in names if name in self.names for stmt in self.after(name))

    def body(self, owned: OwnedBody) -> Body:
        """A body that keeps the extremes of what it stores."""
        return tuple(made for stmt in owned.body for made in self.statement(stmt, owned))

    def statement(self, stmt: Stmt, owned: OwnedBody) -> Iterator[Stmt]:
        """A statement, and what keeps the extremes of what it stores."""
        if not isinstance(stmt, Store) or stmt.array not in self.names:
            yield stmt
        elif owned.event is None and isinstance(stmt.value, Sum):
            yield from self.before(stmt, stmt.value.x, PART, shared=False)
            yield stmt
        elif owned.event is not None and owned.event.once and self.program.arrays[stmt.array].own:
            yield from self.before(stmt, stmt.value, ONCE, shared=True)
            yield stmt
        else:
            yield stmt
            yield from self.after(stmt.array)

    def after(self, name: str) -> Iterator[Store]:
        """Compare what an array holds now."""
        array = self.program.arrays[name]
        if f"{name}{LOW}" not in self.arrays:
            self.add(array, "", array.shared, array.initial, array.initial)
        yield from _compared(array, "", Read(name, "own", array.type))

    def before(self, store: Store, value: Expr, kind: str, shared: bool) -> Iterator[Store]:
        """Compare what is about to be stored, where it cannot be read afterwards."""
        array = self.program.arrays[store.array]
        if f"{array.name}{kind}{LOW}" not in self.arrays:
            size = array.initial.shape[:1] if shared else (*array.initial.shape[:1], self.program.copies)
            least, most = _nothing(array)
            self.add(array, kind, shared, np.full(size, least), np.full(size, most))
        for stmt in _compared(array, kind, value):
            yield replace(stmt, guard=store.guard)

    def add(self, array: Array, kind: str, shared: bool, low: Numbers, high: Numbers) -> None:
        """The two arrays that keep extremes."""
        type_ = INT if isinstance(array.type, Int) else array.type
        for end, initial in ((LOW, low), (HIGH, high)):
            name = f"{array.name}{kind}{end}"
            numbers = np.array(initial, array.dtype)
            made = Array(name, array.owner, array.at, "state", type_, numbers, kind_class=array.kind_class)
            self.arrays.add(replace(made, shared=shared, place=array.place))


def _compared(array: Array, kind: str, value: Expr) -> Iterator[Store]:
    type_ = INT if isinstance(array.type, Int) else array.type
    for end, fn in ((LOW, "min"), (HIGH, "max")):
        name = f"{array.name}{kind}{end}"
        yield Store(name, Apply(fn, (Read(name, "own", type_), value), type_), place=array.place)


def _nothing(array: Array) -> tuple[float | int, float | int]:
    """The lowest and highest of no values at all."""
    return (INT.hi, INT.lo) if isinstance(array.type, Int) else (np.inf, -np.inf)
