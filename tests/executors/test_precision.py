"""float32 programs: learned values keep double precision, so that tiny changes add up; uniform numbers are below 1."""

from __future__ import annotations

import numpy as np
import pytest

from neuroport import backends
from neuroport.api import run as api
from neuroport.backends.reference.streams import Stream
from neuroport.files import network as reader
from neuroport.numerics import rng
from neuroport.program.ir import Random, parts

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


UNIFORM = b"""
neuroport: 1
name: u
dt: 1 ms
seed: 3
chip: ideal32
neurons:
  dice:
    state: {u: {init: 0, range: [0, 1]}}
    update: |
      u = uniform()
populations:
  a: {size: 500, neuron: dice}
"""


@pytest.mark.parametrize("backend", backends.ready())
def test_a_uniform_number_has_24_bits_in_float32(backend: str) -> None:
    with api.open(reader.loads(UNIFORM, "u.yaml"), backend) as session:
        session.run(3)
        body = session.program.population("a").body
        (stream,) = {e.stream for e in parts(body) if isinstance(e, Random)}
        key = rng.step_key(rng.stream_key(3, stream), 2)
        expected = (rng.words(key, np.arange(500, dtype=np.uint64)) >> np.uint64(40)) * 2.0**-24
        assert session.get("a.u").tolist() == expected.tolist()


def test_the_largest_uniform_number_is_below_one() -> None:
    stream = Stream(1, 1, None, np.zeros(1, np.uint64), 2.0**-32, np.float32, 1)
    assert stream._convert(np.array([2**32 - 1], np.uint64))[0] == 1 - 2.0**-24
