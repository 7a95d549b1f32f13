"""What is done inside of patterns, and `present` items that go on: held against loops that do the same by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from neuroport.backends.reference import Reference
from neuroport.elaborate.plan import settings
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program import plan
from neuroport.program.identity import plain
from neuroport.session.checkpoint import Checkpoint
from neuroport.session.protocol import continued
from neuroport.session.session import Session, open_session
from tests.support.executors import BACKENDS
from tests.support.planning import shortened, verify

TWO_PHASES = """\
neuroport: 1
name: two_phases
dt: 0.5 ms
COPIES
neurons:
  source:
    inputs: {r_in: {range: [-2, 2]}}
    state: {r: {init: 0, range: [-2, 2]}}
    update: r = r_in
  answer:
    params: {teach: {type: int, default: 0, dynamic: true, range: [0, 1]}}
    inputs: {sum: {range: [-8, 8]}, goal: {range: [-2, 2]}}
    state:
      y: {init: 0, range: [-8, 8]}
      free: {init: 0, range: [-64, 64]}
      taught: {init: 0, range: [-64, 64]}
    update: |
      y = goal if teach else sum
      free = free if teach else free + sum
      taught = taught + y if teach else taught
synapses:
  contrast:
    params: {rate: {default: 0.03125, range: [0, 1]}}
    state:
      w: {weight: true, init: 0, range: [-4, 4]SHARED}
      g: {init: 0, range: [-64, 64]SHARED}
    step: |
      send(target, w * pre.r)
      g = DIFFERENCE
    on_event: {learn: "w = w + rate * g / copies"}
populations:
  x: {size: 3, neuron: source}
  y: {size: 2, neuron: answer}
projections:
  up: {source: x, target: y, input: sum, synapse: contrast, connect: all_to_all}
stimuli:
  train:
    patterns: {values: [[1, 0, 0.5], [0, 1, 1], [1, 1, -1], [0.25, -0.5, 0]], hold: 5 ms}
    population: x
    input: r_in
  goals: {patterns: {values: [[1, 0], [0, 1], [1, 1], [-0.5, 0.25]], beside: train}, population: y, input: goal}
readouts:
  out: {samples: {of: y.y, reduce: last}}
metrics: {w: {values: up.w}, y: {values: out}}
protocol:
  - repeat: 3
    do:
      - present: train
        readout: [out]
        each:
          - {at: 2.5 ms, set: {y.teach: 1}}
          - {at: end, event: learn}
          - {at: end, set: {y.teach: 0}}
          - {at: 10 steps, reset: [y]}
      - measure: [w, y]
