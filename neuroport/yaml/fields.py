"""Reading typed fields out of YAML nodes, collecting every problem instead of stopping at the first."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from neuroport.errors import InvalidInput, Place, Problem
from neuroport.network.identifiers import IDENTIFIER, NO_NAME
from neuroport.numerics.units import quoted, suggestion
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode


def found(node: Node | None) -> str:
    """What stands at a node, for "found …"."""
    if isinstance(node, MapNode):
        keys = ", ".join(quoted(key) for key in list(node.entries)[:5])
        return f"a mapping with {keys}" if keys else "an empty mapping"
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, ScalarNode):
        if node.value is None:
            return "nothing"
        if isinstance(node.value, str):
            return f"the text {quoted(node.value)}"
        return quoted(node.text)[1:-1]
    return "nothing"


def counted(node: Node | None) -> str:
    """As `found`, where the number of entries of a list matters."""
    if isinstance(node, ListNode):
        return f"a list of {len(node.items)}" if len(node.items) else "an empty list"
    return found(node)


def meant(node: Node, allowed: Sequence[str]) -> str:
    """ "; did you mean 'x'?" for the end of a message about a mapping whose first key is close to one, else ""."""
    first = next(iter(node.entries), "") if isinstance(node, MapNode) else ""
    close = "" if first in allowed else suggestion(first, list(allowed)).strip()
    return f"; {close}" if close else ""


def listing(names: Iterable[str]) -> str:
    """ "allowed are a, b" for the end of a message."""
    text = ", ".join(names)
    return f"allowed are {text}" if text else "there are none"


class Report:
    """The problems found so far, and readers of fields that add to them and return None when a field is unusable.

    `files`: those that were read for it.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.files: list[str] = []

    def add(self, at: Node | Place | None, text: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(at.place if isinstance(at, Node) else at, text))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Note problems that somebody else found."""
        self.problems.extend(problems)

    def stop(self, *first: str) -> None:
        """Raise InvalidInput if there are problems: those of the files `first` come first, each file in its order."""
        if self.problems:
            unique = dict.fromkeys(self.problems)
            raise InvalidInput(sorted(unique, key=lambda problem: _order(problem, first)))

    def unknown(self, at: Node | Place | None, what: str, word: str, allowed: Sequence[str], where: str = "") -> None:
        """Note that a name is none of the allowed ones."""
        self.add(at, f"unknown {what} {quoted(word)}{where}; {suggestion(word, list(allowed))}{listing(allowed)}")

    def mapping(
        self, node: Node | None, what: str, allowed: Sequence[str], required: Collection[str] = ()
    ) -> dict[str, Node]:
        """The entries of a mapping whose keys must be among `allowed`; empty when it is none."""
        if node is None:
            return {}
        if isinstance(node, ScalarNode) and node.value is None and not required:
            return {}
        if not isinstance(node, MapNode):
            self.add(node, f"{what} must be a mapping with the keys {', '.join(allowed)}; found {found(node)}")
            return {}
        result = {}
        for key, at, value in node.values():
            if key in allowed:
                result[key] = value
            else:
                self.unknown(at, "key", key, allowed, f" in {what}")
        for key in required:
            if key not in result:
                self.add(node, f"{what} lacks '{key}'; add it")
        return result

    def named(self, node: Node | None, what: str, each: str) -> list[tuple[str, Node, Node]]:
        """The (name, node of the name, value) of a mapping from names to things."""
        if node is None or (isinstance(node, ScalarNode) and node.value is None):
            return []
        if not isinstance(node, MapNode):
            self.add(node, f"{what} must be a mapping from names to {each}; found {found(node)}")
            return []
        result = []
        for key, at, value in node.values():
            if IDENTIFIER.fullmatch(key):
                result.append((key, at, value))
            else:
                self.add(at, f"{quoted(key)} in {what} {NO_NAME}")
        return result

    def items(self, node: Node | None, what: str) -> Sequence[Node]:
        """The items of a list; one value counts as a list of one."""
        if node is None or (isinstance(node, ScalarNode) and node.value is None):
            return []
        if isinstance(node, ListNode):
            return node.items
        if isinstance(node, MapNode):
            self.add(node, f"{what} must be a list; found a mapping")
            return []
        return [node]

    def text(self, node: Node | None, what: str) -> str | None:
        """Any text; numbers count as they are written."""
        if node is None:
            return None
        if isinstance(node, ScalarNode) and node.value is not None:
            return node.text
        self.add(node, f"{what} must be a text; found {found(node)}")
        return None

    def name(self, node: Node | None, what: str) -> str | None:
        """A name."""
        if node is None:
            return None
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and IDENTIFIER.fullmatch(node.value):
            return node.value
        self.add(node, f"{what} must be a name of letters, digits and _; found {found(node)}")
        return None

    def choice(self, node: Node | None, what: str, allowed: Sequence[str]) -> str | None:
        """One of a few words."""
        if node is None:
            return None
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            if node.value in allowed:
                return node.value
            self.add(
                node,
                f"{what} cannot be {quoted(node.value)}; {suggestion(node.value, list(allowed))}{listing(allowed)}",
            )
            return None
        self.add(node, f"{what} must be one of {', '.join(allowed)}; found {found(node)}")
        return None

    def reference(self, node: Node | None, what: str, names: Collection[str]) -> str | None:
        """The name of something that must exist."""
        name = self.name(node, what)
        if name is not None and name not in names:
            self.unknown(node, what, name, list(names))
            return None
        return name

    def boolean(self, node: Node | None, what: str) -> bool | None:
        """A boolean."""
        if node is None:
            return None
        if isinstance(node, ScalarNode) and isinstance(node.value, bool):
            return node.value
        self.add(node, f"{what} must be true or false; found {found(node)}")
        return None

    def integer(self, node: Node | None, what: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`."""
        if node is None:
            return None
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, bool) or not isinstance(value, int):
            self.add(node, f"{what} must be a whole number; found {found(node)}")
            return None
        if not low <= value <= high:
            allowed = f"at least {low}" if value < low else f"at most {high}"
            self.add(node, f"{what} must be {allowed}; found {found(node)}")
            return None
        return value

    def number(self, node: Node | None, what: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """A finite pure number from `low` to `high`."""
        if node is None:
            return None
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.add(node, f"{what} must be a number; found {found(node)}")
            return None
        if not math.isfinite(value):
            self.add(node, f"{what} must be a finite number; found {found(node)}")
            return None
        if not low <= value <= high:
            self.add(node, f"{what} must be {_interval(low, high)}; found {found(node)}")
            return None
        return float(value)


def _interval(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:g}"
    return f"from {low:g} to {high:g}"


def _order(problem: Problem, first: Sequence[str]) -> tuple[int, str, int, int]:
    place = problem.place or Place("")
    rank = first.index(place.file) if place.file in first else len(first)
    return rank, place.file, place.line, place.column
