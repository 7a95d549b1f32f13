"""Coefficients of a learning rule are searched by what networks learn with them from few images, on any chip.

    python examples/meta_search.py [--terms 0,1,2] [--chip C] [--chip-seed N] [--sigma S] [--results FILE] [--quick]

A task is 250 images of five of the ten classes of digits, each shown once, and 50 questions. Every copy of the network
`meta_tasks` has its own coefficients, images and weights: copies are candidates times tasks. An evolution strategy
moves the candidates of the next generation to those that answered best, and lets their covariance follow (rank-mu
update, N. Hansen & A. Ostermeier, Evolutionary Computation 9 (2001) 159). It asks about validation images; at the end,
the mean of the last generation learns fresh tasks and is asked about test images. With --results, a file keeps the
generations that are done (examples/meta_results.py), and the same command goes on with it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from examples.arguments import ending, real, seed, whole
from examples.meta_results import Results
from neuroport import datasets
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip, Deviation
from neuroport.chips.mismatch import with_mismatch
from neuroport.files import writer
from neuroport.network.network import MOST_COPIES, Network
from neuroport.session.exchange import Write
from neuroport.session.session import Session

Floats = NDArray[np.float64]
LAYERS = range(1, 6)
SHOW, ASK = 11, 6
"""Steps of an image that is learned, and of one that is asked about."""
CLASSES, LEARNED, ASKED = 5, 50, 10
"""Of a task: its classes, and images of each class."""
LARGEST = 1.0
"""No coefficient is larger."""
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


def learning(copies: int, tied: bool = False) -> Network:
    """So many copies of the network, each with its own coefficients. `tied`: errors through the forward weights."""
    own = {f"up{k}.theta{term}": [0.0] * copies for k in LAYERS for term in range(3)}
    changes = [f"copies={json.dumps({'count': copies, 'params': own})}", "protocol=[event: renew]"]
    names = ("x", "h1", "h2", "h3", "h4", "y")
    for k in LAYERS if tied else ():
        ends = f"source: {names[k]}, target: {names[k - 1]}, input: err, connect: all_to_all"
        changes.append(f"down{k}={{{ends}, synapse: meta_tied, twin: up{k}}}")
    return neuroport.load("meta_tasks", changes)


class Learners:
    """Copies of the network that learn tasks, on one chip."""

    def __init__(self, network: Network, chip: Chip, chip_seed: int | None) -> None:
        self.session: Session = neuroport.open(network, chip=chip, chip_seed=chip_seed, keep=0)
        self.copies, self.begun = network.copies, self.session.checkpoint()

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
        """(count, 3), within the range of the coefficients."""
        drawn = rng.multivariate_normal(self.mean, self.covariance, count)
        return np.clip(drawn, -LARGEST / SPREAD, LARGEST / SPREAD)

    def follow(self, tried: Floats, score: Floats) -> None:
        """Move to the better half, by weights that fall with the rank."""
        chosen = tried[np.argsort(-score, kind="stable")[: len(tried) // 2]]
        weights = np.log(len(chosen) + 0.5) - np.log(np.arange(1, len(chosen) + 1))
        weights /= weights.sum()
        moved = chosen - self.mean
        self.covariance = 0.6 * self.covariance + 0.4 * (weights[:, None] * moved).T @ moved
        self.mean = self.mean + weights @ moved


def search_of(args: argparse.Namespace, network: Network, chip: Chip) -> dict[str, Any]:
    """What a search is but for how long it goes on."""
    texts = writer.to_yaml(network) + chips.to_yaml(chip)
    names = ("terms", "begin", "width", "candidates", "tasks", "sigma", "tied", "seed")
    said = {name: getattr(args, name) for name in names}
    digest = hashlib.sha256(texts.encode()).hexdigest()
    return {"chip": chip.name, "chip seed": args.chip_seed, **said, "network and chip": digest[:16]}


def searched(args: argparse.Namespace, learners: Learners, results: Results | None) -> Floats:
    """The coefficients that a search ends with, those that are not free 0."""
    mask = np.isin(range(3), args.terms)
    strategy = Strategy(mask * args.begin / SPREAD, np.diag(mask * args.width**2))
    done = list(results.scores) if results else []
    for generation in range(args.generations):
        rng = np.random.default_rng([args.seed, generation])
        tried = strategy.candidates(args.candidates, rng)
        if generation < len(done):
            score = np.array(done[generation])
        else:
            given = tasks(args.tasks, rng, "validation")
            score = learners.percent(tried * SPREAD, given, generation).mean(axis=1)
            if results:
                results.add(score.tolist())
        strategy.follow(tried, score)
        theta = " ".join(f"{value:.4f}" for value in strategy.mean * SPREAD)
        print(f"generation {generation}: {score.min():.1f} to {score.max():.1f} % right, now at {theta}", flush=True)
    return strategy.mean * SPREAD


def terms(text: str) -> list[int]:
    """The type of an option that is some of 0, 1 and 2, each once."""
    parts = text.split(",")
    if not set(parts) <= {"0", "1", "2"} or len(set(parts)) < len(parts):
        raise argparse.ArgumentTypeError(f"'{text}' is not some of 0, 1 and 2 with commas between, such as 0,2")
    return sorted(int(part) for part in parts)


def options() -> argparse.ArgumentParser:
    """What can be given."""
    parser = argparse.ArgumentParser(
        description="A search for the coefficients of a learning rule.", usage="%(prog)s [options]; --help lists them"
    )
    parser.add_argument(
        "--terms", type=terms, default="0,1,2", help="coefficients that are searched; others stay 0 [0,1,2]"
    )
    parser.add_argument(
        "--begin",
        type=real(-LARGEST, LARGEST),
        nargs=3,
        default=BEGIN.tolist(),
        help="mean of the first candidates",
    )
    parser.add_argument(
        "--width", type=real(0, 100, above=True), default=1.0, help="of the first candidates' distribution"
    )
    parser.add_argument("--generations", type=whole(0), default=15)
    parser.add_argument(
        "--candidates", type=whole(2), default=10, help="of a generation, of which the better half is followed"
    )
    parser.add_argument("--tasks", type=whole(1), default=6, help="that each candidate learns")
    parser.add_argument(
        "--fresh", type=whole(1), default=3, help="times as many tasks as --candidates x --tasks at the end"
    )
    parser.add_argument("--chip", default="ideal")
    parser.add_argument("--chip-seed", type=seed, help="specimen of a chip whose circuits deviate")
    parser.add_argument("--sigma", type=real(0, 2), default=0.0, help="deviation of all weights and coefficients")
    parser.add_argument("--tied", action="store_true", help="errors come back through the forward weights")
    parser.add_argument("--seed", type=seed, default=1)
    parser.add_argument("--results", help="a file that keeps what is done")
    parser.add_argument(
        "--quick", action="store_true", help="6 generations of 8 candidates of 3 tasks, where not given"
    )
    return parser


def main() -> None:
    """Search, and let what was found learn fresh tasks."""
    parser = options()
    kept: list[str] = []
    with ending(parser, lambda: "".join(kept)):
        args = parser.parse_args()
        if args.quick:
            parser.set_defaults(generations=6, candidates=8, tasks=3, fresh=1)
            args = parser.parse_args()
        if args.candidates * args.tasks > MOST_COPIES:
            parser.error(
                f"--candidates x --tasks is {args.candidates * args.tasks}; at most {MOST_COPIES} are possible"
            )
        chip, begun = chips.load(args.chip), time.process_time()
        if args.sigma:
            chip = with_mismatch(chip, {kind: Deviation(sigma=args.sigma) for kind in ("weight", "amplitude")})
            if args.chip_seed is None:
                print("note: without --chip-seed every circuit is as designed", file=sys.stderr)
        network = learning(args.candidates * args.tasks, args.tied)
        results = None
        if args.results is not None:
            results = Results(args.results, search_of(args, network, chip), args.candidates)
        learners = Learners(network, chip, args.chip_seed)
        kept.append("; what was found is lost, as there is no --results")
        if results:
            kept[:] = [
                f"; the generations that were finished are in {args.results}: the same command goes on with them"
            ]
            if results.torn:
                print(f"note: {args.results} ends in a part of a line, which is dropped", file=sys.stderr)
            results.begin()
        told_of(args, learners, searched(args, learners, results), begun)


def told_of(args: argparse.Namespace, learners: Learners, found: Floats, begun: float) -> None:
    """Print what was found, and how many answers are right in fresh tasks."""
    coefficients = " ".join(f"{value:.4f}" for value in found)
    print(f"found {coefficients} in {time.process_time() - begun:.0f} s of processor time")
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
