"""A network that was trained in float loses much on chips that deviate, and wins it back with the chip in the loop.

    python examples/training.py [--chips 10] [--epochs 10]

The host keeps the weights as floats. It sets them on the chip, shows it points of the yin-yang figure one per step,
reads what the hidden cells and the answers did there, and changes the weights by their gradient at what it read. The
gradient takes the weights as the host has them: it knows nothing of the circuits.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport import datasets
from neuroport.session.exchange import Write
from neuroport.session.session import Session

Floats = NDArray[np.float64]
BATCH = 100
LIMIT = 3.9
"""The largest weight; the chip's go to 4."""


@dataclass
class Weights:
    """Of both layers, (source, target) each, the last row the bias; with what Adam remembers of each."""

    layers: list[Floats]
    first: list[Floats]
    second: list[Floats]
    updates: int = 0

    def follow(self, gradients: list[Floats], rate: float) -> None:
        """Change by Adam (D. P. Kingma & J. Ba, arXiv 1412.6980)."""
        self.updates += 1
        for k, gradient in enumerate(gradients):
            self.first[k] = 0.9 * self.first[k] + 0.1 * gradient
            self.second[k] = 0.999 * self.second[k] + 0.001 * gradient**2
            mean, square = self.first[k] / (1 - 0.9**self.updates), self.second[k] / (1 - 0.999**self.updates)
            self.layers[k] = np.clip(self.layers[k] - rate * mean / (np.sqrt(square) + 1e-8), -LIMIT, LIMIT)

    def copy(self) -> Weights:
        """The same weights, with nothing remembered."""
        return begin([layer.copy() for layer in self.layers])


def begin(layers: list[Floats]) -> Weights:
    """Weights that have not changed yet."""
    return Weights(layers, [np.zeros_like(w) for w in layers], [np.zeros_like(w) for w in layers])


def with_bias(values: Floats) -> Floats:
    """Values with a column of ones."""
    return np.column_stack([values, np.ones(len(values))])


def host(weights: Weights, points: Floats) -> tuple[Floats, Floats]:
    """What hidden cells and answers would be without a chip."""
    hidden = np.maximum(with_bias(points) @ weights.layers[0], 0)
    return hidden, with_bias(hidden) @ weights.layers[1]


class Chip:
    """The same on a chip."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def load(self, weights: Weights) -> None:
        """Set all weights."""
        for k, layer in enumerate(weights.layers, 1):
            self.session.set(f"w{k}.w", layer[:-1].ravel())
            self.session.set(f"b{k}.w", layer[-1])

    def __call__(self, points: Floats) -> tuple[Floats, Floats]:
        """What hidden cells and answers are for points that are shown one per step."""
        start = self.session.step
        shown = [Write("point", point, at=start + k) for k, point in enumerate(points)]
        answer = self.session.exchange(shown, len(points) + 2, ["activity", "answer"]).outputs
        return answer["activity"][1][1:-1], answer["answer"][1][2:]


def gradients(weights: Weights, points: Floats, labels: NDArray[np.int64], hidden: Floats, out: Floats) -> list[Floats]:
    """Of the cross-entropy, at what was seen."""
    chances = np.exp(out - out.max(axis=1, keepdims=True))
    error = (chances / chances.sum(axis=1, keepdims=True) - np.eye(3)[labels]) / len(points)
    back = error @ weights.layers[1][:-1].T * (hidden > 0)
    return [with_bias(points).T @ back, with_bias(hidden).T @ error]


def trained(rng: np.random.Generator, epochs: int, rate: float) -> Weights:
    """Weights that were trained without a chip."""
    layers = [rng.normal(0, 0.7, (5, 60)), rng.normal(0, 0.2, (61, 3))]
    weights = begin(layers)
    points, labels = data("train")
    for epoch in range(epochs):
        for batch in np.array_split(rng.permutation(len(points)), len(points) // BATCH):
            hidden, out = host(weights, points[batch])
            changes = gradients(weights, points[batch], labels[batch], hidden, out)
            weights.follow(changes, rate * (1 - epoch / epochs))
    return weights


def repair(chip: Chip, weights: Weights, rng: np.random.Generator, epochs: int, rate: float) -> None:
    """Train with the chip in the loop."""
    points, labels = data("train")
    for epoch in range(epochs):
        for batch in np.array_split(rng.permutation(len(points)), len(points) // BATCH):
            chip.load(weights)
            hidden, out = chip(points[batch])
            changes = gradients(weights, points[batch], labels[batch], hidden, out)
            weights.follow(changes, rate * (1 - epoch / epochs))
    chip.load(weights)


def data(part: str) -> tuple[Floats, NDArray[np.int64]]:
    """Points and their classes."""
    return datasets.load("yin_yang", part, "inputs", {}), datasets.load("yin_yang", part, "labels", {})


def percent(out: Floats, labels: NDArray[np.int64]) -> float:
    """How many answers are right."""
    return 100 * float(np.mean(out.argmax(axis=1) == labels))


def in_the_loop(weights: Weights, seed: int, epochs: int) -> tuple[float, float]:
    """How many answers are right on a specimen of the chip, before and after training in the loop (test set, in %)."""
    points, labels = data("test")
    network = neuroport.load("yin_yang_loop")
    with neuroport.open(network, chip="generic8_mismatch10_all", chip_seed=seed, keep=0) as session:
        chip, own = Chip(session), weights.copy()
        chip.load(own)
        before = percent(chip(points)[1], labels)
        repair(chip, own, np.random.default_rng(seed), epochs, 0.004)
        return before, percent(chip(points)[1], labels)


def main() -> None:
    """Train, put on chips, repair, and say what became of it."""
    parser = argparse.ArgumentParser(description="Training with an emulated chip in the loop.")
    parser.add_argument("--chips", type=int, default=10, help="specimens of the chip [10]")
    parser.add_argument("--epochs", type=int, default=10, help="epochs with the chip in the loop [10]")
    given = parser.parse_args()
    weights = trained(np.random.default_rng(1), 150, 0.01)
    points, labels = data("test")
    ideal = percent(host(weights, points)[1], labels)
    print(f"float: {ideal:.1f} % right of {len(points)}")
    both = []
    for seed in range(1, given.chips + 1):
        both.append(in_the_loop(weights, seed, given.epochs))
        print(f"chip {seed}: {both[-1][0]:.1f} % -> {both[-1][1]:.1f} %", flush=True)
    before, after = np.mean(both, axis=0)
    print(
        f"mean: {before:.1f} % -> {after:.1f} %; {100 * (after - before) / (ideal - before):.0f} % of the loss won back"
    )


if __name__ == "__main__":
    main()
