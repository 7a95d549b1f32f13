"""How a program is to be run and looked at: what elaboration makes of a network beside its program.

A plan has whole steps, coherent numbers and names that are there. Program and plan together are a compiled experiment:
they can be stored, sent to another machine and run there by who knows neither network files nor models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Place
from neuroport.metrics import Metric
from neuroport.numerics import units
from neuroport.numerics.parts import Part
from neuroport.numerics.units import Quantity
from neuroport.program.condition import Condition
from neuroport.program.machine import Program, Series

Order = Literal["sequential", "shuffle", "choice"]
LATER = {"later": True}
"""Of fields that plans did not have at first: what is saved of a plan without them tells nothing of them."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Do the items `count` times; `variable` counts from 0 in the conditions inside."""

    count: int
    variable: str
    do: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Compute that many steps, with these readouts active."""

    steps: int
    readouts: tuple[str, ...] = ()

    def due(self, steps: int) -> tuple[()]:
        """What is done after so many steps of it."""
        return ()

    def next(self, steps: int) -> int:
        """After how many steps something is done that comes after so many; all of them if nothing does."""
        return self.steps


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is done in every pattern after so many of its steps."""

    at: int
    do: Trigger | Set | Reset


@dataclass(frozen=True, slots=True)
class Present:
    """Show patterns one after another, `holds` of them in every copy, each for `hold` steps, with these readouts.

    `series`: those that show, the one that gives the order first by its name `patterns`. `each`: what is done in every
    pattern, in the order of its steps. `goes_on`: the patterns that come next, after those of the last such item.
    """

    patterns: str
    series: tuple[str, ...]
    order: Order
    holds: int
    hold: int
    readouts: tuple[str, ...] = ()
    each: tuple[Action, ...] = field(default=(), metadata=LATER)
    goes_on: bool = field(default=False, metadata=LATER)

    @property
    def steps(self) -> int:
        """How many steps it takes."""
        return self.holds * self.hold

    def due(self, steps: int) -> tuple[Trigger | Set | Reset, ...]:
        """What is done after so many steps of it: at the end of a pattern, then at the begin of the next one."""
        number, at = divmod(steps, self.hold)
        ended = [action.do for action in self.each if steps and not at and action.at == self.hold]
        return (*ended, *(action.do for action in self.each if number < self.holds and action.at == at))

    def next(self, steps: int) -> int:
        """After how many steps something is done that comes after so many; all of them if nothing does."""
        at = steps % self.hold
        times = [*(action.at for action in self.each), *(action.at + self.hold for action in self.each)]
        return min(self.steps, steps - at + min((time for time in times if time > at), default=self.steps))


@dataclass(frozen=True, slots=True)
class If:
    """One of two item lists, by a condition over the variables of the repeats around it."""

    condition: Condition
    then: tuple[Item, ...]
    otherwise: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Trigger:
    """Run every triggered block of that name."""

    event: str


@dataclass(frozen=True, slots=True)
class Set:
    """Give dynamic parameters new values, in coherent units; `some`: those of some neurons."""

    values: tuple[tuple[str, float | int], ...]
    some: tuple[tuple[str, Part, float | int], ...] = field(default=(), metadata=LATER)


@dataclass(frozen=True, slots=True)
class Reset:
    """Put populations, and `some` neurons of others, back to their initial state.

    `keep_learned`: but for what they learned.
    """

    populations: tuple[str, ...]
    keep_learned: bool = False
    some: tuple[tuple[str, Part], ...] = field(default=(), metadata=LATER)


@dataclass(frozen=True, slots=True)
class Measure:
    """Evaluate these metrics (none named: all)."""

    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """Make rows of readouts the patterns of stimuli: pairs of stimulus and readout.

    `all_shown`: refuse if a pattern was not shown; else it keeps its old values.
    """

    rows: tuple[tuple[str, str], ...]
    all_shown: bool = True
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Anneal:
    """Multiply parameters by a factor whenever a metric had more than `patience` measurements without a new minimum."""

    parameters: tuple[str, ...]
    by: float
    when: str
    patience: int = 0


Item = Repeat | Run | Present | If | Trigger | Set | Reset | Measure | Capture | Anneal


