"""Models that build on others."""

from __future__ import annotations

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.program import printer

NETWORK = """\
neuroport: 1
name: based
dt: 1 ms
neurons:
  cell:
    title: A cell
    notice: Ask first.
    params: {a: {default: 1, range: [0, 4]}, b: {default: 2}}
    inputs: {i: {range: [-8, 8]}}
    state: {r: {init: 0, range: [-8, 8]}, e: {init: 0, range: [-8, 8]}, z: {init: 0}}
    update: z = r + c
    spike: r > 1
    derived: {c: a + b}
  faster:
    base: cell
    notice: Then wait.
    params: {a: {default: 3, range: [0, 4]}, k: {default: 0.5}}
    update: r = k * i
    on_event: {blank: r = 0}
synapses:
  own:
    base: adam
    title: A rule of one's own
    params: {lr: {default: 0.125, range: [0, 1]}}
    step: send(target, w * pre.r)
    on_event: {learn: g = mean_copies(sum_shared(post.e * pre.r))}
populations:
  a: {size: 2, neuron: faster}
  b: {size: 2, neuron: cell}
projections:
  up: {source: a, target: b, synapse: own, connect: all_to_all}
protocol:
  - event: learn
  - run: 2 steps
"""


def said(text: str) -> str:
    with pytest.raises(InvalidInput) as error:
        neuroport.compile(reader.loads(text.encode(), "n.yaml"))
    return str(error.value)


def test_a_model_has_what_its_base_has_and_its_own() -> None:
    network = reader.loads(NETWORK.encode(), "n.yaml")
    faster, own = network.population("a").neuron, network.projection("up").synapse
    assert [(p.name, p.default.number) for p in faster.parameters] == [("a", 3), ("b", 2), ("k", 0.5)]
    assert (faster.title, faster.notice) == ("A cell", "Then wait.\nAsk first.")
    assert faster.update.text == "r = k * i\nz = r + c"
    assert faster.spike is not None and faster.spike.text == "r > 1"
    assert [name for name, _ in faster.on_event] == ["blank"]
    assert [s.name for s in own.states] == ["w", "g", "m", "v", "c1", "c2"]
    assert own.parameters[0].default == neuroport.numerics.units.Quantity(0.125) and not own.parameters[0].dynamic
    ((event, block),) = own.on_event
    assert event == "learn" and block.text.splitlines()[:2] == [
        "g = mean_copies(sum_shared(post.e * pre.r))",
        "m = m + first1 * (g - m)",
    ]
    assert own.source.startswith("D. P. Kingma") and own.title == "A rule of one's own"


def test_it_is_the_model_that_is_written_out() -> None:
    network = reader.loads(NETWORK.encode(), "n.yaml")
    written = writer.to_yaml(network)
    assert "base" not in written.replace("name: based", "")
    assert reader.loads(written, "again.yaml") == network


def test_what_is_wrong_in_the_base_is_told_where_that_stands() -> None:
    text = NETWORK.replace("    update: r = k * i", "    state: {z: {type: int, init: 0}}\n    update: r = k * i")
    assert said(text) == (
        "n.yaml:11:13: 'z' is an int, this value is real; write int(round(...)), use //, make the variable real, or "
        "declare what is whole in it `type: int`"
    )
    program = printer.text(neuroport.compile(reader.loads(NETWORK.encode(), "n.yaml")))
    assert "# n.yaml:18  r = k * i" in program and "# n.yaml:11  z = r + c" in program


@pytest.mark.parametrize(
    ("base", "text"),
    [
        ("celll", "n.yaml:15:11: unknown neuron model 'celll'; did you mean 'cell'? allowed are "),
        ("adam", "n.yaml:15:11: unknown neuron model 'adam'; "),
        ("[cell]", "n.yaml:15:11: base of neuron model 'faster' must be a name of letters, digits and _; found a list"),
        (
            "faster",
            "n.yaml:15:11: the bases of neuron model 'faster' have no end: faster is based on faster; leave out ",
        ),
    ],
)
def test_a_base_is_another_model_of_its_kind(base: str, text: str) -> None:
    assert said(NETWORK.replace("base: cell", f"base: {base}")).startswith(text)


def test_bases_in_a_circle_are_refused_once_each() -> None:
    text = NETWORK.replace("  cell:\n", "  cell:\n    base: faster\n")
    assert said(text) == (
        "n.yaml:6:11: the bases of neuron model 'cell' have no end: cell is based on faster is based on cell; leave "
        "out one of these 'base'\n"
        "n.yaml:16:11: the bases of neuron model 'faster' have no end: faster is based on cell is based on faster; "
        "leave out one of these 'base'"
    )


def test_a_network_in_python_takes_a_base() -> None:
    net = neuroport.Network("1 ms")
    net.synapse(
        "own",
        base="sgd",
        step="send(target, w * pre.r)",
        on_event={"learn": "g = mean_copies(sum_shared(post.e * pre.r))"},
    )
    net.population("a", 2, "gle_linear")
    net.project("a", "a", "own", input="ff", connect="all_to_all", name="up")
    (projection,) = net.build().projections
    assert projection.synapse.on_event[0][1].text == "g = mean_copies(sum_shared(post.e * pre.r))\nw = w + lr * g"
