"""What every session does that a host is in the loop with: one suite, for whatever opens sessions.

`class TestLocal(Surface)` with a fixture `opening` runs it: a function that opens a session of the program of `made()`
with some `keep`, to be used with `with`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from neuroport.api.compile import lower_and_plan, specimen
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.numerics.units import Quantity
from neuroport.program.machine import Program
from neuroport.program.plan import Plan
from neuroport.session.exchange import LATENESS_BINS, Write

Opening = Callable[..., AbstractContextManager[Any]]

TEXT = """\
neuroport: 1
name: hosted
dt: 1 ms
chip: generic16
neurons:
  cell:
    params: {gain: {default: 1, range: [0, 2], dynamic: true}}
    inputs: {i: {range: [-8, 8]}, n: {type: int, range: [0, 100]}}
    state: {v: {init: 0, range: [-32, 32]}, drive: {init: 0, range: [-2, 2]},
            count: {type: int, init: 0, range: [0, 9000]}}
    update: |
      v = gain * i + drive
      count = count + n
    spike: v >= 1
    on_spike: v = 0
    on_event: {blank: drive = 0}
populations:
  cells: {size: 3, neuron: cell}
  others: {size: 2, neuron: cell}
projections:
  across: {source: cells, target: others, synapse: static, connect: all_to_all, weight: 1, input: i, delay: 2 ms,
           ranges: {w: [0, 2]}}
ports:
  events: {inject: cells.i}
  drive: {write: cells.drive}
  action: {spikes: cells}
  level: {read: cells.drive}
record: {spikes: all, states: {cells.count: 2 ms}}
"""


@cache
def made(text: str = TEXT) -> tuple[Program, Plan]:
    """Three cells that spike in each step in which they are given at least 1; two others hear them two steps later."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "hosted.yaml"
        path.write_text(text, "utf-8")
        network = reader.load(path)
        return lower_and_plan(network, *specimen(network))


def rows(train: Any) -> list[tuple[int, Any]]:
    """What was recorded as a list of pairs."""
    return list(zip(*(part.tolist() for part in train), strict=True))


def told(call: Callable[[], Any]) -> str:
    """What is said of something that is refused, without the places in the network file."""
    with pytest.raises(InvalidInput) as error:
        call()
    return re.sub(r"^\S*hosted\.yaml:\d+:\d+: ", "", str(error.value), flags=re.MULTILINE)


def seen(session: Any) -> tuple[Any, ...]:
    """All that a refused call must leave as it was."""
    names = ("cells.v", "cells.drive", "cells.count", "cells.i", "others.i", "cells.gain", "across.w")
    return session.step, session.digest(), session.stats(), [session.get(name).tolist() for name in names]


