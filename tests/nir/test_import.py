"""Networks of NIR graphs: neurons, choices, delays, nested graphs and ends."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.network.values import ArrayValue
from tests.support import nir_graphs as graphs

nir = pytest.importorskip("nir", reason="graphs are made by the package nir")
TAU = np.full(2, 0.02)


def lif(size: int = 2, **more: Any) -> Any:
    given = {"tau": np.full(size, 0.02), "r": np.ones(size), "v_leak": np.zeros(size), "v_threshold": np.ones(size)}
    return nir.LIF(**{**given, **more})


def graph(edges: str, **nodes: Any) -> Any:
    """A graph between Input `in` and Output `out`, of two values each; edges as "in a, a out"."""
    ends = {"in": nir.Input(np.array([2])), "out": nir.Output(np.array([2]))}
    pairs = [pair.split() for pair in edges.split(", ")]
    return nir.NIRGraph(ends | nodes, [(a, b) for a, b in pairs], type_check=False)


def chain(*nodes: Any) -> Any:
    names = [f"n{k}" for k in range(len(nodes))]
    path = ["in", *names, "out"]
    edges = ", ".join(f"{a} {b}" for a, b in pairwise(path))
    return graph(edges, **dict(zip(names, nodes, strict=True)))


def params(made: Any, name: str) -> dict[str, Any]:
    found = {}
    for key, value in made.network.population(name).parameters:
        found[key] = value.values.array.tolist() if isinstance(value, ArrayValue) else value.number
    return found


def taken(made: Any) -> dict[str, tuple[str, bool]]:
    return {choice.name: (choice.value, choice.guessed) for choice in made.choices}


KINDS = {
    "I": (lambda: nir.I(np.array([3.0, 4.0])), "nir_i", {"r": [0.003, 0.004]}),
    "IF": (
        lambda: nir.IF(np.ones(2), np.ones(2), np.array([0.5, 0])),
        "nir_if",
        {"r": 0.001, "v_threshold": 1, "v_reset": [0.5, 0]},
    ),
    "LI": (
        lambda: nir.LI(TAU, np.full(2, 3.0), np.array([0, 0.25])),
        "nir_li",
        {"tau": 20, "r": 3, "v_leak": [0, 0.25]},
    ),
    "LIF": (lambda: lif(v_reset=np.full(2, -0.5)), "nir_lif", {"tau": 20, "v_threshold": 1, "v_reset": -0.5}),
    "CubaLI": (
        lambda: nir.CubaLI(TAU / 4, TAU, np.ones(2), np.zeros(2), np.full(2, 2.0)),
        "nir_cuba_li",
        {"tau_syn": 5, "tau_mem": 20, "w_in": 2},
    ),
    "CubaLIF": (
        lambda: nir.CubaLIF(TAU / 4, TAU, np.ones(2), np.zeros(2), np.full(2, 0.5)),
        "nir_cuba_lif",
        {"tau_syn": 5, "tau_mem": 20, "v_threshold": 0.5},
    ),
    "Threshold": (lambda: nir.Threshold(np.array([0.25, 2.0])), "nir_threshold", {"threshold": [0.25, 2]}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_neuron(kind: str) -> None:
    """With the parameters of the file, in ms, and without those that the model has anyway."""
    make, model, expected = KINDS[kind]
    made = neuroport.from_nir(chain(make()), dt="1 ms", time_unit="s")
    population = made.network.population("n0")
    assert (population.neuron.name, population.size) == (model, 2)
    found = params(made, "n0")
    found.pop("start", None)
    assert found == {key: pytest.approx(value) for key, value in expected.items()}
    spiking = population.neuron.spike is not None
    assert made.network.ports[-1].name == "out" and bool(made.network.record.spikes) == spiking
    with neuroport.open(made.network, "reference") as session:
        session.inject("in.x", None, 1.5)
        session.run(3)


def test_every_class_of_nir_is_known() -> None:
    from nir.ir import __all__ as names

    from neuroport.nir.kinds import ALL

    assert {name for name in names if name[0].isupper() and name != "NIRNode"} == set(ALL)


@pytest.mark.parametrize(
    ("node", "said", "unit", "dt"),
    [
        (lambda: lif(), {}, "s", "1 ms"),
        (lambda: lif(tau=TAU * 1000), {}, "ms", "1 ms"),
        (lambda: lif(tau=np.array([0.02, 0.0025])), {}, "s", "0.1 ms"),
        (lambda: lif(tau=TAU, r=TAU / 2e-3), {}, "s", "2 ms"),
        (lambda: lif(tau=TAU.astype(np.float32), r=(TAU / 5e-4).astype(np.float32)), {}, "s", "0.5 ms"),
        (lambda: lif(r=np.full(2, 24.019737)), {}, "s", "1 ms"),
        (lambda: nir.IF(np.ones(2), np.ones(2)), {}, "ms", "1 ms"),
        (lambda: nir.IF(np.ones(2), np.ones(2)), {"time_unit": "s"}, "s", "1 s"),
        (lambda: lif(), {"dt": "0.25 ms"}, "s", "0.25 ms"),
    ],
)
def test_the_step_and_the_unit_of_time(node: Any, said: dict[str, str], unit: str, dt: str) -> None:
    made = neuroport.from_nir(chain(node()), **said)
    assert taken(made)["time_unit"] == (unit, "time_unit" not in said)
    assert taken(made)["dt"] == (dt, "dt" not in said)


def test_a_step_is_not_guessed_of_gains_that_others_contradict() -> None:
    two = graph("in a, a b, b out", a=lif(r=np.full(2, 4.0)), b=lif())
    (choice,) = (choice for choice in neuroport.from_nir(two).choices if choice.name == "dt")
    assert choice.value == "1 ms" and choice.why == (
        "the power of ten below a tenth of the shortest time constant, 20 ms; neurons with gains above 1 would make it "
        "5 ms, and 'b' is not so"
    )


@pytest.mark.parametrize(("time", "text"), [(0.0004, "is shorter than half the step"), (0.0006, "beyond its end")])
def test_time_constants_shorter_than_a_step_are_told(time: float, text: str) -> None:
    """Of v and of the current; below half a step Euler's step diverges."""
    cubas = [nir.CubaLI(a, b, np.ones(2), np.zeros(2)) for a, b in ((TAU, TAU / 20), (TAU / 20, TAU))]
    for node, name in zip(cubas, ("tau_mem", "tau_syn"), strict=True):
        setattr(node, name, np.full(2, time))
        line = next(n for n in neuroport.from_nir(chain(node), dt="1 ms", time_unit="s").nodes if n.node == "n0")
        assert line.status == "changed" and name in line.text and text in line.text
        exact = neuroport.from_nir(chain(node), dt="1 ms", time_unit="s", integrate="exact")
        assert all(line.status == "ok" for line in exact.nodes)