record: {states: {y.taught: 1 step}}
"""
X = np.array([[1, 0, 0.5], [0, 1, 1], [1, 1, -1], [0.25, -0.5, 0]])
GOALS = np.array([[1, 0], [0, 1], [1, 1], [-0.5, 0.25]])


def two_phases(chip: str, copies: int = 1) -> Network:
    parts = ("", "", "(post.taught - post.free) * pre.r")
    if copies > 1:
        parts = (f"copies: {copies}", ", over_copies: shared", "sum_copies((post.taught - post.free) * pre.r)")
    text = TWO_PHASES
    for key, part in zip(("COPIES\n", "SHARED", "DIFFERENCE"), (parts[0] and f"{parts[0]}\n", *parts[1:]), strict=True):
        text = text.replace(key, part)
    return reader.loads(text.encode(), "two_phases.yaml", sets=(f"chip={chip}",))


def by_hand(session: Session) -> Iterator[NDArray[np.float64]]:
    """The protocol, one call after another; the weights after every epoch."""
    for _ in range(3):
        for pattern, goal in zip(X, GOALS, strict=True):
            session.inject("x.r_in", None, pattern, hold=10)
            session.inject("y.goal", None, goal, hold=10)
            session.run(5)
            session.set("y.teach", 1)
            session.run("2.5 ms")
            session.trigger("learn")
            session.set("y.teach", 0)
            session.reset("y")
        yield session.get("up.w")


@pytest.mark.parametrize("chip", ["ideal", "generic16", "generic8"])
def test_a_rule_of_two_phases_is_the_loop_that_does_it_by_hand(chip: str, backend: Any) -> None:
    program, planned = shortened(two_phases(chip), steps=1000)
    with open_session(program, planned, backend) as session, open_session(program, planned, backend) as other:
        session.run_protocol()
        expected = [weights.ravel().tolist() for weights in by_hand(other)]
        assert [value for _, value in session.results["w"]] == expected
        assert [step for step, _ in session.results["w"]] == [40, 80, 120]
        assert session.digest() == other.digest() and len({*map(str, expected)}) == 3


def test_a_rule_of_two_phases_is_that_of_numpy() -> None:
    w, expected = np.zeros((3, 2)), []
    before = np.zeros(3)  # what the projection reads: the sources of the step before
    for _ in range(3):
        for pattern, goal in zip(X, GOALS, strict=True):
            free, taught, g = np.zeros(2), np.zeros(2), np.zeros((3, 2))
            for step in range(10):
                g = np.outer(before, taught - free)
                total, before = before @ w, pattern
                free, taught = (free, taught + goal) if step >= 5 else (free + total, taught)
            w = w + 0.03125 * g
        expected.append(w)
    with neuroport.open(two_phases("ideal"), backend="reference") as session:
        session.run_protocol()
        found = [value for _, value in session.results["w"]]
    np.testing.assert_allclose(found, [w.ravel() for w in expected], rtol=0, atol=1e-14)


def test_copies_learn_together_inside_of_patterns(backend: Any) -> None:
    """What one copy learns of all patterns of a batch is the mean of what each would."""
    program, planned = shortened(two_phases("ideal", copies=2), steps=1000)
    w = np.zeros((3, 2))
    before = np.zeros((2, 3))
    for _ in range(3):
        for batch in (0, 2):
            free, taught, g = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((3, 2))
            for step in range(10):
                g = before.T @ (taught - free)
                total, before = before @ w, X[batch : batch + 2]
                free, taught = (free, taught + GOALS[batch : batch + 2]) if step >= 5 else (free + total, taught)
            w = w + 0.03125 * g / 2
    with open_session(program, planned, backend) as session:
        session.run_protocol()
        np.testing.assert_allclose(session.get("up.w"), w.ravel(), rtol=0, atol=1e-14)


@pytest.mark.dear
def test_copies_that_share_nothing_are_runs_of_their_own() -> None:
    """Each has its own order of patterns, and goes on with it."""
    each = "each: [{at: 1 ms, set: {a.mark: 3}}, {at: end, event: count}, {at: end, set: {a.mark: 0}}]"
    network = marks(f"  - repeat: 3\n    do: [{{present: p, count: 2, take: next, {each}}}]", 3, "shuffle")
    copies = [run.digest for run in neuroport.run_copies(network, seeds=[5, 6, 7])]
    assert copies == [neuroport.run(network, seed=seed, backend="reference").digest for seed in (5, 6, 7)]


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", "generic8"])
def test_executors_are_verified_with_it(chip: str) -> None:
    network = two_phases(chip)
    program, _ = shortened(network, steps=1000)
    found = verify(network, program, list(BACKENDS.values()), full=True)
    assert found.identical and found.steps == 120


# ------------------------------------------------------------------------------------------------------------- times

MARKS = """\
neuroport: 1
name: marks
dt: 1 ms
neurons:
  cell:
    params: {mark: {type: int, default: 0, dynamic: true, range: [0, 1000]}}
    inputs: {i: {range: [0, 64]}}
    state:
      seen: {init: 0, range: [0, 64]}
      m: {type: int, init: 0, range: [0, 1000]}
      n: {type: int, init: 0, range: [0, 1000]}
      at: {type: int, init: 0, range: [0, 1000]}
    update: |
      seen = i
      m = mark
      at = item_step
    on_event: {count: n = n + 1}
populations: {a: {size: 1, neuron: cell}}
stimuli:
  p: {patterns: {values: [[1], [2], [3], [4], [5]], hold: HOLD steps, order: ORDER}, population: a, input: i}
