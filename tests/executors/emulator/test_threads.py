"""A program on several threads of the emulator: the same bits as on one, whatever is done between steps."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.blocks import blocks
from neuroport.backends.emulator.threads import Threads
from neuroport.errors import RunFailed
from neuroport.program.ir import Int, Read, Send, Spike, Store
from neuroport.program.machine import Event, Injection, Population, Program, Projection, Readout, Record, Series
from neuroport.program.wiring import Kernel, Pairs
from tests.support import small_programs as small
from tests.support.batches import integers
from tests.support.everything import delayed_sums, everything, real_program
from tests.support.executors import drive, spikes_of, start
from tests.support.programs import array, balanced, c, call, pairs, program, sampling, test
from tests.support.random_programs import networks
from tests.support.reaching import twins
from tests.support.relay import Relay
from tests.support.signals import heard
from tests.support.threaded import Threaded, forward

ONE, TWO, THREE = Emulator(), Threaded(2), Threaded(3)
MORE_THAN_NEURONS = Threaded(12)


S, INPUT = Int(0, 100), Int(-(2**24), 2**24)


def grown(neurons: int = 200) -> Program:
    """Events of every step change what synapses read of their sources, in other events and in the next step."""
    s, limits = Read("p.s", "own", S), {"overflow": "wrap", "lo": 0, "hi": 100}
    arrays = (
        array("p.s", "neuron", "state", S, np.arange(neurons) % 101),
        array("p.i", "neuron", "input", INPUT, [0] * neurons),
        array("pp.w", "synapse", "weight", S, [1] * neurons**2),
    )
    body = (Store("p.s", call("add", s, Read("p.i", "own", INPUT)), **limits), Spike(test("gt", s, c(60))))
    grow = (Store("p.s", call("mul", s, c(3)), **limits),)
    seen = call("add", Read("pp.w", "own", S), Read("p.s", "pre", S))
    learn = Event("learn", "pp", "synapse", (Store("pp.w", seen, **limits),), every_step=True)
    grows = Event("grow", "p", "neuron", grow, every_step=True)
    every = [(i, j) for i in range(neurons) for j in range(neurons)]
    send = (Send("p.i", Read("p.s", "pre", S)),)
    return program(
        arrays=arrays,
        populations=(Population("p", neurons, body, ("p.i",), True, 1),),
        projections=(pairs("pp", "p", "p", (neurons, neurons), every, step=send),),
        events=(grows, learn, grows, learn, grows),
    )


def nearly_full() -> Program:
    """Synapses with delays of their own from every neuron to every other one, but for one: all of most blocks."""
    every = [(i, j) for i in range(3) for j in range(4)][:-1]
    word = Read("pq.w", "own", S)
    return program(
        arrays=(
            array("p.n", "neuron", "state", S, [0, 1, 2]),
            array("q.v", "neuron", "state", INPUT, [0] * 4),
            array("q.i", "neuron", "input", INPUT, [0] * 4, slots=4),
            array("pq.w", "synapse", "weight", S, range(11)),
        ),
        populations=(
            Population("p", 3, (Spike(test("eq", Read("p.n", "own", S), c(1))), *_counting()), (), True, 1),
            Population("q", 4, (Store("q.v", Read("q.i", "own", INPUT)),), ("q.i",), False, 0),
        ),
        projections=(
            pairs(
                "pq",
                "p",
                "q",
                (3, 4),
                every,
                dendritic=[k % 4 for k in range(11)],
                arrive=(Send("q.i", word, delay="synapse"),),
            ),
        ),
        records=(Record("q.v", 1),),
    )


def recorded_in_part() -> Program:
    p = forward(everything())
    some = (Record("a.v", 2, neurons=np.array([1, 2, 5])), Record("ab.w", 3, neurons=np.array([0, 3, 4, 9])))
    return replace(p, records=some)


def _counting() -> tuple[Store, ...]:
    n = Read("p.n", "own", S)
    return (Store("p.n", call("mod", call("add", n, c(1)), c(3), lo=0, hi=2)),)


PROGRAMS: dict[str, Callable[[], Program]] = {
    "all kinds of delays": lambda: forward(small.rich()),
    "all roundings": lambda: forward(everything()),
    "delays of many steps": lambda: forward(everything(4, delay=5)),
    "draws, tables and histograms": sampling,
    "real numbers": lambda: forward(real_program()),
    "real numbers, narrow": lambda: forward(real_program("float32")),
    "sums of delayed numbers": lambda: forward(delayed_sums()),
    "sampling with real numbers": small.sampling,
    "events of every step": grown,
    "blocks that are full": nearly_full,
    "records of parts": recorded_in_part,
    "random networks": lambda: forward(networks(range(3))),
}


def undisturbed_and_threads(p: Program, *backends: Any) -> list[Any]:
    """Machines of a program that run alone, and some that hand it on to each other."""
    return [*start(p, ONE, *backends), Relay(start(p, ONE, TWO, THREE, TWO), 5)]


@pytest.mark.dear
@pytest.mark.parametrize("what", PROGRAMS)
def test_threads_compute_what_one_does(what: str) -> None:
    machines = undisturbed_and_threads(PROGRAMS[what](), TWO, THREE, MORE_THAN_NEURONS)
    assert drive(machines, seed=1, actions=25) is None


@pytest.mark.slow
@pytest.mark.dear
@pytest.mark.parametrize("ten", range(20))
def test_many_random_networks_on_threads(ten: int) -> None:
    p = forward(networks(range(10 * ten, 10 * ten + 10)))
    assert drive(undisturbed_and_threads(p, TWO, THREE), seed=ten) is None


@pytest.mark.dear
def test_full_buffers_lose_nothing() -> None:
    p = forward(everything())
    names = [q.name for q in p.populations]
    large, small_ = ONE.open(p, 1, names), THREE.open(p, 1, names, spike_buffer=1, sample_buffer=1)
    for steps in (1, 70, 29):
        large.advance(steps)
        small_.advance(steps)
    a, b = large.drain(), small_.drain()
    for one, other in ((a.spikes, b.spikes), (a.records, b.records)):
        assert one.keys() == other.keys()
        for name in one:
            assert all(np.array_equal(x, y) for x, y in zip(one[name], other[name], strict=True))


@pytest.mark.dear
def test_bounds_are_respected() -> None:
    p = forward(everything())
    machine, plain = THREE.open(p, 1, ["a"], boundscheck=True), ONE.open(p, 1, ["a"])
    for m in (machine, plain):
        m.advance(60)
        m.trigger("blank")
        m.advance(5)
    assert spikes_of(machine) == spikes_of(plain)


def leaving(neurons: list[int], synapses: list[int]) -> Program:
    """Neurons and synapses that count up to 100, and must not come further."""
    v, w = Read("p.v", "own", S), Read("pp.w", "own", S)
    limits = {"overflow": "error", "lo": 0, "hi": 100}
    chosen = [(0, 3), (1, 2), (2, 1), (3, 0)]
    return program(
        arrays=(array("p.v", "neuron", "state", S, neurons), array("pp.w", "synapse", "weight", S, synapses)),
        populations=(Population("p", 4, (Store("p.v", call("add", v, c(7)), **limits),), (), False, 0),),
        projections=(pairs("pp", "p", "p", (4, 4), chosen, step=(Store("pp.w", call("add", w, c(7)), **limits),)),),
        events=(Event("more", "pp", "synapse", (Store("pp.w", call("add", w, c(50)), **limits),)),),
    )


@pytest.mark.dear
@pytest.mark.parametrize(
    ("neurons", "synapses", "what"),
    [
        ([0, 3, 80, 90], [0] * 4, "p.v: the value of element 3 left its range in step 1"),
        ([90, 0, 0, 90], [0] * 4, "p.v: the value of element 0 left its range in step 1"),
        ([0] * 4, [0, 80, 80, 0], "pp.w: the value of element 1 left its range in step 2"),
        ([0, 0, 90, 0], [0, 90, 0, 0], "p.v: the value of element 2 left its range in step 1"),
    ],
)
def test_error_rule_ends_all_threads_and_names_the_place(neurons: list[int], synapses: list[int], what: str) -> None:
    for machine in start(leaving(neurons, synapses), ONE, TWO, THREE):
        with pytest.raises(RunFailed) as error:
            machine.advance(10)
        assert str(error.value) == (
            f"{what}, and the overflow rule is `error`. Widen the range, or choose a chip that saturates"
        )


@pytest.mark.dear
def test_error_rule_in_an_event_names_the_place() -> None:
    for machine in start(leaving([0] * 4, [0, 0, 70, 60]), ONE, TWO, THREE):
        with pytest.raises(RunFailed) as error:
            machine.trigger("more")
        assert str(error.value) == (
            "pp.w: the value of element 2 left its range in step 0, and the overflow rule is `error`. "
            "Widen the range, or choose a chip that saturates"
        )


@pytest.mark.dear
def test_ctrl_c_comes_after_the_steps_and_threads_end() -> None:
    p = balanced(200, 0.1)
    before = set(threading.enumerate())
    machine, plain = Threads(p, 1, [], 3), ONE.open(p, 1, [])
    more = set(threading.enumerate()) - before

    def interrupted() -> None:
        timer = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        while timer.is_alive() or machine.step < 10**7:
            machine.advance(1000)

    with heard(), pytest.raises(KeyboardInterrupt):
        interrupted()
    assert machine.step % 1000 == 0
    plain.advance(machine.step)
    plain.advance(100)
    machine.advance(100)
    assert plain.spike_counts() == machine.spike_counts()
    assert [thread.is_alive() for thread in more] == [True] * 2
    machine.close()
    assert [thread.is_alive() for thread in more] == [False] * 2


@pytest.mark.dear
def test_every_thread_has_a_block_of_64_neurons_and_all_of_what_is_counted() -> None:
    machine = start(balanced(1000), Emulator(threads=3))[0]
    ends = [block.ends["cells"] for block in blocks(machine.program, 3)]
    assert ends == [(0, 320), (320, 640), (640, 1000)]
    assert [block.ends["units"] for block in blocks(sampling(), 3)] == [(0, 7), (7, 7), (7, 7)]


def refused(p: Program, threads: int, *reasons: str) -> None:
    start = f"network 'test' cannot be computed on {threads} threads"
    end = "leave the number of threads out, and it is computed on one"
    assert Emulator(threads=threads).check(p) == tuple(f"{start}: {reason}; {end}" for reason in reasons)


def test_what_needs_one_thread_is_told() -> None:
    back = "it sends back to its source, whose neurons another thread computes"
    few = "a thread takes at least 64 neurons, and the largest population has the size"
    refused(everything(), 2, f"projection ab, on_pre: {back}", f"projection ab, on_post: {back}", f"{few} 9")
    refused(grown(65), 2)
    refused(grown(200), 5, f"{few} 200, enough for 4 threads")
    refused(integers(3), 2, "its copies share what they learn, and one thread computes them all")
    p = twins()
    twin = "it reads its twin, whose synapses another thread computes"
    refused(p, 2, *(f"event {e.name} of {e.owner}: {twin}" for e in p.events if e.over == "synapse"), f"{few} 4")


def test_the_text_of_one_thread_knows_nothing_of_others() -> None:
    p = forward(everything())
    assert "meet(" not in ONE.source(p) and "meet(" in Emulator(threads=2).source(p)


CUT = """Injection.neurons Injection.steps Injection.values Kernel.entry_ahead Kernel.entry_base Kernel.first
    Kernel.target Kernel.target_ahead Kernel.template Pairs.element Pairs.entry Pairs.indptr Pairs.post Pairs.pre
    Projection.dendritic Projection.twin Readout.neurons Record.neurons Series.neurons Series.start Series.table"""


def test_blocks_know_all_that_objects_have_of_neurons_and_synapses() -> None:
    """Who adds an array to the machine must think of `blocks.cut`: it may be one of neurons or synapses."""
    kinds = (Population, Projection, Pairs, Kernel, Event, Readout, Record, Injection, Series)
    given = re.compile("NDArray|Numbers|Integers")
    found = {f"{k.__name__}.{f.name}" for k in kinds for f in fields(k) if given.search(str(f.type))}
    assert found == set(CUT.split())
