"""From values as written in a file to numbers per element, in coherent units."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import neuroport.datasets as datasets
from neuroport.disk.stored import Entries, Wrong
from neuroport.elaborate.draws import sample
from neuroport.elaborate.targets import boltzmann
from neuroport.errors import InvalidInput, Place, Problem, Unsupported
from neuroport.network.network import Network
from neuroport.network.values import ArrayValue, CopyValue, DataValue, Distribution, FileValue, TargetValue, Value
from neuroport.numerics import units
from neuroport.numerics.draws import Source
from neuroport.numerics.steps import MOST
from neuroport.numerics.units import Quantity, quoted
from neuroport.program.ir import Numbers
from neuroport.program.machine import ReportLine
from neuroport.program.repeated import are_finite, outside
from neuroport.program.rows import PIECE, Rows
from neuroport.program.wiring import Wiring
from neuroport.stimuli.kind import off_grid
from neuroport.yaml.arrays import dataset_shape, read_dataset, read_entries


@dataclass(frozen=True, eq=False)
class Elements:
    """What a value has one number for: `size` neurons, entries of a kernel, or synapses.

    `numbered` (uint64): the numbers of neurons and entries for random draws; `joined`: synapses, which have their own.
    `given` maps synapse positions to the order in which pairs were written, for one-dimensional arrays. `axes`: the
    shape of a kernel, whose entries they are.
    """

    size: int
    numbered: NDArray[np.uint64] | None = None
    joined: Wiring | None = None
    shape: tuple[int, int] = (0, 0)
    given: NDArray[np.int64] | None = None
    axes: tuple[int, ...] = ()

    @classmethod
    def counted(cls, size: int, axes: tuple[int, ...] = ()) -> Elements:
        """So many, numbered from 0."""
        return cls(size, np.arange(size, dtype=np.uint64), axes=axes)

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The elements' numbers for random draws."""
        numbers = self.numbered if self.joined is None else self.joined.element
        assert numbers is not None
        return numbers

    def pieces(self) -> Iterator[NDArray[np.uint64]]:
        """The same numbers, some at a time."""
        if isinstance(self.joined, Rows) and self.size:
            yield from self.joined.elements()
            return
        numbers = self.keys
        for begin in range(0, max(self.size, 1), PIECE):
            yield numbers[begin : begin + PIECE]

    @property
    def pre(self) -> NDArray[np.int64] | None:
        """The presynaptic neurons of synapses."""
        return None if self.joined is None else self.joined.pre

    @property
    def post(self) -> NDArray[np.int64] | None:
        """The postsynaptic neurons of synapses."""
        return None if self.joined is None else self.joined.post


EXACT = 2**53
"""Every int up to this is a float64."""


