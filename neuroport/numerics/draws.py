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

BLOCK = 1 << 17
"""About how many numbers are drawn at once."""


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
        return rng.step_key(self._stream(), attempt)

    def keys(self, attempts: Integers) -> Elements:
        """The keys of many attempts."""
        return rng.step_keys(self._stream(), attempts.astype(np.uint64))

    def _stream(self) -> int:
        return rng.stream_key(self.seed, rng.stream_number("build", self.entity, self.quantity))

    def words(self, elements: Elements, attempt: int = 0) -> Elements:
        """The 64-bit words of elements."""
        return rng.words(self.key(attempt), elements)

    def uniform32(self, elements: Elements, attempt: int = 0) -> Elements:
        """Integers uniform on 0 .. 2**32 - 1."""
        return self.words(elements, attempt) >> np.uint64(32)

    def uniform(self, elements: Elements, attempt: int = 0) -> Floats:
        """Numbers uniform on the 2**52 midpoints (k + 1/2) * 2**-52, so strictly between 0 and 1."""
        return uniform(self.words(elements, attempt))

    def normal(self, elements: Elements, attempt: int = 0) -> Floats:
        """Standard normal numbers, by the inverse of the distribution function; all within 8.21."""
        return detmath.normal_quantile(self.uniform(elements, attempt))


def uniform(words: Elements) -> Floats:
    """Numbers uniform on the 2**52 midpoints (k + 1/2) * 2**-52, out of words."""
    k = (words >> np.uint64(12)).astype(np.float64)
    return np.asarray((k + 0.5) * 2.0**-52)


def indices(n: int) -> Elements:
    """The element numbers 0 .. n-1."""
    return np.arange(n, dtype=np.uint64)


def permutation(source: Source, n: int) -> Integers:
    """A random order of 0 .. n-1 (int64): the elements sorted by their words."""
    return np.argsort(source.words(indices(n)), kind="stable").astype(np.int64)


def bernoulli_pairs(source: Source, p: float, rows: Integers, n: int) -> tuple[Integers, Integers]:
    """Of all pairs of a row and one of `n` columns each with probability p: their rows and columns (int64).

    A row is drawn from its own number alone, so that it is the same with whatever other rows it is drawn; what it costs
    is what it draws. Sorted as `rows` is, then by column. Every probability is right to about 2**-52.
    """
    if not p > 0.0 or not n:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    width = min(BLOCK, 1 + round(n * p + (n * p) ** 0.5))
    step = max(1, BLOCK // width)
    found = [_block_of_pairs(source, p, rows[k : k + step], n, width) for k in range(0, len(rows), step)]
    none = np.zeros(0, np.int64)
    return np.concatenate([none, *(r for r, _ in found)]), np.concatenate([none, *(c for _, c in found)])


def _block_of_pairs(source: Source, p: float, rows: Integers, n: int, width: int) -> tuple[Integers, Integers]:
    """The pairs of some rows, each of which jumps from one to the next: `width` jumps at once until all are at the end.

    How many columns are left out before the next is geometrically distributed. Jump k is element k of attempt `row`.
    """
    keys = source.keys(rows)
    open_rows, at, first = np.arange(len(rows)), np.full(len(rows), -1, np.int64), 0
    found: list[tuple[Integers, Integers]] = []
    while open_rows.size:
        jumps = np.arange(first, first + width, dtype=np.uint64)
        columns = at[:, None] + np.cumsum(1 + _left_out(rng.words(keys[open_rows, None], jumps), p, n), axis=1)
        row, jump = np.nonzero(columns < n)
        found.append((open_rows[row], columns[row, jump]))
        left = columns[:, -1] < n
        open_rows, at, first = open_rows[left], columns[left, -1], first + width
    row, column = (np.concatenate(pieces) for pieces in zip(*found, strict=True))
    order = np.argsort(row, kind="stable")
    return rows[row[order]], column[order]


def _left_out(words: Elements, p: float, n: int) -> Integers:
    """How often something of probability p fails before it happens, at most n times."""
    with np.errstate(over="ignore"):
        times = detmath.log(uniform(words)) / detmath.log1p(-p)
    return np.minimum(times, n).astype(np.int64)


def arrivals(source: Source, length: float, rows: Integers) -> tuple[Integers, Floats]:
    """Per row the times, ascending, at which a Poisson process of rate 1 has events within 0 .. `length`.

    Returns the rows (int64) and times (float64), in the order of `rows`. A row is drawn from its own number alone;
    event k is element k of attempt `row`. About `length` numbers are in memory for each.
    """
    if not length > 0.0:
        return np.zeros(0, np.int64), np.zeros(0, np.float64)
    keys, width = source.keys(rows), 1 + round(length + length**0.5)
    open_rows, now, first = np.arange(len(rows)), np.zeros(len(rows)), 0
    found: list[tuple[Integers, Floats]] = []
    while open_rows.size:
        events = np.arange(first, first + width, dtype=np.uint64)
        waits = -detmath.log(uniform(rng.words(keys[open_rows, None], events)))
        times = now[:, None] + np.cumsum(waits, axis=1)
        row, event = np.nonzero(times <= length)
        found.append((open_rows[row], times[row, event]))
        left = times[:, -1] <= length
        open_rows, now, first = open_rows[left], times[left, -1], first + width
    row, time = (np.concatenate(pieces) for pieces in zip(*found, strict=True))
    order = np.argsort(row, kind="stable")
    return rows[row[order]], time[order]


def uniform_of_pairs(source: Source, rows: Integers, columns: Integers) -> Floats:
    """One number of `uniform` for each pair of a row and a column, from the numbers of the two alone."""
    return uniform(rng.words(source.keys(rows), columns.astype(np.uint64)))


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
    step = max(1, BLOCK // max(k, 1))
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
