"""Hoisting: parts of an expression that depend on parameters alone become parameter arrays, computed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from neuroport.program.constants import evaluate
from neuroport.program.ir import (
    Apply,
    Body,
    Bool,
    Const,
    Expr,
    Int,
    Numbers,
    Read,
    Real,
    walk,
    with_children,
    with_expressions,
)
from neuroport.program.names import of_compiler
from neuroport.program.printer import expression
from neuroport.program.whole import NoValue


@dataclass(slots=True)
class Hoister:
    """Replaces constant parts of one owner's expressions by reads of arrays `OWNER.$constN`.

    `values` holds the real values of all parameters (by array name); `made` lists the new arrays in order with the
    expressions that they stand for, and `reasons` why constants of literals alone have no value.
    """

    owner: str
    values: Mapping[str, Numbers]
    made: list[tuple[str, Expr]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    _known: dict[Expr, Expr] = field(default_factory=dict)

    def body(self, body: Body) -> Body:
        """The body with all its constant parts hoisted."""
        return tuple(with_expressions(stmt, self.expr) for stmt in body)

    def expr(self, expr: Expr) -> Expr:
        """The expression with its largest constant parts replaced."""
        if isinstance(expr, Apply) and self._constant(expr):
            return self._hoisted(expr)
        return with_children(expr, self.expr)

    def _constant(self, expr: Apply) -> bool:
        """Whether a real or int expression reads parameters of this owner only."""
        if isinstance(expr.type, Bool) or (expr.fn == "to_real" and isinstance(expr.args[0], Read)):
            return False
        return all(self._leaf_constant(part) for part in walk(expr))

    def _leaf_constant(self, part: Expr) -> bool:
        match part:
            case Read(array=array, at=at):
                return at in ("scalar", "own") and array in self.values
            case Const() | Apply():
                return True
            case _:
                return False

    def _hoisted(self, expr: Apply) -> Expr:
        known = self._known.get(expr)
        if known is not None:
            return known
        reads = [part for part in walk(expr) if isinstance(part, Read)]
        if not reads:
            result = self._literal(expr)
        else:
            name = self._free_name()
            self.made.append((name, expr))
            result = Read(name, "own" if any(r.at == "own" for r in reads) else "scalar", expr.type)
        self._known[expr] = result
        return result

    def _literal(self, expr: Apply) -> Expr:
        """A constant of literals alone, as one literal."""
        try:
            value = evaluate(expr, self.values)
        except NoValue as error:
            self.reasons.append(f"{error.reason}: {expression(expr)}")
            return Const(0, Int(0, 0))
        if isinstance(expr.type, Int):
            return Const(int(value), Int(int(value), int(value)))
        if not np.isfinite(value):
            self.reasons.append(f"is not finite: {expression(expr)}")
        return Const(float(value), Real())

    def _free_name(self) -> str:
        taken = {*self.values, *(name for name, _ in self.made)}
        return next(name for n in count(1) if (name := of_compiler(self.owner, "const", n)) not in taken)


def depends_on(expr: Expr, names: Mapping[str, object] | set[str]) -> bool:
    """Whether an expression reads any of these arrays."""
    return any(isinstance(part, Read) and part.array in names for part in walk(expr))