REFUSED: dict[str, tuple[Any, str]] = {
    "unknown": ({"evnts": 1}, "there is no port or variable 'evnts' in network 'hosted'; there are: "),
    "no input": ([Write("action", 1)], "port 'action' gives the spikes of 'cells', and takes nothing"),
    "only read": ({"level": 1}, "port 'level' only reads 'cells.drive'; declare it with "
                  "`write: true` to write it, too"),
    "nan": ({"events": float("nan")}, "'cells.i': nan of neuron 0 is not finite; give finite numbers"),
    "infinite": ([Write("drive", [float("inf")], [2])], "'cells.drive': inf of neuron 2 is not finite; give finite "
                 "numbers"),
    "fraction": ([Write("cells.n", 0.5, [1])], "'cells.n': 0.5 of neuron 1 is no whole number, and this is an int; "
                 "round it"),
    "outside": ({"drive": [0, 3, 0]}, "'cells.drive': 3 of neuron 1 is outside -2 .. 2, its declared range; "),
    "too much": ({"events": 9}, "'cells.i', all that was injected for this step: 9 of neuron 0 is outside -8 .. 8, the "
                 "range of port 'events'; "),
    "twice": ([Write("events", 5, [1]), Write("events", 4, [1])], "'cells.i', all that was injected for this step: "
              "9 of neuron 1 is outside -8 .. 8, the range of port 'events'; "),
    "later": ([Write("events", 5, [1], 4, 3), Write("events", 4, [1], 6)], "'cells.i', all that was injected for this "
              "step: 9 of neuron 1 is outside -8 .. 8, the range of port 'events'; "),
    "parameter": ({"cells.gain": 3}, "cells.gain = 3 is outside 0 .. 2, its declared range; give a value inside, or "
                  "widen the range"),
    "part of it": ([Write("cells.gain", 1, [0])], "'cells.gain' is switched with one value for all, and some of its "
                   "values were given; give one number"),
    "weights": ([Write("across.w", 1, [6])], "'across' has the synapses 0 to 5; found 6; give their numbers"),
    "neuron": ([Write("events", 1, [3])], "'cells' has the neurons 0 to 2; found 3; give their numbers"),
    "negative": ([Write("drive", 1, [-1])], "'cells' has the neurons 0 to 2; found -1; give their numbers"),
    "mask": ([Write("events", 1, [True, False, True])], "'cells' has the neurons 0 to 2; found truth values; give "
             "their numbers"),
    "real": ([Write("events", 1, [1.0])], "'cells' has the neurons 0 to 2; found 1.0, a real number; give their "
             "numbers"),
    "lengths": ([Write("events", [1, 2], [0, 1, 2])], "'cells.i': 3 neurons were given values of the shape (2,); give "
                "as many"),
    "one for two": ([Write("drive", [1], [0, 1])], "'cells.drive': 2 neurons were given values of the shape (1,); give "
                    "as many"),
    "shape": ({"drive": [1, 2]}, "'cells.drive' has the shape (3,), and values of the shape (2,) were given; give as "
              "many, or one number for all"),
    "true": ({"events": True}, "'cells.i' takes numbers; found True"),
    "trues": ({"events": [True, 0, 1]}, "'cells.i' takes numbers; found [True, 0, 1]"),
    "true array": ({"drive": np.ones(3, bool)}, "'cells.drive' takes numbers; found array([ True, True, True])"),
    "masked": ({"drive": np.ma.masked_array([1, 2, 3], [0, 1, 0])}, "'cells.drive' takes numbers; found masked_array("),
    "masked one": ({"cells.gain": np.ma.masked}, "'cells.gain' takes numbers; found masked"),
    "masked in a list": ({"events": [1, np.ma.masked, 1]}, "'cells.i' takes numbers; found [1, masked, 1]"),
    "words": ({"events": "much"}, "'cells.i': 'much' is not a number with a unit such as '20 ms'"),
    "text of a number": ({"drive": "1"}, "'cells.drive' takes numbers; found '1'"),
    "texts of numbers": ({"drive": ["1", "1", "1"]}, "'cells.drive' takes numbers; found ['1', '1', '1']"),
    "text of one, added": ({"events": "1"}, "'cells.i' takes numbers; found '1'"),
    "another unit": ({"events": "1 mV"}, "'cells.i': 1 mV is not in the unit of a pure number"),
    "nothing": ({"drive": None}, "'cells.drive' takes numbers; found None"),
    "at": ([Write("events", 1, at=True)], "at must be a step from 0 to 2**62, a time, or None; found True"),  # type: ignore[arg-type]
    "past": ([Write("events", 1, at=-1)], "at must be a step from 0 to 2**62, a time, or None; found -1"),
    "half": ([Write("events", 1, at=1.5)], "at must be a step from 0 to 2**62, a time, or None; found 1.5"),  # type: ignore[arg-type]
    "hold": ([Write("events", 1, hold=0)], "hold must be a number of steps from 1 to 2**62, or a time; found 0"),
    "held": ([Write("events", 1, hold=True)], "hold must be a number of steps from 1 to 2**62, or a time; found True"),
    "between": ([Write("events", 1, at="1.5 ms")], "at: 1.5 ms is 1.5 steps of 1 ms; give a whole number of steps, "
                "such as 2 ms"),
    "before": ([Write("events", 1, at="-1 ms")], "at must be a step from 0 to 2**62, a time, or None; found '-1 ms'"),
    "never": ([Write("events", 1, hold="0 ms")], "hold must be a number of steps from 1 to 2**62, or a time; found "
              "'0 ms'"),
    "no time": ([Write("events", 1, hold="2 mV")], "hold: "),
    "no text": ({1: 1}, "the name of a write must be a text; found 1"),
    "no name": ([Write(None, 1)], "the name of a write must be a text; found None"),  # type: ignore[arg-type]
    "names": ([Write(["events"], 1)], "the name of a write must be a text; found ['events']"),  # type: ignore[arg-type]
    "list": ([("events", 1)], "inputs must be a list of Write, or values by name; found [('events', 1)]"),
    "text": ("events", "inputs must be a list of Write, or values by name; found 'events'"),
}  # fmt: skip
"""What an exchange refuses, and how what is said begins."""