protocol:
PROTOCOL
record: {states: {a.seen: 1 step, a.m: 1 step, a.n: 1 step, a.at: 1 step}}
"""
Marks = list[tuple[int, float]]


def marks(protocol: str, hold: int, order: str = "sequential") -> Network:
    text = MARKS.replace("HOLD", str(hold)).replace("ORDER", order).replace("PROTOCOL", protocol)
    return reader.loads(text.encode(), "marks.yaml")


def opened(network: Network, seed: int = 1) -> Session:
    program, planned = shortened(network, steps=10**6)
    return open_session(program, planned, Reference(), seed)


def recorded(session: Session) -> dict[str, list[float]]:
    names = ("seen", "m", "n", "at")
    return {name: session.records(f"a.{name}")[1].ravel().tolist() for name in names}


def drawn(draw: random.Random) -> tuple[str, dict[str, list[float]], int]:
    """A protocol with actions at random times, what it comes to, and the hold of its patterns."""
    hold, count = draw.randrange(1, 6), draw.randrange(1, 8)
    times = sorted(draw.randrange(hold + 1) for _ in range(draw.randrange(1, 5)))
    actions = [(at, draw.choice(["set", "event"]), draw.randrange(1000)) for at in times]
    written = [
        f"{{at: {draw.choice(['end', f'{at} ms']) if at == hold else f'{at} steps'}, "
        + (f"set: {{a.mark: {value}}}}}" if kind == "set" else "event: count}")
        for at, kind, value in actions
    ]
    told: dict[str, list[float]] = {"seen": [], "m": [], "n": [], "at": []}
    mark, n = 0, 0
    for round_ in range(2):
        for k in range(count):
            for step in range(hold + 1):
                for at, kind, value in actions:
                    mark, n = (
                        (value, n) if at == step and kind == "set" else (mark, n + (at == step and kind == "event"))
                    )
                if step < hold:
                    told["at"].append(k * hold + step)
                    told["seen"].append((round_ * count + k) % 5 + 1)
                    told["m"].append(mark)
                    told["n"].append(n)
    text = f"  - repeat: 2\n    do: [{{present: p, count: {count}, take: next, each: [{', '.join(written)}]}}]"
    return text, told, hold


@pytest.mark.parametrize("seed", [*range(10), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(10, 100))])
def test_actions_are_done_at_their_steps(seed: int) -> None:
    """At any time, in any piece, and also when another session goes on between any two of them."""
    draw = random.Random(seed)
    protocol, told, hold = drawn(draw)
    program, planned = shortened(marks(protocol, hold), steps=10**6)
    session = open_session(program, planned, Reference(), 1)
    session.run_protocol()
    assert recorded(session) == told
    session, ended = open_session(program, planned, Reference(), 1), False
    while not ended:
        ended = True
        for _ in session.walk_protocol(lambda step: draw.randrange(1, 4)):
            if draw.random() < 0.2:
                saved, ended = session.checkpoint().tree(), False
                break
        if not ended:
            session = open_session(program, planned, Reference(), 1)
            session.restore(Checkpoint.of_tree(saved))
    assert recorded(session) == told


def test_a_run_comes_back_only_where_something_is_done() -> None:
    """Without actions an item is one piece; with them, a piece ends at each of their times."""
    found = dict[str, list[int]]()
    for each in (
        "",
        ", each: [{at: end, event: count}]",
        ", each: [{at: 0 ms, event: count}, {at: 9 ms, event: count}]",
    ):
        with opened(marks(f"  - {{present: p, count: 3{each}}}", 10)) as session:
            found[each] = [session.step for _ in session.walk_protocol(lambda step: 10**6)]
    assert list(found.values()) == [
        [30, 30],  # the last one is what is measured at the end
        [10, 10, 20, 20, 30, 30, 30],
        [0, 9, 9, 10, 10, 19, 19, 20, 20, 29, 29, 30, 30],
    ]


@pytest.mark.parametrize("restored", [False, True])
def test_steps_by_hand_in_the_middle_of_an_item_are_steps_of_it(restored: bool) -> None:
    """Its patterns are shown in them, and nothing else is done."""
    network = marks("  - {present: p, count: 3, each: [{at: 2 steps, event: count}, {at: end, event: count}]}", 4)
    for by_hand, counted in ((0, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]), (4, [0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3])):
        with opened(network) as session:
            for _ in session.walk_protocol(lambda step: 1):
                if session.step == 3:
                    break
            session.run(by_hand)
            if restored:
                session.restore(session.checkpoint())
            session.run_protocol()
            found = recorded(session)
            assert (found["seen"], found["n"]) == ([1] * 4 + [2] * 4 + [3] * 4, counted)
            assert (session.step, session.get("a.n").item()) == (12, counted[-1] + 1)


@pytest.mark.parametrize("restored", [False, True])
def test_an_item_that_was_passed_by_hand_is_over(restored: bool) -> None:
    network = marks("  - {present: p, count: 2, each: [{at: end, event: count}]}\n  - run: 2 steps", 3)
    with opened(network) as session:
        next(walk := session.walk_protocol(lambda step: 1))
        walk.close()
        session.run(8)
        if restored:
            session.restore(session.checkpoint())
        session.run_protocol()
        assert (session.step, session.get("a.n").item()) == (11, 0)
        assert recorded(session)["seen"] == [1, 1, 1, 2, 2, 2, 0, 0, 0, 0, 0]


def test_what_is_set_inside_of_patterns_is_known_before_the_run() -> None:
    """A rate that is too high for a step, and what a parameter will be set to, are told as of any other `set`."""
    text = """
