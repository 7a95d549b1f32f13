"""What the generated module and the machine that calls it agree on: arguments, their order, and storage formats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neuroport.backends.generated import storage
from neuroport.backends.turns import rows
from neuroport.copies.axis import LANES
from neuroport.program.ir import Int, Sum, parts
from neuroport.program.machine import Array, Program
from neuroport.program.names import ITEM_STEP, STEP

RUN_SCALARS = (STEP, ITEM_STEP)
"""Scalars that the generated code computes itself instead of reading them."""

AHEAD = 16
"""How many synapses of a column are asked for ahead: they lie anywhere in memory, not one after the other."""
ROWS_AHEAD = 8
"""How many spikes ahead their rows are asked for: short ones are done with before memory has answered."""


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
class Part:
    """A part of a step whose time is taken: what is done, for which object."""

    what: str
    of: str


@dataclass(frozen=True, slots=True)
class Module:
    """A generated module: its text, its entry points, and the meaning of the small integer tables it indexes.

    control: (topic, object) -> index into the int64 array `ctl`
    ints, reals: (topic, object) in the order of the arrays `ints` and `reals`
    streams: random streams in the order of `keys`
    counters: arrays in the order of `overflow`
    parts: parts of a step in the order of `laps`, where their times are taken
    """

    text: str
    run: Entry
    events: tuple[Entry, ...]
    control: dict[tuple[str, str], int]
    ints: tuple[tuple[str, str], ...]
    reals: tuple[tuple[str, str], ...]
    streams: tuple[int, ...]
    counters: tuple[str, ...]
    parts: tuple[Part, ...] = ()


def power_of_two(n: int) -> int:
    """The smallest power of two that is at least n and at least 1: ring lengths, so that `t mod n` is a mask."""
    return 1 << max(n - 1, 0).bit_length()


def ring_of_sums(array: Array, size: int) -> int:
    """How many sums an input of so many neurons has, of all rows of its ring."""
    return power_of_two(array.slots) * size


def unsigned_dtype(hi: int) -> np.dtype[np.unsignedinteger]:
    """uint16 or uint32 (uint64 beyond): what index arrays up to `hi` are kept in."""
    if hi < 2**16:
        return np.dtype(np.uint16)
    return np.dtype(np.uint32) if hi < 2**32 else np.dtype(np.uint64)


def held(array: Array, program: Program) -> np.dtype[np.generic]:
    """The dtype that an array is kept in while it runs: without a sign where that takes half of the bytes."""
    signed = storage(array, program)
    if array.role == "input" or not program.integer or not isinstance(array.type, Int) or array.type.lo < 0:
        return signed
    return array.type.dtype


def width(program: Program) -> int:
    """Copies per element of an array: their number, rounded up so that all are computed 8 at a time."""
    return 1 if program.copies == 1 else -(-program.copies // LANES) * LANES


def sums(program: Program) -> tuple[int, int]:
    """The shape of what events over a kernel's entries keep between turns: rows, and numbers of each."""
    count, entries = rows(program)
    return count, entries * width(program)


def terms(program: Program) -> int:
    """How many sums over the copies one body has at most: each needs room for its terms."""
    return max((sum(isinstance(part, Sum) for part in parts(owned.body)) for owned in program.bodies()), default=0)
