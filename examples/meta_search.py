"""Coefficients of a learning rule are searched by what networks learn with them from few images, on any chip.

    python examples/meta_search.py [--terms 0,1,2] [--chip C] [--chip-seed N] [--sigma S] [--results FILE] [--quick]

A task is 250 images of five of the ten classes of digits, each shown once, and 50 questions. Every copy of the network
`meta_tasks` has its own coefficients, images and weights: copies are candidates times tasks. An evolution strategy
moves the candidates of the next generation to those that answered best, and lets their covariance follow (rank-mu
update, N. Hansen & A. Ostermeier, Evolutionary Computation 9 (2001) 159). It asks about validation images; at the end,
the mean of the last generation learns fresh tasks and is asked about test images. With --results, a file keeps the
generations that are done, and the same command goes on with it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport import datasets
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip, Deviation
from neuroport.chips.mismatch import with_mismatch
from neuroport.session.exchange import Write
from neuroport.session.session import Session

Floats = NDArray[np.float64]
LAYERS = range(1, 6)
SHOW, ASK = 11, 6
"""Steps of an image that is learned, and of one that is asked about."""
CLASSES, LEARNED, ASKED = 5, 50, 10
"""Of a task: its classes, and images of each class."""
BEGIN = np.array([0.01, 0.0, 0.0])
SPREAD = np.array([0.02, 0.04, 0.02])
"""Mean and standard deviation of the first candidates: a little of the pseudo-gradient, nothing of the other terms."""
PUBLISHED = np.array([0.036, -0.074, 0.022])
"""What gradient descent through whole episodes found, the mean of three runs."""


@dataclass(frozen=True)
class Tasks:
    """Images (examples, cells, tasks) and goals of as many tasks: first those to learn, then the questions."""

    images: Floats
    goals: Floats
    asked_images: Floats
    asked_goals: Floats


def tasks(count: int, rng: np.random.Generator, asked: str) -> Tasks:
    """Tasks of classes drawn without replacement; questions are of the part `asked` of the data."""
    learning, questions = (
        [_task(part, each, classes, rng) for classes in choices]
        for choices in [[rng.permutation(10)[:CLASSES] for _ in range(count)]]
        for part, each in (("train", LEARNED), (asked, ASKED))
    )
    stacked = [np.stack(arrays, axis=-1) for chosen in (learning, questions) for arrays in zip(*chosen, strict=True)]
    return Tasks(*stacked)


def _task(part: str, each: int, classes: NDArray[np.int64], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """So many images of each class in random order, and their goals."""
    images, labels, goals = (datasets.load("digits", part, name, {}) for name in ("inputs", "labels", "one_hot"))
    found = np.concatenate([rng.permutation(np.flatnonzero(labels == one))[:each] for one in classes])
    found = rng.permutation(found)
    return images[found], goals[found]


class Learners:
    """Copies of the network that learn tasks, on one chip."""

    def __init__(self, copies: int, chip: Chip, chip_seed: int | None, tied: bool = False) -> None:
        own = {f"up{k}.theta{term}": [0.0] * copies for k in LAYERS for term in range(3)}
        changes = [f"copies={json.dumps({'count': copies, 'params': own})}", "protocol=[event: renew]"]
        names = ("x", "h1", "h2", "h3", "h4", "y")
        for k in LAYERS if tied else ():
            ends = f"source: {names[k]}, target: {names[k - 1]}, input: err, connect: all_to_all"
            changes.append(f"down{k}={{{ends}, synapse: meta_tied, twin: up{k}}}")
        network = neuroport.load("meta_tasks", changes)
        self.session: Session = neuroport.open(network, chip=chip, chip_seed=chip_seed, keep=0)
        self.copies, self.begun = copies, self.session.checkpoint()

    def percent(self, thetas: Floats, given: Tasks, draw: int) -> Floats:
        """Right answers in %, (candidates, tasks), of coefficients (candidates, 3). `draw` chooses the weights."""
        session, count = self.session, given.images.shape[-1]
        session.restore(self.begun)
        session.run(1 + draw)
        for term, values in enumerate(np.repeat(thetas, count, axis=0).T):
            for k in LAYERS:
                session.set(f"up{k}.theta{term}", values)
        session.trigger("renew")
        for image, goal in zip(given.images, given.goals, strict=True):
            self._show(image, goal, SHOW, "learn")
        for image, goal in zip(given.asked_images, given.asked_goals, strict=True):
            self._show(image, goal, ASK, "score")
        right = session.get("y.right").reshape(-1, len(thetas), count).sum(axis=0)
        return 100 * right / len(given.asked_images)

    def _show(self, image: Floats, goal: Floats, steps: int, event: str) -> None:
        """Show every copy its image of (cells, tasks), and let something be done at the end."""
        repeats = self.copies // image.shape[-1]
        shown = {"image": np.tile(image, repeats), "goal": np.tile(goal, repeats)}
        self.session.exchange([Write(port, values, hold=steps) for port, values in shown.items()], steps)
        self.session.trigger(event)


@dataclass
class Strategy:
    """Where candidates are drawn: a normal distribution in coefficients divided by SPREAD."""

    mean: Floats
    covariance: Floats

    def candidates(self, count: int, rng: np.random.Generator) -> Floats:
        """(count, 3)."""
        return rng.multivariate_normal(self.mean, self.covariance, count)

    def follow(self, tried: Floats, score: Floats) -> None:
        """Move to the better half, by weights that fall with the rank."""
        chosen = tried[np.argsort(-score, kind="stable")[: len(tried) // 2]]
        weights = np.log(len(chosen) + 0.5) - np.log(np.arange(1, len(chosen) + 1))
        weights /= weights.sum()
        moved = chosen - self.mean
        self.covariance = 0.6 * self.covariance + 0.4 * (weights[:, None] * moved).T @ moved
        self.mean = self.mean + weights @ moved


def searched(args: argparse.Namespace, learners: Learners, free: Sequence[int]) -> Floats:
    """The coefficients that a search ends with, those that are not free 0."""
    mask = np.isin(range(3), free)
    strategy = Strategy(mask * args.begin / SPREAD, np.diag(mask * args.width**2))
    done = Path(args.results).read_text("utf-8").splitlines() if args.results and Path(args.results).exists() else []
    for generation in range(args.generations):
        rng = np.random.default_rng([args.seed, generation])
        tried = strategy.candidates(args.candidates, rng)
        if generation < len(done):
            score = np.array(json.loads(done[generation]))
        else:
            given = tasks(args.tasks, rng, "validation")
            score = learners.percent(tried * SPREAD, given, generation).mean(axis=1)
            if args.results:
                with Path(args.results).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(score.tolist()) + "\n")
        strategy.follow(tried, score)
        theta = " ".join(f"{value:.4f}" for value in strategy.mean * SPREAD)
        print(f"generation {generation}: {score.min():.1f} to {score.max():.1f} % right, now at {theta}", flush=True)
    return strategy.mean * SPREAD


def main() -> None:
    """Search, and let what was found learn fresh tasks."""
    parser = argparse.ArgumentParser(description="A search for the coefficients of a learning rule.")
    parser.add_argument("--terms", default="0,1,2", help="coefficients that are searched; others stay 0 [0,1,2]")
    parser.add_argument("--begin", type=float, nargs=3, default=BEGIN.tolist(), help="mean of the first candidates")
    parser.add_argument("--width", type=float, default=1, help="of the first candidates' distribution")
    parser.add_argument("--generations", type=int, default=15)
    parser.add_argument("--candidates", type=int, default=10, help="of a generation")
    parser.add_argument("--tasks", type=int, default=6, help="that each candidate learns")
    parser.add_argument("--fresh", type=int, default=3, help="times as many tasks as --candidates x --tasks at the end")
    parser.add_argument("--chip", default="ideal")
    parser.add_argument("--chip-seed", type=int, help="specimen of a chip whose circuits deviate")
    parser.add_argument("--sigma", type=float, default=0, help="deviation of all weights and coefficients")
    parser.add_argument("--tied", action="store_true", help="errors come back through the forward weights")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", help="a file that keeps what is done")
    parser.add_argument("--quick", action="store_true", help="6 generations of 8 candidates with 3 tasks each")
    args = parser.parse_args()
    if args.quick:
        args.generations, args.candidates, args.tasks, args.fresh = 6, 8, 3, 1
    chip, begun = chips.load(args.chip), time.process_time()
    if args.sigma:
        chip = with_mismatch(chip, {kind: Deviation(sigma=args.sigma) for kind in ("weight", "amplitude")})
    learners = Learners(args.candidates * args.tasks, chip, args.chip_seed, args.tied)
    free = [int(term) for term in args.terms.split(",")]
    found = searched(args, learners, free)
    print(
        f"found {' '.join(f'{value:.4f}' for value in found)} in {time.process_time() - begun:.0f} s of processor time"
    )
    told = {"found": found, "where it began": np.array(args.begin), "published": PUBLISHED}
    for name, theta in told.items():
        right = []
        for draw in range(args.fresh):
            fresh = tasks(learners.copies, np.random.default_rng([args.seed, draw, 1]), "test")
            right.append(learners.percent(theta[None], fresh, 1000 + draw).ravel())
        values = np.concatenate(right)
        print(f"{name:16} {values.mean():.1f} % right in {len(values)} fresh tasks, ± {values.std():.1f}", flush=True)


if __name__ == "__main__":
    main()
