"""Real numbers that are none any more: a computation whose steps are too long ends in them without a word."""

from __future__ import annotations

import numpy as np

from neuroport.program.executor import Executor
from neuroport.program.ir import Real
from neuroport.program.machine import Program


def not_finite(program: Program, executor: Executor) -> dict[str, int]:
    """How many elements of each array are infinite or not a number now and were not at the start; none are absent."""
    counts = {
        name: int((~np.isfinite(executor.read(name)) & np.isfinite(array.initial)).sum())
        for name, array in program.arrays.items()
        if isinstance(array.type, Real) and array.role in ("state", "weight")
    }
    return {name: count for name, count in counts.items() if count}
