"""What network files mean: YAML 1.2 scalars, values, defaults, models by name and by file, changes by --set."""

from __future__ import annotations

import time
from pathlib import Path

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput, Place
from neuroport.files import library
from neuroport.files import network as reader
from neuroport.metrics.elements import Sd
from neuroport.metrics.rows import SquaredError
from neuroport.metrics.updates import UpdateAngle
from neuroport.metrics.weights import Angle
from neuroport.network.objects import Population
from neuroport.network.protocol import Action, Anneal, Capture, If, Present, Repeat, Reset, Run, Set, Trigger, walk
from neuroport.network.results import Samples
from neuroport.network.stimuli import Patterns
from neuroport.network.values import ArrayValue, DataValue, Distribution, FileValue, Frozen, TargetValue
from neuroport.numerics.units import Quantity
from neuroport.stimuli.series import TimeSeries
from neuroport.stimuli.spikes import SpikeList
from neuroport.yaml import nodes
from tests.support.checkout import NETWORKS

EVERYTHING = NETWORKS / "everything.yaml"
SMALL = """\
neuroport: 1
name: small
dt: 1 ms
neurons:
  n: {params: {k: {default: 1}}, inputs: {u: {}}, state: {x: {init: 0, range: [-9, 9]}}, spike: x > k}
synapses:
  s: {state: {w: {weight: true, init: 1}}}
populations:
  a: {size: 3, neuron: n}
projections:
  p: {source: a, target: a, synapse: s, connect: all_to_all}
"""


def test_every_part_of_the_format_is_read() -> None:
    network = reader.load(EVERYTHING)
    assert (network.name, network.title, network.dt, network.seed) == (
        "everything",
        "Every part: once",
        Quantity(0.1, "ms"),
        7,
    )
    units_ = network.population("units")
    assert units_.parameters == (("tau", Quantity(2, "ms")), ("w_max", Quantity(1e-5)))
    assert units_.initial == (("b", ArrayValue(Frozen(np.array([0.5, -1, 1e-3])))),)
    assert units_.ranges == (("b", (-1.0, 1.0)),)
    recurrent = network.projection("recurrent")
    assert recurrent.weight == TargetValue("goal", "c")
    assert recurrent.dendritic == Distribution(
        "uniform", (("low", Quantity(0, "steps")), ("high", Quantity(5, "steps")))
    )
    assert not recurrent.connect.self_connections
    assert network.projection("listed").connect.pairs == Frozen(np.array([[0, 3], [2, 1]]))
    assert network.projection("listed").delay == Quantity(0.3, "ms")
    assert network.projection("same").delay == Quantity(1, "step")
    drive, _, digits, wanted, film, points, noise = network.stimuli
    assert isinstance(drive, SpikeList) and drive.times == ArrayValue(Frozen(np.array([11, 13])), "steps")
    assert isinstance(digits, Patterns) and digits.order == "shuffle"
    assert digits.labels == ArrayValue(Frozen(np.array([2, 0])))
    assert isinstance(wanted, Patterns) and (wanted.beside, wanted.hold) == ("digits", None)
    assert wanted.values == Quantity(0, "nA")
    assert isinstance(film, Patterns) and film.frames == 2
    assert isinstance(points, Patterns) and points.values == DataValue(
        "yin_yang", "train", "inputs", (("size", 8), ("seed", 3)), 0.5, -0.25
    )
    assert isinstance(noise, TimeSeries) and isinstance(noise.start, Distribution)
    assert network.samples == (
        Samples(
            name="answer",
            of="units.b",
            every=Quantity(2, "ms"),
            start=Quantity(2, "ms"),
            stop=Quantity(10, "ms"),
            reduce="sum",
        ),
        Samples(name="last", of="units.v", every=Quantity(1, "step"), start=Quantity(0, "step"), reduce="last"),
        Samples(name="sent", of="units.v", every=Quantity(1, "step"), start=Quantity(0, "step"), reduce="last"),
        Samples(name="others_x", of="others.x", every=Quantity(1, "step"), start=Quantity(0, "step"), reduce="last"),
    )
    metrics = {m.name: m for m in network.metrics}
    assert metrics["error"] == SquaredError(name="error", of="answer", target="wanted")
    assert metrics["acting"] == Angle(name="acting", of="recurrent.w", to="same.w", effective=True)
    assert metrics["turned"] == UpdateAngle(
        name="turned",
        of="forward.w, degree.w",
        weights=("forward.w", "degree.w"),
        states=("sent", "others_x"),
        slopes=("softplus",),
        error="sent",
        too_much=True,
        update="n",
        effective=True,
    )
    assert metrics["level"] == Sd(name="level", of="last")
    assert network.protocol[-4:] == (
        Capture(rows=(("wanted", "last"),)),
        Set(values=(("*.gain", Quantity(0.5)),)),
        Anneal(parameters=("un*.gain", "recurrent.amplitude"), by=0.5, when="error", patience=2),
        Reset(populations=("units",), keep_learned=True),
    )
    assert network.record.spikes == ("units",)
    repeat = network.protocol[0]
    assert isinstance(repeat, Repeat) and repeat.variable == "epoch"
    choice = repeat.do[0]
    assert isinstance(choice, If) and choice.otherwise == (Run(duration=Quantity(5, "ms")),)
    inner = repeat.do[-1]
    assert isinstance(inner, Repeat) and inner.do[-1] == Present(
        patterns="digits",
        count=1,
        goes_on=True,
        readouts=("answer",),
        each=(
            Action(
                at=Quantity(0, "steps"), do=Set(values=(("units.gain", Quantity(1)), ("*.amplitude", Quantity(0.01))))
            ),
            Action(at=Quantity(2.5, "ms"), do=Trigger(event="epoch_end")),
            Action(at=None, do=Set(values=(("units.gain", Quantity(2)),))),
            Action(at=None, do=Reset(populations=("others",))),
            Action(at=Quantity(10, "ms"), do=Reset(populations=("units",), keep_learned=True)),
        ),
    )
    assert len(list(walk(network.protocol))) == 17 + 6


