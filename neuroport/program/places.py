"""Which lines of model texts a program's statements and arrays come from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from neuroport.errors import Place
from neuroport.program.ir import Body, Send, Spike, Stmt, Store
from neuroport.program.machine import Program


def by_line(body: Body) -> Iterator[tuple[str, Body]]:
    """A body in groups of statements that came from one line, each with that line ("sal.yaml:31  ws = ws + k", or "").

    The text of a comment above what is made of the group.
    """
    for line, group in groupby(body, _line):
        yield line, tuple(group)


def _line(stmt: Stmt) -> str:
    return "" if stmt.place is None else stmt.place.quoted


def assigned(program: Program, array: str) -> tuple[Place, ...]:
    """Where statements store into an array, or send to it, in the order of the program and each place once."""
    return _places(stmt for owned in program.bodies() for stmt in owned.body if _target(stmt) == array)


def refusing(program: Program, array: str) -> tuple[Place, ...]:
    """Where statements store into an array that end the run when the value is outside its range."""
    stores = (stmt for owned in program.bodies() for stmt in owned.body if isinstance(stmt, Store))
    return _places(stmt for stmt in stores if stmt.array == array and stmt.overflow == "error")


def spiking(program: Program, population: str) -> tuple[Place, ...]:
    """Where it says when the neurons of a population spike."""
    return _places(stmt for stmt in program.population(population).body if isinstance(stmt, Spike))


def _target(stmt: Stmt) -> str | None:
    match stmt:
        case Store(array=array):
            return array
        case Send(input=name):
            return name
        case _:
            return None


def _places(statements: Iterator[Stmt]) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(stmt.place for stmt in statements if stmt.place is not None))
