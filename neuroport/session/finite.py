"""Real numbers that are none any more: a computation whose steps are too long ends in them without a word."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from neuroport.program.executor import Executor
from neuroport.program.ir import Numbers, Real
from neuroport.program.machine import Program
from neuroport.session.final import in_pieces


def not_finite(program: Program, executor: Executor) -> dict[str, int]:
    """How many elements of each array are infinite or not a number now and were not at the start; none are absent.

    Arrays are looked at in pieces, and only those that the program changes.
    """
    changed = program.stored()
    counts = {
        name: _lost(in_pieces(executor, name), array.initial)
        for name, array in program.arrays.items()
        if isinstance(array.type, Real) and array.role in ("state", "weight") and name in changed
    }
    return {name: count for name, count in counts.items() if count}


def _lost(pieces: Iterable[Numbers], initial: Numbers) -> int:
    """The elements that are not finite and were."""
    count = start = 0
    for piece in pieces:
        before = initial[start : start + len(piece)] if initial.ndim else initial
        count += int((~np.isfinite(piece) & np.isfinite(before)).sum())
        start += len(piece) if initial.ndim else 0
    return count
