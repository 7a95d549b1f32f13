"""What a host adds to inputs: added up by step, checked as a whole, and rounded once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.program.executor import Executor
from neuroport.program.held import shown
from neuroport.program.ir import Int, Numbers
from neuroport.program.machine import Array
from neuroport.session.host import Checker, numbers

_FEW, _SMALL = 2**20, 2**40
"""So many ints so small add up to less than 63 bits."""


class Addition(NamedTuple):
    """Numbers that a host adds to an input: of the neurons `cells` (k,), values (k,), or (k, copies) in a batch."""

    array: Array
    cells: NDArray[np.int64]
    values: Numbers


class Injected(NamedTuple):
    """What was injected into an input for one step, in real units and as the input holds it."""

    step: int
    values: Numbers
    raw: Numbers


@dataclass(eq=False, slots=True)
class _Sums:
    """What will be injected into an input, in real units: totals[k] in every step from starts[k] until the next."""

    starts: list[int]
    totals: list[Numbers]

    def since(self, step: int) -> _Sums:
        """Those of the steps from there on, to be changed by themselves."""
        gone = max(bisect_right(self.starts, step) - 1, 0)
        return _Sums(self.starts[gone:], self.totals[gone:])

    def cut(self, step: int) -> int:
        """Have a piece begin at that step, which is none of the past; its number."""
        at = bisect_right(self.starts, step)
        if self.starts[at - 1] == step:
            return at - 1
        self.starts.insert(at, step)
        self.totals.insert(at, self.totals[at - 1])
        return at

    def add(self, first: int, end: int, more: Callable[[Numbers], Numbers]) -> list[Numbers]:
        """Add more in the steps from `first` until before `end`; the totals that are new."""
        a, b = self.cut(first), self.cut(end)
        self.totals[a:b] = new = [more(total) for total in self.totals[a:b]]
        return new

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return len(self.totals) * self.totals[0].size


@dataclass(eq=False)
class Intent:
    """What additions would come to that have been checked and not been made: for the coming step, and for later."""

    made: list[tuple[Addition, Injected]] = field(default_factory=list)
    now: dict[str, Injected] = field(default_factory=dict)
    later: dict[str, _Sums] = field(default_factory=dict)


class Injections:
    """Adds to the inputs of a machine, and knows what is added for the coming step and for later ones."""

    def __init__(self, checker: Checker, executor: Executor) -> None:
        self._checker, self._executor = checker, executor
        self._quick: Callable[[str, Numbers], None] | None = getattr(executor, "add", None)
        self._now: dict[str, Injected] = {}
        self._later: dict[str, _Sums] = {}
        self._nothing: dict[tuple[str, str], Injected] = {}
        self._all: dict[str, NDArray[np.int64]] = {}

    def cells(self, array: Array, neurons: Any) -> NDArray[np.int64]:
        """The numbers of neurons that an input has (None: all of them); InvalidInput for others."""
        if neurons is not None:
            return cells_of(array, neurons)
        if array.name not in self._all:
            self._all[array.name] = np.arange(len(array.initial))
        return self._all[array.name]

    @property
    def injected(self) -> dict[str, Injected]:
        """What was injected for the coming step, by input."""
        return {name: sum_ for name, sum_ in self._now.items() if sum_.step == self._executor.step}

    def hold(self, injected: Mapping[str, Injected], later: Iterable[tuple[Addition, int, int]]) -> None:
        """Hold what was injected elsewhere, which the executor has already, and what was noted for steps to come."""
        intent = Intent()
        self._now, self._later = {}, {}
        for one, first, end in later:
            self.intend(intent, one, first, end)
        self._now, self._later = dict(injected), intent.later

    def intend(self, intent: Intent, one: Addition, first: int, end: int) -> None:
        """Note what an addition to the steps from `first` until before `end` comes to, beside what is noted there.

        InvalidInput where all that is injected into a neuron for one step leaves the range of the input.
        """
        name, coming = one.array.name, self._executor.step
        if first == coming:
            values = self._total((intent.now.get(name) or self._so_far(one)).values, one)
            after = Injected(coming, values, self._checker.added(one.array, values, one.values, one.cells))
            intent.now[name] = after
            intent.made.append((one, after))
            first += 1
        if first < end:
            if name not in intent.later:
                intent.later[name] = (self._later.get(name) or _nothing(one)).since(coming)
            for total in intent.later[name].add(first, end, lambda total: self._total(total, one)):
                self._checker.added(one.array, total, one.values, one.cells)

    def accept(self, intent: Intent) -> None:
        """Add to the coming step, and have stand what is noted for steps to come."""
        if intent.later:
            step = self._executor.step
            self._later = {n: sums for n, sums in self._later.items() if sums.starts[-1] > step} | intent.later
        for one, after in intent.made:
            self._add(one, self._so_far(one), after)

    def make(self, one: Addition) -> None:
        """Add to the coming step what was checked when it was noted."""
        before = self._so_far(one)
        values = self._total(before.values, one)
        self._add(one, before, Injected(self._executor.step, values, self._checker.held(one.array, values)))

    def _add(self, one: Addition, before: Injected, after: Injected) -> None:
        name = one.array.name
        self._now[name] = after
        whole = isinstance(one.array.type, Int)
        if whole and self._quick is not None:
            self._quick(name, after.raw - before.raw)
            return
        held = self._executor.read(name)
        if whole:
            held = held + (after.raw - before.raw)
        else:
            np.add.at(held, one.cells, one.values)
        self._executor.write(name, held)

    def replaced(self, array: Array, values: Numbers, raw: Numbers) -> None:
        """Note that an input was set to values, whatever had been added to it."""
        self._now[array.name] = Injected(self._executor.step, np.array(values), raw)

    def forget(self, names: Iterable[str]) -> None:
        """Note that these inputs were cleared."""
        for name in names:
            self._now.pop(name, None)

    def forget_some(self, names: Iterable[str], neurons: NDArray[np.int64]) -> None:
        """Note that these inputs of some neurons were cleared."""
        for name in set(names) & self._now.keys():
            known = self._now[name]
            values, raw = known.values.copy(), known.raw.copy()
            values[neurons], raw[neurons] = 0, 0
            self._now[name] = Injected(known.step, values, raw)

    def _so_far(self, one: Addition) -> Injected:
        known = self._now.get(one.array.name)
        if known is not None and known.step == self._executor.step:
            return known
        key = (one.array.name, one.values.dtype.kind)
        if key not in self._nothing:
            initial = one.array.initial
            self._nothing[key] = Injected(-1, np.zeros(initial.shape, one.values.dtype), np.zeros_like(initial))
        return self._nothing[key]

    def _total(self, before: Numbers, one: Addition) -> Numbers:
        """What was added to an input, with an addition: of ints that need more than 63 bits, float64 numbers."""
        if one.values.dtype.kind == "i" and not (_is_short(one.array) and _are_few(one.values)):
            return _long_total(before, one)
        return before + one.values if one.cells is self._all.get(one.array.name) else _total(before, one)

    def waiting(self, intent: Intent) -> int:
        """How many numbers the sums of steps to come have, with what is noted."""
        return sum(sums.size for sums in (self._later | intent.later).values())


def _nothing(one: Addition) -> _Sums:
    return _Sums([0], [np.zeros(one.array.initial.shape, one.values.dtype)])


def _total(before: Numbers, one: Addition) -> Numbers:
    """The sums with an addition."""
    total = before.copy()
    np.add.at(total, one.cells, one.values)
    return total


def _long_total(before: Numbers, one: Addition) -> Numbers:
    """The sums of ints with an addition, in as many bits as they need; float64 numbers if these are more than 63."""
    total: Any = before.astype(object)
    np.add.at(total, one.cells, one.values)
    return numbers(one.array.name, total)


def _is_short(array: Array) -> bool:
    """Whether what an array holds has so few bits that a few more values cannot add up to more than 63."""
    return isinstance(array.type, Int) and array.type.lo > -(2**61) and array.type.hi < 2**61


def _are_few(values: Numbers) -> bool:
    """Whether there are so few ints, and so small ones, that they add up to less than 61 bits."""
    return values.size < _FEW and not np.count_nonzero(np.abs(values) >= _SMALL)


def cells_of(array: Array, neurons: Any) -> NDArray[np.int64]:
    """The numbers of elements of an array that there are (None: all of them); InvalidInput for others."""
    if array.at == "scalar":
        raise InvalidInput.one(None, f"'{array.name}' is one number; leave the neurons out")
    return numbers_within(array, neurons, len(array.initial), f"'{array.owner}'")


def numbers_within(array: Array, neurons: Any, size: int, what: str) -> NDArray[np.int64]:
    """Numbers of elements below `size` (None: all); InvalidInput for others, with `what` it is that has these."""

    def wrong(found: str) -> InvalidInput:
        text = f"{what} has the {array.at}s 0 to {size - 1}; found {found}; give their numbers"
        return InvalidInput.one(None, text)

    if neurons is None:
        return np.arange(size)
    if getattr(neurons, "dtype", None) == np.bool_ or _has_truth(neurons):
        raise wrong("truth values")
    cells = numbers(array.name, neurons)
    if cells.ndim == 0:
        cells = cells.reshape(1)
    if cells.ndim > 1:
        raise wrong(f"an array of the shape {cells.shape}")
    if not cells.size:
        return np.zeros(0, np.int64)
    if cells.dtype.kind != "i":
        raise wrong(f"{cells[0]}, a real number")
    odd = cells.view(np.uint64) >= size  # negative ones are large
    if np.count_nonzero(odd):
        raise wrong(shown(cells[odd][0]))
    return cells


def _has_truth(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_has_truth(one) for one in value)
    return isinstance(value, bool | np.bool_)


def spread(array: Array, cells: NDArray[np.int64], values: Numbers) -> Numbers:
    """One value for each neuron (and copy)."""
    shape = (*cells.shape, *array.initial.shape[1:])
    if values.shape == shape:
        return values
    spread = values[..., None] if len(shape) == 2 and values.ndim == 1 else values
    try:
        if values.shape == (1,) != cells.shape:
            raise ValueError
        return np.broadcast_to(spread, shape)
    except ValueError:
        many = f"{len(cells)} {array.at}s were" if len(cells) != 1 else f"1 {array.at} was"
        text = f"'{array.name}': {many} given values of the shape {values.shape}; give as many"
        raise InvalidInput.one(None, text) from None
