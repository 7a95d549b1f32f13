"""A run that is stopped anywhere, saved, and gone on with elsewhere is the run that was not stopped."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.backends.reference import Reference
from neuroport.disk.tree import seal
from neuroport.errors import InvalidInput, Place, Problem, RunFailed
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program.executor import Backend
from neuroport.program.fixed import VERSION
from neuroport.program.switchboard import Switches
from neuroport.session import checkpoint as checkpoints
from neuroport.session.checkpoint import Checkpoint, Host
from neuroport.session.controls import Pending
from neuroport.session.digest import Links
from neuroport.session.inject import Injected
from neuroport.session.kept import Kept, Left, Taken
from neuroport.session.measure import Measured
from neuroport.session.patterns import Captured
from neuroport.session.position import Position
from neuroport.session.sample import Samples
from neuroport.session.session import Session, open_session
from tests.support.executors import BACKENDS
from tests.support.planning import shortened
from tests.support.shortened import SAL_MICRO

EVERYTHING = """
neuroport: 1
name: all_that_a_host_holds
dt: 1 ms
seed: 3
neurons:
  unit:
    params: {gain: {default: 1, dynamic: true, range: [0, 4]}, rate: {default: 0.25, dynamic: true, range: [0, 1]}}
    inputs: {i: {range: [-8, 8]}}
    state:
      v: {init: 0, range: [-8, 8]}
      n: {type: int, init: 0, range: [0, 1000]}
      age: {type: int, init: 0, range: [0, 1000]}
      left: {type: int, init: 0, range: [0, 100]}
    update: |
      v = v * 0.5 + gain * i
      n = min(n + 1, 1000)
      age = min(age + 1, 1000)
      left = T - item_step
    spike: uniform() < rate and v > -1
    on_spike: v = v - 1
    on_event: {blank: n = 0}
synapses:
  fixed: {state: {w: {weight: true, range: [0, 2]}}, on_pre: "send(target, w)"}
populations:
  a: {size: 3, neuron: unit}
  b: {size: 2, neuron: unit, ranges: {i: [-1, 1]}}
projections:
  ab: {source: a, target: b, input: i, synapse: fixed, connect: all_to_all, delay: 3 steps,
       dendritic_delay: {uniform: [0 steps, 5 steps]}, weight: {uniform: [0, 1]}}
stimuli:
  pats: {patterns: {values: [[0, 1, 0], [1, 1, 1], [0, 2, 4]], hold: 7 steps, order: shuffle, labels: [0, 1, 1]},
         population: a, input: i}
  others: {patterns: {values: [[0, 1], [1, 0], [1, 1]], hold: 7 steps}, population: b, input: i}
readouts:
  sent: {samples: {of: a.v}}
  seen: {samples: {of: b.v, every: 2 steps, from: 1 step}}
  last: {samples: {of: b.v, reduce: last}}
  echo: {samples: {of: b.v}}
  states: {histogram: {population: a, state: v > 0, every: 3 steps}}
targets:
  goal: {boltzmann: {weights: [[0, 0, 0], [0, 0, 0], [0, 0, 0]], biases: [0.1, 0.2, -0.3]}}
metrics:
  level: {mean: b.v}
  each: {values: a.n}
  rate: {rate: a}
  rows: {values: b.v}
  right: {accuracy: seen}
  error: {squared_error: echo, target: others}
  age: {mean: a.age}
  dkl: {dkl: states, target: goal.p}
  turned: {update_angle: ab.w, states: sent, error: seen, update: w}
