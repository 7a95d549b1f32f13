"""A trace whose parts do not agree is refused with what does not agree; parts of a run are looked at before joining."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.api import run as api
from neuroport.errors import InvalidInput
from neuroport.trace.join import repair
from neuroport.trace.learned import with_learned
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.segments import parts_folder
from neuroport.trace.write import Writer
from tests.support.traces import SOURCE, captures, write

Change = Callable[[h5py.File], Any]
ADVICE = "take a copy of it that is whole, or run its network again"


def replaced(name: str, values: Any) -> Change:
    """Other values with the same attributes."""

    def change(file: h5py.File) -> None:
        attributes = dict(file[name].attrs)
        del file[name]
        file[name] = values
        file[name].attrs.update(attributes)

    return change


def told(path: Path, look: Callable[[], Any]) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        look()
    assert {str(problem.place) for problem in caught.value.problems} == {str(path)}
    start, end = "this trace is damaged: ", f"; {ADVICE}"
    return [problem.text.removeprefix(start).removesuffix(end) for problem in caught.value.problems]


def attribute(where: str, name: str, value: Any) -> Change:
    return lambda file: file[where].attrs.__setitem__(name, value)


OPENED: list[tuple[Change, list[str]]] = [
    (lambda f: f["neuroport/populations"].move("a", "c"), [
        "source of /neuroport/projections/ab is 'a', which is no population of the trace",
        "/spikes/a is of no population of the trace",
        "/neuroport/records/a.v belongs to 'a', which is no population and no projection of the trace",
        "/neuroport/final/a.v belongs to 'a', which is no population and no projection of the trace",
    ]),
    (attribute("neuroport/populations/a", "size", 4), [
        "/neuroport/records/a.v/raw has the shape (20, 3); it must be (20, 4)",
        "/neuroport/final/a.v has the shape (3,); it must be (4,)",
    ]),
    (attribute("neuroport", "copies", 2), [
        "population 'a' has 3 neurons in 2 copies",
        "/neuroport/final/a.v has the shape (3,); it must be (1,) or (1, 2)",
        "/neuroport/final/b.v has the shape (2,); it must be (1,) or (1, 2)",
    ]),
    (attribute("neuroport", "dt", 0.0), ["the attribute 'dt' of /neuroport is 0; it must be above 0"]),
    (attribute("neuroport", "arithmetic", "roman"), [
        "the attribute 'arithmetic' of /neuroport is 'roman'; it must be one of integer, float64, float32"
    ]),
    (attribute("neuroport", "steps", 150), [
        "/neuroport/metrics/dkl/steps holds 200; it must hold numbers from 0 to 150"
    ]),
    (replaced("neuroport/projections/ab/pre", np.zeros(5, "u4")), [
        "/neuroport/projections/ab/post has the shape (6,); it must be (5,)",
        "/neuroport/weights/ab.w/raw has the shape (4, 6); it must be (4, 5)",
        "/neuroport/final/ab.w has the shape (6,); it must be (5,)",
    ]),
    (replaced("neuroport/records/a.v/steps", np.zeros(0, "i8")), [
        "/neuroport/records/a.v holds no sample",
        "/neuroport/records/a.v/raw has the shape (20, 3); it must be (0, 3)",
    ]),
    (replaced("neuroport/spike_counts/names", ["a"]), [
        "/neuroport/spike_counts/counts has the shape (2,); it must be (1,)"
    ]),
    *(
        (replaced("neuroport/report", text), ["/neuroport/report is no list of what lowering tells"])
        for text in (
            "{",
            "[1]",
            '[{"subject": "a"}]',
            '[{"subject": "a", "topic": "zero", "text": "", "values": {"count": []}}]',
            '[{"subject": "a", "topic": "format", "text": "", "values": {"bits": 8}}]',
            '[{"subject": "a", "topic": "format", "text": "", "values": {"bits": 8, "frac": 9999}}]',
        )
    ),
    (attribute("neuroport/final/a.v", "role", "king"), [
        "the attribute 'role' of /neuroport/final/a.v is 'king'; it must be one of state, weight, visible"
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "texts"), OPENED, ids=[texts[0] for _, texts in OPENED])
def test_parts_of_a_trace_that_do_not_agree(tmp_path: Path, change: Change, texts: list[str]) -> None:
    path = write(tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        change(file)
    assert told(path, lambda: open_trace(path)) == texts


READ: list[tuple[Change, Callable[[Trace], Any], str]] = [
    (replaced("spikes/a/node_ids", np.full(55, 3)), lambda t: t.spikes("a"),
     "/spikes/a/node_ids holds 3; it must hold numbers from 0 to 2"),
    (replaced("spikes/a/timestamps", np.full(55, 7.25)), lambda t: t.spikes("a"),
     "/spikes/a/timestamps holds 7.25 ms, which is not the time of one of 200 steps of 0.5 ms"),
    (replaced("spikes/a/timestamps", np.full(55, 100.0)), lambda t: t.spikes("a"),
     "/spikes/a/timestamps holds 100 ms, which is not the time of one of 200 steps of 0.5 ms"),
    (replaced("spikes/a/timestamps", np.full(55, np.nan)), lambda t: t.spikes("a"),
     "/spikes/a/timestamps holds nan; it must hold finite numbers"),
    (replaced("spikes/a/timestamps", np.arange(55.0)[::-1]), lambda t: t.spikes("a"),
     "/spikes/a/timestamps is not in ascending order"),
    (replaced("neuroport/records/a.v/steps", np.arange(20) + 190), lambda t: t.record("a.v"),
     "/neuroport/records/a.v/steps holds 209; it must hold numbers from 0 to 199"),
    (replaced("neuroport/projections/ab/post", np.full(6, 2)), lambda t: t.pairs("ab"),
     "/neuroport/projections/ab/post holds 2; it must hold numbers from 0 to 1"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "look", "text"), READ, ids=[text for *_, text in READ])
def test_numbers_of_a_trace_that_cannot_be(
    tmp_path: Path, change: Change, look: Callable[[Trace], Any], text: str
) -> None:
    path = write(tmp_path / "x.h5")
    assert len(open_trace(path).spikes("a").steps) == 55
    with h5py.File(path, "r+") as file:
        change(file)
    trace = open_trace(path)
    assert told(path, lambda: look(trace)) == [text]


NET = """
neuroport: 1
name: n
dt: 1 ms
populations: {a: {size: 3, neuron: spike_source}, b: {size: 2, neuron: lif}}
projections:
  p: {source: a, target: b, input: jump, synapse: static, connect: all_to_all, weight: 3}
