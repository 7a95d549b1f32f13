"""What a kind of stimulus is, and what kinds share: their place in a file and the numbers that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Problem
from neuroport.network.model import Input
from neuroport.network.network import Network
from neuroport.network.objects import Population
from neuroport.network.stimuli import Stimulus
from neuroport.network.values import Value
from neuroport.numerics import units
from neuroport.numerics.parts import Part
from neuroport.numerics.units import Quantity
from neuroport.program.ir import Numbers
from neuroport.program.machine import Injection, ReportLine, Series
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import Report, found
from neuroport.yaml.nodes import ListNode, MapNode, Node
from neuroport.yaml.slots import Fits, Rows, Shape, Slot
from neuroport.yaml.values import value

S = TypeVar("S", bound=Stimulus)
GRAIN = 1e-9
"""How far a computed number may be from the whole one that it stands for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a stimulus says in a file, for the `read` of its kind.

    `inner`: what stands under the key of the kind; `at`: the name of the stimulus; `what`: it, for messages.
    `population`, `input`: where it leads, None when that could not be read; the population of a `part` has the size of
    that alone.
    """

    report: Report
    name: str
    at: Node
    inner: Node
    population: Population | None
    input: Input | None
    dt: Quantity | None
    folder: str
    part: Part | None = None

    @property
    def what(self) -> str:
        """ "stimulus 'noise'"."""
        return f"stimulus '{self.name}'"

    @property
    def unit(self) -> str:
        """What values for the input are written in."""
        return units.of_values(self.input.unit) if self.input else ""

    @property
    def cells(self) -> Population | None:
        """The population, if its input is known too."""
        return self.population if self.input else None

    @property
    def common(self) -> dict[str, Any]:
        """The fields that every stimulus has."""
        population = self.population.name if self.population else ""
        return {
            "name": self.name,
            "population": population,
            "input": self.input.name if self.input else "",
            "part": self.part,
            "place": self.at.place,
        }

    def numbers(self, node: Node | None, slot: Slot) -> Value | None:
        """Many numbers: a list, an array, a file or a data set."""
        if node is None:
            return None
        if isinstance(node, ListNode) or (isinstance(node, MapNode) and set(node.entries) & {"array", "file", "data"}):
            return value(self.report, node, slot)
        self.report.add(node, f"{slot.what} must be a list, an array, a file or a data set; found {found(node)}")
        return None


class Maker(Protocol):
    """Makes numbers of the values of a network, in coherent units; notes problems."""

    @property
    def network(self) -> Network:
        """The network."""

    @property
    def problems(self) -> list[Problem]:
        """What is wrong so far."""

    @property
    def report(self) -> list[ReportLine]:
        """What a person should know of the numbers so far."""

    @property
    def labels(self) -> dict[str, NDArray[np.int64]]:
        """The labels of the patterns whose labels were read so far, by stimulus."""

    @property
    def failed(self) -> set[str]:
        """OWNER.QUANTITY of the values that could not be had."""

    def free(self, value: Value, unit: str, integer: bool, owner: str, quantity: str) -> Numbers:
        """Numbers in their own shape, () for a single quantity."""

    def counted(self, value: Value, integer: bool, owner: str, quantity: str, count: int) -> Numbers:
        """So many pure numbers, shape () for a single quantity."""

    def shape(self, value: Value) -> tuple[int, ...]:
        """The shape of numbers, without making them where that is possible."""

    def steps(self, quantity: Quantity, what: str) -> int:
        """A time as a number of steps."""


@dataclass(frozen=True, slots=True)
class Onto:
    """The input that a stimulus leads to: the array, how many neurons get it, and how many copies share a program."""

    array: str
    size: int
    declared: Input
    copies: int

    @property
    def integer(self) -> bool:
        """Whether it takes whole numbers."""
        return self.declared.type == "int"


@dataclass(frozen=True, eq=False)
class Kind(Generic[S]):
    """How something can come from outside.

    `value`: the class of what a network file says. `read`: out of a file, None with the reason in the report; `write`:
    what stands in a file under the key of the kind, where the text names the place of large arrays. `elaborate`: what a
    program has of it; problems are noted at the maker. `expected`: how many numbers that is, known before any is made.
    """

    value: type[S]
    read: Callable[[Entry], S | None]
    write: Callable[[S, Sink, str], dict[str, Any]]
    elaborate: Callable[[S, Onto, Maker], Injection | Series]
    expected: Callable[[S, Network, Maker], float]


def off_grid(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which numbers are no whole ones, but for what computing with doubles may have added to one."""
    return np.abs(numbers - np.rint(numbers)) > GRAIN * np.maximum(1, np.abs(numbers))


def one_list(each: str) -> Fits:
    """Arrays with one value for each of something, at least one."""

    def fits(shape: Shape, rows: Rows) -> str:
        return "" if len(shape) == 1 and shape[0] > 0 else f"(n,), one value per {each}"

    return fits
