"""Numbers over all elements of a variable, or of all rows of a samples readout."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from neuroport.metrics.metric import Form, Metric, Observed, Real
from neuroport.numerics.parts import Part, named


@dataclass(frozen=True, slots=True, kw_only=True)
class OverElements(Metric):
    """Of OBJECT.VARIABLE or a samples readout; of a population's also of some neurons, POPULATION.VARIABLE[0:10].

    `effective`: the variable as it acts on a chip whose circuits deviate, times their deviation.
    """

    unit: ClassVar[str | None] = None

    further: ClassVar[tuple[str, ...]] = ("effective",)

    effective: bool = False
    part: Part | None = None

    @staticmethod
    @abstractmethod
    def formula(values: Real) -> float | list[float]:
        """What it is of at least one number; where it is a list, also of none."""

    @classmethod
    def over(cls, values: Real) -> float | list[float]:
        """What it is of any numbers; NaN of none, where it is one number."""
        return cls.formula(values) if values.size or not cls.one_number else float("nan")

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        effective, part = form.true("effective"), None
        if form.names_readout(cls.kind):
            if effective:
                text = f"effective of {form.what} is for variables, not for readouts; leave it out"
                form.add("effective", text)
            of = form.samples(cls.kind)
        else:
            variable = form.variable(cls.kind)
            of, part = (None, None) if variable is None else (variable.name, variable.part)
        if of is None:
            return None
        return cls(name=form.name, of=of, effective=effective, part=part, place=form.place)

    def written(self) -> dict[str, Any]:
        """See Metric."""
        return {self.kind: self.shown} | ({"effective": True} if self.effective else {})

    @property
    def shown(self) -> str:
        """See Metric."""
        return named(self.of, self.part)

    def value(self, run: Observed) -> float | list[float]:
        """See Metric."""
        values = run.rows(self.of)[1] if self.readout else run.variable(self.of, self.effective)
        return self.over(values if self.part is None else values[self.part.neurons])

    @property
    def readout(self) -> str:
        """See Metric."""
        return "" if "." in self.of else self.of


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(OverElements):
    """The mean of all elements of OBJECT.VARIABLE, or of all rows of a samples readout."""

    kind: ClassVar[str] = "mean"

    @staticmethod
    def formula(values: Real) -> float:
        """See OverElements."""
        return float(np.mean(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sd(OverElements):
    """The standard deviation, with n below, of all elements of OBJECT.VARIABLE, or of all rows of a samples readout."""

    kind: ClassVar[str] = "sd"

    @staticmethod
    def formula(values: Real) -> float:
        """See OverElements."""
        return float(np.std(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Min(OverElements):
    """The least of all elements of OBJECT.VARIABLE, or of all rows of a samples readout."""

    kind: ClassVar[str] = "min"

    @staticmethod
    def formula(values: Real) -> float:
        """See OverElements."""
        return float(np.min(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Max(OverElements):
    """The largest of all elements of OBJECT.VARIABLE, or of all rows of a samples readout."""

    kind: ClassVar[str] = "max"

    @staticmethod
    def formula(values: Real) -> float:
        """See OverElements."""
        return float(np.max(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Values(OverElements):
    """The numbers themselves: all elements of OBJECT.VARIABLE, or all rows of a samples readout."""

    kind: ClassVar[str] = "values"
    one_number: ClassVar[bool] = False

    @staticmethod
    def formula(values: Real) -> list[float]:
        """See OverElements."""
        return [float(v) for v in np.ravel(values)]