protocol:
  - repeat: 3
    as: epoch
    do:
      - {present: pats, count: 3, readout: [sent, seen, last]}
      - if: epoch == 1
        then: [{capture: {others: last}}, {set: {"*.gain": 0.5}}]
        else: [{event: blank}]
      - {run: 11 steps, readout: [states]}
      - measure: [level, right, rate, dkl, age, turned]
      - {present: others, count: 2, readout: [echo]}
      - measure: [error]
      - present: pats
        count: 2
        take: next
        readout: [sent, seen]
        each:
          - {at: 0 steps, event: blank}
          - {at: 0 steps, set: {b.gain: 2}}
          - {at: 3 ms, set: {b.gain: 1}}
          - {at: end, reset: [b]}
          - {at: 7 steps, event: blank}
      - anneal: {parameter: a.rate, by: 0.5, when: age, patience: 0}
  - reset: [a]
  - run: 5 steps
  - measure: [each, rate]
record: {spikes: all, states: {a.v: 3 steps}}
"""
NETWORKS: dict[str, tuple[str, tuple[str, ...], int]] = {
    "everything on generic8": ("", ("chip=generic8",), 40),
    "everything in real numbers": ("", (), 40),
    "sal_pair": ("sal_pair", ("protocol.1.repeat=3", "protocol.1.do.1.run=30 steps"), 30),
    "sal_sampling": ("sal_sampling", ("protocol.0.repeat=2",), 25),
    "stdp_pair": ("stdp_pair", (), 60),
    "gle_lagline": ("gle_lagline", (), 20),
}


Opened = Callable[[], Session]
Change = Callable[[Checkpoint], Checkpoint]


def network(what: str) -> Network:
    name, sets, _ = NETWORKS[what]
    if not name:
        return reader.loads(EVERYTHING.encode(), "everything.yaml", ".", sets=sets)
    return neuroport.load(neuroport.networks.path(name), sets)


def told(session: Session) -> dict[str, Any]:
    """All that a run that has ended tells."""
    return {
        "digest": session.digest(),
        "results": session.results,
        "spikes": session.spike_counts(),
        "overflows": session.overflows(),
        "settings": {name: np.asarray(value).tolist() for name, value in session.settings().items()},
        "rows": {n: [a.tolist() for a in session.rows(n)] for n in session.plan.windows},
        "recorded": {n: [a.tolist() for a in train] for n, train in session.take().items()},
    }


def same(checkpoint: Checkpoint) -> Checkpoint:
    return checkpoint


def relayed(
    opened: Opened,
    draw: random.Random,
    folder: Path,
    change: Change = same,
    pieces: int = 12,
    often: float = 0.3,
) -> dict[str, Any]:
    """A protocol that one session after another does a part of, each from the file of the one before."""
    with ExitStack() as stack:
        session, ended, handed = stack.enter_context(opened()), False, 0
        while not ended:
            ended = True
            for _ in session.walk_protocol(lambda step: draw.randrange(1, pieces)):
                if draw.random() < often:
                    saved, ended = session.checkpoint(folder / "here.h5"), False
                    break
            if not ended:
                session, handed = stack.enter_context(opened()), handed + 1
                session.restore(change(saved) if draw.random() < 0.5 or change is not same else folder / "here.h5")
        assert handed > 1
        return told(session)


def opener(what: str, backend: Backend | None = None) -> Opened:
    program, plan = shortened(network(what), steps=NETWORKS[what][2])
    return lambda: open_session(program, plan, backend or Reference())


@pytest.fixture(scope="module")
def everything() -> tuple[Opened, dict[str, Any]]:
    """What opens a session of all that a host holds, and what its run comes to."""
    opened = opener("everything on generic8")
    with opened() as session:
        session.run_protocol()
        return opened, told(session)


@pytest.mark.parametrize("what", NETWORKS)
def test_a_run_of_many_sessions_is_that_of_one(what: str, tmp_path: Path) -> None:
    opened = opener(what)
    with opened() as session:
        session.run_protocol()
        expected = told(session)
    assert str(relayed(opened, random.Random(1), tmp_path)) == str(expected)


SHIPPED: dict[str, tuple[tuple[str, ...], int]] = {
    "sal_pair": (("protocol.1.repeat=6",), 400),
    "sal_sampling": (("protocol.0.repeat=2",), 400),
    "sal_micro": (SAL_MICRO, 300),
    "sal_layers": (("protocol.1.repeat=11",), 100),
    "pal_yinyang": ((), 300),
    "pal_teacher": (("protocol.4.repeat=2", "protocol.4.do.1.repeat=2"), 200),
    "gle_lagline": ((), 200),
    "gle_lagline_batch": ((), 200),
    "izhikevich": ((), 200),
    "stdp_pair": ((), 500),
}
USUAL = ("sal_pair", "gle_lagline_batch")


@pytest.mark.dear
@pytest.mark.parametrize("name", [n if n in USUAL else pytest.param(n, marks=pytest.mark.slow) for n in SHIPPED])
def test_shipped_networks_go_on_from_executor_to_executor(name: str, tmp_path: Path) -> None:
    """In a chip's arithmetic on another one each time, as far as they can execute the program."""
    sets, steps = SHIPPED[name]
    program, plan = shortened(neuroport.load(name, sets), steps=steps)
    executors = [b for b in BACKENDS.values() if not b.missing() and not b.check(program)]
    if not program.integer:
        executors = [BACKENDS["emulator"]]
    turns = itertools.cycle(executors)

    def opened() -> Session:
        return open_session(program, plan, next(turns))

    with open_session(program, plan, BACKENDS["emulator"]) as session:
        session.run_protocol()
        expected = told(session)
    found = relayed(opened, random.Random(1), tmp_path, pieces=60, often=0.2)
    assert str(found) == str(expected)


