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
    return _shown(_key("present", name, seed, presentation), order, rows, 0, shown)


def continued(name: str, order: Order, rows: int, shown: int, seed: int, before: int) -> NDArray[np.int64]:
    """Those that come next in the one order of all items that go on, which have shown so many `before`; see schedule.

    It is that of an item that shows them all, drawn by itself.
    """
    return _shown(_key("go on", name, seed, 0), order, rows, before, shown)


def _key(of: str, name: str, seed: int, number: int) -> int:
    return rng.step_key(rng.stream_key(seed, rng.stream_number(of, name)), number)


def _shown(key: int, order: Order, rows: int, first: int, shown: int) -> NDArray[np.int64]:
    """From the `first` on so many of an order that never ends."""
    places = np.arange(first, first + shown, dtype=np.int64)
    if order == "sequential":
        return places % rows
    if order == "choice":
        draws = rng.draw(key, places.astype(np.uint64))
        return ((draws * np.uint64(rows)) >> np.uint64(32)).astype(np.int64)
    begin, end = first // rows, -(-(first + shown) // rows)
    words = rng.words(key, np.arange(begin * rows, end * rows, dtype=np.uint64)).reshape(end - begin, rows)
    rounds = np.argsort(words, axis=1, kind="stable").astype(np.int64).ravel()
    return rounds[first - begin * rows :][:shown]
