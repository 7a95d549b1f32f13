"""Runs of the shipped published models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport.session.session import Session

Steps = NDArray[np.int64]


def ran(name: str, chip: str, seed: int | None = None, sets: Sequence[str] = ()) -> Session:
    """The session of a network after its protocol, on the emulator, still open. Without a seed it has the file's."""
    session = neuroport.open(neuroport.load(name, sets), "emulator", chip, seed=seed)
    session.run_protocol()
    return session


def trains(session: Session, population: str, size: int) -> list[Steps]:
    """The steps in which each neuron of a population spiked."""
    steps, neurons = session.spikes(population)
    return [steps[neurons == k] for k in range(size)]


def late_rate(train: Steps, dt: float) -> float:
    """Hz of the last interval between two spikes; 0 when there are fewer. dt in ms."""
    return 1000 / (float(train[-1] - train[-2]) * dt) if len(train) > 1 else 0.0


def irregularity(every: Sequence[Steps]) -> float:
    """Mean coefficient of variation of the intervals of all trains that have at least five spikes."""
    found = [np.std(np.diff(train)) / np.mean(np.diff(train)) for train in every if len(train) >= 5]
    return float(np.mean(found)) if found else float("nan")
