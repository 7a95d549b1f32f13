"""Random numbers for building networks and chips: pure functions of (seed, entity, quantity, element, attempt).

Every element draws from its own counter, so adding an entity, or an element to it, changes nobody else's numbers, and
the functions of `detmath` make the values the same on every machine. A draw that has to be repeated (truncation, the
rejection step of beta, a pair chosen twice) uses the element's next attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics import detmath, rng

Elements: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

_BLOCK = 1 << 17


@dataclass(frozen=True, slots=True)
class Source:
    """The random numbers of one quantity of one entity, e.g. Source(1, "recurrent", "weight")."""

    seed: int
    entity: str
    quantity: str

    def part(self, name: str) -> Source:
        """An independent source for one ingredient of the quantity."""
        return Source(self.seed, self.entity, f"{self.quantity}\0{name}")

    def key(self, attempt: int = 0) -> int:
        """The key for `rng.words` of one attempt."""
        stream = rng.stream_number("build", self.entity, self.quantity)
        return rng.step_key(rng.stream_key(self.seed, stream), attempt)

    def words(self, elements: Elements, attempt: int = 0) -> Elements:
        """The 64-bit words of elements."""
        return rng.words(self.key(attempt), elements)

    def uniform32(self, elements: Elements, attempt: int = 0) -> Elements:
        """Integers uniform on 0 .. 2**32 - 1."""
        return self.words(elements, attempt) >> np.uint64(32)

    def uniform(self, elements: Elements, attempt: int = 0) -> Floats:
        """Numbers uniform on the 2**52 midpoints (k + 1/2) * 2**-52, so strictly between 0 and 1."""
        k = (self.words(elements, attempt) >> np.uint64(12)).astype(np.float64)
        return np.asarray((k + 0.5) * 2.0**-52)

    def normal(self, elements: Elements, attempt: int = 0) -> Floats:
        """Standard normal numbers, by the inverse of the distribution function; all within 8.21."""
        return detmath.normal_quantile(self.uniform(elements, attempt))


def indices(n: int) -> Elements:
    """The element numbers 0 .. n-1."""
    return np.arange(n, dtype=np.uint64)


def permutation(source: Source, n: int) -> Integers:
    """A random order of 0 .. n-1 (int64): the elements sorted by their words."""
    return np.argsort(source.words(indices(n)), kind="stable").astype(np.int64)


def bernoulli_pairs(source: Source, p: float, n_pre: int, n_post: int) -> tuple[Integers, Integers]:
    """Presynaptic and postsynaptic neurons (int64) of the pairs that are connected, each with probability p.

    Pair (i, j) is element i * n_post + j. Sorted by i, then j. p is rounded to a multiple of 2**-32.
    """
    threshold = np.uint64(round(min(max(p, 0.0), 1.0) * 2**32))
    key = source.key()
    total = n_pre * n_post
    found = [np.empty(0, dtype=np.int64)]
    for start in range(0, total, _BLOCK):
        elements = np.arange(start, min(start + _BLOCK, total), dtype=np.uint64)
        found.append(np.flatnonzero(rng.draw(key, elements) < threshold) + start)
    pairs = np.concatenate(found)
    return pairs // max(n_post, 1), pairs % max(n_post, 1)


def choose(source: Source, n: int, k: int, rows: int) -> Integers:
    """Per row, k distinct integers below n, ascending: int64 (rows, k). Every set of k is equally likely.

    To leave out a neuron itself, choose among n - 1 and add 1 to the numbers at or above it. Needs 0 <= k <= n < 2**32.
    The probabilities of two integers differ by at most n * 2**-32.
    """
    if not 0 <= k <= n < 2**32:
        raise ValueError(f"cannot choose {k} of {n}")
    if 2 * k > n:
        return _complement(choose(source, n, n - k, rows), n)
    out = np.empty((rows, k), dtype=np.int64)
    step = max(1, _BLOCK // max(k, 1))
    for start in range(0, rows, step):
        out[start : start + step] = _choose_few(source, n, k, start, min(step, rows - start))
    return out


def _choose_few(source: Source, n: int, k: int, first_row: int, rows: int) -> Integers:
    """The choice for some rows, k at most n / 2: whoever repeats an earlier column's integer draws again."""
    elements = (np.arange(rows * k, dtype=np.uint64) + np.uint64(first_row * k)).reshape(rows, k)

    def draw(some: Elements, attempt: int) -> Integers:
        return ((source.uniform32(some, attempt) * np.uint64(n)) >> np.uint64(32)).astype(np.int64)

    chosen = draw(elements, 0)
    open_rows = np.arange(rows)
    attempt = 0
    while open_rows.size and k:
        values = chosen[open_rows]
        order = np.argsort(values, axis=1, kind="stable")
        ordered = np.take_along_axis(values, order, axis=1)
        row, column = np.nonzero(ordered[:, 1:] == ordered[:, :-1])
        column = order[row, column + 1]
        attempt += 1
        chosen[open_rows[row], column] = draw(elements[open_rows[row], column], attempt)
        open_rows = open_rows[np.unique(row)]
    return np.sort(chosen, axis=1)


def _complement(chosen: Integers, n: int) -> Integers:
    """Per row, the integers below n that are not in it, ascending."""
    rows, k = chosen.shape
    kept = np.ones((rows, n), dtype=np.bool_)
    kept[np.arange(rows)[:, None], chosen] = False
    return np.nonzero(kept)[1].reshape(rows, n - k).astype(np.int64)
