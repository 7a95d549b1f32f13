"""Full matrices are computed two rows at a time: numbers, draws and counts are those of the reference."""

from __future__ import annotations

import pytest

import neuroport
from neuroport.backends.emulator import Emulator, emit
from neuroport.files import network as reader
from neuroport.program.machine import Program
from tests.support.executors import computes_as_the_reference

TEXT = """\
neuroport: 1
name: matrix
dt: 1 ms
seed: 3
chip: CHIP
neurons:
  unit:
    inputs: {a: {}, b: {}}
    state: {x: {init: 0.3, range: [-1, 1]}}
    update: x = clip(0.5*x + 0.2*a + 0.1*b + 0.1, -1, 1)
synapses:
  rule:
    state: {w: {weight: true, init: 0, range: [-1, 1]}}
    step: |
      w = w + 0.3*(post.x * pre.x - 0.4) + 0.01*uniform()
      send(target, w * pre.x)
      send_back(b, w * post.x)
populations:
  p: {size: ROWS, neuron: unit, init: {x: {uniform: [-1, 1]}}}
  q: {size: COLUMNS, neuron: unit, init: {x: {uniform: [-1, 1]}}}
projections:
  m: {source: p, target: q, input: a, synapse: rule, connect: all_to_all, weight: {uniform: [-1, 1]}}
"""
SHAPES = [(1, 1), (1, 9), (2, 1), (2, 17), (3, 4), (4, 33), (5, 2), (7, 16)]


def program(rows: int, columns: int, chip: str) -> Program:
    text = TEXT.replace("ROWS", str(rows)).replace("COLUMNS", str(columns)).replace("CHIP", chip)
    return neuroport.compile(reader.loads(text, "matrix.yaml"))


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["generic8", "generic16"])
def test_every_shape_is_computed_as_by_the_reference(chip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emit, "LARGE", 0)
    for rows, columns in SHAPES:
        made = program(rows, columns, chip)
        assert "for pair in range" in emit.module_text(made)
        computes_as_the_reference(Emulator(boundscheck=True), made, 12, ("m.w", "p.x", "q.x"))


@pytest.mark.parametrize(
    ("rows", "chip", "pairs"), [(127, "generic8", False), (128, "generic8", True), (128, "ideal", False)]
)
def test_only_large_matrices_of_whole_numbers_are(rows: int, chip: str, pairs: bool) -> None:
    assert ("for pair in range" in emit.module_text(program(rows, 256, chip))) is pairs
