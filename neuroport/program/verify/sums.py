"""Copies that share: sums over them stand where they may, and what all share is given what does not differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from neuroport.program.ir import Body, Expr, Let, Read, Stmt, Store, Sum, Temp, children, expressions, reads
from neuroport.program.machine import OwnedBody, Program
from neuroport.program.printer import expression


def problems(program: Program, owned: OwnedBody) -> Iterator[tuple[Stmt, str]]:
    """What is wrong with a body of a program of several copies, with the statement."""
    once = _Once(program) if owned.event is not None and owned.event.once else None
    for stmt in owned.body:
        found = _for_each(program, stmt, owned.when in ("update", "step")) if once is None else once.statement(stmt)
        yield from ((stmt, text) for text in found)
    if owned.event is None:
        yield from _unfinished(owned.body, program.summed())


def _unfinished(body: Body, summed: frozenset[str]) -> Iterator[tuple[Stmt, str]]:
    """What a step sums over the copies is known when the step is over."""
    for stmt in body:
        for read in reads((stmt,)):
            if read.array in summed:
                yield stmt, f"{read.array} is a sum over copies, which is known when the step is over"


def _for_each(program: Program, stmt: Stmt, step: bool) -> Iterator[str]:
    """In every `step` a sum may be given to what all copies share, by itself; nothing else may."""
    value, *guards = expressions((stmt,))
    if isinstance(stmt, Store):
        shared, summed = program.arrays[stmt.array].shared, isinstance(value, Sum)
        if shared and not summed:
            yield f"each copy stores into {stmt.array}, which all share; only a sum over copies can be"
        if summed and not (shared and step):
            yield "a sum over copies stands here; it may in a body of every step that gives it to what all copies share"
        if isinstance(value, Sum):
            value = value.x
    if any(map(_sums, (value, *guards))):
        yield "a sum over copies is only a part of what the statement computes"


def _sums(expr: Expr) -> bool:
    return isinstance(expr, Sum) or any(_sums(child) for child in children(expr))


@dataclass(slots=True)
class _Once:
    """A body that is computed once: what each copy has for itself stands inside a sum. `own`: such local names.

    Only what it leaves in an array of every copy for a later part of the event (`scratch`) may differ.
    """

    program: Program
    own: set[str] = field(default_factory=set)

    def statement(self, stmt: Stmt) -> Iterator[str]:
        if isinstance(stmt, Let):
            yield from self._nested(stmt.value, inside=False)
            if any(self._outside(stmt.value)):
                self.own.add(stmt.name)
            return
        left = isinstance(stmt, Store) and (array := self.program.arrays[stmt.array]).scratch and array.own
        for whole in expressions((stmt,)):
            yield from self._nested(whole, inside=False)
            if left:
                continue
            for leaf in self._outside(whole):
                yield f"{expression(leaf)} differs from copy to copy, and stands outside a sum over them"

    def _outside(self, expr: Expr) -> Iterator[Expr]:
        """What differs from copy to copy in an expression, outside the sums in it."""
        match expr:
            case Read() if self.program.arrays[expr.array].own:
                yield expr
            case Temp() if expr.name in self.own:
                yield expr
            case Sum():
                return
        for child in children(expr):
            yield from self._outside(child)

    def _nested(self, expr: Expr, inside: bool) -> Iterator[str]:
        if isinstance(expr, Sum) and inside:
            yield "a sum over copies stands inside another"
        for child in children(expr):
            yield from self._nested(child, inside or isinstance(expr, Sum))
