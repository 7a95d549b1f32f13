"""Copies: many independent runs of one network, each bit-identical to the single run with its seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport import backends
from neuroport.api import run as api
from neuroport.api.copies import paired, run_copies
from neuroport.backends.genn import Genn
from neuroport.backends.genn.machine import Machine
from neuroport.errors import InvalidInput, RunFailed
from neuroport.files import network as reader

NETWORK = """
neuroport: 1
name: n
dt: 1 ms
seed: 5
chip: generic8_mismatch10
populations:
  units: {size: 4, neuron: sampling_unit, params: {m_star: 0.4}}
  in: {size: 3, neuron: rate_source}
synapses:
  drive:
    state: {w: {weight: true, init: 1, range: [-1, 1]}}
    step: |
      send(target, w * pre.r)
projections:
  recurrent: {source: units, target: units, synapse: sal_sampling, connect: {all_to_all: {self: false}}, delay: 3 ms,
              weight: {normal: [0, 0.5]}, params: {eta_w: 0.1}}
  drive: {source: in, target: units, synapse: drive, connect: all_to_all}
stimuli:
  shown: {patterns: {values: [[1, 0, 0.5], [0, 1, -0.5], [0.25, 0.5, 0.75]], hold: 20 ms, order: shuffle},
          population: in, input: r_in}
ports: {rates: {inject: in.r_in}, action: {spikes: units}, weights: {read: drive.w}}
readouts: {states: {histogram: {population: units, state: x < 50, every: 5 steps, phase: 0 steps}}}
targets: {target: {boltzmann: {weights: [[0,0,0,0],[0,0,0,0],[0,0,0,0],[0,0,0,0]], biases: [0, 0, 0, 0]}}}
protocol:
  - repeat: 3
    as: epoch
    do:
      - event: blank
      - present: shown
      - {run: 300 steps, readout: [states]}
      - measure: [dkl, w]
      - event: epoch_end
  - set: {recurrent.eta_w: 0.02}
  - reset: [units]
  - run: 100 steps
  - event: epoch_end
metrics: {dkl: {dkl: states, target: target.p}, w: {values: recurrent.w}}
record: {spikes: all}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "n.yaml"
    file.write_text(NETWORK, "utf-8")
    return file


class Unrolling:
    """A backend that wants copies as one program."""

    unrolls = True

    def __init__(self, name: str) -> None:
        self._backend = backends.load(name)
        self.name = self._backend.name

    def __getattr__(self, name: str) -> object:
        return getattr(self._backend, name)


SEEDS, CHIP_SEEDS = [5, 6, 11], [0, 1, 2]


def single_runs(path: Path) -> list[api.Run]:
    network = reader.load(path)
    return [api.run(network, "reference", chip_seed=c, seed=s) for s, c in zip(SEEDS, CHIP_SEEDS, strict=True)]


def same(copies: tuple[api.Run, ...], single: list[api.Run]) -> None:
    assert [r.digest for r in copies] == [r.digest for r in single]
    assert [r.metrics for r in copies] == [r.metrics for r in single]
    assert [r.spikes for r in copies] == [r.spikes for r in single]
    assert [(r.seed, r.chip_seed) for r in copies] == [(r.seed, r.chip_seed) for r in single]
    assert len({r.digest for r in copies}) == len(copies)


