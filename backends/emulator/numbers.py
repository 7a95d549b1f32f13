"""The kinds in which generated modules compute whole numbers: in 16, 32 or 64 bits, whatever holds them."""

from __future__ import annotations

from neuroport.backends import generated
from neuroport.program.ir import Expr, Type
from neuroport.program.machine import Program

NARROWEST = 16
NUMBER = {"i2": "np.int16", "i4": "np.int32", "i8": "np.int64"}
"""How a value is made one of a kind."""
BITS = {"i2": 16, "i4": 32, "i8": 64}


def kind_of(type_: Type, program: Program) -> str:
    """The kind of a type."""
    return generated.kind_of(type_, program, NARROWEST)


def working_kind(program: Program, *held: Expr | int) -> str:
    """The kind that holds all of these: operands, the result, and limits."""
    return generated.working_kind(program, *held, narrowest=NARROWEST)


def kind_for(lowest: int, highest: int) -> str:
    """The kind of numbers between two."""
    return next((kind for kind, bits in BITS.items() if generated.fits(bits, lowest, highest)), "i8")
