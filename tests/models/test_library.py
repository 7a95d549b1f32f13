"""The shipped models: each says what it is, and does what its equations say."""

from __future__ import annotations

import json
import textwrap
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

import neuroport
import neuroport.networks
from neuroport.files import library
from neuroport.session.session import Session

MODELS = library.names()
GOLDEN_U = "7936 5952 12400 9300 6975 5231 3923 2942 2206 1654 1240 930 697 522 391 293 219"
GOLDEN_V = "7936 11904 21328 25296 0 5231 7846 8826 8825 8272 7444 6513 5581 4707 3921 3233 2643"


def run(folder: Path, text: str, chip: str = "ideal", seed: int = 1) -> Session:
    """Run a network text on the reference executor."""
    file = folder / "network.yaml"
    file.write_text("neuroport: 1\nname: test\ndt: 1 ms\n" + textwrap.dedent(text), "utf-8")
    session = neuroport.open(neuroport.load(file), backend="reference", chip=chip, seed=seed)
    session.run_protocol()
    return session


def series(session: Session, name: str) -> NDArray[np.float64]:
    """A state of the first neuron over the steps of a run."""
    return session.records(name)[1][:, 0]


@pytest.mark.parametrize(("name", "kind", "title"), MODELS, ids=[name for name, _, _ in MODELS])
def test_model_says_what_it_is(name: str, kind: str, title: str) -> None:
    model = library.neuron(name) if kind == "neuron" else library.synapse(name)
    assert title
    assert model.source.strip()
    assert model.equations.strip()
    if not name.startswith("nir_"):  # what other tools make has no scale of its own: a network file gives ranges
        assert all(state.range is not None for state in model.states), "the quantiser needs every range"
    assert all(parameter.range is not None for parameter in model.parameters)


