"""Synapses that are drawn anew for every spike do what they do stored, to the bit, on every executor."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from random import Random

import numpy as np
import pytest

import neuroport
from neuroport.api import run as api
from neuroport.backends.emulator import Emulator
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.program import rows
from tests.support.executors import needs_genn
from tests.support.threaded import Threaded

pytestmark = pytest.mark.dear

NET = """neuroport: 1
name: n
dt: 1 ms
chip: {chip}
seed: {seed}
populations:
  noise: {{size: {sources}, neuron: poisson, params: {{rate: 70 Hz}}}}
  cells: {{size: {targets}, neuron: lif, params: {{tau_m: 15 ms}}}}
projections:
  drive:
    {{source: noise, target: cells, input: jump, synapse: static, weight: {weight}, delay: {delay} ms,
     connect: {drive}}}
  within: {{source: cells, target: cells, input: jump, synapse: static, weight: -0.8, connect: {within}}}
protocol:
  - run: 120 ms
"""
CHIPS = ("generic8", "generic16", "ideal", "ideal32")


def of(seed: int, stored: bool) -> Network:
    """A network whose connections follow from a number, stored or not."""
    random = Random(seed)
    sources, targets = random.randint(1, 150), random.randint(70, 200)

    def rule(own: bool) -> str:
        least = 0 if own else 1
        p, degree = random.choice((0, 1, random.random(), random.random() / 10)), random.randint(0, targets - least)
        self = "" if own else ", self: false"
        said = random.choice(
            (f"fixed_probability: {{p: {p:g}{self}}}", f"fixed_out_degree: {{degree: {degree}{self}}}")
        )
        return f"{{{said}, stored: {str(stored).lower()}}}"

    weight, delay = 0.2 + random.random(), random.randint(1, 4)
    chip, drive, within = random.choice(CHIPS), rule(True), rule(random.random() < 0.5)
    given = dict(sources=sources, targets=targets, weight=weight, delay=delay, chip=chip, drive=drive, within=within)
    return reader.loads(NET.format(seed=seed, **given), "n.yaml")


def outcome(net: Network, backend: str | Emulator, threads: int = 1) -> tuple[str, dict[str, int], dict[str, int]]:
    run = api.run(net, backend, threads=threads) if threads > 1 else api.run(net, backend)
    return run.digest, run.spikes, run.overflows


@pytest.mark.parametrize("seed", range(8))
def test_stored_or_not_the_run_is_the_same(seed):
    expected = outcome(of(seed, stored=True), "reference")
    assert outcome(of(seed, stored=False), "reference") == expected
    assert outcome(of(seed, stored=True), "emulator") == expected
    assert outcome(of(seed, stored=False), "emulator") == expected
    assert outcome(of(seed, stored=False), "emulator", threads=2) == expected


@needs_genn
@pytest.mark.parametrize("seed", range(2))
def test_genn_stores_the_same_synapses(seed):
    assert outcome(of(seed, stored=False), "genn") == outcome(of(seed, stored=True), "genn")


@pytest.mark.parametrize("threads", [1, 3])
def test_no_index_of_generated_code_is_outside_its_array(threads):
    for seed in range(4):
        program = neuroport.compile(of(seed, stored=False))
        backend = Emulator(boundscheck=True) if threads == 1 else Threaded(threads)
        more = {} if threads == 1 else {"boundscheck": True}
        machine = backend.open(program, 1, ["cells"], **more)
        machine.advance(60)


def written(text: str) -> Network:
    return reader.loads(text, "n.yaml")


PLAIN = """neuroport: 1
name: n
dt: 1 ms
populations:
  a: {size: 9, neuron: lif}
  b: {size: 7, neuron: lif}
projections:
  p: {source: a, target: b, input: jump, synapse: SYNAPSE, connect: {fixed_probability: 0.5, stored: false}, MORE}
