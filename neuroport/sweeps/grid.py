"""A grid: values for settings, chips, specimens and run seeds, and the points that these make."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from neuroport.errors import Place, Problem
from neuroport.numerics import units
from neuroport.numerics.given import LARGEST_SEED, found, whole
from neuroport.numerics.units import Quantity
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode

SEEDS = ("chip_seed", "seed")
AXES = ("chip", *SEEDS)
"""What is no path of a setting."""
PREFIX = "set."
MOST = 100_000
"""Points of one sweep."""


class Wrong(Exception):
    """A value that no axis can have; the text says why."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of a setting, whose name is a path as after --set, or of `chip`, `chip_seed` or `seed`."""

    name: str
    values: Sequence[Any]
    place: Place | None = None
    setting: bool = True

    @property
    def column(self) -> str:
        """What it is called beside other axes."""
        return column(self.name) if self.setting else self.name


@dataclass(frozen=True, slots=True)
class Point:
    """One run. `settings`: path -> value. None: the network's own chip or seed, or a chip with circuits as designed."""

    settings: tuple[tuple[str, Any], ...] = ()
    chip: str | None = None
    chip_seed: int | None = None
    seed: int | None = None

    def plain(self) -> dict[str, Any]:
        """As a line of a sweep has it."""
        return {"set": dict(self.settings), "chip": self.chip, "chip_seed": self.chip_seed, "seed": self.seed}


def texts(settings: Sequence[tuple[str, Any]]) -> list[str]:
    """Settings as after --set."""
    return [f"{path}={flow(value)}" for path, value in settings]


def flow(value: Any) -> str:
    """A plain value as YAML in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def written(node: Node) -> Any:
    """What stands at a node, as a plain value."""
    if isinstance(node, ListNode):
        return [written(item) for item in node.items]
    if isinstance(node, MapNode):
        return {key: written(value) for key, _, value in node.values()}
    assert isinstance(node, ScalarNode)
    return node.value


def plain(value: Any) -> Any:
    """A value given in Python as one of a file. Wrong for what no file can hold."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Quantity):
        return units.show(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise Wrong(f"cannot hold {value}; give finite numbers")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, range | Sequence) and not isinstance(value, bytes):
        return [plain(inner) for inner in value]
    raise Wrong(f"cannot hold {found(value)}; give numbers, texts, lists or mappings")


def axis(name: str, given: Any, place: Place | None = None) -> Axis:
    """The axis of that name with a value or a list of values. Wrong where it can have none of them."""
    setting = name not in AXES
    name = name.removeprefix(PREFIX)
    if not all(part.strip() for part in name.split(".")):
        raise Wrong("is no path; write that of a setting, such as recurrent.eta_s, or chip, chip_seed or seed")
    values = _seeds(given) if name in SEEDS and not setting else _values(given)
    if not len(values):
        raise Wrong("has no values; give at least one")
    if name == "chip" and not setting:
        for value in values:
            if not isinstance(value, str) or not value:
                raise Wrong(f"holds {found(value)}; give names of chips, or paths of their descriptions")
    if not isinstance(values, range):
        _refuse_twice(values)
    return Axis(name, values, place, setting)


def column(path: str) -> str:
    """The name of a setting beside those of chips and seeds."""
    return f"{PREFIX}{path}" if path in AXES else path


def _values(given: Any) -> Sequence[Any]:
    value = plain(given)
    return value if isinstance(value, list) else [value]


def _seeds(given: Any) -> Sequence[int]:
    """Seeds: one, a list, a range, "FIRST:END" or {range: [FIRST, END]}; END is not one of them."""
    if isinstance(given, range) and given.step == 1:
        return _checked(given)
    if isinstance(given, Mapping) and set(given) == {"range"}:
        ends = given["range"]
        if isinstance(ends, list) and len(ends) == 2:
            return _between(*ends)
        raise Wrong(f"has the range {found(ends)}; give two whole numbers, such as {{range: [0, 100]}}")
    if isinstance(given, str) and given.count(":") == 1:
        return _between(*given.split(":"))
    return [_seed(value) for value in _values(given)]


def _between(first: Any, end: Any) -> Sequence[int]:
    ends = [int(e) if isinstance(e, str) and e.strip().isdecimal() else e for e in (first, end)]
    low, high = (_seed(e) for e in ends)
    if high <= low:
        raise Wrong(f"has no seed from {low} to before {high}, as the last number is not one; give one above the first")
    return _checked(range(low, high))


def _checked(seeds: range) -> range:
    if len(seeds):
        _seed(seeds[0])
        _seed(seeds[-1])
    return seeds


def _seed(value: Any) -> int:
    seed = whole(value)
    if seed is None or not 0 <= seed <= LARGEST_SEED:
        raise Wrong(f"holds {found(value)}; seeds are whole numbers from 0 to 2**63 - 1, such as 3, [1, 2] or 0:100")
    return seed


def _refuse_twice(values: Sequence[Any]) -> None:
    seen = set()
    for value in values:
        text = flow(value)
        if text in seen:
            raise Wrong(f"has {text} twice; leave one of the two out")
        seen.add(text)


def count(axes: Sequence[Axis]) -> int:
    """How many points a grid has, before any is left out."""
    return math.prod(len(one.values) for one in axes)


def faults(axes: Sequence[Axis]) -> Iterator[Problem]:
    """What is wrong with axes beside each other."""
    names: set[str] = set()
    for one in axes:
        if one.column in names:
            yield Problem(one.place, f"'{one.column}' is given twice; put all its values into one list")
        names.add(one.column)
    if (many := count(axes)) > MOST:
        text = f"the grid has {many:,} points, and a sweep at most {MOST:,}; leave some values out, or sweep in parts"
        yield Problem(next((one.place for one in axes), None), text)


def settings(axes: Sequence[Axis]) -> Iterator[tuple[tuple[str, Any], ...]]:
    """All combinations of settings, in the order of the grid: the last axis goes through its values first."""
    paths = [one for one in axes if one.setting]
    for values in product(*(one.values for one in paths)):
        yield tuple((one.name, value) for one, value in zip(paths, values, strict=True))


def values_of(axes: Sequence[Axis], name: str) -> Sequence[Any]:
    """The values of an axis; None alone where there is no such axis."""
    return next((one.values for one in axes if one.name == name and not one.setting), [None])
