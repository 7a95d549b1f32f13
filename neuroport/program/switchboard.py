"""Dynamic parameters while a run goes on: what is set, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from neuroport.errors import RunFailed, located
from neuroport.program.constants import evaluate, real
from neuroport.program.executor import Executor
from neuroport.program.held import held, shown
from neuroport.program.ir import Apply, Expr, Int, Numbers, Read, Real, walk
from neuroport.program.machine import Array, Derived, Program
from neuroport.program.names import written
from neuroport.program.printer import expression
from neuroport.program.whole import NoValue


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """New values of parameters: as designed, with all that follows, and as arrays hold them (and how many lie beyond).

    Names are those of arrays.
    """

    designed: dict[str, Numbers]
    values: dict[str, Numbers]
    raws: dict[str, tuple[Numbers, int]]


@dataclass(frozen=True, eq=False)
class Switches:
    """What a switchboard was set to: what differs from the program's constants, by name.

    values, designed: with and without what circuits make of them. switched: the names that were set. saturated: as
    Switchboard has it.
    """

    values: Mapping[str, Numbers] = field(default_factory=dict)
    designed: Mapping[str, Numbers] = field(default_factory=dict)
    switched: tuple[str, ...] = ()
    saturated: Mapping[str, int] = field(default_factory=dict)


class Switchboard:
    """The current real values of a program's parameters, and how a change reaches an executor.

    `saturated` counts values that a specimen's circuits put beyond the format of an array: they stand at its end.
    """

    def __init__(self, program: Program) -> None:
        self.saturated: dict[str, int] = {}
        self._program = program
        self._values: dict[str, Numbers] = dict(program.constants)
        self._designed: dict[str, Numbers] = {name: d.value for name, d in program.designed.items()}
        self._switched: set[str] = set()
        self._deviating = set(program.designed)
        self._following = [(derived, _reads(derived)) for derived in program.derived]
        for derived, reads in self._following:
            if reads & self._deviating:
                self._deviating.add(derived.array)
        self._own = {name for name, array in program.arrays.items() if array.role == "parameter" and array.own}
        self._copies = [Switchboard(_in_copy(program, self._own, k)) for k in range(program.copies if self._own else 0)]

    @property
    def switches(self) -> Switches:
        """What it was set to."""
        constants, designed = self._program.constants, self._program.designed
        return Switches(
            {name: v for name, v in self._values.items() if v is not constants.get(name)},
            {name: v for name, v in self._designed.items() if v is not designed[name].value},
            tuple(sorted(self._switched)),
            dict(self.saturated),
        )

    def hold(self, switches: Switches) -> None:
        """Hold what another one was set to; the executor has its arrays already."""
        self._values = {**self._program.constants, **switches.values}
        self._designed = {**{name: d.value for name, d in self._program.designed.items()}, **switches.designed}
        self._switched, self.saturated = set(switches.switched), dict(switches.saturated)
        self._tell_copies()

    def value(self, name: str) -> Numbers:
        """What a parameter is set to: one number, or one per element, before any circuit deviates."""
        return self._designed.get(name, self._values[name])

    def settings(self) -> dict[str, Numbers]:
        """The parameters that were switched, by name, with what each is set to."""
        return {name: self.value(name) for name in self._values if name in self._switched}

    def set(self, executor: Executor, changes: Mapping[str, ArrayLike]) -> None:
        """Give dynamic parameters new real values (coherent units) and recompute all that follows from them.

        A value is one number for all elements, or one each; of what each copy has of its own one for all or one for
        each copy. The circuits of a specimen deviate from it as they do. RunFailed, and nothing has changed, for a
        value outside the range that was declared, or from which no finite number follows.
        """
        change = self.checked(changes)
        self.accept(change)
        for name, (raw, _) in change.raws.items():
            executor.write(name, raw)

    def accept(self, change: Change) -> None:
        """Hold what a change comes to."""
        self._designed |= {name: given for name, given in change.designed.items() if name in self._program.designed}
        self._values = change.values
        self._switched |= set(change.designed)
        for name, (_, beyond) in change.raws.items():
            self.count(self._program.arrays[name], beyond)
        self._tell_copies()

    def _tell_copies(self) -> None:
        """Let each copy have what it has of the values."""
        for k, copy in enumerate(self._copies):
            copy._values = _of_copy(self._values, self._own, k)
            copy._designed = _of_copy(self._designed, self._own, k)

    def checked(self, changes: Mapping[str, ArrayLike]) -> Change:
        """What `set` would come to; RunFailed where it would be refused."""
        if self._reaches_own(changes):
            each = [_of_copy(changes, self._own, k) for k in range(len(self._copies))]
            return stacked(self._program, [copy.checked(own) for copy, own in zip(self._copies, each, strict=True)])
        designed = {name: self._checked(name, np.asarray(value)) for name, value in changes.items()}
        values = self._values | {name: self._by_circuits(name, numbers) for name, numbers in designed.items()}
        changed = list(designed)
        for derived, reads in self._following:
            if not reads.isdisjoint(changed):
                values[derived.array] = self._follows(derived, values, designed)
                changed.append(derived.array)
        raws = {name: self._raw(name, values[name]) for name in changed if name in self._program.arrays}
        return Change(designed, values, raws)

    def _reaches_own(self, changes: Iterable[str]) -> bool:
        """Whether what each copy has of its own is changed, or follows from what is."""
        changed = set(changes)
        changed.update(derived.array for derived, reads in self._following if reads & changed)
        return bool(changed & self._own)

    def saturating(self, array: Array, values: Numbers) -> tuple[Numbers, int]:
        """Values of deviating circuits as the array holds them, and how many lie beyond: these stand at an end."""
        raw, outside = held(values, array)
        return raw, int(outside.sum())

    def count(self, array: Array, beyond: int) -> None:
        """Count values that circuits put beyond the format of an array."""
        if beyond:
            self.saturated[array.name] = self.saturated.get(array.name, 0) + beyond

    def _checked(self, name: str, value: Numbers) -> Numbers:
        """New numbers for a parameter, inside its declared range and in the shape of its values."""
        array = self._program.arrays.get(name)
        designed = self._program.designed.get(name)
        limits = designed.range if designed is not None else array.range if array is not None else None
        low, high = limits or (-np.inf, np.inf)
        wrong = value[~(np.isfinite(value) & (value >= low) & (value <= high))]
        if wrong.size:
            allowed = f"{shown(low)} .. {shown(high)}, its declared range" if limits else "the finite numbers"
            text = f"{written(name)} = {shown(wrong[0])} is outside {allowed}; give a value inside"
            raise self._failed(name, f"{text}, or widen the range" if limits else text)
        now = self._values.get(name)
        integer = now.dtype.kind == "i" if now is not None else _is_int(self._program, array)
        if integer and np.any(value != np.floor(value)):
            text = f"{written(name)} is an int, and {shown(value[value != np.floor(value)][0])} was given; round it"
            raise self._failed(name, text)
        shape = np.shape(now) if now is not None else () if array is None else array.initial.shape
        return np.array(np.broadcast_to(value, shape), np.int64 if integer else np.float64)

    def _by_circuits(self, name: str, numbers: Numbers) -> Numbers:
        designed = self._program.designed.get(name)
        return numbers if designed is None else designed.made(numbers)

    def _follows(self, derived: Derived, values: Mapping[str, Numbers], changes: Mapping[str, Numbers]) -> Numbers:
        """The new value of a derived constant."""
        try:
            numbers = evaluate(derived.value, values)
            reason = "" if np.all(np.isfinite(numbers)) else f"is not finite{_cause(derived.value, values)}"
        except NoValue as error:
            numbers, reason = np.zeros(0), error.reason
        if reason:
            when = ", ".join(f"{written(name)} = {shown(np.ravel(v)[0])}" for name, v in changes.items())
            text = f"{derived.array} = {expression(derived.value)} {reason} when {when}; choose another value"
            raise self._failed(derived.array, text)
        return numbers

    def _raw(self, name: str, values: Numbers) -> tuple[Numbers, int]:
        """Values as the array holds them, and how many of them circuits put beyond its format."""
        array = self._program.arrays[name]
        values = np.broadcast_to(values, array.initial.shape)
        if name in self._deviating:
            return self.saturating(array, values)
        raw, outside = held(values, array)
        if outside.any() and isinstance(array.type, Int):
            low, high = (shown(end) for end in real(np.array([array.type.lo, array.type.hi]), array))
            text = f"is outside {low} .. {high}, what it holds on chip '{self._program.chip}'; give it a wider range"
            raise self._failed(name, f"{written(name)} = {shown(values[outside].flat[0])} {text}")
        return raw, 0

    def _failed(self, name: str, text: str) -> RunFailed:
        """What to raise about a parameter."""
        array = self._program.arrays.get(name)
        return RunFailed(located([None if array is None else array.place], text))


def _in_copy(program: Program, own: Collection[str], k: int) -> Program:
    """What is of one copy in a batch, as far as its parameters go."""
    arrays = {n: replace(a, initial=a.initial[..., k]) if n in own else a for n, a in program.arrays.items()}
    designed = {n: replace(d, value=d.value[..., k]) if n in own else d for n, d in program.designed.items()}
    constants = _of_copy(program.constants, own, k)
    return replace(program, arrays=arrays, constants=constants, designed=designed, copies=1)


def _of_copy(values: Mapping[str, ArrayLike], own: Collection[str], k: int) -> dict[str, Any]:
    """Of what each copy has of its own that of one, where there is one for each; of all else what there is."""
    return {n: np.asarray(v)[..., k] if n in own and np.ndim(v) else v for n, v in values.items()}


def stacked(program: Program, changes: Sequence[Change]) -> Change:
    """The changes of all copies as one: what each copy has of its own with an axis of copies behind, and the rest."""

    def together(of: Callable[[Change], Mapping[str, Numbers]]) -> dict[str, Numbers]:
        first = of(changes[0])
        return {name: joined(name, [of(change)[name] for change in changes]) for name in first}

    def joined(name: str, each: Sequence[Numbers]) -> Numbers:
        array = program.arrays.get(name)
        return np.stack(each, axis=-1) if array is not None and array.varied else each[0]

    def raws(change: Change) -> dict[str, Numbers]:
        return {name: raw for name, (raw, _) in change.raws.items()}

    beyond = {name: sum(change.raws[name][1] for change in changes) for name in changes[0].raws}
    return Change(
        together(lambda change: change.designed),
        together(lambda change: change.values),
        {name: (raw, beyond[name]) for name, raw in together(raws).items()},
    )


def _reads(derived: Derived) -> set[str]:
    return {e.array for e in walk(derived.value) if isinstance(e, Read)}


def _is_int(program: Program, array: Array | None) -> bool:
    return array is not None and not program.integer and isinstance(array.type, Int)


def _cause(expr: Expr, values: Mapping[str, Numbers]) -> str:
    """The first part of an expression that is not finite, with what it is computed from."""
    for part in walk(expr):
        if isinstance(part, Apply) and isinstance(part.type, Real):
            numbers = np.atleast_1d(evaluate(part, values))
            if not np.all(np.isfinite(numbers)):
                at = int(np.argmin(np.isfinite(numbers)))
                given = [np.broadcast_to(evaluate(a, values), numbers.shape)[at] for a in part.args]
                return f" ({part.fn} of {', '.join(shown(x) for x in given)})"
    return ""
