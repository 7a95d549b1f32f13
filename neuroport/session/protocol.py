"""The order in which a `present` item shows patterns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics import rng
from neuroport.program.plan import Order


def schedule(name: str, order: Order, rows: int, shown: int, seed: int, presentation: int) -> NDArray[np.int64]:
    """Which of the `rows` patterns of that name are shown, (shown,): by the run seed and how often they were presented.

    sequential: 0, 1, …, and again from 0. shuffle: a permutation, and a new one whenever all were shown. choice: any
    pattern each time.
    """
    key = rng.step_key(rng.stream_key(seed, rng.stream_number("present", name)), presentation)
    if order == "sequential":
        return np.arange(shown, dtype=np.int64) % rows
    if order == "choice":
        draws = rng.draw(key, np.arange(shown, dtype=np.uint64))
        return ((draws * np.uint64(rows)) >> np.uint64(32)).astype(np.int64)
    rounds = -(-shown // rows)
    words = rng.words(key, np.arange(rounds * rows, dtype=np.uint64)).reshape(rounds, rows)
    return np.argsort(words, axis=1, kind="stable").ravel()[:shown].astype(np.int64)
