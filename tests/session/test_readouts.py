"""Samples readouts, what is measured of them, and what a protocol does with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.api import run as api
from neuroport.backends.reference import Reference
from neuroport.chips.description import load as chip
from neuroport.elaborate.network import elaborate
from neuroport.elaborate.plan import planned
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.network.protocol import Anneal
from neuroport.program import plan
from neuroport.session import sample as samples
from neuroport.session.session import Session
from neuroport.session.verify import shorten
from tests.support.planning import open_session, verify

BASE = """\
neuroport: 1
name: readouts
dt: 1 ms
seed: 5
COPIES
neurons:
  cell:
    inputs: {r_in: {range: [-4, 4]}}
    params:
      gain: {default: 0.5, dynamic: true, range: [0, 1]}
      n: {type: int, default: 1, dynamic: true, range: [0, 9]}
    state:
      r: {init: 0, range: [-4, 4]}
      k: {type: int, init: 0, range: [0, 1000000]}
      b: {init: 1, class: plastic, range: [-8, 8]}
    update: |
      r = r_in
      k = k + n
      b = b + gain * r_in
  coin: {state: {x: {init: 0, range: [0, 1]}}, spike: uniform() < 0.5}
synapses:
  line:
    params: {lr: {default: 1, dynamic: true, range: [0, 4]}}
    state: {w: {weight: true, init: 1, range: [-2, 2]SHARED}, n: {init: 0, range: [-100, 100]}}
    step: |
      send(target, w * pre.r)
      n = n + 0.25 * lr * pre.r
populations:
  x: {size: 2, neuron: cell}
  y: {size: 2, neuron: cell}
  t: {size: 2, neuron: cell}
  coins: {size: 3, neuron: coin}
projections:
  up1: {source: x, target: y, input: r_in, synapse: line, connect: one_to_one, weight: [1, 0.5]}
  up2: {source: x, target: y, input: r_in, synapse: line, connect: one_to_one, weight: [0.25, 0.25]}
  down: {source: y, target: x, input: r_in, synapse: line, connect: one_to_one, weight: [0, -0.5]}
stimuli:
  pats:
    patterns: {values: [[1, 0], [0, 1], [0.5, 0.25], [0.25, 1]], hold: 10 steps, order: shuffle, labels: [0, 1, 1, 0]}
    population: x
    input: r_in
  goals: {patterns: {values: 0, beside: pats}, population: t, input: r_in}
  film: {patterns: {values: [[1, 2, 3, 4], [5, 6, 7, 8]], frames: 2, hold: 4 steps}, population: t, input: r_in}
