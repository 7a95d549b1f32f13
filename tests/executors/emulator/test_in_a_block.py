"""Full matrices between parts of populations need no list of targets: numbers and draws are those of the reference."""

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
name: block
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
  p: {size: 90, neuron: unit, init: {x: {uniform: [-1, 1]}}}
projections:
  m: {source: "p[SOURCE]", target: "p[TARGET]", input: a, synapse: rule, connect: all_to_all,
      weight: {uniform: [-1, 1]}}
"""


def program(source: str = "1:9:3, 40", target: str = "50:85") -> Program:
    return neuroport.compile(reader.loads(TEXT.replace("SOURCE", source).replace("TARGET", target), "block.yaml"))


def without_targets(made: Program) -> bool:
    return "_first_column" in emit.module_text(made)


@pytest.mark.dear
def test_every_part_is_computed_as_by_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "LONG", 2)
    for target in ("0:35", "50:85", "88:90"):
        made = program(target=target)
        assert without_targets(made)
        computes_as_the_reference(Emulator(boundscheck=True), made, 12, ("m.w", "p.x"))


@pytest.mark.dear
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_have_pieces_of_them(threads: int) -> None:
    made = forward(program())
    one, several = Emulator().open(made, 5, ["p"]), Threaded(threads).open(made, 5, ["p"], boundscheck=True)
    for executor in (one, several):
        executor.advance(12)
    for name in ("m.w", "p.x"):
        np.testing.assert_array_equal(one.read(name), several.read(name))


@pytest.mark.parametrize(
    ("target", "without"), [("50:82", True), ("50:81", False), ("0:80:2", False), ("0:20, 30:60", False), (":", True)]
)
def test_only_long_rows_of_neighbours_are(target: str, without: bool) -> None:
    assert without_targets(program(target=target)) is without


def test_their_targets_take_no_memory() -> None:
    (ours,), (theirs,) = (Emulator().memory(program(target=target)) for target in ("50:82", "49:81:1, 84"))
    assert ours.each < theirs.each
