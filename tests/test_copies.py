"""Copies: many independent runs of one network, each bit-identical to the single run with its seeds."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from neuroport import api, backends, reader
from neuroport.session import Session
from neuroport.together import CopyExecutor, Meeting
from neuroport.unroll import unroll

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


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_an_unrolled_copy_computes_what_its_single_run_computes(path: Path, backend: str) -> None:
    network = reader.load(path)
    seeds, chip_seeds = [5, 6, 11], [0, 1, 2]
    single = [api.run(network, backend, chip_seed=c, seed=s) for s, c in zip(seeds, chip_seeds, strict=True)]
    programs = [api.compile(network, chip_seed=c) for c in chip_seeds]
    whole = unroll(programs, seeds)
    names = [p.name for p in whole.populations if p.spiking]
    meeting = Meeting(backends.load(backend).open(whole, seeds[0], names), 3)
    sessions = [
        Session(network, program, CopyExecutor(meeting, k), seed=seed)
        for k, (program, seed) in enumerate(zip(programs, seeds, strict=True))
    ]

    def go(session: Session) -> None:
        for _ in session.walk_protocol(lambda step: 64):
            pass

    threads = [threading.Thread(target=go, args=(s,)) for s in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    digests: list[str] = [""] * 3

    def digest(k: int) -> None:
        digests[k] = sessions[k].digest()

    threads = [threading.Thread(target=digest, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digests == [run.digest for run in single]
    assert [s.results for s in sessions] == [run.metrics for run in single]
    assert len(set(digests)) == 3
