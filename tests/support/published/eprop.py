"""E-prop (Bellec et al. 2020): the error of a generated pattern, with and without learning in the recurrent network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import neuroport
from tests.oracles import published_eprop as oracle
from tests.support.published.model import CHANCE, Model, Numbers, Row

TRIALS, LAST = 200, 20


def numbers(full: Sequence[float], alone: Sequence[float], rate: float) -> Numbers:
    """The rows, of the relative errors of all seconds: everything learns, and only the outputs do."""
    return {
        "error, relative to the goal, of the first second": full[0],
        "the same after 180 to 200 s": float(np.mean(full[-LAST:])),
        "where only the outputs learn": float(np.mean(alone[-LAST:])),
        "rate of the cells after 180 to 200 s (Hz)": rate,
    }


def measure(chip: str, seed: int) -> Numbers:
    still = [f"{name}.eta=0" for name in ("clock_to_cells", "cells_to_cells")]
    full, alone = (
        neuroport.run(neuroport.load("published/eprop", [f"seed={seed}", *sets]), chip=chip, seed=seed).metrics
        for sets in ([], still)
    )
    return numbers(*(relative(run) for run in (full, alone)), float(np.mean([r for _, r in full["rate"][-LAST:]])))


def relative(metrics: dict[str, list[tuple[int, float]]]) -> list[float]:
    """The squared error of every second, relative to the goal."""
    return [loss / power for (_, loss), (_, power) in zip(metrics["loss"], metrics["power"], strict=True)]


def independent(seed: int) -> Numbers:
    errors, rates = [], []
    for learns in (True, False):
        rng = np.random.default_rng(seed)
        wanted = oracle.goal(rng.uniform(-1, 1, (4, 3)), rng.uniform(-1, 1, (4, 3)))
        learner = oracle.Learner(oracle.drawn(rng), eta=5e-5 if learns else 0.0)
        power = float((wanted**2).sum(axis=0).mean())
        errors.append([])
        for trial in range(TRIALS):
            errors[-1].append(learner.second(oracle.inputs(), wanted) / power)
            rates.append(float(learner.spikes.sum()) / oracle.CELLS if learns and trial >= TRIALS - LAST else np.nan)
    return numbers(*errors, float(np.nanmean(rates)))


MODEL = Model(
    name="published/eprop",
    source="Bellec et al., Nature Commun. 11 (2020) 3625",
    rows=(
        Row("error, relative to the goal, of the first second"),
        Row("the same after 180 to 200 s", why=CHANCE),
        Row("where only the outputs learn", why="weights of 16 bits: 1e-4 of the gradient"),
        Row("rate of the cells after 180 to 200 s (Hz)", "10 (f_goal)", CHANCE),
    ),
    measure=measure,
    independent=independent,
    seeds=3,
)