def test_what_was_said_counts_before_the_file_and_both_before_a_guess() -> None:
    of_file = chain(lif())
    of_file.metadata = {"neuroport": {"dt": "0.5 ms", "reset": "subtract", "integrate": "exact"}}
    made = neuroport.from_nir(of_file, integrate="euler")
    assert taken(made)["dt"] == ("0.5 ms", False) and taken(made)["integrate"] == ("euler", False)
    assert taken(made)["input"] == ("values", True)
    assert params(made, "n0")["subtract"] == 1 and "exact" not in params(made, "n0")


def test_metadata_of_a_file(tmp_path: Path) -> None:
    of_file = chain(lif())
    of_file.metadata = {"neuroport": {"dt": "0.5 ms"}, "other": {"x": np.array([True])}}
    nir.write(tmp_path / "a.nir", of_file)
    assert taken(neuroport.from_nir(tmp_path / "a.nir"))["dt"] == ("0.5 ms", False)


def test_choices_are_parameters() -> None:
    cuba = nir.CubaLIF(TAU / 4, TAU, np.ones(2), np.zeros(2), np.ones(2), np.full(2, 0.5))
    made = neuroport.from_nir(chain(cuba), integrate="exact", current="updated", reset="subtract", input="spikes")
    assert {k: v for k, v in params(made, "n0").items() if k in ("exact", "updated", "subtract", "v_reset")} == {
        "exact": 1,
        "updated": 1,
        "subtract": 1,
    }
    assert made.network.population("in").neuron.name == "spike_source"
    line = next(line for line in made.nodes if line.node == "n0")
    assert line.status == "changed" and line.text.endswith("v_reset is not used, since the threshold is subtracted")


