"""What there is to compute of a program, counted by hand."""

from __future__ import annotations

from dataclasses import replace

import neuroport
from neuroport.program.work import Work, work

PAIR = """\
neuroport: 1
name: pair
dt: 2 ms
chip: ideal
populations: {a: {size: 5, neuron: poisson, params: {rate: 10 Hz}}, b: {size: 3, neuron: lif}}
projections:
  one: {source: a, target: b, input: jump, synapse: static, connect: all_to_all}
  two: {source: a, target: b, input: jump, synapse: stdp_pair, connect: all_to_all}
"""


def test_spikes_reach_synapses_that_send_and_that_learn() -> None:
    found = work(neuroport.compile(neuroport.loads(PAIR)), 10)
    assert found == Work(
        steps=10,
        dt=2.0,
        operations=found.operations,
        firing=8,
        rows=5,
        events=15,
        learned_rows=8,
        learned_events=30,
        synapses=30,
    )
    assert found.operations > 8


def test_runs_and_copies_are_counted() -> None:
    program = neuroport.compile(neuroport.loads(PAIR))
    one, three = work(program, 10), work(program, 10, runs=3)
    assert (three.copies, three.runs) == (3, 3)
    assert (three.operations, three.events, three.synapses) == (3 * one.operations, 45, 90)
    batch = work(neuroport.compile(neuroport.load("gle_lagline_batch", ["copies=4"])), 10)
    assert (batch.copies, batch.runs, batch.firing) == (4, 1, 0)
    more = work(neuroport.compile(neuroport.load("gle_lagline_batch", ["copies=8"])), 10)
    assert more == replace(batch, **{n: 2 * getattr(batch, n) for n in ("operations", "dense", "synapses", "copies")})


def test_what_is_done_in_every_step() -> None:
    plastic = work(neuroport.compile(neuroport.load("stdp_pair")), 1)
    assert plastic.learned_events > plastic.events and plastic.dense == 0
    dense = work(neuroport.compile(neuroport.load("gle_lagnet")), 1)
    assert dense.dense > 0 and (dense.rows, dense.events, dense.sums) == (0, 0, 0)