readouts:
READOUTS
metrics:
METRICS
protocol:
PROTOCOL
"""
PATTERNS = np.array([[1, 0], [0, 1], [0.5, 0.25], [0.25, 1]])


def lines(items: Sequence[str], dash: str = "") -> str:
    return "\n".join(f"  {dash}{item}" for item in items)


def network(
    readouts: Sequence[str], metrics: Sequence[str], protocol: Sequence[str], copies: int = 1, sets: Sequence[str] = ()
) -> Network:
    text = BASE.replace("READOUTS", lines(readouts)).replace("METRICS", lines(metrics))
    text = text.replace("PROTOCOL", lines(protocol, "- "))
    text = text.replace("COPIES", f"copies: {copies}" if copies > 1 else "")
    text = text.replace("SHARED", ", over_copies: shared" if copies > 1 else "")
    return reader.loads(text, "net.yaml", sets=sets)


def session(made: Network, chip_name: str = "ideal") -> Session:
    return open_session(made, neuroport.compile(made, chip_name), Reference())


def measured(made: Network, chip_name: str = "ideal", chunk: Any = None) -> dict[str, list[Any]]:
    with session(made, chip_name) as opened:
        opened.run_protocol(chunk=chunk)
        return {name: [value for _, value in values] for name, values in opened.results.items()}


def said(*arguments: Any) -> str:
    """What the reader, or else the compiler, says of a network."""
    with pytest.raises(InvalidInput) as error:
        neuroport.compile(network(*arguments))
    return without_lines(error)


def without_lines(error: pytest.ExceptionInfo[InvalidInput]) -> str:
    return re.sub(r"net\.yaml:\d+:", "net:", str(error.value))


# --------------------------------------------------------------------------------------------------------- sampling


@pytest.mark.parametrize(
    ("text", "protocol", "every", "phase"),
    [
        ("every: 2 steps, from: 4 steps", ["{present: pats, readout: [s]}"], 2, 0),
        ("every: 3 steps, from: 4 steps", ["{present: pats, readout: [s]}"], 1, 0),
        ("every: 5 steps, from: 3 steps", ["{present: pats, readout: [s]}"], 5, 3),
        ("reduce: last", ["{present: pats, readout: [s]}"], 10, 9),
        ("reduce: last", ["{present: pats, readout: [s]}", "{run: 25 steps, readout: [s]}"], 5, 4),
        ("from: 7 steps, to: 8 steps", ["{present: pats, readout: [s]}", "{run: 25 steps, readout: [s]}"], 10, 7),
        ("reduce: last", ["{run: 25 steps, readout: [s]}"], 25, 24),
        ("every: 4 steps, from: 5 steps", ["run: 25 steps"], 4, 1),
        ("every: 5 steps", ["{present: pats, count: 1, readout: [s]}", "{present: film, readout: [s]}"], 4, 0),
    ],
)
def test_only_needed_steps_are_sampled(text: str, protocol: list[str], every: int, phase: int) -> None:
    made = network([f"s: {{samples: {{of: x.r, {text}}}}}"], ["m: {values: s}"], protocol)
    (record,) = elaborate(made, chip("ideal")).records
    assert (record.array, record.readout, record.name) == ("x.r", "s", "s")
    if "film" not in protocol[-1]:
        assert (record.every, record.phase) == (every, phase)


@pytest.mark.parametrize("reduce", ["mean", "sum", "last"])
@pytest.mark.parametrize("chunk", [1, 3, 7, 1000])
def test_rows_are_made_of_the_wanted_samples(reduce: str, chunk: int) -> None:
    made = network(
        [f"s: {{samples: {{of: y.k, every: 3 steps, from: 2 steps, to: 9 steps, reduce: {reduce}}}}}"],
        ["m: {mean: x.r}"],
        ["run: 3 steps", "{present: pats, readout: [s]}", "measure: [m]"],
    )
    with session(made) as opened:
        opened.run_protocol(chunk=lambda step: chunk)
        numbers, rows = opened.rows("s")
    function = {"mean": np.mean, "sum": np.sum, "last": lambda x: x[-1]}[reduce]
    for hold, row in enumerate(rows):
        wanted = function([3 + 10 * hold + at + 1.0 for at in (2, 5, 8)])
        assert row.tolist() == [wanted, wanted]
    assert sorted(numbers.tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("chip_name", ["ideal", "generic16"])
def test_sums_do_not_depend_on_the_pieces(chip_name: str) -> None:
    made = network(
        ["s: {samples: {of: y.b}}", "r: {samples: {of: y.b, reduce: sum}}"],
        ["m: {values: s}", "whole: {values: r}"],
        ["{present: pats, count: 8, readout: [s]}", "{run: 300 steps, readout: [r]}", "measure: [m, whole]"],
    )
    first, *others = [measured(made, chip_name, lambda step, size=size: size) for size in (1, 4, 11, 299, 5000)]
    assert all(other == first for other in others)
    assert len(first["m"][0]) == 16 and len(first["whole"][0]) == 2


@pytest.mark.parametrize("holds", [1, 3, 400])
def test_all_ways_of_adding_give_the_same_bits(holds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=(1200, 3)) * 10.0 ** np.arange(-6, 6).repeat(100)[:, None]
    number, slot = np.divmod(np.arange(1200), 1200 // holds)
    expected = np.zeros((holds, 3))
    for k, row in zip(number, values, strict=True):
        expected[k] += row
    for large in (1, 10**9):
        monkeypatch.setattr(samples, "LARGE_ROW", large)
        for cut in (1200, 500, 7):
            sums = np.zeros((holds, 3))
            for first in range(0, 1200, cut):
                piece = slice(first, first + cut)
                samples._add(sums, number[piece], slot[piece], values[piece])
            assert np.array_equal(sums, expected)


def test_a_run_gives_one_row_without_a_pattern() -> None:
    made = network(
        ["s: {samples: {of: y.k, from: 4 steps, to: 7 steps, reduce: sum}}"],
        ["m: {values: s}", "sd: {sd: s}"],
        ["{run: 10 steps, readout: [s]}", "run: 5 steps", "measure: [m]", "measure: [m, sd]"],
    )
    values = measured(made)
    assert values == {"m": [[18.0, 18.0], []], "sd": [pytest.approx(np.nan, nan_ok=True)]}


def test_frames_follow_each_other() -> None:
    made = network(
        ["a: {samples: {of: t.r, to: 2 steps}}", "b: {samples: {of: t.r, from: 2 steps}}"],
        ["a: {values: a}", "b: {values: b}"],
        ["{present: film, readout: [a, b]}", "measure: [a, b]"],
    )
    assert measured(made) == {"a": [[1, 2, 5, 6]], "b": [[3, 4, 7, 8]]}


# ---------------------------------------------------------------------------------------------------------- metrics


def test_metrics_of_rows_and_labels() -> None:
    made = network(
        ["s: {samples: {of: x.r, from: 1 step, to: 2 steps}}"],
        [
            *("a: {accuracy: s}", "c: {cross_entropy: s}", "e: {squared_error: s, target: pats}"),
            *("m: {mean: s}", "h: {max: s}"),
        ],
        ["{present: pats, readout: [s]}", "measure: [a, c, e, m, h]", "measure: [a]"],
        1,
        ["down.weight=0"],
    )
    values = measured(made)
    labels = np.array([0, 1, 1, 0])
    softmax = np.exp(PATTERNS) / np.exp(PATTERNS).sum(axis=1, keepdims=True)
    assert values["a"][0] == 50.0 and np.isnan(values["a"][1]), "the rows are cleared when they were measured"
    assert values["c"][0] == pytest.approx(-np.mean(np.log(softmax[np.arange(4), labels])), rel=1e-14)
    assert (values["e"], values["m"], values["h"]) == ([0.0], [pytest.approx(PATTERNS.mean())], [1.0])


def test_distance_and_effective_weights() -> None:
    made = network(
        ["s: {samples: {of: x.r}}"],
        ["d: {distance: up1.w, to: up2.w}", "t: {distance: up1.w, to: down.w}", "a: {angle: up1.w, to: up2.w}"],
        ["run: 1 step"],
    )
    values = measured(made)
    assert values["d"] == [pytest.approx(np.hypot(0.75, 0.25))]
    assert values["t"] == [pytest.approx(np.hypot(1, 1))]


def test_effective_weights_deviate_with_their_circuits() -> None:
    text = BASE.replace("READOUTS", "").replace("PROTOCOL", "  - run: 4 steps").replace("COPIES", "")
    metrics = ["plain: {values: up1.w}", "acting: {values: up1.w, effective: true}"]
    text = text.replace("METRICS", lines(metrics)).replace("SHARED", "")
    text = text.replace("n = n + 0.25 * lr * pre.r", "w = w + 0 * pre.r")
    made = reader.loads(text, "net.yaml")
    program = neuroport.compile(made, "generic8_mismatch10", 3)
    with open_session(made, program, Reference()) as opened:
        opened.run_protocol()
        plain, acting = (np.array(opened.results[name][0][1]) for name in ("plain", "acting"))
        factor = program.constants["up1.w$circuit"]
        visible = opened.get("up1.w.visible") if "up1.w.visible" in program.arrays else plain
    assert np.all(factor != 1) and acting == pytest.approx(visible * factor, rel=1e-15)


# --------------------------------------------------------------------------------------------------------- protocol


@pytest.mark.parametrize("chip_name", ["ideal", "generic16"])
def test_captured_rows_are_the_patterns_from_then_on(chip_name: str) -> None:
    made = network(
        [f"{k}: {{samples: {{of: {of}.r, from: 1 step, to: 2 steps}}}}" for k, of in (("s", "x"), ("shown", "t"))],
        ["e: {squared_error: shown, target: goals}", "v: {squared_error: shown, target: pats}"],
        [
            "{present: pats, readout: [shown]}",
            "measure: [e]",
            "{present: pats, readout: [s]}",
            "capture: {goals: s}",
            "{present: pats, readout: [shown]}",
            "measure: [e, v]",
        ],
        1,
        ["down.weight=0"],
    )
    values = measured(made, chip_name)
    assert values["e"] == [0.0, 0.0]
    assert values["v"] == [pytest.approx(0, abs=1e-8)]


def test_capture_wants_all_patterns() -> None:
    readouts = ["s: {samples: {of: x.r}}"]
    made = network(readouts, [], ["{present: pats, count: 3, readout: [s]}", "capture: {goals: s}"])
    with pytest.raises(InvalidInput) as error:
        measured(made)
    text = "readout 's' has rows of 3 of the 4 patterns of 'goals'; the first that was not shown is"
    assert text in str(error.value) and str(error.value).endswith("; present all of them before 'capture'")
    made = network(readouts, [], ["{run: 3 steps, readout: [s]}", "capture: {goals: s}"])
    with pytest.raises(InvalidInput) as error:
        measured(made)
    text = "net:5: 'goals' cannot take what readout 's' saw of a run; it has 4 patterns"
    assert without_lines(error) == text


def test_a_shortened_protocol_captures_what_it_showed() -> None:
    protocol = ["{present: pats, count: 40, readout: [s]}", "capture: {goals: s}", "{run: 500 steps, readout: [s]}"]
    made = network(["s: {samples: {of: x.r, reduce: last}}"], ["m: {mean: s}"], protocol)
    program = neuroport.compile(made)
    short = shorten(planned(made, program), steps=20).protocol
    assert isinstance(short[0], plan.Present) and short[0].holds == 2
    assert plan.total_steps(short) == 20 + 20
    result = verify(made, program, [Reference(), Reference()], steps=20)
    assert result.identical and result.steps == 40


def test_set_with_a_star() -> None:
    made = network([], ["l: {mean: up1.n}", "m: {mean: down.n}"], ["set: {'up*.lr': 4, '*.gain': 0.25}", "run: 1 step"])
    with session(made) as opened:
        opened.run_protocol()
        assert opened._parts.switchboard.value("up1.lr") == opened._parts.switchboard.value("up2.lr") == 4
        assert opened._parts.switchboard.value("down.lr") == 1 and opened._parts.switchboard.value("t.gain") == 0.25


def test_reset_that_keeps_what_was_learned() -> None:
    protocol = ["{present: pats}", "RESET", "measure: [k, b]"]
    metrics = ["k: {values: x.k}", "b: {values: x.b}"]
    for text, kept in (("reset: [x, y]", False), ("reset: {populations: [x, y], keep: learned}", True)):
        values = measured(network([], metrics, [text if p == "RESET" else p for p in protocol]))
        assert values["k"] == [[0, 0]]
        assert (min(values["b"][0]) > 2) == kept


def test_anneal_waits_for_its_patience() -> None:
    protocol = [
        "{repeat: 2, do: [{run: 1 step}, {measure: [m]}, {anneal: {parameter: 'up*.lr', by: 0.5, when: m}}]}",
        "{repeat: 6, do: [{measure: [m]}, {anneal: {parameter: [up1.lr, down.lr], by: 0.1, when: m, patience: 2}}]}",
    ]
    made = network([], ["m: {max: x.k}"], protocol)
    with session(made) as opened:
        opened.run_protocol()
        assert opened.results["m"] == [(1, 1.0), (2, 2.0)] + [(2, 2.0)] * 6
        # the first item: one measurement above the least. The second saw 1, 2, 2 | 2, 2, 2 | 2, 2 with all before it.
        assert opened._parts.switchboard.value("up2.lr") == 0.5
        assert opened._parts.switchboard.value("up1.lr") == pytest.approx(0.5 * 0.1 * 0.1)
        assert opened._parts.switchboard.value("down.lr") == pytest.approx(0.1 * 0.1)


def test_a_new_minimum_starts_the_patience_again() -> None:
    with session(network([], ["m: {mean: x.k}"], ["run: 1 step"])) as opened:
        item = Anneal(parameters=("up1.lr",), by=0.5, when="m", patience=1)
        seen = []
        for value in (5, 6, 4, 4, 5, float("nan"), 6, 3):
            opened.results["m"].append((0, value))
            opened._walk.anneal(item, (0,))
            seen.append(opened._parts.switchboard.value("up1.lr"))
    assert seen == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25]


# ----------------------------------------------------------------------------------------------------------- copies


def test_copies_share_the_patterns_among_them() -> None:
    made = network(
        ["s: {samples: {of: x.r, from: 1 step, to: 2 steps}}"],
        ["a: {accuracy: s}", "e: {squared_error: s, target: pats}", "n: {angle: up1.n, to: up2.w}", "v: {values: s}"],
        ["{present: pats, readout: [s]}", "measure: [a, e, n, v]"],
        2,
        ["down.weight=0"],
    )
    program = neuroport.compile(made)
    assert program.copies == 2 and plan.total_steps(planned(made, program).protocol) == 20
    values = measured(made)
    assert (values["a"], values["e"]) == ([50.0], [0.0])
    shown = np.array(values["v"][0]).reshape(4, 2)
    assert sorted(map(tuple, shown)) == sorted(map(tuple, PATTERNS))
    with session(made) as opened:
        opened.run_protocol()
        assert opened.get("x.r").shape == (2, 2) and opened.get("up1.w").shape == (2,)
        opened.set("x.r", [1, 2])
        assert opened.get("x.r").tolist() == [[1, 1], [2, 2]]
        opened.inject("x.r_in", [1], [3.0])
        opened.run(1)
        assert opened.get("x.r").tolist() == [[0, 0], [3, 3]]
        assert opened.spike_counts()["coins"] > 0


def test_copies_capture_each_their_patterns() -> None:
    protocol = ["{present: pats, readout: [s]}", "capture: {goals: s}", "{present: pats, readout: [g]}", "measure: [e]"]
    made = network(
        ["s: {samples: {of: x.r, reduce: last}}", "g: {samples: {of: t.r, reduce: last}}"],
        ["e: {squared_error: g, target: pats}"], protocol, 4, ["down.weight=0"],
    )  # fmt: skip
    assert measured(made)["e"] == [0.0]


def test_rate_of_copies_is_that_of_one() -> None:
    made = network([], ["r: {rate: coins}"], ["run: 500 steps"], 4)
    assert measured(made)["r"][0] == pytest.approx(500, rel=0.1)
    run = api.run(made, "reference")
    assert run.copies == 4 and run.rates["coins"] == pytest.approx(run.metrics["r"][0][1])
    assert run.spikes["coins"] == pytest.approx(4 * 3 * 250, rel=0.1)


def test_independent_copies_have_patterns_each() -> None:
    made = network(["s: {samples: {of: x.r, reduce: last}}"], ["e: {squared_error: s, target: pats}"],
                   ["{present: pats, readout: [s]}", "measure: [e]"], 1, ["down.weight=0", "copies=2"])  # fmt: skip
    from neuroport.api.copies import run_copies

    runs = run_copies(made, [1, 2], "reference")
    assert [run.metrics["e"] for run in runs] == [[(40, 0.0)]] * 2


# --------------------------------------------------------------------------------------------------------- messages

S = "s: {samples: {of: x.r}}"
SHOW = "{present: pats, readout: [s]}"
MISTAKES: list[tuple[list[str], list[str], list[str], str]] = [
    (["s: {}"], [], [], "net:6: readout 's' must have one of the keys histogram, samples; found none"),
    (["s: {samples: {of: x.q}}"], [], [], "net:21: of of readout 's': population 'x' has no variable 'q'; "
     "did you mean 'x.r'? allowed are x.r, x.k, x.b"),
    (["s: {samples: {of: up1.w}}"], [], [], "net:21: readout 's' samples a variable of a population; 'up1.w' "
     "is of a projection"),
    (["s: {samples: {of: x.r, from: 5 steps, to: 5 ms}}"], [], [], "net:45: to of readout 's' must be after "
     "from; found 5 steps and 5 ms"),
    (["s: {samples: {of: x.r, reduce: median}}"], [], [], "net:34: reduce of readout 's' cannot be 'median'; "
     "did you mean 'mean'? allowed are mean, sum, last"),
    (["s: {samples: {of: x.r, from: 10 steps}}"], [], [SHOW], "net:5: from of readout 's' is 10 steps, and a "
     "pattern of 'pats' lasts 10 steps; change one of the two"),
    (["s: {samples: {of: x.r, to: 4 steps}}"], [], ["{run: 3 steps, readout: [s]}"], "net:5: to of readout "
     "'s' is 4 steps, and a run lasts 3 steps; change one of the two"),
    (["h: {histogram: {population: x, state: r > 0, every: 1 step}}", S], ["m: {accuracy: h}"], [],
     "net:17: accuracy of metric 'm' needs a samples readout, and 'h' is a histogram; samples readouts are s"),
    ([S], ["m: {dkl: s, target: goal.p}"], [], "net:12: dkl of metric 'm' needs a histogram readout, and 's' "
     "takes samples; histograms are none"),
    ([S], ["m: {mean: s, effective: true}"], [], "net:27: effective of metric 'm' is for variables, not for "
     "readouts; leave it out"),
    ([S], ["m: {rate: x, effective: true}"], [], "net:16: unknown key 'effective' in metric 'm'; allowed are "
     "rate"),
    ([S], ["m: {squared_error: s}"], [], "net:6: metric 'm' lacks 'target'; add it"),
    ([S], ["m: {squared_error: s, target: film}"], [], "net:33: target of metric 'm': 'film' has 2 frames per "
     "pattern, and a readout gives one row; choose patterns without frames"),
    (["s: {samples: {of: coins.x}}"], ["m: {squared_error: s, target: goals}"], [], "net:33: target of metric "
     "'m': readout 's' has 3 cells and 'goals' 2; the numbers must be equal"),
    ([S], ["m: {accuracy: s}"], ["{run: 5 steps, readout: [s]}"], "net:5: metric 'm' compares readout 's' with "
     "the patterns that are shown, and a run shows none; name the readout in 'present' items only"),
    ([S], ["m: {accuracy: s}"], ["{present: film, readout: [s]}"], "net:5: metric 'm' compares readout 's' "
     "with labels, and 'film' has none; add labels to it"),
    ([S], ["m: {squared_error: s, target: goals}"], ["{present: film, readout: [s]}"], "net:5: metric 'm' "
     "compares readout 's' with 'goals', which is not shown with 'film'; add beside: film to it"),
    ([S], ["m: {distance: up1.w, to: x.r}"], [], "net:28: distance of metric 'm' needs two projections between "
     "the same populations, in either direction, or variables of as many neurons each"),
    ([S], [], ["{present: goals}"], "net:15: 'goals' is shown beside 'pats', not by itself; write present: pats"),
    ([S], [], ["capture: s"], "net:14: 'capture' must be a mapping from patterns to samples readouts; found the "
     "text 's'"),
    ([S], [], ["capture: {gaols: s}"], "net:15: unknown patterns 'gaols'; did you mean 'goals'? allowed are "
     "pats, goals, film"),
    ([S], [], ["capture: {goals: z}"], "net:22: unknown samples readout 'z'; allowed are s"),
    ([S], [], ["capture: {film: s}"], "net:15: capture: 'film' has 2 frames per pattern, and a readout gives "
     "one row; choose patterns without frames"),
    ([S], [], ["set: {'z*.lr': 1}"], "net:11: 'set': no dynamic parameter is called 'z*.lr'; allowed are "
     "x.gain, x.n, y.gain, y.n, t.gain, t.n, up1.lr, up2.lr, down.lr"),
    ([S], [], ["set: {'*.lr': 5}"], "net:19: parameter 'lr' of projection 'up1' must be from 0 to 4; found 5"),
    ([S], [], ["reset: {populations: [x], keep: all}"], "net:37: keep of reset cannot be 'all'; allowed are "
     "learned"),
    ([S], [], ["reset: {keep: learned}"], "net:12: 'reset' lacks 'populations'; add it"),
    ([S], ["m: {values: s}"], ["anneal: {parameter: up1.lr, by: 0.5, when: m}"], "net:48: when of anneal needs "
     "a metric that is one number, and 'm' is a list"),
    ([S], ["m: {mean: s}"], ["anneal: {parameter: x.n, by: 0.5, when: m}"], "net:25: parameter 'n' of "
     "population 'x' is a whole number and cannot be multiplied by a factor; use 'set'"),
    ([S], ["m: {mean: s}"], ["anneal: {parameter: '*.lr', when: m}"], "net:13: 'anneal' lacks 'by'; add it"),
    ([S], ["m: {mean: s}"], ["anneal: {parameter: up1.w, by: 1, when: m}"], "net:25: parameter of anneal: "
     "projection 'up1' has no parameter 'w'; did you mean 'up1.lr'? allowed are up1.lr"),
]  # fmt: skip


@pytest.mark.parametrize(("readouts", "metrics", "protocol", "message"), MISTAKES, ids=[m[3][9:60] for m in MISTAKES])
def test_a_mistake_gets_its_sentence(
    readouts: list[str], metrics: list[str], protocol: list[str], message: str
) -> None:
    found = said(readouts, metrics, protocol)
    assert message in found.splitlines(), found


STIMULI = [
    (["pats.labels=[0, 1]"], 1, "--set pats.labels: stimulus 'pats' has 2 labels and 4 patterns; give one label per "
     "pattern"),
    (["pats.labels=[0, 1, 2, 0]"], 1, "--set pats.labels: label 2 of 'pats' has no cell in readout 's', whose 2 cells "
     "stand for the labels 0 to 1; sample a larger population"),
    (["goals.values=[[1, 2]]"], 1, "--set goals.values: stimulus 'goals' has 1 patterns and 'pats', beside which they "
     "are shown, 4; the numbers must be equal"),
    (["goals.beside=film", "film.patterns={values: 0, beside: pats}"], 1,
     "--set goals.beside: stimulus 'goals' is shown beside 'film', "
     "which is itself shown beside 'pats'; write beside: pats"),
    (["goals.beside=path"], 1, "--set goals.beside: unknown patterns 'path'; did you mean 'pats'? allowed are pats, "
     "film"),
    (["stimuli.goals.patterns.hold=3 steps"], 1,
     "--set stimuli.goals.patterns.hold: hold of stimulus 'goals' is that of the patterns that it is shown "
     "beside; leave it out"),
    (["film.hold=5 steps"], 1, "net:3: stimulus 'film' shows 2 frames in 5 steps; a hold must be a multiple of "
     "the frames, such as 6 steps"),
    (["film.frames=3"], 1, "net:29: values of stimulus 'film' has the shape (2, 4); it must be (n, 6) or "
     "(n, 3, 2), 3 frames per pattern"),
    (["pats.values=7"], 1, "--set pats.values: values of stimulus 'pats' must be a list, an array, a file or a data "
     "set; found 7"),
    ([], 3, "net:5: 'present' deals 4 patterns to 3 copies, which leaves 1 over; show a multiple of 3, such as "
     "count: 3"),
]  # fmt: skip


@pytest.mark.parametrize(("sets", "copies", "message"), STIMULI, ids=[message[:50] for _, _, message in STIMULI])
def test_a_mistake_in_stimuli_gets_its_sentence(sets: list[str], copies: int, message: str) -> None:
    found = said([S], ["m: {accuracy: s}"], [SHOW], copies, sets)
    assert message in found.splitlines(), found


def test_a_chip_must_know_what_may_be_captured() -> None:
    made = network([S], [], [SHOW, "capture: {goals: s}"], 1, ["neurons.cell.inputs.r_in={}"])
    with pytest.raises(InvalidInput) as error:
        neuroport.compile(made, "generic16")
    assert "what a run captures for stimulus 'goals' is not known beforehand; give the input a range, such as " in str(
        error.value
    )


WAVE = "wave: {series: {values: [0, 1, 2], every: 1 step, loop: true, start: START}, population: x, input: r_in}"


@pytest.mark.parametrize(
    ("start", "copies", "message"),
    [
        ("[0, 1]", 3, "start of stimulus 'wave' has 2 rows, and the network has 3 copies that share what they learn; "
         "give at least 3 rows"),
        ("3", 1, "start of stimulus 'wave' has rows outside 0 .. 2; choose rows of it"),
        ("0.5", 1, "start of stimulus 'wave' must be a whole number; found 0.5"),
        ("2, loop: false", 1, "start of stimulus 'wave' needs a series that begins again; add loop: true"),
    ],
)  # fmt: skip
def test_a_mistake_in_start_gets_its_sentence(start: str, copies: int, message: str) -> None:
    text = WAVE.replace("loop: true, ", "") if "loop" in start else WAVE
    wave = f"stimuli.wave={text.replace('START', start).removeprefix('wave: ')}"
    assert said([S], [], ["run: 3 steps"], copies, [wave]).partition(": ")[2] == message


@pytest.mark.parametrize(
    ("start", "copies"),
    [("2", 1), ("[2, 0]", 1), ("[2, 0, 1]", 3), ("[2, 0, 1, 1]", 3), ("{uniform: [0, 2]}", 3)],
)
def test_series_begin_where_they_are_told(start: str, copies: int) -> None:
    wave = f"stimuli.wave={WAVE.replace('START', start).removeprefix('wave: ')}"
    made = network([], ["m: {mean: x.r}"], ["run: 4 steps"], copies, [wave, "down.weight=0"])
    with session(made) as opened:
        opened.run_protocol()
        first = opened.get("x.r")[0]
    if copies == 1:
        assert first == 2
    elif start.startswith("["):
        assert first.tolist() == [2, 0, 1]
