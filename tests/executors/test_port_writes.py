"""What a host gives through ports is there on every executor and chip, and refused alike where a range ends."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.api.compile import lower_and_plan, specimen
from neuroport.chips import description as chips
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.session.session import Session, open_session
from tests.support.executors import BACKENDS

TEXT = """\
neuroport: 1
name: hosted
dt: 1 ms
neurons:
  real: {inputs: {i: {unit: nA}}, state: {v: {init: 0, range: [-16, 16]}}, update: v = i, spike: i > 0}
  whole: {inputs: {n: {type: int}}, state: {c: {type: int, init: 0, range: [-99, 99]}}, update: c = n, spike: n > 0}
  written: {state: {drive: {init: 0, range: [0, 1]}}, spike: drive > 0.5}
populations:
  source: {size: 2, neuron: spike_source}
  alone: {size: 2, neuron: real}
  counts: {size: 2, neuron: whole}
  held: {size: 2, neuron: written}
  target: {size: 2, neuron: real}
projections:
  p: {source: source, target: target, synapse: static, connect: all_to_all, weight: [[0.5, 0.25], [1, -1.25]]}
ports:
  events: {inject: source.spike_in, range: [0, 1]}
  current: {inject: alone.i, range: [-2 nA, 1 nA]}
  numbers: {inject: counts.n, range: [-3, 2]}
  level: {write: held.drive}
  beside: {inject: target.i, range: [-4, 3]}
  weights: {read: p.w, write: true}
