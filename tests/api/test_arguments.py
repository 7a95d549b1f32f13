"""Whatever is given to a public function, it answers with a result or with neuroport's own error and a sentence."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport import backends, networks
from neuroport.api.drift import drift
from neuroport.api.run import lasting
from neuroport.chips import description as chips
from neuroport.chips import instance as instances
from neuroport.errors import InvalidInput
from neuroport.network.network import Network
from neuroport.network.protocol import Run
from neuroport.numerics.units import Quantity
from neuroport.session.session import Session
from neuroport.trace.read import Trace, open_trace
from tests.support.hostile import faults

CHIP = {"chip": None, "chip_seed": None, "instance": None}
RUN = {"backend": "reference", "seed": None, "trace": None, "overwrite": False, "device": None}
FORMATS = ["ideal", "generic16"]


def network() -> Network:
    return lasting(neuroport.load("sal_pair"), 3)


def opened(**arguments: Any) -> None:
    with neuroport.open(**arguments) as session:
        session.run(1)


class Graph:
    """A graph as an object of the package nir gives it."""

    edges = (("in", "cells"), ("cells", "out"))

    def to_dict(self) -> dict[str, Any]:
        cells = {"type": "IF", "r": np.ones(2), "v_threshold": np.ones(2)}
        nodes = {"in": {"type": "Input", "shape": np.array([2])}, "cells": cells}
        nodes["out"] = {"type": "Output", "shape": np.array([2])}
        return {"type": "NIRGraph", "nodes": nodes, "edges": list(self.edges), "metadata": {}}


FUNCTIONS = {
    "load": (neuroport.load, {"path": "sal_pair", "sets": ()}),
    "loads": (neuroport.loads, {"text": neuroport.Network.of(network()).to_yaml(), "sets": (), "folder": "."}),
    "compile": (neuroport.compile, {"network": network(), **CHIP}),
    "run": (
        neuroport.run,
        {
            "network": network(),
            **CHIP,
            **RUN,
            "duration": 3,
            "progress": None,
            "before": None,
            "due": None,
            "choice": None,
            "genn": (),
        },
    ),
    "open": (opened, {"network": network(), **CHIP, **RUN, "keep": None, "choice": None, "genn": ()}),
    "run_copies": (
        neuroport.run_copies,
        {
            "network": network(),
            **RUN,
            "seed": 1,
            "seeds": [1, 2],
            "chip_seeds": (),
            "duration": 3,
            "progress": None,
            "params": {"recurrent.eta_w": [0.1, 0.2]},
            "choice": None,
        },
    ),
    "sweep": (
        neuroport.sweep,
        {
            "network": network(),
            "grid": {"seed": [1]},
            "folder": "f",
            "duration": 3,
            "backend": "none",
            "workers": 1,
            "scheduler": None,
            "time": "1 min",
            "memory": "1 GiB",
            "wanted": {},
            "traces": False,
            "retry_failed": False,
            "progress": None,
        },
    ),
    "calibrate": (
        neuroport.calibrate,
        {
            "net": "loihi_lif",
            "sets": (),
            "duration": 3,
            "seeds": (),
            "chip": None,
            "output": None,
            "overwrite": False,
            "progress": None,
            "backend": "reference",
        },
    ),
    "from_nir": (
        neuroport.from_nir,
        {
            "graph": Graph(),
            **dict.fromkeys(["dt", "time_unit", "integrate", "current", "reset", "input", "chip", "samples", "output"]),
            "overwrite": False,
            "progress": None,
            "backend": "reference",
        },
    ),
    "drift": (
        drift,
        {
            "network": network(),
            "chip": "generic8",
            "chip_seeds": None,
            "backend": "reference",
            "seed": None,
            "duration": 3,
            "trace": None,
            "overwrite": False,
            "progress": None,
            "device": None,
            "tau": 1.0,
            "within": 1.0,
            "before": None,
        },
    ),
    "resume": (
        neuroport.resume,
        {
            "trace": "none.h5",
            "network": network(),
            "backend": "reference",
            "overwrite": False,
            "progress": None,
            "device": None,
            "before": None,
            "due": None,
            "choice": None,
            "genn": (),
        },
    ),
    "networks.path": (networks.path, {"name": "sal_pair"}),
    "backends.load": (backends.load, {"name": "reference", "device": None, "genn": ()}),
    "chips.load": (chips.load, {"name_or_path": "ideal"}),
    "manufacture": (instances.manufacture, {"chip": chips.load("generic8"), "seed": 1}),
    "instances.load": (instances.load, {"path": "none.h5"}),
    "instances.save": (
        instances.save,
        {"instance": instances.manufacture(chips.load("generic8"), 1), "path": "chip.h5", "overwrite": True},
    ),
    "open_trace": (open_trace, {"path": "none.h5"}),
    "to_nir": (neuroport.to_nir, {"network": network(), "folder": None}),
}
del FUNCTIONS["run_copies"][1]["seed"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_answers_with_a_sentence(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    function, valid = FUNCTIONS[name]
    assert list(faults(function, **valid)) == []


METHODS: dict[str, dict[str, Any]] = {
    "run": {"duration": 2, "progress": None},
    "trigger": {"event": "blank"},
    "inject": {"name": "units.u_in", "neurons": [0], "values": 0.5, "at": 1, "hold": 1},
    "exchange": {"inputs": {"units.u_in": 0.5}, "steps": 1, "outputs": ["units"], "clip": True},
    "check": {"inputs": {"units.u_in": 0.5}, "steps": 1, "outputs": ["units"], "clip": True},
    "get": {"name": "units.b"},
    "set": {"name": "units.b", "value": 0.0, "clip": False},
    "spikes": {"population": "units", "since": 0},
    "records": {"name": "units.b", "since": 0},
    "take": {"outputs": "units"},
    "rows": {"readout": "none"},
    "weights": {"projection": "recurrent"},
    "reset": {"populations": "units", "keep_learned": True},
    "measure": {"names": "weights"},
    "run_protocol": {"progress": None, "chunk": None, "due": None},
    "walk_protocol": {"chunk": None},
    "checkpoint": {"path": None},
    "restore": {"checkpoint": "none.h5"},
    "fork": {"n": 1},
    "end_when": {"ends": lambda: False},
    "check_input": {"name": "units.u_in"},
}
"""Valid arguments of every method of a session that takes any."""
INNER = {"finish", "take_up"}
"""What only neuroport itself calls."""


def called(session: Session, name: str, arguments: dict[str, Any]) -> Any:
    """What a method gives; one value for arguments of any number, and all of what it steps through."""
    method, given = getattr(session, name), dict(arguments)
    several = [given.pop(key) for key in ("populations", "names") if key in given]
    several += [given.pop("outputs")] if name == "take" else []
    answer = method(*several, **given)
    return list(answer) if name == "walk_protocol" else answer


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("chip", FORMATS)
@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_a_session_answers_with_a_sentence(name: str, chip: str) -> None:
    with neuroport.open(network(), "reference", chip) as session:
        valid = METHODS[name]
        assert list(faults(lambda **arguments: called(session, name, arguments), **valid)) == []


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    path = tmp_path_factory.mktemp("trace") / "pair.h5"
    neuroport.run(network(), "reference", trace=path)
    return open_trace(path)


@pytest.mark.parametrize("name", [n for n, f in inspect.getmembers(Trace, inspect.isfunction) if n[0] != "_"])
def test_a_method_of_a_trace_answers_with_a_sentence(name: str, trace: Trace) -> None:
    method = getattr(trace, name)
    parameters = inspect.signature(method).parameters.values()
    several = {p.name for p in parameters if p.kind is p.VAR_POSITIONAL}
    valid = {p.name: "units" if p.default is p.empty else p.default for p in parameters}

    def call(**arguments: Any) -> Any:
        given = [arguments.pop(key) for key in several]
        return method(*given, **arguments)

    assert list(faults(call, **valid)) == []


def test_nothing_public_is_left_out() -> None:
    functions = {name for name in neuroport.__all__ if inspect.isfunction(getattr(neuroport, name))}
    assert functions <= FUNCTIONS.keys()
    methods = {name for name, f in inspect.getmembers(Session, inspect.isfunction) if name[0] != "_"}
    with_arguments = {name for name in methods if len(inspect.signature(getattr(Session, name)).parameters) > 1}
    assert with_arguments - INNER == METHODS.keys()


def told(call: Any) -> str:
    with pytest.raises(InvalidInput) as error:
        call()
    return str(error.value)


def test_what_is_found_is_shown_beside_what_is_allowed(tmp_path: Path) -> None:
    net = network()
    assert told(lambda: neuroport.load("sal_pair", "a=b")) == "sets must be a list of texts; found 'a=b'"
    assert told(lambda: neuroport.load(None)) == "path must be the path of a file; found None"
    assert told(lambda: neuroport.run("sal_pair")) == (
        "network must be a network, as neuroport.load(FILE) or neuroport.Network(…) gives it; found 'sal_pair'"
    )
    assert told(lambda: neuroport.run(net, "reference", progress=3)) == "progress must be a function, or None; found 3"
    assert told(lambda: neuroport.run(net, "reference", overwrite="no")) == (
        "overwrite must be True or False; found 'no'"
    )
    assert told(lambda: neuroport.run_copies(net, [])) == (
        "without a seed there is no copy to run; give at least one seed"
    )
    assert told(lambda: neuroport.run_copies(net, "12")) == "seeds must be a seed, or a list of seeds; found '12'"
    assert told(lambda: neuroport.run_copies(net, [1, 2], chip_seeds=[1])) == (
        "2 seeds and 1 chip seeds make no pairs; give as many of both, or one number that stands for every copy"
    )


DURATION = "is neither a number of steps nor a time; give 500, '500 steps' or '100 ms'"
STEPS = "a run cannot last {} steps; give a number of steps from 0 to 2**62"


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        (0.5, f"0.5 {DURATION}"),
        (True, f"True {DURATION}"),
        (None, f"None {DURATION}"),
        (np.float32(3), f"3.0 {DURATION}"),
        ([3], f"[3] {DURATION}"),
        (-1, STEPS.format(-1)),
        (2**63, STEPS.format("so many")),
        ("1e30 ms", "1e+30 ms is more than 2**62 steps; give a shorter time"),
        ("1e300 s", "1e+300 s is more than 2**62 steps; give a shorter time"),
        ("9e18 steps", "9e+18 steps is more than 2**62 steps; give a shorter time"),
    ],
)
def test_a_run_lasts_a_number_of_steps(duration: Any, message: str) -> None:
    with neuroport.open(network(), "reference", "ideal") as session:
        assert told(lambda: session.run(duration)) == message
        assert session.step == 0
        session.run(np.int64(3))
        session.run(np.uint8(2))
        assert session.step == 5
    if duration is not None:
        assert told(lambda: neuroport.run(network(), "reference", "ideal", duration=duration)).startswith(message[:12])


@pytest.mark.parametrize(
    ("neurons", "values", "message"),
    [
        (99, 1, "'units' has the neurons 0 to 1; found 99; give their numbers"),
        (-1, 1, "'units' has the neurons 0 to 1; found -1; give their numbers"),
        (0.7, 1, "'units' has the neurons 0 to 1; found 0.7, a real number; give their numbers"),
        ([0, 1], [1, 2, 3], "'units.u_in': 2 neurons were given values of the shape (3,); give as many"),
        ([0], [1, 2], "'units.u_in': 1 neuron was given values of the shape (2,); give as many"),
        ([0, 1], [1], "'units.u_in': 2 neurons were given values of the shape (1,); give as many"),
        ([True], 1, "'units' has the neurons 0 to 1; found truth values; give their numbers"),
        ([[0, 1]], 1, "'units' has the neurons 0 to 1; found an array of the shape (1, 2); give their numbers"),
        (0, "x", "'units.u_in': 'x' is not a number with a unit such as '20 ms'"),
    ],
)
def test_what_cannot_be_injected_is_refused(neurons: Any, values: Any, message: str) -> None:
    with neuroport.open(network(), "reference", "ideal") as session:
        assert told(lambda: session.inject("units.u_in", neurons, values)) == message
        assert session.get("units.u_in").tolist() == [0, 0]


def test_values_of_a_wrong_shape_are_refused() -> None:
    with neuroport.open(network(), "reference", "ideal") as session:
        assert told(lambda: session.set("units.b", [1, 2, 3])) == (
            "'units.b' has the shape (2,), and values of the shape (3,) were given; give as many, or one number for all"
        )


def test_nothing_is_reset_where_one_population_is_unknown() -> None:
    with neuroport.open(network(), "reference", "ideal") as session:
        session.run(3)
        before = session.get("units.x").tolist()
        assert told(lambda: session.reset("units", "unit")) == (
            "there is no population 'unit' in network 'sal_pair'; there are: units; did you mean 'units'?"
        )
        assert session.get("units.x").tolist() == before


def test_a_metric_that_there_is_not_cannot_be_measured() -> None:
    with neuroport.open(network(), "reference", "ideal") as session:
        assert told(lambda: session.measure("weight")) == (
            "there is no metric 'weight' in network 'sal_pair'; there are: weights; did you mean 'weights'?"
        )


CLOSED = "this session is closed, and what executes its program is gone; open another one"


@pytest.mark.parametrize("leave", [lambda s: s.close(), lambda s: s.__exit__()], ids=["close", "with"])
def test_a_closed_session_refuses_everything(leave: Any) -> None:
    session = neuroport.open(network(), "reference", "ideal")
    session.run(3)
    leave(session)
    methods = (
        {name for name, f in inspect.getmembers(Session, inspect.isfunction) if name[0] != "_"} - INNER - {"close"}
    )
    for name in sorted(methods):
        assert told(lambda name=name: called(session, name, METHODS.get(name, {}))) == CLOSED, name
    session.close()
    assert session.step == 3


def test_who_computes_in_the_middle_of_a_run_is_told() -> None:
    """Steps by hand between two items are fine; within one they would be taken from it, or come on top of it."""
    ten = Run(duration=Quantity(10, "steps"))
    twice = replace(network(), protocol=(ten, ten))
    moved = "in the middle of a run, after step 3, the session was moved to step 9; run by hand between items, and not "
    with neuroport.open(twice, "reference", "ideal") as session:
        walk = session.walk_protocol(lambda step: 4)
        next(walk)
        session.run(5)
        assert told(lambda: next(walk)) == f"{moved}from a progress function"
    with neuroport.open(twice, "reference", "ideal") as session:
        walk = session.walk_protocol(lambda step: 10)
        next(walk)
        session.run(5)
        list(walk)
        assert session.step == 25


def test_a_session_that_was_left_is_not_entered_again() -> None:
    with neuroport.open(network(), "reference", "ideal") as session:
        pass
    assert told(session.__enter__) == CLOSED
