"""Resets of parts of populations: what a reset of all is, for their neurons alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from tests.support.executors import BACKENDS

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: CHIP
neurons:
  cell:
    params: {level: {default: 0.6}}
    inputs: {i: {range: [-8, 8]}}
    state: {v: {init: 0.25, range: [-8, 8]}, h: {init: 0, class: plastic, range: [-8, 8]}}
    update: |
      h = h + 0.125
      v = 0.5 * v + i + 0.75 * uniform()
    spike: v > level
    on_spike: v = 0
synapses:
  rule:
    traces: {x: {of: pre, decay: 0.5, range: [0, 4]}}
    state: {w: {weight: true, init: 0.5, range: [-2, 2]}}
    on_pre: |
      send(target, w * 0.5 * pre.x)
      w = w + 0.03125
projections:
  p: {source: a, target: a, input: i, synapse: rule, delay: 4 ms, connect: {all_to_all: {self: false}},
      weight: {uniform: [-0.5, 0.5]}, dendritic_delay: {uniform: [0 ms, 3 ms]}}
populations:
  a: {size: 7, neuron: cell}
  quiet: {size: 2, neuron: cell, params: {level: 7}}
protocol:
  - {run: 20 ms}
  - RESET
  - {run: 20 ms}
record: {states: {a.v: 1 ms, a.h: 1 ms}}
"""


def network(reset: str, chip: str = "generic8") -> Network:
    return reader.loads(TEXT.replace("RESET", reset).replace("CHIP", chip), "n.yaml")


def ran(reset: str, backend: str = "reference", chip: str = "generic8", steps: int = 40) -> dict[str, Any]:
    with neuroport.open(network(reset, chip), backend) as session:
        session.run_protocol()
        spikes = session.spikes("a")
        found = {"digest": session.digest(), "v": session.records("a.v")[1], "h": session.records("a.h")[1]}
        return found | {"spikes": spikes, "counts": session.spike_counts()}


@pytest.mark.parametrize("backend", BACKENDS)
def test_parts_that_make_up_a_population_are_reset_like_it(backend: str) -> None:
    parts = ran('{reset: ["a[0:3]", quiet]}').copy()
    assert parts["digest"] != ran("{reset: [a, quiet]}")["digest"]
    whole = ran("{reset: [a]}", backend)
    both = TEXT.replace("  - RESET", '  - {reset: ["a[::2]"]}\n  - {reset: ["a[1::2]"]}').replace("CHIP", "generic8")
    with neuroport.open(reader.loads(both, "n.yaml"), backend) as session:
        session.run_protocol()
        assert session.digest() == whole["digest"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_neurons_of_a_part_start_afresh_everywhere_alike(backend: str) -> None:
    some = '{reset: ["a[1:6:2]"]}'
    found, right, none = ran(some, backend), ran(some), ran("{reset: [quiet]}")
    assert found["digest"] == right["digest"] != none["digest"]
    assert np.array_equal(found["h"][20, [1, 3, 5]], [0.125] * 3)
    assert np.array_equal(found["h"][20, [0, 2, 4, 6]], [2.625] * 4)
    assert np.array_equal(found["v"][:20], none["v"][:20])
    assert found["counts"]["a"] == len(found["spikes"][0])


def test_what_is_learned_stays() -> None:
    kept = ran('{reset: {populations: ["a[1:6:2]"], keep: learned}}')
    assert np.array_equal(kept["h"][20], [2.625] * 7)
    assert kept["digest"] != ran("{reset: [quiet]}")["digest"]


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_in_real_numbers_it_is_the_same(backend: str) -> None:
    parts = TEXT.replace("  - RESET", '  - {reset: ["a[::2]"]}\n  - {reset: ["a[1::2]"]}').replace("CHIP", "ideal")
    with neuroport.open(reader.loads(parts, "n.yaml"), backend) as session:
        session.run_protocol()
        assert session.digest() == ran("{reset: [a]}", backend, "ideal")["digest"]


def test_what_a_host_added_to_other_neurons_stays() -> None:
    text = TEXT.replace("CHIP", "generic8").replace("RESET", '{reset: ["a[0:2]"]}').replace("  - {run: 20 ms}\n", "")
    text = text.replace("0.75 * uniform()", "0 * uniform()") + "ports: {add: {inject: a.i, range: [-2, 2]}}\n"
    with neuroport.open(reader.loads(text, "n.yaml"), "reference") as session:
        session.inject("add", None, 0.25)
        session.run_protocol()
        with pytest.raises(InvalidInput, match=r"2\.05 of neuron 2 is outside -2 \.\. 2"):
            session.inject("add", [2], 1.8)
        session.inject("add", [1], 1.8)
        session.run(1)
        assert session.records("a.v")[1][0] == pytest.approx([0.125, 0, *[0.375] * 5], abs=0.01)


@pytest.mark.dear
def test_a_calibration_sees_a_part_that_is_reset(tmp_path: Path) -> None:
    (tmp_path / "n.yaml").write_text(TEXT.replace("CHIP", "generic8").replace("RESET", '{reset: ["a[1:6:2]"]}'))
    neuroport.calibrate(tmp_path / "n.yaml", seeds=[1])


def test_inside_of_a_pattern_parts_are_reset() -> None:
    text = TEXT.replace("CHIP", "generic8").replace(
        "{run: 20 ms}", '{present: s, each: [{at: end, reset: ["a[0]"]}]}', 1
    )
    text = text.replace("  - RESET\n", "")
    text += 'stimuli: {s: {patterns: {values: [[0]], hold: 20 ms}, population: "a[6]"}}\n'
    with neuroport.open(reader.loads(text, "n.yaml"), "reference") as session:
        session.run_protocol()
        assert session.digest() == ran('{reset: ["a[0]"]}')["digest"]


def test_it_is_written_as_it_was_read() -> None:
    made = network('{reset: {populations: [quiet, "a[0, 1, 5]"], keep: learned}}')
    assert reader.loads(writer.to_yaml(made), "again.yaml") == made
    assert '[quiet, "a[0:2, 5]"]' in writer.to_yaml(made)


@pytest.mark.parametrize(
    ("reset", "text"),
    [
        ('{reset: ["a[7]"]}', "'reset': '[7]' is outside of the population, whose neurons are 0 to 6"),
        ('{reset: ["a[0:2]", a]}', "the population 'a' is listed twice; keep one"),
        ('{reset: ["a[0:2]", "a[3]"]}', "the population 'a' is listed twice; keep one"),
        ('{reset: ["b[0:2]"]}', "unknown population 'b'; allowed are a, quiet"),
    ],
)
def test_misuse_is_refused(reset: str, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        network(reset)
    assert [problem.text for problem in caught.value.problems] == [text]