EMPTY: dict[str, Any] = {
    "position": Position(),
    "samples": Samples(),
    "measured": Measured(),
    "captured": Captured(),
    "switches": Switches(),
    "spikes": {"a": Links(), "b": Links()},
    "kept": Kept(),
}
PARTS = [
    *(("position", name) for name in ("steps", "presentations", "plateaus")),
    *(("samples", name) for name in ("rows", "items")),
    *(("measured", name) for name in ("results", "counted")),
    *(("captured", name) for name in ("tables", "saturated")),
    *(("switches", name) for name in ("values", "switched")),
    ("spikes", ""),
    ("kept", "left"),
]


@pytest.mark.parametrize(("part", "name"), PARTS)
def test_every_part_of_a_checkpoint_is_needed(
    part: str, name: str, everything: tuple[Opened, dict[str, Any]], tmp_path: Path
) -> None:
    """So that the runs above would not be alike if it were lost."""

    def lacking(checkpoint: Checkpoint) -> Checkpoint:
        value = getattr(checkpoint.host, part)
        lost = replace(value, **{name: getattr(EMPTY[part], name)}) if name else EMPTY[part]
        return replace(checkpoint, host=replace(checkpoint.host, **{part: lost}))

    opened, expected = everything
    try:
        found = relayed(opened, random.Random(2), tmp_path, lacking)
    except (InvalidInput, RunFailed, KeyError):
        return
    assert str(found) != str(expected)


def test_what_a_host_did_goes_along(everything: tuple[Opened, dict[str, Any]]) -> None:
    """What was set and injected by hand, as far as it is not in the executor."""
    opened = everything[0]
    with opened() as one, opened() as other:
        one.run(5)
        one.set("ab.w", 0.75)
        one.set("a.gain", 2.0)
        one.inject("a.i", [0, 2], [5.0, 1.0])
        one.inject("a.i", [1], [3.0], at=9, hold=4)
        one.set("b.rate", 0.5)
        other.restore(one.checkpoint())
        assert {n: v.tolist() for n, v in one.settings().items()} == {
            n: v.tolist() for n, v in other.settings().items()
        }
        refusals = []
        for session in (one, other):
            with pytest.raises(InvalidInput) as caught:
                session.inject("a.i", [0], [4.0])
            refusals.append(str(caught.value))
            session.inject("a.i", [2], [4.0])
            session.run(20)
        assert refusals[0] == refusals[1] and one.digest() == other.digest() and one.stats() == other.stats()