neuroport: 1
name: rates
dt: 5 ms
populations: {a: {size: 2, neuron: poisson, params: {rate: 1 Hz}}, b: {size: 1, neuron: rate_source}}
stimuli: {p: {patterns: {values: [[0]], hold: 15 ms}, population: b, input: r_in}}
protocol: [{present: p, each: [{at: 5 ms, set: {a.rate: 600 Hz}}]}]
"""
    network = reader.loads(text.encode(), "rates.yaml")
    program, planned = shortened(network, steps=1000)
    assert [line.text for line in program.report if line.topic == "chance"] == [
        "would spike 3 times in a step of 5 ms, and once is the most: it stays at 200 Hz; take a lower rate or a "
        "shorter dt"
    ]
    assert settings(network, program) == [{"a.rate": 0.6}]
    assert [type(item).__name__ for item in plan.walk(planned.protocol)] == ["Present", "Set"]


def test_events_see_the_last_step_of_a_pattern_and_the_step_that_comes() -> None:
    """And readouts have seen it before what is done at its end."""
    protocol = "[{present: p, count: 3, readout: [r], each: [{at: 2 ms, event: look}, {at: end, reset: [a]}]}]"
    text = f"""
neuroport: 1
name: looks
dt: 1 ms
neurons:
  cell:
    inputs: {{i: {{}}}}
    state:
      v: {{init: 0}}
      looked: {{init: 0, class: plastic}}
      now: {{type: int, init: 0, range: [0, 100]}}
    update: v = v + i
    on_event:
      look: |
        looked = v
        now = t * 10 + item_step
