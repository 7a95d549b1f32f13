"""What is known of a program while it is made from a network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.chips.chip import Chip, ChipInstance
from neuroport.elaborate import ranges
from neuroport.elaborate.connect import Synapses
from neuroport.elaborate.deviating import Deviating
from neuroport.elaborate.values import Elements, Materialiser
from neuroport.errors import InvalidInput, Problem
from neuroport.language.names import Constants
from neuroport.network.model import SpikeTrace
from neuroport.network.network import Network
from neuroport.network.objects import Projection
from neuroport.network.protocol import Set
from neuroport.network.protocol import walk as all_items
from neuroport.network.values import Distribution, Value
from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.program.ir import Expr, Numbers, Read, walk
from neuroport.program.machine import Arrays, Designed, ReportLine
from neuroport.program.plan import Item

LONGEST_DELAY = 2**53
"""The largest whole number up to which floats have them all."""

Over = Literal["scalar", "neuron", "synapse", "kernel"]


@dataclass(eq=False)
class Object:
    """What is known of a population or projection. `elements`: its neurons, synapses or entries of a kernel.

    `located`: gives the circuit of each, which are asked for only where something deviates.
    `factors`: its learned variables that are used through a deviating circuit, with the arrays of the factors.
    `traces`: those that a population's neurons keep for projections.
    """

    name: str
    located: Callable[[], NDArray[np.int64]]
    elements: Elements
    constants: Constants
    mismatch: bool = True
    factors: dict[str, str] = field(default_factory=dict)
    traces: list[tuple[SpikeTrace, Projection]] = field(default_factory=list)

    @cached_property
    def circuits(self) -> NDArray[np.int64]:
        """The circuit of each element."""
        return self.located()


@dataclass(eq=False)
class Elaboration:
    """What has been made of a network so far, and the problems found.

    `protocol`: the items that will be run, where these are not those of the network.
    `values`: the real values of all parameter arrays; `derived`: those that follow from others, in order, with how;
    `deviating`: the arrays that circuits make; `designed`: those of them that the host may set.
    `per_copy`: the values that copies have of parameters of their own.
    `spiked`: the populations whose synapses ask whether they spiked. `report`: what a person should know.
    """

    network: Network
    chip: Chip
    instance: ChipInstance
    materialiser: Materialiser
    dt: float  # ms
    copies: int
    protocol: tuple[Item, ...] | None = None
    arrays: Arrays = field(default_factory=Arrays)
    values: dict[str, Numbers] = field(default_factory=dict)
    derived: list[tuple[str, Expr]] = field(default_factory=list)
    deviating: list[Deviating] = field(default_factory=list)
    designed: dict[str, Designed] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    objects: dict[str, Object] = field(default_factory=dict)
    synapses: dict[str, Synapses] = field(default_factory=dict)
    spiked: set[str] = field(default_factory=set)
    report: list[ReportLine] = field(default_factory=list)
    own_delays: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    per_copy: dict[str, Numbers] = field(default_factory=dict)

    def delay(self, projection: Projection) -> int:
        """A projection's delay in steps; the least, where each synapse has one."""
        if isinstance(projection.delay, Quantity):
            return int(units.steps(projection.delay, self.network.dt))
        delays = self.delays(projection)
        return int(delays.min()) if delays.size else 1

    def delays(self, projection: Projection) -> NDArray[np.int64]:
        """The delays of synapses that have one each, in whole steps."""
        name = projection.name
        if name not in self.own_delays:
            self.own_delays[name] = self.whole_steps(projection.delay, projection, "delay", 1)
        return self.own_delays[name]

    def whole_steps(self, value: Value, projection: Projection, what: str, least: int) -> NDArray[np.int64]:
        """A delay of each synapse, rounded to whole steps; one below the least is a problem."""
        elements = self.synapses[projection.name].elements
        steps = self.materialiser.array(value, "step", False, projection.name, what, elements)
        whole = np.rint(np.broadcast_to(steps, (elements.size,)))
        wrong = whole[(whole < least) | (whole > LONGEST_DELAY)]
        if wrong.size:
            text = f"projection '{projection.name}' has a {what.replace('_', ' ')} of {wrong[0]:g} steps; {least} is "
            text += "the least, and 2^53 the most"
            if isinstance(value, Distribution):
                low = f"{least} step{'s' * (least != 1)}"
                text += f"; limit what is drawn, as {{normal: {{mean: 5 steps, sd: 2 steps, low: {low}}}}} does"
            self.problems.append(Problem(value.place, text))
            whole = np.full_like(whole, least)
        return np.asarray(whole, np.int64)

    @property
    def set_in_parts(self) -> frozenset[str]:
        """The parameters that the protocol sets for some neurons of a population, by their full names."""
        items = all_items(self.network.protocol)
        return frozenset(name for item in items if isinstance(item, Set) for name, _, _ in item.some)

    @property
    def written_by_host(self) -> frozenset[str]:
        """The variables that ports may write, by their full names."""
        return frozenset(port.target for port in self.network.ports if port.writable)

    def is_dynamic(self, expr: Expr) -> bool:
        """Whether an expression over parameters reads one that can be switched."""
        return any(isinstance(e, Read) and self.arrays[e.array].dynamic for e in walk(expr))

    def varies(self, expr: Expr) -> bool:
        """Whether an expression over parameters reads one of which each copy has its own."""
        return any(isinstance(e, Read) and self.arrays[e.array].varied for e in walk(expr))

    def deviates(self, expr: Expr) -> bool:
        """Whether an expression over parameters reads one that differs between the specimens of the chip."""
        return any(isinstance(e, Read) and self.arrays[e.array].designed is not None for e in walk(expr))

    def bounds(self, expr: Expr) -> tuple[float, float] | None:
        """What a constant may be when dynamic parameters are switched, on any specimen; None where that is endless.

        NoValue where an int may need more than 63 bits.
        """
        low, high = ranges.bounds(expr, self._range_of)
        return (low, high) if math.isfinite(low) and math.isfinite(high) else None

    def _range_of(self, read: Read) -> tuple[float, float]:
        array, values = self.arrays[read.array], self.values[read.array]
        if array.designed is not None:
            return array.designed
        if array.dynamic:
            return array.range or (-math.inf, math.inf)
        if values.size == 0:
            return 0, 0
        return values.min().item(), values.max().item()

    def stop_on_problems(self) -> None:
        """Raise InvalidInput if there are any problems so far."""
        problems = self.problems + self.materialiser.problems
        if problems:
            raise InvalidInput(dict.fromkeys(problems))
