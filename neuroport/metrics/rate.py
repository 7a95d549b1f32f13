"""How often the neurons of a population spike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from neuroport.metrics.metric import Form, Metric, Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Metric):
    """The mean rate of a population in Hz since the previous measurement."""

    kind: ClassVar[str] = "rate"
    unit: ClassVar[str | None] = "Hz"

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        of = form.population(cls.kind)
        return None if of is None else cls(name=form.name, of=of, place=form.place)

    def written(self) -> dict[str, Any]:
        """See Metric."""
        return {self.kind: self.of}

    def value(self, run: Observed) -> float:
        """See Metric."""
        spikes, neurons, steps = run.spikes_since(self.name, self.of)
        return rate(spikes, neurons, steps, run.dt)


def rate(spikes: float, size: int, steps: int, dt: float) -> float:
    """Mean rate per neuron in Hz over `steps` of `dt` ms. NaN when there were none."""
    return spikes / size / (steps * dt) * 1000 if steps and size else float("nan")
