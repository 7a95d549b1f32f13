"""A host trains spiking cells by the times of their spikes (TSSL-BP), without a chip or with one in the loop.

    python examples/tssl_bp.py                                          digits, in floating point
    python examples/tssl_bp.py --chip generic8 --mismatch weight=20%    trained without the chip, then repaired on it
    python examples/tssl_bp.py --chip loihi1                            spikes only, in Loihi's integers
    python examples/tssl_bp.py --data yin_yang --layers 4-100-3 --epochs 12
    python examples/tssl_bp.py --connect tcp://127.0.0.1:5555           on what `neuroport hil serve tssl_bp` serves

The rule is in examples/tssl_rule.py, the chip in examples/tssl_chip.py, and docs/tssl_bp.md tells of both. What is
wrong with options (examples/arguments.py), the chip or the server is told before anything is trained.
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

from examples.arguments import ending, real, seed, whole
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
from neuroport.api.compile import manufactured
from neuroport.chips import description
from neuroport.chips.chip import Chip as Description
from neuroport.chips.mismatch import deviates, deviating
from neuroport.errors import NotWritten


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


def layer_sizes(text: str) -> list[int]:
    """The type of an option that is sizes of layers."""
    try:
        sizes = [int(size) for size in text.split("-")]
    except ValueError:
        sizes = []
    if len(sizes) < 2 or min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not cells of two layers or more, such as 64-100-10")
    return sizes


def options() -> argparse.ArgumentParser:
    """What can be given."""
    parser = argparse.ArgumentParser(
        description="TSSL-BP, without a chip or with one in the loop.", usage="%(prog)s [options]; --help lists them"
    )
    add = parser.add_argument
    add("--data", choices=("digits", "yin_yang"), default="digits", help="what to learn [digits]")
    add("--layers", type=layer_sizes, default="64-100-10", help="cells of each layer [64-100-10]")
    add("--epochs", type=whole(0), default=30, help="epochs without the chip [30]")
    add("--repair", type=whole(0), default=4, help="epochs with the chip in the loop, after these [4]")
    add("--in-loop", action="store_true", help="all epochs with the chip in the loop")
    add("--rate", type=real(0, 1), default=0.002, help="learning rate [0.002]")
    add("--events", action="store_true", help="show spikes, as is always done on loihi1")
    add("--steps", type=whole(2), help="steps of a pattern [5; of spikes 10]")
    add("--no-warm-up", action="store_true", help="leave out the slope of the sigmoid")
    add("--no-intra", action="store_true", help="leave out what a spike does to the next of its cell")
    add("--chip", default="ideal", help="a chip [ideal]")
    add("--mismatch", action="append", default=[], help="KIND=SIGMA, such as weight=20%%")
    add("--chip-seed", type=seed, help="which specimen of a chip that deviates [as --seed]")
    add("--connect", default="", help="where `neuroport hil serve tssl_bp` serves the chip")
    add("--seed", type=seed, default=1, help="of the first weights and the order of patterns [1]")
    add("--seeds", type=whole(1), default=1, help="so many seeds, from --seed on [1]")
    return parser


def main() -> None:
    """Train, put on a chip, repair, and say what became of it."""
    parser = options()
    with ending(parser):
        given = parser.parse_args()
        fields = datasets.ALL[given.data].fields
        ends = fields["inputs"][0], fields["one_hot"][0]
        if (given.layers[0], given.layers[-1]) != ends:
            found = "-".join(map(str, given.layers))
            parser.error(f"--layers {found}: {given.data} needs {ends[0]} cells first and {ends[1]} last")
        chip = description.load(given.chip)
        if given.mismatch and given.connect:
            parser.error(
                "--mismatch changes a chip here, and --connect takes the server's; name one by --chip that deviates"
            )
        if given.mismatch:
            chip = deviating(chip, ("weight", "threshold"), given.mismatch)
            if spikes_only(chip):
                parser.error(f"--mismatch: on {given.chip} all are whole numbers, which do not deviate")
        if given.chip_seed is not None:
            manufactured(chip, given.chip_seed)
        run(parser, given, chip)


def specimen(given: argparse.Namespace, draw: int, chip: Description) -> int | None:
    """The seed of the chip that weights of that seed are for, if it deviates."""
    return (draw if given.chip_seed is None else given.chip_seed) if deviates(chip) else None


def run(parser: argparse.ArgumentParser, given: argparse.Namespace, chip: Description) -> None:
    """What was asked for, once the chip is known to do it."""
    events = given.events or spikes_only(chip)
    rule = Rule(steps=given.steps or (10 if events else 5), warm_up=not given.no_warm_up, intra=not given.no_intra)
    weights = begin(given.layers, given.seed, limits_of(given.layers))
    try:
        with opened(given.layers, rule, weights, chip, specimen(given, given.seed, chip), given.connect):
            pass
    except NotWritten as error:
        parser.error(str(error))
    found = []
    for draw in range(given.seed, given.seed + given.seeds):
        one = experiment(
            given.data,
            given.layers,
            rule,
            seed=draw,
            epochs=given.epochs,
            rate=given.rate,
            chip=chip,
            chip_seed=specimen(given, draw, chip),
            events=events,
            repair=given.repair,
            in_loop=given.in_loop,
            address=given.connect,
        )
        found.append((one.host, one.before, one.after))
        turned = ", ".join(f"{angle:.1f}" for angle in one.angles)
        print(
            f"seed {draw}: {one.host:.1f} % without the chip, {one.before:.1f} % on it, {one.after:.1f} % after that;"
            f" updates turned by {turned} degrees; {one.seconds[0]:.2f} and {one.seconds[1]:.2f} s an epoch",
            flush=True,
        )
    mean, deviation = np.mean(found, axis=0), np.std(found, axis=0, ddof=1 if len(found) > 1 else 0)
    told = ", ".join(f"{one:.1f} ± {more:.1f}" for one, more in zip(mean, deviation, strict=True))
    print(f"mean: {told} %")


if __name__ == "__main__":
    main()
