"""The extremes that an instrumented program keeps are those of a run that is looked at after every step."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import neuroport
from neuroport import backends
from neuroport.api.compile import lower_and_plan
from neuroport.chips import description as chips
from neuroport.files import network as reader
from neuroport.program.executor import Executor
from neuroport.program.extremes import kept_for, watched, with_extremes
from neuroport.program.ir import Store
from neuroport.program.machine import Program
from neuroport.session.extremes import Extremes, Seen
from neuroport.session.session import Session
from tests.support.executors import BACKENDS
from tests.support.random_programs import batched, network

STEPS = 25


def beside(program: Program, name: str = "reference") -> tuple[Executor, Extremes]:
    """The program as it is, and one that keeps its extremes."""
    spiking = [p.name for p in program.populations if p.spiking]
    plain, keeping = BACKENDS[name], with_extremes(program)
    return plain.open(program, 1, spiking), Extremes(plain.open(keeping, 1, spiking), program, keeping)


def always(program: Program) -> set[str]:
    """Arrays whose every stored value can be looked at after a step: stored once a step, without a condition."""
    stores = Counter(s.array for o in program.bodies() for s in o.body if isinstance(s, Store))
    every = {
        s.array
        for o in program.bodies()
        if o.when in ("update", "step")
        for s in o.body
        if isinstance(s, Store) and s.guard is None
    }
    return {name for name in every if stores[name] == 1}


def begin(program: Program, executor: Executor) -> None:
    rows = {s.name: np.zeros((5, program.copies), np.int64) for s in program.series if s.order == "item"}
    executor.begin_item([r.name for r in program.readouts], rows)


SEEDS = [seed if seed < 6 else pytest.param(seed, marks=pytest.mark.slow) for seed in range(60)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("copies", [1, 3])
def test_they_are_those_of_every_step(seed: int, copies: int) -> None:
    program = network(seed) if copies == 1 else batched(seed, copies)
    alone, keeping = beside(program)
    begin(program, alone)
    begin(program, keeping)
    names = [n for n in watched(program) if program.arrays[n].role != "input"]
    ends = {n: [program.arrays[n].initial.min(), program.arrays[n].initial.max()] for n in names}
    for _ in range(STEPS):
        for executor in (alone, keeping):
            executor.advance(1)
            executor.trigger("change")
        for name in names:
            values = alone.read(name)
            assert np.array_equal(values, keeping.read(name)), name
            ends[name] = [min(ends[name][0], values.min()), max(ends[name][1], values.max())]
    seen = keeping.seen()
    summed = program.summed()
    for name, (low, high) in ends.items():
        if name in summed:
            continue  # what is seen is what each copy adds
        assert seen[name].lowest <= low <= high <= seen[name].highest, name
        if name in always(program):
            assert (seen[name].lowest, seen[name].highest) == (low, high), name
        assert seen[name].moved >= (low < high and program.arrays[name].initial.size == 1), name


def test_most_kinds_of_stores_are_met() -> None:
    kept = [name for seed in range(6) for name in with_extremes(batched(seed, 3)).arrays]
    assert all(any(name.endswith(end) for name in kept) for end in ("$part$low", "$once$high", "h$low", "s0$low"))
    assert any(always(network(seed)) for seed in range(8))


STORED = """\
neuroport: 1
name: stored
dt: 1 ms
neurons:
  cell:
    inputs: {i: {unit: nA}, n: {type: int}}
    state:
      v: {init: 0.5}
      last: {init: 0}
      count: {type: int, init: 0}
      rest: {init: 0.25}
    update: |
      v = v + 10 * i
      v = 0.5 * v
      last = i
      count = count + n
    on_event:
      jolt: |
        v = -3
        v = 0
      end: last = -7
populations:
  a: {size: 2, neuron: cell}
stimuli:
  up: {series: {values: {array: [[1, 2], [-4, 3], [0.5, 0]], unit: nA}, every: 1 step}, population: a, input: i}
  more: {series: {values: {array: [0.25, 0.5, 0], unit: nA}, every: 1 step}, population: a, input: i}
