"""Generalised latent equilibrium in NumPy, one sample, in the published order and with its difference quotients.

All layers are updated from the values of the step before; the first layer sees the input of the current step. After
all layers every parameter takes a step of plain gradient descent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Function = Callable[[Real], Real]


def softplus(x: Real) -> Real:
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def logistic(x: Real) -> Real:
    return 1 / (1 + np.exp(-x))


PHI: dict[str, tuple[Function, Function]] = {
    "linear": (lambda x: x, np.ones_like),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "softplus": (softplus, logistic),
}


@dataclass
class Layer:
    """One layer: W (cells, inputs), b, tau_m, tau_r (cells,), learning rates, and the state of the step before."""

    phi: str
    W: Real
    b: Real
    tau_m: Real
    tau_r: Real
    gamma: float = 0.0
    lr_w: float = 0.0
    lr_b: float = 0.0
    lr_tau: float = 0.0
    tau_min: float = 0.0
    u: Real = field(init=False)
    v: Real = field(init=False)
    e: Real = field(init=False)
    r: Real = field(init=False)
    dr: Real = field(init=False)
    down: Real = field(init=False)

    def __post_init__(self) -> None:
        cells, inputs = self.W.shape
        self.u, self.v, self.e, self.r, self.dr = np.zeros((5, cells))
        self.down = np.zeros(inputs)


def step(layers: list[Layer], x: Real, target: Real, beta: float, dt: float) -> None:
    below = [x, *(layer.r for layer in layers[:-1])]
    above = [*(layer.down for layer in layers[1:]), beta * (target - layers[-1].r)]
    gradients = []
    for layer, r_below, sent in zip(layers, below, above, strict=True):
        eps = sent * layer.dr
        current = layer.W @ r_below + layer.b
        v_dot = (eps - layer.v) / layer.tau_r
        layer.e = layer.v + layer.tau_m * v_dot
        layer.v = layer.v + dt * v_dot
        u_dot = (current + layer.gamma * layer.e - layer.u) / layer.tau_m
        ahead = layer.u + layer.tau_r * u_dot
        layer.u = layer.u + dt * u_dot
        gradients.append((np.outer(layer.e, r_below), layer.e, -layer.e * u_dot))
        layer.down = layer.W.T @ layer.e
        value, derivative = PHI[layer.phi]
        layer.r, layer.dr = value(ahead), derivative(ahead)
    for layer, (dw, db, dtau) in zip(layers, gradients, strict=True):
        layer.W = layer.W + layer.lr_w * dw
        layer.b = layer.b + layer.lr_b * db
        layer.tau_m = np.maximum(layer.tau_m + layer.lr_tau * dtau, layer.tau_min)


def forward_impulse(tau_m: float, tau_r: float, dt: float, steps: int) -> Real:
    """Response of the looking-ahead voltage to an input of 1 in step 0: inverse z-transform of H_fwd."""
    return _impulse(tau_r / tau_m, dt / tau_m, steps)


def error_impulse(tau_m: float, tau_r: float, dt: float, steps: int) -> Real:
    """Response of e to an input of 1 in step 0: inverse z-transform of H_err."""
    return _impulse(tau_m / tau_r, dt / tau_r, steps)


def _impulse(direct: float, k: float, steps: int) -> Real:
    later = (1 - direct) * k * (1 - k) ** np.arange(steps - 1)
    return np.concatenate([[direct], later])
