"""Projections without synapses and stimuli without spikes: a network with them runs as it does without them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neuroport
from neuroport.files import network as reader
from neuroport.files import writer
from tests.support.executors import BACKENDS

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8
populations:
  s: {size: 3, neuron: spike_source}
  a: {size: 4, neuron: lif}
projections:
  q: {source: s, target: a, input: jump, synapse: static, connect: all_to_all, weight: 12}
  PROJECTIONS
stimuli:
  k: {spikes: {times: [2 ms, 3 ms, 8 ms], neurons: [0, 2, 2]}, population: s, input: spike_in}
  STIMULI
protocol: [{run: 6 ms}, {run: 6 ms}]
record: {spikes: all, states: {a.v: 1 ms}}
"""
PROJECTIONS = """
  p:
    {source: s, target: a, input: jump, synapse: stdp_pair, connect: {pairs: []}, weight: 1,
     dendritic_delay: {uniform: [0 ms, 2 ms]}}
  o: {source: a, target: a, input: jump, synapse: static, connect: {pairs: []}, weight: []}
  n: {source: s, target: a, input: jump, synapse: static, connect: {fixed_out_degree: 0}, weight: 1}
"""
STIMULI = """
  e: {spikes: {times: [], neurons: []}, population: s, input: spike_in}
"""
WITH = TEXT.replace("  PROJECTIONS\n", PROJECTIONS).replace("  STIMULI\n", STIMULI)
WITHOUT = TEXT.replace("  PROJECTIONS\n", "").replace("  STIMULI\n", "")


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_changes_nothing(backend: str) -> None:
    ran = []
    for text in (WITH, WITHOUT):
        with neuroport.open(reader.loads(text, "n.yaml"), backend) as session:
            session.run_protocol()
            ran.append((session.spike_counts(), session.get("a.v").tolist()))
    assert ran[0] == ran[1]
    assert ran[0][0]["a"] > 0


def test_nothing_is_in_a_checkpoint(tmp_path: Path) -> None:
    network = reader.loads(WITH, "n.yaml")
    with neuroport.open(network, "reference") as session:
        session.run(5)
        session.checkpoint(tmp_path / "state.h5")
        session.run(5)
        ended = session.get("a.v").tolist()
    with neuroport.open(network, "reference") as session:
        session.restore(tmp_path / "state.h5")
        session.run(5)
        assert session.get("a.v").tolist() == ended


def test_nothing_comes_back_from_a_file(tmp_path: Path) -> None:
    network = reader.loads(WITH, "n.yaml")
    assert reader.loads(writer.to_yaml(network), "again.yaml") == network
    writer.write(network, tmp_path / "n.yaml")
    assert reader.load(tmp_path / "n.yaml") == network


@pytest.mark.parametrize("nothing", [[], (), np.zeros(0), np.zeros((0, 2), np.int64)])
def test_nothing_in_python(nothing: object) -> None:
    made = neuroport.Network("1 ms")
    made.population("s", 3, "lif")
    made.project("s", "s", "static", input="jump", connect=nothing, weight=1)
    flat = nothing if np.ndim(nothing) == 1 else []  # type: ignore[arg-type]
    made.stimulus("k", "s", input="jump", spikes={"times": flat, "neurons": flat})
    made.protocol = [{"run": "5 ms"}]
    assert neuroport.compile(made).projection("s_s").synapses == 0
