"""The kinds in which generated modules compute whole numbers: in 16, 32 or 64 bits, whatever holds them."""

from __future__ import annotations

from neuroport.backends import generated
from neuroport.program.ir import Expr, Type
from neuroport.program.machine import Program

NUMBER = {"i2": "np.int16", "i4": "np.int32", "u4": "np.uint32", "i8": "np.int64"}
"""How a value is made one of a kind."""
BITS = {"i2": 16, "i4": 32, "u4": 32, "i8": 64}
KINDS: generated.Kinds = (("i2", -(2**15), 2**15 - 1), ("i4", -(2**31), 2**31 - 1), ("u4", 0, 2**32 - 1))


def kind_of(type_: Type, program: Program) -> str:
    """The kind of a type."""
    return generated.kind_of(type_, program, KINDS)


def working_kind(program: Program, *held: Expr | int) -> str:
    """The kind that holds all of these: operands, the result, and limits."""
    return generated.working_kind(program, *held, kinds=KINDS)


def kind_for(lowest: int, highest: int) -> str:
    """The kind of numbers between two."""
    return next((kind for kind, least, most in KINDS if least <= lowest and highest <= most), "i8")