def test_forks_go_on_by_themselves(everything: tuple[Opened, dict[str, Any]]) -> None:
    with everything[0]() as session:
        session.run(12)
        one, other = session.fork(2)
        with one, other:
            one.set("a.rate", 0.75)
            for each in (session, one, other):
                each.run(30)
            assert session.digest() == other.digest() != one.digest()
            assert [a.tolist() for a in other.spikes("a")] == [a.tolist() for a in session.spikes("a")]
            assert one.spikes("a")[0].min() < 12
            with one.fork()[0] as third:
                assert third.digest() == one.digest()


def test_a_session_goes_back(everything: tuple[Opened, dict[str, Any]]) -> None:
    with everything[0]() as session:
        session.run(12)
        saved = session.checkpoint()
        session.run(30)
        digest, spikes = session.digest(), session.spikes("a")
        session.restore(saved)
        assert [a.tolist() for a in session.spikes("a")] == [a[spikes[0] < 12].tolist() for a in spikes]
        session.run(30)
        assert session.digest() == digest
        assert [a.tolist() for a in session.spikes("a")] == [a.tolist() for a in spikes]


@pytest.mark.parametrize("keep", ["all", 0, "5 ms"])
@pytest.mark.parametrize("asked", [(), ("a",), ("a", "a.v")])
def test_what_was_recorded_and_not_taken_goes_along(keep: Any, asked: tuple[str, ...], tmp_path: Path) -> None:
    """Restored from the value and from the file, and in a fork, an exchange tells what it would have told."""
    program, plan = shortened(network("everything on generic8"), steps=40)

    def told_of(session: Session) -> list[Any]:
        answer = session.exchange((), 2, ["a", "a.v"])
        trains = {name: [part.tolist() for part in train] for name, train in answer.outputs.items()}
        kept = session.spikes("a", session.step - 2) if keep else ()
        return [trains, answer.dropped, session.stats(), [part.tolist() for part in kept]]

    with open_session(program, plan, Reference(), keep=keep) as session:
        session.exchange((), 6, asked)
        session.run(7)
        saved = session.checkpoint(tmp_path / "here.h5")
        with session.fork()[0] as fork:
            found = [told_of(fork)]
            expected = told_of(session)
            for one in (saved, tmp_path / "here.h5"):
                session.restore(one)
                found.append(told_of(session))
        assert found == [expected] * 3
        assert expected[1] == 0 if keep == "all" else expected[1] > 0 or asked


def test_a_session_that_records_something_else_goes_on_with_what_it_has_in_common() -> None:
    with changed() as session:
        session.exchange((), 9, ["a.v"])
        saved = session.checkpoint()
        spikes = session.spikes("a")
    with changed(("states: {a.v: 3 steps}", "states: {b.v: 1 step}")) as session:
        session.restore(saved)
        session.run(1)
        assert session.take("b.v")["b.v"][0].tolist() == [9]
        assert session.spikes("a")[0][: len(spikes[0])].tolist() == spikes[0].tolist()
        assert session.checkpoint().host.kept.taken.keys() == {"b.v"}


def test_a_protocol_that_is_left_goes_on(everything: tuple[Opened, dict[str, Any]]) -> None:
    with everything[0]() as session:
        told_of: list[tuple[int, int]] = []
        for _ in session.walk_protocol(lambda step: 5):
            if session.step > 20:
                break
        session.run_protocol(progress=lambda done, total: told_of.append((done, total)))
        assert told_of[0][0] == 21 and told_of[-1][0] == told_of[-1][1] == session.step
        assert told(session) == everything[1]


# ------------------------------------------------------------------------------------------------------------ refusals


def refusal(session: Session, checkpoint: Checkpoint | Path) -> str:
    before = session.step, session.digest(), session.results
    with pytest.raises(InvalidInput) as caught:
        session.restore(checkpoint)
    assert (session.step, session.digest(), session.results) == before
    return str(caught.value)


