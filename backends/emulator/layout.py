"""What the generated module and the machine that calls it agree on: arguments, their order, and storage formats."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import DTypeLike

from neuroport.copies.axis import LANES
from neuroport.program.ir import Array, Body, Bool, Expr, Int, Program, Real, Sum, Type, parts
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.stated import bounds

RUN_SCALARS = (STEP, ITEM_STEP)
"""Scalars that the generated code computes itself instead of reading them."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a generated function: which thing of which object, and the name it has in the text."""

    kind: str
    name: str
    ident: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A generated function that is called from Python, after `t` (and, for run, `steps`), with these arguments."""

    ident: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Module:
    """A generated module: its text, its entry points, and the meaning of the small integer tables it indexes.

    control: (topic, object) -> index into the int64 array `ctl`
    ints, reals: (topic, object) in the order of the arrays `ints` and `reals`
    streams: random streams in the order of `keys`
    counters: arrays in the order of `overflow`
    """

    text: str
    run: Entry
    events: tuple[Entry, ...]
    control: dict[tuple[str, str], int]
    ints: tuple[tuple[str, str], ...]
    reals: tuple[tuple[str, str], ...]
    streams: tuple[int, ...]
    counters: tuple[str, ...]


@dataclass(slots=True)
class Names:
    """Gives every key one Python identifier, close to the wanted text and different from all others."""

    taken: set[str] = field(default_factory=set)
    given: dict[tuple[str, ...], str] = field(default_factory=dict)

    def __call__(self, wanted: str, *key: str) -> str:
        """The identifier of `key`; the first call chooses it."""
        if key in self.given:
            return self.given[key]
        ident = self.fresh(wanted)
        self.given[key] = ident
        return ident

    def fresh(self, wanted: str) -> str:
        """A new identifier."""
        base = re.sub(r"\W", "_", wanted, flags=re.ASCII) or "_"
        if base[0].isdigit() or keyword.iskeyword(base):
            base = f"_{base}"
        ident, n = base, 2
        while ident in self.taken:
            ident, n = f"{base}_{n}", n + 1
        self.taken.add(ident)
        return ident


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least n and at least 1: ring lengths, so that `t mod n` is a mask."""
    return 1 << max(n - 1, 0).bit_length()


def fits(bits: int, lo: int, hi: int) -> bool:
    """Whether lo..hi lies in a signed word of that width."""
    return lo >= -(1 << (bits - 1)) and hi < (1 << (bits - 1))


def integer_dtype(lo: int, hi: int) -> np.dtype[np.signedinteger]:
    """The narrowest signed dtype that holds lo..hi."""
    for dtype in (np.int8, np.int16, np.int32):
        if fits(np.dtype(dtype).itemsize * 8, lo, hi):
            return np.dtype(dtype)
    return np.dtype(np.int64)


def unsigned_dtype(hi: int) -> np.dtype[np.unsignedinteger]:
    """uint16 or uint32 (uint64 beyond): what index arrays up to `hi` are kept in."""
    if hi < 2**16:
        return np.dtype(np.uint16)
    return np.dtype(np.uint32) if hi < 2**32 else np.dtype(np.uint64)


def kind_of(type_: Type, program: Program) -> str:
    """The kind a value is computed in: `i4`, `i8`, `f` (the program's precision) or `b`.

    Ranges of a real program's integers are not checked at run time, so nothing is concluded from them.
    """
    match type_:
        case Real():
            return "f"
        case Bool():
            return "b"
        case Int(lo=lo, hi=hi):
            return "i4" if program.integer and fits(32, lo, hi) else "i8"


def working_kind(program: Program, *held: Expr | int) -> str:
    """The kind in which a machine computes with all of these: operands, the result, and limits.

    This is the only place that decides it, for literals as for variables.
    """
    ends = [(x, x) if isinstance(x, int) else bounds(x) for x in held]
    narrow = program.integer and all(fits(32, lo, hi) for lo, hi in ends)
    return "i4" if narrow else "i8"


def storage(array: Array, program: Program) -> np.dtype[np.generic]:
    """The dtype an array is kept in. Inputs are accumulators: at least 32 bits."""
    match array.type:
        case Real():
            return np.dtype("float64" if array.wide else program.precision)
        case Bool():
            return np.dtype(np.bool_)
        case Int(lo=lo, hi=hi):
            wide: DTypeLike = np.int64
            if not program.integer:
                return np.dtype(wide)
            if array.role == "input":
                return np.dtype(np.int32) if fits(32, lo, hi) else np.dtype(wide)
            return integer_dtype(lo, hi)


def width(program: Program) -> int:
    """Copies per element of an array: their number, rounded up so that all are computed 8 at a time."""
    return 1 if program.copies == 1 else -(-program.copies // LANES) * LANES


def terms(program: Program) -> int:
    """How many sums over the copies one body has at most: each needs room for its terms."""
    bodies: list[Body] = [p.body for p in program.populations] + [p.step for p in program.projections]
    bodies += [e.body for e in program.events]
    return max((sum(isinstance(part, Sum) for part in parts(body)) for body in bodies), default=0)
