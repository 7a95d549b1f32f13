"""Random numbers for building networks and chips: pure functions of (seed, entity, quantity, element, attempt).

Every element draws from its own counter, so adding an entity, or an element to it, changes nobody else's numbers, and
the functions of `detmath` make the values the same on every machine. A draw that has to be repeated (truncation, the
rejection step of beta, a pair chosen twice) uses the element's next attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.network.values import Distribution, Quantity
from neuroport.numerics import detmath, rng

Elements: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Proposal: TypeAlias = Callable[[Elements, int], tuple[Floats, NDArray[np.bool_]]]

_BLOCK = 1 << 17
_SMALL_CALL = 512  # a call on few elements costs about as much as one on this many
_MIN_DRAWS, _DRAWS_PER_ELEMENT = 1_000_000, 100


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


# ------------------------------------------------------------------------------------------------------ distributions


def sample(
    distribution: Distribution,
    source: Source,
    elements: Elements,
    coherent: Callable[[Quantity], float],
) -> Floats:
    """One value per element (shape of `elements`, one-dimensional), in coherent units.

    `coherent` converts a written quantity into the number the model computes with; arguments that are left out are
    0 (low, mean, offset) or 1 (high of uniform, sd, scale). `low` and `high` bound x in offset + scale * x.

    Raises InvalidInput for arguments that make no distribution, and where truncation leaves nothing to draw.
    """
    given = {name: coherent(quantity) for name, quantity in distribution.arguments}
    _check(distribution, given)
    kind = distribution.kind
    low, high = given.get("low"), given.get("high")
    if kind == "uniform":
        low, high = given.get("low", 0.0), given.get("high", 1.0)
        x = np.minimum(low + (high - low) * source.uniform(elements), high)
    elif kind == "beta":
        x = _beta(given.get("a", 1.0), given.get("b", 1.0), source, elements)
    else:
        mean, sd = given.get("mean", 0.0), given.get("sd", 1.0)

        def propose(some: Elements, attempt: int) -> tuple[Floats, NDArray[np.bool_]]:
            value = mean + sd * source.normal(some, attempt)
            if kind == "lognormal":
                value = detmath.exp(value)
            good = np.ones(value.shape, dtype=np.bool_)
            if low is not None:
                good &= value >= low
            if high is not None:
                good &= value <= high
            return value, good

        x = _first_accepted(propose, elements, lambda: _hopeless(distribution, low, high))
    return np.asarray(given.get("offset", 0.0) + given.get("scale", 1.0) * x)


def _check(distribution: Distribution, given: dict[str, float]) -> None:
    """Refuse arguments that make no distribution."""
    low, high = given.get("low"), given.get("high")
    if low is not None and high is not None and low > high:
        text = f"low ({low:g}) is above high ({high:g}); exchange them"
    elif given.get("sd", 0.0) < 0.0:
        text = f"sd is {given['sd']:g}; a standard deviation is 0 or more"
    elif distribution.kind == "beta" and min(given.get("a", 1.0), given.get("b", 1.0)) <= 0.0:
        text = f"a and b are {given.get('a', 1.0):g} and {given.get('b', 1.0):g}; both must be above 0"
    elif not all(np.isfinite(list(given.values()))):
        text = "an argument is not a finite number; give finite numbers"
    else:
        return
    raise InvalidInput.one(distribution.place, f"{distribution.kind}: {text}")


def _hopeless(distribution: Distribution, low: float | None, high: float | None) -> InvalidInput:
    bounds = [f"{name} {value:g}" for name, value in (("low", low), ("high", high)) if value is not None]
    return InvalidInput.one(
        distribution.place,
        f"{distribution.kind}: hardly any value lies within the bounds ({', '.join(bounds)}); values outside are "
        "redrawn, so at least one draw in a hundred must fall inside: widen the bounds or move the mean",
    )


def _first_accepted(propose: Proposal, elements: Elements, refuse: Callable[[], InvalidInput]) -> Floats:
    """Per element the value of its first attempt that `propose` accepts; raises refuse() where attempts run out."""
    out = np.empty(elements.shape, dtype=np.float64)
    left = np.arange(elements.size)
    budget = _MIN_DRAWS + _DRAWS_PER_ELEMENT * elements.size
    attempt = 0
    while left.size:
        drawn_in_vain = attempt * elements.size if left.size == elements.size else 0
        if budget <= 0 or drawn_in_vain >= _MIN_DRAWS:
            raise refuse()
        value, good = propose(elements[left], attempt)
        out[left[good]] = value[good]
        left = left[~good]
        budget -= max(value.size, _SMALL_CALL)
        attempt += 1
    return out


def _log_gamma_variate(shape: float, source: Source, elements: Elements) -> Floats:
    """Logarithms of gamma variates (Marsaglia & Tsang 2000; shapes below 1 by their power of a uniform number)."""
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / float(detmath.sqrt(9.0 * d))
    normals, uniforms = source.part("normal"), source.part("uniform")

    def propose(some: Elements, attempt: int) -> tuple[Floats, NDArray[np.bool_]]:
        x = normals.normal(some, attempt)
        base = 1.0 + c * x
        log_v = 3.0 * detmath.log(np.where(base > 0.0, base, 1.0))
        v = base * base * base
        accepted = detmath.log(uniforms.uniform(some, attempt)) < 0.5 * x * x + d * (1.0 - v + log_v)
        return log_v, (base > 0.0) & accepted

    def refuse() -> InvalidInput:
        return InvalidInput.one(None, f"beta: no value found for the shape parameter {shape:g}; use a smaller one")

    result = _first_accepted(propose, elements, refuse) + float(detmath.log(d))
    if shape < 1.0:
        result = result + detmath.log(source.part("power").uniform(elements)) / shape
    return np.asarray(result)


def _beta(a: float, b: float, source: Source, elements: Elements) -> Floats:
    """Beta variates G(a) / (G(a) + G(b)), in logarithms so that tiny shapes do not give 0 / 0."""
    if a == 1.0 and b == 1.0:
        return source.uniform(elements)
    first = _log_gamma_variate(a, source.part("a"), elements)
    return detmath.sigmoid(first - _log_gamma_variate(b, source.part("b"), elements))


# -------------------------------------------------------------------------------------------------------- connections


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