def changed(*changes: tuple[str, str], real: bool = False, seed: int | None = None) -> Session:
    """A session of the network of everything with a text of it replaced."""
    text = EVERYTHING
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    read = reader.loads(text.encode(), "changed.yaml", ".", sets=() if real else ("chip=generic8",))
    program, plan = shortened(read, steps=40)
    return open_session(program, plan, Reference(), seed=seed)


def test_another_program_or_seed_is_refused_by_name(everything: tuple[Opened, dict[str, Any]]) -> None:
    with everything[0]() as session:
        session.run(7)
        by_hand = session.checkpoint()
        for _ in session.walk_protocol():
            break
        within = session.checkpoint()
    at, other = "the checkpoint of 'all_that_a_host_holds' at step 7", "is one of another program:"
    again = "compile the network as it was, for chip 'generic8'"
    with changed(
        ("size: 2", "size: 5"), ("[[0, 1], [1, 0], [1, 1]]", str(np.eye(3, 5, dtype=int).tolist()))
    ) as session:
        assert (
            refusal(session, by_hand)
            == f"{at} {other} 'b.v' is Q(16,12) (2,) state there and Q(16,12) (5,) state here; {again}"
        )
    with changed(("v: {init: 0,", "v: {init: 1,")) as session:
        assert refusal(session, by_hand) == f"{at} {other} 'a.v' has other initial values; {again}"
    with changed(("age = min(age + 1, 1000)", "age = min(age + 2, 1000)")) as session:
        assert refusal(session, by_hand) == f"{at} {other} its statements, connections or stimuli are others; {again}"
    with changed(seed=4) as session:
        assert refusal(session, by_hand) == f"{at} was made of a run with seed 3, and this one has seed 4"
    with changed(("measure: [each, rate]", "measure: [each]")) as session:
        session.restore(by_hand)
        step = f"the checkpoint of 'all_that_a_host_holds' at step {within.step}"
        assert refusal(session, within) == (
            f"{step} lies within another protocol, or one with other metrics or readouts; run the network as it was"
        )
    with changed(("states: {a.v: 3 steps}", "states: {b.v: 1 step}"), ("metrics:", "# a comment\nmetrics:")) as session:
        session.restore(within)  # what is recorded, and where texts stand, is no matter


def test_real_numbers_go_on_where_they_were(everything: tuple[Opened, dict[str, Any]]) -> None:
    with changed(real=True) as session:
        session.run(7)
        saved = session.checkpoint()
        session.backend = "emulator"
        at = "the checkpoint of 'all_that_a_host_holds' at step 7"
        assert refusal(session, saved) == (
            f"{at} has real numbers of backend 'reference', with whose last bits 'emulator' does not go on"
        )
    with everything[0]() as session:
        old = replace(session.checkpoint(), arithmetic_version=1, version="0.0.9")
        assert refusal(session, old) == (
            "the checkpoint of 'all_that_a_host_holds' at step 0 was made with version 1 of the integer arithmetic, "
            f"and this neuroport has version {VERSION}; go on with neuroport 0.0.9"
        )


def test_a_session_with_a_trace_is_not_restored(tmp_path: Path) -> None:
    with neuroport.open(network("sal_pair"), "reference", trace=tmp_path / "k.h5") as session:
        text = "this session writes a trace, whose steps follow each other; open one without a trace to restore it"
        assert refusal(session, session.checkpoint()) == text


def test_what_cannot_be_forked(everything: tuple[Opened, dict[str, Any]]) -> None:
    with everything[0]() as session:
        for call, text in (
            (lambda: session.fork(0), "a session cannot be forked into 0 others; give 1 to 1,000"),
            (lambda: session.fork(1001), "a session cannot be forked into so many others; give 1 to 1,000"),
            (
                lambda: Session(session.program, session.plan, session.executor).fork(),
                "this session was given an executor, and cannot make another; use restore",
            ),
        ):
            with pytest.raises(InvalidInput) as caught:
                call()
            assert str(caught.value) == text


# ---------------------------------------------------------------------------------------------------------------- files


