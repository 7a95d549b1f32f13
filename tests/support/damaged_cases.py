"""The kinds of files that commands read, and what the commands answer to mutants of them."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.api import run as api
from neuroport.chips import description as chips
from neuroport.chips import instance as instances
from neuroport.trace.segments import parts_folder, segment
from tests.support.commands import fault, without_pixels
from tests.support.damage import Same, mutants, of_text, parts_differ

NET = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8_mismatch10_steps
neurons:
  cell:
    params:
      th: {default: 1.5, range: [0, 4]}
      gain: {default: 1.5, range: [0, 4], kind: gain, dynamic: true}
    inputs: {i: {range: [-8, 8]}}
    state: {v: {init: 0, range: [-64, 64]}, b: {init: 0.75, range: [0, 1], class: plastic}}
    update: |
      v = v * 0.5 + i + gain
      b = b + 0.001
    spike: v > th
synapses:
  learning:
    state: {w: {weight: true, init: 0.5, range: [0, 1], kind: weight}}
    on_pre: |
      send(target, w)
      w = w + 0.1 * (1 - w)
populations: {a: {size: 3, neuron: cell}, b: {size: 2, neuron: cell}}
projections:
  drawn: {source: a, target: b, input: i, synapse: learning, connect: {fixed_probability: 0.9},
          weight: {uniform: [0, 1]}}
  given: {source: a, target: b, input: i, synapse: learning, connect: {pairs: [[2, 1], [0, 1]]}, weight: [0.5, 0.25]}
  whole: {source: a, target: a, input: i, synapse: learning, connect: all_to_all}
metrics: {rate: {rate: a}}
protocol:
  - repeat: 2
    do:
      - run: 6 ms
      - measure: [rate]
      - set: {a.gain: 2.75}
record: {spikes: all, states: {a.b: 3 ms}, weights: {drawn.w: 4 ms}}
"""
ALL = NET.replace("states: {a.b: 3 ms}", "states: {a.b: 3 ms, b.b: 3 ms}").replace(
    "weights: {drawn.w: 4 ms}", "weights: {drawn.w: 4 ms, given.w: 4 ms, whole.w: 4 ms}"
)
BATCH = (
    NET.replace("chip: generic8_mismatch10_steps", "chip: ideal\ncopies: 2")
    .replace("weight: true, init: 0.5", "weight: true, over_copies: shared, init: 0.5")
    .replace("      w = w + 0.1 * (1 - w)\n", '    on_event: {learn: "w = w + 0.01"}\n')
    .replace("      - measure: [rate]\n", "      - measure: [rate]\n      - event: learn\n")
)


@dataclass(frozen=True)
class Case:
    """A kind of file.

    `write` makes a whole one; `read` gives the faults of the commands that read a mutant, beside the whole; `sample`:
    how many mutants the usual run takes; `every`: which part of all the full hunt takes.
    """

    write: Callable[[Path], Path]
    read: Callable[[Path, Path], Sequence[str]]
    sample: int
    mutants: Callable[[Path], Iterable[Any]] = mutants
    every: int = 1


def _network(folder: Path, text: str) -> neuroport.Network:
    (folder / "n.yaml").write_text(text)
    return neuroport.load(folder / "n.yaml")


def _trace(text: str, chip_seed: int | None = None, cut: bool = False) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "whole.h5"
        try:
            with api.open(_network(folder, text), "reference", None, chip_seed, trace=path) as session:
                session.run_protocol()
                if cut:
                    raise InterruptedError
        except InterruptedError:
            pass
        return path

    return write


def _traced(mutant: Path, whole: Path) -> Sequence[str]:
    command = random.Random(mutant.read_bytes()[-4000:]).randrange(4)
    if command == 0:
        return (fault("show", mutant),)
    if command == 1:
        return (fault("export", mutant, "-o", mutant.parent / "o.yaml", "--overwrite"),)
    pair = (whole, mutant) if command == 2 else (mutant, whole)
    found = fault("compare", *pair, allowed=(0, 1, 2))
    if not found and not fault("compare", *pair, allowed=(0,)) and parts_differ(whole, mutant):
        found = f"compare {mutant.name}: identical, though {parts_differ(whole, mutant)} differs"
    return (found,)


def _drawn(mutant: Path, whole: Path) -> Sequence[str]:
    with without_pixels():
        return (fault("plot", mutant, "-o", mutant.parent / "o.png", "--overwrite"),)


def _parts(number: int) -> Callable[[Path], Path]:
    """What a run left whose joining was interrupted, of which the segment of this number is damaged."""

    def write(folder: Path) -> Path:
        whole = folder / "whole.h5"

        def keep(parts: Path, _: Path) -> None:
            shutil.copytree(parts, parts_folder(whole))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("neuroport.trace.join.join", keep)
            with api.open(_network(folder, ALL), "reference", None, 3, trace=folder / "x.h5") as session:
                session.run_protocol()
        shutil.copy(segment(parts_folder(whole), number), whole)
        return whole

    return write


def _joined(number: int) -> Callable[[Path, Path], Sequence[str]]:
    def read(mutant: Path, whole: Path) -> Sequence[str]:
        folder, out = mutant.with_name("copy.h5.part"), mutant.with_name("out.h5")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(parts_folder(whole), folder)
        shutil.copy(mutant, segment(folder, number))
        out.unlink(missing_ok=True)
        found = fault("join", folder, "-o", out)
        kept = out.exists() or segment(folder, number).exists()
        return found, fault("show", out) if out.exists() else "", "" if kept else "the parts are lost"

    return read


