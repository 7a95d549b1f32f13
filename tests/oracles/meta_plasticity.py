"""The meta-learned rule (N. Shervani-Tabar, R. Rosenbaum 2023) in NumPy, one example at a time.

Weights and feedback are lists of (upper, lower) matrices; the derivative is taken from the output, as the paper has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Theta = tuple[float, float, float]


@dataclass
class Passed:
    """What an example leaves: outputs and errors of all layers, the input's first, and the output's argument."""

    outputs: list[Real]
    errors: list[Real]
    h: Real


def passed(weights: Sequence[Real], feedback: Sequence[Real], x: Real, label: int, beta: float = 10) -> Passed:
    """Forward pass and modulators."""
    outputs = [x]
    for w in weights:
        h = w @ outputs[-1]
        outputs.append(np.log1p(np.exp(beta * h)) / beta)
    outputs[-1] = np.exp(h) / np.exp(h).sum()
    errors = [outputs[-1] - np.eye(len(h))[label]]
    for b, y in zip(feedback[::-1], outputs[-2::-1], strict=True):
        errors.insert(0, (b.T @ errors[0]) * (1 - np.exp(-beta * y)))
    return Passed(outputs, errors, h)


def changes(weights: Sequence[Real], shown: Passed, theta: Theta) -> list[Real]:
    """How much each matrix changes."""
    pseudo, hebbian, oja = theta
    found = []
    for layer, w in enumerate(weights):
        below, above = shown.outputs[layer : layer + 2]
        e_below, e_above = shown.errors[layer : layer + 2]
        found.append(
            -pseudo * np.outer(e_above, below)
            - hebbian * np.outer(e_above, e_below)
            + oja * (np.outer(above, below) - np.outer(above, above) @ w)
        )
    return found


def trained(
    weights: Sequence[Real],
    feedback: Sequence[Real] | None,
    examples: Sequence[tuple[Real, int]],
    theta: Theta,
    beta: float = 10,
) -> list[Real]:
    """Weights after the examples. Without feedback it is back-propagation's."""
    now = list(weights)
    for x, label in examples:
        shown = passed(now, now if feedback is None else feedback, x, label, beta)
        now = [w + change for w, change in zip(now, changes(now, shown, theta), strict=True)]
    return now