protocol:
  - run: 3 steps
  - event: jolt
  - reset: [a]
  - run: 2 steps
  - event: end
"""


def seen_in(text: str, backend: str, sets: tuple[str, ...] = ()) -> dict[str, Seen]:
    net = reader.loads(text.encode(), "stored.yaml", sets=sets)
    program, plan = lower_and_plan(net, chips.load("ideal"), None)
    keeping, chosen = with_extremes(program), backends.load(backend)
    extremes = Extremes(chosen.open(keeping, 1, ()), program, keeping)
    with Session(program, plan, extremes, backend=backend) as session:
        session.run_protocol()
        return extremes.seen()


@pytest.mark.parametrize("backend", ["reference", "emulator"])
def test_values_that_a_step_overwrites_and_that_a_reset_forgets_count(backend: str) -> None:
    """By hand: v is 0.5, then 10 i + v before it is halved, and -3 at the event."""
    seen = seen_in(STORED, backend)
    first, second = [1.25, -3.5, 0.5], [2.25, 3.5, 0.0]
    v, stored = 0.5, [-3.0, 0.0, 0.5]
    for row in (first, second):
        v = 0.5
        for i in row:
            stored += [v + 10 * i, 0.5 * (v + 10 * i)]
            v = stored[-1]
    assert seen == {
        "a.v": Seen(min(stored), max(stored), True),
        "a.last": Seen(-7, 3.5, True),  # the very last store
        "a.count": Seen(0, 0, False),
        "a.i": Seen(-3.5, 3.5, True),
        "a.n": Seen(0, 0, False),
        "a.rest": Seen(0.25, 0.25, False),  # no text stores it
    }


def test_no_number_is_told() -> None:
    seen = seen_in(STORED.replace("v = 0.5 * v\n", "v = v / (v - v)\n"), "reference")
    assert not np.isfinite(seen["a.v"].lowest)
    assert np.isnan(seen["a.v"].largest) or np.isinf(seen["a.v"].largest)


def test_what_the_host_writes_counts() -> None:
    net = reader.loads(STORED.encode(), "stored.yaml")
    program, plan = lower_and_plan(net, chips.load("ideal"), None)
    keeping = with_extremes(program)
    extremes = Extremes(backends.load("reference").open(keeping, 1, ()), program, keeping)
    with Session(program, plan, extremes) as session:
        session.set("a.v", [7.0, -9.0])
        session.set("a.i", -6.0)
    assert extremes.seen()["a.v"] == Seen(-9, 7, True)
    assert extremes.seen()["a.i"] == Seen(-6, 0, True)


def test_what_a_loaded_state_replaces_counts() -> None:
    program = neuroport.compile(reader.loads(STORED.encode(), "stored.yaml"))
    both = [beside(program)[1] for _ in range(2)]
    start = both[0].save()
    for extremes in both:
        extremes.advance(3)
        extremes.trigger("jolt")
        extremes.advance(1)
    both[0].load(start)
    assert both[0].step == 0
    assert both[0].seen() == both[1].seen()
    assert both[1].seen()["a.v"].moved


def test_a_program_with_them_has_the_digest_of_the_one_without() -> None:
    net = reader.loads(STORED.encode(), "stored.yaml")
    program, plan = lower_and_plan(net, chips.load("ideal"), None)
    keeping = with_extremes(program)
    extremes = Extremes(backends.load("reference").open(keeping, 1, ()), program, keeping)
    with Session(program, plan, extremes) as session:
        session.run_protocol()
        assert session.digest() == neuroport.run(net, "reference").digest


def test_two_arrays_stand_beside_each_that_is_watched() -> None:
    program = neuroport.compile(reader.loads(STORED.encode(), "stored.yaml"))
    assert watched(program) == ("a.v", "a.last", "a.count", "a.i", "a.n")
    assert list(kept_for(with_extremes(program), "a.v")) == [("a.v$low", "a.v$high")]
