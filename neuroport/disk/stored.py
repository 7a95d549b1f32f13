"""Numbers that lie in a file: their shape is known before they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_DENSE = 2**27
"""Numbers of a sparse matrix that may be written out."""


class Wrong(Exception):
    """A file that cannot be used; the text continues "'w.npy' …"."""


@dataclass(frozen=True, eq=False, slots=True)
class Entries:
    """The values that a sparse matrix stores, int64 rows and columns in ascending order, all of one length."""

    shape: tuple[int, int]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[Any]

    def twice(self) -> tuple[int, int] | None:
        """Row and column that have several values, if there are any."""
        same = np.flatnonzero((np.diff(self.rows) == 0) & (np.diff(self.columns) == 0))
        return (int(self.rows[same[0]]), int(self.columns[same[0]])) if len(same) else None

    def at(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[Any]:
        """The values of these places. Raises Wrong where one has none."""
        places = self.rows * self.shape[1] + self.columns
        wanted = rows * self.shape[1] + columns
        found = np.searchsorted(places, wanted)
        missing = found == len(places)
        missing[~missing] = places[found[~missing]] != wanted[~missing]
        if missing.any():
            first = int(np.argmax(missing))
            place = [int(rows[first]), int(columns[first])]
            raise Wrong(f"stores no value for the synapse {place}; store one, or connect only what is stored")
        return self.values[found]

    def dense(self) -> NDArray[Any]:
        """The whole matrix, zero where nothing is stored. Raises Wrong where that would be too large."""
        if self.shape[0] * self.shape[1] > LARGEST_DENSE:
            raise Wrong(
                f"has {self.shape[0]:,} x {self.shape[1]:,} values when it is written out; use it in projections"
            )
        matrix = np.zeros(self.shape, self.values.dtype)
        matrix[self.rows, self.columns] = self.values
        return matrix


@dataclass(frozen=True, eq=False, slots=True)
class Stored:
    """Numbers in a file, float64 or int64: `read` gives them, `entries` those of a sparse matrix. Both raise Wrong."""

    shape: tuple[int, ...]
    read: Callable[[], NDArray[Any]]
    entries: Callable[[], Entries] | None = None


def whole(numbers: NDArray[Any]) -> NDArray[Any]:
    """Numbers as float64 or int64 in this machine's order. Raises Wrong for what 64 bits with a sign do not hold."""
    if numbers.dtype.kind == "f":
        return numbers.astype(np.float64)
    if numbers.dtype.kind == "u" and numbers.size and numbers.max() > np.iinfo(np.int64).max:
        raise Wrong(f"holds {numbers.max()}; whole numbers must be below 2**63")
    return numbers.astype(np.int64)