@dataclass(frozen=True, slots=True)
class Declared:
    """What a model says of a variable, parameter or input: its type and its unit ("": a pure number).

    `value`: of a parameter, what it is at first, in words.
    """

    type: Literal["real", "int"]
    unit: str = ""
    value: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Window:
    """The steps of a pattern, counted from 0, that a samples readout wants: start, start + every, … before `stop`.

    `reduce`: what becomes of them.
    """

    start: int
    stop: int | None
    every: int
    reduce: Literal["mean", "sum", "last"]

    def within(self, length: int) -> range:
        """Those of a pattern that lasts so long; only the last of them where the others are not needed."""
        wanted = range(self.start, length if self.stop is None else min(self.stop, length), self.every)
        return wanted[-1:] if self.reduce == "last" else wanted


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """What to do with a program, what to measure and record, and what a host may say to it.

    `dt`: for times that are given by hand. `declared`: OBJECT.NAME of all that a host may set. `windows`: of the
    samples readouts. `labels`: int64 (patterns,) by stimulus. `distributions`: TARGET.p -> float64 (states,).
    `spikes`: the populations whose spikes are recorded; `parts`: of some of them only these neurons, int64 (n,),
    ascending. `weights`: arrays that are sampled, each with the steps between
    two samples.
    """

    dt: Quantity
    protocol: tuple[Item, ...] = ()
    declared: Mapping[str, Declared] = field(default_factory=dict)
    windows: Mapping[str, Window] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    labels: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    distributions: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    spikes: tuple[str, ...] = ()
    parts: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    weights: tuple[tuple[str, int], ...] = ()


def walk(items: tuple[Item, ...]) -> Iterator[Item]:
    """All items with those inside of them."""
    for item in items:
        yield item
        if isinstance(item, Repeat):
            yield from walk(item.do)
        elif isinstance(item, If):
            yield from walk(item.then)
            yield from walk(item.otherwise)
        elif isinstance(item, Present):
            yield from (action.do for action in item.each)


def lengths(items: tuple[Item, ...]) -> Iterator[int]:
    """The steps of every run and present item that the items may come to."""
    return (item.steps for item in walk(items) if isinstance(item, Run | Present))


LOOKED_AT = 100_000
"""Conditions that are evaluated at most to say how long a protocol is."""


def total_steps(items: tuple[Item, ...]) -> int:
    """How many steps the items take; at most, where that depends on more than LOOKED_AT conditions."""
    return _steps(items, {}) if _conditions(items) <= LOOKED_AT else _steps_at_most(items)


def _steps(items: tuple[Item, ...], variables: Mapping[str, int]) -> int:
    """How many steps the items take, with these variables of the repeats around them."""
    total = 0
    for item in items:
        match item:
            case Run() | Present():
                total += item.steps
            case If():
                total += _steps(item.then if item.condition.holds(variables) else item.otherwise, variables)
            case Repeat() if not _conditions(item.do):
                total += item.count * _steps(item.do, variables)
            case Repeat():
                total += sum(_steps(item.do, {**variables, item.variable: k}) for k in range(item.count))
            case _:
                pass
    return total


def _conditions(items: tuple[Item, ...]) -> int:
    """How many conditions have to be evaluated to know how many steps the items take, about."""
    total = 0
    for item in items:
        match item:
            case If():
                total += 1 + _conditions(item.then) + _conditions(item.otherwise)
            case Repeat():
                total += item.count * _conditions(item.do)
            case _:
                pass
    return total


def _steps_at_most(items: tuple[Item, ...]) -> int:
    """How many steps the items take if every condition chooses the longer branch."""
    total = 0
    for item in items:
        match item:
            case Run() | Present():
                total += item.steps
            case If():
                total += max(_steps_at_most(item.then), _steps_at_most(item.otherwise))
            case Repeat():
                total += item.count * _steps_at_most(item.do)
            case _:
                pass
    return total


def patterns_of(name: str, program: Program) -> Series:
    """The series that holds the patterns of that name."""
    return next(s for s in program.series if s.name == name and s.order == "item")


def number_of_patterns(series: Series) -> int:
    """The number of patterns in a series of order "item"."""
    return len(series.table) // series.frames


def coherent(value: Quantity, declared: Declared | None, dt: Quantity) -> float | int:
    """A quantity for what was declared so, in the coherent system or in steps. UnitError for another dimension."""
    if not value.unit:
        return value.number
    if declared is not None and units.is_step(declared.unit):
        return float(units.steps(value, dt))
    if declared is not None and units.dimension(value.unit) != units.dimension(declared.unit):
        raise units.UnitError(f"{units.show(value)} is not in {declared.unit or 'the unit of a pure number'}")
    return units.coherent(value.number, value.unit)[0]
