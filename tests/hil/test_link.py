"""Files of links: what stands in them, and what is said of those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuroport.errors import InvalidInput
from neuroport.hil import link
from neuroport.hil.link import Direction, Jitter, Link
from neuroport.numerics.units import Quantity

DT = Quantity(0.5, "ms")


def read(text: str) -> Link:
    return link.read(text, "link.yaml", DT)


def refusal(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    return str(caught.value)


def test_everything_a_link_can_say() -> None:
    text = """
seed: 7
to_chip:   {latency: 2 ms, jitter: {uniform: [0 ms, 1 ms]}, drop: 0.01, burst: {mean: 5}, bandwidth: 64 per step}
from_chip: {latency: 3, jitter: {table: [[0, 0.9], [5 steps, 0.1]]}, drop: 0.02, queue: 16, order: free}
whole_messages: false
configure: true
"""
    to = Direction(latency=4, jitter=Jitter((0, 1, 2), (1 / 3,) * 3), drop=0.01, burst=5.0, bandwidth=64)
    back = Direction(latency=3, jitter=Jitter((0, 5), (0.9, 0.1)), drop=0.02, queue=16, order="free")
    assert read(text) == Link(seed=7, to_chip=to, from_chip=back, whole_messages=False, configure=True)


def test_an_empty_file_is_a_link_that_does_nothing() -> None:
    assert read("") == Link() == read("to_chip:\nfrom_chip: {}")


def test_a_link_as_plain_values() -> None:
    way = {"latency": 0, "jitter": [[0, 1.0]], "drop": 0.0, "burst": None, "bandwidth": None, "queue": 1024}
    plain = way | {"order": "keep"}
    assert Link().described() == {
        "seed": 0,
        "to_chip": plain,
        "from_chip": plain,
        "whole_messages": True,
        "configure": False,
    }


def test_a_file_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").write_text("to_chip: {latency: 1 ms}", "utf-8")
    assert link.load(tmp_path / "link.yaml", DT).to_chip.latency == 2


def test_a_missing_file_is_a_sentence() -> None:
    with pytest.raises(InvalidInput) as caught:
        link.load("none.yaml", DT)
    assert str(caught.value) == "none.yaml: there is no file 'none.yaml'; check the path"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "1:1: a link must be a mapping with the keys seed, to_chip, from_chip, whole_messages, configure; "
                "found a list"),
        ("sede: 1", "1:1: unknown key 'sede' in a link; did you mean 'seed'? allowed are seed, to_chip, from_chip, "
                    "whole_messages, configure"),
        ("seed: -1", "1:7: seed must be at least 0; found -1"),
        ("seed: true", "1:7: seed must be a whole number; found true"),
        ("whole_messages: 1", "1:17: whole_messages must be true or false; found 1"),
        ("configure: 1", "1:12: configure must be true or false; found 1"),
        ("to_chip: 3", "1:10: to_chip must be a mapping with the keys latency, jitter, drop, burst, bandwidth, queue, "
                       "order; found 3"),
        ("to_chip: {latency: 1.5}", "1:20: latency of to_chip must be a whole number; found 1.5"),
        ("to_chip: {latency: -1}", "1:20: latency of to_chip must be at least 0; found -1"),
        ("to_chip: {latency: 1000001}", "1:20: latency of to_chip must be at most 1000000; found 1000001"),
        ("to_chip: {latency: 0.7 ms}", "1:20: latency of to_chip must be a whole number of steps; found 0.7 ms; "
                                       "0.7 ms is 1.4 steps of 0.5 ms"),
        ("to_chip: {latency: -1 ms}", "1:20: latency of to_chip must be at least 0 steps; found -1 ms"),
        ("to_chip: {latency: 2 mV}", "1:20: latency of to_chip must be a number of steps or a time, but 2 mV is in mV"),
        ("to_chip: {latency: 1e6 s}", "1:20: latency of to_chip must be at most 1,000,000 steps; found 1000000.0 s"),
        ("to_chip: {jitter: 3}", "1:19: jitter of to_chip must be a mapping with the keys uniform, table; found 3"),
        ("to_chip: {jitter: {uniform: 3}}", "1:29: uniform jitter of to_chip must be a list [LEAST, MOST] of two times;"
                                            " found 3"),
        ("to_chip: {jitter: {uniform: [2, 1]}}", "1:29: uniform jitter of to_chip must have its least time first; "
                                                 "found [2, 1] steps"),
        ("to_chip: {jitter: {uniform: [0, 65536]}}", "1:29: uniform jitter of to_chip must have at most 65,536 steps "
                                                     "between its ends; found [0, 65536] steps"),
        ("to_chip: {jitter: {uniform: [0, x]}}", "1:33: uniform jitter of to_chip: 'x' is not a number with a unit "
                                                 "such as '20 ms'"),
        ("to_chip: {jitter: {table: []}}", "1:27: table of jitter of to_chip must have rows [TIME, PROBABILITY]; found "
                                           "a list"),
        ("to_chip: {jitter: {table: [3]}}", "1:28: a row in the table of jitter of to_chip must be a list "
                                            "[TIME, PROBABILITY]; found 3"),
        ("to_chip: {jitter: {table: [[1, 2]]}}", "1:32: a probability in the table of jitter of to_chip must be from 0 "
                                                 "to 1; found 2"),
        ("to_chip: {jitter: {table: [[1, 0.5], [2, 0.4]]}}", "1:27: the probabilities in the table of jitter of to_chip"
                                                             " must add up to 1; found 0.9"),
        ("to_chip: {jitter: {uniform: [0, 1], table: [[0, 1]]}}", "1:19: jitter of to_chip has both uniform and table; "
                                                                  "leave one of them out"),
        ("to_chip: {drop: 1.5}", "1:17: drop of to_chip must be from 0 to 1; found 1.5"),
        ("to_chip: {drop: .nan}", "1:17: drop of to_chip must be a finite number; found .nan"),
        ("to_chip: {burst: {}}", "1:18: burst of to_chip lacks 'mean'; add it"),
        ("to_chip: {burst: {mean: 0.5}}", "1:25: mean of burst of to_chip must be from 1 to 1e+06; found 0.5"),
        ("to_chip: {drop: 0.9, burst: {mean: 5}}", "1:29: burst of to_chip: in bursts of 5 at most 0.833 of all can be "
                                                   "lost, and drop is 0.9; lower it, or lengthen the bursts"),
        ("to_chip: {bandwidth: 64}", "1:22: bandwidth of to_chip must be a number of events from 1 to 1,000,000 per "
                                     "step, such as '64 per step'; found '64'"),
        ("to_chip: {bandwidth: 0 per step}", "1:22: bandwidth of to_chip must be a number of events from 1 to 1,000,000"
                                             " per step, such as '64 per step'; found '0 per step'"),
        ("to_chip: {bandwidth: []}", "1:22: bandwidth of to_chip must be a number of events from 1 to 1,000,000 per "
                                     "step, such as '64 per step'; found a list"),
        ("to_chip: {queue: -1}", "1:18: queue of to_chip must be at least 0; found -1"),
        ("to_chip: {order: kept}", "1:18: order of to_chip cannot be 'kept'; did you mean 'keep'? allowed are keep, "
                                   "free"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    assert refusal(text) == f"link.yaml:{said}"
    assert refusal(text.replace("to_chip", "from_chip")) == f"link.yaml:{_moved(said)}" or "to_chip" not in text


def _moved(said: str) -> str:
    """The same of the other direction, whose name is two characters longer."""
    line, column, rest = said.split(":", 2)
    return f"{line}:{int(column) + 2}:{rest.replace('to_chip', 'from_chip')}"


def test_all_problems_are_told_at_once() -> None:
    said = refusal("seed: x\nto_chip: {latency: y}\nfrom_chip: {drop: 2}")
    assert said.splitlines() == [
        "link.yaml:1:7: seed must be a whole number; found the text 'x'",
        "link.yaml:2:20: latency of to_chip: 'y' is not a number with a unit such as '20 ms'",
        "link.yaml:3:19: drop of from_chip must be from 0 to 1; found 2",
    ]
