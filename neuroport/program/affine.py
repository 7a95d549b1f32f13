"""Expressions as a * x + b in one variable: what a statement makes of the old value of what it assigns to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from neuroport.program.ir import REAL, Apply, Const, Expr, Read, Real, Temp, children, walk, with_children

MOST = 16
"""An expression with more ways through its choices is not followed."""
LONGEST = 256
"""A local name whose slope or offset has more parts is not followed."""
ZERO, ONE = Const(0.0, REAL), Const(1.0, REAL)


@dataclass(frozen=True, slots=True)
class Affine:
    """slope * x + offset; neither has x in it, other than in what decides a choice."""

    slope: Expr
    offset: Expr


def affine(expr: Expr, x: Read, lets: Mapping[str, Expr]) -> tuple[Affine, ...]:
    """What an expression is in x, once for each way through its choices; () where some way is not affine.

    Limits (clip, min, max, abs) are taken as not reached. `lets` has the values of the names that stand in it.
    """
    follower = _Follower(x)
    for name, value in lets.items():
        follower.named(name, value)
    return tuple(dict.fromkeys(follower.forms(expr)))


@dataclass(slots=True)
class _Follower:
    """`ways`: the forms of the names in which x is."""

    x: Read
    ways: dict[str, Sequence[Affine]] = field(default_factory=dict)

    def named(self, name: str, value: Expr) -> None:
        """A name from here on."""
        if self.has(value):
            forms = self.forms(value)
            long = any(longer(part) for form in forms for part in (form.slope, form.offset))
            self.ways[name] = () if long else forms

    def has(self, expr: Expr) -> bool:
        """Whether x is in an expression, other than in what decides a choice."""
        match expr:
            case Apply(fn="select", args=(_, one, other)):
                return self.has(one) or self.has(other)
            case Temp(name=name):
                return name in self.ways
            case Read():
                return expr.array == self.x.array and expr.at == self.x.at and expr.lag == 0
            case _:
                return any(map(self.has, children(expr)))

    def forms(self, expr: Expr) -> Sequence[Affine]:
        """All ways through an expression."""
        if not self.has(expr):
            return [Affine(ZERO, way) for way in _ways(expr)]
        match expr:
            case Read():
                return (Affine(ONE, ZERO),)
            case Temp(name=name):
                return self.ways[name]
            case Apply(fn="add" | "sub" as fn, args=(a, b)):
                return self._pairs(a, b, plus if fn == "add" else minus)
            case Apply(fn="neg", args=(a,)):
                return _each(self.forms(a), lambda part: minus(ZERO, part))
            case Apply(fn="mul", args=(a, b)) if not self.has(b):
                return _each(self.forms(a), lambda part: times(part, b))
            case Apply(fn="mul", args=(a, b)) if not self.has(a):
                return _each(self.forms(b), lambda part: times(a, part))
            case Apply(fn="div", args=(a, b)) if not self.has(b):
                return _each(self.forms(a), lambda part: over(part, b))
            case Apply(fn="select", args=(_, one, other)):
                return self._any((one, other))
            case Apply(fn="clip" | "min" | "max" | "abs", args=args):
                return self._any([arg for arg in args if self.has(arg)])
            case _:
                return ()

    def _pairs(self, a: Expr, b: Expr, combined: Callable[[Expr, Expr], Expr]) -> Sequence[Affine]:
        ways = list(product(self.forms(a), self.forms(b)))
        if len(ways) > MOST:
            return ()
        return [Affine(combined(p.slope, q.slope), combined(p.offset, q.offset)) for p, q in ways]

    def _any(self, branches: Sequence[Expr]) -> Sequence[Affine]:
        ways = [self.forms(branch) for branch in branches]
        found = [form for way in ways for form in way] if all(ways) else []
        return found if len(found) <= MOST else ()


def _ways(expr: Expr) -> tuple[Expr, ...]:
    """What is added in some cases and not in others, as both; anything else as it is."""
    if isinstance(expr, Apply) and expr.fn == "select" and ZERO in expr.args[1:]:
        return expr.args[1:]
    return (expr,)


def inlined(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """An expression with what the names in it stand for; as it is where that has more than LONGEST parts."""
    if not any(isinstance(part, Temp) and part.name in values for part in walk(expr)):
        return expr
    long = _inlined(expr, values)
    return expr if longer(long) else long


def longer(expr: Expr) -> bool:
    """Whether an expression has more than LONGEST parts."""
    return len(list(islice(walk(expr), LONGEST + 1))) > LONGEST


def _inlined(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    if isinstance(expr, Temp):
        return values.get(expr.name, expr)
    return with_children(expr, lambda part: _inlined(part, values))


def ways(expr: Expr) -> tuple[Expr, ...]:
    """An expression once for each way through its choices, without what is 0 there.

    As it is where there are more than MOST.
    """
    found = _chosen(expr)
    return tuple(dict.fromkeys(found)) if len(found) <= MOST else (expr,)


def _chosen(expr: Expr) -> Sequence[Expr]:
    """All ways, or more than MOST of them."""
    match expr:
        case Apply(fn="select", args=(_, one, other)):
            return [*_chosen(one), *_chosen(other)]
        case Apply(fn=fn, args=args, type=Real()):
            return [_made(fn, parts) for parts in islice(product(*map(_chosen, args)), MOST + 1)]
        case _:
            return [expr]


def _each(forms: Sequence[Affine], change: Callable[[Expr], Expr]) -> Sequence[Affine]:
    return [Affine(change(form.slope), change(form.offset)) for form in forms]


def plus(a: Expr, b: Expr) -> Expr:
    """The sum of two expressions, without a 0 in it."""
    if ZERO in (a, b):
        return b if a == ZERO else a
    return Apply("add", (a, b), REAL)


def minus(a: Expr, b: Expr) -> Expr:
    """The difference of two expressions, without a 0 in it."""
    if b == ZERO:
        return a
    return Apply("neg", (b,), REAL) if a == ZERO else Apply("sub", (a, b), REAL)


def times(a: Expr, b: Expr) -> Expr:
    """The product of two expressions, without a 0 or 1 in it."""
    if ZERO in (a, b):
        return ZERO
    if ONE in (a, b):
        return b if a == ONE else a
    return Apply("mul", (a, b), REAL)


def over(a: Expr, b: Expr) -> Expr:
    """The quotient of two expressions, without a 0 in it."""
    return ZERO if a == ZERO else Apply("div", (a, b), REAL)


_SHORT: Mapping[str, Callable[[Expr, Expr], Expr]] = {"add": plus, "sub": minus, "mul": times, "div": over}


def _made(fn: str, parts: tuple[Expr, ...]) -> Expr:
    return _SHORT[fn](*parts) if fn in _SHORT else Apply(fn, parts, REAL)
