"""TSSL-BP: what spiking cells do, how errors go back by the times of their spikes, and how weights follow.

The rule of W. Zhang & P. Li, NeurIPS 33 (2020), arXiv 2002.10085, as in docs/tssl_bp.md, in NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
LARGEST = 4.0
"""No weight is larger, whatever the chip."""


@dataclass(frozen=True)
class Rule:
    """What cells are, in steps, and how errors go back.

    `loss`: kernel or count; `wanted`: for count, the filtered spikes of the right cell and of others. `warm_up`: a cell
    that has not spiked lately learns by the slope of a sigmoid; `intra`: a spike moves the next one of its cell.
    """

    steps: int = 5
    tau_m: float = 5.0
    tau_s: float = 3.0
    threshold: float = 1.0
    loss: str = "kernel"
    wanted: tuple[float, float] = (15.0, 3.0)
    warm_up: bool = True
    intra: bool = True


USUAL = Rule()


@dataclass(frozen=True)
class Layer:
    """What a layer did: change and value of the potential before a reset, spikes and filtered spikes.

    All (steps, batch, cells).
    """

    d: Floats
    u: Floats
    s: Floats
    a: Floats


def filtered(values: Floats, tau: float) -> Floats:
    """Values of each step (steps, …) through a filter with gain 1 / tau."""
    out = np.empty_like(values)
    held: Any = 0.0
    for t, value in enumerate(values):
        out[t] = held = (1 - 1 / tau) * held + value / tau
    return out


def in_steps(shown: Floats, steps: int) -> Floats:
    """Patterns (batch, inputs) that stay, or films (batch, steps, inputs), as (steps, batch, inputs)."""
    return np.repeat(shown[None], steps, axis=0) if shown.ndim == 2 else np.swapaxes(shown, 0, 1)


def forward(weights: Sequence[Floats], shown: Floats, rule: Rule, seen: Sequence[Floats] = ()) -> list[Layer]:
    """What every layer does, the input first, with weights (cells, cells below).

    `seen`: what spikes there were on a chip, which then decide.
    """
    a = filtered(in_steps(shown, rule.steps), rule.tau_s)
    layers = [Layer(a, a, a, a)]
    for k, w in enumerate(weights):
        arriving = layers[-1].a @ w.T
        d, u, s = np.empty_like(arriving), np.empty_like(arriving), np.empty_like(arriving)
        v = np.zeros_like(arriving[0])
        for t, i in enumerate(arriving):
            d[t] = i - v / rule.tau_m
            u[t] = v + d[t]
            s[t] = seen[k][t] if seen else u[t] > rule.threshold
            v = u[t] * (1 - s[t])
        if seen:
            d[(s > 0) & (d <= 0)] = 1e-3
        layers.append(Layer(d, u, s, filtered(s, rule.tau_s)))
    return layers


def target(rule: Rule) -> Floats:
    """The spikes of the right output cell (steps,): all but the first, or in ten steps or more every second one."""
    t = np.arange(rule.steps)
    return (t > 0 if rule.steps < 10 else t % 2 == 1).astype(np.float64)


def loss(a: Floats, labels: Labels, rule: Rule) -> tuple[float, Floats]:
    """Of the filtered output (steps, batch, cells): the loss, summed over the batch, and its slope along each."""
    right = np.eye(a.shape[2])[labels]
    if rule.loss == "kernel":
        error = a - filtered(target(rule), rule.tau_s)[:, None, None] * right
        return float(0.5 * np.sum(error**2)), error
    missing = (a.sum(axis=0) - np.where(right > 0, *rule.wanted)) / rule.steps
    missing = np.where(right > 0, np.minimum(missing, 0), np.maximum(missing, 0))
    error = np.repeat(missing[None], rule.steps, axis=0)
    return float(0.5 * np.sum(error**2)), error


def errors(layer: Layer, slope: Floats, rule: Rule) -> Floats:
    """The r (steps, batch, cells) of a layer, from the slope of the loss along its filtered spikes."""
    kept_s, kept_m = 1 - 1 / rule.tau_s, 1 - 1 / rule.tau_m
    found = np.empty_like(slope)
    ahead = np.zeros_like(slope[0])
    later = np.zeros_like(slope[0])
    with np.errstate(divide="ignore"):
        speed = layer.s * np.clip(1 / layer.d, 0, 8)
    width = 0.2
    y = np.exp(np.clip((rule.threshold - layer.u) / width, -8, 8))
    smooth = y / ((1 + y) ** 2 * width)
    resting = layer.a < 1 / (4 * rule.tau_s)
    for t in range(rule.steps - 1, -1, -1):
        ahead = slope[t] / rule.tau_s + kept_s * ahead
        e = speed[t] * ahead
        if rule.intra and t < rule.steps - 1:
            e = e + later * (layer.u[t] / rule.tau_m * speed[t] + kept_m * (1 - layer.s[t]))
        later = np.where(layer.s[t] > 0, e, later * kept_m)
        found[t] = np.where(resting[t], ahead * smooth[t], e) if rule.warm_up else e
    return found


def gradients(weights: Sequence[Floats], layers: Sequence[Layer], slope: Floats, rule: Rule) -> list[Floats]:
    """dE/dW of every layer, (cells, cells below), summed over the batch."""
    found: list[Floats] = []
    for k in range(len(weights), 0, -1):
        r = errors(layers[k], slope, rule)
        below = layers[k - 1].a
        found.insert(0, r.reshape(-1, r.shape[2]).T @ below.reshape(-1, below.shape[2]))
        slope = r @ weights[k - 1]
    return found


@dataclass
class Weights:
    """What the host keeps: weights as floats, (cells, cells below) each, and what AdamW remembers of them.

    `limits`: the largest of each layer.
    """

    layers: list[Floats]
    limits: Sequence[float]
    first: list[Floats] = field(default_factory=list)
    second: list[Floats] = field(default_factory=list)
    updates: int = 0

    def __post_init__(self) -> None:
        self.first = self.first or [np.zeros_like(w) for w in self.layers]
        self.second = self.second or [np.zeros_like(w) for w in self.layers]

    def follow(self, changes: Sequence[Floats], rate: float) -> None:
        """A step of AdamW (I. Loshchilov & F. Hutter, arXiv 1711.05101) against gradients of a norm of at most 1."""
        norm = float(np.sqrt(sum(np.sum(g**2) for g in changes)))
        shrunk = min(1.0, 1 / (norm + 1e-6))
        self.updates += 1
        one, two = 1 - 0.9**self.updates, 1 - 0.999**self.updates
        for k, change in enumerate(changes):
            g = shrunk * change
            self.first[k] = 0.9 * self.first[k] + 0.1 * g
            self.second[k] = 0.999 * self.second[k] + 0.001 * g**2
            step = self.first[k] / one / (np.sqrt(self.second[k] / two) + 1e-8)
            moved = (1 - 0.01 * rate) * self.layers[k] - rate * step
            self.layers[k] = np.clip(moved, -self.limits[k], self.limits[k])

    def copy(self, limits: Sequence[float] = ()) -> Weights:
        """The same weights within other limits, with nothing remembered."""
        limits = limits or self.limits
        return Weights([np.clip(w, -m, m) for w, m in zip(self.layers, limits, strict=True)], limits)


def begin(sizes: Sequence[int], seed: int, limits: Sequence[float] = ()) -> Weights:
    """Normal weights of standard deviation sqrt(2 / cells below)."""
    rng = np.random.default_rng(seed)
    limits = limits or [LARGEST] * (len(sizes) - 1)
    drawn = [rng.normal(0, np.sqrt(2 / below), (above, below)) for below, above in pairwise(sizes)]
    return Weights(drawn, limits).copy()


def limits_of(sizes: Sequence[int]) -> list[float]:
    """The largest weight of each layer: a power of two near six standard deviations of the first ones, less 1 / 128."""
    powers = [2.0 ** np.round(np.log2(6 * np.sqrt(2 / below))) for below in sizes[:-1]]
    return [min(LARGEST, float(power)) * 127 / 128 for power in powers]
