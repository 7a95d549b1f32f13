"""Inputs of which the largest is taken: what arrives in a step, 0 where nothing does; below 0 where all is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport import backends
from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.threads import Threads
from neuroport.backends.reference import Reference
from neuroport.copies.axis import with_copies
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files.writer import to_yaml
from tests.support.executors import difference, everywhere, start
from tests.support.oracle import Literal
from tests.support.random_programs import largest

ADDING = ["reference", pytest.param("emulator", marks=pytest.mark.dear)]
SEEDS = [*range(12), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(12, 200))]


@pytest.mark.parametrize("name", ADDING)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks_are_as_the_oracle_says(name: str, seed: int) -> None:
    """With all kinds of sends, guards, delays, formats and overflows, events and resets, and states handed over."""
    backend: Any = Reference(checked=True) if name == "reference" else Emulator()
    program = largest(seed)
    machines = start(program, Literal(), backend, seed=seed)
    first = program.populations[0].name
    for steps in (7, 5, 9):
        everywhere(machines, "advance", steps)
        assert difference(machines) is None
        everywhere(machines, "trigger", "change")
        everywhere(machines, "reset", first)
        machines[1].load(start(program, Reference(), seed=seed)[0].save() if steps == 0 else machines[1].save())
    assert difference(machines) is None


@pytest.mark.dear
@pytest.mark.parametrize("seed", SEEDS[:6])
def test_copies_have_it_too(seed: Any) -> None:
    program = with_copies(largest(seed), 3)
    machines = start(program, Reference(checked=True), Emulator(), seed=seed)
    for steps in (6, 9):
        everywhere(machines, "advance", steps)
        assert difference(machines) is None
        machines[0].load(machines[1].save())


NETWORK = """
neuroport: 1
name: largest
dt: 1 ms
neurons:
  shown: {inputs: {r_in: {range: [-4, 4]}}, state: {r: {init: 0, range: [-4, 4]}}, update: r = r_in}
  pooled:
    inputs: {i: {range: [-4, 4], reduce: max}, back: {range: [-4, 4], reduce: max}}
    state: {r: {init: 0, range: [-4, 4]}, b: {init: 0, range: [-4, 4]}}
    update: |
      r = i
      b = back
synapses:
  signed:
    state: {w: {weight: true, init: 1, range: [-1, 1]}}
    step: |
      if pre.r != 0:
        send(target, w * pre.r)
  late:
    state: {w: {weight: true, init: 1, range: [-1, 1]}}
    step: send(target, w * pre.r)
populations:
  map: {size: 24, neuron: shown}
  pool: {size: 6, neuron: pooled}
projections:
  p: {source: map, target: pool, input: i, synapse: signed, connect: {pool: {shape: [4, 6], kernel: 2, channels: 1}}}
  q: {source: map, target: pool, input: back, synapse: late, connect: {pairs: [[0, 0], [1, 0], [2, 1]]},
      dendritic_delay: [0 steps, 2 steps, 1 steps]}
