"""Matrices without a diagonal need no indices: numbers, draws and counts are those of the reference."""

from __future__ import annotations

import numpy as np
import pytest

import neuroport
from neuroport.backends.emulator import Emulator, emit
from neuroport.files import network as reader
from neuroport.program.machine import Program
from tests.support.executors import computes_as_the_reference
from tests.support.threaded import Threaded, forward

TEXT = """\
neuroport: 1
name: others
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
  m: {source: p, target: p, input: a, synapse: rule, connect: {all_to_all: {self: false}}, weight: {uniform: [-1, 1]}}
"""


def program(size: int) -> Program:
    return neuroport.compile(reader.loads(TEXT.replace("SIZE", str(size)), "others.yaml"))


@pytest.mark.dear
def test_every_size_is_computed_as_by_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "LONG", 2)
    for size in (2, 3, 8, 9, 33):
        made = program(size)
        assert "for nth in range(i):" in emit.module_text(made)
        computes_as_the_reference(Emulator(boundscheck=True), made, 12, ("m.w", "p.x"))


@pytest.mark.dear
@pytest.mark.parametrize("threads", [2, 3])
def test_blocks_of_them_have_indices(threads: int) -> None:
    made = forward(program(40))
    one, several = Emulator().open(made, 5, ["p"]), Threaded(threads).open(made, 5, ["p"], boundscheck=True)
    for executor in (one, several):
        executor.advance(12)
    for name in ("m.w", "p.x"):
        np.testing.assert_array_equal(one.read(name), several.read(name))


@pytest.mark.parametrize(("size", "without"), [(31, False), (32, True)])
def test_only_long_rows_are(size: int, without: bool) -> None:
    assert ("for nth in range(i):" in emit.module_text(program(size))) is without
