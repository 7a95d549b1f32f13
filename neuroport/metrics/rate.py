"""How often the neurons of a population spike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from neuroport.metrics.metric import Form, Metric, Observed
from neuroport.numerics.parts import Part, named


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate(Metric):
    """The mean rate of a population, or of some of its neurons, in Hz since the previous measurement."""

    kind: ClassVar[str] = "rate"
    unit: ClassVar[str | None] = "Hz"

    part: Part | None = None

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        of = form.neurons(cls.kind)
        return None if of is None else cls(name=form.name, of=of[0], part=of[1], place=form.place)

    def written(self) -> dict[str, Any]:
        """See Metric."""
        return {self.kind: self.shown}

    @property
    def shown(self) -> str:
        """See Metric."""
        return named(self.of, self.part)

    def value(self, run: Observed) -> float:
        """See Metric."""
        spikes, neurons, steps = run.spikes_since(self.name, self.of, self.part)
        return rate(spikes, neurons, steps, run.dt)


def rate(spikes: float, size: int, steps: int, dt: float) -> float:
    """Mean rate per neuron in Hz over `steps` of `dt` ms. NaN when there were none."""
    return spikes / size / (steps * dt) * 1000 if steps and size else float("nan")
