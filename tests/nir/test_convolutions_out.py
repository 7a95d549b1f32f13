"""Convolutions of a network as convolutions of NIR, where NIR has one like them, and as matrices where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.connections.windows import Windows
from tests.oracles.nir_steps import Meaning, run

nir = pytest.importorskip("nir", reason="graphs of NIR need the package nir")
STEPS = 30
RNG = np.random.default_rng(4)
VALUES = np.round(RNG.normal(0, 2, (STEPS, 60)), 3)


def conv(shape: list[int], channels: list[int], **more: Any) -> dict[str, Any]:
    return {"convolution": {"shape": shape, "kernel": 3, "channels": channels, **more}}


def _keys(given: dict[str, Any]) -> list[Any]:
    default = {"stride": 1, "padding": "valid", "dilation": 1}
    values = [(default | given)[key] for key in ("shape", "kernel", "stride", "padding", "dilation")]
    return [tuple(one) if isinstance(one, list) else one for one in values]


def network(second: dict[str, Any] | None = None, bias: Any = 0.1) -> neuroport.Network:
    """A map of 6 x 5 x 2 values, one of 6 x 5 x 3 neurons, a smaller one, and a vector."""
    second = second or conv([6, 5], [3, 4], stride=[2, 1], dilation=2, padding=[1, 0])
    windows = Windows(*(one if isinstance(one, str | tuple) else (one, one) for one in _keys(second["convolution"])))
    size = windows.outputs[0] * windows.outputs[1] * 4
    rng = np.random.default_rng(8)
    net = neuroport.Network(dt="1 ms")
    wide = {"r": [-9, 9], "r_in": [-9, 9]}
    net.population("image", 60, "rate_source", ranges=wide)
    net.stimulus("given", "image", series={"values": VALUES, "every": "1 step"}, input="r_in")
    tau = {"array": rng.uniform(3, 20, 90), "unit": "ms"}
    net.population("a", 90, "nir_lif", tau=tau, v_threshold=0.4, bias=bias, start="1 step")
    net.population("b", size, "nir_if", v_threshold=0.5, start="2 steps", r="0.5 kHz")
    net.population("c", 3, "nir_li", start="3 steps")
    first = conv([6, 5], [2, 3], padding="same")
    net.project("image", "a", "graded", input="x", connect=first, weight=rng.normal(size=(3, 3, 2, 3)), name="up1")
    weight = rng.normal(size=(*windows.kernel, 3, 4))
    net.project("a", "b", "static", input="x", connect=second, weight=weight, name="up2", delay="3 steps")
    net.project("b", "c", "static", input="x", connect="all_to_all", weight=rng.normal(size=(size, 3)), name="up3")
    net.record(spikes=["a", "b"])
    return net


def there_and_here(net: neuroport.Network, path: Path) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The graph, and the voltages of populations by NIR and by neuroport."""
    nir.write(path, neuroport.to_nir(net))
    graph = nir.read(path)
    shape = tuple(graph.nodes["image"].input_type["input"])
    rows = VALUES if len(shape) == 1 else np.moveaxis(VALUES.reshape(STEPS, 6, 5, 2), -1, 1)
    there = run(graph, {"image": rows}, Meaning(1e-3)).v
    with neuroport.open(net, "reference", chip="ideal") as session:
        here: dict[str, Any] = {name: [] for name in "abc"}
        for _ in range(STEPS):
            session.run(1)
            for name, rows_ in here.items():
                rows_.append(session.get(f"{name}.v"))
    return graph, there, here


def check(there: dict[str, Any], here: dict[str, Any]) -> None:
    for late, name in enumerate("abc", start=1):
        v = there[name]
        found = (np.moveaxis(v, 1, -1) if v.ndim > 2 else v).reshape(STEPS, -1)
        assert np.ptp(found) > 0.1
        assert np.allclose(found[: STEPS - late], np.array(here[name])[late:], rtol=1e-12, atol=1e-12), name


def test_maps_are_maps_and_convolutions_are_convolutions(tmp_path: Path) -> None:
    bias = np.tile([0.2, -0.1, 0.05], 30)
    graph, there, here = there_and_here(network(bias=bias), tmp_path / "x.nir")
    check(there, here)
    kinds = {name: type(node).__name__ for name, node in graph.nodes.items()}
    assert kinds == {
        "image": "Input", "up1": "Conv2d", "a": "LIF", "a.out": "Output", "up2.delay": "Delay", "up2": "Conv2d",
        "b": "IF", "b.out": "Output", "b.flat": "Flatten", "up3": "Linear", "c": "LI", "c.out": "Output",
    }  # fmt: skip
    assert graph.nodes["up1"].bias.tolist() == [0.2, -0.1, 0.05]
    assert graph.nodes["a"].tau.shape == (3, 6, 5)
    assert neuroport.from_nir(tmp_path / "x.nir").network == network(bias=bias).build()
    of_nodes = neuroport.from_nir(tmp_path / "x.nir", dt="1 ms").network
    rules = [type(one.connect).__name__ for one in of_nodes.projections]
    assert rules == ["Convolution", "Convolution", "AllToAll"]


@pytest.mark.parametrize(
    "more", [{"kernel": [5, 2], "stride": [1, 2]}, {"kernel": 2, "padding": "same"}], ids=["not square", "uneven"]
)
def test_what_nir_has_no_convolution_of_is_a_matrix(more: dict[str, Any], tmp_path: Path) -> None:
    graph, there, here = there_and_here(network(conv([6, 5], [3, 4], **more)), tmp_path / "x.nir")
    check(there, here)
    kinds = {name: type(node).__name__ for name, node in graph.nodes.items()}
    assert (kinds["up1"], kinds["up2.delay.flat"], kinds["up2"]) == ("Conv2d", "Flatten", "Linear")


def test_a_bias_that_differs_within_a_channel_makes_vectors(tmp_path: Path) -> None:
    graph, there, here = there_and_here(network(bias=np.linspace(0, 0.2, 90)), tmp_path / "x.nir")
    check(there, here)
    assert {type(node).__name__ for node in graph.nodes.values()} & {"Conv2d", "Flatten"} == set()


def test_what_else_leads_to_a_map_makes_vectors(tmp_path: Path) -> None:
    net = network()
    net.project("b", "b", "static", input="x", connect="one_to_one", weight=-0.3, name="back")
    graph, there, here = there_and_here(net, tmp_path / "x.nir")
    check(there, here)
    assert [name for name, node in graph.nodes.items() if type(node).__name__ == "Conv2d"] == ["up1"]