# -------------------------------------------------------------------------------------------------- delays and depth


def delays(made: Any) -> dict[str, float]:
    return {projection.name: projection.delay.number for projection in made.network.projections}


def test_a_shorter_way_waits_for_the_longer_one() -> None:
    """What of a step in NIR comes through one neuron, and what comes past it, arrives in one step."""
    skip = graph("in a, a b, in b, a c, b c, c out", a=lif(), b=lif(), c=lif())
    made = neuroport.from_nir(skip, dt="1 ms")
    expected = {"in_to_a": 1, "a_to_b": 1, "in_to_b": 2, "b_to_c": 1, "a_to_c": 2}
    assert delays(made) == expected and made.late == 3


def test_a_delay_adds_to_waiting() -> None:
    """What comes past a neuron waits as long as the way through it takes, and two steps more."""
    held = nir.Delay(np.full(2, 0.002))
    made = neuroport.from_nir(graph("in a, a b, in d, d b, b out", a=lif(), b=lif(), d=held), dt="1 ms")
    assert delays(made) == {"in_to_a": 1, "a_to_b": 1, "in_to_b": 4}


def test_delays_of_sources_differ() -> None:
    held = nir.Delay(np.array([0.001, 0.003]))
    made = neuroport.from_nir(graph("in d, d w, w a, a out", d=held, w=nir.Linear(np.ones((2, 2))), a=lif()), dt="1 ms")
    (projection,) = made.network.projections
    assert projection.delay.number == 1 and made.late == 0
    assert projection.dendritic.values.array.tolist() == [[0, 0], [2, 2]]


def test_delays_that_are_no_whole_steps_are_told() -> None:
    made = neuroport.from_nir(graph("in d, d a, a out", d=nir.Delay(np.full(2, 0.0023)), a=lif()), dt="1 ms")
    line = next(line for line in made.nodes if line.node == "d")
    assert line.status == "changed" and "rounded to whole steps, by 0.3 of a step at most" in line.text


@pytest.mark.parametrize("dt", ["1 ms", "1e-300 ms"])
def test_delays_of_more_steps_than_there_can_be(dt: str) -> None:
    held = nir.Delay(np.array([0, 1e30]))
    with pytest.raises(InvalidInput, match=r"it holds back (1e\+33|inf) steps, and 2,147,483,648 are the most"):
        neuroport.from_nir(graph("in d, d a, a out", d=held, a=lif()), dt=dt, time_unit="s")


def test_a_loop_with_enough_delay_is_exact() -> None:
    held = nir.Delay(np.full(2, 0.003))
    loop = graph("in a, a b, b d, d a, b out", a=lif(), b=lif(), d=held)
    made = neuroport.from_nir(loop, dt="1 ms")
    assert {p.name: p.delay.number for p in made.network.projections if p.source != "in"} == {"a_to_b": 1, "b_to_a": 2}


def test_a_loop_of_one_neuron_takes_a_step() -> None:
    made = neuroport.from_nir(graph("in a, a w, w a, a out", a=lif(), w=nir.Linear(np.eye(2))), dt="1 ms")
    assert delays(made) == {"in_to_a": 1, "w": 1}
    assert "its spikes reach it again one step later" in next(line for line in made.nodes if line.node == "a").text


@pytest.mark.parametrize("before", [True, False])
def test_unequal_delays_of_a_loop_are_each_a_step_or_more(before: bool) -> None:
    """One of 0 becomes 1, and is told; the others stay what they are."""
    nodes = {"a": lif(), "w": nir.Linear(np.ones((2, 2))), "d": nir.Delay(np.array([0, 0.003]))}
    loop = "a d, d w, w a" if before else "a w, w d, d a"
    made = neuroport.from_nir(graph(f"in a, {loop}, a out", **nodes), dt="1 ms")
    way = next(p for p in made.network.projections if p.source == p.target)
    more = np.array([[0, 0], [2, 2]])
    assert way.delay.number == 1 and np.array_equal(way.dendritic.values.array, more if before else more.T)
    told = "its spikes reach it again one step later, where no Delay holds them back, as NIR does not say when"
    assert told in next(line for line in made.nodes if line.node == "a").text


