"""Arrays in which one part of an event leaves values for another one; they are `scratch`: no state has them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from neuroport.program.ir import BOOL, Apply, Bool, Const, Expr, Int, Read, Real, Sum, Temp, Type, children
from neuroport.program.machine import Array, Arrays, Over
from neuroport.program.names import of_compiler

_TRUTH = Int(0, 1)
_ZERO, _ONE = Const(0, Int(0, 0)), Const(1, Int(1, 1))


@dataclass(slots=True)
class Scratch:
    """New arrays among those of a program."""

    arrays: Arrays

    def add_for(self, copies: int, owner: str, at: Over, type_: Type, size: int, own: bool) -> str:
        """The name of a new array of so many elements; own: of each copy of a program that has several."""
        return self.add(owner, at, type_, (size, copies) if own and copies > 1 else (size,), shared=not own)

    def add(self, owner: str, at: Over, type_: Type, shape: tuple[int, ...], shared: bool = False) -> str:
        """The name of a new array; shared: of all copies."""
        names = (of_compiler(owner, "part", number) for number in count(1))
        name = next(name for name in names if name not in self.arrays)
        kind = _TRUTH if isinstance(type_, Bool) else type_
        first = np.zeros(shape) if isinstance(kind, Real) else np.full(shape, min(max(0, kind.lo), kind.hi), np.int64)
        self.arrays.add(Array(name, owner, at, "state", kind, first, shared=shared, scratch=True))
        return name


def differs(expr: Expr, arrays: Mapping[str, Array], names: Container[str] = ()) -> bool:
    """Whether a value differs from copy to copy: it is made of what each has for itself, or of such names."""
    match expr:
        case Read():
            return arrays[expr.array].own
        case Temp():
            return expr.name in names
        case Sum():
            return False
    return any(differs(child, arrays, names) for child in children(expr))


def as_number(value: Expr) -> Expr:
    """A value as it is left in an array."""
    return Apply("select", (value, _ONE, _ZERO), _TRUTH) if isinstance(value.type, Bool) else value


def left_in(array: str, type_: Type) -> Expr:
    """The value that an element has left there."""
    if isinstance(type_, Bool):
        return Apply("ne", (Read(array, "own", _TRUTH), _ZERO), BOOL)
    return Read(array, "own", type_)
