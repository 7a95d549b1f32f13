"""Random models on chips of odd words, driven by a host that writes into them while they run.

`cases` are those of random_models.py that a chip does not refuse. `chip(seed)` has words of 6 to 63 bits, a
rounding rule and an overflow rule for each class, and a mismatch, which without a chip seed does nothing. `drive` runs
a session in pieces; before each it switches parameters, sets variables and injects into inputs, often beyond their
ranges.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import neuroport
from neuroport import backends
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip
from neuroport.errors import InvalidInput, RunFailed
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program.ir import ROUNDINGS
from neuroport.program.machine import Program
from neuroport.session.session import Session
from tests.support import random_models
from tests.support.planning import open_session
from tests.support.random_models import LEARN, RUNS, Case, case

WORDS = (6, 8, 12, 16, 24, 32, 40, 48, 60, 63)
CLASSES = ("state", "weight", "plastic", "trace", "accumulator", "coefficient")

CASES = 5
"""Programs in one network; compiling one costs an executor a second or two."""


@dataclass(frozen=True)
class Moment:
    """What an executor holds after a piece of a run: raw arrays, spike counts, overflow counts."""

    arrays: dict[str, NDArray[np.int64]]
    spikes: dict[str, int]
    overflows: dict[str, int]
    refused: tuple[str, ...]

    def differences(self, other: Moment) -> list[str]:
        """What is not the same in another executor."""
        arrays = [n for n, a in self.arrays.items() if not np.array_equal(a, other.arrays[n])]
        found = [f"{n}: {self.arrays[n].tolist()} and {other.arrays[n].tolist()}" for n in arrays]
        for what in ("spikes", "overflows", "refused"):
            if getattr(self, what) != getattr(other, what):
                found.append(f"{what}: {getattr(self, what)} and {getattr(other, what)}")
        return found


def chip(seed: int) -> Chip:
    """A chip description; equal for equal seeds."""
    draw = random.Random(f"chip{seed}")
    wide = draw.random() < 0.5
    lines = [f"name: odd{seed}", "words:"]
    for name in CLASSES:
        bits = draw.choice(WORDS[5:] if wide else WORDS)
        rule = "nearest" if name == "coefficient" else draw.choice(ROUNDINGS)
        overflow = draw.choice(("saturate", "saturate", "wrap"))
        lines.append(f"  {name}: {{bits: {bits}, rounding: {rule}, overflow: {overflow}}}")
    lines.append(f"tables: {{intervals: {draw.choice((16, 256, 1024))}, bits: {draw.choice((12, 24, 32))}}}")
    lines.append("mismatch: {weight: {distribution: lognormal, sigma: 0.2}, bias: {distribution: normal, sigma: 0.1}}")
    return chips.read("\n".join(lines) + "\n", f"odd{seed}.yaml")


def cases(seed: int, on: Chip, count: int) -> list[Case]:
    """That many cases that the chip takes; others are passed over."""
    found: list[Case] = []
    for number in range(seed * 1000, seed * 1000 + 4 * count):
        if len(found) < count and taken(case(number), on):
            found.append(case(number))
    return found


def taken(tried: Case, on: Chip) -> bool:
    """Whether a chip takes a case."""
    try:
        neuroport.compile(network([tried]), on)
    except InvalidInput:
        return False
    return True


def network(some: Sequence[Case]) -> Network:
    """The cases side by side."""
    return reader.loads(random_models.text(random_models.network(some)).encode(), "hosted.yaml")


def drive(session: Session, some: Sequence[Case], seed: int) -> list[Moment]:
    """Run in pieces and write in between; what the executor holds after each."""
    moments = []
    for number, steps in enumerate(RUNS):
        refused = []
        for one in some:
            refused += _switch(session, one.switches[number - 1]) if number else []
            refused += _write(session, one, random.Random(f"{seed} {one.seed} {number}"))
        if any(one.learns for one in some):
            session.trigger(LEARN)
        session.run(steps)
        arrays = {name: np.array(values) for name, values in session.final().items()}
        moments.append(Moment(arrays, session.spike_counts(), session.overflows(), tuple(refused)))
    return moments


def _switch(session: Session, switches: dict[str, float]) -> list[str]:
    refused = []
    for name, value in switches.items():
        try:
            session.set(name, value)
        except (InvalidInput, RunFailed) as error:
            refused.append(str(error))
    return refused


def _write(session: Session, one: Case, draw: random.Random) -> list[str]:
    """Values at, within and beyond the ranges; what is refused is told."""
    refused = []
    for name, (low, high) in one.shown.items():
        if draw.random() < 0.3 and name in session.program.arrays:
            value = draw.choice(
                (low, high, (low + high) / 2, low - 1, high + 1, 3 * high, low + (high - low) * draw.random())
            )
            try:
                session.set(name, round(value) if _is_int(one, name) else value)
            except (InvalidInput, RunFailed) as error:
                refused.append(str(error))
    for population in one.populations:
        name = f"{population}.i"
        if draw.random() < 0.6 and name in session.program.arrays:
            for _ in range(draw.randint(1, 3)):
                try:
                    session.inject(f"{population}.i", [0], [draw.choice((0.25, -1.5, 1.99, -7.9, 7.9, 0.001))])
                except (InvalidInput, RunFailed) as error:
                    refused.append(str(error))
    return refused


def _is_int(one: Case, name: str) -> bool:
    owner, _, variable = name.partition(".")
    given = {**one.populations, **one.projections}[owner]
    models = {**one.neurons, **one.synapses}
    return models[given.get("neuron", given.get("synapse"))]["state"][variable].get("type") == "int"


def compiled(some: Sequence[Case], on: Chip) -> Program:
    """Their program, without a chip seed."""
    return neuroport.compile(network(some), on)


def moments(seed: int, backend: str) -> list[Moment]:
    """What an executor holds after each piece of a run of random models."""
    on = chip(seed)
    some = cases(seed, on, CASES)
    with open_session(network(some), compiled(some, on), backends.load(backend)) as session:
        return drive(session, some, seed)


def agree(seed: int, backend: str) -> None:
    """Compare the reference with an executor, after each piece."""
    for number, (one, other) in enumerate(zip(moments(seed, "reference"), moments(seed, backend), strict=True)):
        found = one.differences(other)
        assert not found, f"seed {seed}, after run {number}, reference and {backend}:\n" + "\n".join(found)
