"""Predictive coding with tanh layers and a linear output, in NumPy from its equations: signs are those of gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


@dataclass
class Net:
    """Weights [l][i, j] onto cell i from cell j, and biases; `scale` is that of half the squared error."""

    weights: Sequence[Real]
    biases: Sequence[Real]
    scale: float = 1.0

    @classmethod
    def random(cls, sizes: Sequence[int], rng: np.random.Generator) -> Net:
        return cls(
            [rng.normal(0, 1.5 / np.sqrt(below), (above, below)) for below, above in pairwise(sizes)],
            [rng.normal(0, 0.3, above) for above in sizes[1:]],
        )

    @property
    def layers(self) -> int:
        return len(self.weights)

    def predict(self, layer: int, below: Real) -> Real:
        """Predictions of a layer, counted from 1, of beliefs (pattern, cell) of the one below."""
        potential = below @ self.weights[layer - 1].T + self.biases[layer - 1]
        return potential if layer == self.layers else np.tanh(potential)

    def slope(self, layer: int, below: Real) -> Real:
        prediction = self.predict(layer, below)
        return np.ones_like(prediction) if layer == self.layers else 1 - prediction**2

    def back(self, layer: int, below: Real, error: Real) -> Real:
        """The transposed Jacobian of a layer times an error of its cells."""
        found: Real = (error * self.slope(layer, below)) @ self.weights[layer - 1]
        return found

    def forward(self, x: Real) -> list[Real]:
        found = [x]
        for layer in range(1, self.layers + 1):
            found.append(self.predict(layer, found[-1]))
        return found

    def energy(self, v: Sequence[Real], goal: Real) -> Real:
        """Of each pattern; beliefs v of all layers but the output, the input first."""
        found = np.asarray(0.5 * self.scale * ((self.predict(self.layers, v[-1]) - goal) ** 2).sum(axis=1))
        for layer in range(1, self.layers):
            found = found + 0.5 * ((v[layer] - self.predict(layer, v[layer - 1])) ** 2).sum(axis=1)
        return found


@dataclass
class Inferred:
    """Errors (prediction - belief) and beliefs by layer, the input first, and gradients from layer 1 on, summed."""

    errors: list[Real]
    beliefs: list[Real]
    weights: list[Real]
    biases: list[Real]
    energies: list[Real] = field(default_factory=list)


def _gradients(net: Net, v: list[Real], errors: list[Real]) -> Inferred:
    slopes = [errors[k] * net.slope(k, v[k - 1]) for k in range(1, net.layers + 1)]
    products = [one.T @ below for one, below in zip(slopes, v, strict=False)]
    return Inferred(errors, v, products, [one.sum(axis=0) for one in slopes])


def exact(net: Net, x: Real, goal: Real) -> Inferred:
    """Back-propagation."""
    seen = net.forward(x)
    errors = [np.zeros_like(one) for one in seen]
    errors[-1] = net.scale * (seen[-1] - goal)
    for layer in range(net.layers - 1, 0, -1):
        errors[layer] = net.back(layer + 1, seen[layer], errors[layer + 1])
    return _gradients(net, seen[:-1], errors)


def fixed(net: Net, x: Real, goal: Real, eta: float, n: int) -> Inferred:
    """FixedPred: Jacobians and predictions of the forward pass."""
    seen = net.forward(x)
    v = [one.copy() for one in seen[:-1]]
    errors = [np.zeros_like(one) for one in seen]
    errors[-1] = net.scale * (seen[-1] - goal)
    for _ in range(n):
        for layer in range(net.layers - 1, 0, -1):
            errors[layer] = seen[layer] - v[layer]
            v[layer] = v[layer] + eta * (errors[layer] - net.back(layer + 1, seen[layer], errors[layer + 1]))
    found = _gradients(net, seen[:-1], errors)
    found.beliefs = v
    return found


def strict(net: Net, x: Real, goal: Real, eta: float, n: int) -> Inferred:
    """Strict: gradient descent of the energy, whose values before and after each of the n updates are energies."""
    v = net.forward(x)[:-1]
    errors = [np.zeros_like(one) for one in (*v, goal)]
    energies = [net.energy(v, goal)]
    for _ in range(n):
        errors[-1] = net.scale * (net.predict(net.layers, v[-1]) - goal)
        for layer in range(net.layers - 1, 0, -1):
            errors[layer] = net.predict(layer, v[layer - 1]) - v[layer]
            v[layer] = v[layer] + eta * (errors[layer] - net.back(layer + 1, v[layer], errors[layer + 1]))
        energies.append(net.energy(v, goal))
    found = _gradients(net, v, errors)
    found.energies = energies
    return found
