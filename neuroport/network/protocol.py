"""What is done in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from neuroport.errors import InvalidInput, Place
from neuroport.network.model import Expression
from neuroport.numerics.parts import Part
from neuroport.numerics.units import Quantity


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
    """Simulate while `patterns` shows `count` of its patterns (None: each once).

    `each`: what is done in every pattern, by its time in it. `goes_on`: the patterns that come next, after those that
    the last item of this kind showed.
    """

    patterns: str
    count: int | None = None
    readouts: tuple[str, ...] = ()
    each: tuple[Action, ...] = ()
    goes_on: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that is done in every pattern once that much of it was shown; `at` None: all of it."""

    at: Quantity | None
    do: Trigger | Set | Reset
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
    """Give dynamic parameters (OBJECT.PARAMETER) new values; * in OBJECT stands for any text.

    `some`: those of some neurons of a population, by full names.
    """

    values: tuple[tuple[str, Quantity], ...]
    some: tuple[tuple[str, Part, Quantity], ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Put populations back to their initial state, with their spikes in flight discarded.

    `keep_learned`: their variables of class plastic stay as they are. `some`: populations of which some neurons are.
    """

    populations: tuple[str, ...]
    keep_learned: bool = False
    some: tuple[tuple[str, Part], ...] = ()
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


def dealt(item: Present, count: int, copies: int) -> int:
    """How many of `count` patterns each copy is shown, one per hold. InvalidInput if some are left over."""
    if count % copies:
        fitting = max(1, count // copies) * copies
        text = f"'present' deals {count} patterns to {copies} copies, which leaves {count % copies} over; "
        raise InvalidInput.one(item.place, f"{text}show a multiple of {copies}, such as count: {fitting}")
    return count // copies