class Surface:
    """The suite."""

    # ------------------------------------------------------------------------------------------------- exchanging

    def test_an_exchange_adds_computes_and_takes(self, opening: Opening) -> None:
        with opening() as session:
            answer = session.exchange([Write("events", [2, 3], [0, 2])], 4, ["action", "others", "level"])
            assert answer.step == session.step == 4
            assert list(answer.outputs) == ["action", "others", "level"]
            assert rows(answer.outputs["action"]) == [(0, 0), (0, 2)]
            assert rows(answer.outputs["others"]) == [(2, 0), (2, 1)]
            assert rows(answer.outputs["level"]) == [(3, [0, 0, 0])]
            assert (answer.late, answer.dropped, answer.clipped) == (0, 0, 0)
            assert rows(session.exchange((), "2 ms", ["action"]).outputs["action"]) == []

    def test_values_are_given_by_name(self, opening: Opening) -> None:
        with opening() as session:
            session.exchange({"drive": [0, 1.5, 0]}, 0)
            assert session.get("cells.drive").tolist() == session.get("drive").tolist() == [0, 1.5, 0]
            answer = session.exchange({"cells.i": [1, 0, 0], "cells.n": 7}, outputs=["cells", "cells.count"])
            assert rows(answer.outputs["cells"]) == [(0, 0), (0, 1)]
            assert session.get("cells.count").tolist() == [7, 7, 7]

    def test_an_addition_acts_in_its_step_and_those_that_it_is_held_for(self, opening: Opening) -> None:
        with opening() as session:
            session.inject("cells.i", [1], [1], at=5, hold=3)
            session.exchange([Write("events", 1, [0], at=6)], 10)
            assert rows(session.spikes("cells")) == [(5, 1), (6, 0), (6, 1), (7, 1)]
            assert session.stats()["injected"] == 4

    def test_times_are_steps(self, opening: Opening) -> None:
        with opening() as session:
            session.inject("cells.i", [1], [1], at="5 ms", hold=Quantity(3, "ms"))
            session.exchange([Write("events", 1, [0], at=Quantity(6, "steps"), hold="1 ms")], 10)
            assert rows(session.spikes("cells")) == [(5, 1), (6, 0), (6, 1), (7, 1)]
            late = session.exchange([Write("events", 1, [0], at="0.009 s")], 1).late
            assert late == 1 == session.stats()["late"]

    def test_a_value_stays_and_is_written_again_while_it_is_held(self, opening: Opening) -> None:
        with opening() as session:
            session.exchange([Write("drive", [1], [2], at=2), Write("cells.gain", 0.5, at=3)], 2)
            assert session.get("cells.drive").tolist() == [0, 0, 1], "the session stands at the step"
            session.run(1)
            assert session.get("cells.gain").tolist() == 0.5
            session.exchange([Write("drive", 1.5, [0], hold=3)], 0)
            for step in range(3, 7):
                assert session.get("cells.drive")[0] == (1.5 if step < 6 else 0)
                session.trigger("blank")
                session.run(1)

    def test_what_comes_late_acts_in_the_coming_step_and_is_counted(self, opening: Opening) -> None:
        with opening() as session:
            session.run(10)
            answer = session.exchange([Write("events", 1, at=9, hold=2), Write("drive", 0, [0], at=10)], 3, ["action"])
            assert rows(answer.outputs["action"]) == [(s, n) for s in (10, 11) for n in range(3)]
            assert answer.late == 3 and session.stats()["late"] == 3
            session.inject("cells.i", [0], [1], at=0)
            session.run(1)
            assert session.stats()["late"] == 4
            session.inject("events", None, 1, at="2 ms")
            assert session.stats()["late"] == 7

    def test_only_inputs_are_injected_into(self, opening: Opening) -> None:
        with opening() as session:
            for name, text in {
                "drive": "'drive' is not an input; use `set` to change a variable",
                "cells.gain": "'cells.gain' is not an input; use `set` to change a variable",
                "action": "port 'action' gives the spikes of 'cells', and takes nothing",
                "evnts": "there is no port or variable 'evnts' in network 'hosted'; there are: ",
            }.items():
                before = seen(session)
                assert told(lambda name=name: session.inject(name, None, 1)).startswith(text)
                assert seen(session) == before

    def test_an_output_that_is_named_twice_is_given_once(self, opening: Opening) -> None:
        with opening() as session:
            answer = session.exchange({"events": 1}, 1, ["action", "action"])
            assert rows(answer.outputs["action"]) == [(0, 0), (0, 1), (0, 2)]
            session.exchange({"events": 1}, 1)
            assert rows(session.take("action", "cells", "action")["action"]) == [(1, 0), (1, 1), (1, 2)]

    @pytest.mark.parametrize("seed", range(5))
    def test_what_is_given_early_does_what_it_does_by_hand(self, opening: Opening, seed: int) -> None:
        """All of a random schedule at once, in pieces, and step by step by hand in its order: equal to the bit."""
        draw = np.random.default_rng(seed)
        schedule = []
        for _ in range(30):
            name, neurons = draw.choice(["cells.i", "drive", "others.i", "across.w"]), draw.integers(0, 2, 2).tolist()
            at, hold = int(draw.integers(0, 25)), int(draw.integers(1, 4))
            schedule.append(Write(str(name), draw.uniform(0, 0.3, 2).tolist(), neurons, at, hold))

        def early(session: Any) -> None:
            session.exchange(schedule, 40)

        def in_pieces(session: Any) -> None:
            session.exchange(schedule, 0)
            for steps in (1, 6, 2, 12, 19):
                session.exchange((), steps)

        def by_hand(session: Any) -> None:
            for step in range(40):
                now = [w for w in schedule if w.at is not None and w.at <= step < w.at + w.hold]
                session.exchange([Write(w.name, w.values, w.neurons) for w in now])

        ends = []
        for give in (early, in_pieces, by_hand):
            with opening() as session:
                give(session)
                ends.append((session.digest(), session.stats()["injected"], session.stats()["waiting"]))
        assert ends[0] == ends[1] == ends[2]

    @pytest.mark.parametrize("case", REFUSED)
    def test_what_is_refused_changes_nothing(self, opening: Opening, case: str) -> None:
        inputs, text = REFUSED[case]
        with opening() as session:
            session.exchange({"drive": 0.5, "events": [1, 0, 0]}, 3)
            session.inject("cells.i", [0], [1], at=9)
            before = seen(session)
            assert told(lambda: session.exchange(inputs, 2, ["action"])).startswith(text)
            assert seen(session) == before

    @pytest.mark.parametrize("name", ["cells.gain", "cells.drive"])
    def test_a_set_beyond_the_range_is_refused_for_what_it_is(self, opening: Opening, name: str) -> None:
        """A dynamic parameter like a variable: it is the value that is wrong, not the run."""
        with opening() as session:
            before = seen(session)
            assert "is outside" in told(lambda: session.set(name, 5))
            assert seen(session) == before

    def test_an_exchange_happens_whole_or_not_at_all(self, opening: Opening) -> None:
        """All that is wrong is said at once, and nothing of the rest is done."""
        with opening() as session:
            before = seen(session)
            good = [Write("events", 1), Write("drive", 1), Write("cells.gain", 0.5), Write("cells.i", 1, at=3)]
            bad = [Write("drive", 5), Write("cells.n", -1)]
            lines = told(lambda: session.exchange([*good, *bad], -1, ["actoin"])).split("\n")
            assert [line.split(";")[0] for line in lines] == [
                "'cells.drive': 5 of neuron 0 is outside -2 .. 2, its declared range",
                "'cells.n', all that was injected for this step: -1 of neuron 0 is outside 0 .. 100, "
                "its declared range",
                "a run cannot last -1 steps",
                "there is no output 'actoin' in network 'hosted'",
            ]
            assert seen(session) == before
            session.run(5)
            assert rows(session.spikes("cells")) == []

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            (((), True), "True is neither a number of steps nor a time; give 500, '500 steps' or '100 ms'"),
            (((), 1.5), "1.5 is neither a number of steps nor a time; give 500, '500 steps' or '100 ms'"),
            (((), "2.5 ms"), "2.5 ms is 2.5 steps of 1 ms; give a whole number of steps, such as 3 ms"),
            (((), 1, "action"), "outputs must be a list of texts; found 'action'"),
            (((), 1, [3]), "outputs must be a list of texts; found [3]"),
        ],
    )
    def test_steps_and_outputs_are_checked(self, opening: Opening, arguments: Any, text: str) -> None:
        with opening() as session:
            assert told(lambda: session.exchange(*arguments)) == text
            assert session.step == 0

    def test_all_integers_of_numpy_are_ints(self, opening: Opening) -> None:
        kinds = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
        with opening() as session:
            for k, kind in enumerate(kinds):
                write = Write("cells.n", kind(2), np.array([1], kind), kind(k), kind(1))  # type: ignore[arg-type]
                session.exchange([write], kind(1), ["action"])
                session.set("cells.drive", kind(1))
            assert session.step == 8 and session.get("cells.count").tolist() == [0, 16, 0]
            assert len(session.spikes("cells", np.uint16(4))[0]) == 12

    def test_values_beyond_their_range_are_clipped_where_that_is_asked_for(self, opening: Opening) -> None:
        with opening() as session:
            answer = session.exchange({"drive": [5, -5, 1], "cells.gain": 7}, 0, clip=True)
            assert answer.clipped == 3 and session.get("cells.drive") == pytest.approx([2, -2, 1])
            assert session.get("cells.gain") == pytest.approx(2)
            session.set("cells.drive", 2.5, clip=True)
            session.exchange([Write("events", [8.5, -8.5], [0, 1])], 1, clip=True)
            assert session.stats()["clipped"] == 3 + 3 + 2
            assert told(lambda: session.set("cells.drive", 2.5)).startswith("'cells.drive': 2.5 of neuron 0 is outside")
            assert told(lambda: session.set("cells.drive", float("nan"), clip=True)).startswith(
                "'cells.drive': nan of "
            )
            assert told(lambda: session.exchange((), clip=1)) == "clip must be True or False; found 1"

    def test_a_reset_leaves_what_is_given_for_steps_to_come(self, opening: Opening) -> None:
        with opening() as session:
            session.exchange([Write("events", 1, at=2), Write("events", 1, [0])], 0)
            session.reset("cells")
            session.run(4)
            assert rows(session.spikes("cells")) == [(2, 0), (2, 1), (2, 2)]

    def test_no_more_waits_than_there_is_room_for(self, opening: Opening) -> None:
        with opening() as session:
            before, most = seen(session), session.describe()["limits"]["waiting_numbers"]
            many = [Write("others.i", 0.001, at=10 * k + 5) for k in range(most // 100)]
            said = told(lambda: session.exchange(many, 3))
            assert re.fullmatch(
                r"[\d,]+ numbers would wait for their steps, and at most 4,194,304 do; give them later", said
            )
            assert seen(session) == before

    def test_what_waits_is_done_in_its_steps(self, opening: Opening) -> None:
        with opening() as session:
            many = [Write("others.i", 0.25, at=10 * k + 5, hold=3) for k in range(200)]
            session.exchange(many, 0)
            assert session.stats()["waiting"] == 200
            session.run(2100)
            assert session.stats()["waiting"] == 0 and session.stats()["injected"] == 200 * 2 * 3

    # -------------------------------------------------------------------------------------------------- looking back

    def test_what_was_recorded_is_found_by_step(self, opening: Opening) -> None:
        with opening() as session:
            session.exchange([Write("events", 1, [1], hold=20), Write("cells.n", 1, [0], hold=20)], 20)
            assert session.spikes("cells")[0].tolist() == list(range(20))
            assert session.spikes("action", since=17)[0].tolist() == [17, 18, 19]
            assert session.spikes("cells", since="15 ms")[0].tolist() == list(range(15, 20))
            assert session.spikes("cells", since=50)[0].tolist() == []
            steps, values = session.records("cells.count", since=14)
            assert steps.tolist() == [15, 17, 19] and values[:, 0].tolist() == [16, 18, 20]
            for wrong in (-1, 1.5, True):
                assert told(lambda since=wrong: session.spikes("cells", since)).startswith(
                    f"since must be a step from 0; found {wrong}"
                    if wrong == -1
                    else f"{wrong} is neither a number of steps nor a time"
                )

    def test_only_what_is_recent_is_kept(self, opening: Opening) -> None:
        with opening(keep="10 ms") as session:
            session.exchange({"drive": 1}, 25)
            assert session.spikes("cells")[0].tolist() == [s for s in range(15, 25) for _ in range(3)]
            assert session.spikes("cells", since=15)[0][0] == 15
            assert session.records("cells.count")[0].tolist() == [15, 17, 19, 21, 23]
            assert told(lambda: session.spikes("cells", since=14)) == (
                "spikes of 'cells' are kept from step 15 on; found since=14; ask from there, or open with more keep"
            )
            assert told(lambda: session.records("cells.count", since=3)) == (
                "values of 'cells.count' are kept from step 15 on; found since=3; ask from there, or open with "
                "more keep"
            )

    def test_what_is_taken_is_given_once_and_what_was_lost_is_counted(self, opening: Opening) -> None:
        with opening(keep=10) as session:
            session.exchange({"drive": 1}, 4)
            assert rows(session.take("action")["action"]) == [(s, n) for s in range(4) for n in range(3)]
            assert rows(session.take("cells")["cells"]) == [(s, n) for s in range(4) for n in range(3)]
            session.run(3)
            taken = session.take()
            assert list(taken) == ["cells", "others", "cells.count"]
            assert taken["cells"][0].tolist() == [4, 4, 4, 5, 5, 5, 6, 6, 6]
            assert rows(taken["cells.count"])[0] == (1, [0, 0, 0])
            session.run(25)
            assert session.take("cells")["cells"][0].min() == 22
            assert session.stats()["dropped"] == 3 * (22 - 7)
            session.run(15)
            answer = session.exchange((), 20, ["cells"])
            assert answer.outputs["cells"][0].min() == 37, "all of its own steps, and what was kept before them"
            assert answer.dropped == 3 * (37 - 32)

    @pytest.mark.parametrize("keep", [0, False])
    def test_without_keep_an_exchange_still_answers(self, opening: Opening, keep: Any) -> None:
        with opening(keep=keep) as session:
            session.exchange({"drive": 1}, 2)
            answer = session.exchange((), 3, ["cells", "cells.count"])
            assert answer.outputs["cells"][0].tolist() == [2, 2, 2, 3, 3, 3, 4, 4, 4]
            assert answer.outputs["cells.count"][0].tolist() == [3] and answer.dropped == 2 * 3 + 1
            text = "this session does not keep {}; read them from its trace, or open it with keep=True"
            assert told(lambda: session.spikes("cells")) == text.format("spikes")
            assert told(lambda: session.records("cells.count")) == text.format("records")
            assert told(lambda: session.take()) == text.format("what was recorded")

    def test_a_wrong_keep_is_refused(self, opening: Opening) -> None:
        for keep, text in (
            ("all of it", "keep: "),
            (-3, "keep must not be negative; found -3; give 'all', 0 or a time"),
            (1.5, "keep: 1.5 is neither a number of steps nor a time; give 500, '500 steps' or '100 ms'; or 'all'"),
            ("1.5 ms", "keep: 1.5 ms is 1.5 steps of 1 ms; give a whole number of steps, such as 2 ms; or 'all'"),
        ):
            assert told(lambda keep=keep: opening(keep=keep).__enter__()).startswith(text)

    # ------------------------------------------------------------------------------------------------- what it says

    def test_it_says_what_it_is(self, opening: Opening) -> None:
        with opening() as session:
            assert session.dt == 1.0
            session.run(3)
            said = session.describe()
            assert json.loads(json.dumps(said, allow_nan=False)) == said, "plain values"
            of_run = {
                k: said[k] for k in ("kind", "network", "chip", "chip_seed", "arithmetic", "copies", "dt_ms", "step")
            }
            assert of_run == {
                "kind": "emulator",
                "network": "hosted",
                "chip": "generic16",
                "chip_seed": None,
                "arithmetic": "integer",
                "copies": 1,
                "dt_ms": 1.0,
                "step": 3,
            }
            ports = {port["name"]: (port["direction"], port["target"], port["size"]) for port in said["ports"]}
            assert ports == {
                "events": ("inject", "cells.i", 3),
                "drive": ("write", "cells.drive", 3),
                "action": ("spikes", "cells", 3),
                "level": ("read", "cells.drive", 3),
            }
            gain = {"name": "cells.gain", "size": 1, "type": "real", "unit": "", "range": [0.0, 2.0]}
            assert gain in said["parameters"] and said["events"] == ["blank"]
            assert said["recorded"] == ["cells", "others", "cells.count"]
            assert {"name": "cells", "size": 3, "spiking": True} in said["populations"]
            assert {"name": "cells.n", "size": 3, "type": "int", "unit": "", "range": [0.0, 100.0]} in said["inputs"]

    def test_it_is_shown_in_a_few_lines(self, opening: Opening) -> None:
        with opening() as session:
            session.run(3)
            first, *lines = repr(session).split("\n  ")
            assert re.fullmatch(r"<\w+ of hosted on generic16 \(integer\), backend \w+, seed \d+", first)
            assert lines[0] == "step 3 of 1 ms (0.003 s)"
            assert lines[1] == "populations cells (3), others (2)"
            assert {"ports events, drive, action, level", "records cells, others, cells.count"} <= {
                line.removesuffix(">") for line in lines
            }
            page = session._repr_html_()
            assert "step 3 of 1 ms (0.003 s)" in page
            assert "cells.gain" in page
        assert repr(session).split("\n  ")[1].removesuffix(">") == "step 3 of 1 ms (0.003 s), closed"

    def test_it_counts_what_happens(self, opening: Opening) -> None:
        with opening() as session:
            session.exchange([Write("events", 1, [0, 1]), Write("events", 1, at=9)], 3)
            said = session.stats()
            assert json.loads(json.dumps(said)) == said
            assert said == {
                "steps": 3,
                "spikes": {"cells": 2, "others": 2},
                "overflows": {},
                "injected": 2,
                "late": 0,
                "dropped": 0,
                "clipped": 0,
                "waiting": 1,
                "missed_deadlines": [0] * LATENESS_BINS,
            }

    def test_a_closed_session_refuses_everything(self, opening: Opening) -> None:
        with opening() as session:
            session.run(1)
        session.close()
        calls = [
            lambda: session.exchange(),
            lambda: session.run(1),
            lambda: session.inject("cells.i", [0], [1]),
            lambda: session.set("cells.drive", 0),
            lambda: session.get("cells.drive"),
            lambda: session.spikes("cells"),
            lambda: session.records("cells.count"),
            lambda: session.take(),
            lambda: session.trigger("blank"),
            lambda: session.reset("cells"),
            lambda: session.weights("across"),
            lambda: session.describe(),
            lambda: session.stats(),
            lambda: session.digest(),
        ]
        text = "this session is closed, and what executes its program is gone; open another one"
        assert [told(call) for call in calls] == [text] * len(calls)
