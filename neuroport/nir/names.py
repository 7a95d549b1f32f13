"""Names of nodes as names of a network."""

from __future__ import annotations

import re

from neuroport.nir.graph import Node


class Names:
    """Gives every node a name that a network can have, and none twice."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def of(self, node: Node) -> str:
        """The name of a node: its own, with _ for what cannot be in one, and its kind before one that is a number."""
        plain = identifier(node.name)
        return self.free(plain if not plain[0].isdigit() else f"{node.kind.lower()}_{plain}")

    def free(self, name: str) -> str:
        """A name that was not given yet: the name itself, or with a number."""
        made, k = name, 2
        while made in self.taken:
            made, k = f"{name}_{k}", k + 1
        self.taken.add(made)
        return made


def identifier(text: str) -> str:
    """A text with _ in the place of all that cannot be in a name; it may begin with a digit."""
    return re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "node"


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """By what names are sorted: numbers in them by size."""
    parts = re.findall(r"(\d+)|(\D+)", text)
    return tuple((0, int(digits), "") if digits else (1, 0, letters) for digits, letters in parts)