def test_unequal_delays_of_a_loop_of_each_neuron_with_itself() -> None:
    made = neuroport.from_nir(graph("in a, a d, d a, a out", a=lif(), d=nir.Delay(np.array([0, 0.003]))), dt="1 ms")
    way = next(p for p in made.network.projections if p.source == p.target)
    assert way.delay.number == 1 and way.dendritic.values.array.tolist() == [0, 2]


def test_layers_begin_when_their_input_comes() -> None:
    """Otherwise a bias would move deep layers some steps longer than NIR has it."""
    bias = nir.Affine(np.zeros((2, 2)), np.ones(2))
    made = neuroport.from_nir(graph("in a, a w, w b, b out", a=lif(), b=lif(), w=bias), dt="1 ms")
    assert params(made, "b")["start"] == 2
    with neuroport.open(made.network, "reference") as session:
        session.run(2)
        assert session.get("b.v").tolist() == [0, 0]
        session.run(1)
        assert session.get("b.v") == pytest.approx([0.05, 0.05])


def test_a_bias_through_a_delay_is_told() -> None:
    """Of a Delay that holds back something only."""
    for late, status in ((0.002, "changed"), (0, "ok")):
        nodes = {"w": nir.Affine(np.eye(2), np.ones(2)), "d": nir.Delay(np.full(2, late)), "a": lif()}
        made = neuroport.from_nir(graph("in w, w d, d a, a out", **nodes), dt="1 ms")
        line = next(line for line in made.nodes if line.node == "d")
        assert line.status == status and ("is not held back" in line.text) == (status == "changed")


def test_a_neuron_that_nothing_leads_to_is_told() -> None:
    alone = graph("in a, a out, b out", a=lif(), b=lif())
    texts = {line.node: line.text for line in neuroport.from_nir(alone).nodes}
    assert "no neuron or Input leads to it" in texts["b"] and "leads" not in texts["a"] + texts["out"]
    bare = nir.NIRGraph(
        {"in": nir.Input(np.array([2])), "a": lif(), "out": nir.Output(np.array([2]))}, [], type_check=False
    )
    texts = {line.node: line.text for line in neuroport.from_nir(bare).nodes}
    assert "no neuron or Input leads to it" in texts["out"]


def test_a_file_of_a_later_nir_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.nir"
    nir.write(path, chain(lif()))
    assert neuroport.from_nir(path).notes == ()
    with h5py.File(path, "r+") as file:
        del file["version"]
        file["version"] = "9.9"
    said = "the file is of NIR 9.9, and 1.0.8 is known here; what its nodes mean may have changed since"
    assert neuroport.from_nir(path).notes == (said,)


def test_metadata_that_cannot_be_name_the_file(tmp_path: Path) -> None:
    path, of_file = tmp_path / "a.nir", chain(lif())
    of_file.metadata = {"neuroport": {"dt": "3"}}
    nir.write(path, of_file)
    with pytest.raises(InvalidInput) as caught:
        neuroport.from_nir(path)
    assert str(caught.value).startswith(f"{path}: neuroport of the metadata: dt must be a time above 0")


# ------------------------------------------------------------------------------------------- names, nesting, and ends


def test_nested_graphs_are_joined() -> None:
    inner = nir.NIRGraph(
        {"in": nir.Input(np.array([2])), "lif": lif(), "rec": nir.Linear(np.eye(2)), "out": nir.Output(np.array([2]))},
        [("in", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "out")],
        type_check=False,
    )
    made = neuroport.from_nir(graph("in block, block last, last out", block=inner, last=lif()), dt="1 ms")
    assert [p.name for p in made.network.populations] == ["in", "block_lif", "last"]
    assert sorted(p.name for p in made.network.projections) == ["block_lif_to_last", "block_rec", "in_to_block_lif"]
    assert made.populations == {"in": "in", "block.lif": "block_lif", "last": "last"}


