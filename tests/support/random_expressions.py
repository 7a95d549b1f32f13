"""Random integer expressions that are heavy in literals and wide words, with the bounds that follow from operands."""

from __future__ import annotations

import random

import numpy as np

from neuroport.program import intervals
from neuroport.program.ir import (
    BOOL,
    Apply,
    Expr,
    Int,
    Let,
    Lookup,
    Overflow,
    Random,
    Read,
    Round,
    Stmt,
    Store,
    Temp,
)
from neuroport.program.machine import Array, Population, Program
from tests.support.integer_cases import COMPARISONS, MODES, QUOTIENTS, TABLE, applied, literal, values_of
from tests.support.programs import array, c, program

LITERALS = (0, 1, -1, 2, 5, -100, 2**15, -(2**15) - 1, 2**31, 2**31 - 1, -(2**31), -(2**31) - 1, 2**32, 2**32 + 1,
            2**40, -(2**40), 2**61, -(2**61))  # fmt: skip
WORDS = (
    Int(0, 1),
    Int(-128, 127),
    Int(0, 2**15),
    Int(-(2**15), 2**15 - 1),
    Int(-(2**31), 2**31 - 1),
    Int(0, 2**32 - 1),
    Int(-(2**47), 2**47 - 1),
    Int(0, 2**48),
    Int(-(2**59), 2**59 - 1),
    Int(-(2**61), 2**61 - 1),
)
LIMIT = 2**62


def fits(expr: Expr) -> bool:
    """Whether every value inside is within 62 bits and a sign, as a quantised program's are."""
    return isinstance(expr.type, Int) and -LIMIT <= expr.type.lo and expr.type.hi <= LIMIT


def wide_expression(draw: random.Random, depth: int, leaves: list[Expr]) -> Expr:
    """An expression; what would not fit 62 bits is drawn again."""
    if depth == 0:
        return literal(draw.choice(LITERALS)) if draw.random() < 0.35 else draw.choice(leaves)
    while True:
        made = _function(draw, *(wide_expression(draw, depth - 1, leaves) for _ in range(3)))
        if fits(made):
            return made


def _function(draw: random.Random, a: Expr, b: Expr, e: Expr) -> Expr:
    assert isinstance(a.type, Int)
    assert isinstance(b.type, Int)
    match draw.randrange(12):
        case 0 | 1:
            return applied(draw.choice(["add", "sub"]), a, b)
        case 2:
            return applied("mul", a, b)
        case 3:
            return applied(draw.choice(["neg", "abs", "bit_length"]), a)
        case 4:
            return applied(draw.choice(["min", "max"]), a, b)
        case 5:
            return applied("clip", a, b, e)
        case 6:
            return applied(draw.choice(QUOTIENTS), a, b)
        case 7:
            condition = Apply(draw.choice(COMPARISONS), (a, b), BOOL)
            other = Apply("not", (Apply(draw.choice(COMPARISONS), (b, e), BOOL),), BOOL)
            joined = Apply(draw.choice(["and", "or"]), (condition, other), BOOL)
            return applied("select", draw.choice([joined, condition, other]), a, e)
        case 8:
            most = draw.choice([1, 7, 31, 40, 62])
            count = applied("clip", b, literal(0), literal(most)) if draw.random() < 0.7 else literal(most)
            return applied(draw.choice(["shl", "shr", "shr"]), a, count)
        case 9:
            return applied("wrap", a, literal(draw.choice([1, 8, 16, 31, 32, 33, 48, 62])))
        case 10:
            entry = applied("clip", a, literal(0), literal(len(TABLE) - 1))
            return Lookup("table", entry, Int(min(TABLE), max(TABLE)))
        case _:
            shift = draw.choice([1, 3, 12, 31, 32, 45, 61])
            mode = draw.choice([m for m in MODES if m != "stochastic" or shift <= 32])
            return Round(
                a, shift, mode, Int(*intervals.rounded((a.type.lo, a.type.hi), shift, mode)), draw.randrange(9)
            )


def random_population(name: str, seed: int, size: int = 16) -> tuple[list[Array], Population]:
    """One random program: a population with up to four variables and a parameter, and what it does in a step."""
    draw = random.Random(seed)
    words = [draw.choice(WORDS) for _ in range(draw.randint(1, 4))]
    arrays = [_column(draw, f"{name}.v{k}", word, size) for k, word in enumerate(words)]
    variables = [Read(f"{name}.v{k}", "own", word) for k, word in enumerate(words)]
    count = Int(0, draw.choice([1, 20, 62]))
    arrays.append(array(f"{name}.k", "scalar", "parameter", count, draw.randint(0, count.hi), dynamic=True))
    leaves: list[Expr] = [*variables, Read(f"{name}.k", "scalar", count), Random(seed, Int(0, 2**32 - 1))]
    named = wide_expression(draw, 2, leaves)
    body: list[Stmt] = [Let("x", named)]
    leaves.append(Temp("x", named.type))
    for variable in variables:
        word = variable.type
        assert isinstance(word, Int)
        value = wide_expression(draw, 3, leaves)
        test = Apply(draw.choice(COMPARISONS), (wide_expression(draw, 1, leaves), draw.choice(leaves)), BOOL)
        rule: Overflow = draw.choice(["saturate", "wrap"])
        body.append(Store(variable.array, value, test if draw.random() < 0.4 else None, rule, word.lo, word.hi))
    return arrays, Population(name, size, tuple(body), (), False, 0)


