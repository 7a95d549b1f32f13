"""Synapses of programs that tests make."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.program.wiring import Pairs


def joined(pre: NDArray[np.int64], post: NDArray[np.int64], sources: int, targets: int) -> Pairs:
    """These sorted pairs of so many neurons, with the element numbers that elaboration gives them."""
    indptr = np.searchsorted(pre, np.arange(sources + 1)).astype(np.int64)
    return Pairs(pre, post, indptr, (pre * targets + post).astype(np.uint64))