def test_library_has_what_the_changelog_says(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text("utf-8")
    assert [name for name, _, _ in MODELS if f"`{name}`" not in text] == []


LONG = [name for name in neuroport.networks.names() if name.startswith("published/")]
"""Networks of which some take long to build."""


@pytest.mark.parametrize(
    "name", [pytest.param(x, marks=pytest.mark.dear) if x in LONG else x for x in neuroport.networks.names()]
)
def test_network_can_be_compiled_for_its_chip(name: str) -> None:
    network = neuroport.load(neuroport.networks.path(name))
    assert network.name == name.rpartition("/")[2]
    assert network.title
    assert neuroport.compile(network).integer == (network.chip != "ideal")


def test_loihi_golden_vector() -> None:
    network = neuroport.load(neuroport.networks.path("loihi_lif"))
    session = neuroport.open(network, backend="reference")
    session.run_protocol()
    assert series(session, "cell.u")[12:29].tolist() == [float(x) for x in GOLDEN_U.split()]
    assert series(session, "cell.v")[12:29].tolist() == [float(x) for x in GOLDEN_V.split()]
    assert session.spikes("cell")[0].tolist() == [16]


def test_lif_follows_the_exact_solution(tmp_path: Path) -> None:
    """Driven by 0.1 nA through 100 MOhm it approaches -60 mV, with 20 ms."""
    session = run(
        tmp_path,
        """
        populations: {cell: {size: 1, neuron: lif}}
        stimuli: {step: {series: {values: [0.1 nA], every: 1 ms, loop: true}, population: cell, input: i}}
        protocol: [run: 50 steps]
        record: {states: {cell.v: 1 step}}
        """,
    )
    steps = np.arange(1, 51)
    assert series(session, "cell.v") == pytest.approx(-70 + 10 * (1 - np.exp(-steps / 20)), abs=1e-9)


def test_lif_is_held_at_reset_for_its_refractory_time(tmp_path: Path) -> None:
    session = run(
        tmp_path,
        """
        populations: {cell: {size: 1, neuron: lif, params: {t_ref: 3 ms}}}
        stimuli: {step: {series: {values: [10 nA], every: 1 ms, loop: true}, population: cell, input: i}}
        protocol: [run: 20 steps]
        """,
    )
    assert set(np.diff(session.spikes("cell")[0])) == {4}


def test_cuba_lif_currents_decay_with_their_own_time_constants(tmp_path: Path) -> None:
    session = run(
        tmp_path,
        """
        populations:
          source: {size: 1, neuron: spike_source}
          cell: {size: 1, neuron: cuba_lif, params: {tau_exc: 5 ms, tau_inh: 10 ms}}
        projections:
          up: {source: source, target: cell, input: exc, synapse: static, connect: one_to_one, weight: 0.1}
          down: {source: source, target: cell, input: inh, synapse: static, connect: one_to_one, weight: -0.2}
        stimuli: {one: {spikes: {times: [0 steps], neurons: [0]}, population: source, input: spike_in}}
        protocol: [run: 10 steps]
        record: {states: {cell.i_exc: 1 step, cell.i_inh: 1 step}}
        """,
    )
    later = np.arange(9)
    assert series(session, "cell.i_exc")[1:] == pytest.approx(0.1 * np.exp(-later / 5))
    assert series(session, "cell.i_inh")[1:] == pytest.approx(-0.2 * np.exp(-later / 10))


def test_adaptive_lif_slows_down(tmp_path: Path) -> None:
    session = run(
        tmp_path,
        """
        populations: {cell: {size: 1, neuron: adaptive_lif, params: {b: 0.05 nA}}}
        stimuli: {step: {series: {values: [0.5 nA], every: 1 ms, loop: true}, population: cell, input: i}}
        protocol: [run: 300 steps]
        """,
    )
    intervals = np.diff(session.spikes("cell")[0])
    assert intervals[-1] > 2 * intervals[0]


def test_izhikevich_regular_spiking_adapts_and_fast_spiking_does_not(tmp_path: Path) -> None:
    """The two kinds of cell of the 2003 paper, at its constant input of 10."""
    session = run(
        tmp_path,
        """
        populations:
          regular: {size: 1, neuron: izhikevich}
          fast: {size: 1, neuron: izhikevich, params: {a: 0.1, d: 2}}
        stimuli:
          a: {series: {values: [10], every: 1 ms, loop: true}, population: regular, input: i}
          b: {series: {values: [10], every: 1 ms, loop: true}, population: fast, input: i}
        protocol: [run: 500 steps]
        """,
    )
    regular, fast = (np.diff(session.spikes(name)[0]) for name in ("regular", "fast"))
    assert regular[-1] > 1.5 * regular[0]
    assert np.ptp(fast[5:]) <= 1
    assert len(fast) > 2 * len(regular)


def test_poisson_rate_is_exact_in_the_mean(tmp_path: Path) -> None:
    """20 Hz plus 30 Hz of input, 200 neurons, 2 s: 20,000 spikes with a deviation of 138; checked to five of them."""
    session = run(
        tmp_path,
        """
        populations: {cells: {size: 200, neuron: poisson, params: {rate: 20 Hz}}}
        stimuli: {more: {series: {values: [30 Hz], every: 1 ms, loop: true}, population: cells, input: rate_in}}
        protocol: [run: 2 s]
        """,
        chip="generic16",
    )
    assert abs(len(session.spikes("cells")[0]) - 20_000) < 5 * 138


def test_rate_source_passes_its_input_on(tmp_path: Path) -> None:
    session = run(
        tmp_path,
        """
        populations: {out: {size: 1, neuron: rate_source}}
        stimuli: {ramp: {series: {values: [0, 0.5, -1], every: 2 ms}, population: out, input: r_in}}
        protocol: [run: 8 steps]
        record: {states: {out.r: 1 step}}
        """,
    )
    assert series(session, "out.r").tolist() == [0, 0, 0.5, 0.5, -1, -1, 0, 0]


@pytest.mark.parametrize("isi_min", [50, 51])
def test_sampling_unit_keeps_its_shortest_interval(tmp_path: Path, isi_min: int) -> None:
    session = run(
        tmp_path,
        f"""
        populations:
          unit: {{size: 50, neuron: sampling_unit, params: {{isi_min: {isi_min} steps}}, init: {{b: 2}}}}
        protocol: [run: 2000 steps]
        """,
    )
    steps, neurons = session.spikes("unit")
    intervals = np.concatenate([np.diff(steps[neurons == k]) for k in range(50)])
    assert intervals.min() == isi_min


PAIR = """
    populations:
      a: {{size: 1, neuron: spike_source}}
      b: {{size: 1, neuron: spike_source}}
    projections:
      s: {{source: a, target: b, input: spike_in, synapse: quiet, connect: one_to_one, weight: 0.5}}
    stimuli:
      pre: {{spikes: {{times: [{pre} steps], neurons: [0]}}, population: a, input: spike_in}}
      post: {{spikes: {{times: [{post} steps], neurons: [0]}}, population: b, input: spike_in}}
    protocol: [run: 60 steps]
    synapses: {{quiet: {model}}}
"""


def change(folder: Path, name: str, pre: int, post: int) -> float:
    """What one pair of spikes does to a weight; the synapse is the shipped one, but sends nothing."""
    text = (files("neuroport.kernels") / "synapses" / f"{name}.yaml").read_text("utf-8")
    model = yaml.safe_load(text)["synapses"][name]
    model["on_pre"] = model["on_pre"].replace("send(target, w)", "send(target, 0)")
    session = run(folder, PAIR.format(pre=pre, post=post, model=json.dumps(model)))
    _, _, weights = session.weights("s")
    return float(weights[0]) - 0.5


def test_stdp_pair_window(tmp_path: Path) -> None:
    assert change(tmp_path, "stdp_pair", 10, 15) == pytest.approx(0.01 * np.exp(-5 / 20))
    assert change(tmp_path, "stdp_pair", 15, 10) == pytest.approx(-0.0105 * np.exp(-5 / 20))
    assert change(tmp_path, "stdp_pair", 10, 10) == pytest.approx(0.01 - 0.0105)


def test_sal_window_is_odd(tmp_path: Path) -> None:
    assert change(tmp_path, "sal", 10, 13) == pytest.approx(-0.001 * np.exp(-3 / 10))
    assert change(tmp_path, "sal", 13, 10) == pytest.approx(0.001 * np.exp(-3 / 10))
    assert change(tmp_path, "sal", 10, 10) == 0
