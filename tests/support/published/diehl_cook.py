"""Diehl & Cook (2015): how many digits are recognised, and what was learned."""

from __future__ import annotations

import numpy as np

from neuroport.datasets.digits import DATA
from tests.oracles import published_diehl_cook as oracle
from tests.support.published.model import CHANCE, Model, Numbers, Row
from tests.support.published.running import ran

ROWS = (
    "accuracy (%)",
    "spikes per image, all cells",
    "mean threshold theta (mV)",
    "sd of theta over the cells (mV)",
    "sd of the weights",
    "weights below 0.05 (%)",
)


def numbers(right: float, spikes: float, theta: oracle.Array, weights: oracle.Array) -> Numbers:
    small = float(100 * np.mean(weights < 0.05))
    found = (right, spikes, float(theta.mean()), float(theta.std()), float(weights.std()), small)
    return dict(zip(ROWS, found, strict=True))


def measure(chip: str, seed: int) -> Numbers:
    session = ran("published/diehl_cook", chip, seed, (f"seed={seed}",))
    which, answers = session.rows("answers")
    tested, new = session.rows("answers_test")
    labels, right = DATA.make("train", {})[1], DATA.make("test", {})[1]
    share = oracle.accuracy(answers, labels[which], new, right[tested])
    return numbers(share, float(new.sum(axis=1).mean()), session.get("exc.theta"), session.get("input.w"))


def independent(seed: int) -> Numbers:
    (images, labels), (new, right) = (DATA.make(part, {}) for part in ("train", "test"))
    brain, rng = oracle.Brain.born(64, 100, seed), np.random.default_rng(seed)
    for part in range(4):
        brain.see(images[rng.permutation(len(images))[:100]], 10 * seed + part, learn=True)
    known = rng.permutation(len(images))[:400]
    answers, tested = brain.see(images[known], 10 * seed + 4, False), brain.see(new, 10 * seed + 5, False)
    share = oracle.accuracy(answers.astype(float), labels[known], tested.astype(float), right)
    return numbers(share, float(tested.sum(axis=1).mean()), brain.theta, brain.weights)


MODEL = Model(
    name="published/diehl_cook",
    source="Diehl & Cook, Front. Comput. Neurosci. 9 (2015) 99",
    rows=tuple(Row(name, why=CHANCE) for name in ROWS),
    measure=measure,
    independent=independent,
    seeds=4,
)
