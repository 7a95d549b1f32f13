"""What is done in which order, and how many steps a time is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from neuroport.errors import InvalidInput, Place
from neuroport.network import units
from neuroport.network.model import Expression
from neuroport.network.values import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """Do the items `count` times; `variable` counts from 0 and can be used in conditions inside."""

    count: int
    variable: str
    do: tuple[Item, ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Simulate for a time, with these readouts active."""

    duration: Quantity
    readouts: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Simulate while `patterns` shows `count` of its patterns (None: each once)."""

    patterns: str
    count: int | None = None
    readouts: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """One of two item lists, by a condition over the variables of enclosing repeats."""

    condition: Expression
    then: tuple[Item, ...]
    otherwise: tuple[Item, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Run every triggered block of this name, in file order (populations, then projections)."""

    event: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Give dynamic parameters (OBJECT.PARAMETER) new values; * in OBJECT stands for any text."""

    values: tuple[tuple[str, Quantity], ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Put populations back to their initial state, with their spikes in flight discarded.

    `keep_learned`: their variables of class plastic stay as they are.
    """

    populations: tuple[str, ...]
    keep_learned: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Evaluate these metrics now."""

    metrics: tuple[str, ...]
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Make rows of readouts the patterns of stimuli, by pattern number: pairs of stimulus and readout.

    `all_shown`: refuse if a pattern was not shown; else it keeps its old values.
    """

    rows: tuple[tuple[str, str], ...]
    all_shown: bool = True
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Anneal:
    """Multiply dynamic parameters by a factor once a metric has stayed above its minimum for too long.

    At more than `patience` measurements in a row without a new minimum; the count then starts again.
    """

    parameters: tuple[str, ...]
    by: float
    when: str
    patience: int = 0
    place: Place | None = field(default=None, compare=False)


Item = Repeat | Run | Present | If | Trigger | Set | Reset | Measure | Capture | Anneal


_TIMES = "give a number of steps or a time such as '100 ms'"


def walk(items: tuple[Item, ...]) -> Iterator[Item]:
    """All items with those inside of them."""
    for item in items:
        yield item
        if isinstance(item, Repeat):
            yield from walk(item.do)
        elif isinstance(item, If):
            yield from walk(item.then)
            yield from walk(item.otherwise)


def whole_steps(duration: Quantity, dt: Quantity) -> int:
    """The number of steps that a time is. InvalidInput when it is no time or no whole number of steps."""
    try:
        steps = units.steps(duration, dt)
    except units.UnitError as error:
        raise InvalidInput.one(None, f"{error}; {_TIMES}") from None
    if steps.denominator == 1:
        return int(steps)
    above = math.ceil(steps)
    if units.is_step(duration.unit):
        raise InvalidInput.one(
            None, f"{units.show(duration)} cannot be computed; give a whole number, such as {above} steps"
        )
    fitting = f"{float(units.exact(dt) * above):.12g} ms"
    text = (
        f"{units.show(duration)} is {float(steps):.12g} steps of {units.show(dt)}; "
        f"give a whole number of steps, such as {fitting}"
    )
    raise InvalidInput.one(None, text)


def steps_of(duration: float | str | Quantity, dt: Quantity) -> int:
    """The number of steps of a number of steps, a time, or the text of one: 500, "500", "500 steps", "100 ms".

    InvalidInput when it is no whole number of steps.
    """
    if isinstance(duration, int | np.integer):
        return int(duration)
    if isinstance(duration, float):
        text = f"{duration!r} is neither a number of steps nor a time; give 500, '500 steps' or '100 ms'"
        raise InvalidInput.one(None, text)
    if isinstance(duration, str):
        try:
            duration = units.parse(duration)
        except units.UnitError as error:
            raise InvalidInput.one(None, str(error)) from None
        if not duration.unit:
            duration = replace(duration, unit="steps")
    return whole_steps(duration, dt)


def dealt(item: Present, count: int, copies: int) -> int:
    """How many of `count` patterns each copy is shown, one per hold. InvalidInput if some are left over."""
    if count % copies:
        fitting = max(1, count // copies) * copies
        text = f"'present' deals {count} patterns to {copies} copies, which leaves {count % copies} over; "
        raise InvalidInput.one(item.place, f"{text}show a multiple of {copies}, such as count: {fitting}")
    return count // copies
