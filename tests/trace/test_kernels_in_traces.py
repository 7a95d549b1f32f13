"""What synapses share, in traces and sessions: a number for each entry of a kernel, spread to synapses where asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.trace.learned import with_learned
from neuroport.trace.read import open_trace

TEXT = """
neuroport: 1
name: shared
dt: 1 ms
neurons:
  cell:
    inputs: {i: {range: [-8, 8]}}
    state: {r: {init: 0, range: [-8, 8]}}
    update: r = i + uniform()
synapses:
  learned:
    params: {rate: {default: 0.01, range: [0, 1]}}
    state:
      w: {weight: true, range: [-4, 4], over_kernel: shared}
      e: {init: 0, range: [-64, 64]}
    step: |
      e = 0.5 * e + pre.r
      send(target, w * pre.r)
    on_event:
      learn: w = w + rate * sum_shared(e)
populations:
  a: {size: 12, neuron: cell}
  b: {size: 18, neuron: cell}
projections:
  p: {source: a, target: b, synapse: learned, weight: {uniform: [-0.1, 0.1]},
    connect: {convolution: {shape: [4, 3], kernel: 2, channels: [1, 3]}}}
protocol:
  - run: 10 steps
  - event: learn
  - run: 5 steps
record: {weights: {p.w: 5 steps, p.e: 5 steps}}
metrics:
  mean: {mean: p.w}
  values: {values: p.w}
  apart: {distance: p.w, to: p.w}
"""


def network() -> Any:
    return reader.loads(TEXT.encode(), "shared.yaml")


def test_a_trace_has_a_number_for_each_entry_and_spreads_it_to_synapses(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    result = neuroport.run(network(), "reference", trace=path)
    trace = open_trace(path)
    assert trace.weight_history("p.w").values.shape == (3, 12)
    assert trace.weight_history("p.e").values.shape == (3, 72)
    last, entry = trace.weights("p.w"), neuroport.compile(network()).projection("p").wiring.entry
    assert np.array_equal(last.values, trace.final_array("p.w").raw[entry])
    assert len(last.pre) == len(last.post) == 72
    assert len(result.metrics["values"][0][1]) == 12
    assert result.metrics["mean"][0][1] == pytest.approx(trace.final_array("p.w").raw.mean())
    assert result.metrics["apart"][0][1] == 0
    for panel in ("weights", "matrix", "distribution"):
        trace.plot(panel)


def test_what_was_learned_is_what_the_next_run_begins_with(tmp_path: Path) -> None:
    neuroport.run(network(), "reference", trace=tmp_path / "a.h5")
    trace = open_trace(tmp_path / "a.h5")
    learned = neuroport.compile(with_learned(network(), trace))
    assert np.array_equal(learned.arrays["p.w"].initial, trace.final_array("p.w").raw)


def test_entries_that_do_not_exist_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    neuroport.run(network(), "reference", trace=path)
    with h5py.File(path, "r+") as file:
        file["neuroport/projections/p/entry"][...] = 12
    with pytest.raises(InvalidInput) as caught:
        open_trace(path).weights("p.w")
    assert "/neuroport/projections/p/entry holds 12; it must hold numbers from 0 to 11" in str(caught.value)


def test_a_session_has_entries_and_spreads_them_to_synapses() -> None:
    with neuroport.open(network(), "reference") as session:
        given = np.linspace(-1, 1, 12)
        session.set("p.w", given)
        session.run(1)
        assert np.array_equal(session.get("p.w"), given)
        pre, post, weights = session.weights("p")
        assert np.array_equal(weights, given[session.program.projection("p").wiring.entry])
        assert len(pre) == len(post) == 72
        with pytest.raises(InvalidInput, match=r"9 of kernel entry 3 is outside -4 \.\. 4"):
            session.set("p.w", [0, 0, 0, 9, *[0] * 8])
