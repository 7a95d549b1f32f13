"""A graph of nodes that do something: nested graphs are joined, and names are those of the paths to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from neuroport.nir import kinds
from neuroport.nir.tree import GRAPH, Raw
from neuroport.numerics.units import suggestion

PASS = "Pass"
"""The kind of the ends of a nested graph, which hand on what they get."""
LEAVE = "leave it out where the file was made"
Refusals = dict[str, list[str]]
"""What is wrong, by the node that it is about; "" for the graph itself."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node with its fields, arrays and texts. `said`: the kind that it has in the file."""

    name: str
    kind: str
    fields: dict[str, Any]
    said: str

    @property
    def is_neuron(self) -> bool:
        """Whether it holds a state, or makes spikes."""
        return self.kind in kinds.NEURONS

    @property
    def is_end(self) -> bool:
        """Whether it is an end of the whole graph."""
        return self.kind in kinds.ENDS

    @property
    def is_linear(self) -> bool:
        """Whether it is one of those between neurons."""
        return not self.is_neuron and not self.is_end

    @property
    def title(self) -> str:
        """What it is called in sentences."""
        return f"node '{self.name}' ({self.said})"


@dataclass(eq=False)
class Graph:
    """Nodes by name, and edges between them; `refused`: what is wrong with them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    refused: Refusals = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)

    def refuse(self, name: str, text: str) -> None:
        """Note that something is wrong with a node, or with "" with the graph."""
        told = self.refused.setdefault(name, [])
        if text not in told:
            told.append(text)

    def before(self, name: str) -> list[str]:
        """The nodes that lead to one."""
        return [a for a, b in self.edges if b == name]

    def after(self, name: str) -> list[str]:
        """The nodes that one leads to."""
        return [b for a, b in self.edges if a == name]


def joined(raw: Raw) -> Graph:
    """The graph of all nodes, with what is wrong with each."""
    graph = Graph(metadata=raw.metadata)
    _add(graph, raw, "")
    _check_edges(graph)
    return graph


def _add(graph: Graph, raw: Raw, path: str) -> None:
    for name, node in raw.nodes.items():
        full = f"{path}{name}"
        if node.kind == GRAPH:
            _add(graph, node, f"{full}.")
            continue
        kind = PASS if path and node.kind in kinds.ENDS else node.kind
        if full in graph.nodes:
            graph.refuse(full, "two nodes have this name when nested graphs are joined by '.'; rename one of them")
        graph.nodes[full] = Node(full, kind, node.fields, node.kind)
        for text in kinds.problems(node.kind, node.fields):
            graph.refuse(full, text)
        unknown = kinds.unknown(node)
        if unknown:
            graph.refuse(
                full, f"NIR 1.0.8 knows no field {' and '.join(unknown)} there, and what it means is lost; {LEAVE}"
            )
    seen: set[tuple[str, str]] = set()
    for edge in raw.edges:
        if edge in seen:
            graph.refuse(f"{path}{edge[0]}", f"the edge to '{path}{edge[1]}' is there twice; keep one of the two")
            continue
        seen.add(edge)
        start, end = _end(graph, raw, path, edge[0], "Output"), _end(graph, raw, path, edge[1], "Input")
        if start is not None and end is not None:
            graph.edges.append((start, end))


def _end(graph: Graph, raw: Raw, path: str, name: str, kind: str) -> str | None:
    """The node that an end of an edge stands for; of a nested graph the one of its ends."""
    here: Raw | None = raw.nodes.get(name)
    full, edge = f"{path}{name}", f"an edge {'leads to' if kind == 'Input' else 'begins at'}"
    if here is None:
        inner = [child for child in raw.nodes if name.startswith(f"{child}.") and raw.nodes[child].kind == GRAPH]
        if inner and name[len(inner[0]) + 1 :] in raw.nodes[inner[0]].nodes:
            return full
        near = suggestion(name, list(raw.nodes))
        graph.refuse("", f"{edge} '{full}', and there is no such node; {near}correct the edge")
        return None
    if here.kind != GRAPH:
        return full
    ends = [child for child, node in here.nodes.items() if node.kind == kind]
    if len(ends) == 1:
        return f"{full}.{ends[0]}"
    many = "none" if not ends else f"{len(ends)}: {', '.join(ends)}"
    graph.refuse("", f"{edge} the nested graph '{full}', which must have one {kind}; it has {many}")
    return None


def _check_edges(graph: Graph) -> None:
    for name, node in graph.nodes.items():
        if node.kind == "Input" and graph.before(name):
            graph.refuse(
                name, f"'{graph.before(name)[0]}' leads to it; nothing can lead to an Input of the whole graph"
            )
        if node.kind == "Output" and graph.after(name):
            graph.refuse(name, f"it leads to '{graph.after(name)[0]}'; an Output of the whole graph leads nowhere")
    if not graph.refused and not any(node.is_neuron for node in graph.nodes.values()):
        graph.refuse("", "has no neurons; a network needs some")
    for loop in linear_loops(graph):
        around = " -> ".join(f"'{name}'" for name in (*loop, loop[0]))
        graph.refuse(loop[0], f"there is no neuron in the loop {around}, and so no value that it could have")


def linear_loops(graph: Graph) -> Iterator[list[str]]:
    """The first loop of nodes that are no neurons, if there is one."""
    state: dict[str, int] = {}
    after: dict[str, list[str]] = {name: [] for name in graph.nodes}
    for a, b in graph.edges:
        if a in graph.nodes and b in graph.nodes and graph.nodes[a].is_linear and graph.nodes[b].is_linear:
            after[a].append(b)
    for start in graph.nodes:
        stack: list[tuple[str, Iterator[str]]] = [(start, iter(after[start]))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            name, rest = stack[-1]
            step = next(rest, None)
            if step is None:
                state[name] = 2
                stack.pop()
            elif state.get(step) == 1:
                path = [one for one, _ in stack]
                yield path[path.index(step) :]
                return
            elif step not in state:
                state[step] = 1
                stack.append((step, iter(after[step])))