def test_ranges_may_be_those_of_inputs() -> None:
    text = SMALL.replace("size: 3, neuron: n", "size: 3, neuron: n, ranges: {u: [-0.5, 2]}")
    program = neuroport.compile(reader.loads(text, "x"))
    assert program.arrays["a.u"].range == (-0.5, 2.0)


def test_objects_know_where_they_stand() -> None:
    network = reader.loads(SMALL, "small.yaml")
    assert network.population("a").place == Place("small.yaml", 9, 3)
    assert network.population("a").neuron.place == Place("small.yaml", 5, 3)
    spike = network.population("a").neuron.spike
    assert spike is not None and spike.place == Place("small.yaml", 5, 97)


def test_positional_and_named_distributions_are_equal() -> None:
    texts = ["{normal: [0, 0.5]}", "{normal: {sd: 0.5, mean: 0}}"]
    read = [
        reader.loads(SMALL + f"  q: {{source: a, target: a, synapse: s, connect: all_to_all, weight: {t}}}\n", "x")
        for t in texts
    ]
    assert read[0] == read[1]


def test_a_billion_neurons_load_at_once() -> None:
    start = time.perf_counter()
    network = reader.loads(SMALL.replace("size: 3", "size: 1000000000"), "x")
    assert network.population("a").size == 10**9
    assert time.perf_counter() - start < 1


def test_a_hundred_thousand_numbers_are_read_quickly() -> None:
    numbers = ", ".join(["0.125"] * 100_000)
    start = time.perf_counter()
    network = reader.loads(
        SMALL.replace("size: 3, neuron: n", f"size: 100000, neuron: n, init: {{x: [{numbers}]}}"), "x"
    )
    assert time.perf_counter() - start < 15
    assert np.asarray(dict(network.population("a").initial)["x"].values.array).sum() == 12500  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-5", 1e-5),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-7", -7),
        ("017", 17),
        ("true", True),
        ("false", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("True", "True"),
        ("null", None),
        ("~", None),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2001-01-01", "2001-01-01"),
        ("0x10", "0x10"),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    node = nodes.parse(f"[{text}]", "x")
    assert isinstance(node, nodes.ListNode)
    scalar = node.items[0]
    assert isinstance(scalar, nodes.ScalarNode)
    assert scalar.value == value and type(scalar.value) is type(value)


def test_keys_that_yaml_1_1_takes_for_booleans_are_names() -> None:
    root = nodes.parse("{on: 1, yes: 2, n: 3}", "x")
    assert isinstance(root, nodes.MapNode)
    assert list(root.entries) == ["on", "yes", "n"]


def test_a_block_text_points_at_its_first_line() -> None:
    root = nodes.parse("a:\n  b: |  # comment\n\n      x = 1\n", "x")
    assert isinstance(root, nodes.MapNode)
    inner = root.get("a")
    assert isinstance(inner, nodes.MapNode)
    scalar = inner.get("b")
    assert isinstance(scalar, nodes.ScalarNode)
    assert scalar.text_place == Place("x", 4, 7)


def test_aliases_stand_for_what_they_name() -> None:
    text = SMALL.replace("a: {size: 3, neuron: n}", "a: &one {size: 3, neuron: n}\n  b: *one")
    network = reader.loads(text, "x")
    assert network.population("b").size == 3


def test_a_change_does_not_reach_through_an_alias() -> None:
    text = SMALL.replace("a: {size: 3, neuron: n}", "a: &one {size: 3, neuron: n}\n  b: *one")
    network = reader.loads(text, "x", sets=["b.size=5"])
    assert [item.size for item in network.populations] == [3, 5]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("seed=3", lambda n: n.seed == 3),
        ("a.size=20", lambda n: n.population("a").size == 20),
        ("a.k=2.5", lambda n: n.population("a").parameters == (("k", Quantity(2.5)),)),
        ("a.init.x=4", lambda n: n.population("a").initial == (("x", Quantity(4)),)),
        ("a.ranges.x=[-1, 1]", lambda n: n.population("a").ranges == (("x", (-1.0, 1.0)),)),
        ("p.delay=2 steps", lambda n: n.projection("p").delay == Quantity(2, "steps")),
        ("p.weight=0.5", lambda n: n.projection("p").weight == Quantity(0.5)),
        ("p.connect={fixed_in_degree: 2}", lambda n: n.projection("p").connect.degree == 2),
        ("record.spikes=all", lambda n: n.record.spikes == ("a",)),
        ("record.states.a.x=2 steps", lambda n: n.record.states[0].of == "a.x"),
        ("populations.a.size=4", lambda n: n.population("a").size == 4),
    ],
)
def test_changes_reach_what_they_name(change: str, check: object) -> None:
    assert callable(check)
    assert check(reader.loads(SMALL, "x", sets=[change]))