@dataclass(eq=False)
class Materialiser:
    """Turns the values of one network into arrays; collects problems."""

    network: Network
    problems: list[Problem] = field(default_factory=list)
    made: dict[str, tuple[Numbers, Elements]] = field(default_factory=dict)
    """Initial values of the synaptic variables made so far."""
    labels: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """The labels of the patterns whose labels were read so far."""
    failed: set[str] = field(default_factory=set)
    """OWNER.QUANTITY of the values that could not be had."""
    report: list[ReportLine] = field(default_factory=list)
    """What a person should know of the numbers."""
    _absent: set[str] = field(default_factory=set)
    _targets: dict[str, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    def number(self, quantity: Quantity, unit: str) -> float:
        """A quantity in coherent units, or in steps where `unit` counts steps. Ints that no float holds stay ints."""
        if isinstance(quantity.number, int) and abs(quantity.number) > EXACT and not quantity.unit and not unit:
            return quantity.number
        if units.is_step(unit):
            return float(units.steps(quantity, self.network.dt)) if quantity.unit else float(quantity.number)
        return units.coherent(quantity.number, quantity.unit or unit)[0]

    def limits(self, declared: tuple[float, float] | None, unit: str) -> tuple[float, float] | None:
        """A declared range in coherent units."""
        if declared is None:
            return None
        return self.number(Quantity(declared[0], unit), unit), self.number(Quantity(declared[1], unit), unit)

    def check_range(
        self, numbers: Numbers, limits: tuple[float, float] | None, value: Value | None, owner: str, quantity: str
    ) -> None:
        """Note a problem when numbers lie outside their declared range (coherent units)."""
        if limits is None or numbers.size == 0:
            return
        found = outside(numbers, *limits)
        if found:
            drawn = isinstance(value, Distribution)
            text = (
                f"{owner}.{quantity}: {found} of {numbers.size} values lie outside {limits[0]:g} .. {limits[1]:g}; "
                f"{'bound the distribution with low and high' if drawn else 'give others'}, or widen the range"
            )
            self.problems.append(Problem(value.place if value is not None else None, text))

    def array(self, value: Value, unit: str, integer: bool, owner: str, quantity: str, elements: Elements) -> Numbers:
        """The numbers: shape () for a single quantity, else (elements.size,). Problems give zeros."""
        if integer and isinstance(value, Quantity) and isinstance(self.number(value, unit), int):
            return self._long(value, f"{owner}.{quantity}")
        return self._checked(
            value, integer, f"{owner}.{quantity}", lambda: self._numbers(value, unit, owner, quantity, elements)
        )

    def _long(self, value: Quantity, name: str) -> Numbers:
        """An int that no float holds."""
        if -(2**63) <= value.number < 2**63:
            return np.asarray(value.number, np.int64)
        self.problems.append(Problem(value.place, f"{name} is {value.number}, which needs more than 63 bits"))
        return np.zeros((), np.int64)

    def free(self, value: Value, unit: str, integer: bool, owner: str, quantity: str) -> Numbers:
        """The numbers of an array, a file or a data set in its own shape; () for a single quantity."""
        if not isinstance(value, ArrayValue | FileValue | DataValue):
            return self.array(value, unit, integer, owner, quantity, Elements.counted(0))
        return self._checked(value, integer, f"{owner}.{quantity}", lambda: self._stored(value, unit))

    def counted(self, value: Value, integer: bool, owner: str, quantity: str, count: int) -> Numbers:
        """So many pure numbers, or one for all: shape () for a single quantity, else (count,)."""
        return self.array(value, "", integer, owner, quantity, Elements.counted(count))

    def _checked(self, value: Value, integer: bool, name: str, compute: Callable[[], NDArray[np.float64]]) -> Numbers:
        """The computed numbers: finite, whole where they must be, and zero where they cannot be had."""
        try:
            numbers = compute()
        except InvalidInput as error:
            self.failed.add(name)
            self.problems += error.problems
            numbers = np.zeros((), np.float64)
        except Unsupported as error:
            self.failed.add(name)
            if str(error) not in self._absent:  # a package that is missing is told where it is needed first
                self.problems.append(Problem(value.place, f"{name}: {error}"))
            self._absent.add(str(error))
            numbers = np.zeros((), np.float64)
        except (OSError, ValueError) as error:
            text = f"{name} cannot be read: {error}".rstrip()
            self.failed.add(name)
            self.problems.append(Problem(value.place, text))
            numbers = np.zeros((), np.float64)
        if not are_finite(numbers):
            self.problems.append(Problem(value.place, f"{name} has values that are not finite"))
            numbers = np.nan_to_num(numbers)
        if not integer:
            return numbers
        if np.any(np.abs(numbers) >= EXACT):
            text = f"{name} holds ints from 2^53 on, which lists and files do not carry exactly; give smaller ones"
            self.problems.append(Problem(value.place, text))
            return np.zeros(numbers.shape, np.int64)
        whole, off = np.rint(numbers), off_grid(numbers)
        if not isinstance(value, Distribution) and np.any(off):
            first = float(numbers.flat[np.argmax(off)])
            self.problems.append(Problem(value.place, f"{name} is an int, {first:g} was given; round it"))
        return whole.astype(np.int64)

    def shape(self, value: Value) -> tuple[int, ...]:
        """The shape of an array, file or data set; () for anything else, and for a file that cannot be read."""
        if isinstance(value, ArrayValue):
            return value.values.array.shape
        if isinstance(value, DataValue):
            return datasets.shape(value.data, value.part, value.field, dict(value.options))
        if isinstance(value, FileValue):
            try:
                return dataset_shape(Path(self.network.folder) / value.file, value.dataset)
            except InvalidInput:
                return ()
        return ()

    def steps(self, quantity: Quantity, what: str) -> int:
        """A whole number of steps from 1; anything else is noted as a problem."""
        steps = units.steps(quantity, self.network.dt)
        if steps.denominator != 1 or not 1 <= steps <= MOST:
            many = f"{float(steps):g}" if abs(steps) <= MOST else "more than 2**62"
            text = f"{what}: {units.show(quantity)} is {many} steps; give a whole number of steps from 1"
            self.problems.append(Problem(quantity.place, text))
            return 1
        return int(steps)

    def _numbers(self, value: Value, unit: str, owner: str, quantity: str, elements: Elements) -> NDArray[np.float64]:
        match value:
            case Quantity():
                return np.asarray(self.number(value, unit), np.float64)
            case Distribution():
                source = Source(self.network.seed, owner, quantity)
                drawn, at = np.empty(elements.size), 0
                for keys in elements.pieces():
                    drawn[at : at + len(keys)] = sample(value, source, keys, lambda q: float(self.number(q, unit)))
                    at += len(keys)
                return drawn
            case FileValue() if (entries := self._entries(value)) is not None:
                return self._at(entries, value, unit, f"{owner}.{quantity}", elements)
            case ArrayValue() | FileValue() | DataValue():
                rows = "source" if isinstance(value, DataValue) else value.rows
                return self._arranged(self._stored(value, unit), rows, owner, quantity, elements, value.place)
            case CopyValue(of=of, scale=scale):
                return scale * self._copied(of, owner, quantity, elements, value.place)
            case TargetValue(target=target, field=name):
                return self._arranged(self.target(target)[name], "target", owner, quantity, elements, value.place)

    def _entries(self, value: FileValue) -> Entries | None:
        """What a file stores, if it is a sparse matrix."""
        return read_entries(Path(self.network.folder) / value.file, value.dataset)

    def _at(self, entries: Entries, value: FileValue, unit: str, name: str, elements: Elements) -> NDArray[np.float64]:
        """The values of a sparse matrix at the synapses."""
        source, shape = value.rows == "source", elements.shape
        if elements.pre is None or elements.post is None or entries.shape != (shape if source else shape[::-1]):
            text = f"{name}: {quoted(value.file)} is a sparse matrix of the shape {entries.shape}, needed is "
            raise InvalidInput.one(value.place, text + _shape(shape, value.rows))
        ends = (elements.pre, elements.post) if source else (elements.post, elements.pre)
        try:
            numbers = np.asarray(entries.at(*ends), np.float64)
        except Wrong as error:
            raise InvalidInput.one(value.place, f"{name}: {quoted(value.file)} {error}") from None
        return numbers * self._factor(value.unit, unit)

    def _stored(self, value: ArrayValue | FileValue | DataValue, unit: str) -> NDArray[np.float64]:
        """The numbers of an array, a file or a data set in their own shape, in coherent units."""
        data: NDArray[np.generic]
        match value:
            case ArrayValue(values=values):
                data = values.array
            case FileValue(file=file, dataset=dataset):
                data = read_dataset(Path(self.network.folder) / file, dataset)
            case DataValue(data=name, part=part, field=field, scale=scale, offset=offset):
                data = offset + scale * datasets.load(name, part, field, dict(value.options))
        numbers = np.asarray(data, np.float64)
        with np.errstate(over="ignore"):  # what is not finite is told by whoever asks for it
            return numbers * self._factor(value.unit, unit)

    def _factor(self, given: str, unit: str) -> float:
        """What numbers in a unit are multiplied by; where they are for a weight without one, to those of its input."""
        if not (given or unit):
            return 1.0
        return float(self.number(Quantity(1, given or unit), unit or units.coherent_unit(given)))

    def _copied(
        self, of: str, owner: str, quantity: str, elements: Elements, place: Place | None
    ) -> NDArray[np.float64]:
        """The initial values of another projection's variable, by the neurons of the synapses."""
        if of in self.made and elements.axes and elements.axes == self.made[of][1].axes:
            return np.asarray(self.made[of][0], np.float64)
        if of not in self.made or not (elements.axes or elements.pre is not None):
            known = ", ".join(self.made) or "none"
            text = f"{owner}.{quantity} is to be the same as '{of}', which is no variable of an earlier projection; "
            raise InvalidInput.one(place, f"{text}there are: {known}")
        values, other = self.made[of]
        if elements.axes or other.axes:
            text = f"{owner}.{quantity} is {_elements(elements)} and '{of}' {_elements(other)}; "
            raise InvalidInput.one(place, f"{text}connect both in one way, or give this one a value of its own")
        assert elements.pre is not None
        assert elements.post is not None
        if other.shape != elements.shape or other.pre is None or other.post is None:
            text = f"{owner}.{quantity} connects {elements.shape} neurons and '{of}' {other.shape}; they must be equal"
            raise InvalidInput.one(place, text)
        targets = elements.shape[1]
        pairs, others = elements.pre * targets + elements.post, other.pre * targets + other.post
        at = np.searchsorted(others, pairs, side="right") - 1
        if not np.array_equal(others[at], pairs) if len(others) else len(pairs):
            text = f"{owner}.{quantity} has synapses where '{of}' has none; connect the same pairs"
            raise InvalidInput.one(place, text)
        return np.asarray(values[at], np.float64)

    def target(self, name: str) -> dict[str, NDArray[np.float64]]:
        """The fields of a target, computed once."""
        if name not in self._targets:
            target = next(t for t in self.network.targets if t.name == name)
            self._targets[name] = boltzmann(target.weights.array, target.biases.array)
        return self._targets[name]

    def _arranged(
        self,
        numbers: NDArray[np.float64],
        rows: str,
        owner: str,
        quantity: str,
        elements: Elements,
        place: Place | None,
    ) -> NDArray[np.float64]:
        if numbers.ndim == 0 or numbers.shape == elements.axes:
            return numbers.reshape(-1) if numbers.ndim else numbers
        if numbers.ndim == 2 and elements.pre is not None and elements.post is not None:
            matrix = numbers if rows == "source" else numbers.T
            if matrix.shape == elements.shape:
                return np.asarray(matrix[elements.pre, elements.post], np.float64)
            wanted = _shape(elements.shape, rows)
        elif numbers.ndim == 1 and len(numbers) == elements.size:
            return numbers if elements.given is None else numbers[elements.given]
        else:
            wanted = f"({elements.size},)"
            if elements.axes:
                wanted += f" or {elements.axes}, the kernel's height, width, channels in of a group, channels out"
            elif elements.pre is not None:
                wanted += f" or {elements.shape} with `rows: source`"
        text = f"{owner}.{quantity} has shape {numbers.shape}, needed is {wanted}"
        raise InvalidInput.one(place, text)


def _shape(shape: tuple[int, int], rows: str) -> str:
    return f"{shape} (source, target)" if rows == "source" else f"{shape[::-1]} (target, source)"


def _elements(elements: Elements) -> str:
    """What has the numbers, in words."""
    if not elements.axes:
        return "of synapses"
    return f"of a kernel of {' x '.join(map(str, elements.axes))}"