def _column(draw: random.Random, name: str, word: Int, size: int) -> Array:
    values = values_of(word)
    return array(name, "neuron", "state", word, [draw.choice(values) for _ in range(size)])


def random_populations(seeds: range) -> Program:
    """Random programs that have nothing to do with each other as one: one compilation tests them all."""
    made = [random_population(f"r{seed}", seed) for seed in seeds]
    return program(
        arrays=tuple(a for arrays, _ in made for a in arrays),
        populations=tuple(p for _, p in made),
        tables={"table": np.array(TABLE)},
    )


def random_expression(draw: random.Random, depth: int, leaves: list[Expr]) -> Expr:
    """An integer expression whose declared range contains its value."""
    if depth == 0:
        return draw.choice(leaves)
    a, b, e = (random_expression(draw, depth - 1, leaves) for _ in range(3))
    ta, tb, te = (x.type for x in (a, b, e))
    assert isinstance(ta, Int) and isinstance(tb, Int) and isinstance(te, Int)
    size = max(abs(v) for v in (ta.lo, ta.hi, tb.lo, tb.hi, te.lo, te.hi, 1))
    around = Int(-size, size)
    k = draw.randrange(1, 20)
    match draw.randrange(12):
        case 0:
            return Apply(draw.choice(["add", "sub"]), (a, b), Int(-2 * size, 2 * size))
        case 1 if size < 2**30:
            return Apply("mul", (a, b), Int(-size * size, size * size))
        case 2:
            return Apply(draw.choice(["neg", "abs"]), (a,), around)
        case 3:
            return Apply(draw.choice(["min", "max", "mod", "trunc_div"]), (a, b), around)
        case 4:
            return Apply(draw.choice(["floordiv", "round_div"]), (a, b), around)
        case 5:
            condition = Apply(draw.choice(["lt", "le", "gt", "ge", "eq", "ne"]), (a, b), BOOL)
            other = Apply(draw.choice(["lt", "ne"]), (b, e), BOOL)
            joined = Apply(draw.choice(["and", "or"]), (condition, Apply("not", (other,), BOOL)), BOOL)
            return Apply("select", (joined, b, e), around)
        case 6 if size < 2**35:
            return Apply("shl", (a, c(k)), Int(-size << k, size << k))
        case 7:
            return Apply("shr", (a, c(k)), around)
        case 8:
            return Apply("wrap", (a, c(k)), Int(-(1 << k - 1), (1 << k - 1) - 1))
        case 9:
            power = c(draw.choice([1, 2, 8, 64, 5, 1000, -3, 0]))
            return Apply(
                draw.choice(["floordiv", "mod", "trunc_div", "round_div"]),
                (a, power),
                Int(-max(size, 1000), max(size, 1000)),
            )
        case 10:
            return Apply("clip", (a, c(-k), c(k * 100)), Int(-k, k * 100))
        case _:
            mode = draw.choice(["toward_zero", "floor", "nearest", "nearest_even", "stochastic", "floor_min_step"])
            return Round(a, k, mode, around, draw.randrange(3))  # type: ignore[arg-type]


def expressions(seed: int, count: int = 60) -> Program:
    """Random expressions, stored with all overflow rules."""
    draw, n = random.Random(seed), 60
    ranges = [Int(-128, 127), Int(-(2**15), 2**15 - 1), Int(-(2**31), 2**31 - 1), Int(0, 7), Int(-(2**38), 2**38)]
    arrays = []
    for k, r in enumerate(ranges):
        values = [draw.choice([r.lo, r.hi, 0, draw.randint(r.lo, r.hi)]) for _ in range(n)]
        arrays.append(array(f"p.in{k}", "neuron", "state", r, values))
    leaves: list[Expr] = [Read(f"p.in{k}", "own", r) for k, r in enumerate(ranges)]
    leaves += [c(3), c(-1), c(100000), Random(1, Int(0, 2**32 - 1)), Random(1, Int(0, 2**16 - 1), 2)]
    body: list[Store] = []
    while len(body) < count:
        value = random_expression(draw, 3, leaves)
        limits = draw.choice([("none", 0, 0), ("saturate", -1000, 1000), ("wrap", -100, 155), ("wrap", -7, 23)])
        assert isinstance(value.type, Int)
        if -(2**62) < value.type.lo and value.type.hi < 2**62:
            kept = value.type if limits[0] == "none" else Int(-1000, 1000)
            arrays.append(array(f"p.out{len(body)}", "neuron", "state", kept, [0] * n))
            body.append(Store(f"p.out{len(body)}", value, None, *limits))  # type: ignore[arg-type]
    return program(arrays=tuple(arrays), populations=(Population("p", n, tuple(body), (), False, 0),))