def test_changes_inside_the_protocol_and_stimuli() -> None:
    sets = ["protocol.0.repeat=3", "drive.times=[4 steps, 5 steps]", "ramp.loop=false", "dkl.floor=1"]
    network = reader.load(EVERYTHING, sets)
    repeat = network.protocol[0]
    assert isinstance(repeat, Repeat) and repeat.count == 3
    assert network.stimuli[0].times == ArrayValue(Frozen(np.array([4, 5])), "steps")  # type: ignore[union-attr]
    assert network.stimuli[1].loop is False  # type: ignore[union-attr]
    assert network.metrics[0].written()["floor"] == 1.0


def test_models_of_a_file_beside_the_network(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("neurons:\n  mine: {inputs: {u: {}}, state: {x: {init: 0}}}\n")
    text = SMALL.replace("neurons:", "models: [mine.yaml]\nneurons:").replace("neuron: n}", "neuron: mine}")
    (tmp_path / "net.yaml").write_text(text)
    network = reader.load(tmp_path / "net.yaml")
    assert network.population("a").neuron.name == "mine"
    assert network.population("a").neuron.place == Place(str(tmp_path / "mine.yaml"), 2, 3)


def test_a_mistake_in_a_model_file_points_there(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("neurons:\n  mine:\n    state: {x: {init: 0}}\n    update: |\n      x = z\n")
    (tmp_path / "net.yaml").write_text(SMALL.replace("neurons:", "models: [mine.yaml]\nneurons:"))
    with pytest.raises(InvalidInput) as caught:
        reader.load(tmp_path / "net.yaml")
    assert [problem.place for problem in caught.value.problems] == [Place(str(tmp_path / "mine.yaml"), 5, 11)]


def test_large_arrays_may_lie_in_hdf5(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["w"] = np.arange(9.0).reshape(3, 3)
    text = SMALL + "  q: {source: a, target: a, synapse: s, connect: all_to_all, weight: {file: w.h5, dataset: /w}}\n"
    text += "  r: {source: a, target: a, synapse: s, connect: all_to_all, weight: {array: {file: w.h5, dataset: /w}}}\n"
    (tmp_path / "net.yaml").write_text(text)
    network = reader.load(tmp_path / "net.yaml")
    assert network.projection("q").weight == FileValue("w.h5", "/w")
    assert network.projection("r").weight == ArrayValue(Frozen(np.arange(9.0).reshape(3, 3)))


def test_the_library_lists_and_reads_its_models() -> None:
    names = library.names()
    assert ("sampling_unit", "neuron") in {(name, kind) for name, kind, _ in names}
    assert all(title for _, _, title in names)
    for name, kind, _ in names:
        model = library.neuron(name) if kind == "neuron" else library.synapse(name)
        assert model.name == name
        assert model.place is not None and model.place.file.startswith("kernels/")


def test_the_only_input_need_not_be_named() -> None:
    network = reader.loads(SMALL, "x")
    assert network.projection("p").input == "u"
    assert isinstance(network.populations[0], Population)
