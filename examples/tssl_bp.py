"""A host trains spiking cells by the times of their spikes (TSSL-BP), without a chip or with one in the loop.

    python examples/tssl_bp.py                                          digits, in floating point
    python examples/tssl_bp.py --chip generic8 --mismatch weight=20%    trained without the chip, then repaired on it
    python examples/tssl_bp.py --chip loihi1                            spikes only, in Loihi's integers
    python examples/tssl_bp.py --data yin_yang --layers 4-100-3 --epochs 12
    python examples/tssl_bp.py --connect tcp://127.0.0.1:5555           on what `neuroport hil serve tssl_bp` serves

The rule is that of W. Zhang & P. Li, NeurIPS 33 (2020), arXiv 2002.10085, as in docs/tssl_bp.md. The chip runs the
forward pass of a batch, one pattern in each copy of the network, and the host hears the spikes of every layer alone. It
knows the weights that it wrote, not what the circuits make of them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport import datasets, hil
from neuroport.chips import description
from neuroport.chips.chip import Chip as Description
from neuroport.chips.mismatch import deviating
from neuroport.program.ir import Int
from neuroport.session.exchange import Write

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
BATCH = 50
LARGEST = 4.0
"""No weight is larger, whatever the chip."""
LARGEST_EVEN = 254
"""The largest mantissa of a Loihi projection with weights of both signs, which are even."""
FULL = 16
"""At so much an encoder cell spikes."""


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


@dataclass(frozen=True)
class Form:
    """How weights and patterns are written on a chip.

    A weight is held as a multiple of 1 / `grid` and written times `scale`, both per layer; `whole`: as an int.
    """

    grid: Sequence[float]
    scale: Sequence[float]
    whole: bool = False

    def visible(self, weights: Weights) -> list[Floats]:
        """Weights as they are when all circuits are as designed, none of them beyond the limits."""
        found = []
        for w, limit, grid in zip(weights.layers, weights.limits, self.grid, strict=True):
            most = np.floor(limit * grid + 1e-6)
            found.append(w if np.isinf(grid) else np.clip(np.round(w * grid), -most, most) / grid)
        return found


def named(sizes: Sequence[int]) -> list[str]:
    """The populations of a network of such layers."""
    return ["x", *(f"h{k}" for k in range(1, len(sizes) - 1)), "y"]


def graded(sizes: Sequence[int], rule: Rule, limits: Sequence[float], copies: int = BATCH) -> neuroport.Network:
    """A network of such layers that takes values and sends filtered spikes: `tssl_bp` with other sizes.

    `limits`: the largest weight of each layer.
    """
    net = neuroport.Network(dt="1 ms", name="tssl_bp", copies=copies)
    net.population("x", sizes[0], "tssl_bp_input", tau_s=rule.tau_s)
    cell = {"tau_m": rule.tau_m, "tau_s": rule.tau_s, "th": rule.threshold}
    for name, size in zip(named(sizes)[1:], sizes[1:], strict=True):
        net.population(name, size, "tssl_bp_lif", params=cell)
    return joined(net, sizes, "tssl_bp", "ff", limits, {"inject": "x.x"})


def integers(sizes: Sequence[int], rule: Rule, scale: Sequence[float], copies: int = BATCH) -> neuroport.Network:
    """The same in Loihi's integers, that takes spikes: `tssl_bp_loihi` with other sizes.

    `scale`: the mantissa of a weight of 1 in each layer.
    """
    net = neuroport.Network(dt="1 ms", name="tssl_bp_loihi", copies=copies)
    net.population("x", sizes[0], "tssl_bp_encoder", full=FULL)
    cell = {"du": round(4096 / rule.tau_s) - 1, "dv": round(4096 / rule.tau_m)}
    for name, size, one in zip(named(sizes)[1:], sizes[1:], scale, strict=True):
        net.population(name, size, "loihi_lif", params=cell | {"vth": round(rule.threshold * rule.tau_s * one)})
    ends = [LARGEST_EVEN] * len(scale)
    return joined(net, sizes, "tssl_bp_loihi", "a_in", ends, {"inject": "x.level", "range": [0, FULL]})


def joined(
    net: neuroport.Network, sizes: Sequence[int], synapse: str, target: str, ends: Sequence[float], shown: Any
) -> neuroport.Network:
    """The same with its weights, and with what the host writes and hears."""
    names = named(sizes)
    net.port("shown", **shown)
    for k, (below, above) in enumerate(pairwise(names), 1):
        ranges = {"w": [-ends[k - 1], ends[k - 1]]}
        net.project(below, above, synapse, input=target, connect="all_to_all", weight=0, ranges=ranges, name=f"up{k}")
        net.port(f"weights{k}", read=f"up{k}.w", write=True)
        net.port(f"spikes{k}", spikes=above)
    net.record(spikes=names[1:])
    return net


class Chip:
    """A session of such a network: `Chip(...)(patterns)` is what spikes there were."""

    def __init__(self, session: Any, sizes: Sequence[int], rule: Rule, form: Form) -> None:
        self.session, self.sizes, self.rule, self.form = session, sizes, rule, form
        self.copies = session.describe()["copies"]
        self.populations = named(sizes)
        self.outputs = [f"spikes{k}" for k in range(1, len(sizes))]

    def load(self, weights: Weights) -> list[Floats]:
        """Write all weights; what they are when all circuits are as designed."""
        visible = self.form.visible(weights)
        for k, (w, scale) in enumerate(zip(visible, self.form.scale, strict=True), 1):
            written = w.T.ravel() * scale
            self.session.set(f"weights{k}", np.round(written) if self.form.whole else written)
        return visible

    def made(self) -> list[Floats]:
        """What the circuits made of the weights; only an emulator can be asked."""
        layers = enumerate(zip(pairwise(self.sizes), self.form.scale, strict=True), 1)
        return [self.session.get(f"up{k}.w").reshape(shape).T / scale for k, (shape, scale) in layers]

    def __call__(self, shown: Floats) -> list[Floats]:
        """The spikes (steps, batch, cells) of every layer above the input for any number of patterns."""
        pieces = [self._batch(shown[k : k + self.copies]) for k in range(0, len(shown), self.copies)]
        return [np.concatenate(layer, axis=1) for layer in zip(*pieces, strict=True)]

    def _batch(self, shown: Floats) -> list[Floats]:
        steps, many = self.rule.steps, len(shown)
        whole = np.zeros((self.copies, *shown.shape[1:]))
        whole[:many] = shown
        self.session.reset(*self.populations)
        start = self.session.step
        if shown.ndim == 2:
            writes = [Write("shown", whole.T, hold=steps)]
        else:
            writes = [Write("shown", whole[:, t].T, at=start + t) for t in range(steps)]
        answer = self.session.exchange(writes, steps + len(self.outputs), self.outputs)
        found = []
        for k, name in enumerate(self.outputs, 1):
            when, cells = answer.outputs[name]
            spikes = np.zeros((steps + len(self.outputs), self.sizes[k] * self.copies))
            spikes[when - start, cells] = 1
            spikes = spikes[k : k + steps].reshape(steps, self.sizes[k], self.copies)
            found.append(np.swapaxes(spikes, 1, 2)[:, :many])
        return found


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


def limits_of(sizes: Sequence[int]) -> list[float]:
    """The largest weight of each layer: a power of two near six standard deviations of the first ones, less 1 / 128."""
    powers = [2.0 ** np.round(np.log2(6 * np.sqrt(2 / below))) for below in sizes[:-1]]
    return [min(LARGEST, float(power)) * 127 / 128 for power in powers]


@contextmanager
def opened(
    sizes: Sequence[int],
    rule: Rule,
    weights: Weights,
    chip: str | Description,
    chip_seed: int | None = None,
    address: str = "",
) -> Iterator[Chip]:
    """A chip with such layers: on Loihi of cells with spikes only, else of those that send filtered spikes.

    `address`: of a server that has the network.
    """
    network, form = on(chip, sizes, rule, weights)
    session: Any
    if address:
        name = chip if isinstance(chip, str) else chip.name
        session = hil.connect(address, chip=name, chip_seed=chip_seed, keep=0)
    else:
        session = neuroport.open(network, chip=chip, chip_seed=chip_seed, keep=0)
    with session:
        yield Chip(session, sizes, rule, form)


def on(chip: str | Description, sizes: Sequence[int], rule: Rule, weights: Weights) -> tuple[neuroport.Network, Form]:
    """The network for a chip, and how weights are written on it."""
    if is_loihi(chip):
        scale = [LARGEST_EVEN / float(np.max(np.abs(w))) for w in weights.layers]
        return integers(sizes, rule, scale), Form([one / 2 for one in scale], scale, whole=True)
    network = graded(sizes, rule, weights.limits)
    arrays = neuroport.compile(network, chip).arrays
    types = [arrays[f"up{k}.w"].type for k in range(1, len(sizes))]
    return network, Form([2.0**one.frac if isinstance(one, Int) else np.inf for one in types], [1.0] * len(types))


def is_loihi(chip: str | Description) -> bool:
    """Whether a chip sends spikes only."""
    return not (description.load(chip) if isinstance(chip, str) else chip).limits.graded


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
    part: str = "test",
    address: str = "",
) -> Outcome:
    """Train without the chip, put the weights on it, and train `repair` epochs in its loop at a quarter of the rate.

    `in_loop`: train on the chip from the beginning, and repair nothing. `events`: what is shown are spikes. `part`: of
    the data set, which is tested. `address`: of a server that has the chip.
    """
    events = events or is_loihi(chip)
    learn, test = tasks(data, rule.steps if events else 0, is_loihi(chip), part)
    weights, rng = begin(sizes, seed, limits_of(sizes)), np.random.default_rng([seed, 1])
    alone = looped = 0.0
    if not in_loop:
        alone = timed(lambda: train(weights, learn, rule, epochs, rate, rng)) / max(epochs, 1)
    host = percent(weights, test, rule)
    with opened(sizes, rule, weights, chip, chip_seed, address) as machine:
        if is_loihi(chip):
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
    events = given.events or is_loihi(chip)
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
