"""What leaves a synapse, also through local names: a body whose sends see another form of the weight than its updates.

A rule keeps a weight exactly; what it sends is the weight that the chip's circuits have. So each value that a send
uses, directly or through local names, is made of that form, at the place where it stands. A local name that an
assignment uses too stays as it is, beside a twin `NAME.sent` for the sends (no name in a model has a dot).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from neuroport.program.ir import (
    Body,
    Expr,
    Let,
    Read,
    Send,
    Stmt,
    Temp,
    expressions,
    walk,
    with_children,
    with_expressions,
)

SENT = "sent"

Form = Callable[[Read], Expr]
"""A weight's read in the form in which it leaves the synapse; every other read as it is."""


def as_sent(body: Body, form: Form) -> Body:
    """The body in which all that a Send uses has the form: its value, its guard and the Lets behind them.

    Nothing else changes. It may be done again, with another form of the same reads.
    """
    lets = {stmt.name: stmt.value for stmt in body if isinstance(stmt, Let)}
    changing = _changing(lets, form)
    sent = _used(lets, (s for s in body if isinstance(s, Send))) & changing
    kept = _used(lets, (s for s in body if not isinstance(s, Let | Send))) & sent
    change = _Change(form, {name: f"{name}.{SENT}" for name in kept})
    return tuple(made for stmt in body for made in _statement(stmt, sent, change))


def _statement(stmt: Stmt, sent: set[str], change: _Change) -> Iterable[Stmt]:
    match stmt:
        case Send():
            return (with_expressions(stmt, change.expr),)
        case Let(name=name) if name in sent:
            changed = replace(stmt, name=change.twins.get(name, name), value=change.expr(stmt.value))
            return (stmt, changed) if name in change.twins else (changed,)
        case _:
            return (stmt,)


class _Change:
    """Rewrites what a Send uses. `twins`: local names that have one of their own for it."""

    def __init__(self, form: Form, twins: dict[str, str]) -> None:
        self.form, self.twins = form, twins

    def expr(self, expr: Expr) -> Expr:
        match expr:
            case Read():
                return self.form(expr)
            case Temp(name=name) if name in self.twins:
                return replace(expr, name=self.twins[name])
            case _:
                return with_children(expr, self.expr)


def _changing(lets: dict[str, Expr], form: Form) -> set[str]:
    """The local names whose value, or a name in it, has another form."""
    found: set[str] = set()
    for name, value in lets.items():
        for part in walk(value):
            if (isinstance(part, Read) and form(part) != part) or (isinstance(part, Temp) and part.name in found):
                found.add(name)
    return found


def _used(lets: dict[str, Expr], statements: Iterable[Stmt]) -> set[str]:
    """The local names that the statements use, directly or through others."""
    found: set[str] = set()
    waiting = list(expressions(tuple(statements)))
    while waiting:
        names = {part.name for part in walk(waiting.pop()) if isinstance(part, Temp)} - found
        found |= names
        waiting += [lets[name] for name in names]
    return found