TRACES = {
    "integer": _trace(NET, 3),
    "copies": _trace(BATCH),
    "incomplete": _trace(ALL.replace("chip: generic8_mismatch10_steps", "chip: ideal"), cut=True),
}
SMALL = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8_mismatch10_steps
populations: {a: {size: 3, neuron: spike_source}, b: {size: 2, neuron: lif}}
projections:
  p: {source: a, target: b, input: jump, synapse: static, connect: all_to_all, weight: 3}
stimuli: {s: {spikes: {times: [1 ms, 2 ms], neurons: [0, 2]}, population: a, input: spike_in}}
protocol: [run: 4 ms]
"""
STORED = """
neuroport: 1
name: n
dt: 1 ms
chip: generic16
populations: {a: {size: 3, neuron: spike_source}, b: {size: 2, neuron: lif, init: {v: {file: x.h5, dataset: /v,
  unit: mV}}}}
projections:
  p: {source: a, target: b, input: jump, synapse: static, connect: all_to_all, weight: {file: x.h5, dataset: w}}
  q: {source: a, target: b, input: jump, synapse: static, connect: {file: x.h5, dataset: g/pairs},
      weight: {array: {file: x.h5, dataset: g/list}}}
stimuli:
  s: {spikes: {times: {file: x.h5, dataset: times, unit: ms}, neurons: {file: x.h5, dataset: neurons}}, population: a,
      input: spike_in}
  r: {series: {values: {file: x.h5, dataset: rows, unit: mV}, every: 1 ms}, population: b, input: jump}
  t: {patterns: {values: {file: x.h5, dataset: patterns, unit: mV}, hold: 1 ms, labels: {file: x.h5, dataset: labels}},
      population: b, input: jump}
protocol: [run: 2 ms, present: t]
"""
NUMBERS = {
    "v": [-60.0, -70.0],
    "w": [[3.0, 2.0], [1.0, 0.5], [0.25, 2.0]],
    "g/pairs": [[2, 1], [0, 0], [0, 1]],
    "g/list": [1.0, 2.0, 0.5],
    "times": [1, 2, 2],
    "neurons": [0, 2, 1],
    "rows": [[0.5, 0.25], [1.0, 2.0], [0.5, 1.5]],
    "patterns": [[0.5, 0.25], [1.0, 2.0]],
    "labels": [0, 1],
}


def _instance(folder: Path) -> Path:
    (folder / "n.yaml").write_text(SMALL)
    path, some = folder / "chip.h5", np.arange(8)
    chip = chips.load("generic8_mismatch10_steps")
    instances.save(instances.manufacture(chip, 3), path, {kind: some for kind, _ in chip.mismatch})
    return path


def _specimen(mutant: Path, whole: Path) -> Sequence[str]:
    run = "run", whole.parent / "n.yaml", "--backend", "reference", "-q", "--chip-instance", mutant
    return fault("show", mutant), fault(*run, allowed=(0, 1, 2))


def _numbers(folder: Path) -> Path:
    (folder / "n.yaml").write_text(STORED)
    with h5py.File(folder / "x.h5", "w") as file:
        for name, values in NUMBERS.items():
            file[name] = np.asarray(values)
    return folder / "x.h5"


def _given(mutant: Path, whole: Path) -> Sequence[str]:
    (mutant.parent / "m.yaml").write_text(STORED.replace("x.h5", mutant.name))
    return (fault("run", mutant.parent / "m.yaml", "--backend", "reference", "-q"),)


def _described(folder: Path) -> Path:
    (folder / "n.yaml").write_text(SMALL)
    path = folder / "chip.yaml"
    path.write_text(chips.to_yaml(chips.load("generic8_mismatch10_steps")))
    return path


def _chip(mutant: Path, whole: Path) -> Sequence[str]:
    named = mutant.rename(mutant.with_suffix(".yaml"))
    return fault("show", named), fault("check", whole.parent / "n.yaml", "--chip", named)


def _about(trace: Path) -> Iterable[Any]:
    """All mutants of a trace; what is under /report is for other programs."""
    return mutants(trace, aside="report")


CASES = {
    "integer trace": Case(TRACES["integer"], _traced, 30, _about),
    "copies trace": Case(TRACES["copies"], _traced, 20, _about, every=3),
    "incomplete trace": Case(TRACES["incomplete"], _traced, 20, _about, every=3),
    "picture of integer trace": Case(TRACES["integer"], _drawn, 6, _about, every=8),
    "picture of copies trace": Case(TRACES["copies"], _drawn, 4, _about, every=16),
    "picture of incomplete trace": Case(TRACES["incomplete"], _drawn, 4, _about, every=16),
    "header of a run": Case(_parts(0), _joined(0), 10, every=3),
    "part of a run": Case(_parts(1), _joined(1), 10),
    "end of a run": Case(_parts(2), _joined(2), 10),
    "chip instance": Case(_instance, _specimen, 25),
    "numbers": Case(_numbers, _given, 15),
    "chip description": Case(_described, _chip, 60, of_text, every=4),
}


def faults(case: Case, folder: Path, start: int, every: int, most: int | None = None) -> list[str]:
    """What is wrong with the answers to every so-manieth mutant, `most` of them."""
    whole = case.write(folder)
    content, found = whole.read_bytes(), []
    shuffled = list(case.mutants(whole))
    random.Random(1).shuffle(shuffled)
    for mutant in shuffled[start::every][:most]:
        path = folder / "mutant.h5"
        try:
            mutant.write(content, path)
        except Same:
            continue
        found += [f"{mutant.name}: {text}" for text in case.read(path, whole) if text]
    return found
