"""NIR graphs in NumPy, as other tools compute them: within a step a spike goes through all layers.

Euler's step; a recurrent way brings what was sent in the step before. Nothing of neuroport is used: nodes are mappings
of arrays as they lie in a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Node = Mapping[str, Any]


class CubaLIF:
    """Neurons with a synaptic current; `subtract` the threshold, or v becomes v_reset."""

    def __init__(self, node: Node, dt: float, subtract: bool = False, updated: bool = False) -> None:
        self.p = {key: np.asarray(value, np.float64) for key, value in node.items() if key != "type"}
        self.dt, self.subtract, self.updated = dt, subtract, updated
        self.i = np.zeros_like(self.p["r"])
        self.v = np.zeros_like(self.p["r"])

    def step(self, x: Real) -> Real:
        p, before = self.p, self.i
        self.i = before + self.dt / p["tau_syn"] * (p["w_in"] * x - before)
        current = self.i if self.updated else before
        self.v = self.v + self.dt / p["tau_mem"] * (p["v_leak"] - self.v + p["r"] * current)
        spiked = self.v > p["v_threshold"]
        after = self.v - p["v_threshold"] if self.subtract else p.get("v_reset", np.zeros_like(self.v))
        self.v = np.where(spiked, after, self.v)
        return spiked.astype(np.float64)


class IF:
    """Neurons that add up, one unit of time in a step; v becomes 0 at a spike."""

    def __init__(self, node: Node) -> None:
        self.r, self.threshold = (np.asarray(node[key], np.float64) for key in ("r", "v_threshold"))
        self.v = np.zeros_like(self.r)

    def step(self, x: Real) -> Real:
        self.v = self.v + self.r * x
        spiked = self.v > self.threshold
        self.v = np.where(spiked, 0, self.v)
        return spiked.astype(np.float64)


def affine(node: Node, x: Real) -> Real:
    return np.asarray(node["weight"], np.float64) @ x.reshape(-1) + np.asarray(node.get("bias", 0.0), np.float64)


def convolution(node: Node, x: Real) -> Real:
    """Of a map (channels, rows, columns), without groups and dilation."""
    weight, stride, around = np.asarray(node["weight"], np.float64), node["stride"], node["padding"]
    padded = np.pad(x, ((0, 0), (around[0], around[0]), (around[1], around[1])))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(1, 2))
    seen = windows[:, :: stride[0], :: stride[1]]
    return np.einsum("crsij,ocij->ors", seen, weight) + np.asarray(node["bias"], np.float64)[:, None, None]


def sum_pool(x: Real) -> Real:
    """Of windows of 2 x 2 beside each other; what is left at the ends counts for nothing."""
    channels, rows, columns = x.shape
    x = x[:, : rows // 2 * 2, : columns // 2 * 2]
    return x.reshape(channels, rows // 2, 2, columns // 2, 2).sum(axis=(2, 4))


def recurrent(nodes: Mapping[str, Node], x: Real, dt: float, **semantics: bool) -> dict[str, Real]:
    """Spikes (steps, neurons) of fc1 -> lif1.lif, which leads to itself through lif1.w_rec, -> fc2 -> lif2."""
    one, two = (CubaLIF(nodes[name], dt, **semantics) for name in ("lif1.lif", "lif2"))
    sent = np.zeros_like(one.v)
    found: dict[str, list[Real]] = {"lif1.lif": [], "lif2": []}
    for row in x:
        sent = one.step(affine(nodes["fc1"], row) + affine(nodes["lif1.w_rec"], sent))
        found["lif1.lif"].append(sent)
        found["lif2"].append(two.step(affine(nodes["fc2"], sent)))
    return {name: np.array(rows) for name, rows in found.items()}


def convolutional(nodes: Mapping[str, Node], x: Real) -> dict[str, Real]:
    """Spikes (steps, shape) of the IF nodes of 0, 1 … 12: convolutions, pools with what follows, and dense layers."""
    layers = {name: IF(nodes[name]) for name in ("1", "3", "6", "10", "12")}
    found: dict[str, list[Real]] = {name: [] for name in layers}
    for image in x:
        first = layers["1"].step(convolution(nodes["0"], image))
        second = layers["3"].step(convolution(nodes["2"], first))
        third = layers["6"].step(convolution(nodes["5"], sum_pool(second)))
        dense = layers["10"].step(affine(nodes["9"], sum_pool(third)))
        last = layers["12"].step(affine(nodes["11"], dense))
        for name, spikes in zip(layers, (first, second, third, dense, last), strict=True):
            found[name].append(spikes)
    return {name: np.array(rows) for name, rows in found.items()}
