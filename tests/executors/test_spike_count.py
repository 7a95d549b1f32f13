"""Neurons that spike several times in a step, and what spikes carry, as NumPy says, on every executor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import Network
from neuroport.program.executor import Backend
from neuroport.trace import open_trace
from tests.support import oracle
from tests.support.planning import open_session

STEPS = 40
COUNTED = """
neuroport: 1
name: counted
dt: 1 ms
chip: {chip}
neurons:
  sender:
    state: {{n: {{type: int, init: 0, range: [0, 9]}}, k: {{type: int, init: 0, range: [0, 63]}}}}
    update: |
      k = (5 * k + 3) % 64
      n = max(k // 8 - 3, 0)
    spike_count: n
  taker:
    inputs: {{i: {{range: [-512, 512]}}, back: {{range: [-512, 512]}}}}
    state:
      got: {{init: 0, range: [-512, 512]}}
      n: {{type: int, init: 0, range: [0, 3]}}
    update: |
      got = i + back
      n = int(clip(got / 2, 0, 3))
    spike_count: n
synapses:
  rule:
    traces:
      x: {{of: pre, decay: 0.5, range: [0, 64]}}
      y: {{of: post, decay: 0.5, increment: 0.25, mode: set, range: [0, 1]}}
    state: {{w: {{weight: true, init: 0.25, range: [0, 1]}}, seen: {{type: int, init: 0, range: [0, 10000]}}}}
    on_pre: |
      send(target, w)
      seen = seen + pre.n + 16 * pre.spiked
    on_post: |
      send_back(back, 0.125)
populations:
  a: {{size: 4, neuron: sender, init: {{k: [1, 20, 33, 62]}}}}
  b: {{size: 4, neuron: taker}}
projections:
  static: {{source: a, target: b, input: i, synapse: static, connect: all_to_all, weight: 0.5, delay: 3 ms}}
  rule: {{source: b, target: b, input: i, synapse: rule, connect: {{all_to_all: {{self: false}}}}, delay: 2 ms,
         dendritic_delay: 1 ms}}
protocol: [{{run: {steps} steps}}]
metrics: {{rate: {{rate: a}}, some: {{rate: "a[1:3]"}}}}
record: {{spikes: all}}
"""


def network(chip: str = "generic16") -> Network:
    return reader.loads(COUNTED.format(chip=chip, steps=STEPS).encode(), "counted.yaml")


def expected() -> dict[str, Any]:
    """The same network in NumPy, step by step."""
    k, n_a = np.array([1, 20, 33, 62]), np.zeros((STEPS, 4), int)
    got, n_b = np.zeros((STEPS + 9, 4)), np.zeros((STEPS, 4), int)
    arriving = np.zeros((STEPS + 9, 4))
    x, seen = np.zeros(4), np.zeros((4, 4), int)
    others = 1 - np.eye(4)
    for t in range(STEPS):
        if t >= 3:
            arriving[t] += 0.5 * n_a[t - 3].sum()
        if t >= 2:
            arriving[t + 1] += 0.25 * n_b[t - 2] @ others
            seen += ((n_b[t - 2] + 16 * (n_b[t - 2] > 0))[:, None] * others).astype(int)
        if t >= 1:
            arriving[t] += 0.125 * (n_b[t - 1] @ others)
        k = (5 * k + 3) % 64
        n_a[t] = np.maximum(k // 8 - 3, 0)
        got[t] = arriving[t]
        n_b[t] = np.clip(got[t] / 2, 0, 3).astype(int)
        x = 0.5 * x + n_b[t]
    return {"a.n": n_a, "b.n": n_b, "got": got[STEPS - 1], "x": x, "seen": seen[others > 0]}


@pytest.mark.parametrize("chip", ["generic16", "ideal"])
def test_spikes_send_trace_and_count_as_often_as_they_are(chip: str, backend: Backend) -> None:
    made, wanted = network(chip), expected()
    assert wanted["b.n"].max() == 3
    with open_session(made, neuroport.compile(made), backend) as session:
        session.run_protocol()
        assert session.get("b.got").tolist() == wanted["got"].tolist()
        assert session.get("rule.seen").tolist() == wanted["seen"].tolist()
        np.testing.assert_allclose(session.get("rule.x"), wanted["x"], atol=1e-4)
        assert session.spike_counts() == {"a": wanted["a.n"].sum(), "b": wanted["b.n"].sum()}
        for name in "ab":
            steps, neurons = session.spikes(name)
            found = np.zeros((STEPS, 4), int)
            np.add.at(found, (steps, neurons), 1)
            assert found.tolist() == wanted[f"{name}.n"].tolist()
        ((_, rate),), ((_, some),) = session.results["rate"], session.results["some"]
    assert rate == pytest.approx(wanted["a.n"].mean() * 1000)
    assert some == pytest.approx(wanted["a.n"][:, 1:3].mean() * 1000)


def test_the_largest_of_equal_spikes_is_one_of_them() -> None:
    text = COUNTED.format(chip="generic16", steps=STEPS).replace("i: {range: [", "i: {reduce: max, range: [")
    text = text.replace("init: 0.25, range", "init: 0, range").replace("send_back(back, 0.125)", "send_back(back, 0)")
    with neuroport.open(reader.loads(text.encode(), "largest.yaml"), backend="reference") as session:
        session.run_protocol()
        found = session.get("b.got")
        assert session.spikes("a")[0].max() >= STEPS - 4
    assert set(found.tolist()) <= {0.0, 0.5}


def test_the_bounds_of_a_program_that_counts_hold() -> None:
    oracle.check(neuroport.compile(network()), STEPS)


@pytest.mark.dear
def test_a_trace_has_every_spike_and_a_run_resumes(tmp_path: Path) -> None:
    whole, wanted = tmp_path / "whole.h5", expected()
    run = neuroport.run(network(), trace=whole)
    trace = open_trace(whole)
    assert trace.spike_counts == {"a": wanted["a.n"].sum(), "b": wanted["b.n"].sum()}
    assert len(trace.spikes("a").steps) == wanted["a.n"].sum()
    with neuroport.open(network(), backend="reference") as first:
        first.run(17)
        state = first.checkpoint()
        with neuroport.open(network(), backend="emulator") as second:
            second.restore(state)
            second.run(STEPS - 17)
            assert second.digest() == run.digest
            assert second.spike_counts() == trace.spike_counts


@pytest.mark.dear
def test_copies_count_each_for_themselves() -> None:
    text = COUNTED.format(chip="generic16", steps=STEPS).replace("dt: 1 ms", "dt: 1 ms\ncopies: 3")
    text = text.replace("w: {weight: true,", "w: {weight: true, over_copies: shared,")
    wanted = expected()
    for backend in ("reference", "emulator"):
        with neuroport.open(reader.loads(text.encode(), "counted.yaml"), backend=backend) as session:
            session.run(STEPS)
            assert session.spike_counts() == {"a": 3 * wanted["a.n"].sum(), "b": 3 * wanted["b.n"].sum()}
            _, numbers = session.spikes("a")
            assert np.bincount(numbers % 3).tolist() == [wanted["a.n"].sum()] * 3


@pytest.mark.dear
@pytest.mark.parametrize("backend", ["emulator", "genn"])
def test_copies_that_are_one_program_and_threads_count_the_same(backend: str) -> None:
    wanted = expected()["a.n"].sum()
    runs = neuroport.run_copies(network(), [1, 2], backend=backend)
    assert [run.spikes["a"] for run in runs] == [wanted] * 2


@pytest.mark.dear
def test_threads_count_the_same() -> None:
    text = COUNTED.format(chip="generic16", steps=STEPS).replace("size: 4", "size: 256")
    text = (
        text.replace("send_back(back, 0.125)", "seen = 0")
        .replace("init: {k: [1, 20, 33, 62]}", "init: {k: 5}")
        .replace("weight: 0.5", "weight: 0.01")
    )
    made = reader.loads(text.encode(), "counted.yaml")
    one, two = (neuroport.run(made, threads=threads) for threads in (1, 2))
    assert one.spikes == two.spikes
    assert one.digest == two.digest


def test_a_model_that_counts_is_written_as_it_was_read_and_tells_it() -> None:
    assert "spikes n times where n > 0" in str(network().population("a").neuron)
    again = reader.loads(writer.to_yaml(network()).encode(), "again.yaml")
    assert again.population("a").neuron == network().population("a").neuron


def test_a_model_that_says_when_it_spikes_has_not_the_count_of_its_base() -> None:
    text = COUNTED.format(chip="generic16", steps=STEPS)
    more = "  other: {base: sender, spike: n > 4}\n  again: {base: other, spike_count: n}\nsynapses:"
    text = (
        text.replace("synapses:", more, 1)
        .replace("neuron: sender", "neuron: other")
        .replace("neuron: taker", "neuron: again")
    )
    text = text.replace("input: i,", "input: i,").replace("again: {base: other", "again: {base: taker")
    made = reader.loads(text.encode(), "based.yaml")
    assert made.population("a").neuron.spike_count == ""
    assert made.population("a").neuron.spike is not None
    assert made.population("a").neuron.spike.text == "n > 4"
    assert made.population("b").neuron.spike_count == "n"


MODEL = """
neuroport: 1
name: refused
dt: 1 ms
neurons:
  m:
    params: {{few: {{type: int, default: 1}}}}
    state: {{n: {{type: {type}, init: {init}{range}}}, v: {{init: 0, range: [0, 1]}}}}
    update: {update}
    spike_count: {count}
{more}populations: {{p: {{neuron: m, size: 1, ranges: {{{ranges}}}}}}}
"""
AN_INT = (
    "'{0}' counts spikes, so it is an int from 0 up to 65535 at most, one of each copy: write {0}: {{type: int, "
    "init: 0, range: [0, 15]}}"
)
OWN_RANGE = (
    "11:51: range of 'n' of population 'p' is of a count of spikes, so it is from 0 up to 65535 at most; write one "
    "such as [0, 15]"
)
LATER = "'n' counts the spikes of the step, which synapses read later, so only 'update' assigns 'n'; found it in "


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"count": "few"}, ["10:18: spike_count takes an int variable of the model; 'few' is none, there are n"]),
        ({"count": "v"}, ["10:18: " + AN_INT.format("v")]),
        ({"range": ", range: [-1, 4]"}, ["10:18: " + AN_INT.format("n")]),
        ({"range": ", range: [1, 8]", "init": 1}, ["10:18: " + AN_INT.format("n")]),
        ({"range": ", range: [0, 65536]"}, ["10:18: " + AN_INT.format("n")]),
        ({"ranges": "n: [0, 65536]"}, [OWN_RANGE]),
        ({"range": ""}, ["10:18: " + AN_INT.format("n")]),
        ({"range": ", range: [0, 4], over_copies: shared"}, None),
        ({"type": "real"}, ["10:18: " + AN_INT.format("n")]),
        (
            {"count": "n + 1"},
            ["10:18: spike_count of neuron model 'm' must be a name of letters, digits and _; found the text 'n + 1'"],
        ),
        (
            {"more": "    spike: v > 0\n"},
            ["11:12: neuron model 'm' has a spike_count, and so spikes where that is above 0; leave out `spike`"],
        ),
        (
            {"more": "    on_spike: n = 0\n    after: n = 0\n    on_event: {e: n = 0}\n"},
            ["11:15: " + LATER + "on_spike", "12:12: " + LATER + "after", "13:19: " + LATER + "on_event e"],
        ),
    ],
)
def test_what_is_refused(given: dict[str, str], found: list[str] | None) -> None:
    usual = {"type": "int", "range": ", range: [0, 4]", "init": 0, "update": "n = 1", "count": "n"}
    parts = usual | {"more": "", "ranges": ""} | given
    with pytest.raises(InvalidInput) as refused:
        reader.loads(MODEL.format(**parts).encode(), "refused.yaml")
    problems = [str(problem) for problem in refused.value.problems]
    if found is None:
        assert f"refused.yaml:10:18: {AN_INT.format('n')}" in problems
    else:
        assert problems == [f"refused.yaml:{text}" for text in found]


PAYLOAD = """
neuroport: 1
name: graded
dt: 1 ms
chip: {chip}
neurons:
  coder:
    params: {{gain: {{default: 0.375}}}}
    state: {{v: {{init: {{uniform: [0, 1]}}, range: [0, 4]}}, carried: {{init: 0, range: [-4, 4]}}}}
    update: v = v + gain
    spike: v >= 1
    on_spike: |
      carried = v - 0.5
      v = 0.25 * v
  taker:
    inputs: {{i: {{range: [-64, 64]}}}}
    state: {{got: {{init: 0, range: [-64, 64]}}}}
    update: got = i
synapses:
  carrying:
    state: {{w: {{weight: true, init: 0.5, range: [0, 1]}}}}
    on_pre: send(target, w * pre.carried)
populations:
  a: {{size: 5, neuron: coder}}
  b: {{size: 3, neuron: taker}}
projections:
  up: {{source: a, target: b, input: i, synapse: carrying, connect: all_to_all, weight: {{uniform: [0, 1]}},
       delay: 4 ms, dendritic_delay: {{uniform: [0 ms, 2 ms]}}}}
protocol: [{{run: 30 steps}}]
record: {{spikes: all, states: {{a.carried: 1 ms, b.got: 1 ms}}}}
"""


def test_a_spike_carries_what_its_neuron_wrote_when_it_spiked(backend: Backend) -> None:
    """Whatever the neuron writes while the spike is on its way."""
    made = reader.loads(PAYLOAD.format(chip="ideal").encode(), "graded.yaml")
    program = neuroport.compile(made)
    with open_session(made, program, backend) as session:
        session.run_protocol()
        steps, neurons = session.spikes("a")
        (_, carried), (_, got) = session.records("a.carried"), session.records("b.got")
        weights = session.get("up.w").reshape(5, 3)
    late = program.projections[0].dendritic
    assert late is not None
    wanted = np.zeros((40, 3))
    for t, i in zip(steps, neurons, strict=True):
        for j in range(3):
            wanted[t + 4 + late.reshape(5, 3)[i, j], j] += weights[i, j] * carried[t, i]
    assert len(set(np.round(carried[steps, neurons], 6))) > 10
    np.testing.assert_allclose(got, wanted[:30], atol=1e-12)


@pytest.mark.parametrize("chip", ["generic8"])
def test_payloads_are_the_same_on_every_executor(chip: str, backend: Backend) -> None:
    made = reader.loads(PAYLOAD.format(chip=chip).encode(), "graded.yaml")
    program = neuroport.compile(made)
    with open_session(made, program, backend) as one, open_session(made, program, oracle.Literal()) as other:
        one.run_protocol()
        other.run_protocol()
        assert one.digest() == other.digest()
