"""What is said of a call, whole, with its place; and what calls mean that files have no words for."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.build import values
from neuroport.errors import InvalidInput
from neuroport.network.model import NeuronModel
from neuroport.network.network import Network as Written
from neuroport.numerics.units import Quantity

LIF = "tau_m, r_m, v_rest, v_reset, v_th, t_ref"
ALLOWED = "give a number, a text, a list, a mapping or an array of numbers"


def begun() -> neuroport.Network:
    net = neuroport.Network("1 ms")
    net.population("exc", 4, "lif")
    net.population("inh", 2, "lif")
    return net


def told(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(InvalidInput) as error:
        call()
    return str(error.value).split("\n")


def test_all_problems_are_told_at_once_in_the_order_of_the_calls() -> None:
    net = neuroport.Network(dt="1 ms", chip="generic9")
    net.population("exc", 320, "lif", tau_m="15 mV", params={"t_ref": "2 ms"})
    net.population("inh", 80, "lif", foo=3, init={"v": "1 nA"})
    net.project("exc", "inhh", "static", weight="3 nA", connect="all_to_all")
    net.protocol({"run": "100 ms"}, {"repeat": 2, "do": [{"run": "1 ms"}, {"runs": 3}]})
    lines = told(net.build)
    assert lines[0].startswith("Network(chip=…): there is no chip 'generic9'; did you mean ")
    assert lines[1:] == [
        "population('exc', tau_m=…): parameter 'tau_m' of population 'exc' must be a time (ms), but 15 mV is in mV",
        "population('inh', init['v']=…): initial 'v' of population 'inh' must be a voltage (mV), but 1 nA is in nA",
        f"population('inh', foo=…): population 'inh' has no parameter 'foo'; allowed are {LIF}",
        "project('exc', 'inhh', target=…): unknown population 'inhh'; did you mean 'inh'? allowed are exc, inh",
        "protocol(items[1]['do'][1]=…): a protocol item must have one of the keys repeat, run, present, if, event, "
        "set, reset, measure, capture, anneal; found a mapping with 'runs'; did you mean 'run'?",
    ]


MODEL = """
    state: {v: {}}
    update: |
      v = v + 1 +