def test_names_that_a_network_cannot_have() -> None:
    odd = graph("in 0, 0 a-b, a-b a.b, a.b out", **{"0": lif(), "a-b": lif(), "a.b": lif()})
    made = neuroport.from_nir(odd)
    assert made.populations == {"in": "in", "0": "lif_0", "a-b": "a_b", "a.b": "a_b_2"}


def test_an_output_of_a_sum_is_a_population() -> None:
    made = neuroport.from_nir(chain(lif(), nir.Affine(np.array([[1.0, 2], [3, 4]]), np.array([0.5, 0]))))
    assert [(p.name, p.neuron.name) for p in made.network.populations][-1] == ("out", "nir_value")
    assert params(made, "out") == {"bias": [0.5, 0]}
    assert [port.name for port in made.network.ports] == ["to_in", "from_out"]


def test_weights_that_are_large_get_a_range() -> None:
    made = neuroport.from_nir(chain(nir.Linear(np.array([[1.0, -20], [3, 4]])), lif()))
    assert dict(made.network.projections[0].ranges) == {"w": (-32, 32)}


def test_a_node_between_nothing_is_left_out_and_told() -> None:
    made = neuroport.from_nir(graph("in a, a out, in w", a=lif(), w=nir.Linear(np.eye(2))))
    line = next(line for line in made.nodes if line.node == "w")
    assert (line.status, line.text) == ("changed", "left out: it is between no two neurons or ends")


# ------------------------------------------------------------------------------------------------------------ samples


def test_several_samples_are_shown_one_after_the_other(tmp_path: Path) -> None:
    """Each begins with neurons at rest, and has time to go through all layers."""
    x = np.random.default_rng(2).integers(0, 2, (3, 10, 6)).astype(float)
    made = neuroport.from_nir(graphs.braille(), samples=x, output=tmp_path / "n.yaml", backend="reference")
    with neuroport.open(made.network, "reference") as session:
        session.run_protocol()
        assert session.step == 3 * (10 + made.late)
    assert made.calibration is not None and not made.calibration.problems


def test_values_and_spikes_follow_from_samples(tmp_path: Path) -> None:
    for scale, expected in ((1.0, "spikes"), (0.5, "values")):
        x = scale * np.eye(2)
        made = neuroport.from_nir(
            chain(lif()), samples=x, output=tmp_path / "n.yaml", overwrite=True, backend="reference"
        )
        assert taken(made)["input"] == (expected, True)


def test_samples_of_several_inputs(tmp_path: Path) -> None:
    nodes = {
        "left": nir.Input(np.array([2])),
        "right": nir.Input(np.array([2])),
        "a": lif(),
        "out": nir.Output(np.array([2])),
    }
    two = nir.NIRGraph(nodes, [("left", "a"), ("right", "a"), ("a", "out")], type_check=False)
    np.savez(tmp_path / "x.npz", left=np.ones((4, 2)), right=np.zeros((4, 2)))
    made = neuroport.from_nir(two, samples=tmp_path / "x.npz", output=tmp_path / "n.yaml", backend="reference")
    assert {s.name: s.population for s in made.network.stimuli} == {"sample_left": "left", "sample_right": "right"}
    with pytest.raises(InvalidInput, match="there are no samples of Input 'right'; give them under that name"):
        neuroport.from_nir(two, samples={"left": np.ones((4, 2))}, output=tmp_path / "m.yaml")


def test_the_file_is_the_network(tmp_path: Path) -> None:
    """Large arrays are beside it, and it is what the calls say."""
    made = neuroport.from_nir(graphs.cnn(), output=tmp_path / "n.yaml")
    assert [path.name for path in made.files] == ["n.yaml", "n.h5"]
    inside = neuroport.from_nir(graphs.cnn()).network
    with neuroport.open(made.network, "reference") as one, neuroport.open(inside, "reference") as two:
        for session in (one, two):
            session.inject("input.x", None, 1.0)
            session.run(8)
        assert one.digest() == two.digest() and one.spike_counts()["if_1"] > 0
