"""An outer product that is formed once per pattern is that which every step could form, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np

import neuroport
from benchmarks import once_per_pattern
from benchmarks.once_per_pattern import Setting
from neuroport.files import network as reader


def test_once_per_pattern_gives_what_every_step_gives(backend: Any) -> None:
    def learned(way: str) -> tuple[Any, Any]:
        network = once_per_pattern.network(way, Setting(inputs=40, outputs=2, hold=20, patterns=8))
        with neuroport.open(network, backend=backend.name) as session:
            session.run_protocol()
            return session.get("up.w"), session.results["right"]

    (once, right), (every, _) = learned("once"), learned("every")
    assert np.array_equal(once, every)
    assert np.abs(once).max() > 0.01
    assert right[0][1] >= 50


LATE = """
neuroport: 1
name: late
dt: 1 ms
chip: generic16
neurons:
  growing:
    inputs: {i: {range: [-1, 1]}}
    state: {r: {init: 0, range: [-4, 4]}}
    update: r = 0.875 * r + 0.25
synapses:
  rule:
    state: {w: {weight: true, init: 0, range: [-4, 4]}, g: {init: 0, range: [-16, 16]}}
    step: send(target, 0 * w)
    on_event:
      learn: w = w + 0.25 * pre.r * post.r
      each_step: g = 0.5 * g + pre.r
populations: {p: {size: 3, neuron: growing, init: {r: {uniform: [-1, 0]}}}}
projections: {q: {source: p, target: p, input: i, synapse: rule, connect: all_to_all, delay: 4 steps}}
"""


def test_what_blocks_see_of_earlier_steps_is_part_of_a_checkpoint(backend: Any) -> None:
    network = reader.loads(LATE.encode(), "late.yaml")
    found = []
    for name in (backend.name, "reference"):
        with neuroport.open(network, backend=name) as session, neuroport.open(network, backend=name) as other:
            session.run(6)
            other.restore(session.checkpoint())
            for one in (session, other):
                one.trigger("learn")
                one.run(2)
                one.trigger("learn")
                found.append([*one.get("q.w").ravel().tolist(), *one.get("q.g").ravel().tolist()])
    assert found[0] == found[1] == found[2] == found[3]
    assert len(set(found[0])) == 9 + 3
