"""How far the states that were seen are from a target distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from neuroport.metrics.metric import Form, Metric, Observed, Real

FLOOR = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence(Metric):
    """The Kullback-Leibler divergence of a histogram readout from `target`, TARGET.p.

    States that were not seen count as `floor`.
    """

    kind: ClassVar[str] = "dkl"
    unit: ClassVar[str | None] = "nats"
    further: ClassVar[tuple[str, ...]] = ("target", "floor")
    required: ClassVar[tuple[str, ...]] = ("target",)

    target: str
    floor: float = FLOOR

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        of = form.histogram(cls.kind)
        if of is None:
            return None
        floor = form.number("floor", 0)
        target = form.distribution("target", of)
        if target is None:
            return None
        return cls(name=form.name, of=of, target=target, floor=FLOOR if floor is None else floor, place=form.place)

    def written(self) -> dict[str, Any]:
        """See Metric."""
        return {self.kind: self.of, "target": self.target, "floor": self.floor}

    def value(self, run: Observed) -> float:
        """See Metric."""
        return dkl(run.histogram(self.of), run.distribution(self.target), self.floor)

    @property
    def readout(self) -> str:
        """See Metric."""
        return self.of

    @property
    def distribution(self) -> str:
        """See Metric."""
        return self.target


def dkl(counts: NDArray[Any], target: Real, floor: float = FLOOR) -> float:
    """Give the Kullback-Leibler divergence sum p ln(p / q) of observed states q from a target p, in nats.

    counts (states,): how often each state was seen; a state never seen counts as `floor`, and q is normalised after
    that. States with p = 0 contribute nothing. NaN when nothing was counted at all, infinite when a state of the
    target was never seen and `floor` is 0.
    """
    if not np.any(counts):
        return float("nan")
    seen = np.where(counts > 0, counts, floor).astype(np.float64)
    q = seen / seen.sum()
    p = np.asarray(target, np.float64)
    there = p > 0
    if np.any(q[there] == 0):
        return float("inf")
    return float(np.sum(p[there] * np.log(p[there] / q[there])))
