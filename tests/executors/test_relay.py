"""A run that executors hand on to each other is the run of one: whatever is done between steps, to the bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from neuroport.copies.axis import with_copies
from neuroport.copies.unroll import unroll
from neuroport.copies.views import CopyExecutor, Meeting
from neuroport.errors import InvalidInput, RunFailed
from neuroport.program.ir import Int, Read, Store
from neuroport.program.machine import Population, Program
from neuroport.program.past import lags_delivered, next_time, rows_read
from neuroport.program.state import State
from tests.support import small_programs as small
from tests.support.batches import integers, layers
from tests.support.everything import delayed_sums, everything, real_program
from tests.support.executors import BACKENDS, difference, drive, everywhere, start
from tests.support.programs import array, c, call, program, sampling
from tests.support.random_programs import batched, networks
from tests.support.reaching import copies, forked, shown, twins
from tests.support.relay import Relay, WrittenOut, unlike
from tests.support.wiring import joined

PROGRAMS: dict[str, Callable[[], Program]] = {
    "all kinds of delays": small.rich,
    "all roundings": everything,
    "delays of many steps": lambda: everything(4, delay=5),
    "draws, tables and histograms": sampling,
    "frames, starts and samples": shown,
    "sends to several inputs": forked,
    "twins": twins,
    "events that reach copies": copies,
    "copies that learn together": lambda: small.learning(3, real=False),
    "more copies than the lanes of a sum": lambda: small.learning(9, real=False),
    "sums, guards and overflows": lambda: integers(3),
}


def frames_of_copies(copies: int) -> Program:
    """Every copy begins with another row of what repeats."""
    p = shown()
    starts = np.arange(copies)
    series = tuple(s if s.start is None else replace(s, start=starts) for s in p.series)
    return with_copies(replace(p, series=series), copies)


COPIES: dict[str, Callable[[], Program]] = {
    "delays of copies": lambda: with_copies(everything(), 3),
    "histograms of copies": lambda: with_copies(sampling(), 2),
    "frames of copies": lambda: frames_of_copies(3),
    "learning of copies": lambda: small.learning(9, real=False),
    "random copies": lambda: batched(0, 3),
}
REAL: dict[str, Callable[[], Program]] = {
    "all real functions": real_program,
    "all real functions, narrow": lambda: real_program("float32"),
    "sums of delayed numbers": delayed_sums,
    "sums of delayed numbers, narrow": lambda: delayed_sums("float32"),
    "sampling": small.sampling,
    "copies that learn together": lambda: small.learning(3, real=True),
    "layers of copies": lambda: layers((1, 4, 3, 2), 2),
}
CLASH = 29
"""The random network in which GeNN would merge the spike counters of two populations wrongly."""
MACHINES = 2
"""Of each kind: a state goes to another machine, which has a past of its own, as often as back to the same."""


def undisturbed_and_relay(p: Program, kinds: tuple[Any, ...], seed: int = 5) -> list[Any]:
    """A machine of a program that runs alone, and several that hand it on."""
    first, *machines = start(p, kinds[0], *kinds * MACHINES, seed=seed)
    return [first, Relay(machines, seed)]


def takes(backend: Any, p: Program) -> bool:
    return not backend.check(p)


@pytest.mark.parametrize("what", PROGRAMS)
def test_integers_go_on_in_any_executor(what: str, backend: Any) -> None:
    p = PROGRAMS[what]()
    kinds = tuple(b for b in dict.fromkeys((BACKENDS["reference"], backend)) if takes(b, p))
    machines = undisturbed_and_relay(p, kinds)
    assert drive(machines, seed=1) is None
    pairs = {(one % len(kinds), other % len(kinds)) for one, other in machines[1].handed}
    assert len(pairs) == len(kinds) ** 2


@pytest.mark.parametrize("what", [what for what in COPIES if what != "random copies"])
def test_copies_go_on_beside_each_other(what: str) -> None:
    """From an axis of copies to copies that are written out, and back."""
    kinds = (BACKENDS["reference"], WrittenOut(BACKENDS["reference"]))
    machines = undisturbed_and_relay(COPIES[what](), kinds)
    assert drive(machines, seed=1) is None
    assert len(machines[1].handed) == (MACHINES * len(kinds)) ** 2


@pytest.mark.slow
@pytest.mark.dear
@pytest.mark.parametrize("what", COPIES)
def test_copies_go_on_in_any_executor(what: str) -> None:
    p = COPIES[what]()
    kinds = tuple(b for b in (*BACKENDS.values(), WrittenOut(BACKENDS["reference"])) if takes(b, p))
    assert drive(undisturbed_and_relay(p, kinds), seed=1) is None


@pytest.mark.parametrize("what", REAL)
def test_real_numbers_go_on_in_their_executor(what: str, backend: Any) -> None:
    machines = undisturbed_and_relay(REAL[what](), (backend,))
    assert drive(machines, seed=1, actions=15) is None


def test_random_networks_go_on() -> None:
    assert drive(undisturbed_and_relay(networks(range(3)), (BACKENDS["reference"],)), seed=1, actions=20) is None


@pytest.mark.slow
@pytest.mark.dear
@pytest.mark.parametrize("ten", range(20))
def test_many_random_networks_go_on_in_any_executor(ten: int) -> None:
    machines = undisturbed_and_relay(networks([*range(10 * ten, 10 * ten + 10), CLASH]), tuple(BACKENDS.values()), ten)
    assert drive(machines, seed=ten) is None
    assert len(machines[1].handed) == (MACHINES * len(BACKENDS)) ** 2


@pytest.mark.slow
@pytest.mark.dear
@pytest.mark.parametrize("seed", range(20))
def test_many_random_copies_go_on(seed: int) -> None:
    p = batched(seed, 3)
    kinds = tuple(
        b for b in (BACKENDS["reference"], WrittenOut(BACKENDS["reference"]), BACKENDS["genn"]) if takes(b, p)
    )
    assert drive(undisturbed_and_relay(p, kinds, seed), seed=seed, actions=20) is None


# ----------------------------------------------------------------------------------------- nothing in it is idle


def without(state: State, start_: State, part: str) -> State:
    """The state with one part of it as it was at the start; arrays keep their clock."""
    return replace(state, **{part: getattr(start_, part)})


class Forgetful(Relay):
    """A relay that loses one part of the state whenever it hands over."""

    def __init__(self, p: Program, part: str) -> None:
        machines = start(p, *[BACKENDS["reference"]] * 2, seed=5)
        super().__init__(machines, 5)
        self._part, self._start = part, machines[0].save()

    def hand_over(self) -> None:
        self._kept.append(self.now.drain())
        state = without(self.now.save(), self._start, self._part)
        self.machines.reverse()
        self.now = self.machines[0]
        self.now.load(state)


@pytest.mark.parametrize("part", [f.name for f in fields(State) if f.name not in ("step", "apart")])
def test_whatever_a_state_loses_is_missed(part: str) -> None:
    noticed = []
    for make in (everything, shown, sampling):
        p = make()
        whole = start(p, BACKENDS["reference"], seed=5)[0]
        noticed.append(drive([whole, Forgetful(p, part)], seed=1) is not None)
    assert any(noticed)


# ------------------------------------------------------------------------------------------ at any moment


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_state_of_the_start_is_that_of_a_new_machine(what: str, backend: Any) -> None:
    p = PROGRAMS[what]()
    if not takes(backend, p):
        return
    used, new = start(p, backend, backend, seed=5)
    first = used.save()
    assert drive([used], seed=2, actions=12) is None
    used.load(first)
    assert list(unlike(used.save(), start(p, BACKENDS["reference"], seed=5)[0].save())) == []
    everywhere([used, new], "advance", 9)
    assert difference([new, used]) is None


def test_a_state_is_a_copy(backend: Any) -> None:
    machine, other = start(everything(), backend, backend, seed=5)
    machine.advance(7)
    one, two = machine.save(), machine.save()
    other.load(one)
    everywhere([machine, other], "advance", 9)
    assert list(unlike(one, two)) == []


def test_what_was_not_drained_is_dropped(backend: Any) -> None:
    machine, other = start(everything(), backend, backend, seed=5)
    everywhere([machine, other], "advance", 20)
    assert any(len(steps) for steps, _ in other.drain().spikes.values())
    other.load(machine.save())
    machine.load(machine.save())
    assert all(len(steps) == 0 for steps, _ in (*machine.drain().spikes.values(), *machine.drain().records.values()))


def growing() -> Program:
    """A number that leaves its range in step 6, for which its chip has no rule."""
    word = Int(0, 7)
    grown = call("add", Read("p.x", "own", word), c(1), lo=0, hi=8)
    body = (Store("p.x", grown, None, "error", 0, 7),)
    return program(
        arrays=(array("p.x", "neuron", "state", word, [1, 0]),),
        populations=(Population("p", 2, body, (), False, 0),),
    )


def test_after_a_run_that_failed_an_earlier_state_goes_on(backend: Any) -> None:
    machine = start(growing(), backend)[0]
    machine.advance(4)
    earlier = machine.save()
    for _ in range(2):
        with pytest.raises(RunFailed):
            machine.advance(9)
        machine.load(earlier)
        machine.advance(2)
        assert machine.read("p.x").tolist() == [7, 6]


def test_copies_that_share_a_machine_go_on_together() -> None:
    """Each as it goes on alone; states of different steps are refused, and the copies still meet after that."""
    p = everything()
    whole = unroll([p, p], [1, 2])
    alone = [BACKENDS["reference"].open(p, seed, ()) for seed in (1, 2)]
    meetings = [Meeting(BACKENDS["reference"].open(whole, 1, ()), 2) for _ in range(2)]

    def work(k: int) -> None:
        first, second = (CopyExecutor(meeting, k) for meeting in meetings)
        first.begin_item((), {})
        first.advance(9)
        state = first.save()
        second.advance(4)
        other = second.save()
        with pytest.raises(InvalidInput) as refused:
            second.load(state if k else other)
        assert str(refused.value) == (
            "copies run together from one step, and these states are of the steps 4, 9; load those of one step"
        )
        second.load(state)
        assert list(unlike(state, second.save())) == []
        second.advance(9)
        alone[k].advance(18)
        assert list(unlike(second.save(), alone[k].save())) == []

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))


# ------------------------------------------------------------------------------------------------- what is refused

Change = Callable[[State], State]


def having(part: str, name: str, change: Callable[[Any], Any]) -> Change:
    """A change of one thing in a part of a state."""

    def changed(state: State) -> State:
        held: Mapping[str, Any] = getattr(state, part)
        return replace(state, **{part: {**held, name: change(held.get(name))}})

    return changed


def lacking(part: str, name: str) -> Change:
    """The loss of one thing in a part of a state."""

    def changed(state: State) -> State:
        return replace(state, **{part: {n: v for n, v in getattr(state, part).items() if n != name}})

    return changed


def spikes(*pairs: tuple[int, int]) -> Change:
    """Other spikes of population a."""
    both = np.array(pairs, np.int64).reshape(-1, 2).T
    return having("spikes", "a", lambda _: (both[0], both[1]))


UNSORTED = "spikes of 'a' are not those of 6 neurons in 3 steps, in order"
PATTERNS = "the schedule of 'frames' has patterns that are not here"
REFUSED: list[tuple[Callable[[], Program], Change, str]] = [
    (everything, lacking("arrays", "a.n"), "array 'a.n' is missing"),
    (everything, having("arrays", "a.z", lambda _: np.zeros(6, np.int64)), "array 'a.z' is not known here"),
    (
        everything,
        having("arrays", "ab.w", lambda w: w[1:]),
        "array 'ab.w' is whole numbers of shape (23,), and here whole numbers of shape (24,)",
    ),
    (
        everything,
        having("arrays", "a.v", np.float64),
        "array 'a.v' is real numbers of shape (6,), and here whole numbers of shape (6,)",
    ),
    (everything, lacking("inputs", "b.i"), "input 'b.i' is missing"),
    (
        everything,
        having("inputs", "b.i", lambda i: i[:4]),
        "input 'b.i' is whole numbers of shape (4, 9), and here whole numbers of shape (5, 9)",
    ),
    (
        everything,
        having("histories", "b.u", lambda u: u[:3]),
        "history of 'b.u' is whole numbers of shape (3, 9), and here whole numbers of shape (4, 9)",
    ),
    (everything, lacking("spikes", "b"), "spikes of 'b' are missing"),
    (everything, spikes((3, 0)), UNSORTED),
    (everything, spikes((0, 6)), UNSORTED),
    (everything, spikes((1, 0), (0, 1)), UNSORTED),
    (everything, spikes((0, 2), (0, 2)), UNSORTED),
    (everything, spikes((0, -1)), UNSORTED),
    (everything, lacking("counts", "a"), "count of spikes of 'a' is missing"),
    (everything, having("counts", "c", lambda _: 1), "count of spikes of 'c' is not known here"),
    (everything, having("overflows", "c.v", lambda _: 1), "overflows of 'c.v' are not known here"),
    (
        everything,
        having("tables", "ramp", lambda _: np.zeros((2, 6), np.int64)),
        "table of 'ramp' is whole numbers of shape (2, 6), and here whole numbers of shape (3, 6)",
    ),
    (everything, having("tables", "wave", lambda _: np.zeros(1)), "table of 'wave' is not known here"),
    (everything, having("counts", "a", lambda _: 2**64), f"count of spikes of 'a' is {2**64}, to which no run comes"),
    (everything, having("counts", "b", lambda _: -1), "count of spikes of 'b' is -1, to which no run comes"),
    (everything, having("overflows", "b.u", lambda _: 2**64), f"overflows of 'b.u' are {2**64}, to which no run comes"),
    (everything, lambda state: replace(state, step=2**64), f"step 20 of an item cannot be step {2**64} of a run"),
    (everything, lambda state: replace(state, item_step=21), "step 21 of an item cannot be step 20 of a run"),
    (shown, having("schedules", "frames", lambda _: np.array([0, 2])), PATTERNS),
    (shown, having("schedules", "frames", lambda _: np.array([-1])), PATTERNS),
    (shown, having("schedules", "frames", lambda _: np.zeros((2, 2), np.int64)), PATTERNS),
    (
        sampling,
        having("histograms", "states", lambda counts: counts[:64]),
        "histogram 'states' is whole numbers of shape (64,), and here whole numbers of shape (128,)",
    ),
]


@pytest.mark.parametrize("make", dict.fromkeys(make for make, _, _ in REFUSED))
def test_another_programs_state_is_refused(make: Any, backend: Any) -> None:
    machine = start(make(), backend, seed=5)[0]
    machine.advance(20)
    before = machine.save()
    text = "this is the state of another program: {}; load it where the program runs that it was saved of"
    for change, found in ((change, found) for of, change, found in REFUSED if of is make):
        with pytest.raises(InvalidInput) as refused:
            machine.load(change(before))
        assert str(refused.value) == text.format(found)
        assert list(unlike(machine.save(), before)) == []


BEYOND = 2**62
OUTSIDE = {"arrays": "a.n", "inputs": "b.i", "histories": "b.u", "tables": "ramp"}


@pytest.mark.parametrize("part", OUTSIDE)
def test_numbers_outside_a_format_are_refused(part: str, backend: Any) -> None:
    machine = start(everything(), backend, seed=5)[0]
    machine.load_series("ramp", np.zeros((3, 6), np.int64))
    before = machine.save()
    beyond = having(part, OUTSIDE[part], lambda values: np.full_like(values, BEYOND))
    with pytest.raises(InvalidInput, match=rf"the raw value {BEYOND} is outside -?\d+\.\.\d+, the range of its format"):
        machine.load(beyond(before))
    assert list(unlike(machine.save(), before)) == []


# ------------------------------------------------------------------------------------------------------- the helpers


def test_the_next_time_of_a_rhythm() -> None:
    for first, every in ((0, 1), (2, 5), (7, 3)):
        times = range(first, 40, every)
        assert [next_time(step, first, every) for step in range(30)] == [
            next(t for t in times if t >= step) for step in range(30)
        ]


def test_no_more_of_the_past_is_kept_than_a_coming_step_sees() -> None:
    p = everything()
    assert rows_read(p) == {"a.v": 2, "b.u": 4}
    assert lags_delivered(p) == {"a": 3, "b": 2}
    none = joined(np.zeros(0, np.int64), np.zeros(0, np.int64), 0, 0)
    without_synapses = replace(p, projections=tuple(replace(q, wiring=none) for q in p.projections))
    assert rows_read(without_synapses) == lags_delivered(without_synapses) == {}