"""


def network(text: str = NETWORK) -> Any:
    return reader.loads(text.encode(), "largest.yaml")


def windows(values: Any) -> Any:
    """The largest that is not 0 in each window, 0 if there is none."""
    parts = values.reshape(2, 2, 3, 2).transpose(0, 2, 1, 3).reshape(6, 4)
    return np.array([max([v for v in part if v], default=0) for part in parts])


@pytest.mark.parametrize("name", ADDING)
@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_pools_take_the_largest_below_0_too(name: str, chip: str) -> None:
    drawn = np.random.default_rng(2)
    with neuroport.open(network(), name, chip) as session:
        for kind in ("some", "below 0", "none"):
            values = np.round(drawn.uniform(-3, 3, 24), 2) * (drawn.random(24) < 0.6)
            values = {"some": values, "below 0": -np.abs(values), "none": 0 * values}[kind]
            session.set("map.r", values)
            session.run(1)
            assert session.get("pool.r") == pytest.approx(windows(values), abs=1e-12 if chip == "ideal" else 2e-3), kind


@pytest.mark.parametrize("name", ADDING)
def test_what_is_late_meets_what_arrives_then(name: str) -> None:
    """Neuron 0 hears the first cell at once and the second two steps later."""
    seen = []
    with neuroport.open(network(), name) as session:
        for step in range(6):
            session.set("map.r", [-(step + 1) / 2, 2 - step, 0.5 * step, *[0] * 21])
            session.run(1)
            seen.append(session.get("pool.b")[:2].tolist())
    assert [one for one, _ in seen] == [-0.5, -1, *(max(-(t + 1) / 2, 4 - t) for t in range(2, 6))]
    assert [other for _, other in seen] == [0, *(0.5 * (t - 1) for t in range(1, 6))]


@pytest.mark.parametrize("name", ADDING)
def test_a_checkpoint_has_what_is_on_its_way(name: str) -> None:
    found = []
    for other in (name, "reference"):
        with (
            neuroport.open(network(), other, "generic16") as session,
            neuroport.open(network(), other, "generic16") as later,
        ):
            session.set("map.r", np.linspace(-1, -0.25, 24))
            session.run(1)
            later.restore(session.checkpoint())
            for one in (session, later):
                one.run(1)
                found.append(one.get("pool.b").tolist())
                one.run(1)
                found[-1] += one.get("pool.b").tolist()
    assert found[0] == found[1] == found[2] == found[3]
    assert min(found[0]) < 0


@pytest.mark.dear
def test_threads_have_the_bits_of_one() -> None:
    program = neuroport.compile(network(NETWORK.replace("[4, 6]", "[16, 24]").replace("size: 24", "size: 384")
                                        .replace("size: 6,", "size: 96,")), "generic16")  # fmt: skip
    one, other = backends.load("emulator").open(program, 1, []), Threads(program, 1, [], 2, smallest=8)
    values = np.random.default_rng(1).integers(-900, 900, 384)
    for machine in (one, other):
        machine.write("map.r", values)
        machine.advance(1)
        machine.write("map.r", -np.abs(values))
        machine.advance(1)
    for name in ("pool.r", "pool.b"):
        assert np.array_equal(one.read(name), other.read(name)), name
    other.close()


def test_a_file_is_written_as_it_was_read() -> None:
    assert reader.loads(to_yaml(network()).encode(), "again.yaml") == network()


# ----------------------------------------------------------------------------------------------------- what is refused


def problems(text: str) -> str:
    with pytest.raises(InvalidInput) as error:
        network(text)
    return str(error.value)


ADDS = (
    "adds to input 'i' of population 'pool', which takes the largest of what synapses send (reduce: max); let it go "
    "to another input"
)


def test_nothing_is_added() -> None:
    stimulus = "stimuli:\n  more: {series: {values: [1], every: 1 ms}, population: pool, input: i}\n"
    assert problems(NETWORK + stimulus) == f"largest.yaml:30:71: stimulus 'more' {ADDS}"
    port = "ports: {more: {inject: pool.i, range: [0, 1]}}\n"
    assert problems(NETWORK + port) == f"largest.yaml:29:24: inject of port 'more' {ADDS}"
    assert problems(NETWORK.replace("reduce: max}, back", "reduce: mean}, back")) == (
        "largest.yaml:8:42: reduce of input 'i' of neuron model 'pooled' cannot be 'mean'; allowed are sum, max"
    )


@pytest.mark.parametrize(
    "adding", [lambda session: session.inject("pool.i", [0], 1), lambda session: session.set("pool.i", 1)]
)
def test_a_host_adds_nothing(adding: Any) -> None:
    with neuroport.open(network(), "reference") as session:
        assert [one["name"] for one in session.describe()["inputs"]] == ["map.r_in"]
        with pytest.raises(InvalidInput) as error:
            adding(session)
    assert str(error.value) == (
        "largest.yaml:8:14: 'pool.i' takes the largest of what synapses send (reduce: max), and nothing is added to "
        "it; let it go to another input"
    )


@pytest.mark.parametrize("name", ADDING)
@pytest.mark.parametrize("reset", ["pool", "pool[2:5]"])
def test_a_reset_leaves_nothing_on_its_way_to_a_part_as_to_all(name: str, reset: str) -> None:
    """What is 0 afterwards has not been sent: all that arrives is below 0, and that is then the largest."""
    text = NETWORK + f'protocol: [{{run: 3 steps}}, {{reset: ["{reset}"]}}]\n'
    with neuroport.open(network(text), name) as session:
        session.run_protocol()
        session.set("map.r", np.full(24, -1.0))
        session.run(1)
        assert session.get("pool.r").tolist() == [-1.0] * 6


def test_genn_says_that_it_adds() -> None:
    (told, other) = backends.load("genn").check(neuroport.compile(network(), "generic16"))
    assert told == "the input 'pool.i' takes the largest of what arrives; GeNN adds up. Take another backend."
    assert "'pool.back'" in other


# ------------------------------------------------------------------------------------------------ several spikes a step

BURSTS = """
neuroport: 1
name: bursts
dt: 1 ms
neurons:
  burst: {state: {n: {type: int, init: 3, range: [0, 7]}}, update: n = 3, spike_count: n}
  heard:
    inputs: {most: {range: [-8, 8], reduce: max}, sum: {range: [-8, 8]}}
    state: {m: {init: 0, range: [-8, 8]}, s: {init: 0, range: [-8, 8]}}
    update: |
      m = most
      s = sum
synapses:
  both:
    state: {w: {weight: true, init: 0.5, range: [-2, 2]}}
    on_pre: |
      send(most, w)
      send(sum, w)
populations: {a: {size: 1, neuron: burst}, b: {size: 1, neuron: heard}}
projections: {p: {source: a, target: b, input: sum, synapse: both, connect: one_to_one}}
"""


@pytest.mark.parametrize("name", ADDING)
def test_several_spikes_of_a_step_send_one_largest(name: str) -> None:
    with neuroport.open(network(BURSTS), name) as session:
        session.run(3)
        assert (session.get("b.m")[0], session.get("b.s")[0]) == (0.5, 1.5)
