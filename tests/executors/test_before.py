"""before(pre.x) and before(post.y) are what a trace is without the spike at hand, wherever they stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroport
from benchmarks.seen_by_synapses import networks
from neuroport import backends
from neuroport.errors import InvalidInput
from neuroport.files import network as reader

STEPS, DELAY, LATE = 40, 3, 2
DECAY = {"x": 0.5, "y": 0.75}
NETWORK = f"""
neuroport: 1
name: earlier
dt: 1 ms
neurons: {{given: {{inputs: {{i: {{range: [-1, 1]}}}}, spike: i > 0}}}}
synapses:
  rule:
    traces:
      x: {{of: pre, decay: {DECAY["x"]}, increment: 1, range: [0, 8]}}
      y: {{of: post, decay: {DECAY["y"]}, increment: 0.5, mode: set, range: [0, 8]}}
    state:
      w: {{weight: true, init: 0, range: [-64, 64]}}
      stepped: {{init: 0, range: [-64, 64]}}
      late: {{init: 0, range: [-64, 64]}}
      told: {{init: 0, range: [-64, 64]}}
    step: |
      stepped = stepped + before(pre.x)
      late = late + before(post.y[d])
    on_pre: |
      send(target, 0 * w)
      w = w + before(pre.x)
    on_post: w = w + 4 * before(post.y)
    on_event: {{each_step: "told = told + before(pre.x) + 2 * before(post.y)"}}
populations: {{a: {{size: 3, neuron: given}}, b: {{size: 2, neuron: given}}}}
projections:
  q: {{source: a, target: b, input: i, synapse: rule, connect: all_to_all, delay: {DELAY} steps,
      dendritic_delay: {LATE} steps}}
stimuli:
  pre: {{spikes: {{times: [TIMES_PRE], neurons: [NEURONS_PRE]}}, population: a, input: i}}
  post: {{spikes: {{times: [TIMES_POST], neurons: [NEURONS_POST]}}, population: b, input: i}}
"""


def trains() -> tuple[Any, Any]:
    """Which neuron spikes in which step."""
    drawn = np.random.default_rng(3)
    return drawn.random((STEPS, 3)) < 0.3, drawn.random((STEPS, 2)) < 0.4


def text() -> str:
    made = NETWORK
    for name, train in zip(("PRE", "POST"), trains(), strict=True):
        steps, neurons = np.nonzero(train)
        made = made.replace(f"TIMES_{name}", ", ".join(f"{step} steps" for step in steps))
        made = made.replace(f"NEURONS_{name}", ", ".join(map(str, neurons)))
    return made


def traced(train: Any, decay: float, increment: float, add: bool) -> Any:
    """The trace after each step but for the spike of that step."""
    trace, found = np.zeros(train.shape[1]), []
    for fired in train:
        found.append(decay * trace)
        trace = np.where(fired, increment + add * found[-1], found[-1])
    return np.array(found)


def expected() -> dict[str, Any]:
    """The same by an independent program."""
    pre, post = trains()
    x, y = traced(pre, DECAY["x"], 1, True), traced(post, DECAY["y"], 0.5, False)

    def past(values: Any, t: int) -> Any:
        return values[t] if t >= 0 else np.zeros_like(values[0])

    made = {name: np.zeros((3, 2)) for name in ("w", "stepped", "late", "told")}
    for t in range(STEPS):
        made["stepped"] += past(x, t - DELAY)[:, None]
        made["late"] += past(y, t - 1 - LATE)
        made["w"] += (past(pre, t - DELAY) * past(x, t - DELAY))[:, None] + 4 * past(post, t - 1) * past(y, t - 1)
        made["told"] += past(x, t + 1 - DELAY)[:, None] + 2 * past(y, t)
    return made


def test_a_trace_without_the_spike_is_what_an_independent_program_says(backend: Any) -> None:
    with neuroport.open(reader.loads(text().encode(), "earlier.yaml"), backend=backend.name) as session:
        session.run(STEPS)
        for name, right in expected().items():
            assert session.get(f"q.{name}").reshape(3, 2) == pytest.approx(right, abs=1e-12), name


def test_it_has_the_same_bits_on_a_chip_and_in_a_checkpoint(backend: Any) -> None:
    network = reader.loads(text().encode(), "earlier.yaml")
    digests = []
    for name in (backend.name, "reference"):
        with (
            neuroport.open(network, backend=name, chip="generic16") as session,
            neuroport.open(network, backend=name, chip="generic16") as other,
        ):
            session.run(STEPS // 2)
            other.restore(session.checkpoint())
            for one in (session, other):
                one.run(STEPS // 2)
                digests.append([one.get(f"q.{key}").tolist() for key in ("w", "stepped", "late", "told")])
    assert digests[0] == digests[1] == digests[2] == digests[3]


def test_synapses_that_keep_it_themselves_learn_the_same(backend: Any) -> None:
    found = []
    for text in networks()["the spike before"].values():
        with neuroport.open(neuroport.loads(text), backend=backend.name, chip="ideal") as session:
            session.run(60)
            found.append(session.get("up.w"))
    assert np.array_equal(found[0], found[1])
    assert np.unique(found[0]).size > 50


def test_a_trace_is_the_same_whether_or_not_it_is_read_without_its_spike() -> None:
    plain = text().replace("before(pre.x)", "pre.x").replace("before(post.y)", "post.y")
    plain = plain.replace("before(post.y[d])", "post.y[d]")
    found = []
    for network in (text(), plain):
        program = neuroport.compile(reader.loads(network.encode(), "earlier.yaml"), chip="generic16")
        machine = backends.load("reference").open(program, 1, [])
        machine.advance(STEPS)
        found.append((machine.read("q.x").tolist(), machine.read("q.y").tolist()))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (
            "before(post.x)",
            "post.x is no trace of this synapse model, and before(...) is what a trace was without the spike at hand; "
            "take one under `traces:` that is `of: post`; there are y",
        ),
        (
            "before(pre.spiked)",
            "pre.spiked is no trace of this synapse model, and before(...) is what a trace was without the spike at "
            "hand; take one under `traces:` that is `of: pre`; there are x",
        ),
        ("before(w)", "before takes a trace, pre.NAME or post.NAME: its value without the spike at hand"),
        ("before(twin.w)", "before takes a trace, pre.NAME or post.NAME: its value without the spike at hand"),
        ("before(pre.x + 1)", "before takes a trace, pre.NAME or post.NAME: its value without the spike at hand"),
        ("before(pre.x, 1)", "before takes 1 arguments, 2 given"),
    ],
)
def test_what_is_no_trace_is_refused(wrong: str, told: str) -> None:
    with pytest.raises(InvalidInput) as error:
        reader.loads(text().replace("w = w + before(pre.x)", f"w = w + {wrong}").encode(), "earlier.yaml")
    assert str(error.value) == f"earlier.yaml:21:15: {told}"


def test_brackets_have_no_meaning_in_triggered_blocks() -> None:
    wrong = text().replace("2 * before(post.y)", "2 * before(post.y[d])")
    with pytest.raises(InvalidInput) as error:
        reader.loads(wrong.encode(), "earlier.yaml")
    assert "post.y[d] is not allowed in 'on_event each_step': a dendritic delay holds back what is sent" in str(
        error.value
    )


def test_a_neuron_has_no_traces() -> None:
    wrong = text().replace("spike: i > 0", "spike: before(pre.x) > 0")
    with pytest.raises(InvalidInput, match=r"pre\.x is no trace of this synapse model"):
        reader.loads(wrong.encode(), "earlier.yaml")