def test_only_a_checkpoint_is_replaced(everything: tuple[Opened, dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with everything[0]() as session:
        session.checkpoint(path)
        session.run(3)
        session.checkpoint(path)
        assert checkpoints.load(path).step == 3 and list(tmp_path.iterdir()) == [path]
        path.write_text("precious")
        with pytest.raises(InvalidInput) as caught:
            session.checkpoint(path)
        assert str(caught.value) == (
            f"{path}: is no checkpoint, and only a checkpoint is replaced; choose another name, or remove it yourself"
        )
        assert path.read_text() == "precious"


def test_a_file_has_all_of_a_checkpoint(everything: tuple[Opened, dict[str, Any]], tmp_path: Path) -> None:
    with everything[0]() as session:
        for _ in session.walk_protocol(lambda step: 5):
            saved = session.checkpoint(tmp_path / "x.h5")
            assert seal(checkpoints.load(tmp_path / "x.h5").tree()) == seal(saved.tree())


@pytest.mark.skipif(h5py.version.hdf5_version_tuple < (2, 0), reason="libhdf5 1.14 crashes on some of these files")
@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_file_is_refused_by_a_sentence(
    seed: int, everything: tuple[Opened, dict[str, Any]], tmp_path: Path
) -> None:
    draw, path = random.Random(seed), tmp_path / "x.h5"
    with everything[0]() as session:
        session.run(9)
        saved = session.checkpoint(path)
        data = bytearray(path.read_bytes())
        for _ in range(draw.choice([1, 3, 30])):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        path.write_bytes(data[: draw.choice([len(data), len(data), draw.randrange(len(data))])])
        before = session.digest()
        problems: tuple[Problem, ...] = ()
        try:
            session.restore(path)
        except InvalidInput as error:
            problems = error.problems
        assert session.digest() == before and all(str(problem.place) == str(path) for problem in problems)
        if not problems:  # where nothing is that was written
            assert seal(session.checkpoint().tree()) == seal(saved.tree())


def test_parts_that_are_missing_or_of_another_kind(everything: tuple[Opened, dict[str, Any]]) -> None:
    with everything[0]() as session:
        session.run(9)
        whole = dict(session.checkpoint().tree())
    host, state = dict(whole["host"]), dict(whole["state"])  # type: ignore[arg-type]
    cases: dict[str, dict[str, Any]] = {
        "has checkpoint format 2; this version of neuroport reads format 1": {**whole, "format": 2},
        "host must be a group; found 3": {**whole, "host": 3},
        "host/spikes is missing": {**whole, "host": {k: v for k, v in host.items() if k != "spikes"}},
        "state/step must be a whole number of 64 bits; found 'x'": {**whole, "state": {**state, "step": "x"}},
        f"state/counts/a must be a whole number of 64 bits; found {2**63}": {
            **whole,
            "state": {**state, "counts": {"a": 2**63}},
        },
        f"seed must be a whole number of 64 bits; found {-(2**64)}": {**whole, "seed": -(2**64)},
        "state/arrays/a.v must be numbers; found 'x'": {**whole, "state": {**state, "arrays": {"a.v": "x"}}},
        "host/position/path must be numbers along 1 axes; found an array of int64 (1, 1)": {
            **whole,
            "host": {**host, "position": {**host["position"], "path": np.zeros((1, 1), np.int64)}},  # type: ignore[dict-item]
        },
    }
    for text, tree in cases.items():
        with pytest.raises(InvalidInput) as caught:
            Checkpoint.of_tree(tree, Place("x.h5"))
        assert str(caught.value) == f"x.h5: cannot be resumed: {text}"


def broken(host: Host, part: str) -> Host:
    """What a session held, with one part of it as no session of the program has it."""
    rows, item = host.samples.rows["seen"], host.samples.items
    some = Pending("a.i", 30, 31, np.zeros(2), np.array([0, 1]))
    links, none = host.spikes["a"], np.zeros(0, np.int64)
    changes: dict[str, dict[str, Any]] = {
        "digest of spikes": {"spikes": {"a": links}},
        "digest of spikes of 'a'": {"spikes": {**host.spikes, "a": replace(links, rest=b"123")}},
        "readout 'none'": {"samples": replace(host.samples, rows={"none": rows})},
        "readout 'seen'": {"samples": replace(host.samples, items={**item, "seen": replace(item["seen"], hold=0)})},
        "captured patterns 'others'": {"captured": Captured({"others": np.zeros((2, 2))})},
        "setting 'a.gain'": {"switches": Switches({"a.gain": np.zeros(7)})},
        "setting": {"switches": Switches(switched=("none",))},
        "weight 'ab.w'": {"given": {"ab.w": np.zeros(5)}},
        "sum of what was injected into 'a.i'": {"injected": {"a.i": Injected(0, np.zeros(3), np.zeros(2))}},
        "write to 'none'": {"pending": [replace(some, name="none")]},
        "write to 'a.i'": {"pending": [replace(some, cells=np.array([0, 3]))]},
        "write to 'a.v'": {"pending": [Pending("a.v", 2, 3, np.zeros(3))]},
        "first step that is kept": {"kept": Kept(first=99)},
        "record of 'none'": {"kept": Kept(left={"none": Left(0, none, none)})},
        "record of 'a'": {"kept": Kept(left={"a": Left(0, np.array([2, 1]), np.array([0, 0]))})},
        "record of 'b'": {"kept": Kept(left={"b": Left(0, np.array([99]), np.array([0]))})},
        "record of 'a.v'": {"kept": Kept(left={"a.v": Left(0, np.array([0]), np.zeros((1, 3)))})},
        "record of 'b.v'": {"kept": Kept(left={"b.v": Left(-1, none, np.zeros((0, 2), np.int64))})},
        "count of what was taken of 'x'": {"kept": Kept(left={"a": Left(3, none, none)}, taken={"x": Taken("a", 4)})},
        "count of what was taken of 'y'": {"kept": Kept(taken={"y": Taken("a", 0)})},
    }
    return replace(host, **changes[part])


PARTS_OF_NONE = [
    *("digest of spikes", "digest of spikes of 'a'", "readout 'none'", "readout 'seen'", "captured patterns 'others'"),
    *("setting 'a.gain'", "setting", "weight 'ab.w'", "sum of what was injected into 'a.i'"),
    *("write to 'none'", "write to 'a.i'", "write to 'a.v'", "first step that is kept"),
    *("record of 'none'", "record of 'a'", "record of 'b'", "record of 'a.v'", "record of 'b.v'"),
    *("count of what was taken of 'x'", "count of what was taken of 'y'"),
]


@pytest.fixture(scope="module")
def within(everything: tuple[Opened, dict[str, Any]]) -> Checkpoint:
    """A checkpoint in the middle of an item."""
    with everything[0]() as session:
        for _ in session.walk_protocol(lambda step: 5):
            return session.checkpoint()
    raise AssertionError


@pytest.mark.parametrize("part", PARTS_OF_NONE)
def test_what_no_session_held_is_refused(
    part: str, within: Checkpoint, everything: tuple[Opened, dict[str, Any]]
) -> None:
    """Also where somebody made a file of it, whose hash is right."""
    with everything[0]() as session:
        assert refusal(session, replace(within, host=broken(within.host, part))) == (
            f"the checkpoint cannot be restored: its {part} is none of this program; take one that is whole"
        )


@pytest.mark.parametrize("position", [Position((9,)), Position((0, 0, 0), 22), Position((0, 0, 0), -1)])
def test_a_place_that_there_is_not(
    position: Position, within: Checkpoint, everything: tuple[Opened, dict[str, Any]]
) -> None:
    with everything[0]() as session:
        changed = replace(within, host=replace(within.host, position=position))
        text = "the checkpoint lies at a place that the protocol does not have; take one that is whole"
        assert refusal(session, changed) == text
