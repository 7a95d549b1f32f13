"""Where in a protocol a run is, as numbers that can be saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from neuroport.program.plan import Anneal, Capture, If, Item, Measure, Present, Repeat, Reset, Run, Set, Trigger

Done = Run | Present | Trigger | Set | Reset | Measure | Capture | Anneal
"""Items that do something by themselves."""
Path = tuple[int, ...]
"""The index of an item in the protocol; for one inside a repeat or an `if`, then the number of the round or of the
branch (0 `then`, 1 `else`) and the index in it, and so on. An index may lie just behind the last item of its list.
"""


@dataclass(frozen=True, slots=True)
class Plateau:
    """How an anneal item has seen its metric: measurements looked at, the least, and how many since were no less."""

    seen: int = 0
    least: float = float("inf")
    above: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """Where in its protocol a session is.

    path, steps: the item that comes next, or that `steps` > 0 steps of were computed, some maybe by hand; no path:
    none is under way.
    acted: how much of what is to be done in its patterns before the next step has been done. begin: the step at which
    the protocol began. length: what T was set to last. presentations: how often the patterns of that name were
    presented. gone_on: how many of them were shown by items that go on. plateaus: of anneal items, by their path with
    round 0 of every repeat.
    """

    path: Path = ()
    steps: int = 0
    begin: int = 0
    length: int | None = None
    presentations: Mapping[str, int] = field(default_factory=dict)
    plateaus: Mapping[Path, Plateau] = field(default_factory=dict)
    acted: int = 0
    gone_on: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Level:
    """A list of items, the index of one, the number of the round or branch that it is, and the variables there."""

    items: Sequence[Item]
    at: int
    choice: int
    variables: Mapping[str, int]


class Cursor:
    """Walks through a protocol item by item. ValueError for a path that it does not have."""

    def __init__(self, items: Sequence[Item], path: Path = (0,)) -> None:
        if len(path) % 2 == 0:
            raise ValueError(path)
        self._levels = [_Level(items, path[0], 0, {})]
        for choice, at in zip(path[1::2], path[2::2], strict=True):
            self._enter(choice, at)
        if not all(0 <= level.at <= len(level.items) for level in self._levels):
            raise ValueError(path)

    def check(self, steps: int, acted: int = 0) -> None:
        """ValueError if so many steps of the item cannot have been computed, or so many actions done after them."""
        level = self._levels[-1]
        item = level.items[level.at] if level.at < len(level.items) else None
        length, due = (item.steps, item.due(steps)) if isinstance(item, Run | Present) else (0, ())
        if not (0 <= steps <= length and 0 <= acted <= len(due)):
            raise ValueError(steps, acted)

    @property
    def path(self) -> Path:
        """Where it is."""
        inner = (number for level in self._levels[1:] for number in (level.choice, level.at))
        return (self._levels[0].at, *inner)

    @property
    def place(self) -> Path:
        """Where the item stands in the protocol: its path with round 0 of every repeat."""
        path, around = list(self.path), self._levels[:-1]
        for k, level in enumerate(around):
            if isinstance(level.items[level.at], Repeat):
                path[2 * k + 1] = 0
        return tuple(path)

    @property
    def item(self) -> Done | None:
        """The first item from here on that does something by itself, to which it moves; None at the end."""
        while True:
            level = self._levels[-1]
            if level.at < len(level.items):
                item = level.items[level.at]
                if not isinstance(item, Repeat | If):
                    return item
                if isinstance(item, If):
                    self._enter(0 if item.condition.holds(level.variables) else 1)
                elif item.count:
                    self._enter(0)
                else:
                    level.at += 1
            elif len(self._levels) > 1:
                self._leave()
            else:
                return None

    def advance(self) -> None:
        """Go on to what stands behind the item."""
        self._levels[-1].at += 1

    def _enter(self, choice: int, at: int = 0) -> None:
        """Go into the repeat or `if` where it is."""
        level = self._levels[-1]
        item = level.items[level.at] if 0 <= level.at < len(level.items) else None
        if isinstance(item, Repeat) and 0 <= choice < item.count:
            self._levels.append(_Level(item.do, at, choice, {**level.variables, item.variable: choice}))
        elif isinstance(item, If) and choice in (0, 1):
            self._levels.append(_Level((item.then, item.otherwise)[choice], at, choice, level.variables))
        else:
            raise ValueError(choice)

    def _leave(self) -> None:
        """Go on behind the end of a round or a branch."""
        left, level = self._levels.pop(), self._levels[-1]
        item = level.items[level.at]
        if isinstance(item, Repeat) and left.choice + 1 < item.count:
            self._enter(left.choice + 1)
        else:
            level.at += 1