"""


def test_what_is_wrong_in_the_text_of_a_model_has_its_line_and_column() -> None:
    net = begun()
    net.neuron("one", MODEL)
    net.neuron("two", state={"v": {}}, update="\n    v = v + 1\n    v = 2 +* 3\n")
    net.synapse("three", state={"w": {"weight": True, "init": 1}}, on_pre="send(target, u)")
    said = "the model language cannot read this: invalid syntax; a line is NAME = VALUE, if CONDITION: or "
    assert told(net.build) == [
        f"neuron('one'):4:18: {said}send(INPUT, VALUE)",
        f"neuron('two', update=…):2:8: {said}send(INPUT, VALUE)",
        "synapse('three', on_pre=…):1:14: 'u' is not known here; there are T, copies, dt, item_step, t, w",
    ]


def test_a_model_is_a_text_or_its_parts() -> None:
    text = "{state: {v: {}}, update: v = v + 1, spike: v > 3}"
    parts = {"state": {"v": {}}, "update": "v = v + 1", "spike": "v > 3"}
    nets = begun(), begun()
    assert nets[0].neuron("own", text) == nets[1].neuron("own", **parts) == "own"
    for net in nets:
        net.population("p", 1, "own")
    assert nets[0].build() == nets[1].build()
    said = "give the model as one text of YAML, or its parts by their names"
    assert told(lambda: begun().neuron("own", text, spike="v > 1")) == [f"neuron('own', …): {said}"]
    assert told(lambda: begun().neuron("own", "a: [")) == [
        "neuron('own'):2:1: this is not YAML: did not find expected node content while parsing a flow node"
    ]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda net: net.population("exc", 3, "lif"),
            "population('exc', …): the name 'exc' was given before, by population('exc', …); choose another name",
        ),
        (lambda net: net.population(3, 3, "lif"), "population(3, …): the name must be a text; found 3"),
        (
            lambda net: net.population("a", 3, "lif", params={"t_ref": "1 ms"}, t_ref="2 ms"),
            "population('a', t_ref=…): 't_ref' is in params too; keep one of the two",
        ),
        (
            lambda net: net.population("a", 3, "lif", init={"v": 3j}),
            f"population('a', init['v']=…): a network cannot hold 3j; {ALLOWED}",
        ),
        (
            lambda net: net.population("a", 3, "lif", init={3: 0}),
            "population('a', init=…): a key must be a text; found 3",
        ),
        (
            lambda net: net.population("a", 10**400, "lif"),
            "population('a', size=…): the number has more than 300 digits; give one that can be computed with",
        ),
        (
            lambda net: net.population("a", 2, "lif", init={"v": np.ma.masked_equal([1, 2], 2)}),
            "population('a', init['v']=…): some of its values are masked; fill them in, or leave them out",
        ),
        (
            lambda net: net.population("a", 2, "lif", init={"v": np.array([2**63], np.uint64)}),
            "population('a', init['v']=…): the array holds 9223372036854775808; whole numbers must be below 2**63",
        ),
        (
            lambda net: net.population("a", 2, "lif", init={"v": np.ones(2, complex)}),
            "population('a', init['v']=…): an array of complex128 is not allowed here; give float64 or int64",
        ),
        (
            lambda net: net.record(states={"exc.v": "1 ms"}) or net.record(states={"exc.v": "2 ms"}),
            "record(states['exc.v']=…): 'exc.v' is recorded already; give it once",
        ),
        (
            lambda net: net.record(topology="all") or net.record(topology="none"),
            "record(topology=…): 'topology' was said before; say it once",
        ),
        (
            lambda net: net.with_({"exc.tau_mm": "5 ms"}).build(),
            f"with_('exc.tau_mm', value=…): population 'exc' has no parameter 'tau_mm'; did you mean 'tau_m'? "
            f"allowed are {LIF}",
        ),
        (lambda net: net.with_(3), "changes must be a mapping from paths to values; found 3"),
        (lambda net: net.with_({3: 3}), "a path must be a text; found 3"),
        (
            lambda net: neuroport.Network.of("x"),
            "network must be a network, as neuroport.load(FILE) or neuroport.Network(…) gives it; found 'x'",
        ),
        (lambda net: neuroport.Network("1 ms", folder=3), "folder must be the path of a file; found 3"),
        (
            lambda net: neuroport.Network("1 ms", title="\ud800"),
            "Network(title=…): '\\ud800' is no text that a file can hold; give text of whole characters",
        ),
        (
            lambda net: neuroport.run(neuroport.Network("1 ms")),
            "Network(…): a network needs at least one population; add it under 'populations'",
        ),
        (
            lambda net: neuroport.loads("neuroport: 1\nname: \ud800"),
            "<text>:2:7: '\\ud800' is half a character, which no text can hold; leave it out",
        ),
        (
            lambda net: neuroport.load("sal_pair", ["name=\ud800"]),
            "--set name: '\\ud800' is half a character, which no text can hold; leave it out",
        ),
        (
            lambda net: net.models("none.yaml") or net.build(),
            "models(files[0]=…): there is no file 'none.yaml'; check the path",
        ),
    ],
)
def test_a_call_that_cannot_be_taken_says_why(call: Callable[[neuroport.Network], Any], text: str) -> None:
    assert told(lambda: call(begun())) == [text]


def test_what_contains_itself_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    inner: list[Any] = []
    inner += [inner, inner]
    said = "population('a', …): nested more than 60 levels deep; does it contain itself?"
    assert told(lambda: begun().population("a", 1, "lif", tau_m=inner)) == [said]
    monkeypatch.setattr(values, "MAX_NODES", 5000)
    wide: list[Any] = [0] * 50
    for _ in range(6):
        wide = [wide] * 50
    said = "population('a', …): more than 5,000 values; give large ones as arrays"
    assert told(lambda: begun().population("a", 1, "lif", tau_m=wide)) == [said]


EQUAL: dict[str, tuple[Any, Any]] = {
    "float32": (np.array([0.5, 1.5, 2, -1], np.float32), [0.5, 1.5, 2.0, -1.0]),
    "int8": (np.array([1, 2, 3, 4], np.int8), [1, 2, 3, 4]),
    "big-endian": (np.array([1, 2, 3, 4], ">f8"), [1.0, 2.0, 3.0, 4.0]),
    "strided": (np.arange(8.0)[::2], [0.0, 2.0, 4.0, 6.0]),
    "texts": (np.array(["1 mV", "2 mV", "3 mV", "4 mV"]), ["1 mV", "2 mV", "3 mV", "4 mV"]),
    "tuple": ((1, 2, 3, 4), [1, 2, 3, 4]),
    "range": (range(4), [0, 1, 2, 3]),
    "number": (np.float64(0.5), 0.5),
    "array of none": (np.array(7), 7),
    "quantity": (Quantity(0.5, ""), 0.5),
}


@pytest.mark.parametrize("kind", EQUAL)
def test_numbers_are_those_of_a_list(kind: str) -> None:
    nets = neuroport.Network("1 ms"), neuroport.Network("1 ms")
    for net, value in zip(nets, EQUAL[kind], strict=True):
        net.neuron("own", state={"v": {"unit": "mV"} if kind == "texts" else {}}, update="v = 2 * v")
        net.population("p", 4, "own", init={"v": value})
    assert nets[0].build() == nets[1].build()
    assert nets[0].to_yaml() == nets[1].to_yaml()


def test_an_array_is_copied() -> None:
    net, weight = begun(), np.ones((4, 2))
    net.project("exc", "inh", "static", input="jump", connect="all_to_all", weight=weight)
    before = net.build()
    weight[:] = 2
    assert net.build() == before
    assert not before.projections[0].weight.values.array.flags.writeable  # type: ignore[union-attr]


def test_calls_of_record_add_up() -> None:
    net = begun()
    net.record(spikes="exc", states={"exc.v": "1 ms"})
    net.record(spikes=["inh"], states={"inh.v": "2 ms"})
    record = net.build().record
    assert record.spikes == ("exc", "inh") and [item.of for item in record.states] == ["exc.v", "inh.v"]


def changed(net: neuroport.Network, changes: Mapping[str, Any]) -> Written:
    return net.with_(changes).build()


def test_a_network_with_changes_is_another_one() -> None:
    net = begun()
    before = net.build()
    weights = np.arange(8.0).reshape(4, 2)
    net.project("exc", "inh", "static", input="jump", connect="all_to_all", weight=1)
    other = net.with_({"exc.tau_m": "20 ms", "populations.inh.size": 2, "exc_inh.weight": weights, "seed": 9})
    other.population("more", 1, "lif")
    assert len(net.build().populations) == len(before.populations) == 2 and net.build().seed == 1
    made = other.build()
    assert dict(made.population("exc").parameters) == {"tau_m": Quantity(20, "ms")}
    assert made.seed == 9 and made.projections[0].weight.values.array.tolist() == weights.tolist()  # type: ignore[union-attr]
    assert changed(net, {"populations.exc.tau_m": "20 ms"}) == changed(net, {"exc.tau_m": "20 ms"})


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, neuroport.Network.of])
def test_a_copy_is_added_to_by_itself(copied: Callable[[neuroport.Network], neuroport.Network]) -> None:
    net = begun()
    net.record(states={"exc.v": "1 ms"})
    before, other = net.build(), copied(net)
    assert other.build() == before
    other.population("more", 1, "lif")
    other.record(states={"inh.v": "1 ms"})
    other.protocol({"run": "1 ms"})
    assert net.build() == before != other.build()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    net = begun()
    weights = np.random.default_rng(1).random((4, 2))
    net.project("exc", "inh", "static", input="jump", connect="all_to_all", weight=weights)
    big = net.with_({"exc.size": 40})
    big = big.with_({"exc_inh.weight": np.random.default_rng(1).random((40, 2))})
    assert net.save(tmp_path / "net.yaml") == (tmp_path / "net.yaml",)
    assert big.save(tmp_path / "big.yaml") == (tmp_path / "big.yaml", tmp_path / "big.h5")
    assert neuroport.load(tmp_path / "net.yaml") == net.build()
    assert neuroport.loads(big.to_yaml()) == big.build()
    assert run_of(neuroport.load(tmp_path / "big.yaml")) == run_of(big)
    assert told(lambda: net.save(tmp_path / "net.yaml")) == [
        f"{tmp_path / 'net.yaml'}: exists already; choose another name, or replace it with --overwrite"
    ]


def test_a_loaded_network_is_gone_on_with_and_its_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    begun().save(path)
    net = neuroport.Network.of(neuroport.load(path))
    net.population("more", 1, "lif")
    said = "is read for this and would be replaced by what comes of it; choose another name"
    assert told(lambda: net.save(path, overwrite=True)) == [f"{path}: {said}"]


def test_relative_paths_start_at_the_folder(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("neurons: {own: {state: {v: {}}, update: v = v + 1}}", "utf-8")
    net = neuroport.Network("1 ms", folder=tmp_path)
    net.models("own.yaml")
    net.population("p", 1, "own")
    assert net.build().files == (str(tmp_path / "own.yaml"),)


def run_of(network: Any) -> Sequence[Any]:
    one = neuroport.run(network, "reference", duration="20 ms")
    copies = neuroport.run_copies(network, [network_seed(network)], "reference", duration="20 ms")
    with neuroport.open(network, "reference") as session:
        session.run("20 ms")
        return one.digest, copies[0].digest, session.digest()


def network_seed(network: Any) -> int:
    return network.build().seed if isinstance(network, neuroport.Network) else network.seed


def test_every_function_takes_what_was_written() -> None:
    net = begun()
    net.stimulus(
        "drive", "exc", input="jump", series={"values": ["30 mV", "0 mV", "0 mV"], "every": "1 ms", "loop": True}
    )
    net.project("exc", "inh", "static", input="jump", connect={"fixed_probability": 0.5}, weight=3)
    assert len(set(run_of(net))) == 1
    assert run_of(net) == run_of(net.build())


def test_it_shows_what_is_in_it() -> None:
    net = begun()
    net.project("exc", "inh", "static", input="jump", connect="all_to_all")
    assert repr(net) == "<neuroport.Network 'network'; populations exc, inh; projections exc_inh>"


def test_what_comes_with_neuroport_is_called_by_its_name() -> None:
    net, named = (neuroport.Network("1 ms", chip=chip) for chip in (neuroport.chips["generic16"], "generic16"))
    for one, neuron, synapse in (
        (net, neuroport.models["lif"], neuroport.models["static"]),
        (named, "lif", "static"),
    ):
        one.population("exc", 4, neuron, tau_m="15 ms")
        one.project("exc", "exc", synapse, weight=0.1, input="jump", connect="all_to_all")
    assert net.to_yaml() == named.to_yaml()
    assert "chip: generic16\n" in net.to_yaml()
    assert "{size: 4, neuron: lif, params: " in net.to_yaml()
    assert "synapse: static\n" in net.to_yaml()
    every = neuroport.Network("1 ms")
    for name, model in neuroport.models.items():
        if isinstance(model, NeuronModel):
            every.population(name, 1, model)
    assert every._names("populations"), "all of them are found by their names"
    again = neuroport.Network("1 ms")
    again.population("exc", 4, net.build().populations[0].neuron)
    assert again.build().populations[0].neuron.name == "lif", "as a network has it"


def test_what_has_no_name_in_a_file_is_told() -> None:
    net = begun()
    wrong = "population('other', neuron=…): "
    for given, said in (
        (replace(neuroport.models["lif"], name="mine"), "the neuron model 'mine' is none that comes with neuroport; "),
        (replace(neuroport.models["lif"], yaml="x"), "the neuron model 'lif' is none that comes with neuroport; "),
    ):
        assert told(lambda given=given: net.population("other", 1, given)) == [
            f"{wrong}{said}declare it with neuron(), and give its name"
        ]
    assert told(lambda: net.population("other", 1, neuroport.models["static"])) == [
        f"{wrong}'static' is a synapse model; give a neuron model"
    ]
    assert told(lambda: net.population("other", 1, neuroport.chips["generic8"], r_m={1})) == [
        f"{wrong}'generic8' is a chip; give a neuron model",
        f"population('other', r_m=…): a network cannot hold {{1}}; {ALLOWED}",
    ]
    assert told(lambda: net.project("exc", "inh", neuroport.models["lif"])) == [
        "project('exc', 'inh', synapse=…): 'lif' is a neuron model; give a synapse model"
    ]
    assert told(lambda: net.project("exc", "inh", replace(neuroport.models["static"], name="mine"))) == [
        "project('exc', 'inh', synapse=…): the synapse model 'mine' is none that comes with neuroport; declare it with "
        "synapse(), and give its name"
    ]
    assert told(lambda: neuroport.Network("1 ms", chip=neuroport.models["lif"])) == [
        "Network(chip=…): 'lif' is a neuron model; give a chip"
    ]
    assert told(lambda: neuroport.Network("1 ms", chip=replace(neuroport.chips["generic8"], table_bits=9))) == [
        "Network(chip=…): the chip 'generic8' is none that comes with neuroport; give the path of its description"
    ]
