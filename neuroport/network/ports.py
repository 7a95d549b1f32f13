"""What a host may write, add, see and read of a network by name while it runs, as an author declared it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from neuroport.errors import Place
from neuroport.numerics.parts import Part

Direction = Literal["write", "inject", "spikes", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A name under which a host knows a part of the network.

    `target`: OBJECT.VARIABLE, POPULATION.INPUT for "inject", a population for "spikes". `range`, of "inject" only: what
    the host adds to a neuron in a step lies in it, in the input's unit; None: in the input's declared range.
    `writable`: whether what is read may be written; always True for "write". `part`: of some neurons, which the host
    counts from 0.
    """

    name: str
    direction: Direction
    target: str
    range: tuple[float, float] | None = None
    writable: bool = False
    part: Part | None = None
    place: Place | None = field(default=None, compare=False)
