"""What the text of a model itself says about how large its variables get: limits that it clips to, and signs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from neuroport.program.functions import FUNCTIONS
from neuroport.program.intervals import UNLIMITED, RealInterval, hull
from neuroport.program.ir import Apply, Body, Const, Expr, Int, Let, Random, Read, Reduce, Send, Store, Sum, Temp
from neuroport.program.machine import Program
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.reach import named, reach_of
from neuroport.quantise.formats import real_bounds

LIMITED: dict[str, RealInterval] = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
"""Functions whose result has limits of its own."""
CHOOSING = frozenset(("clip", "min", "max", "select", "to_real"))
"""Functions whose result has the limits of what it is chosen from."""
LINEAR = frozenset(("add", "sub", "mul", "neg"))
"""Functions that keep the limits of one operand, where the others are parameters."""
POSITIVE: RealInterval = (0.0, math.inf)


@dataclass(frozen=True, slots=True)
class _Given:
    """A value given to an array, with the local names of its body."""

    array: str
    value: Expr
    names: Mapping[str, Expr]


def clip_limits(program: Program) -> dict[str, RealInterval]:
    """The interval to which the statements of a model limit an array, whatever else is; infinite where they do not.

    Limits are literals and parameters in min, max, clip and choices, and the ends of sigmoid and tanh, on the outside
    of what is stored: exp(clip(x, -20, 20)) has none.
    """
    ends = {n: _ends(a.initial.min(), a.initial.max()) for n, a in program.arrays.items() if a.initial.size}
    found = {name: ends.get(name, (0.0, 0.0)) for name in program.stored()}
    for name, parts in _by_array(_stores(program)).items():
        limits = _Limits(program, name, found[name])
        first = hull(found[name], *(limits.of(part.value, part.names) for part in parts))
        again = _Limits(program, name, first)
        second = hull(first, *(again.of(part.value, part.names) for part in parts))
        found[name] = (
            (first[0] if second[0] == first[0] else -math.inf),
            (first[1] if second[1] == first[1] else math.inf),
        )
    return found


@dataclass(frozen=True, slots=True)
class _Limits:
    """Limits of what is stored into one array, whose own value lies between `own`."""

    program: Program
    array: str
    own: RealInterval
    known: dict[tuple[int, str], RealInterval] = field(default_factory=dict)
    variable: dict[tuple[int, str], bool] = field(default_factory=dict)

    def of(self, expr: Expr, names: Mapping[str, Expr]) -> RealInterval:
        """The limits of an expression; unlimited where none stand on its outside."""
        match expr:
            case Const():
                return float(expr.value), float(expr.value)
            case Read(array=name) if name == self.array:
                return self.own
            case Read():
                return _parameter(self.program, expr) or UNLIMITED
            case Temp(name=name):
                return self._local(name, names)
            case Sum(x=x) | Reduce(op="max", x=x):
                return self.of(x, names)
            case Apply(fn=fn) if fn in LIMITED:
                return LIMITED[fn]
            case Apply(fn=fn, args=args) if fn in CHOOSING:
                return FUNCTIONS[fn].reals.bounds(*(self.of(arg, names) for arg in args))
            case Apply(fn=fn, args=args) if fn in LINEAR:
                return self._linear(fn, [self.of(arg, names) for arg in args], args, names)
            case _:
                return UNLIMITED

    def _local(self, name: str, names: Mapping[str, Expr]) -> RealInterval:
        key = id(names), name
        if key not in self.known:
            self.known[key] = self.of(names[name], names)
        return self.known[key]

    def _linear(
        self, fn: str, parts: list[RealInterval], args: tuple[Expr, ...], names: Mapping[str, Expr]
    ) -> RealInterval:
        variable = sum(self._variable(arg, names) for arg in args)
        finite = all(map(math.isfinite, (end for part in parts for end in part)))
        return FUNCTIONS[fn].reals.bounds(*parts) if finite and variable <= 1 else UNLIMITED

    def _variable(self, expr: Expr, names: Mapping[str, Expr]) -> bool:
        """Whether a value depends on more than parameters and literals."""
        match expr:
            case Read():
                return _parameter(self.program, expr) is None
            case Temp(name=name):
                key = id(names), name
                if key not in self.variable:
                    self.variable[key] = self._variable(names[name], names)
                return self.variable[key]
            case Apply(args=args):
                return any(self._variable(arg, names) for arg in args)
            case _:
                return not isinstance(expr, Const)


def not_negative(program: Program) -> frozenset[str]:
    """The arrays of which it is certain that they never are below 0, whatever arrives and however long a run is.

    Those that start so, and stay so where all the others of them do.
    """
    variables = [a for a in program.arrays.values() if a.role != "parameter"]
    known = {a.name for a in variables if not a.initial.size or a.initial.min() >= 0}
    known -= set(_negative_stimuli(program))
    parts = [*_stores(program), *_sends(program)]
    while True:
        lost = {p.array for p in parts if p.array in known and _reach(program, p, known)[0] < 0}
        if not lost:
            return frozenset(known)
        known -= lost


def _reach(program: Program, part: _Given, known: set[str]) -> RealInterval:
    def leaf(expr: Expr) -> RealInterval:
        match expr:
            case Read(array=name):
                return POSITIVE if name in known else _parameter(program, expr) or UNLIMITED
            case Random():
                return 0.0, 1.0
            case Sum(x=x) | Reduce(x=x):
                return POSITIVE if reach_of(x, range_of)[0] >= 0 else UNLIMITED
            case _:
                return UNLIMITED

    range_of = named(part.names, leaf)
    return reach_of(part.value, range_of)


def _negative_stimuli(program: Program) -> Iterator[str]:
    """Inputs to which a stimulus adds what is negative, or what is not known beforehand."""
    for injection in program.injections:
        if injection.values.size and injection.values.min() < 0:
            yield injection.input
    for series in program.series:
        if series.captured or series.table.min() < 0:
            yield series.input


def _parameter(program: Program, read: Read) -> RealInterval | None:
    array = program.arrays[read.array]
    if array.role != "parameter":
        return None
    if array.name in (STEP, ITEM_STEP) and isinstance(array.type, Int):
        return _ends(array.type.lo, array.type.hi)
    return real_bounds(array)


def _ends(low: float, high: float) -> RealInterval:
    return float(low), float(high)


def _by_array(parts: Iterator[_Given]) -> dict[str, list[_Given]]:
    found: dict[str, list[_Given]] = {}
    for part in parts:
        found.setdefault(part.array, []).append(part)
    return found


def _stores(program: Program) -> Iterator[_Given]:
    for owned in program.bodies():
        names = _local(owned.body)
        yield from (_Given(s.array, s.value, names) for s in owned.body if isinstance(s, Store))


def _sends(program: Program) -> Iterator[_Given]:
    for owned in program.bodies():
        names = _local(owned.body)
        yield from (_Given(s.input, s.value, names) for s in owned.body if isinstance(s, Send))


def _local(body: Body) -> dict[str, Expr]:
    return {stmt.name: stmt.value for stmt in body if isinstance(stmt, Let)}
