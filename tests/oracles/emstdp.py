"""EMSTDP in NumPy, as the published program has it: layers of cells without leak, a batch of patterns at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Mode = Literal["bp", "fa", "dfa"]


def half_range(cells: int) -> float:
    """Half the largest sum of as many weights that are sqrt(3 / cells) each."""
    return float(np.sqrt(3 * cells) / 2)


def thresholds(sizes: tuple[int, ...]) -> list[float]:
    """Of the layers 1 to L."""
    hidden = len(sizes) - 2
    found = [half_range(sizes[layer]) * 0.5 / (hidden + 1 - layer) for layer in range(hidden)]
    return [*found, half_range(sizes[-2]) * 0.1]


def error_thresholds(sizes: tuple[int, ...], mode: Mode) -> list[float]:
    """Of the hidden layers."""
    found = []
    for layer in range(1, len(sizes) - 1):
        above = sizes[layer + 1]
        most = {
            "bp": above * np.sqrt(3 / sizes[layer]) / 2,
            "fa": half_range(above),
            "dfa": half_range(sizes[-1]),
        }[mode]
        found.append(float(most * 0.5 / (layer + 1)))
    return found


@dataclass
class Layer:
    """A layer above the input: what its cells have, (batch, cells), and how often they spiked in the two phases."""

    v: Real
    d: Real
    spikes: Real
    errors: Real
    active: NDArray[np.bool_]
    counts: list[Real]


@dataclass
class Shown:
    """Of a batch: spikes, error spikes and membranes (steps, batch, cells) of each layer above the input.

    `counts`: of both phases (batch, cells), the input's first.
    """

    spikes: list[Real]
    errors: list[Real]
    membranes: list[Real]
    error_membranes: list[Real]
    counts: list[tuple[Real, Real]]


@dataclass
class Program:
    """Weights W_l (lower, upper) and feedback onto the hidden layers (lower, upper) or, for dfa, (hidden, output)."""

    weights: list[Real]
    mode: Mode
    feedback: list[Real] = field(default_factory=list)
    rate: float = 1e-3
    least: float = -np.inf
    normalised: bool = True
    squares: list[Real] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.squares = [np.ones_like(weights) for weights in self.weights]
        self.sizes = (len(self.weights[0]), *(weights.shape[1] for weights in self.weights))
        self.thetas, self.phis = thresholds(self.sizes), error_thresholds(self.sizes, self.mode)

    def show(self, inputs: Real, goals: Real | None) -> Shown:
        """One pattern per row: inputs (batch, steps, cells) are 1 where the input spikes, goals (batch, classes)."""
        batch, steps, _ = inputs.shape
        twin = steps // 2 - 1
        layers = [
            Layer(*(np.zeros((batch, size)) for _ in range(4)), np.zeros((batch, size), bool), [])
            for size in self.sizes[1:]
        ]
        told: list[list[list[Real]]] = [[[] for _ in layers] for _ in range(4)]
        for step in range(1, steps):
            spikes, errors = [layer.spikes for layer in layers], [layer.errors for layer in layers]
            below = [inputs[:, step - 1], *spikes[:-1]]
            for place, layer in enumerate(layers):
                floor = self.least * self.thetas[place]
                layer.v = np.maximum(layer.v + below[place] @ self.weights[place], floor)
                layer.spikes = (layer.v >= self.thetas[place]).astype(float)
                layer.v = np.where(layer.spikes > 0, 0, layer.v)
                layer.active |= (layer.spikes > 0) & (step < twin)
            if goals is not None and step > twin:
                self.correct(layers, spikes, errors, goals)
            for place, layer in enumerate(layers):
                layer.counts.append(layer.spikes)
                for rows, value in zip(told, (layer.spikes, layer.errors, layer.v, layer.d), strict=True):
                    rows[place].append(value.copy())
        within = [inputs[:, 1:], *(np.stack(layer.counts, axis=1) for layer in layers)]
        counts = [(x[:, 1 : twin + 1].sum(axis=1), x[:, twin + 1 : 2 * twin + 1].sum(axis=1)) for x in within]
        return Shown(*([np.array(rows) for rows in kind] for kind in told), counts)

    def correct(self, layers: list[Layer], spikes: list[Real], errors: list[Real], goals: Real) -> None:
        """The teacher and what comes down of it, by spikes and error spikes of the step before."""
        top = layers[-1]
        top.d = top.d + np.where(goals > 0, 1 - spikes[-1], -spikes[-1])
        top.errors = self.fired(top, 3)
        top.v = top.v + self.thetas[-1] * errors[-1]
        for place in reversed(range(len(layers) - 1)):
            layer = layers[place]
            back = self.weights[place + 1] if self.mode == "bp" else self.feedback[place]
            layer.d = layer.d + (errors[-1] if self.mode == "dfa" else errors[place + 1]) @ back.T
            fired = self.fired(layer, self.phis[place])
            layer.errors = fired if self.mode == "dfa" else np.where(layer.active, fired, 0)
            layer.v = layer.v + self.thetas[place] * errors[place]

    @staticmethod
    def fired(layer: Layer, threshold: float) -> Real:
        """Error spikes, after which an error membrane begins with nothing."""
        found = np.where(layer.d >= threshold, 1.0, np.where(layer.d <= -threshold, -1.0, 0.0))
        layer.d = np.where(found != 0, 0, layer.d)
        return np.asarray(found)

    def learn(self, shown: Shown, steps: int) -> None:
        """One update of all weights."""
        twin = steps // 2 - 1
        for place, weights in enumerate(self.weights):
            (before, _), (first, second) = shown.counts[place], shown.counts[place + 1]
            gradient = before.T @ (second - first) / len(before) / twin
            self.squares[place] = 0.9 * self.squares[place] + 0.1 * gradient**2
            scale = np.sqrt(self.squares[place] + 1e-8) if self.normalised else 1
            self.weights[place] = np.clip(weights + self.rate * gradient / scale, -1, 1)