"""
HOSTED = {"source": "spike_in", "alone": "i", "counts": "n"}


USUAL = ("ideal", "generic8", "loihi1")
"""The chips for which a program is compiled in the usual run: each other one has the formats of one of these."""


def pairs_of_executor_and_chip() -> Iterator[Any]:
    """Every executor with every chip that comes with neuroport."""
    for name, chip in itertools.product(BACKENDS, chips.names()):
        dear = name != "reference" and chip not in USUAL
        yield pytest.param((name, chip), id=f"{name}-{chip}", marks=[pytest.mark.slow] if dear else [])


@pytest.fixture(scope="module", params=pairs_of_executor_and_chip())
def opened(request: pytest.FixtureRequest) -> Iterator[Session]:
    """The network above on one executor and chip."""
    name, chip = request.param
    if reason := BACKENDS[name].missing():
        pytest.skip(reason)
    with opened_on(TEXT, name, chip) as session:
        yield session


def opened_on(text: str, backend: str, chip: str) -> Session:
    network = reader.loads(text, "hosted.yaml")
    program, plan = lower_and_plan(network, *specimen(network, chip, 1 if "mismatch" in chip else None))
    return open_session(program, plan, BACKENDS[backend])


def counted(session: Session, act: Callable[[], None]) -> dict[str, int]:
    """How many spikes each population has of ten steps, before each of which the host acts."""
    before = session.spike_counts()
    for _ in range(10):
        act()
        session.run(1)
    return {name: count - before[name] for name, count in session.spike_counts().items()}


def inject(session: Session, name: str, neurons: Any, values: Any) -> None:
    session.inject(name, neurons, values)


@pytest.mark.parametrize("population", HOSTED)
def test_what_only_the_host_drives_spikes(opened: Session, population: str) -> None:
    found = counted(opened, lambda: inject(opened, f"{population}.{HOSTED[population]}", [0, 1], [1, 1]))
    assert found[population] == 20
    opened.run(2)


def test_what_a_port_writes_stays(opened: Session) -> None:
    opened.set("held.drive", [0, 1])
    assert counted(opened, lambda: None)["held"] == 10
    opened.set("held.drive", 0)


OUTSIDE = {
    "source.spike_in": ([1], [2], "'source.spike_in', all that was injected for this step: 2 of neuron 1 is outside "
                        "0 .. 1, the range of port 'events'; give a value inside, or the port a wider range"),
    "alone.i": ([0], [-2.5], "'alone.i', all that was injected for this step: -2.5 of neuron 0 is outside -2 .. 1, "
                "the range of port 'current'; give a value inside, or the port a wider range"),
    "counts.n": ([1, 1], [1, 2], "'counts.n', all that was injected for this step: 3 of neuron 1 is outside -3 .. 2, "
                 "the range of port 'numbers'; give a value inside, or the port a wider range"),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_values_outside_a_port_are_refused_alike(opened: Session, name: str) -> None:
    neurons, values, text = OUTSIDE[name]
    with pytest.raises(InvalidInput) as error:
        inject(opened, name, neurons, values)
    assert str(error.value) == text
    assert not opened.get(name).any()


def test_injections_into_a_port_count_together(opened: Session) -> None:
    inject(opened, "alone.i", [0, 1], [0.75, -1.5])
    inject(opened, "alone.i", [0], [0.25])
    for neuron, value, total in ((0, 0.25, 1.25), (1, -0.75, -2.25)):
        with pytest.raises(InvalidInput, match=f"step: {total} of neuron {neuron} is outside -2 .. 1, the range of po"):
            inject(opened, "alone.i", [neuron], [value])
    opened.run(1)
    assert opened.get("alone.v").tolist() == [1, -1.5]


def test_the_whole_range_of_a_port_is_added_beside_what_arrives(opened: Session) -> None:
    deviating = "mismatch" in opened.program.chip
    for host in (-4, 3):
        inject(opened, "source.spike_in", [0, 1], [1, 1])
        opened.run(1)
        inject(opened, "target.i", [0, 1], host)
        opened.run(1)
        assert opened.get("target.v") == pytest.approx([host + 1.5, host - 1], abs=1 if deviating else 0.13)
    assert not opened.overflows().get("target.i", 0)


def test_weights_that_a_port_writes_take_all_of_their_range(opened: Session) -> None:
    before = opened.get("p.w")
    opened.set("p.w", [16, -16, 8, -4])
    if "mismatch" not in opened.program.chip:
        assert opened.get("p.w") == pytest.approx([16, -16, 8, -4], abs=0.13)
    with pytest.raises(InvalidInput) as error:
        opened.set("p.w", 17)
    text = "'p.w': 17 of synapse 0 is outside -16 .. 16, its declared range; give a value inside, or a wider range with"
    assert str(error.value) == f"{text} `ranges: {{w: [LOW, HIGH]}}` at 'p'"
    opened.set("p.w", [0.5, 0.25, 1, -1.25])
    assert opened.get("p.w") == pytest.approx(before)


# ------------------------------------------------------------------------------------------------------ without a port

FREE = TEXT[: TEXT.index("ports:")]


def test_without_a_port_an_ideal_machine_takes_any_number() -> None:
    with opened_on(FREE, "reference", "ideal") as session:
        inject(session, "alone.i", [0], [1e6])
        session.run(1)
        assert session.get("alone.v").tolist() == [1e6, 0]


def test_without_a_port_a_chip_takes_what_the_network_sends_and_names_the_port() -> None:
    with opened_on(FREE, "reference", "generic16") as session:
        inject(session, "target.i", [0], [1])
        with pytest.raises(InvalidInput) as error:
            inject(session, "alone.i", [0], [1])
        assert str(error.value) == (
            "'alone.i', all that was injected for this step: 1 of neuron 0 is outside 0 .. 0, what it holds on chip "
            "'generic16'; give a value inside, or declare in the network file what the host adds: "
            "`ports: {NAME: {inject: alone.i, range: [LOW, HIGH]}}`"
        )
        with pytest.raises(InvalidInput, match=r": 0\.2 of neuron 0 is outside 0 \.\. 0"):
            inject(session, "alone.i", [0], [0.2])


# ----------------------------------------------------------------------------------------------------- random networks


def random_network(seed: int) -> tuple[str, str]:
    """A text with a projection and a port onto one input, and a chip."""
    draw = random.Random(seed)
    low, high = -draw.choice([0, 0.1, 1, 3.7, 100]), draw.choice([0.001, 0.3, 1, 2, 50, 1000])
    ranged = draw.choice(["", ", range: [0, 8]", ", range: [-128, 128]", ", range: [-0.5, 0.7]"])
    weights = [[draw.uniform(-1, 2) * draw.choice([0.01, 1, 30]) for _ in range(3)] for _ in range(4)]
    text = f"""\
neuroport: 1
name: random
dt: 1 ms
neurons:
  cell: {{inputs: {{i: {{unit: nA{ranged}}}}}, state: {{v: {{init: 0, range: [-1024, 1024]}}}}, update: v = i}}
