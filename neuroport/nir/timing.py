"""When things happen: a step per hop here, none in NIR, and delays that make up for it.

In NIR what a node makes in a step reaches the nodes behind it in the same step; here in the next one. So a node is `at`
steps late: what NIR does in step t it does in step t + at. A way from u to v on which NIR holds back d steps has the
delay at(v) - at(u) + d here, which must be 1 or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neuroport.nir.chains import Chain
from neuroport.nir.graph import Graph


@dataclass(frozen=True, slots=True)
class Timing:
    """`at`: by how many steps each neuron and end is late; `loops`: nodes that reach themselves without a delay."""

    at: dict[str, int]
    loops: tuple[str, ...]

    def delay(self, chain: Chain) -> int:
        """The least delay of a way."""
        return self.at[chain.target] - self.at[chain.source] + (1 if chain.returns else chain.delay)


def timing(graph: Graph, ways: Sequence[Chain]) -> Timing:
    """The least lateness that all ways allow. Loops without enough delay are refused in the graph."""
    loops = tuple(dict.fromkeys(w.source for w in ways if w.returns))
    hops = [(w.source, w.target, 1 - w.delay) for w in ways if w.source != w.target]
    at = {name: 0 for name, node in graph.nodes.items() if not node.is_linear}
    from_: dict[str, str] = {}
    moved = ""
    for _ in range(len(at) + 1):
        moved = ""
        for source, target, least in hops:
            if at[source] + least > at[target]:
                at[target], from_[target], moved = at[source] + least, source, target
        if not moved:
            return Timing(at, loops)
    loop = _loop(moved, from_)
    first = loop.index(min(loop, key=list(graph.nodes).index))
    loop = loop[first:] + loop[:first]
    held = sum(
        min(w.delay for w in ways if (w.source, w.target) == pair)
        for pair in zip(loop, [*loop[1:], loop[0]], strict=True)
    )
    around = " -> ".join(f"'{name}'" for name in (*loop, loop[0]))
    text = f"the loop {around} holds back {held} {'step' if held == 1 else 'steps'} in all, and what goes around takes "
    text += (
        f"one for each of its {len(loop)} neuron nodes here; give it Delay nodes of {len(loop)} steps in all or more"
    )
    graph.refuse(loop[0], text)
    return Timing(at, loops)


def _loop(name: str, from_: dict[str, str]) -> list[str]:
    """A loop that ends or goes on at a node, forward."""
    seen: list[str] = []
    while name not in seen:
        seen.append(name)
        name = from_[name]
    return seen[seen.index(name) :][::-1]
