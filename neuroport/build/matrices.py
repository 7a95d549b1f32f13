"""Which neurons are connected, out of matrices of (source, target): sparse ones, and dense ones of True and False."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.build.values import Foreign, numbers
from neuroport.errors import Place, Problem
from neuroport.yaml.nodes import ListNode, Node, Numbers

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    place: Place
    shape: Shape
    pairs: NDArray[np.int64]


@dataclass(slots=True)
class Matrices:
    """The matrices of one projection. All must be of the same pairs; of values, one for each pair remains."""

    seen: list[_Seen] = field(default_factory=list)

    def sparse(self, matrix: Any, place: Place) -> Node:
        """The values of a sparse matrix of SciPy, in the order of its pairs."""
        given = matrix.tocoo()
        pairs = np.stack([np.asarray(given.row, np.int64), np.asarray(given.col, np.int64)], axis=1)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        pairs = pairs[order]
        twice = np.flatnonzero((pairs[1:] == pairs[:-1]).all(axis=1))
        if len(twice):
            text = f"the matrix has several values at {pairs[twice[0]].tolist()}; add them up by its sum_duplicates(), "
            raise Foreign(f"{text}or give the pairs one by one")
        data = np.asarray(given.data)[order]
        self._note(place, tuple(given.shape), pairs)
        return _listed(numbers(data.astype(np.int64) if data.dtype.kind == "b" else data), place)

    def connect(self, given: Any, place: Place) -> Node | None:
        """The pairs of a sparse matrix, of a matrix of True and False, or of rows of two; None for anything else."""
        if hasattr(given, "tocoo"):
            self.sparse(given, place)
            return self.pairs(place)
        if getattr(given, "dtype", None) == np.bool_ and getattr(given, "ndim", 0) == 2:
            self._note(place, given.shape, np.argwhere(np.asarray(given)).astype(np.int64))
            return self.pairs(place)
        return None

    def pairs(self, place: Place) -> Node:
        """The pairs of the matrix that was seen first."""
        return _listed(numbers(self.seen[0].pairs), place)

    def problems(self, sizes: tuple[int | None, int | None]) -> Iterator[Problem]:
        """What is wrong with them. `sizes`: the numbers of neurons, None where they are not known."""
        for one in self.seen:
            if None in sizes:
                text = "a matrix needs populations that are there already, with their sizes; add them before"
                yield Problem(one.place, text)
            elif one.shape != sizes:
                text = f"the matrix has the shape {one.shape}; it must be {sizes}, one row per source neuron"
                yield Problem(one.place, text)
            elif not np.array_equal(one.pairs, self.seen[0].pairs):
                text = f"the matrix has values at other places than that of {self.seen[0].place}; both say which "
                yield Problem(
                    one.place, f"{text}neurons are connected, and must say the same; store zeros for the rest"
                )

    def _note(self, place: Place, shape: Shape, pairs: NDArray[np.int64]) -> None:
        self.seen.append(_Seen(place, tuple(int(n) for n in shape), pairs))


def _listed(array: NDArray[Any], place: Place) -> ListNode:
    return ListNode(place.file, 0, 0, Numbers(array, place))
