"""What all code generators share: identifiers, kinds of values, storage, the folder of compiled code."""

from __future__ import annotations

import keyword
import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from neuroport.errors import InternalError
from neuroport.program.ir import Apply, Bool, Expr, Int, Real, Type
from neuroport.program.machine import Array, Program
from neuroport.program.stated import bounds

S = TypeVar("S")


def spelled(table: Mapping[str, S], fn: str, backend: str) -> S:
    """How a backend writes a function. InternalError where its table has no line for it."""
    if fn not in table:
        raise InternalError(f"the backend '{backend}' has no line for the function '{fn}' in its table SPELL")
    return table[fn]


@dataclass(frozen=True, slots=True)
class Value:
    """A written expression and its kind. An atom, a name or a literal, needs no parentheses and costs no repetition."""

    text: str
    kind: str
    atom: bool = False


class Casts(Protocol):
    """What writes a body: it knows the program, and gives a value in another kind."""

    @property
    def program(self) -> Program:
        """The program."""

    def cast(self, value: Value, kind: str) -> Value:
        """The value in a kind."""


W = TypeVar("W", bound=Casts)


@dataclass(frozen=True, slots=True)
class IntCall(Generic[W]):
    """A function of ints where it is written: its arguments as they are given, and in the kind that holds them all."""

    writer: W
    expr: Apply
    given: list[Value]
    kind: str
    args: list[Value]


Kinds = tuple[tuple[str, int, int], ...]
"""Kinds of whole numbers narrower than `i8`, the narrowest first, and the least and the largest number of each."""

SIGNED: Kinds = (("i4", -(2**31), 2**31 - 1),)


def of_ints(on_ints: Callable[[IntCall[W]], Value], kinds: Kinds = SIGNED) -> Callable[[W, Apply, list[Value]], Value]:
    """A function of ints, computed in one kind that holds all operands and the result."""

    def written(writer: W, expr: Apply, given: list[Value]) -> Value:
        kind = working_kind(writer.program, expr, *expr.args, kinds=kinds)
        call = IntCall(writer, expr, given, kind, [writer.cast(v, kind) for v in given])
        return writer.cast(on_ints(call), kind_of(expr.type, writer.program, kinds))

    return written


NO_NAMES = frozenset({*keyword.kwlist, "__debug__"})
"""What Python does not let anybody assign to."""
NOT_IN_NAMES = re.compile(r"\W", re.ASCII)


@dataclass(slots=True)
class Identifiers:
    """Gives every key one Python identifier, close to the wanted text and different from all others.

    outside: identifiers of what encloses these, which are not given either.
    """

    ENDING: ClassVar[str] = ""
    taken: set[str] = field(default_factory=set)
    given: dict[tuple[str, ...], str] = field(default_factory=dict)
    outside: Collection[str] = ()

    def __call__(self, wanted: str, *key: str) -> str:
        """The identifier of `key`; the first call chooses it."""
        if key in self.given:
            return self.given[key]
        ident = self.fresh(wanted)
        self.given[key] = ident
        return ident

    def fresh(self, wanted: str) -> str:
        """A new identifier, close to the wanted text."""
        base = self.begun(wanted)
        ident, n = f"{base}{self.ENDING}", 2
        while ident in self.taken or ident in self.outside:
            ident, n = f"{base}_{n}{self.ENDING}", n + 1
        self.taken.add(ident)
        return ident

    def begun(self, wanted: str) -> str:
        """How an identifier for that text begins."""
        base = NOT_IN_NAMES.sub("_", wanted) or "_"
        return f"_{base}" if base[0].isdigit() or base in NO_NAMES else base


def uncommented(text: str, mark: str) -> str:
    """Generated code without the lines that are comments only.

    What is compiled, and found again, has none: it is the same wherever in a file a model stands.
    """
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(mark))


def fits(bits: int, lo: int, hi: int) -> bool:
    """Whether lo..hi lies in a signed word of that width."""
    return lo >= -(1 << (bits - 1)) and hi < (1 << (bits - 1))


def integer_dtype(lo: int, hi: int) -> np.dtype[np.signedinteger]:
    """The narrowest signed dtype that holds lo..hi."""
    for dtype in (np.int8, np.int16, np.int32):
        if fits(np.dtype(dtype).itemsize * 8, lo, hi):
            return np.dtype(dtype)
    return np.dtype(np.int64)


def kind_of(type_: Type, program: Program, kinds: Kinds = SIGNED) -> str:
    """The kind a value is computed in: one of `kinds`, `i8`, `f` (the program's precision) or `b`.

    kinds: what a machine computes whole numbers in besides 64 bits. Ranges of a real program's integers are not
    checked at run time, so nothing is concluded from them.
    """
    match type_:
        case Real():
            return "f"
        case Bool():
            return "b"
        case Int(lo=lo, hi=hi):
            return _whole(program, lo, hi, kinds)


def working_kind(program: Program, *held: Expr | int, kinds: Kinds = SIGNED) -> str:
    """The kind in which a machine computes with all of these: operands, the result, and limits.

    This is the only place that decides it, for literals as for variables.
    """
    ends = [(x, x) if isinstance(x, int) else bounds(x) for x in held]
    return _whole(program, min(lo for lo, _ in ends), max(hi for _, hi in ends), kinds)


def _whole(program: Program, lo: int, hi: int, kinds: Kinds) -> str:
    """The narrowest kind that holds lo..hi."""
    for kind, least, most in kinds if program.integer else ():
        if least <= lo and hi <= most:
            return kind
    return "i8"


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
                if array.reduce == "max":
                    return np.dtype(wide)
                return np.dtype(np.int32) if fits(32, lo, hi) else np.dtype(wide)
            return integer_dtype(lo, hi)


def folder() -> Path:
    """Where generated modules are kept: $NEUROPORT_CACHE, $XDG_CACHE_HOME/neuroport or ~/.cache/neuroport."""
    if own := os.environ.get("NEUROPORT_CACHE"):
        return Path(own)
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared) / "neuroport"
    return Path.home() / ".cache" / "neuroport"


def folders(inside: str = "") -> Iterator[Path]:
    """Where generated code is tried to be kept: in `folder()`, then among temporary files, if there is a place for any.

    `inside`: a folder in the first, and part of the name of the second, which is the user's own.
    """
    yield folder() / inside
    try:
        temporary = Path(tempfile.gettempdir())
    except FileNotFoundError:
        return
    yield temporary / "-".join(filter(None, ("neuroport", inside, str(getattr(os, "getuid", int)()))))
