"""Chip descriptions: the number formats, limits and imperfections of a (neuromorphic) processor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.pages import plain
from neuroport.pages.html import html
from neuroport.program.functions import FUNCTIONS
from neuroport.program.ir import Overflow, Rounding

CLASSES = ("state", "weight", "plastic", "trace", "accumulator", "coefficient")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRule:
    """How values of one class are held: word length, rounding on assignment, what happens out of range.

    sign="per_projection" (weights only): a projection whose weights all have one sign uses all `bits` for the
    magnitude; a mixed one loses one to the sign (Loihi).
    min_step: a change that rounding would lose is one unit instead, so that what decays comes to rest at its end.
    distance_bits (coefficients only): a decay factor keeps so many bits of its distance from 1, and a switched
    parameter of its first value, in a word of up to 32 bits if its own is too short.
    """

    bits: int
    rounding: Rounding = "nearest"
    overflow: Overflow = "saturate"
    sign: Literal["twos_complement", "per_projection"] = "twos_complement"
    min_step: bool = False
    distance_bits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How the circuits of one parameter kind differ from each other: factor per circuit, frozen at manufacture."""

    distribution: Literal["lognormal", "normal"] = "lognormal"
    sigma: float = 0.0
    steps: int = 0  # for kinds counted in whole steps: offset drawn uniformly from -steps..steps


DIVISION = "/"
LOOKED_UP = (*(name for name, function in FUNCTIONS.items() if function.curve is not None), DIVISION)
"""What a chip needs tables for: functions of a curve, and quotients by what changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What fits on the chip. None: no limit."""

    cores: int | None = None
    neurons_per_core: int = 256
    synapses_per_core: int | None = None
    max_axonal_delay: int | None = None
    max_dendritic_delay: int | None = None
    max_refractory: int | None = None
    plasticity: bool = True
    graded: bool = True
    models: tuple[str, ...] | None = None  # the only neuron models that it has, if not programmable
    functions: tuple[str, ...] | None = None  # those of LOOKED_UP that it calculates while it runs; None: all


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A chip description. `arithmetic` "float64"/"float32" is ideal: word rules do not apply.

    tables="normalised": exp, log, sqrt and quotients over ranges that a table of equal intervals is too coarse for are
    looked up in one power of two and shifted; "uniform": there are no other tables than those of equal intervals.
    """

    name: str
    title: str = ""
    source: str = ""
    arithmetic: Literal["float64", "float32", "integer"] = "integer"
    words: tuple[tuple[str, WordRule], ...] = ()
    table_intervals: int = 1024
    table_bits: int = 32
    tables: Literal["normalised", "uniform"] = "normalised"
    limits: Limits = field(default_factory=Limits)
    mismatch: tuple[tuple[str, Deviation], ...] = ()

    def __repr__(self) -> str:
        return f"<Chip {self.name}: {self.title}>"

    def __str__(self) -> str:
        from neuroport.chips.described import page

        return plain.text(page(self))

    def _repr_html_(self) -> str:
        from neuroport.chips.described import page

        return html(page(self))

    @property
    def integer(self) -> bool:
        """Whether programs are lowered to integers for this chip."""
        return self.arithmetic == "integer"

    def word(self, kind: str) -> WordRule:
        """The word rule of a class of CLASSES."""
        return dict(self.words)[kind]


@dataclass(frozen=True, eq=False)
class ChipInstance:
    """One manufactured chip: for every deviating kind, a factor (or whole-step offset) per physical circuit.

    Without a seed it is the chip as it was designed: no circuit deviates but those that `factors` names.

    Neuron circuits are numbered through all cores, synapse circuits by `instance.synapse_circuits`. Values are drawn by
    counter from (chip seed, kind, circuit), so an instance has no size, and chips that differ only in how much they
    deviate share their circuits' fate. `factors[kind]` (2, n) holds values that replace the drawn ones: circuits,
    ascending, in its first row, their factors in its second; "KIND.steps" holds offsets likewise.
    """

    chip: Chip
    seed: int | None = None
    factors: dict[str, NDArray[np.float64]] = field(default_factory=dict)
