"""Parts of populations: some of the neurons, by their numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Part:
    """Neurons by number: ranges (first, end), ascending and apart from each other."""

    ranges: tuple[tuple[int, int], ...]

    @property
    def neurons(self) -> NDArray[np.int64]:
        """Their numbers, ascending."""
        return np.concatenate([np.arange(first, end, dtype=np.int64) for first, end in self.ranges])

    def __len__(self) -> int:
        return sum(end - first for first, end in self.ranges)

    def __str__(self) -> str:
        pieces = (f"{first}" if end == first + 1 else f"{first}:{end}" for first, end in self.ranges)
        return f"[{', '.join(pieces)}]"


def named(name: str, part: Part | None) -> str:
    """How a network file names some or all neurons: "a.v[0:10]", "a.v"."""
    return name if part is None else f"{name}{part}"
