"""Learned values keep double precision in a float32 program, so that changes far below one float32 unit add up."""

from __future__ import annotations

import pytest

from neuroport import api, backends, reader

NETWORK = b"""
neuroport: 1
name: n
dt: 1 ms
chip: ideal32
neurons:
  graded:
    inputs: {i: {}}
    state:
      r: {init: 1, range: [-2, 2]}
      plain: {init: 0.5, range: [-1, 1]}
      learned: {init: 0.5, range: [-1, 1], class: plastic}
    update: |
      plain = plain + 0.000000001 * r
      change = 0.000000001 * r
      learned = learned + change
synapses:
  growing:
    state: {w: {weight: true, init: 0.5, range: [-1, 1]}}
    step: |
      w = w + 0.000000001 * pre.r * post.r
      send(target, w * pre.r)
populations:
  a: {size: 2, neuron: graded}
projections:
  p: {source: a, target: a, synapse: growing, connect: all_to_all}
protocol:
  - run: 10000 steps
"""


@pytest.mark.parametrize("backend", backends.ready())
def test_small_changes_add_up(backend: str) -> None:
    with api.open(reader.loads(NETWORK, "n.yaml"), backend) as session:
        session.run_protocol()
        assert session.get("a.learned") == pytest.approx(0.5 + 1e-5, abs=1e-9)
        assert session.get("p.w") == pytest.approx(0.5 + 1e-5, abs=1e-9)
        assert session.get("a.plain").tolist() == [0.5, 0.5]
