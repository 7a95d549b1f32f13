"""Brunel's network (2000) with dense matrices and draws of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Size:
    """Numbers of neurons and of inputs of a neuron; efficacy in mV."""

    exc: int = 1600
    inh: int = 400
    inputs_exc: int = 400
    inputs_inh: int = 100
    efficacy: float = 0.25


def matrix(size: Size, g: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Jumps (source, target) in mV; each neuron has its numbers of different sources, none itself."""
    n = size.exc + size.inh
    weights = np.zeros((n, n), np.float32)
    for target in range(n):
        for first, many, inputs, jump in (
            (0, size.exc, size.inputs_exc, size.efficacy),
            (size.exc, size.inh, size.inputs_inh, -g * size.efficacy),
        ):
            sources = rng.permutation(np.setdiff1d(np.arange(first, first + many), [target]))[:inputs]
            weights[sources, target] = jump
    return weights


def spikes(size: Size, g: float, ratio: float, duration: float, seed: int, dt: float = 0.1) -> NDArray[np.bool_]:
    """Who spiked in which step, (steps, neurons); duration and dt in ms."""
    rng = np.random.default_rng(seed)
    weights, n, steps = matrix(size, g, rng), size.exc + size.inh, round(duration / dt)
    delay, rest, external = round(1.5 / dt), round(2.0 / dt), ratio * 20 / (size.efficacy * 20) * dt
    v, until = rng.uniform(0, 20, n), np.zeros(n, int)
    fired = np.zeros((steps, n), bool)
    for k in range(steps):
        arrived = weights[fired[k - delay]].sum(axis=0) if k >= delay else 0
        free = k > until
        v = np.where(free, v * np.exp(-dt / 20) + arrived + size.efficacy * rng.poisson(external, n), v)
        fired[k] = free & (v >= 20)
        v[fired[k]], until[fired[k]] = 10, k + rest
    return fired