"""


def refused(more: str, synapse: str = "static", chip: str = "generic8", beside: str = "") -> str:
    text = PLAIN.replace("SYNAPSE", synapse).replace("MORE", more) + beside
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(written(text), chip)
    return str(caught.value)


SAID = "n.yaml:8:68: projection 'p' is connected with `stored: false`, and {}; leave out `stored: false`"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("weight: {uniform: [0, 1]}", "its w can differ from synapse to synapse: give one number"),
        ("weight: 1, delay: {uniform: [1 ms, 3 ms]}", "its delay can differ from synapse to synapse: give one number"),
        ("weight: 1, dendritic_delay: 2 ms", "its synapses have a dendritic delay: give it as part of `delay`"),
    ],
)
def test_what_differs_between_synapses_has_to_be_stored(more, reason):
    assert refused(more) == SAID.format(reason)


def test_what_else_has_to_be_stored():
    assert "synapse model 'stdp_pair' computes them at postsynaptic spikes" in refused("weight: 1", "stdp_pair")
    assert "its w deviates from circuit to circuit on chip 'generic8_mismatch10': give it `mismatch: false`" in refused(
        "weight: 1", chip="generic8_mismatch10"
    )
    assert "a variable of its synapses is recorded" in refused("weight: 1", beside="record: {weights: {p.w: 1 ms}}\n")
    assert "there are copies of the network" in refused("weight: 1", beside="copies: 2\n")
    other = "  q: {source: a, target: b, input: jump, synapse: static, connect: {fixed_probability: 0.5}, weight: "
    assert "projection 'q' starts with the same values" in refused("weight: 1", beside=other + "{same_as: p.w}}\n")


def test_what_cannot_be_left_unstored_is_told_where_it_stands():
    text = PLAIN.replace("SYNAPSE", "static").replace("MORE", "weight: 1")
    with pytest.raises(InvalidInput, match=r"n.yaml:8:.*stored of connect of projection 'p'.*true or false"):
        written(text.replace("stored: false", "stored: 3"))
    with pytest.raises(InvalidInput, match="stored"):
        written(text.replace("fixed_probability: 0.5", "fixed_in_degree: 3"))
    with pytest.raises(InvalidInput, match="between parts of populations"):
        neuroport.compile(written(text.replace("source: a,", "source: 'a[0:4]',")))


@pytest.mark.parametrize("rule", ["fixed_probability: 0.3", "fixed_out_degree: {degree: 3, self: false}"])
def test_files_say_it(rule, tmp_path: Path):
    text = PLAIN.replace("SYNAPSE", "static").replace("MORE", "weight: 1").replace("target: b", "target: a")
    net = written(text.replace("fixed_probability: 0.5", rule))
    assert written(writer.to_yaml(net)) == net
    assert written(text.replace("fixed_probability: 0.5, stored: false", "fixed_probability: 0.3")) != net


def test_a_host_reads_them_and_gives_all_the_same_weight():
    with (
        neuroport.open(of(0, stored=False), "emulator") as drawn,
        neuroport.open(of(0, stored=True), "emulator") as kept,
    ):
        for session in (drawn, kept):
            session.run("20 ms")
            session.set("drive.w", 0.5)
            session.run("20 ms")
        assert all(np.array_equal(a, b) for a, b in zip(drawn.weights("drive"), kept.weights("drive"), strict=True))
        assert drawn.digest() == kept.digest()
        state = drawn.checkpoint()
        drawn.run("20 ms")
        after = drawn.digest()
        drawn.restore(state)
        drawn.run("20 ms")
        assert drawn.digest() == after
        several = np.arange(len(drawn.get("drive.w"))) / 1000
        with pytest.raises(InvalidInput, match=r"synapses that are not stored .* all have the same value"):
            drawn.set("drive.w", several)


def test_logarithms_of_generated_code_are_those_that_build_networks(tmp_path: Path):
    """Every gap between two targets of one long row, so that each is one of a large network's."""
    n = 200_000
    text = PLAIN.replace("SYNAPSE", "static").replace("MORE", "weight: 1").replace("size: 7", f"size: {n}")
    text = text.replace("lif}\n  b", "poisson, params: {rate: 1000 Hz}}\n  b") + "record: {states: {b.v: 2 ms}}\n"
    for p in ("0.9", "0.03"):
        found = []
        for stored in ("true", "false"):
            net = written(text.replace("0.5, stored: false", f"{p}, stored: {stored}"))
            with neuroport.open(net, "emulator", chip="generic16") as session:
                session.run("4 ms")
                found.append(session.digest())
        assert found[0] == found[1]


def test_memory_is_bounded_by_neurons(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows, "PIECE", 10_000)

    def peak(size: int) -> int:
        text = PLAIN.replace("SYNAPSE", "static").replace("MORE", "weight: 1").replace("size: 9", f"size: {size}")
        net = written(text.replace("size: 7", "size: 4000"))
        tracemalloc.start()
        with neuroport.open(net, "emulator", chip="generic8") as session:
            session.run("2 ms")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(10)
    assert peak(400) - peak(100) < 300_000