protocol: [run: 4 ms]
"""


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    """The trace of a run of NET."""
    (tmp_path / "n.yaml").write_text(NET)
    neuroport.run(neuroport.load(tmp_path / "n.yaml"), backend="reference", trace=tmp_path / "n.h5")
    return tmp_path / "n.h5"


def test_a_network_in_a_trace_that_is_not_its_own(ran: Path) -> None:
    with h5py.File(ran, "r+") as file:
        replaced("neuroport/network", NET.replace("size: 3", "size: 30"))(file)
    assert told(ran, lambda: open_trace(ran).network()) == [
        "it has the populations a (3), b (2) and the projections p, and the network in it the populations a (30), "
        "b (2) and the projections p"
    ]


def test_synapses_in_a_trace_that_its_network_has_not(ran: Path) -> None:
    with h5py.File(ran, "r+") as file:
        replaced("neuroport/projections/p/pre", np.zeros(6, "u4"))(file)
    trace = open_trace(ran)
    assert told(ran, lambda: with_learned(trace.network(), trace)) == [
        "connects other neurons by 'p' than the network in it"
    ]


# ------------------------------------------------------------------------------------------------ the parts of a run


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """What a killed run left: a header, two segments, and the end."""
    writer = Writer(tmp_path / "x.h5", SOURCE)
    for capture in captures():
        writer.capture(capture)
        writer.metric("dkl", 100, 0.5)
        writer.flush()
    shutil.copytree(parts_folder(tmp_path / "x.h5"), tmp_path / "kept.h5.part")
    writer.close(steps=200)
    return tmp_path / "kept.h5.part"


DAMAGED: list[tuple[str, Change, str]] = [
    ("000000.h5", lambda f: f["neuroport"].attrs.__delitem__("dt"), "the attribute 'dt' of /neuroport is missing"),
    ("000000.h5", lambda f: f["neuroport/populations/a"].attrs.__delitem__("recorded"),
     "the attribute 'recorded' of /neuroport/populations/a is missing"),
    ("000001.h5", lambda f: f.__delitem__("spikes/a/neurons"), "/spikes/a/neurons is missing"),
    ("000001.h5", replaced("spikes/a/steps", "x"), "/spikes/a/steps is of kind text; it must hold whole numbers"),
    ("000002.h5", replaced("rows/a.v/raw", np.zeros((9, 3))), "/rows/a.v/raw has the shape (9, 3); it must be (10, 3)"),
    ("000002.h5", replaced("metrics/dkl/values", [1.0, 2.0]),
     "/metrics/dkl/values has the shape (2,); it must be (1,) or (1, n)"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "text"), DAMAGED, ids=[text for *_, text in DAMAGED])
def test_a_damaged_part_is_told_and_nothing_is_removed(parts: Path, name: str, change: Change, text: str) -> None:
    with h5py.File(parts / name, "r+") as file:
        change(file)
    before = sorted(parts.iterdir())
    with pytest.raises(InvalidInput) as caught:
        repair(parts)
    advice = "join what can be read with 'neuroport join --readable', or move it and the later ones away"
    if name == "000000.h5":
        advice = "it says what the others are, and nothing can be joined without it"
    assert str(caught.value) == f"{parts / name}: this part of a trace is damaged: {text}; {advice}"
    assert sorted(parts.iterdir()) == before and not parts.with_suffix("").exists()


def test_what_lies_before_a_damaged_part_can_be_joined(parts: Path) -> None:
    (parts / "000002.h5").unlink()
    trace = open_trace(repair(parts))
    assert (trace.complete, trace.steps, trace.lacks) == (False, 100, "the run was cut off after step 99")


def test_a_run_that_was_cut_off_before_its_first_step(ran: Path) -> None:
    path = ran.with_name("early.h5")
    with (
        pytest.raises(InterruptedError),
        api.open(neuroport.load(ran.with_name("n.yaml")), "reference", trace=path),
    ):
        raise InterruptedError
    trace = open_trace(path)
    text = f"'{path}' is incomplete: the run was cut off before its first step"
    assert (trace.steps, list(trace.cut_off())) == (0, [text])
