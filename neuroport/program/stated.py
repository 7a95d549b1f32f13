"""What every executor relies on: that an integer program states, for every value, bounds that a machine word holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuroport.errors import InvalidInput
from neuroport.program.ir import (
    Apply,
    Bool,
    Const,
    Expr,
    Int,
    Lookup,
    Numbers,
    Real,
    Round,
    Spike,
    Stmt,
    Store,
    expressions,
    walk,
)
from neuroport.program.machine import Array, Program
from neuroport.program.printer import expression, statement

WORD = (-(2**63), 2**63 - 1)
MOST_BITS = 62
"""The largest number of bits by which a value is shifted or rounded."""


def bounds(expr: Expr) -> tuple[int, int]:
    """The bounds of an integer expression; a literal's are its value, whatever its type says."""
    if isinstance(expr, Const):
        return int(expr.value), int(expr.value)
    return (expr.type.lo, expr.type.hi) if isinstance(expr.type, Int) else (0, 1)


def bodies(program: Program) -> Iterator[tuple[str, tuple[Stmt, ...]]]:
    """Every body of a program, with words for where it stands."""
    for population in program.populations:
        yield f"population {population.name}", population.body
    for projection in program.projections:
        where = f"projection {projection.name}"
        yield where, projection.step
        yield f"{where}, on_pre", projection.arrive
        yield f"{where}, on_post", projection.post_body
        if projection.row_condition is not None:
            yield f"{where}, rows", (Spike(projection.row_condition),)
    for event in program.events:
        yield f"event {event.name} of {event.owner}", event.body
    for readout in program.readouts:
        yield f"readout {readout.name}", (Spike(readout.bit),)


def checked(program: Program, array: Array, values: Numbers) -> Numbers:
    """Values that the host gives an array, as every executor accepts them; InvalidInput for others."""
    if values.shape != array.initial.shape:
        raise _refused(array, f"the values have shape {values.shape}; the array has {array.initial.shape}")
    if isinstance(array.type, Real) or not values.size:
        return values
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        raise _refused(array, "fractions were given; the array takes whole numbers")
    if isinstance(array.type, Bool) and not np.isin(values, (0, 1)).all():
        raise _refused(array, "the array takes only 0 and 1")
    within_bounds(program, array, values)
    return values


def within_bounds(program: Program, array: Array, values: Numbers) -> None:
    """InvalidInput for raw integers outside the bounds of an array's format."""
    if not (isinstance(array.type, Int) and program.integer and values.size):
        return
    low, high = int(values.min()), int(values.max())
    if low < array.type.lo or high > array.type.hi:
        found = low if low < array.type.lo else high
        raise _refused(
            array,
            f"the raw value {found} is outside {array.type.lo}..{array.type.hi}, the range of its format. Give it a "
            f"wider range or smaller values",
        )


def _refused(array: Array, text: str) -> InvalidInput:
    return InvalidInput.one(None, f"{array.name}: {text}")


def problems(program: Program) -> tuple[str, ...]:
    """Every value that no machine word holds, and every count and index that no executor accepts.

    A file never leads to one of these: the quantiser refuses it before, with the place in the file.
    """
    return tuple(dict.fromkeys(_problems(program)))


def _problems(program: Program) -> Iterator[str]:
    for where, body in bodies(program):
        for stmt in body:
            for found in _in_statement(program, stmt):
                yield f"{where}, `{statement(stmt)}`: {found}. This is a fault of neuroport, not of the network"


def _in_statement(program: Program, stmt: Stmt) -> Iterator[str]:
    for whole in expressions((stmt,)):
        for expr in walk(whole):
            yield from _rounding(program, expr)
            if program.integer and not isinstance(expr.type, Bool):
                yield from _in_expression(program, expr)
    if isinstance(stmt, Store) and stmt.overflow == "wrap":
        span = stmt.hi - stmt.lo + 1
        if span > 2**63 and span != 2**64:
            yield f"{stmt.lo}..{stmt.hi} is no word into which a value can be wrapped"


def _rounding(program: Program, expr: Expr) -> Iterator[str]:
    if isinstance(expr, Round) and not 0 < expr.shift <= (32 if expr.mode == "stochastic" else MOST_BITS):
        yield f"a rounding ({expr.mode}) drops {expr.shift} bits; 1 to {MOST_BITS} work, stochastically at most 32"


def _in_expression(program: Program, expr: Expr) -> Iterator[str]:
    lo, hi = bounds(expr)
    if not WORD[0] <= lo <= hi <= WORD[1]:
        yield f"{expression(expr)} is said to lie in {lo}..{hi}, which 64 bits do not hold"
    match expr:
        case Apply(fn="shl" | "shr", args=(_, count)):
            least, most = bounds(count)
            if not 0 <= least <= most <= MOST_BITS:
                yield f"{expression(expr)} shifts by {least}..{most} bits; shifts go from 0 to {MOST_BITS}"
        case Lookup(table=table, index=index):
            least, most = bounds(index)
            size = len(program.tables[table])
            if not 0 <= least <= most < size:
                yield f"{expression(index)} is said to lie in {least}..{most}, but {table} has {size} entries"
