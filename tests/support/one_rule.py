"""A network of a rule that does all that a rule can, between neurons of one population."""

from __future__ import annotations

import numpy as np

import neuroport
from neuroport.backends.emulator import Emulator
from neuroport.files import network as reader
from neuroport.program.machine import Program
from tests.support.threaded import Threaded, forward

TEXT = """\
neuroport: 1
name: one_rule
dt: 1 ms
seed: 3
chip: generic8
neurons:
  unit:
    inputs: {a: {}, b: {}}
    state: {x: {init: 0.3, range: [-1, 1]}}
    update: x = clip(0.5*x + 0.2*a + 0.1*b + 0.1, -1, 1)
    spike: uniform() < 0.4
synapses:
  rule:
    state: {w: {weight: true, init: 0, range: [-1, 1]}}
    step: w = w + 0.1*(post.x * pre.x - 0.4) + 0.01*uniform()
    on_pre: |
      send(target, w)
      send_back(b, w * post.x)
      w = w + 0.2*post.x
    on_post: w = w - 0.2*pre.x
populations:
  p: {size: SIZE, neuron: unit, init: {x: {uniform: [-1, 1]}}}
projections:
  m: {source: "SOURCE", target: "TARGET", input: a, synapse: rule, connect: CONNECT, weight: {uniform: [-1, 1]}}
"""


def program(size: int, connect: str, source: str = "p", target: str = "p") -> Program:
    """The network with these connections between the population or parts of it."""
    text = TEXT.replace("SIZE", str(size)).replace("CONNECT", connect)
    return neuroport.compile(reader.loads(text.replace("SOURCE", source).replace("TARGET", target), "one_rule.yaml"))


def is_computed_by_threads(made: Program, threads: int) -> None:
    """Whether several threads compute what one does."""
    p = forward(made)
    one, several = Emulator().open(p, 5, ["p"]), Threaded(threads).open(p, 5, ["p"], boundscheck=True)
    for executor in (one, several):
        executor.advance(12)
    for name in ("m.w", "p.x"):
        np.testing.assert_array_equal(one.read(name), several.read(name))
