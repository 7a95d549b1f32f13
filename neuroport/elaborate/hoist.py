"""Hoisting: parts of a program that depend on parameters alone become parameter arrays, computed once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from neuroport.elaborate.arrays import derived_array
from neuroport.elaborate.state import Elaboration, Over
from neuroport.errors import Place, Problem
from neuroport.program.constants import evaluate
from neuroport.program.ir import (
    Apply,
    Body,
    Bool,
    Const,
    Expr,
    Int,
    Read,
    Real,
    Stmt,
    walk,
    with_children,
    with_expressions,
)
from neuroport.program.machine import Program, Projection
from neuroport.program.names import of_compiler
from neuroport.program.whole import NoValue
from neuroport.program.wiring import Kernel


def hoisted(made: Elaboration, program: Program) -> Program:
    """The program with its constant parts as arrays of their owners, which `made` gets too; its problems are noted."""
    hoisters: dict[str, Hoister] = {}
    over: dict[str, Over] = {p.name: "neuron" for p in program.populations}
    over |= {p.name: "kernel" for p in program.projections if isinstance(p.wiring, Kernel)}

    def of(owner: str) -> Hoister:
        return hoisters.setdefault(owner, Hoister(made, owner, over.get(owner, "synapse")))

    return replace(
        program,
        projections=tuple(_projection(p, of(p.name)) for p in program.projections),
        populations=tuple(replace(p, body=of(p.name).body(p.body)) for p in program.populations),
        events=tuple(replace(e, body=of(e.owner).body(e.body)) for e in program.events),
        readouts=tuple(replace(r, bit=of(r.population).at(r.place, r.bit)) for r in program.readouts),
        arrays=made.arrays,
    )


def _projection(projection: Projection, hoister: Hoister) -> Projection:
    hoisted = projection.with_bodies(hoister.body)
    condition = projection.row_condition
    return hoisted if condition is None else replace(hoisted, row_condition=hoister.expr(condition))


@dataclass(slots=True)
class Hoister:
    """Replaces constant parts of one owner's expressions by reads of arrays `OWNER.$constN`; equal ones are one."""

    made: Elaboration
    owner: str
    over: Over
    _count: int = 0
    _known: dict[Expr, Expr] = field(default_factory=dict)
    _place: Place | None = None

    def body(self, body: Body) -> Body:
        """The body with all its constant parts hoisted."""
        return tuple(self._statement(stmt) for stmt in body)

    def _statement(self, stmt: Stmt) -> Stmt:
        self._place = stmt.place
        return with_expressions(stmt, self.expr)

    def at(self, place: Place | None, expr: Expr) -> Expr:
        """An expression that stands alone, at a place of its own."""
        self._place = place
        return self.expr(expr)

    def expr(self, expr: Expr) -> Expr:
        """The expression with its largest constant parts replaced."""
        if isinstance(expr, Apply) and self._constant(expr):
            if expr not in self._known:
                self._known[expr] = self._hoisted(expr)
            return self._known[expr]
        return with_children(expr, self.expr)

    def _constant(self, expr: Apply) -> bool:
        """Whether a real or int expression reads parameters of this owner only."""
        if isinstance(expr.type, Bool) or (expr.fn == "to_real" and isinstance(expr.args[0], Read)):
            return False
        return all(self._leaf_constant(part) for part in walk(expr))

    def _leaf_constant(self, part: Expr) -> bool:
        match part:
            case Read(array=array, at=at):
                return at in ("scalar", "own") and array in self.made.values
            case Const() | Apply():
                return True
            case _:
                return False

    def _hoisted(self, expr: Apply) -> Expr:
        reads = [part for part in walk(expr) if isinstance(part, Read)]
        if not reads:
            return self._literal(expr)
        self._count += 1
        name = of_compiler(self.owner, "const", self._count)
        derived_array(self.made, self.owner, name, expr, self.over, self._what, self._place)
        return Read(name, "own" if any(r.at == "own" for r in reads) else "scalar", expr.type)

    def _literal(self, expr: Apply) -> Expr:
        """A constant of literals alone, as one literal."""
        try:
            value = evaluate(expr, {})
        except NoValue as error:
            self._problem(error.reason)
            return Const(0, Int(0, 0))
        if isinstance(expr.type, Int):
            return Const(int(value), Int(int(value), int(value)))
        if not np.isfinite(value):
            self._problem("is not finite")
        return Const(float(value), Real())

    def _problem(self, reason: str) -> None:
        self.made.problems.append(Problem(self._place, f"{self._what} {reason}; correct the numbers in it"))

    @property
    def _what(self) -> str:
        return f"a constant part of the model of '{self.owner}'"
