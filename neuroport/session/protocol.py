"""What a protocol asks for, before and while it runs: conditions, numbers of steps, orders of patterns, shortening."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.elaborate.protocol import number_of_patterns
from neuroport.network.stimuli import Patterns
from neuroport.numerics import rng
from neuroport.program.machine import Series


def schedule(patterns: Patterns, series: Series, count: int | None, seed: int, presentation: int) -> NDArray[np.int64]:
    """Which patterns a `present` item shows, in order: a function of the run seed and of how many came before it.

    sequential: 0, 1, …, and again from 0. shuffle: a permutation, and a new one whenever all were shown. choice: any
    pattern each time.
    """
    rows = number_of_patterns(series)
    shown = rows if count is None else count
    key = rng.step_key(rng.stream_key(seed, rng.stream_number("present", patterns.name)), presentation)
    if patterns.order == "sequential":
        return np.arange(shown, dtype=np.int64) % rows
    if patterns.order == "choice":
        draws = rng.draw(key, np.arange(shown, dtype=np.uint64))
        return ((draws * np.uint64(rows)) >> np.uint64(32)).astype(np.int64)
    rounds = -(-shown // rows)
    words = rng.words(key, np.arange(rounds * rows, dtype=np.uint64)).reshape(rounds, rows)
    return np.argsort(words, axis=1, kind="stable").ravel()[:shown].astype(np.int64)
