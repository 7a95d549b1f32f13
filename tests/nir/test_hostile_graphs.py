"""Whatever the fields of a graph hold, there is a network or a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import NeuroportError

VALUES: tuple[Any, ...] = (
    0, 1, -1, 2, 0.5, 1e-320, 1e308, -1e308, 10**18, 2**31, np.nan, np.inf, np.zeros(0), np.zeros((0, 2)), np.ones(1),
    np.ones(7), np.ones((1, 1, 1, 1, 1)), np.array([1, 2]), np.array([2**62, 2**62]), np.array([10**6, 10**6]),
    np.array([-1, 3]), "same", "text", "", np.array([True, False]), np.array([0.5, -0.5]),
)  # fmt: skip


def nodes() -> dict[str, dict[str, Any]]:
    """One of each class that can stand between others, in one way."""
    two, cube = np.ones(2), np.ones((2, 2, 2))
    cuba = {"tau_syn": two, "tau_mem": two, "r": two, "v_leak": two * 0, "v_threshold": two, "w_in": two}
    pool = {"kernel_size": np.array([2, 2]), "stride": np.array([2, 2]), "padding": np.array([0, 0])}
    conv = {"stride": np.array([1, 1]), "padding": np.array([1, 1]), "dilation": np.array([1, 1]), "groups": 1}
    return {
        "in": {"type": "Input", "shape": np.array([2, 4, 4])},
        "conv": {"type": "Conv2d", "weight": np.ones((2, 2, 3, 3)), "bias": two, **conv},
        "pool": {"type": "SumPool2d", **pool},
        "if": {"type": "IF", "r": cube, "v_threshold": cube, "v_reset": cube * 0},
        "mean": {"type": "AvgPool2d", **pool},
        "flat": {"type": "Flatten", "start_dim": 0, "end_dim": -1},
        "cuba": {"type": "CubaLIF", **cuba},
        "delay": {"type": "Delay", "delay": two},
        "affine": {"type": "Affine", "weight": np.ones((2, 2)), "bias": two},
        "scale": {"type": "Scale", "scale": two},
        "li": {"type": "LI", "tau": two, "r": two, "v_leak": two},
        "threshold": {"type": "Threshold", "threshold": two},
        "out": {"type": "Output", "shape": np.array([2])},
    }


class Graph:
    """An object of the package nir."""

    def __init__(self, nodes: dict[str, dict[str, Any]]) -> None:
        names = list(nodes)
        self.nodes, self.edges = nodes, list(pairwise(names))

    def to_dict(self) -> dict[str, Any]:
        return {"type": "NIRGraph", "nodes": self.nodes, "edges": self.edges}


FIELDS = [(name, key) for name, node in nodes().items() for key in node if key != "type"]


def changed(name: str, key: str) -> Iterator[Graph]:
    for value in VALUES:
        made = nodes()
        made[name][key] = value
        yield Graph(made)


def test_the_graph_itself_is_a_network() -> None:
    made = neuroport.from_nir(Graph(nodes()))
    assert {p.name for p in made.network.populations} == {"in", "if", "cuba", "li", "threshold"}


def answers(graph: Graph) -> None:
    """Whether there is a network, or a sentence: anything else is raised."""
    with suppress(NeuroportError):
        neuroport.from_nir(graph)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "key"), FIELDS)
def test_any_value(name: str, key: str) -> None:
    for graph in changed(name, key):
        answers(graph)


def test_some_values() -> None:
    graphs = [graph for name, key in FIELDS for graph in changed(name, key)]
    for k in np.random.default_rng(3).choice(len(graphs), 60, replace=False):
        answers(graphs[k])


def test_any_nodes_left_out() -> None:
    """Without a node, its edges lead nowhere; without these, some nodes are alone."""
    whole = nodes()
    for name in whole:
        rest = {key: node for key, node in whole.items() if key != name}
        for edges in (Graph(whole).edges, [pair for pair in Graph(whole).edges if name not in pair]):
            graph = Graph(rest)
            graph.edges = edges
            answers(graph)
