"""Random numbers for building networks and chips: pure functions of (seed, entity, quantity, element, attempt).

Every element draws from its own counter, so adding an entity, or an element to it, changes nobody else's numbers, and
the functions of `detmath` make the values the same on every machine. A draw that has to be repeated (truncation, the
rejection step of beta, a pair chosen twice) uses the element's next attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics import detmath, rng

Elements: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

Drawn: TypeAlias = tuple[Integers, NDArray[Any]]
"""Rows: how many columns each has, and the columns of all, ascending in each, in the fewest bytes."""

BLOCK = 1 << 15
"""About how many numbers are drawn at once: what is made of them stays in the second cache."""


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
        return rng.step_key(self.stream(), attempt)

    def keys(self, attempts: Integers) -> Elements:
        """The keys of many attempts."""
        return rng.step_keys(self.stream(), attempts.astype(np.uint64))

    def stream(self) -> int:
        """The key of all its numbers."""
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
    made = np.asarray((words >> np.uint64(12)).astype(np.float64))
    made += 0.5
    made *= 2.0**-52
    return made


def unsigned(most: int) -> np.dtype[Any]:
    """What numbers up to `most` are kept in: uint16, uint32 or uint64."""
    return np.dtype(np.uint16 if most < 2**16 else np.uint32 if most < 2**32 else np.uint64)


def indices(n: int) -> Elements:
    """The element numbers 0 .. n-1."""
    return np.arange(n, dtype=np.uint64)


def permutation(source: Source, n: int) -> Integers:
    """A random order of 0 .. n-1 (int64): the elements sorted by their words."""
    return np.argsort(source.words(indices(n)), kind="stable").astype(np.int64)


def bernoulli_pairs(source: Source, p: float, rows: Integers, n: int) -> tuple[Integers, Integers]:
    """Of all pairs of a row and one of `n` columns each with probability p: their rows and columns (int64).

    As `bernoulli_rows`, sorted as `rows` is, then by column.
    """
    drawn = list(bernoulli_rows(source, p, rows, n))
    none = np.zeros(0, np.int64)
    counts = np.concatenate([none, *(count for count, _ in drawn)])
    columns = np.concatenate([none, *(found.astype(np.int64) for _, found in drawn)])
    return np.repeat(rows, counts), columns


def bernoulli_rows(source: Source, p: float, rows: Integers, n: int) -> Iterator[Drawn]:
    """Of the pairs of each row and one of `n` columns each with probability p: some rows at a time.

    A row is drawn from its own number alone, so that it is the same with whatever other rows it is drawn; what it costs
    is what it draws. Every probability is right to about 2**-52.
    """
    if not p > 0.0 or not n:
        if rows.size:
            yield np.zeros(len(rows), np.int64), np.zeros(0, unsigned(max(n - 1, 0)))
        return
    mean, deviation = n * p, (n * p * (1.0 - p)) ** 0.5
    width, more = (min(BLOCK, 1 + round(jumps)) for jumps in (mean + 1.5 * deviation, 1.5 * deviation))
    step, divisor = max(1, BLOCK // width), float(detmath.log1p(-p))
    for k in range(0, len(rows), step):
        yield _block_of_rows(source.keys(rows[k : k + step]), divisor, n, width, more)


def _block_of_rows(keys: Elements, divisor: float, n: int, width: int, more: int) -> Drawn:
    """The columns of some rows, each of which jumps from one to the next: `width` at once, then `more` until the end.

    How many columns are left out before the next is geometrically distributed, with `divisor` the logarithm of the
    probability that one is left out. Jump k is element k of attempt `row`.
    """
    dtype = unsigned(n - 1)
    open_rows, at, first = np.arange(len(keys)), np.full(len(keys), -1, np.int64), 0
    counts = np.zeros(len(keys), np.int64)
    found: list[tuple[Integers, NDArray[Any]]] = []
    while open_rows.size:
        jumps = np.arange(first, first + width, dtype=np.uint64)
        columns = _left_out(rng.words(keys[open_rows, None], jumps), divisor, n)
        columns += 1
        np.cumsum(columns, axis=1, out=columns)
        columns += at[:, None]
        inside = columns < n
        count = np.count_nonzero(inside, axis=1)
        counts[open_rows] += count
        found.append((np.repeat(open_rows, count), columns[inside].astype(dtype)))
        left = inside[:, -1]
        open_rows, at, first, width = open_rows[left], columns[left, -1], first + width, more
    if len(found) == 1:
        return counts, found[0][1]
    row, column = (np.concatenate(pieces) for pieces in zip(*found, strict=True))
    return counts, column[np.argsort(row, kind="stable")]


NEAR = 1e-6
"""How near to a whole number a quotient of logarithms has to be for these to be computed to the last bit."""


def _left_out(words: Elements, divisor: float, n: int) -> Integers:
    """How often something fails before it happens, at most n times; divisor: the logarithm of how likely a failure is.

    That is a quotient of logarithms of `detmath`, rounded down. NumPy's logarithm, which has other last bits on other
    machines, says as much unless the quotient is near a whole number, or so large that 2**-52 of it is much.
    """
    if n > MOST_APPROXIMATE:
        return _times(uniform(words), divisor, n)
    times = uniform(words)
    with np.errstate(over="ignore"):
        np.log(times, out=times)
        times /= divisor
    np.minimum(times, n + 0.5, out=times)
    off = np.rint(times)
    off -= times
    near = np.abs(off, out=off) < NEAR
    whole = times.astype(np.int64)
    if near.any():
        whole[near] = _times(uniform(words[near]), divisor, n)
    return whole


MOST_APPROXIMATE = 2**28
"""Up to this many columns an error of some units in the last place of a logarithm is far below NEAR."""


def _times(drawn: Floats, divisor: float, n: int) -> Integers:
    with np.errstate(over="ignore"):
        return np.minimum(detmath.log(drawn) / divisor, n).astype(np.int64)


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
    """Per row, k distinct integers below n, ascending: int64 (rows, k). As `choose_rows`."""
    drawn = list(choose_rows(source, n, k, rows))
    return np.concatenate([np.zeros((0, k), np.int64), *(found.astype(np.int64) for found in drawn)])


def choose_rows(source: Source, n: int, k: int, rows: int) -> Iterator[NDArray[Any]]:
    """Per row, k distinct integers below n, ascending: some rows at a time. Every set of k is equally likely.

    To leave out a neuron itself, choose among n - 1 and add 1 to the numbers at or above it. Needs 0 <= k <= n < 2**32.
    The probabilities of two integers differ by at most n * 2**-32.
    """
    if not 0 <= k <= n < 2**32:
        raise ValueError(f"cannot choose {k} of {n}")
    few = min(k, n - k)
    step = max(1, BLOCK // max(k, few, 1))
    for start in range(0, rows, step):
        chosen = _choose_few(source, n, few, start, min(step, rows - start))
        yield chosen if few == k else _complement(chosen, n)


def _choose_few(source: Source, n: int, k: int, first_row: int, rows: int) -> NDArray[Any]:
    """The choice for some rows, k at most n / 2: whoever repeats an earlier column's integer draws again."""
    elements = (np.arange(rows * k, dtype=np.uint64) + np.uint64(first_row * k)).reshape(rows, k)

    def draw(some: Elements, attempt: int) -> NDArray[np.uint32]:
        return ((source.uniform32(some, attempt) * np.uint64(n)) >> np.uint64(32)).astype(np.uint32)

    chosen = draw(elements, 0)
    ordered = np.sort(chosen, axis=1)
    open_rows = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
    attempt = 0
    while open_rows.size:
        numbered = (chosen[open_rows].astype(np.uint64) << np.uint64(32)) | np.arange(k, dtype=np.uint64)
        numbered.sort(axis=1)
        values = (numbered >> np.uint64(32)).astype(np.uint32)
        ordered[open_rows] = values
        row, at = np.nonzero(values[:, 1:] == values[:, :-1])
        column = (numbered[row, at + 1] & np.uint64(0xFFFFFFFF)).astype(np.int64)
        attempt += 1
        chosen[open_rows[row], column] = draw(elements[open_rows[row], column], attempt)
        open_rows = open_rows[np.unique(row)]
    return ordered.astype(unsigned(max(n - 1, 0)), copy=False)


def _complement(chosen: NDArray[Any], n: int) -> NDArray[Any]:
    """Per row, the integers below n that are not in it, ascending."""
    rows, k = chosen.shape
    kept = np.ones((rows, n), dtype=np.bool_)
    kept[np.arange(rows)[:, None], chosen] = False
    return np.nonzero(kept)[1].reshape(rows, n - k).astype(unsigned(max(n - 1, 0)))
