"""Whatever is given to a call that writes a network, it takes it, or answers with neuroport's error and a sentence."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.network.network import Network as Written
from tests.support.hostile import faults


def begun(**arguments: Any) -> neuroport.Network:
    net = neuroport.Network(**({"dt": "1 ms"} | arguments))
    net.population("a", 3, "lif")
    net.population("b", 4, "lif")
    net.project("a", "b", "static", name="p", connect="all_to_all", input="i")
    return net


METHODS: dict[str, dict[str, Any]] = {
    "models": {"files": None},
    "neuron": {"name": "own", "text": None, "state": {"v": {}}, "update": "v = v + 1", "spike": "v > 3"},
    "synapse": {"name": "own", "text": "state: {w: {weight: true, init: 1}}", "on_pre": None},
    "population": {
        "name": "c",
        "size": 3,
        "neuron": "lif",
        "params": {},
        "init": {"v": 0},
        "ranges": {},
        "mismatch": True,
        "tau_m": "5 ms",
    },
    "project": {
        "source": "a",
        "target": "b",
        "synapse": "static",
        "connect": [[0, 1]],
        "weight": [0.5],
        "name": "q",
        "input": "i",
        "delay": "2 ms",
        "dendritic_delay": None,
        "twin": None,
        "params": {},
        "init": {},
        "ranges": {"w": [0, 1]},
        "mismatch": False,
        "own": None,
    },
    "stimulus": {"name": "s", "population": "a", "input": "i", "spikes": {"times": ["1 ms"], "neurons": [0]}},
    "port": {"name": "o", "read": "a.v", "write": True},
    "target": {"name": "t", "boltzmann": {"weights": np.zeros((2, 2)), "biases": [0, 0]}},
    "readout": {"name": "r", "samples": {"of": "a.v"}},
    "metric": {"name": "m", "rate": "a"},
    "protocol": {"items": {"run": "5 ms"}},
    "record": {"spikes": ["a"], "states": {"a.v": "1 ms"}, "weights": {}, "topology": "all"},
    "save": {"path": "net.yaml", "overwrite": True},
    "with_": {"changes": {"a.tau_m": "5 ms"}},
}
"""Arguments of every method that takes any."""


def called(name: str, arguments: dict[str, Any]) -> Any:
    """What is said of a network with this call in it, when it is finished and written."""
    net = begun()
    positional = ("name", "text") if name in ("neuron", "synapse") else ("name", "population", "files", "items")
    order = () if name in ("population", "project") else positional
    given = {key: value for key, value in arguments.items() if key not in order}
    answer = getattr(net, name)(*(arguments[key] for key in order if key in arguments), **given)
    finished = answer if isinstance(answer, neuroport.Network) else net
    assert repr(finished).startswith("<neuroport.Network ")
    assert neuroport.loads(finished.to_yaml()) == finished.build()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", METHODS)
def test_a_call_answers_with_a_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(faults(lambda **arguments: called(name, arguments), **METHODS[name])) == []


@pytest.mark.filterwarnings("error")
def test_a_beginning_answers_with_a_sentence() -> None:
    valid = {"dt": "1 ms", "name": "n", "title": "T", "seed": 1, "copies": 1, "chip": "ideal", "folder": "."}
    assert list(faults(lambda **arguments: begun(**arguments).to_yaml(), **valid)) == []
    assert list(faults(neuroport.Network.of, network=begun())) == []


def test_no_call_is_left_out() -> None:
    methods = {name for name, f in inspect.getmembers(neuroport.Network, inspect.isfunction) if name[0] != "_"}
    with_arguments = {n for n in methods if len(inspect.signature(getattr(neuroport.Network, n)).parameters) > 1}
    assert with_arguments == METHODS.keys()


def test_what_is_finished_stays_as_it_is() -> None:
    net = begun()
    before = net.build()
    net.population("c", 5, "lif")
    assert isinstance(before, Written) and len(before.populations) == 2 and len(net.build().populations) == 3
