"""Generalised latent equilibrium in NumPy with batches that share parameters, and the optimisers of PyTorch.

All layers are updated from the values of the step before; the first layer sees the input of the current step. After
all layers every parameter takes an optimiser step along its gradient averaged over the batch. `late` is neuroport's
order: weights take theirs along the gradient of the step before, so the forward pass uses them one step of learning
later. Nothing else differs: errors go back through the same weights as in the published order, and biases and time
constants are in time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tests.oracles.gle import PHI

Real = NDArray[np.float64]


@dataclass
class Adam:
    """Adam with bias correction, eps outside the root."""

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    steps: int = 0
    m: Real | float = 0.0
    v: Real | float = 0.0

    def change(self, gradient: Real) -> Real:
        """What to subtract from the parameter."""
        self.steps += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * gradient
        self.v = self.beta2 * self.v + (1 - self.beta2) * gradient**2
        mean = self.m / (1 - self.beta1**self.steps)
        square = self.v / (1 - self.beta2**self.steps)
        return np.asarray(self.lr * mean / (np.sqrt(square) + self.eps))


@dataclass
class Momentum:
    """Gradient descent with momentum."""

    lr: float
    momentum: float = 0.9
    buffer: Real | float = 0.0

    def change(self, gradient: Real) -> Real:
        """What to subtract from the parameter."""
        self.buffer = self.momentum * self.buffer + gradient
        return np.asarray(self.lr * self.buffer)


@dataclass
class Layer:
    """One layer: W (cells, inputs), b, tau_m, tau_r (cells,), an optimiser for each parameter that learns, and state.

    States have the shape (samples, cells).
    """

    phi: str
    W: Real
    b: Real
    tau_m: Real
    tau_r: Real
    gamma: float = 0.0
    learn_w: Adam | Momentum | None = None
    learn_b: Adam | None = None
    learn_tau: Adam | None = None
    tau_min: float = 0.0
    prospective: bool = True
    samples: int = 1
    u: Real = field(init=False)
    v: Real = field(init=False)
    e: Real = field(init=False)
    r: Real = field(init=False)
    dr: Real = field(init=False)
    down: Real = field(init=False)
    dw: Real = field(init=False)

    def __post_init__(self) -> None:
        cells, inputs = self.W.shape
        self.u, self.v, self.e, self.r, self.dr = np.zeros((5, self.samples, cells))
        self.down = np.zeros((self.samples, inputs))
        self.dw = np.zeros_like(self.W)


def softmax(r: Real) -> Real:
    """Probabilities of the classes, row by row."""
    value = np.exp(r - r.max(axis=1, keepdims=True))
    return np.asarray(value / value.sum(axis=1, keepdims=True))


def step(
    layers: list[Layer],
    x: Real,
    target: Real,
    beta: float,
    dt: float,
    *,
    cross_entropy: bool = False,
    late: bool = False,
) -> None:
    """One step of the whole network; x (samples, inputs) and target (samples, outputs) are of this step."""
    top = layers[-1].r
    below = [x, *(layer.r for layer in layers[:-1])]
    above = [*(layer.down for layer in layers[1:]), beta * (target - (softmax(top) if cross_entropy else top))]
    gradients = []
    for layer, r_below, sent in zip(layers, below, above, strict=True):
        eps = sent * layer.dr
        current = r_below @ layer.W.T + layer.b
        v_dot = (eps - layer.v) / layer.tau_r
        layer.e = layer.v + layer.tau_m * v_dot if layer.prospective else eps
        layer.v = layer.v + dt * v_dot
        u_dot = (current + layer.gamma * layer.e - layer.u) / layer.tau_m
        ahead = layer.u + layer.tau_r * u_dot
        layer.u = layer.u + dt * u_dot
        gradients.append((-layer.e.T @ r_below / layer.samples, -layer.e.mean(axis=0), (layer.e * u_dot).mean(axis=0)))
        value, derivative = PHI[layer.phi]
        layer.r, layer.dr = value(ahead), derivative(ahead)
    for layer, (dw, db, dtau) in zip(layers, gradients, strict=True):
        before = layer.W
        if layer.learn_w is not None:
            layer.W = layer.W - layer.learn_w.change(layer.dw if late else dw)
        if layer.learn_b is not None:
            layer.b = layer.b - layer.learn_b.change(db)
        if layer.learn_tau is not None:
            layer.tau_m = np.maximum(layer.tau_m - layer.learn_tau.change(dtau), layer.tau_min)
        layer.down = layer.e @ (layer.W if late else before)
        layer.dw = dw
