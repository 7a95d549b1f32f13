"""Networks as graphs of NIR: what another tool computes with the nodes, what it does not see, and the way back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport import to_nir
from neuroport.errors import InvalidInput, Unsupported
from neuroport.network.model import Expression
from neuroport.network.network import Network
from neuroport.nir import carried as metadata
from neuroport.nir import export
from neuroport.nir.carried import carried, is_changed
from neuroport.nir.export import lost
from neuroport.nir.forms import FORMS, Given
from neuroport.nir.tree import OWN
from tests.oracles.nir_steps import Meaning, run

nir = pytest.importorskip("nir", reason="graphs of NIR need the package nir")
STEPS = 60
NOT_PLASTIC = (
    "balanced",
    "cartpole",
    "izhikevich",
    "loihi_chip",
    "loihi_lif",
    "published/adex",
    "published/brunel",
    "published/coba",
    "published/cuba",
    "published/hodgkin_huxley",
    "published/izhikevich",
    "published/potjans_diesmann",
    "yin_yang_loop",
)


def read(graph: Any, path: Path) -> Any:
    """The graph, written by nir to a file and read from it."""
    nir.write(path, graph)
    return nir.read(path)


def there_and_back(network: Network, folder: Path) -> Network | None:
    path = folder / "there.nir"
    return carried(read(to_nir(network, folder), path), path)


def neuroport_ran(net: neuroport.Network, names: list[str]) -> dict[str, Any]:
    """What spiked in each step and the voltages after it, of these populations: name -> (steps, size)."""
    with neuroport.open(net, "reference", chip="ideal") as session:
        session.run(STEPS)
        sizes = {p.name: p.size for p in session.program.populations}
        found: dict[str, Any] = {}
        for name in names:
            spikes = np.zeros((STEPS, sizes[name]))
            if session.program.population(name).spiking:
                spikes[session.spikes(name)] = 1
            found[name] = (spikes, session.records(f"{name}.v")[1])
    return found


def agree(net: neuroport.Network, depths: dict[str, int], meaning: Meaning, first: dict[str, Any], path: Path) -> None:
    """Whether populations so many steps behind the inputs do what the independent program does with the graph."""
    net.record(spikes=list(depths), states={f"{name}.v": "1 steps" for name in depths})
    network = net.build()
    graph = read(to_nir(network, path.parent), path)
    given = {s.name: np.zeros((STEPS, network.population(s.population).size)) for s in network.stimuli}
    for stimulus in network.stimuli:
        rows: Any = stimulus
        values = rows.values.values.array
        every = int(rows.every.number)
        given[stimulus.name] = np.repeat(values, every, axis=0)[:STEPS]
    inputs = {
        name: given[name] if name in given else next(given[s.name] for s in network.stimuli if s.population == name)
        for name, node in graph.nodes.items()
        if type(node).__name__ == "Input" and (name in given or any(s.population == name for s in network.stimuli))
    }
    there = run(graph, inputs, meaning, first)
    here = neuroport_ran(net, list(depths))
    assert any(spikes.sum() > 5 for spikes, _ in here.values())
    for name, depth in depths.items():
        spikes, v = here[name]
        if here[name][0].any() or not name.startswith("li"):
            assert np.array_equal(spikes[depth:], there.given[name][: STEPS - depth]), name
        assert np.allclose(v[depth:], there.v[name][: STEPS - depth], rtol=1e-12, atol=1e-12), name


def inputs_of(net: neuroport.Network, size: int, rng: np.random.Generator, scale: float = 1.0) -> None:
    """A source of random spikes, or of values."""
    if scale == 1.0:
        net.population("source", size, "spike_source")
        rows, to = rng.integers(0, 2, (STEPS, size)), "spike_in"
    else:
        net.population("source", size, "rate_source", ranges={"r": [-9, 9], "r_in": [-9, 9]})
        rows, to = np.round(scale * rng.normal(size=(STEPS, size)), 3), "r_in"
    net.stimulus("given", "source", series={"values": rows, "every": "1 steps"}, input=to)


@pytest.mark.parametrize("to", ["i", "jump", "both"])
def test_lif_is_a_lif_of_nir(to: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    net = neuroport.Network(dt="0.5 ms")
    inputs_of(net, 4, rng)
    taus = {"array": [8.0, 10.0, 20.0], "unit": "ms"}
    net.population("a", 3, "lif", tau_m=taus, r_m="50 MOhm", v_reset="-60 mV", t_ref="0 ms")
    net.population("b", 2, "lif", t_ref="0 ms")
    for k, name in enumerate(["i", "jump"] if to == "both" else [to]):
        weight = rng.uniform(0, 1, (4, 3)) * (1 if name == "i" else 6)
        net.project("source", "a", "static", input=name, connect="all_to_all", weight=weight, name=f"in_{k}")
    net.project("a", "b", "static", input="jump", connect="all_to_all", weight=9, delay="2 ms")
    net.project("b", "b", "static", input="jump", connect="all_to_all", weight=-2, delay="1.5 ms", name="back")
    agree(net, {"a": 1, "b": 2}, Meaning(0.5e-3, exact=True), {"a": -70, "b": -70}, tmp_path / "x.nir")


@pytest.mark.parametrize("used", [("exc",), ("inh",), ("exc", "inh"), ("exc", "i"), ("exc", "inh", "i")])
def test_cuba_lif_is_a_cubalif_or_integrators_before_a_lif(used: tuple[str, ...], tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    net = neuroport.Network(dt="1 ms")
    inputs_of(net, 5, rng)
    net.population("a", 3, "cuba_lif", v_rest="-70 mV", t_ref="0 ms", init={"v": "-70 mV"})
    for name in used:
        weight = rng.uniform(0, 0.2, (5, 3)) * (-0.2 if name == "inh" and len(used) > 1 else 1)
        net.project("source", "a", "static", input=name, connect="all_to_all", weight=weight, name=name)
    graph = to_nir(net)
    assert type(graph.nodes["a"]).__name__ == ("CubaLIF" if len(used) == 1 else "LIF")
    agree(net, {"a": 1}, Meaning(1e-3, exact=True, updated=True), {"a": -70}, tmp_path / "x.nir")


@pytest.mark.parametrize("options", range(8))
def test_the_cells_of_nir_are_what_they_are_in_nir(options: int, tmp_path: Path) -> None:
    exact, updated, subtract = bool(options & 1), bool(options & 2), bool(options & 4)
    flags = {"exact": int(exact), "updated": int(updated), "subtract": int(subtract)}
    rng = np.random.default_rng(options)
    net = neuroport.Network(dt="1 ms")
    inputs_of(net, 4, rng, 2.0)
    models = [
        ("lif", "nir_lif"),
        ("li", "nir_li"),
        ("cuba", "nir_cuba_lif"),
        ("li_cuba", "nir_cuba_li"),
        ("thresholds", "nir_threshold"),
        ("fire", "nir_if"),
        ("li_i", "nir_i"),
    ]
    before, sends = "source", "r"
    for depth, (name, model) in enumerate(models, start=1):
        has = {parameter.name for parameter in neuroport.models[model].parameters}  # type: ignore[union-attr]
        given: dict[str, Any] = {flag: value for flag, value in flags.items() if flag in has}
        given |= {"bias": np.round(rng.uniform(0, 0.3, 3), 3), "start": f"{depth} steps"} if "start" in has else {}
        given |= {"v_threshold": [0.3, 0.4, 0.5], "v_reset": [0.1, -0.1, 0.0]} if "v_threshold" in has else {}
        given |= {"r": "0.2 kHz"} if model in ("nir_i", "nir_if") else {}
        net.population(name, 3, model, **given)
        size = 4 if before == "source" else 3
        synapse = "static" if sends == "" else "graded" if sends == "r" else "nir_graded"
        matrix = rng.uniform(0, 1.5, (size, 3))
        net.project(before, name, synapse, input="x", connect="all_to_all", weight=matrix, name=f"to_{name}")
        before, sends = name, "v" if name.startswith("li") and name != "lif" else ""
    recorded = {name: k for k, (name, _) in enumerate(models, start=1) if name != "thresholds"}
    agree(net, recorded, Meaning(1e-3, exact, updated, subtract), {}, tmp_path / "x.nir")


def test_loops_of_populations_take_as_long_as_here(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    net = neuroport.Network(dt="1 ms")
    inputs_of(net, 4, rng)
    for name in "abc":
        net.population(name, 3, "nir_lif", tau="3 ms")
    ways = [("source", "a", 1), ("a", "b", 2), ("b", "a", 1), ("b", "c", 3), ("c", "c", 1), ("b", "b", 4)]
    for source, target, delay in ways:
        weight = rng.uniform(-1.5 if source == target else 0.5, 2.5, (4 if source == "source" else 3, 3))
        net.project(source, target, "static", connect="all_to_all", weight=weight, delay=f"{delay} steps")
    graph = to_nir(net)
    later = {name: round(float(n.delay[0]), 9) for name, n in graph.nodes.items() if type(n).__name__ == "Delay"}
    assert later == {"a_b.delay": 0.002, "b_a.delay": 0.001, "b_b.delay": 0.004, "b_c.delay": 0.002}
    agree(net, {"a": 1, "b": 1, "c": 2}, Meaning(1e-3), {}, tmp_path / "x.nir")


def test_delays_of_synapses_are_a_matrix_each(tmp_path: Path) -> None:
    net = neuroport.Network(dt="1 ms")
    inputs_of(net, 3, np.random.default_rng(1))
    net.population("a", 2, "nir_lif")
    later = {"array": [[0, 1], [0, 1], [4, 0]], "unit": "steps"}
    net.project("source", "a", "static", input="x", connect="all_to_all", weight=2, dendritic_delay=later, name="p")
    graph = to_nir(net)
    assert sorted(graph.nodes) == sorted(["source", "a", "a.out", "p.1", "p.2", "p.2.delay", "p.5", "p.5.delay"])
    assert graph.nodes["p.5.delay"].delay.tolist() == [0.004] * 3
    agree(net, {"a": 1}, Meaning(1e-3), {}, tmp_path / "x.nir")


def test_a_stimulus_of_cells_is_an_input(tmp_path: Path) -> None:
    net = neuroport.Network(dt="1 ms")
    net.population("a", 2, "lif", t_ref="0 ms")
    rows = np.random.default_rng(2).uniform(0, 6, (STEPS, 2))
    net.stimulus("ramp", "a", series={"values": {"array": rows, "unit": "mV"}, "every": "1 steps"}, input="jump")
    graph = to_nir(net)
    assert ("ramp", "ramp.scale") in graph.edges
    assert "stimulus 'ramp' is no part of NIR: give its values to the input 'ramp'" in lost(graph)
    agree(net, {"a": 0}, Meaning(1e-3, exact=True), {"a": -70}, tmp_path / "x.nir")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n == "published/cuba")) for n in neuroport.networks]
)
def test_a_shipped_network_comes_back_equal(name: str, tmp_path: Path) -> None:
    network = neuroport.networks[name]
    assert there_and_back(network, tmp_path) == network


def test_the_networks_that_do_not_learn_are_among_them() -> None:
    assert set(NOT_PLASTIC) <= set(neuroport.networks)


@pytest.mark.parametrize("name", ["loihi_lif", "cartpole", "yin_yang_loop", "published/adex"])
def test_what_comes_back_runs_to_the_same_digest(name: str, tmp_path: Path) -> None:
    network = neuroport.networks[name]
    back = there_and_back(network, tmp_path)
    assert back is not None
    digests = [neuroport.run(one, backend="reference", duration="20 steps").digest for one in (network, back)]
    assert digests[0] == digests[1]


def test_large_arrays_and_paths_come_back(tmp_path: Path) -> None:
    net = neuroport.Network(dt="1 ms", folder=tmp_path / "here")
    (tmp_path / "here").mkdir()
    np.save(tmp_path / "here" / "rates.npy", np.arange(3.0))
    net.population("a", 3, "poisson", rate={"file": "rates.npy", "unit": "Hz"})
    net.population("b", 150, "nir_lif")
    net.project("b", "b", "static", connect="all_to_all", weight=np.random.default_rng(1).normal(size=(150, 150)))
    network = net.build()
    (tmp_path / "there").mkdir()
    path = tmp_path / "there" / "x.nir"
    graph = read(to_nir(network, path.parent), path)
    assert len(graph.metadata[OWN]["arrays"]) == 1
    assert "'rates.npy' is read by the network, and is not part of the graph's file" in lost(graph)
    back = carried(graph, path)
    assert back is not None
    programs = [neuroport.compile(one) for one in (network, back)]
    assert np.array_equal(*(program.arrays["a.rate"].initial for program in programs))
    assert np.array_equal(*(program.arrays["b_b.w"].initial for program in programs))


def test_a_graph_that_somebody_changed_is_not_the_network_any_more(tmp_path: Path) -> None:
    net = neuroport.Network(dt="1 ms")
    net.population("a", 2, "nir_lif")
    net.project("a", "a", "static", connect="all_to_all")
    path = tmp_path / "x.nir"
    graph = read(to_nir(net), path)
    assert not is_changed(graph)
    graph.nodes["a_a"].weight[0, 1] = 0.25
    assert is_changed(graph)
    assert carried(read(graph, path), path) is None
    assert carried(nir.NIRGraph.from_list(nir.LIF(*np.ones((4, 2)))), path) is None


def test_a_damaged_text_is_a_sentence(tmp_path: Path) -> None:
    net = neuroport.Network(dt="1 ms")
    net.population("a", 2, "nir_lif")
    graph = to_nir(net)
    graph.metadata[OWN]["network"] = "neuroport: 1\nname: 3"
    with pytest.raises(InvalidInput, match=r"x\.nir"):
        carried(graph, tmp_path / "x.nir")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("arrays", None),
        ("arrays", {"0": {"name": "projections/b_b/weight"}}),
        ("arrays", {"0": {"name": 3, "values": np.ones(3)}, "1": np.ones(3)}),
        ("arrays", {"0": {"name": "projections/b_b/weight", "values": np.ones((150, 150))}}),
        ("graph", np.ones(3)),
        ("network", np.ones(3)),
    ],
)
def test_damaged_metadata_are_a_sentence_or_nothing(key: str, value: Any, tmp_path: Path) -> None:
    net = neuroport.Network(dt="1 ms")
    net.population("b", 150, "nir_lif")
    net.project("b", "b", "static", connect="all_to_all", weight=np.random.default_rng(1).normal(size=(150, 150)))
    graph = to_nir(net)
    graph.metadata[OWN][key] = value
    if key == "arrays":
        with pytest.raises(InvalidInput, match=r"x\.nir:.* of the network (is missing|is not what it was)"):
            carried(graph, tmp_path / "x.nir")
    else:
        assert carried(graph, tmp_path / "x.nir") is None


def test_what_another_tool_does_not_see_is_told() -> None:
    net = neuroport.Network(dt="1 ms", chip="generic16", name="all")
    net.population("noise", 3, "poisson")
    net.population("own", 2, "izhikevich")
    net.population("cells", 2, "lif", init={"v": "-60 mV"}, t_ref="2 ms")
    net.population("soft", 2, "nir_if", subtract=1, start="2 steps")
    net.project("noise", "cells", "stdp_pair", input="jump", connect="all_to_all", name="learns")
    net.project("cells", "own", "static", input="i", connect="all_to_all", name="away")
    net.project("own", "soft", "static", input="x", connect="all_to_all", name="from_own")
    net.project("cells", "soft", "graded_v", input="x", connect="all_to_all", name="odd")
    net.synapse("graded_v", state={"w": {"weight": True, "init": 1}}, step="send(target, w * pre.v)")
    net.protocol({"run": "1 s"})
    graph = to_nir(net)
    assert graph.metadata[OWN]["dt"] == "1 ms"
    assert lost(graph) == (
        "population 'noise' is of the model 'poisson', which NIR has no form of",
        "population 'own' is of the model 'izhikevich', which NIR has no form of",
        "population 'cells' spikes where v is at its threshold, and in NIR only above it",
        "population 'cells' is refractory for 2 ms, which NIR has no word for: another tool lets it spike again at "
        "once",
        "population 'cells' gets jumps of its voltage, written as currents that last a step of 1 ms",
        "population 'cells' begins with values of its own (v), and NIR has none",
        "population 'soft' is reset by its threshold, which NIR has no word for: another tool resets it to v_reset",
        "population 'soft' begins in step 2, and in another tool in the first",
        "projection 'learns' changes what it has by 'stdp_pair', and NIR has no rules of learning: another tool has "
        "the weights of its beginning",
        "projection 'away' leads to 'own', which is not in NIR, and is cut",
        "projection 'odd' sends what NIR has no form of ('graded_v'): another tool has an input 'odd' instead of it",
        "in the metadata alone: dt, seed, chip, protocol",
    )
    kinds = {name: type(node).__name__ for name, node in graph.nodes.items()}
    assert kinds == {
        "cells": "LIF",
        "soft": "IF",
        "noise": "Input",
        "own": "Input",
        "odd": "Input",
        "learns": "Linear",
        "from_own": "Linear",
        "cells.out": "Output",
        "soft.out": "Output",
    }


def test_another_model_of_the_name_is_not_that_of_the_library() -> None:
    net = neuroport.Network(dt="1 ms")
    net.population("a", 2, "lif")
    [cells] = net.build().populations
    of_old = replace(cells, neuron=replace(cells.neuron, spike=Expression("v > v_th")))
    told = lost(to_nir(replace(net.build(), populations=(of_old,))))
    assert told[0] == "population 'a' is of the model 'lif', which NIR has no form of"


def test_a_matrix_that_would_be_too_large_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST", 5)
    net = neuroport.Network(dt="1 ms")
    net.population("a", 3, "nir_lif")
    net.population("b", 2, "nir_lif")
    net.project("a", "b", "static", connect="all_to_all", name="p")
    graph = to_nir(net)
    assert lost(graph)[0] == (
        "projection 'p' would be a matrix of 2 x 3 numbers, since NIR has none that are sparse: another tool has an "
        "input 'p' instead of it"
    )
    assert ("p", "b") in graph.edges


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(Unsupported, match=r"pip install 'neuroport\[nir\]'"):
        to_nir(neuroport.load("loihi_lif"))


@pytest.mark.parametrize("name", FORMS)
def test_every_input_of_a_model_leads_somewhere(name: str) -> None:
    model: Any = neuroport.models[name]
    inputs = frozenset(one.name for one in model.inputs)
    values = {parameter.name: np.ones(2) for parameter in model.parameters}
    form = FORMS[name](Given(values, 2, 1.0, inputs))
    assert set(form.inputs) == inputs
    assert {part for part, _ in form.inputs.values()} <= set(form.nodes)
    assert metadata.OWN == "neuroport"