populations:
  source: {{size: 4, neuron: spike_source}}
  cells: {{size: 3, neuron: cell}}
projections:
  p: {{source: source, target: cells, synapse: static, connect: all_to_all, weight: {weights},
      ranges: {{w: [-60, 60]}}}}
ports:
  events: {{inject: source.spike_in, range: [0, 1]}}
  added: {{inject: cells.i, range: [{low} nA, {high} nA]}}
"""
    return text, draw.choice(["generic8", "generic16", "loihi1", "generic8_stochastic", "ideal"])


def driven(text: str, chip: str, backend: str, seed: int) -> list[Any]:
    """What a host that injects at random, to the ends of its range, makes of a network."""
    draw, seen = np.random.default_rng(seed), []
    with opened_on(text, backend, chip) as session:
        port = next(p for p in session.program.ports if p.name == "added")
        assert port.range is not None
        for _ in range(12):
            chosen = np.flatnonzero(draw.random(4) < 0.7)
            inject(session, "source.spike_in", chosen, np.ones(len(chosen), int))
            values = np.clip(draw.uniform(*port.range, 3) * draw.choice([1, 3]), *port.range)
            inject(session, "cells.i", [0, 1, 2], values)
            session.run(1)
            seen.append(session.get("cells.v").tolist())
        return [*seen, session.digest(), session.overflows()]


@pytest.mark.parametrize("seed", range(8))
def test_random_ports_are_served_alike(seed: int) -> None:
    assert_alike(seed, ["reference"])


@pytest.mark.dear
@pytest.mark.parametrize("seed", [100])
def test_random_ports_are_served_alike_where_they_are_compiled(seed: int) -> None:
    assert_alike(seed, list(BACKENDS))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 1200, 20))
def test_many_random_ports_are_served_alike(first: int) -> None:
    for seed in range(first, first + 20):
        assert_alike(seed, list(BACKENDS))


def assert_alike(seed: int, names: list[str]) -> None:
    """A network is refused with the name of its port, or its executors take whatever lies in the ports' ranges."""
    text, chip = random_network(seed)
    if refusal(text, chip).startswith("random.yaml:14:3: port 'added' may add "):
        return
    ready = [name for name in names if BACKENDS[name].missing() is None]
    one, *others = [driven(text, chip, name, seed) for name in ready]
    assert all(other == one for other in others)


def refusal(text: str, chip: str) -> str:
    """Why a network cannot be compiled for a chip, or nothing."""
    try:
        neuroport.compile(reader.loads(text, "random.yaml"), chip)
    except InvalidInput as error:
        return str(error)
    return ""


# --------------------------------------------------------------------------------------------------------------- copies

BATCH = """\
neuroport: 1
name: batch
dt: 1 ms
copies: 3
neurons:
  unit:
    inputs: {i: {}}
    state: {v: {init: 0, range: [-8, 8]}, bias: {init: 0, range: [-1, 1], over_copies: shared}}
    update: v = 0.5 * v + i + bias
    spike: v > 1
populations: {cells: {size: 2, neuron: unit}}
ports:
  current: {inject: cells.i, range: [-3, 3]}
  bias: {write: cells.bias}
"""


@pytest.mark.parametrize("name", BACKENDS)
def test_a_port_takes_numbers_for_all_copies_or_for_each(name: str) -> None:
    if reason := BACKENDS[name].missing():
        pytest.skip(reason)
    with opened_on(BATCH, name, "generic16") as session:
        assert [(port.name, port.size) for port in session.program.ports] == [("current", 2), ("bias", 2)]
        session.set("cells.bias", [0.5, -0.5])
        inject(session, "cells.i", [0, 1], [1, 3])
        inject(session, "cells.i", [0], [[-1, 0, 1]])
        with pytest.raises(InvalidInput, match=r"3\.25 of neuron 1 is outside -3 \.\. 3, the range of port 'current'"):
            inject(session, "cells.i", [1], [[-1, 0.25, -2]])
        session.run(1)
        assert session.get("cells.v").tolist() == [[0.5, 1.5, 2.5], [2.5, 2.5, 2.5]]
        assert session.spike_counts() == {"cells": 5}
