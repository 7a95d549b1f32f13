"""What docs/architecture.md says of adding things, done: a chip, a learning rule, a backend from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import neuroport
from neuroport.program.ir import Int

NETWORK = """\
neuroport: 1
name: pair
dt: 1 ms
chip: toy_chip.yaml
models: [toy_models.yaml]
populations:
  noise: {size: 4, neuron: poisson, params: {rate: 100 Hz}}
  cells: {size: 2, neuron: counter}
projections:
  drive: {source: noise, target: cells, input: arrivals, synapse: fading, connect: all_to_all, weight: 2}
metrics:
  w: {mean: drive.w}
protocol:
  - run: 100 ms
"""
CHIP = """\
name: toy_chip
title: A chip of narrow words
words:
  state: {bits: 12}
  weight: {bits: 4}
  plastic: {bits: 12}
  trace: {bits: 12}
  accumulator: {bits: 24}
  coefficient: {bits: 16}
"""
MODELS = """\
neurons:
  counter:
    inputs:
      arrivals: {range: [0, 100]}
    state:
      v: {range: [0, 100], init: 0}
    update: v = v + arrivals
    spike: v >= 20
    on_spike: v = 0
synapses:
  fading:
    state:
      w: {weight: true, range: [0, 4], init: 2}
    on_pre: |
      send(target, w)
      w = w - 0.125 * w
"""
BACKEND = '''\
"""A backend of another package: the reference under another name."""

from neuroport.backends.reference import Reference
from neuroport.program.executor import Part


class Toy(Reference):
    name = "toy"

    def source(self, program):
        return f"{program.name} has {len(program.arrays)} arrays\\n"

    def examine(self):
        return [Part("toy: oil", True, "plenty")]
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network with a chip and models of its own, and an installed package that brings a backend."""
    for name, text in (
        ("pair.yaml", NETWORK),
        ("toy_chip.yaml", CHIP),
        ("toy_models.yaml", MODELS),
        ("site/toy_backend.py", BACKEND),
        ("site/toy-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n"),
        ("site/toy-1.0.dist-info/entry_points.txt", "[neuroport.backends]\ntoy = toy_backend:Toy\n"),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path


def cli(folder: Path, *words: str) -> str:
    """What a command says in a process that sees the other package."""
    package = str(Path(neuroport.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((package, str(folder / "site")))}
    command = [sys.executable, "-m", "neuroport", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_chip_is_one_file(folder: Path) -> None:
    program = neuroport.compile(neuroport.load(folder / "pair.yaml"))
    assert program.chip == "toy_chip"
    assert program.integer
    assert program.arrays["cells.v"].type == Int(0, 100 * 2**5, 5)


@pytest.mark.dear
def test_a_model_and_a_rule_are_one_text(folder: Path) -> None:
    network = neuroport.load(folder / "pair.yaml")
    runs = [neuroport.run(network, backend=name) for name in ("reference", "emulator")]
    assert runs[0].digest == runs[1].digest
    ((_, w),) = runs[0].metrics["w"]
    assert 0.3 < w < 1.5


@pytest.mark.dear
def test_a_backend_from_outside_touches_no_file(folder: Path) -> None:
    assert "toy" in cli(folder, "list", "backends")
    assert json.loads(cli(folder, "run", "pair.yaml", "--backend", "toy", "--json"))["backend"] == "toy"
    assert "identical" in cli(folder, "verify", "pair.yaml", "--against", "toy", "--against", "emulator")
    assert cli(folder, "compile", "pair.yaml", "--emit", "toy").startswith("pair has ")
    assert "ok    toy: oil            plenty" in cli(folder, "doctor")
