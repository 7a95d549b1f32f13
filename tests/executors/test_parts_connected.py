"""Projections between parts run everywhere, with the same bits, as those of the same pairs of whole populations."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import neuroport
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.trace.learned import with_learned
from neuroport.trace.read import open_trace
from tests.support.executors import BACKENDS

TEXT = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8
synapses:
  noisy:
    state: {w: {weight: true, init: 1, range: [0, 4]}, seen: {init: 0, range: [0, 64]}}
    on_pre: |
      send(target, w)
      seen = seen + 1
    on_post: |
      if uniform() < 0.5:
        w = w + 0.125
  halved:
    state: {w: {weight: true, init: 1, range: [0, 4]}}
    on_event: {swap: w = 0.5 * twin.w}
populations:
  n: {size: 9, neuron: poisson, params: {rate: 300 Hz}}
  a: {size: 12, neuron: lif}
projections:
  there: {source: "n[0:6:2]", target: "a[2:6, 9]", input: jump, synapse: noisy, delay: 2 ms,
          connect: all_to_all, weight: {uniform: [0, 2]}}
  back: {source: "n[1, 2, 8]", target: "a[3:6, 7, 10]", input: jump, synapse: halved, twin: there,
         connect: {fixed_probability: 0.7}, weight: 1}
  fixed: {source: "a[0:5]", target: "a[3:12:2]", input: jump, synapse: static, dendritic_delay: {uniform: [0 ms, 3 ms]},
          connect: {fixed_out_degree: {degree: 2, self: false}}, weight: {uniform: [0, 3]}}
protocol: [{run: 40 ms}, {event: swap}, {run: 25 ms}]
record: {spikes: all, states: {a.v: 1 ms}, weights: {there.w: 10 ms}}
"""
PLAIN = TEXT.replace("uniform() < 0.5", "w < 3").replace("halved, twin: there", "noisy").replace("{event: swap}, ", "")
DEVIATES = "generic8_mismatch10"


def network(text: str = TEXT) -> Network:
    return reader.loads(text, "n.yaml")


def listed(made: Network) -> Network:
    """The same synapses as pairs of the whole populations, one by one."""
    net = neuroport.Network.of(made)
    program = neuroport.compile(made, chip="ideal")
    for p in program.projections:
        net = net.with_(
            {
                f"{p.name}.source": p.source,
                f"{p.name}.target": p.target,
                f"{p.name}.connect": {"pairs": np.stack([p.pre, p.post], axis=1)},
                f"{p.name}.weight": program.arrays[f"{p.name}.w"].initial,
            }
        )
        if p.dendritic is not None:
            net = net.with_({f"{p.name}.dendritic_delay": {"array": p.dendritic, "unit": "steps"}})
    return net.build()


@cache
def digest(backend: str, chip: str | None = None) -> str:
    return neuroport.run(network(), backend=backend, chip=chip, chip_seed=None if chip is None else 3).digest


@pytest.mark.parametrize("backend", BACKENDS)
def test_parts_have_the_same_bits_everywhere(backend: str) -> None:
    assert digest(backend) == digest("reference")


@pytest.mark.parametrize("backend", BACKENDS)
def test_their_circuits_deviate_alike(backend: str) -> None:
    assert digest(backend, DEVIATES) == digest("reference", DEVIATES) != digest("reference")


@pytest.mark.parametrize("chip", ["generic8", DEVIATES])
def test_they_are_pairs_of_whole_populations(chip: str) -> None:
    part = network(PLAIN)
    whole = listed(part)
    assert whole.projection("there").ends == ("n", "a")
    specimen = 3 if "mismatch" in chip else None
    runs = [neuroport.run(one, backend="reference", chip=chip, chip_seed=specimen) for one in (part, whole)]
    assert runs[0].digest == runs[1].digest


def test_a_session_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    with neuroport.open(network(), "reference") as session:
        session.run(30)
        session.checkpoint(tmp_path / "c.h5")
        session.run(35)
        whole = session.digest()
    with neuroport.open(network(), "reference") as session:
        session.restore(tmp_path / "c.h5")
        session.run(35)
        assert session.digest() == whole


def test_what_was_learned_is_a_network_of_the_same_parts(tmp_path: Path) -> None:
    neuroport.run(network(), backend="reference", trace=tmp_path / "t.h5")
    trace = open_trace(tmp_path / "t.h5")
    learned = with_learned(network(), trace)
    for name in ("there", "back"):
        assert learned.projection(name).ends == network().projection(name).ends
        with neuroport.open(learned, "reference") as session:
            pre, post, weights = session.weights(name)
        assert np.array_equal(trace.pairs(name), (pre, post))
        assert np.allclose(weights, trace.final_array(f"{name}.w").values)
