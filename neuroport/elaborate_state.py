"""What is known of a program while it is made from a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroport import units
from neuroport.chip import Chip, ChipInstance
from neuroport.connect import Synapses
from neuroport.errors import InvalidInput, Problem
from neuroport.materialise import Elements, Materialiser
from neuroport.model import Trace
from neuroport.naming import Constants
from neuroport.network import Network, Projection
from neuroport.program import Array, Expr, Numbers, Read, walk

Over = Literal["scalar", "neuron", "synapse"]


@dataclass(eq=False)
class Object:
    """What is known of a population or projection.

    `factors`: its learned variables that are used through a deviating circuit. `traces`: those that a population's
    neurons keep for projections.
    """

    name: str
    circuits: NDArray[np.int64]
    elements: Elements
    constants: Constants
    mismatch: bool = True
    factors: set[str] = field(default_factory=set)
    traces: list[tuple[Trace, Projection]] = field(default_factory=list)


@dataclass(eq=False)
class Elaboration:
    """What has been made of a network so far, and the problems found.

    `values`: the real values of all parameter arrays; `derived`: those that follow from others, in order, with how.
    `spiked`: the populations whose synapses ask whether they spiked.
    """

    network: Network
    chip: Chip
    instance: ChipInstance
    materialiser: Materialiser
    dt: float  # ms
    copies: int
    arrays: dict[str, Array] = field(default_factory=dict)
    values: dict[str, Numbers] = field(default_factory=dict)
    derived: list[tuple[str, Expr]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    objects: dict[str, Object] = field(default_factory=dict)
    synapses: dict[str, Synapses] = field(default_factory=dict)
    spiked: set[str] = field(default_factory=set)

    def delay(self, projection: Projection) -> int:
        """A projection's delay in steps."""
        return int(units.steps(projection.delay, self.network.dt))

    def is_dynamic(self, expr: Expr) -> bool:
        """Whether an expression over parameters reads one that can be switched."""
        return any(isinstance(e, Read) and self.arrays[e.array].dynamic for e in walk(expr))

    def stop_on_problems(self) -> None:
        """Raise InvalidInput if there are any problems so far."""
        problems = self.problems + self.materialiser.problems
        if problems:
            raise InvalidInput(dict.fromkeys(problems))