populations: {{a: {{size: 1, neuron: cell}}}}
stimuli: {{p: {{patterns: {{values: [[1], [2], [3]], hold: 4 ms}}, population: a, input: i}}}}
readouts: {{r: {{samples: {{of: a.v, reduce: last}}}}}}
metrics: {{rows: {{values: r}}}}
protocol: {protocol.replace("reset: [a]", "reset: {populations: [a], keep: learned}")}
"""
    with opened(reader.loads(text.encode(), "looks.yaml")) as session:
        seen = dict[int, tuple[float, float]]()
        for _ in session.walk_protocol(lambda step: 10**6):
            seen[session.step] = (session.get("a.looked").item(), session.get("a.now").item())
        assert {step: seen[step] for step in (2, 6, 10)} == {2: (2, 22), 6: (4, 66), 10: (6, 110)}
        assert session.results["rows"] == [(12, [4, 8, 12])]


# ------------------------------------------------------------------------------------------------------- going on


@pytest.mark.parametrize("order", ["sequential", "shuffle", "choice"])
def test_items_that_go_on_show_one_order_however_it_is_cut(order: plan.Order) -> None:
    whole = continued("p", order, 5, 40, 3, 0).tolist()
    draw, cut = random.Random(1), list[int]()
    while len(cut) < 40:
        cut += continued("p", order, 5, min(40 - len(cut), draw.randrange(1, 9)), 3, len(cut)).tolist()
    assert cut == whole
    rounds = [sorted(whole[k : k + 5]) == [0, 1, 2, 3, 4] for k in range(0, 40, 5)]
    assert all(rounds) if order != "choice" else not any(rounds)
    assert (whole == [0, 1, 2, 3, 4] * 8) == (order == "sequential")
    if order != "sequential":
        assert whole[:5] != whole[5:10] and whole != continued("p", order, 5, 40, 4, 0).tolist()


def test_items_between_those_that_go_on_begin_anew() -> None:
    """And show what they do where nothing goes on."""
    nexts = "{present: p, count: 2, take: next}"
    with opened(marks(f"  - repeat: 3\n    do: [{nexts}, {{present: p, count: 4}}, {nexts}]", 1, "shuffle")) as session:
        session.run_protocol()
        seen = np.array(recorded(session)["seen"]).reshape(3, 8)
    assert sorted(seen[:, [0, 1, 6, 7]].ravel()[:5]) == sorted(seen[:, [0, 1, 6, 7]].ravel()[5:10]) == [1, 2, 3, 4, 5]
    with opened(marks("  - repeat: 3\n    do: [{present: p, count: 4}]", 1, "shuffle")) as session:
        session.run_protocol()
        assert recorded(session)["seen"] == seen[:, 2:6].ravel().tolist()


def test_patterns_that_go_on_in_two_places_are_one_order() -> None:
    protocol = "  - {present: p, count: 3, take: next}\n  - {present: p, count: 4, take: next}"
    with opened(marks(protocol, 1)) as session:
        session.run_protocol()
        assert recorded(session)["seen"] == [1, 2, 3, 4, 5, 1, 2]


def test_a_checkpoint_of_a_plan_without_them_is_still_one_of_it() -> None:
    """Plans did not have these fields at first, and what was saved of them then is gone on from."""
    assert plain(plan.Present("p", ("p",), "shuffle", 2, 3)) == (
        "Present(patterns='p', series=('p'), order='shuffle', holds=2, hold=3, readouts=())"
    )
    acting = plan.Present("p", ("p",), "shuffle", 2, 3, (), (plan.Action(3, plan.Trigger("learn")),), goes_on=True)
    assert plain(acting).endswith("readouts=(), each=(Action(at=3, do=Trigger(event='learn'))), goes_on=True)")


def test_a_place_that_no_run_can_be_at_is_refused() -> None:
    network = marks("  - repeat: 2\n    do: [{present: p, count: 2, take: next, each: [{at: end, event: count}]}]", 3)
    with opened(network) as session:
        for _ in session.walk_protocol():
            if session.step == 3:
                break
        saved = session.checkpoint()
        for changes in ({"acted": 2}, {"acted": -1}, {"gone_on": {"p": -1}}, {"gone_on": {"p": 2**63 - 1}}):
            host = replace(saved.host, position=replace(saved.host.position, **changes))
            with pytest.raises(InvalidInput, match=r"^the checkpoint lies at a place that the protocol does not have;"):
                session.restore(replace(saved, host=host))
        written: Any = saved.tree()
        position = {
            name: part for name, part in written["host"]["position"].items() if name not in ("acted", "gone_on")
        }
        earlier = Checkpoint.of_tree({**written, "host": {**written["host"], "position": position}})
        assert (earlier.host.position.acted, earlier.host.position.gone_on) == (0, {})
        session.restore(saved)
