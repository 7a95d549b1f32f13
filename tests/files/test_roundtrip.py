"""Loading, writing and loading again gives an equal network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neuroport
from neuroport import connections
from neuroport.connections.all_to_all import AllToAll
from neuroport.connections.all_to_all_but_same import AllToAllButSame
from neuroport.connections.convolution import Convolution
from neuroport.connections.distance_dependent import DistanceDependent
from neuroport.connections.fixed_in_degree import FixedInDegree
from neuroport.connections.fixed_out_degree import FixedOutDegree
from neuroport.connections.fixed_probability import FixedProbability
from neuroport.connections.listed import Listed
from neuroport.connections.one_to_one import OneToOne
from neuroport.connections.windows import Windows
from neuroport.errors import InvalidInput
from neuroport.files import apart, writer
from neuroport.files import network as reader
from neuroport.metrics.divergence import Divergence
from neuroport.metrics.elements import Mean
from neuroport.metrics.rows import SquaredError
from neuroport.metrics.weights import Distance
from neuroport.network.model import Block, Expression, Input, NeuronModel, Parameter, SpikeTrace, State, SynapseModel
from neuroport.network.network import Network
from neuroport.network.objects import Connect, Population, Projection
from neuroport.network.protocol import Anneal, Capture, If, Item, Measure, Present, Repeat, Reset, Run, Set, Trigger
from neuroport.network.results import Recording, Samples, StateHistogram, StateRecord
from neuroport.network.stimuli import Boltzmann, Patterns
from neuroport.network.values import ArrayValue, DataValue, Distribution, Frozen, Value
from neuroport.numerics.units import Quantity
from neuroport.stimuli.series import TimeSeries
from neuroport.stimuli.spikes import SpikeList
from tests.support.checkout import NETWORKS, ROOT

FILES = sorted([*(ROOT / "networks").glob("*.yaml"), *NETWORKS.glob("*.yaml")])

floats = st.floats(-1e6, 1e6, allow_nan=False)
numbers = floats | st.integers(-(10**6), 10**6)
units = st.sampled_from(["", "mV", "nA", "1/ms", "nS"])
texts = st.text(max_size=20).map(str.rstrip)
blocks = st.sampled_from(["", "x = x + 1", "x = 0\nif x > 3:\n    x = 1\n\nelse:\n  x = 2", "y = 3 # note: 'a'\nx = y"])


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_files_in_the_repository_come_back(path: Path, tmp_path: Path) -> None:
    network = reader.load(path)
    writer.write(network, tmp_path / "again.yaml")
    again = reader.load(tmp_path / "again.yaml")
    assert again == network
    assert reader.loads(writer.to_yaml(network), "text", str(path.parent)) == network
    assert writer.to_yaml(again) == writer.to_yaml(network)


def test_what_is_written_is_readable() -> None:
    text = writer.to_yaml(reader.load(NETWORKS / "everything.yaml"))
    assert "      x = min(x + 1, 127)\n      v = v * decay + gain * u_in\n" in text
    assert "  units:\n    size: 3\n    neuron: unit\n    params: {tau: 2 ms, w_max: 1.0e-05}\n" in text
    assert "      - if: epoch % 2 == 0 and not epoch > 5\n" in text
    assert max(len(line) for line in text.split("\n")) < 130


def test_large_arrays_go_beside_the_file(tmp_path: Path) -> None:
    network = reader.load(NETWORKS / "everything.yaml")
    first, *others = network.populations
    values = ArrayValue(Frozen(np.linspace(-1, 1, 100) / 3), "mV")
    network = replace(
        network,
        populations=(replace(first, size=3), *others, replace(first, name="big", size=100, initial=(("v", values),))),
    )
    writer.write(network, tmp_path / "big.yaml")
    text = (tmp_path / "big.yaml").read_text()
    assert "init: {v: {array: {file: big.h5, dataset: /populations/big/init/v}, unit: mV}}" in text
    with h5py.File(tmp_path / "big.h5") as file:
        assert file["populations/big/init/v"].shape == (100,)
    assert reader.load(tmp_path / "big.yaml") == network


def test_relative_paths_follow_the_new_folder(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "pairs.h5", "w") as file:
        file["pairs"] = np.array([[0, 1]])
    text = (
        "neuroport: 1\nname: n\ndt: 1 ms\npopulations:\n  a: {size: 2, neuron: sampling_unit}\nprojections:\n"
        "  p: {source: a, target: a, synapse: static, connect: {file: pairs.h5, dataset: /pairs}, weight: 1}\n"
    )
    network = reader.loads(text, "net.yaml", str(tmp_path))
    (tmp_path / "sub").mkdir()
    writer.write(network, tmp_path / "sub" / "net.yaml")
    assert reader.load(tmp_path / "sub" / "net.yaml").projection("p").connect.file == "../pairs.h5"


def test_two_models_of_one_name_cannot_be_written() -> None:
    network = reader.load(NETWORKS / "everything.yaml")
    first, second, *_ = network.populations
    other = replace(second, neuron=replace(second.neuron, title="another"))
    with pytest.raises(InvalidInput, match="two neuron models have the name 'unit'; rename one of them"):
        writer.to_yaml(replace(network, populations=(first, other), projections=()))


@st.composite
def values(draw: st.DrawFn, unit: str, shapes: list[tuple[int, ...]]) -> Value:
    """A value of a parameter without a range."""
    kind = draw(st.sampled_from(["number", "normal", "truncated", "lognormal", "array"]))
    if kind == "number":
        return Quantity(draw(numbers), unit)
    if kind == "normal":
        return Distribution(
            "normal", (("mean", Quantity(draw(numbers), unit)), ("sd", Quantity(draw(st.floats(0, 9)), unit)))
        )
    if kind == "truncated":
        ends = (("low", Quantity(-2, unit)), ("high", Quantity(draw(st.floats(0, 9)), unit)))
        return Distribution("normal", (("mean", Quantity(0, unit)), ("sd", Quantity(1, unit)), *ends))
    if kind == "lognormal":
        named = (("mean", Quantity(draw(numbers))), ("sd", Quantity(1)), ("scale", Quantity(draw(numbers), unit)))
        return Distribution("lognormal", named)
    shape = draw(st.sampled_from(shapes))
    items = draw(st.lists(floats, min_size=1, max_size=4))
    array = np.resize(np.array(items), shape)
    if draw(st.booleans()):
        array = array.astype(np.int64)
    return ArrayValue(Frozen(array), unit)


@st.composite
def neuron_models(draw: st.DrawFn) -> NeuronModel:
    parameters = []
    for index in range(draw(st.integers(0, 3))):
        unit = draw(units)
        low = draw(floats)
        span = draw(st.none() | st.just((low, low + 10.0)))
        default = Quantity(low + 1, unit) if span else draw(values(unit, [(2,)]))
        kind = draw(st.sampled_from(["", "gain", "on"]))
        dynamic = span is not None and draw(st.booleans())
        parameter = Parameter(name=f"k{index}", unit=unit, default=default, range=span, kind=kind, dynamic=dynamic)
        parameters.append(parameter)
    update = draw(blocks)
    return NeuronModel(
        name=draw(st.sampled_from(["on", "unit", "null"])),
        title=draw(texts),
        source=draw(texts),
        notice=draw(texts),
        equations=draw(texts),
        parameters=tuple(parameters),
        derived=(("fixed", Expression("exp(-dt / 3)")),),
        inputs=(Input(name="u", unit="", range=draw(st.none() | st.just((-1.5, 2.0)))), Input(name="i", unit="nA")),
        states=(
            State(name="x", type="int", init=Quantity(draw(st.integers(0, 9))), range=(0.0, 99.0)),
            State(name="b", init=draw(values("mV", [(2,)])), unit="mV", variable_class="plastic", kind="bias"),
        ),
        update=Block(update),
        spike=Expression("x > 3 and x < 9") if draw(st.booleans()) else None,
        after=Block(draw(blocks)),
        on_event=(("blank", Block("x = 0")),),
    )


def synapse_models() -> st.SearchStrategy[SynapseModel]:
    weight = State(name="w", init=Quantity(1.5), range=(-1e9, 1e9), weight=True, variable_class="weight", kind="weight")
    trace = SpikeTrace(
        name="y", side="post", decay=Expression("0.5"), increment=Expression("k"), mode="set", range=(0.0, 4.0)
    )
    return st.builds(
        SynapseModel,
        name=st.just("line"),
        title=texts,
        parameters=st.just((Parameter(name="k", default=Quantity(1), dynamic=True, range=(0.0, 8.0)),)),
        states=st.just((weight,)),
        traces=st.just((trace,)),
        on_pre=st.just(Block("send(target, w * k)")),
    )


def connects(size: int) -> st.SearchStrategy[Connect]:
    flag = st.booleans()
    pair = st.integers(0, size - 1)
    pairs = st.lists(st.tuples(pair, pair), max_size=80).map(lambda p: Frozen(np.array(p, np.int64).reshape(-1, 2)))
    return st.one_of(
        st.builds(AllToAll, self_connections=flag),
        st.just(OneToOne()),
        st.builds(FixedProbability, probability=st.floats(0, 1), self_connections=flag),
        st.builds(FixedInDegree, degree=st.integers(0, size - 1), self_connections=flag),
        st.builds(FixedOutDegree, degree=st.integers(0, size - 1), self_connections=flag),
        st.just(AllToAllButSame()),
        st.builds(
            DistanceDependent,
            grid=st.just((1, size)),
            target_grid=st.just((1, size)),
            profile=st.sampled_from(["gaussian", "exponential", "linear", "flat"]),
            probability=st.floats(0, 1),
            length=st.floats(0.001, 1e9),
            periodic=flag,
            self_connections=flag,
        ),
        st.builds(
            Convolution,
            windows=st.builds(
                Windows,
                shape=st.just((1, size)),
                kernel=st.just((1, 1)),
                padding=st.sampled_from(["same", "valid", (0, 0)]),
                dilation=st.tuples(st.integers(1, 9), st.integers(1, 9)),
            ),
            channels=st.just((1, 1)),
            transposed=flag,
        ),
        st.builds(Listed, pairs=pairs),
    )


durations = st.builds(Quantity, st.integers(1, 10**12), st.sampled_from(["step", "steps", "ms", "s"]))


def items(depth: int = 0) -> st.SearchStrategy[Item]:
    level = f"v{depth}"
    simple: list[st.SearchStrategy[Any]] = [
        st.builds(Run, duration=durations, readouts=st.sampled_from([(), ("seen",)])),
        st.builds(Present, patterns=st.just("images"), count=st.none() | st.integers(1, 99)),
        st.just(Trigger(event="blank")),
        st.builds(Set, values=st.floats(0, 8).map(lambda value: (("line_1.k", Quantity(value)),))),
        st.builds(Reset, populations=st.just(("a",)), keep_learned=st.booleans()),
        st.just(Capture(rows=(("beside", "sampled"),))),
        st.builds(
            Anneal,
            parameters=st.sampled_from([("line_1.k",), ("*.k", "line*.k")]),
            by=st.floats(0, 2),
            when=st.just("m"),
            patience=st.integers(0, 9),
        ),
        st.just(Measure(metrics=("m",))),
    ]
    if depth < 2:
        inner = st.lists(items(depth + 1), max_size=3).map(tuple)
        simple.append(st.builds(Repeat, count=st.integers(1, 9), variable=st.sampled_from(["", level]), do=inner))
        simple.append(st.builds(If, condition=st.just(Expression("1 < 2")), then=inner, otherwise=inner))
        condition = If(condition=Expression(f"{level} % 3 == 0"), then=(Run(duration=Quantity(1, "step")),))
        simple.append(st.builds(Repeat, count=st.integers(1, 9), variable=st.just(level), do=st.just((condition,))))
    return st.one_of(simple)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    model = draw(neuron_models())
    size = draw(st.integers(2, 12))
    own = tuple(
        (p.name, draw(values(p.unit, [(size,)]))) for p in model.parameters if p.range is None and draw(st.booleans())
    )
    a = Population(
        name="a", size=size, neuron=model, parameters=own, ranges=draw(st.sampled_from([(), (("x", (0.0, 50.0)),)]))
    )
    connect = draw(connects(size))
    rule = connections.rule(connect)
    projection = Projection(
        name="line_1",
        source="a",
        target="a",
        synapse=draw(synapse_models()),
        input="u",
        connect=connect,
        delay=draw(durations),
        dendritic=draw(st.none() | st.just(Quantity(3, "steps"))),
        weight=draw(st.none() | values("", [(size, size)] if rule.axes is None else [rule.axes(connect)])),
    )
    images = ArrayValue(
        Frozen(np.resize(np.array(draw(st.lists(numbers, min_size=1, max_size=5)), dtype=float), (7, size)))
    )
    data = DataValue("yin_yang", "test", "labels", (("size", 7),), draw(st.sampled_from([1.0, 0.5])), draw(floats))
    beside = st.just(Quantity(0, "nA")) | st.just(ArrayValue(Frozen(np.resize(np.array([0.5, -1.0]), (7, size))), "nA"))
    couplings = np.resize(np.array(draw(st.lists(floats, min_size=1, max_size=5))), (size, size))
    return Network(
        name=draw(st.sampled_from(["n", "1e5", "true", "two-words.v2"])),
        title=draw(st.text(max_size=20)),
        dt=Quantity(1, "ms"),
        seed=draw(st.integers(0, 2**63 - 1)),
        chip=draw(st.sampled_from(["ideal", "generic8", "my chip.yaml"])),
        populations=(a,),
        projections=(projection,),
        stimuli=(
            SpikeList(
                name="s",
                population="a",
                input="u",
                times=ArrayValue(Frozen(np.array([1, 2], dtype=np.int64)), "ms"),
                neurons=ArrayValue(Frozen(np.array([0, 1], dtype=np.int64))),
            ),
            TimeSeries(
                name="r",
                population="a",
                input="i",
                values=ArrayValue(Frozen(np.array([0.1, draw(floats)])), "pA"),
                every=draw(durations),
                loop=True,
                start=draw(st.none() | st.just(Quantity(1)) | st.just(ArrayValue(Frozen(np.array([0, 1]))))),
            ),
            TimeSeries(name="told", population="a", input="u", values=data, every=draw(durations)),
            Patterns(
                name="images",
                population="a",
                input="u",
                values=images,
                hold=draw(durations),
                order="choice",
                labels=draw(st.none() | st.just(ArrayValue(Frozen(np.arange(7))))),
            ),
            Patterns(name="beside", population="a", input="i", values=draw(beside), beside="images"),
            Patterns(name="film", population="a", input="u", values=images, hold=draw(durations)),
        ),
        targets=(Boltzmann(name="goal", weights=Frozen(couplings + couplings.T), biases=Frozen(couplings[0])),),
        protocol=tuple(draw(st.lists(items(), max_size=4))),
        readouts=(
            StateHistogram(
                name="seen", population="a", state=Expression("x < 5"), every=draw(durations), phase=Quantity(0, "step")
            ),
            Samples(
                name="sampled",
                of="a.x",
                every=draw(durations),
                start=Quantity(draw(st.integers(0, 9)), "steps"),
                stop=draw(st.none() | st.just(Quantity(10, "steps"))),
                reduce=draw(st.sampled_from(["mean", "sum", "last"])),
            ),
        ),
        metrics=(
            Mean(name="m", of="line_1.w"),
            Divergence(name="d", of="seen", target="goal.p", floor=draw(st.floats(0, 9))),
            SquaredError(name="e", of="sampled", target="beside"),
            Distance(name="g", of="line_1.w", to="line_1.w", effective=draw(st.booleans())),
        ),
        record=Recording(
            spikes=("a",),
            states=(StateRecord(of="a.x", every=draw(durations)),),
            topology=draw(st.sampled_from(("all", "none"))),
        ),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(networks())
def test_any_network_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, network: Network) -> None:
    folder = tmp_path_factory.mktemp("written", numbered=True)
    writer.write(network, folder / "net.yaml")
    assert reader.load(folder / "net.yaml") == network
    assert reader.loads(writer.to_yaml(network), "text") == network
    assert neuroport.Network.of(network).build() == network
    text, arrays = apart.written(network, 3)
    assert reader.loads(text, "text", arrays=arrays.get) == network
