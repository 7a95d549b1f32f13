"""Every function of integers x literals, variables and counters x lengths of words, as populations of one program."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

import numpy as np

from neuroport.program import functions, intervals
from neuroport.program.ir import (
    BOOL,
    Apply,
    Const,
    Expr,
    Int,
    Lookup,
    Overflow,
    Read,
    Round,
    Store,
    parts,
    with_children,
    with_expressions,
)
from neuroport.program.ir import Rounding as Mode
from neuroport.program.machine import Array, Population, Program
from tests.support.programs import array, program

WORDS = {
    "w4": Int(-8, 7),
    "w8": Int(-128, 127),
    "u16": Int(0, 2**16 - 1),
    "w32": Int(-(2**31), 2**31 - 1),
    "count": Int(0, 2**48),
    "w60": Int(-(2**59), 2**59 - 1),
    "w64": Int(-(2**63), 2**63 - 1),
}
LITERALS = (0, 1, -1, 3, 2**15, -(2**31), 2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**40, -(2**61), 2**63 - 1, -(2**63))
TABLE = [(7 * k * k * 2**33 + k) % 2**40 - 2**39 for k in range(33)]
COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
QUOTIENTS = ("floordiv", "mod", "trunc_div", "round_div")
RULES: tuple[Overflow, ...] = ("saturate", "wrap")
MODES: tuple[Mode, ...] = ("toward_zero", "floor", "nearest", "nearest_even", "stochastic", "floor_min_step")
LIMITS = ((-3, 5), (-128, 127), (-(2**31), 2**31 - 1), (2**33, 2**34 + 6), (-(2**62), 2**62 - 1))
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def literal(value: int) -> Const:
    """A literal."""
    return Const(value, Int(value, value))


def applied(fn: str, *args: Expr) -> Apply:
    """A function with the bounds that follow from its operands."""
    ends = [(a.type.lo, a.type.hi) if isinstance(a.type, Int) else (0, 1) for a in args]
    return Apply(fn, args, Int(*functions.bounds(fn, *ends)))


def held(expr: Expr) -> bool:
    """Whether 64 bits hold the value."""
    return isinstance(expr.type, Int) and LOWEST <= expr.type.lo and expr.type.hi <= HIGHEST


def values_of(word: Int) -> list[int]:
    """Sixteen values: all of a small word; of others the ends, neighbours of powers of two, and some between."""
    if word.hi - word.lo < 16:
        return list(range(word.lo, word.hi + 1))
    draw = random.Random(word.hi)
    near = {s * (2**k) + d for k in (0, 1, 7, 15, 31, 32, 40, 61) for s in (1, -1) for d in (-1, 0, 1)}
    inside = sorted(v for v in near if word.lo + 1 < v < word.hi - 1)
    found = [word.lo, word.lo + 1, word.hi - 1, word.hi, 0, *draw.sample(inside, min(8, len(inside)))]
    return [*found, *(draw.randint(word.lo, word.hi) for _ in range(16 - len(found)))]


def of_two(a: Expr, b: Expr) -> Iterator[Expr]:
    """All functions of two numbers."""
    for fn in ("add", "sub", "mul", "min", "max", *QUOTIENTS):
        yield applied(fn, a, b)
    one, none = literal(1), literal(0)
    for fn in COMPARISONS:
        yield Apply("select", (Apply(fn, (a, b), BOOL), one, none), Int(0, 1))
    yield applied("select", Apply("or", (Apply("lt", (a, b), BOOL), Apply("eq", (b, none), BOOL)), BOOL), a, b)
    both = Apply("and", (Apply("ne", (a, none), BOOL), Apply("gt", (a, b), BOOL)), BOOL)
    yield applied("select", Apply("not", (both,), BOOL), b, a)
    for most in (3, 31, 62):
        count = applied("clip", b, none, literal(most))
        yield applied("shl", a, count)
        yield applied("shr", a, count)
    yield applied("sub", applied("min", a, b), applied("max", a, b))
    yield applied("clip", a, applied("min", b, one), applied("max", b, literal(2**32)))
    entry = applied("clip", applied("min", a, b), none, literal(len(TABLE) - 1))
    yield Lookup("table", entry, Int(min(TABLE), max(TABLE)))


def of_one(a: Expr) -> Iterator[Expr]:
    """All functions of one number."""
    yield applied("neg", a)
    yield applied("abs", a)
    yield applied("bit_length", a)
    yield applied("neg", applied("abs", applied("neg", a)))
    for bits in (1, 8, 31, 32, 33, 40, 63, 64):
        yield applied("wrap", a, literal(bits))
    for k in (0, 1, 30, 31, 40, 62):
        yield applied("shl", a, literal(k))
        yield applied("shr", a, literal(k))
    for low, high in product(LITERALS[:-2], LITERALS[2:]):
        yield applied("clip", a, literal(low), literal(high))
    if not isinstance(a, Const):
        assert isinstance(a.type, Int)
        for mode, shift in product(MODES, (1, 2, 15, 31, 32, 40, 62)):
            if mode != "stochastic" or shift <= 32:
                ends = intervals.rounded((a.type.lo, a.type.hi), shift, mode)
                yield Round(a, shift, mode, Int(*ends), 5)


def of_word(a: Expr) -> Iterator[Expr]:
    """All functions of a variable, with literals on either side."""
    yield from of_one(a)
    for value in LITERALS:
        yield from of_two(a, literal(value))
        yield from of_two(literal(value), a)


def of_literals() -> Iterator[Expr]:
    """Functions of literals alone."""
    for one in LITERALS:
        yield from of_one(literal(one))
        for other in LITERALS:
            yield from of_two(literal(one), literal(other))


def everything() -> Iterator[Store]:
    """All cases that 64 bits hold, as stores into arrays that have no names yet."""
    for (one, a), (other, b) in product(WORDS.items(), WORDS.items()):
        first, second = Read(f"{one}.a", "own", a), Read(f"{other}.b", "own", b)
        yield from map(stored, of_two(first, second))
    for name, word in WORDS.items():
        a = Read(f"{name}.a", "own", word)
        yield from map(stored, of_word(a))
        for (lo, hi), rule in product(LIMITS, RULES):
            yield Store("", a, None, rule, lo, hi)
    yield from map(stored, of_literals())


def stored(value: Expr) -> Store:
    """A store without a limit."""
    return Store("", value)


def cases(every: int, first: int = 0, together: int = 60) -> Program:
    """One case in `every` as one program: populations of 256 neurons, each with that many cases at most.

    Neuron i has, of every word, value i // 16 as its first number and value i % 16 as its second.
    """
    chosen = list(islice((s for s in everything() if held(s.value)), first, None, every))
    groups = [chosen[k : k + together] for k in range(0, len(chosen), together)]
    made = [_population(f"g{k}", group) for k, group in enumerate(groups)]
    return program(
        arrays=tuple(a for arrays, _ in made for a in arrays),
        populations=tuple(p for _, p in made),
        tables={"table": np.array(TABLE)},
    )


def _population(name: str, stores: list[Store]) -> tuple[list[Array], Population]:
    body = tuple(_named(name, k, store) for k, store in enumerate(stores))
    arrays = [array(s.array, "neuron", "state", _kept(s), [0] * 256) for s in body]
    for column in sorted({e.array for e in parts(body) if isinstance(e, Read)}):
        word = WORDS[column.split("_")[1]]
        values = values_of(word)
        order = (i // 16 if column.endswith("a") else i % 16 for i in range(256))
        arrays.append(array(column, "neuron", "state", word, [values[k] for k in order]))
    return arrays, Population(name, 256, body, (), False, 0)


def _named(name: str, k: int, store: Store) -> Store:
    """The store of case k of a population, from the population's own columns."""

    def own(expr: Expr) -> Expr:
        if isinstance(expr, Read):
            word, column = expr.array.split(".")
            return replace(expr, array=f"{name}._{word}_{column}")
        return with_children(expr, own)

    return replace(with_expressions(store, own), array=f"{name}.out{k}")


def _kept(store: Store) -> Int:
    """The format for what is stored; it also holds 0, with which the array begins."""
    value = store.value.type
    assert isinstance(value, Int)
    lo, hi = (value.lo, value.hi) if store.overflow == "none" else (store.lo, store.hi)
    return Int(min(lo, 0), max(hi, 0))
