"""Entries of the library's rules of spike timing: weights of ten pairs of neurons after two seconds of given spikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroport.files import library
from neuroport.session.session import Session
from tests.oracles.standard_stdp import Pair
from tests.support.given_spikes import Trains, drawn, opened
from tests.support.mutated import mutated
from tests.support.published.model import Model, Numbers, Row

STEPS = 2000  # of 1 ms
LATE = 2
"""A spike of step t changes a synapse in step t + 1, and grows its weight from step t + 2 on."""
TRAINS = drawn(10, STEPS)
PAIRS = [Pair(*(train.tolist() for train in trains)) for trains in zip(TRAINS.pre, TRAINS.post, strict=True)]
SHOWN = {0: "5 Hz", 4: "25 Hz", 9: "50 Hz"}
"""The pairs of the table, by their rates."""

Weights = NDArray[np.float64]


def mutant(name: str, instead: Mapping[str, str]) -> str:
    """The shipped synapse model in which other texts stand instead of some, which are there, as one called `mutant`."""
    return f"synapses: {{mutant: {mutated(library.synapse(name), 'synapses', instead)}}}\n"


@dataclass(frozen=True)
class Rule:
    """A synapse model with parameters, what is done at which ms, and the weight of an independent program.

    `beside`: more populations.
    `own(spikes, late)`: the weight at 2 s + late, if spikes act on it that much (ms) after they are fired.
    """

    name: str
    source: str
    own: Callable[[Pair, float], float]
    more: str = ""
    acts: Mapping[int, Callable[[Session], None]] | None = None
    beside: str = ""

    def weights(self, chip: str, instead: Mapping[str, str] | None = None, per_ms: int = 1) -> Weights:
        """The last weights of all pairs on a chip; of a mutant if something stands instead of texts of the model.

        `per_ms`: steps of a ms. Spikes come at the same times.
        """
        name, models = ("mutant", mutant(self.name, instead)) if instead else (self.name, "")
        trains = Trains(*(tuple(train * per_ms for train in side) for side in (TRAINS.pre, TRAINS.post)))
        with opened(name, trains, chip, self.more, models, 1 / per_ms, self.beside) as session:
            for time, act in (self.acts or {}).items():
                session.run(time * per_ms - session.step)
                act(session)
            session.run(STEPS * per_ms + LATE - session.step)
            return session.get("s.w")

    def expected(self, per_ms: int = 1) -> Weights:
        """Those of the independent program."""
        return np.array([self.own(pair, LATE / per_ms) for pair in PAIRS])

    @property
    def model(self) -> Model:
        """The entry of the table."""
        rows = {pair: f"weight after 2 s, both neurons at {rate}" for pair, rate in SHOWN.items()}

        def named(weights: Weights) -> Numbers:
            return {name: float(weights[pair]) for pair, name in rows.items()}

        return Model(
            name=self.name,
            source=self.source,
            rows=tuple(map(Row, rows.values())),
            measure=lambda chip, _: named(self.weights(chip)),
            independent=lambda _: named(self.expected()),
        )
