"""Pairs of neurons that spike when they are told, each joined by one synapse of a model that learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport.session.session import Session

Times = NDArray[np.int64]

NETWORK = """
neuroport: 1
name: given_spikes
dt: {dt} ms
neurons:
  told:
    inputs:
      spike_in: {{type: int, range: [0, 1]}}
      heard: {{range: [-16, 16]}}
    state:
      sum: {{init: 0, range: [-1024, 1024], class: plastic}}
    update: |
      sum = sum + heard
    spike: spike_in > 0
populations:
  pre: {{size: {size}, neuron: told}}
  post: {{size: {size}, neuron: told}}
{beside}
projections:
  s: {{source: pre, target: post, input: heard, synapse: {model}, connect: one_to_one{more}}}
stimuli:
  to_pre: {{spikes: {pre}, population: pre, input: spike_in}}
  to_post: {{spikes: {post}, population: post, input: spike_in}}
"""


@dataclass(frozen=True)
class Trains:
    """Spikes of each pair, as numbers of steps, sorted; some steps have a spike of both."""

    pre: tuple[Times, ...]
    post: tuple[Times, ...]

    @property
    def size(self) -> int:
        """How many pairs."""
        return len(self.pre)


def drawn(size: int, steps: int, dt: float = 1.0, seed: int = 1) -> Trains:
    """Poisson trains of 5 to 50 Hz for so many steps of dt ms; pairs share about one spike in ten."""
    rng = np.random.default_rng(seed)
    rates = np.linspace(0.005, 0.05, size) * dt
    both = rng.random((size, steps)) < rates[:, None] / 10
    pre, post = (both | (rng.random((size, steps)) < rates[:, None]) for _ in range(2))
    return Trains(tuple(map(np.flatnonzero, pre)), tuple(map(np.flatnonzero, post)))


def listed(trains: Sequence[Sequence[int] | Times]) -> str:
    """A stimulus of these spikes."""
    events = sorted((int(step), cell) for cell, train in enumerate(trains) for step in train)
    times = ", ".join(f"{step} steps" for step, _ in events)
    return f"{{times: [{times}], neurons: {[cell for _, cell in events]}}}"


def opened(
    model: str, trains: Trains, chip: str, more: str = "", models: str = "", dt: float = 1.0, beside: str = ""
) -> Session:
    """A session of the network, the synapses with `more` in their projection, such as `, params: {…}`.

    `models`: more models, such as `synapses: {…}`; `beside`: lines of more populations.
    """
    told = {"pre": listed(trains.pre), "post": listed(trains.post)}
    text = NETWORK.format(dt=dt, size=trains.size, model=model, more=more, beside=beside, **told) + models
    return neuroport.open(neuroport.loads(text), "reference", chip)
