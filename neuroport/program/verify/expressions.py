"""Legal expressions: the kinds of what a function takes and gives, and bounds that a machine word holds."""

from __future__ import annotations

from collections.abc import Iterator

from neuroport.program.functions import FUNCTIONS
from neuroport.program.ir import (
    ROUNDINGS,
    Apply,
    Bool,
    Const,
    Expr,
    Int,
    Lookup,
    Random,
    Real,
    Reduce,
    Round,
    Sum,
    Type,
    children,
)
from neuroport.program.machine import Program
from neuroport.program.printer import expression
from neuroport.program.stated import bounds

WORD = (-(2**63), 2**63 - 1)
MOST_BITS = 62
"""The largest number of bits by which a value is shifted or rounded."""
MOST_DRAWN = 32
"""The largest number of bits that a stochastic rounding drops."""


def kind(of: Type) -> str:
    """The kind of a type in words: real, int or bool."""
    return type(of).__name__.lower()


ALIGNED = frozenset(("add", "sub", "min", "max", "clip", "select", "lt", "le", "gt", "ge", "eq", "ne"))


def problems(program: Program, expr: Expr) -> Iterator[str]:
    """What is wrong with an expression by itself, leaving aside its operands and what it reads."""
    if program.integer and isinstance(expr.type, Real):
        yield f"{expression(expr)} is real in a program of integers"
    if isinstance(expr.type, Int):
        lo, hi = bounds(expr)
        if not WORD[0] <= lo <= hi <= WORD[1]:
            yield f"{expression(expr)} is said to lie in {lo}..{hi}, which 64 bits do not hold"
    match expr:
        case Const():
            yield from _const(expr)
        case Apply():
            yield from _apply(expr)
            if program.integer:
                yield from _shift(expr)
                yield from _aligned(expr)
                yield from _word(expr)
        case Round():
            yield from _round(program, expr)
        case Lookup():
            yield from _lookup(program, expr)
        case Random():
            yield from _random(program, expr)
        case Sum() | Reduce():
            if type(expr.x.type) is not type(expr.type) or isinstance(expr.type, Bool):
                yield f"{expression(expr)} adds values that are {kind(expr.x.type)} to one that is {kind(expr.type)}"


def _const(expr: Const) -> Iterator[str]:
    wanted = {Real: float, Int: int, Bool: bool}[type(expr.type)]
    if type(expr.value) is not wanted:
        yield f"the literal {expr.value!r} is said to be {kind(expr.type)}"
    elif isinstance(expr.type, Int) and not expr.type.lo <= expr.value <= expr.type.hi:
        yield f"the literal {expr.value} is said to lie in {expr.type.lo}..{expr.type.hi}"


def _apply(expr: Apply) -> Iterator[str]:
    function = FUNCTIONS.get(expr.fn)
    if function is None:
        yield f"{expression(expr)} applies the unknown function '{expr.fn}'"
        return
    result = function.result([type(arg.type) for arg in expr.args])
    if result is None:
        yield f"{expression(expr)} applies {expr.fn} to ({', '.join(kind(arg.type) for arg in expr.args)})"
    elif result is not type(expr.type):
        yield f"{expression(expr)} is said to be {kind(expr.type)}; {expr.fn} gives {result.__name__.lower()}"


def _shift(expr: Apply) -> Iterator[str]:
    if expr.fn in ("shl", "shr") and len(expr.args) == 2:
        least, most = bounds(expr.args[1])
        if not 0 <= least <= most <= MOST_BITS:
            yield f"{expression(expr)} shifts by {least}..{most} bits; shifts go from 0 to {MOST_BITS}"


def _word(expr: Apply) -> Iterator[str]:
    if expr.fn == "wrap":
        bits = expr.args[1]
        if not (isinstance(bits, Const) and 1 <= bits.value <= MOST_BITS + 2):
            yield f"{expression(expr)} wraps into {expression(bits)} bits; a literal from 1 to {MOST_BITS + 2} says so"


def _aligned(expr: Apply) -> Iterator[str]:
    """What is added, compared or chosen from has the same fractional bits, and so has the result.

    A raw number without any may get some, and one with some may be taken as a raw number.
    """
    if expr.fn not in ALIGNED:
        return
    fracs = {a.type.frac for a in expr.args if isinstance(a.type, Int) and not (isinstance(a, Const) and a.value == 0)}
    if len(fracs) > 1:
        yield f"{expression(expr)} takes values with {' and '.join(map(str, sorted(fracs)))} fractional bits"
    elif isinstance(expr.type, Int) and expr.type.frac and fracs and fracs.isdisjoint((0, expr.type.frac)):
        yield f"{expression(expr)} is said to have {expr.type.frac} fractional bits; it has {fracs.pop()}"


def _round(program: Program, expr: Round) -> Iterator[str]:
    if not program.integer:
        yield f"{expression(expr)} rounds integers in a program of real numbers"
    elif not (isinstance(expr.x.type, Int) and isinstance(expr.type, Int)):
        yield f"{expression(expr)} makes what is {kind(expr.type)} of what is {kind(expr.x.type)}"
    if expr.mode not in ROUNDINGS:
        yield f"'{expr.mode}' is no rule for rounding"
    if not 0 < expr.shift <= (MOST_DRAWN if expr.mode == "stochastic" else MOST_BITS):
        yield (
            f"a rounding ({expr.mode}) drops {expr.shift} bits; 1 to {MOST_BITS} work, stochastically at most "
            f"{MOST_DRAWN}"
        )


def _lookup(program: Program, expr: Lookup) -> Iterator[str]:
    table = program.tables.get(expr.table)
    if not program.integer:
        yield f"{expression(expr)} looks up an integer in a program of real numbers"
    if table is None:
        yield f"{expression(expr)} looks in the table '{expr.table}', which the program does not have"
    elif not (isinstance(expr.index.type, Int) and isinstance(expr.type, Int)):
        yield f"{expression(expr)} has an index that is {kind(expr.index.type)} and is {kind(expr.type)}"
    else:
        least, most = bounds(expr.index)
        if not 0 <= least <= most < len(table):
            yield (
                f"{expression(expr.index)} is said to lie in {least}..{most}, but {expr.table} has {len(table)} entries"
            )


def _random(program: Program, expr: Random) -> Iterator[str]:
    if expr.part not in (None, 0, 1, 2, 3):
        yield f"{expression(expr)} is no part of a random word; these are 0 to 3"
    most = 2**32 - 1 if expr.part is None else 2**16 - 1
    if not program.integer:
        if not isinstance(expr.type, Real):
            yield f"{expression(expr)} is {kind(expr.type)} in a program of real numbers"
    elif not isinstance(expr.type, Int) or expr.type.lo > 0 or expr.type.hi < most:
        yield f"{expression(expr)} is said to be {expr.type}; it lies in 0..{most}"


def each(expr: Expr, done: set[int]) -> Iterator[Expr]:
    """The expression and its parts, operands first; of those that stand in several places one. `done` keeps them."""
    if id(expr) in done:
        return
    done.add(id(expr))
    for child in children(expr):
        yield from each(child, done)
    yield expr
