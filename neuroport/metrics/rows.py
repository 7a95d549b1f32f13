"""How well the rows of a samples readout answer the patterns that were shown."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from neuroport.metrics.metric import Form, Metric, Observed, Real, Shown

_A_RUN = "the patterns that are shown, and a run shows none; name the readout in 'present' items only"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLabels(Metric):
    """A number of the rows of a samples readout and the labels of the patterns."""

    labelled: ClassVar[bool] = True

    @staticmethod
    @abstractmethod
    def formula(rows: Real, labels: NDArray[np.int64]) -> float:
        """The number for rows (rows, cells) and labels (rows,)."""

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        of = form.samples(cls.kind)
        return None if of is None else cls(name=form.name, of=of, place=form.place)

    def written(self) -> dict[str, Any]:
        """See Metric."""
        return {self.kind: self.of}

    def value(self, run: Observed) -> float:
        """See Metric."""
        return self.formula(run.rows(self.of)[1], run.labels(self.of))

    @property
    def readout(self) -> str:
        """See Metric."""
        return self.of

    def unfit(self, shown: Shown | None) -> str:
        """See Metric."""
        if shown is None:
            return _A_RUN
        return "" if shown.labelled else f"labels, and '{shown.name}' has none; add labels to it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy(OfLabels):
    """Percent of rows whose largest cell is the pattern's label."""

    kind: ClassVar[str] = "accuracy"

    @staticmethod
    def formula(rows: Real, labels: NDArray[np.int64]) -> float:
        """Percent of rows whose largest cell, the first of several, is the label. NaN when there are none."""
        return float(100 * np.mean(np.argmax(rows, axis=1) == labels)) if len(rows) else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEntropy(OfLabels):
    """The mean of -log softmax(row)[label]."""

    kind: ClassVar[str] = "cross_entropy"

    @staticmethod
    def formula(rows: Real, labels: NDArray[np.int64]) -> float:
        """Mean of -log softmax(row)[label] in nats. NaN when there are no rows."""
        if not len(rows):
            return float("nan")
        above = rows - rows.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.sum(np.exp(above), axis=1)) - above[np.arange(len(rows)), labels]))


@dataclass(frozen=True, slots=True, kw_only=True)
class SquaredError(Metric):
    """The mean over rows and cells of (row - pattern of `target`)**2."""

    kind: ClassVar[str] = "squared_error"
    further: ClassVar[tuple[str, ...]] = ("target",)
    required: ClassVar[tuple[str, ...]] = ("target",)

    target: str

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        of = form.samples(cls.kind)
        target = None if of is None else form.patterns("target", of)
        return None if of is None or target is None else cls(name=form.name, of=of, target=target, place=form.place)

    def written(self) -> dict[str, Any]:
        """See Metric."""
        return {self.kind: self.of, "target": self.target}

    def value(self, run: Observed) -> float:
        """See Metric."""
        numbers, rows = run.rows(self.of)
        return squared_error(rows, run.patterns(self.target)[numbers])

    @property
    def readout(self) -> str:
        """See Metric."""
        return self.of

    def unfit(self, shown: Shown | None) -> str:
        """See Metric."""
        if shown is None:
            return _A_RUN
        if self.target in shown.together:
            return ""
        return f"'{self.target}', which is not shown with '{shown.name}'; add beside: {shown.name} to it"


def squared_error(rows: Real, wanted: Real) -> float:
    """Mean over rows and cells of the squared difference. NaN when there are no rows."""
    return float(np.mean((rows - wanted) ** 2)) if rows.size else float("nan")
