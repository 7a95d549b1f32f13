"""What comes from outside, patterns that a protocol presents, and distributions to learn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from neuroport.errors import Place
from neuroport.network.values import Frozen, Value
from neuroport.numerics.parts import Part
from neuroport.numerics.units import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """What comes from outside to an input of a population. Each kind has a class of its own, see neuroport.stimuli.

    `part`: to some of the neurons, which then count within the part, from 0.
    """

    name: str
    population: str
    input: str
    part: Part | None = None
    place: Place | None = field(default=None, compare=False)

    def cells(self, size: int) -> int:
        """To how many neurons it leads, of a population of that size."""
        return size if self.part is None else len(self.part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns(Stimulus):
    """Patterns added to an input while a `present` item runs, each for `hold`: `values` has patterns x frames x size.

    A pattern of several `frames` is a film: each frame is shown for hold / frames. `labels`: one int per pattern.
    `beside`: the name of other patterns with which these are shown, pattern by pattern; `hold` is then None, and a
    number as `values` stands for all of them.
    """

    values: Value
    hold: Quantity | None = None
    order: Literal["sequential", "shuffle", "choice"] = "sequential"
    frames: int = 1
    labels: Value | None = None
    beside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boltzmann:
    """Moments of p(z) ~ exp(z'Wz/2 + b'z), z in {0,1}^n: fields c (n, n) = <z_i z_j>, m (n,) = <z_i>, p (2**n,)."""

    name: str
    weights: Frozen
    biases: Frozen
    place: Place | None = field(default=None, compare=False)
