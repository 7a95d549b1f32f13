"""A host trains spiking cells by the times of their spikes (TSSL-BP), without a chip or with one in the loop.

    python examples/tssl_bp.py                                          digits, in floating point
    python examples/tssl_bp.py --chip generic8 --mismatch weight=20%    trained without the chip, then repaired on it
    python examples/tssl_bp.py --chip loihi1                            spikes only, in Loihi's integers
    python examples/tssl_bp.py --data yin_yang --layers 4-100-3 --epochs 12
    python examples/tssl_bp.py --connect tcp://127.0.0.1:5555           on what `neuroport hil serve tssl_bp` serves

The rule is in examples/tssl_rule.py, the chip in examples/tssl_chip.py, and docs/tssl_bp.md tells of both.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from examples.tssl_chip import BATCH, FULL, Chip, opened, spikes_only
from examples.tssl_rule import (
    USUAL,
    Floats,
    Labels,
    Rule,
    Weights,
    begin,
    filtered,
    forward,
    gradients,
    limits_of,
    loss,
)
from neuroport import datasets
from neuroport.chips import description
from neuroport.chips.chip import Chip as Description
from neuroport.chips.mismatch import deviating


@dataclass(frozen=True)
class Task:
    """Patterns (patterns, [steps,] inputs) and their classes: `host` is what cells get, `chip` what a chip is shown."""

    host: Floats
    chip: Floats
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


def tasks(name: str, events: int = 0, encoded: bool = False, part: str = "test") -> tuple[Task, Task]:
    """What to learn and what to test of a data set: values of mean 0 and standard deviation 1.

    With `events` films of so many steps, in which an input of 1 always spikes. `encoded`: a chip makes these itself.
    """
    parts = [[datasets.load(name, one, kind, {}) for kind in ("inputs", "labels")] for one in ("train", part)]
    mean, deviation = parts[0][0].mean(), parts[0][0].std()
    found = []
    for inputs, labels in parts:
        levels = np.round(FULL * inputs)
        if events:
            sums = np.cumsum(np.repeat(levels[:, None], events, axis=1), axis=1)
            host = np.diff(sums // FULL, axis=1, prepend=0)
            found.append(Task(host, levels if encoded else host, labels))
        else:
            host = (inputs - mean) / deviation
            found.append(Task(host, host, labels))
    return found[0], found[1]


def train(
    weights: Weights,
    task: Task,
    rule: Rule,
    epochs: int,
    rate: float,
    rng: np.random.Generator,
    chip: Chip | None = None,
) -> None:
    """Train without a chip, or with one in the loop, where the spikes are those of the chip."""
    for _ in range(epochs):
        for batch in np.array_split(rng.permutation(len(task)), -(-len(task) // BATCH)):
            visible = weights.layers if chip is None else chip.load(weights)
            seen = () if chip is None else chip(task.chip[batch])
            layers = forward(visible, task.host[batch], rule, seen)
            _, slope = loss(layers[-1].a, task.labels[batch], rule)
            weights.follow(gradients(visible, layers, slope, rule), rate)


def percent(weights: Weights, task: Task, rule: Rule, chip: Chip | None = None) -> float:
    """How many answers are right: early spikes count more than late ones."""
    if chip is None:
        a = forward(weights.layers, task.host, rule)[-1].a
    else:
        chip.load(weights)
        a = filtered(chip(task.chip)[-1], rule.tau_s)
    return 100 * float(np.mean(a.sum(axis=0).argmax(axis=1) == task.labels))


def angles(weights: Weights, task: Task, rule: Rule, chip: Chip) -> list[float]:
    """Degrees in each layer between what the host follows and what it would if it knew what circuits made of weights.

    Of the first ten batches. Only an emulator can be asked.
    """
    visible = chip.load(weights)
    made = chip.made()
    cosines = []
    for first in range(0, min(10 * BATCH, len(task)), BATCH):
        batch = slice(first, first + BATCH)
        seen = chip(task.chip[batch])
        found = []
        for known in (visible, made):
            layers = forward(known, task.host[batch], rule, seen)
            found.append(gradients(known, layers, loss(layers[-1].a, task.labels[batch], rule)[1], rule))
        cosines.append([cosine(a, b) for a, b in zip(*found, strict=True)])
    return [float(one) for one in np.degrees(np.arccos(np.mean(cosines, axis=0)))]


def cosine(a: Floats, b: Floats) -> float:
    """Of the angle between changes; 1 between changes of nothing."""
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(np.sum(a * b) / norms, -1, 1)) if norms else 1.0


@dataclass(frozen=True)
class Outcome:
    """Percent of the test set without a chip, on it, and after epochs in its loop; `angles` of updates in the loop.

    `seconds`: processor time of an epoch without the chip, and with it in the loop.
    """

    host: float
    before: float
    after: float
    angles: list[float]
    seconds: tuple[float, float]


def experiment(
    data: str = "digits",
    sizes: Sequence[int] = (64, 100, 10),
    rule: Rule = USUAL,
    *,
    seed: int = 1,
    epochs: int = 30,
    rate: float = 0.002,
    chip: str | Description = "ideal",
    chip_seed: int | None = None,
    events: bool = False,
    repair: int = 4,
    in_loop: bool = False,
    address: str = "",
) -> Outcome:
    """Train without the chip, put the weights on it, and train `repair` epochs in its loop at a quarter of the rate.

    `in_loop`: train on the chip from the beginning, and repair nothing. `events`: what is shown are spikes. `address`:
    of a server that has the chip.
    """
    events = events or spikes_only(chip)
    learn, test = tasks(data, rule.steps if events else 0, spikes_only(chip))
    weights, rng = begin(sizes, seed, limits_of(sizes)), np.random.default_rng([seed, 1])
    alone = looped = 0.0
    if not in_loop:
        alone = timed(lambda: train(weights, learn, rule, epochs, rate, rng)) / max(epochs, 1)
    host = percent(weights, test, rule)
    with opened(sizes, rule, weights, chip, chip_seed, address) as machine:
        if spikes_only(chip):
            weights = weights.copy([float(np.max(np.abs(w))) for w in weights.layers])
        before = percent(weights, test, rule, machine)
        many, slow = (epochs, rate) if in_loop else (repair, rate / 4)
        weights = weights.copy()
        looped = timed(lambda: train(weights, learn, rule, many, slow, rng, machine)) / max(many, 1)
        after = percent(weights, test, rule, machine)
        return Outcome(host, before, after, angles(weights, learn, rule, machine), (alone, looped))


def timed(work: Callable[[], None]) -> float:
    """The processor time of some work in seconds."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Train, put on a chip, repair, and say what became of it."""
    parser = argparse.ArgumentParser(description="TSSL-BP, without a chip or with one in the loop.")
    parser.add_argument("--data", choices=("digits", "yin_yang"), default="digits", help="what to learn [digits]")
    parser.add_argument("--layers", default="64-100-10", help="cells of each layer [64-100-10]")
    parser.add_argument("--epochs", type=int, default=30, help="epochs without the chip [30]")
    parser.add_argument("--repair", type=int, default=4, help="epochs with the chip in the loop, after these [4]")
    parser.add_argument("--in-loop", action="store_true", help="all epochs with the chip in the loop")
    parser.add_argument("--rate", type=float, default=0.002, help="learning rate [0.002]")
    parser.add_argument("--events", action="store_true", help="show spikes, as is always done on loihi1")
    parser.add_argument("--steps", type=int, help="steps of a pattern [5; of spikes 10]")
    parser.add_argument("--no-warm-up", action="store_true", help="leave out the slope of the sigmoid")
    parser.add_argument("--no-intra", action="store_true", help="leave out what a spike does to the next of its cell")
    parser.add_argument("--chip", default="ideal", help="a chip [ideal]")
    parser.add_argument("--mismatch", action="append", default=[], help="KIND=SIGMA, such as weight=20%%")
    parser.add_argument("--chip-seed", type=int, help="which specimen of a chip that deviates [as --seed]")
    parser.add_argument("--connect", default="", help="where `neuroport hil serve tssl_bp` serves the chip")
    parser.add_argument("--seed", type=int, default=1, help="of the first weights and the order of patterns [1]")
    parser.add_argument("--seeds", type=int, default=1, help="so many seeds, from --seed on [1]")
    given = parser.parse_args()
    chip: Description = description.load(given.chip)
    events = given.events or spikes_only(chip)
    rule = Rule(steps=given.steps or (10 if events else 5), warm_up=not given.no_warm_up, intra=not given.no_intra)
    sizes = [int(size) for size in given.layers.split("-")]
    if given.mismatch:
        chip = deviating(chip, ("weight", "threshold"), given.mismatch)
    deviates = bool(chip.mismatch)
    found = []
    for seed in range(given.seed, given.seed + given.seeds):
        chip_seed = (seed if given.chip_seed is None else given.chip_seed) if deviates else None
        one = experiment(
            given.data,
            sizes,
            rule,
            seed=seed,
            epochs=given.epochs,
            rate=given.rate,
            chip=chip,
            chip_seed=chip_seed,
            events=events,
            repair=given.repair,
            in_loop=given.in_loop,
            address=given.connect,
        )
        found.append((one.host, one.before, one.after))
        turned = ", ".join(f"{angle:.1f}" for angle in one.angles)
        print(
            f"seed {seed}: {one.host:.1f} % without the chip, {one.before:.1f} % on it, {one.after:.1f} % after that;"
            f" updates turned by {turned} degrees; {one.seconds[0]:.2f} and {one.seconds[1]:.2f} s an epoch",
            flush=True,
        )
    mean, deviation = np.mean(found, axis=0), np.std(found, axis=0, ddof=1 if len(found) > 1 else 0)
    told = ", ".join(f"{one:.1f} ± {more:.1f}" for one, more in zip(mean, deviation, strict=True))
    print(f"mean: {told} %")


if __name__ == "__main__":
    main()
