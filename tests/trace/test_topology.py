"""Traces that have no synapses: what is not in them, what is said of that, and what goes on as with all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.trace.read import Trace, open_trace

SIZE = 12
NET = """
neuroport: 1
name: n
dt: 1 ms
neurons:
  cell:
    params: {gain: {default: 1, dynamic: true, range: [0, 2]}}
    inputs: {i: {range: [-8, 8]}}
    state: {v: {init: 0, range: [-8, 8]}}
    update: v = 0.5 * v + gain * i
    spike: uniform() < 0.3
synapses:
  learning:
    params: {eta: {default: 0.01, dynamic: true, range: [0, 1]}}
    state: {w: {weight: true, init: 0.5, range: [0, 1]}, m: {init: 0, range: [0, 1], class: plastic}}
    on_pre: |
      send(target, w)
      w = w * 0.99
      m = m + eta
populations: {a: {size: 12, neuron: cell}, b: {size: 12, neuron: cell}}
projections:
  ab:
    source: a
    target: b
    input: i
    synapse: learning
    connect: all_to_all
    dendritic_delay: {uniform: [1 steps, 3 steps]}
  back: {source: b, target: a, input: i, synapse: static, connect: all_to_all, weight: 0.1, ranges: {w: [0, 1]}}
protocol: [{run: 20 steps}, {set: {ab.eta: 0.02, a.gain: 0.5}}, {run: 20 steps}]
record: {spikes: all, states: {a.v: 10 steps}, topology: none}
"""
SAID = "has neither the synapses nor their final values, as its network says record: {topology: none}"


def run(folder: Path, name: str, topology: str = "none", **arguments: Any) -> Trace:
    network = reader.loads(NET.replace("topology: none", f"topology: {topology}"), "n.yaml")
    neuroport.run(network, backend="reference", trace=folder / name, **arguments)
    return open_trace(folder / name)


def sizes(path: Path) -> dict[str, int]:
    """How many numbers each data set has."""
    found: dict[str, int] = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.update({name: item.size} if isinstance(item, h5py.Dataset) else {}))
    return found


@pytest.fixture(scope="module")
def none(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return run(tmp_path_factory.mktemp("topology"), "none.h5")


@pytest.fixture(scope="module")
def whole(none: Trace) -> Trace:
    return run(none.path.parent, "all.h5", "all")


def test_what_grows_with_synapses_is_left_out_and_nothing_else(none: Trace, whole: Trace) -> None:
    few, many = sizes(none.path), sizes(whole.path)
    left_out = {name for name in many if name not in few}
    synapses = [f"projections/{name}" for name in ("ab/pre", "ab/post", "ab/dendritic", "back/pre", "back/post")]
    assert left_out == {f"neuroport/{name}" for name in (*synapses, "final/ab.w", "final/ab.m", "final/back.w")}
    assert all(many[name] == SIZE**2 for name in left_out)
    assert few == {name: size for name, size in many.items() if name not in left_out}
    assert none.digest == whole.digest
    assert none.settings == whole.settings == ("a.gain", "ab.eta")


def test_weights_that_the_host_set_are_left_out(tmp_path: Path) -> None:
    network = reader.loads(NET, "n.yaml")
    with neuroport.open(network, backend="reference", trace=tmp_path / "o.h5") as session:
        session.set("back.w", np.linspace(0, 1, SIZE**2))
        session.set("a.gain", 0.25)
        session.run(5)
        session.finish(session.digest())
    trace = open_trace(tmp_path / "o.h5")
    assert trace.complete
    assert trace.settings == ("a.gain",)


@pytest.mark.parametrize(
    ("read", "what"),
    [
        (lambda t: t.pairs("ab"), "synapses of 'ab'"),
        (lambda t: t.weights("ab"), "weights of 'ab'"),
        (lambda t: t.weight_history("ab.w"), "weights of 'ab.w'"),
        (lambda t: t.weight_samples("ab.w"), "weight snapshots of 'ab.w'"),
        (lambda t: t.final_array("ab.m"), "final values of 'ab.m'"),
        (lambda t: t.setting("ab.other"), "setting of 'ab.other'"),
    ],
)
def test_what_is_asked_of_the_synapses_is_answered_with_why(
    none: Trace, read: Callable[[Trace], object], what: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(none)
    assert str(caught.value) == f"{none.path}: holds no {what}: it {SAID}"


def said(*arguments: str | Path, code: int = 0) -> list[str]:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output.splitlines()


def test_show_says_what_is_not_there(none: Trace, whole: Trace) -> None:
    assert said("show", none.path)[-2:] == ["final values of a.v, b.v", f"note: '{none.path}' {SAID}"]
    assert "topology" not in "\n".join(said("show", whole.path))


def test_show_says_of_a_network_that_no_synapses_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text(NET)
    assert "records spikes of a, spikes of b, a.v every 10 steps; no synapses" in said("show", path)


def test_compare_says_what_was_not_compared(none: Trace, whole: Trace) -> None:
    note = f"note: '{none.path}' {SAID}"
    compared = "identical: spikes of a, spikes of b, samples of a.v, final values of a.v, final values of b.v"
    assert said("compare", none.path, none.path) == [note, note, compared]
    told = said("compare", whole.path, none.path, code=1)
    assert told[:4] == [
        note,
        "only the first holds final values of 'ab.w'",
        "only the first holds final values of 'ab.m'",
        "only the first holds final values of 'back.w'",
    ]


def test_plot_draws_the_rest_and_says_what_is_missing(none: Trace, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    out = tmp_path / "o.png"
    assert said("plot", none.path, "-o", out) == [f"note: '{none.path}' {SAID}", str(out)]


def test_export_needs_the_synapses(none: Trace, tmp_path: Path) -> None:
    out = tmp_path / "o.yaml"
    text = f"error: {none.path}: cannot be made a network of: it {SAID}; run it again without that"
    assert said("export", none.path, "-o", out, code=2) == [text]
    assert not out.exists()


def test_a_run_without_synapses_in_its_trace_is_gone_on_with(none: Trace, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done:
            raise Stop

    with pytest.raises(Stop):
        run(tmp_path, "o.h5", progress=stop)
    trace = open_trace(tmp_path / "o.h5")
    assert trace.resumable and not trace.complete
    neuroport.resume(tmp_path / "o.h5")
    trace = open_trace(tmp_path / "o.h5")
    assert (trace.complete, trace.digest) == (True, none.digest)
    assert sizes(trace.path) == sizes(none.path)


def test_an_unknown_topology_of_a_trace_is_damage(none: Trace, tmp_path: Path) -> None:
    path = tmp_path / "o.h5"
    path.write_bytes(none.path.read_bytes())
    with h5py.File(path, "r+") as file:
        file["neuroport"].attrs["topology"] = "some"
    with pytest.raises(
        InvalidInput, match="the attribute 'topology' of /neuroport is 'some'; it must be one of all, n"
    ):
        open_trace(path)
