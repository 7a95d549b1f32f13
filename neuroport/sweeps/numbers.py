"""What is told of many numbers: an interval of a yield, median and quartiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Z = 1.959963984540054
"""How many standard deviations of a normal distribution have 95 % between them, on either side."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with Wilson's interval of 95 % for the share that they are a sample of."""

    works: int
    of: int

    @property
    def value(self) -> float:
        """The share."""
        return self.works / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """From where to where the true share lies, in 95 % of cases; all of 0 to 1 where there is no sample."""
        if not self.of:
            return 0.0, 1.0
        share, over = self.value, Z**2 / self.of
        centre = (share + over / 2) / (1 + over)
        half = Z * math.sqrt(share * (1 - share) / self.of + over / (4 * self.of)) / (1 + over)
        low = 0.0 if not self.works else max(0.0, centre - half)
        high = 1.0 if self.works == self.of else min(1.0, centre + half)
        return low, high


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The median of numbers, and between what the middle half of them lies."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Quartiles | None:
        """Of numbers, by linear interpolation between them; None of none."""
        if not numbers:
            return None
        low, median, high = (float(x) for x in np.quantile(np.asarray(numbers, np.float64), [0.25, 0.5, 0.75]))
        return cls(low, median, high)
