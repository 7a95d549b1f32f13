"""What Python and notebooks show of things, and what the package says of itself."""

from __future__ import annotations

import pydoc
from pathlib import Path
from typing import Any

import pytest

import neuroport
from neuroport.errors import UnknownKey, UnknownName
from neuroport.files.network import loads
from neuroport.trace.read import open_trace

TEXT = """\
neuroport: 1
name: shown
title: Two populations
dt: 0.5 ms
copies: 1
chip: generic8_mismatch10
populations:
  source: {size: 1200, neuron: spike_source}
  cells: {size: 3, neuron: lif, params: {tau_m: 15 ms, v_th: {normal: [-50 mV, 1 mV]}}, init: {v: -65 mV}}
projections:
  drive: {source: source, target: cells, input: jump, synapse: static, connect: {fixed_in_degree: 5}, weight: 2}
stimuli:
  kick: {population: source, input: spike_in, spikes: {times: [1 ms, 1 ms], neurons: [0, 1]}}
ports: {action: {spikes: cells}}
metrics: {rate: {rate: cells}, weights: {values: drive.w}, cells: {rate: source}}
protocol: [{run: 5 ms}, {measure: [rate, weights]}]
record: {spikes: all, states: {cells.v: 1 ms}}
"""


def network() -> Any:
    return loads(TEXT, "shown.yaml")


def test_a_network() -> None:
    assert repr(network()) == (
        "<Network shown: Two populations\n"
        "  dt 0.5 ms, seed 1, chip generic8_mismatch10\n"
        "  populations source (1,200 spike_source), cells (3 lif)\n"
        "  projections drive (source to cells, static)\n"
        "  stimuli kick\n"
        "  ports action\n"
        "  metrics rate, weights, cells\n"
        "  protocol of 2 items>"
    )
    html = network()._repr_html_()
    assert '<td style="text-align:left">drive</td>' in html and "FixedInDegree" in html


def test_what_a_network_has_by_name() -> None:
    whole = network()
    assert list(whole) == ["source", "cells", "drive", "kick", "action", "rate", "weights"]
    assert whole["cells"] is whole.populations[1], "and not the metric of that name"
    assert whole["drive"] is whole.projections[0] and whole["kick"] is whole.stimuli[0]
    assert whole["action"] is whole.ports[0] and whole["rate"] is whole.metrics[0]
    assert "cells" in whole and "celsl" not in whole
    with pytest.raises(UnknownKey) as caught:
        whole["celsl"]
    names = "source, cells, drive, kick, action, rate, weights"
    assert (
        str(caught.value)
        == f"network 'shown' has nothing of the name 'celsl'; did you mean 'cells'? there are: {names}"
    )
    assert repr(whole["cells"]) == (
        "<Population cells: 3 neurons of lif, tau_m 15 ms, v_th normal(mean=-50 mV, sd=1 mV), v at first -65 mV>"
    )
    assert repr(whole["drive"]) == "<Projection drive: source to jump of cells by static, weight 2, delay 1 step>"


def test_a_model_and_a_chip() -> None:
    lif, static, chip = neuroport.models["lif"], neuroport.models["static"], neuroport.chips["ideal"]
    assert repr(lif) == "<Neuron model lif: Leaky integrate-and-fire neuron>"
    assert repr(static) == "<Synapse model static: Synapse of constant weight>"
    assert repr(chip) == "<Chip ideal: No chip - float64 arithmetic>"
    for thing in (lif, static, chip):
        assert str(thing).startswith(f"{thing.name}: {thing.title}\n")
        assert f"<b>{thing.name}</b>" in thing._repr_html_()


def test_a_session() -> None:
    head = "<Session of shown on generic8_mismatch10, chip seed 3 (integer), backend reference, seed 1\n"
    tail = (
        "\n  populations source (1,200), cells (3)\n  projections drive (15)\n  ports action\n"
        "  records source, cells, cells.v>"
    )
    with neuroport.open(network(), "reference", chip_seed=3) as session:
        assert (session.dt, session.closed) == (0.5, False)
        session.run("5 ms")
        assert repr(session) == f"{head}  step 10 of 0.5 ms (0.005 s){tail}"
        rows = session._repr_html_()
        assert rows.startswith("<div><p><b>Session of shown on generic8_mismatch10, chip seed 3 ")
        assert '<td style="text-align:left">cells.v</td><td style="text-align:left">state</td>' in rows
    assert session.closed
    assert repr(session) == f"{head}  step 10 of 0.5 ms (0.005 s), closed{tail}"


