"""Types of the generated language: numbers as processors have them, and arrays of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number: `form` tells whole numbers with and without a sign, floating-point numbers and truth values apart."""

    form: Literal["signed", "unsigned", "float", "truth"]
    bits: int

    @property
    def ir(self) -> str:
        """The type of a value in LLVM."""
        match self.form:
            case "float":
                return "double" if self.bits == 64 else "float"
            case "truth":
                return "i1"
            case _:
                return f"i{self.bits}"

    @property
    def stored(self) -> str:
        """The type of an element of an array in LLVM: a truth value is a byte there."""
        return "i8" if self.form == "truth" else self.ir

    @property
    def size(self) -> int:
        """Bytes of an element of an array."""
        return 1 if self.form == "truth" else self.bits // 8

    @property
    def whole(self) -> bool:
        """Whether it counts as a whole number, as a truth value does."""
        return self.form != "float"


I64, I32 = Scalar("signed", 64), Scalar("signed", 32)
U64, U32 = Scalar("unsigned", 64), Scalar("unsigned", 32)
F64, F32 = Scalar("float", 64), Scalar("float", 32)
TRUTH = Scalar("truth", 1)

CASTS: dict[str, Scalar] = {
    "int16": Scalar("signed", 16),
    "int32": I32,
    "int64": I64,
    "uint32": U32,
    "uint64": U64,
    "float32": F32,
    "float64": F64,
}
"""What `np.NAME(value)` makes of a number."""


@dataclass(frozen=True, slots=True)
class Array:
    """A C-contiguous array of one or two dimensions."""

    element: Scalar
    ndim: int


def array_of(values: np.ndarray) -> Array:
    """The type of an array of NumPy."""
    forms: dict[str, Literal["signed", "unsigned", "float", "truth"]]
    forms = {"i": "signed", "u": "unsigned", "f": "float", "b": "truth"}
    bits = 1 if values.dtype.kind == "b" else 8 * values.dtype.itemsize
    return Array(Scalar(forms[values.dtype.kind], bits), values.ndim)


def common(a: Scalar, b: Scalar) -> Scalar:
    """The type in which two numbers are added or compared."""
    if not (a.whole and b.whole):
        floats = [x for x in (a, b) if not x.whole]
        return F64 if F64 in floats or len(floats) == 1 else F32
    return U64 if U64 in (a, b) else I64
