"""Another specimen of a chip in the integers of one that was quantised: all have the same program but for numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuroport.program.fixed import encode
from neuroport.program.ir import Int, Real
from neuroport.program.machine import Array, Program
from neuroport.program.verify import verified


def requantised(program: Program, like: Program) -> Program | None:
    """The program of a specimen, as `quantise` makes it, whose other one came to `like`; with the report of that.

    None where it must be quantised whole: a number that bodies brought with them follows from what deviates.
    """
    if any(_follows(array) and name not in program.arrays for name, array in like.arrays.items()):
        return None
    return _made(program, like)


def _follows(array: Array) -> bool:
    """Whether an array has other numbers on another specimen."""
    return array.role != "input" and array.designed is not None


@verified
def _made(program: Program, like: Program) -> Program:
    arrays = {
        name: _held(array, program.arrays[name]) if _follows(array) else array for name, array in like.arrays.items()
    }
    return replace(like, arrays=arrays, designed=program.designed, constants=like.constants | program.constants)


def _held(like: Array, real: Array) -> Array:
    """The numbers of a specimen in the format that is that of all."""
    kind = like.type
    assert isinstance(kind, Int)
    dtype = like.kept(integer=True)
    if isinstance(real.type, Real):
        return replace(like, initial=encode(np.asarray(real.initial, np.float64), kind, dtype))
    return replace(like, initial=np.clip(np.asarray(real.initial, np.int64), kind.lo, kind.hi).astype(dtype))