@pytest.mark.dear
def test_copies_on_genn_compute_what_single_runs_compute(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genn = Genn()
    if missing := genn.missing():
        pytest.skip(missing)
    closed: list[Machine] = []
    close = Machine.close
    monkeypatch.setattr(Machine, "close", lambda machine: (closed.append(machine), close(machine))[1])
    same(run_copies(reader.load(path), SEEDS, "genn", chip_seeds=CHIP_SEEDS), single_runs(path))
    assert len(closed) == 1


@pytest.mark.parametrize("backend", ["reference", pytest.param("emulator", marks=pytest.mark.slow)])
def test_an_unrolled_copy_computes_what_its_single_run_computes(
    path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    single = single_runs(path)
    chosen = Unrolling(backend)
    monkeypatch.setattr(backends, "load", lambda *_: chosen)
    same(run_copies(reader.load(path), SEEDS, backend, chip_seeds=CHIP_SEEDS), single)


def test_copies_in_threads_compute_what_single_runs_compute(path: Path, tmp_path: Path) -> None:
    copies = run_copies(reader.load(path), SEEDS, "reference", chip_seeds=CHIP_SEEDS, trace=tmp_path / "o.h5")
    same(copies, single_runs(path))
    assert [Path(r.trace or "").name for r in copies] == ["o.copy0.h5", "o.copy1.h5", "o.copy2.h5"]
    assert all(Path(r.trace or "").exists() for r in copies)


@pytest.mark.parametrize("chosen", ["reference", "unrolled"])
def test_copies_on_one_run_seed_differ_by_their_chips_alone(
    path: Path, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, unrolling = reader.load(path), Unrolling("reference")
    single = [api.run(network, "reference", chip_seed=c, seed=5) for c in (0, 1)]
    if chosen == "unrolled":
        monkeypatch.setattr(backends, "load", lambda *_: unrolling)
    same(run_copies(network, 5, "reference", chip_seeds=range(2)), single)
    alike = run_copies(network, 5, "reference", chip_seeds=[1, 1])
    assert [run.digest for run in alike] == [single[1].digest] * 2


TOO_MANY = (
    "{} copies are more than the 100,000 that can be run at once; "
    "run them in parts, each with its range of seeds or chip seeds"
)
UNEQUAL = "3 seeds and 2 chip seeds make no pairs; give as many of both, or one number that stands for every copy"


@pytest.mark.parametrize(
    ("seeds", "chip_seeds", "text"),
    [
        (
            [1, 2, 3],
            [1, 2],
            "3 seeds and 2 chip seeds make no pairs; give as many of both, or one number that stands for every copy",
        ),
        ([], None, "without a seed there is no copy to run; give at least one seed"),
        (range(10**9), None, TOO_MANY.format("1,000,000,000")),
        (1, range(0, 2**62, 2), TOO_MANY.format(f"{2**61:,}")),
        (1, range(2**64), TOO_MANY.format(f"{2**64:,}")),
        (range(2**63 - 2, 2**63 + 2), None, f"a seed must be a whole number from 0 to 2**63 - 1; found {2**63}"),
    ],
)
def test_seeds_that_cannot_be_are_refused_before_any_list_is_made(seeds: Any, chip_seeds: Any, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        run_copies(reader.loads(NETWORK, "n.yaml"), seeds, "reference", chip_seeds=chip_seeds)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("seeds", "chip_seeds", "pairs"),
    [
        (7, None, [(7, None)]),
        (7, (), [(7, None)]),
        (range(3, 5), None, [(3, None), (4, None)]),
        (range(3, 5), 9, [(3, 9), (4, 9)]),
        (7, [0, None], [(7, 0), (7, None)]),
        (np.array([3, 4]), range(2), [(3, 0), (4, 1)]),
    ],
)
def test_one_number_stands_for_every_copy(seeds: Any, chip_seeds: Any, pairs: list[tuple[int, int | None]]) -> None:
    assert list(zip(*paired(seeds, chip_seeds), strict=True)) == pairs


def test_a_failing_copy_ends_all(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Unrolling("reference")
    monkeypatch.setattr(backends, "load", lambda *_: chosen)

    def fail(*_: object) -> None:
        raise RunFailed("a planted failure")

    monkeypatch.setattr("neuroport.session.measure.Measuring.measure", fail)
    with pytest.raises(RunFailed, match=r"^a planted failure$"):
        run_copies(reader.load(path), SEEDS, "reference", chip_seeds=CHIP_SEEDS)
