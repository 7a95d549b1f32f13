"""A connection rule, a stimulus and a distribution of one's own: each written here once, and nothing else touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport import connections, distributions, stimuli
from neuroport.chips import description as chips
from neuroport.connections.rule import Ends, Pairs, Rule
from neuroport.distributions.kind import Kind as DistributionKind
from neuroport.elaborate.network import elaborate
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.network.objects import Connect
from neuroport.network.stimuli import Stimulus
from neuroport.numerics.draws import Source
from neuroport.numerics.units import Quantity
from neuroport.program import room
from neuroport.program.machine import Injection
from neuroport.stimuli.kind import Kind, Maker, Onto
from neuroport.trace.learned import with_learned
from neuroport.trace.read import open_trace
from neuroport.yaml.arrays import Sink
from neuroport.yaml.quantities import duration, fitting, written_quantity
from neuroport.yaml.slots import Slot

# ------------------------------------------------------------------------------------------------- a connection rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring(Connect):
    """Every neuron of a population with its next `neighbours`: `{ring: {neighbours: 2}}`."""

    neighbours: int


def read_ring(entry: connections.Entry) -> Ring | None:
    inner = entry.report.mapping(entry.inner, entry.named, ("neighbours",), ("neighbours",))
    neighbours = entry.report.integer(inner.get("neighbours"), f"neighbours of {entry.what}", 1, 9)
    return None if neighbours is None else Ring(neighbours=neighbours, place=entry.node.place)


def ring_pairs(rule: Ring, ends: Ends) -> Pairs:
    size = ends.source.size
    pre = np.repeat(np.arange(size), rule.neighbours)
    post = (pre + np.tile(np.arange(1, rule.neighbours + 1), size)) % size
    order = np.lexsort((post, pre))
    return pre[order], post[order]


RING: Rule[Ring] = Rule(
    value=Ring,
    read=read_ring,
    write=lambda rule, sink, at: {"ring": {"neighbours": rule.neighbours}},
    expected=lambda rule, ends: float(ends.source.size * rule.neighbours),
    pairs=ring_pairs,
)

# ------------------------------------------------------------------------------------------------------ a stimulus


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse(Stimulus):
    """`height` for all neurons in the step of `at`: `{pulse: {at: 3 ms, height: 2}}`."""

    at: Quantity
    height: Quantity


def read_pulse(entry: stimuli.Entry) -> Pulse | None:
    what = entry.what
    inner = entry.report.mapping(entry.inner, f"pulse of {what}", ("at", "height"), ("at", "height"))
    at = duration(entry.report, inner.get("at"), f"at of {what}", entry.dt, 1)
    height = fitting(entry.report, inner.get("height"), Slot(f"height of {what}", entry.unit))
    return None if at is None or height is None else Pulse(**entry.common, at=at, height=height)


def write_pulse(item: Pulse, sink: Sink, at: str) -> dict[str, Any]:
    return {"at": written_quantity(item.at), "height": written_quantity(item.height)}


def elaborate_pulse(item: Pulse, onto: Onto, maker: Maker) -> Injection:
    height = maker.free(item.height, onto.declared.unit, onto.integer, item.name, "height")
    steps = np.full(onto.size, maker.steps(item.at, item.name), np.int64)
    return Injection(item.name, onto.array, steps, np.arange(onto.size), np.full(onto.size, height))


def expected_pulse(item: Pulse, network: Network, maker: Maker) -> float:
    return 3.0


PULSE: Kind[Pulse] = Kind(Pulse, read_pulse, write_pulse, elaborate_pulse, expected_pulse)

# -------------------------------------------------------------------------------------------------- a distribution


def toss(given: Mapping[str, float], source: Source, elements: NDArray[np.uint64]) -> NDArray[np.float64]:
    return (source.uniform(elements) < given["p"]).astype(np.float64)


COIN = DistributionKind(required=("p",), pure=True, not_negative=("p",), draw=toss)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.ALL, "ring", RING)
    monkeypatch.setitem(stimuli.ALL, "pulse", PULSE)
    monkeypatch.setitem(distributions.ALL, "coin", COIN)


NET = """\
neuroport: 1
name: n
dt: 1 ms
neurons:
  cell:
    inputs: {i: {range: [-16, 16]}}
    state: {v: {init: 0, range: [-16, 16]}}
    update: v = 0.5 * v + i
    spike: v > 1
    on_spike: v = 0
synapses:
  growing:
    state: {w: {weight: true, init: 0.5, range: [0, 8]}}
    on_pre: |
      send(target, w)
      w = w + 0.125
populations:
  a: {size: 4, neuron: cell, init: {v: {coin: {p: 0.5, scale: 0.5}}}}
projections:
  p: {source: a, target: a, synapse: growing, connect: {ring: {neighbours: 2}}}
stimuli:
  kick: {pulse: {at: 2 ms, height: 1.5}, population: a}
  first: {spikes: {times: [1 ms], neurons: [3]}, population: a}