def test_a_metric_of_one_value_is_that_value() -> None:
    text = "{neuroport: 1, name: one, dt: 1 ms, populations: {c: {size: 1, neuron: lif}}, metrics: {v: {values: c.v}}}"
    assert "\n  metrics v -70\n" in repr(neuroport.run(neuroport.loads(text), "reference", duration="1 ms"))


def test_what_is_no_variable_of_a_session_is_told() -> None:
    with neuroport.open(network(), "reference") as session:
        text = (
            "'cells.tau_m' is a constant parameter of 15 ms: the program has only what follows from it, so a session "
            "cannot read or change it; neuroport.load(NET, ['cells.tau_m=VALUE']), or --set cells.tau_m=VALUE, is for "
            "a program with another one"
        )
        for call in (session.get, lambda name: session.set(name, 3)):
            with pytest.raises(UnknownName) as caught:
                call("cells.tau_m")
            assert str(caught.value) == text
        with pytest.raises(UnknownName) as caught:
            session.get("cells.r_m")
        assert str(caught.value).startswith("'cells.r_m' is a constant parameter of 100 MOhm: ")
        with pytest.raises(UnknownName) as caught:
            session.get("cells.tau")
        assert str(caught.value).startswith("there is no port or variable 'cells.tau' in network 'shown'; ")


def test_a_run_and_its_trace(tmp_path: Path) -> None:
    path = tmp_path / "shown.h5"
    run = neuroport.run(network(), "reference", chip_seed=3, trace=path)
    head = "shown on generic8_mismatch10, chip seed 3 (integer), backend reference, seed 1\n"
    assert repr(run) == (
        f"<Run of {head}"
        "  10 steps of 0.5 ms (0.005 s)\n"
        "  spikes source 2 (0.3333 Hz), cells 0 (0 Hz)\n"
        "  metrics rate 0, weights 15 values\n"
        f"  digest {run.digest}\n"
        f"  trace {path}>"
    )
    assert '<td style="text-align:right">2</td>' in run._repr_html_()
    assert run._repr_html_().startswith("<div><p><b>Run of shown on generic8_mismatch10, chip seed 3 ")
    trace = open_trace(path)
    assert repr(trace) == (
        f"<Trace {path}: {head}"
        "  10 steps of 0.5 ms (0.005 s)\n"
        "  spikes source, cells\n"
        "  record cells.v\n"
        "  final cells.v, cells.ref, drive.w\n"
        "  metrics rate, weights>"
    )
    assert '<td style="text-align:right">1,200</td>' in trace._repr_html_()


@pytest.mark.dear
@pytest.mark.parametrize("backend", ["emulator", "genn"])
def test_a_closed_session_of_a_compiling_executor(backend: str) -> None:
    from neuroport import backends

    if backends.missing(backend):
        pytest.skip(f"{backend}: {backends.missing(backend)}")
    with neuroport.open(neuroport.load("sal_pair"), backend) as session:
        session.run(3)
    assert "step 3 of 1 ms (0.003 s), closed" in repr(session)


def test_the_package_shows_its_own_names_only() -> None:
    assert dir(neuroport) == sorted([*neuroport.__all__, "__version__"])
    assert sorted(neuroport.__all__) == neuroport.__all__
    for name in dir(neuroport):
        assert getattr(neuroport, name) is not None
    with pytest.raises(AttributeError, match=r"^module 'neuroport' has no attribute 'laod'$"):
        neuroport.laod  # noqa: B018


def test_help_tells_of_the_package() -> None:
    text = pydoc.plain(pydoc.render_doc(neuroport))
    for name in neuroport.__all__:
        assert name in text, name
    assert "NETWORK = Kind" not in text
    assert neuroport.__doc__ is not None
    assert all(name in neuroport.__doc__ for name in ("load", "run", "open", "models", "chips", "hil", "InvalidInput"))
