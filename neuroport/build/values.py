"""Values of Python as nodes: numbers, texts, lists, mappings and arrays, as they would stand in a network file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.build.calls import Call
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.numerics.given import found, whole
from neuroport.numerics.units import Quantity
from neuroport.yaml.nodes import MAX_DEPTH, MAX_NODES, ListNode, MapNode, Node, Numbers, ScalarNode
from neuroport.yaml.quantities import written_quantity
from neuroport.yaml.text import Code, number

ALLOWED = "give a number, a text, a list, a mapping or an array of numbers"


class Foreign(Exception):
    """A value that cannot stand in a network; the text says why."""


@dataclass(slots=True)
class Values:
    """Makes nodes of what was given in a call; what it cannot take, it notes.

    `matrix`: makes a node of a sparse matrix, where one may be given.
    """

    call: Call
    matrix: Callable[[Any, Place], Node] | None = None
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0

    def node(self, value: Any, name: str, *path: str | int) -> Node:
        """The node of a value in an argument."""
        place = self.call.argument(name, *path)
        try:
            return self._node(value, place, name, path)
        except Foreign as error:
            self.problems.append(Problem(place, str(error)))
            return scalar(None, place)

    def named(self, value: Any, name: str, call: Callable[[Any], Any]) -> Any:
        """What an argument is called in a file; nothing, where it is noted that it has no name there."""
        try:
            return call(value)
        except Foreign as error:
            self.problems.append(Problem(self.call.argument(name), str(error)))
            return None

    def entries(self, given: Mapping[str, Any]) -> dict[str, tuple[Node, Node]]:
        """The entries of a mapping whose keys are arguments."""
        return {name: entry(name, self.node(value, name)) for name, value in given.items()}

    def stop(self) -> None:
        """Raise InvalidInput if anything was noted."""
        if self.problems:
            raise InvalidInput(dict.fromkeys(self.problems))

    def _node(self, value: Any, place: Place, name: str, path: tuple[str | int, ...]) -> Node:
        self._count(1, len(path))
        if hasattr(value, "tocoo"):
            if self.matrix is None:
                raise Foreign("a sparse matrix says which neurons are connected, and can be given to project() only")
            return self.matrix(value, place)
        if isinstance(value, Mapping):
            inner = {_key(key): self.node(held, name, *path, key) for key, held in value.items()}
            return MapNode(place.file, 0, 0, {key: entry(key, node) for key, node in inner.items()})
        if hasattr(value, "__array__") and not isinstance(value, np.generic):
            value = array(value)
            if isinstance(value, np.ndarray):
                return ListNode(place.file, 0, 0, Numbers(value, place))
        if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
            return ListNode(place.file, 0, 0, self._items(value, place, name, path))
        return scalar(plain(value), place)

    def _items(self, values: Sequence[Any], place: Place, name: str, path: tuple[str | int, ...]) -> list[Node]:
        """The items of a list; plain numbers are at the place of the list."""
        self._count(len(values), len(path))
        if all(type(value) is int or type(value) is float for value in values):
            return [scalar(plain(value), place) for value in values]
        return [self.node(value, name, *path, k) for k, value in enumerate(values)]

    def _count(self, many: int, depth: int) -> None:
        """Raise InvalidInput where this goes on too deep or too long."""
        self.nodes += many
        if depth > MAX_DEPTH:
            text = f"nested more than {MAX_DEPTH} levels deep; does it contain itself?"
            raise InvalidInput.one(self.call.whole, text)
        if self.nodes > MAX_NODES:
            raise InvalidInput.one(self.call.whole, f"more than {MAX_NODES:,} values; give large ones as arrays")


def entry(key: str, value: Node) -> tuple[Node, Node]:
    """A key of a mapping at the place of what stands there, and that."""
    return scalar(key, value.place), value


def scalar(value: bool | int | float | str | None, place: Place) -> ScalarNode:
    """The node of one value."""
    match value:
        case bool():
            text = "true" if value else "false"
        case int() | float():
            text = number(value)
        case _:
            text = value or ""
    first = int(isinstance(value, str))  # what is said of a text of the language counts its lines and columns
    return ScalarNode(place.file, 0, 0, value, text, "", first, first)


def plain(value: Any) -> bool | int | float | str | None:
    """One value as a file would hold it."""
    match value:
        case None | bool():
            return value
        case str():
            return _text(str(value))
        case Quantity():
            return written_quantity(value)
        case Code():
            return value.text
        case np.bool_():
            return bool(value)
        case os.PathLike():
            return _text(os.fspath(value))
    integer = whole(value)
    if integer is not None:
        return _bounded(integer)
    if isinstance(value, Real):
        return float(value)
    raise Foreign(f"a network cannot hold {found(value)}; {ALLOWED}")


def _bounded(value: int) -> int:
    try:
        float(value)
    except OverflowError:
        raise Foreign("the number has more than 300 digits; give one that can be computed with") from None
    return value


def _text(value: Any) -> str:
    try:
        value.encode()
    except (UnicodeEncodeError, AttributeError):
        raise Foreign(f"{found(value)} is no text that a file can hold; give text of whole characters") from None
    return str(value)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return _text(key)
    raise Foreign(f"a key must be a text; found {found(key)}")


def array(value: Any) -> NDArray[Any] | Sequence[Any] | Any:
    """A copy that nobody can change, as float64 or int64; lists of what is no number, the value of no dimension."""
    if np.ma.is_masked(value):
        raise Foreign("some of its values are masked; fill them in, or leave them out")
    given = np.asarray(value)
    if given.ndim == 0:
        return given.item()
    if given.dtype.kind in "OU":
        return given.tolist()
    return numbers(given)


def numbers(given: NDArray[Any]) -> NDArray[Any]:
    """A copy of numbers as float64 or int64 that nobody can change."""
    kind, wide = given.dtype.kind, np.float64 if given.dtype.kind == "f" else np.int64
    if kind not in "iuf" or given.dtype.itemsize > 8:
        raise Foreign(f"an array of {given.dtype} is not allowed here; give float64 or int64")
    if kind == "u" and given.size and given.max() > np.iinfo(np.int64).max:
        raise Foreign(f"the array holds {given.max()}; whole numbers must be below 2**63")
    copy = np.array(given, wide, order="C", subok=False)
    copy.setflags(write=False)
    return copy