protocol: [run: 10 ms]
record: {spikes: [a]}
"""


def network(*changes: tuple[str, str]) -> Network:
    text = NET
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return reader.loads(text, "n.yaml")


def messages(*changes: tuple[str, str]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        network(*changes)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_they_run_with_the_same_spikes_on_reference_and_emulator(chip: str) -> None:
    runs = [neuroport.run(network(), backend=name, chip=chip) for name in ("reference", "emulator")]
    assert runs[0].digest == runs[1].digest
    assert runs[0].spikes == {"a": 19}


def test_the_pairs_are_those_of_the_rule() -> None:
    program = elaborate(network(), chips.load("ideal"))
    (made,) = program.projections
    assert list(zip(made.pre.tolist(), made.post.tolist(), strict=True)) == [
        *((0, 1), (0, 2), (1, 2), (1, 3), (2, 0), (2, 3), (3, 0), (3, 1)),
    ]


def test_what_comes_from_outside_is_what_the_stimulus_says() -> None:
    kick = elaborate(network(), chips.load("ideal")).injections[0]
    assert (kick.steps.tolist(), kick.neurons.tolist(), kick.values.tolist()) == (
        [2, 2, 2, 2],
        [0, 1, 2, 3],
        [1.5, 1.5, 1.5, 1.5],
    )


def test_values_are_drawn_by_the_distribution() -> None:
    array = elaborate(network(("size: 4", "size: 1000")), chips.load("ideal")).arrays["a.v"].initial
    assert set(array.tolist()) == {0, 0.5}
    assert 450 < np.count_nonzero(array) < 550


def test_what_is_written_comes_back_equal(tmp_path: Path) -> None:
    text = writer.to_yaml(network())
    assert "synapse: growing, connect: {ring: {neighbours: 2}}, delay: 1 step}\n" in text
    assert "  kick: {pulse: {at: 2 ms, height: 1.5}, population: a, input: i}\n" in text
    assert "neuron: cell, init: {v: {coin: {p: 0.5, scale: 0.5}}}}\n" in text
    assert reader.loads(text, "again.yaml") == network()
    assert reader.loads(text, "again.yaml") != network(("neighbours: 2", "neighbours: 1"))
    writer.write(network(), tmp_path / "n.yaml")
    assert reader.load(tmp_path / "n.yaml") == network()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "{ring: {neighbours: 2}}",
            "{ring: {neighbors: 2}}",
            [
                "n.yaml:20:63: ring of projection 'p' lacks 'neighbours'; add it",
                "n.yaml:20:64: unknown key 'neighbors' in ring of projection 'p'; did you mean 'neighbours'? "
                "allowed are neighbours",
            ],
        ),
        (
            "neighbours: 2",
            "neighbours: two",
            ["n.yaml:20:76: neighbours of projection 'p' must be a whole number; found the text 'two'"],
        ),
        (
            "{ring: {neighbours: 2}}",
            "{rung: 2}",
            [
                "n.yaml:20:56: connect of projection 'p' must have one of the keys all_to_all, "
                "all_to_all_but_same, one_to_one, fixed_probability, fixed_in_degree, fixed_out_degree, "
                "distance_dependent, convolution, pool, pairs, file, ring; found a mapping with 'rung'; did you mean "
                "'ring'?"
            ],
        ),
        (
            "{ring: {neighbours: 2}}",
            "rang",
            [
                "n.yaml:20:56: connect of projection 'p' cannot be 'rang'; did you mean 'ring'? allowed are "
                "all_to_all, all_to_all_but_same, one_to_one, fixed_probability, fixed_in_degree, fixed_out_degree, "
                "distance_dependent, convolution, pool, pairs, file, ring"
            ],
        ),
        (
            "height: 1.5}",
            "width: 1.5}",
            [
                "n.yaml:22:17: pulse of stimulus 'kick' lacks 'height'; add it",
                "n.yaml:22:28: unknown key 'width' in pulse of stimulus 'kick'; allowed are at, height",
            ],
        ),
        (
            "height: 1.5}",
            "height: 1.5 mV}",
            ["n.yaml:22:36: height of stimulus 'kick' is a pure number, but 1.5 mV is in mV; leave the unit out"],
        ),
        (
            "{pulse: {at: 2 ms, height: 1.5}, population: a}",
            "{population: a}",
            [
                "n.yaml:22:3: stimulus 'kick' must have one of the keys spikes, series, patterns, pulse; found none",
            ],
        ),
        (
            "p: 0.5, scale",
            "p: -0.5, scale",
            ["n.yaml:18:47: p of initial 'v' of population 'a' must be zero or more; found -0.5"],
        ),
        (
            "{coin: {p: 0.5, scale: 0.5}}",
            "{coins: 1}",
            [
                "n.yaml:18:40: initial 'v' of population 'a' must be a number, a list or one of these forms: uniform, "
                "normal, lognormal, beta, coin, array, file, data, from; found a mapping with 'coins'; did you mean "
                "'coin'?"
            ],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_is_allowed(old: str, new: str, expected: list[str]) -> None:
    assert messages((old, new)) == expected


def test_their_synapses_count_before_memory_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "available", lambda: room.Room(2.0**30, "this machine has"))
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(network(("size: 4", "size: 10000000")))
    assert [problem.text for problem in caught.value.problems] == [
        "network 'n' does not fit into memory: it takes about 1.5 GiB while the synapses of 'p' are drawn: 1.0 GiB for "
        "the synapses of 'p', 229 MiB for population 'a', 229 MiB for stimulus 'kick' and so on; this machine has 1.0 "
        f"GiB; {room.REMEDY}"
    ]


def test_a_learned_network_keeps_the_rule_and_starts_with_what_was_learned(tmp_path: Path) -> None:
    with neuroport.open(network(), "reference", "ideal", trace=tmp_path / "t.h5") as session:
        session.run_protocol()
        ended = session.executor.read("p.w")
    trace = open_trace(tmp_path / "t.h5")
    writer.write(with_learned(network(), trace), tmp_path / "learned.yaml")
    learned = reader.load(tmp_path / "learned.yaml")
    assert learned.projection("p").connect == Ring(neighbours=2)
    start = elaborate(replace(learned, folder=str(tmp_path)), chips.load("ideal")).arrays["p.w"].initial
    assert start.tolist() == ended.tolist() != [0.5] * 8
