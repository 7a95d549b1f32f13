"""The time step: the oracle and every executor against a simulator of one network, and what stands between steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroport.program.ir import REAL, Send, Spike, Store
from neuroport.program.machine import Event, Population
from tests.support import small_programs as small
from tests.support.executors import beside_the_oracle, everywhere, spikes_of, start
from tests.support.rich_simulator import Simulator
from tests.support.small_programs import apply, array, const, program, projection, read

ACTIONS = st.lists(
    st.one_of(st.integers(0, 9), st.sampled_from(["reset in", "reset out", "flip"])), min_size=1, max_size=14
)
LONG = [
    "reset in" if k % 7 == 3 else "reset out" if k % 11 == 5 else "flip" if k % 5 == 4 else k % 9 for k in range(120)
]
EXAMPLES = {"reference": 60, "emulator": 30, "genn": 1}
"""GeNN needs a second to open a program that it has compiled before."""


def compare(simulator: Simulator, machine: Any) -> None:
    for name, values in simulator.now.items():
        assert machine.read(name).tolist() == values, name
    assert machine.read("forward.w").tolist() == simulator.w
    assert machine.read("out.count").tolist() == simulator.count
    assert machine.histogram("busy").tolist() == simulator.busy
    assert machine.overflows().get("forward.w", 0) == simulator.overflows


def in_order(machine: Any) -> list[tuple[str, int, int]]:
    """What spiked since the last call: population, step, neuron."""
    found = [(name, *spike) for name, spikes in spikes_of(machine).items() for spike in spikes]
    return sorted(found, key=lambda s: (s[1], s[0], s[2]))


def follow(simulator: Simulator, machines: list[Any], actions: list[int | str]) -> None:
    """Let the machines do what the simulator does."""
    everywhere(machines, "begin_item", ["busy"], {})
    for action in actions:
        match action:
            case int():
                simulator.run(action)
                everywhere(machines, "advance", action)
            case "flip":
                simulator.flip()
                everywhere(machines, "trigger", "flip")
            case _:
                simulator.reset(action.split()[1])
                everywhere(machines, "reset", action.split()[1])
        for machine in machines:
            compare(simulator, machine)
    for machine in machines:
        assert in_order(machine) == simulator.spikes
        assert machine.spike_counts() == {name: sum(s[0] == name for s in simulator.spikes) for name in ("in", "out")}


def test_time_step(backend: Any) -> None:
    """Delays, dendritic delays, conditional sends, resets with spikes in flight and events: all as the simulator."""

    @given(actions=ACTIONS, seed=st.integers(0, 2**64 - 1))
    @settings(max_examples=EXAMPLES[backend.name], deadline=None, database=None)
    def holds(actions: list[int | str], seed: int) -> None:
        follow(Simulator(seed), start(small.rich(), backend, seed=seed), actions)

    holds()


def test_long_run_of_the_time_step(backend: Any) -> None:
    simulator = Simulator(3)
    follow(simulator, beside_the_oracle(backend, small.rich(), seed=3), LONG)
    assert min(sum(s[0] == name for s in simulator.spikes) for name in ("in", "out")) > 50
    assert simulator.overflows > 0


def test_records_are_taken_at_the_end_of_every_third_step(backend: Any) -> None:
    simulator, (machine,) = Simulator(1), start(small.rich(), backend)
    simulator.run(10)
    machine.advance(4)
    first = machine.drain().records["out.u"]
    machine.advance(6)
    second = machine.drain().records["out.u"]
    assert (first[0].tolist(), second[0].tolist()) == ([2], [5, 8])
    assert [*first[1].tolist(), *second[1].tolist()] == [simulator.states[t]["out.u"] for t in (2, 5, 8)]


def test_what_is_read_and_written_is_a_copy(backend: Any) -> None:
    (machine,) = start(small.rich(), backend)
    values = machine.read("forward.w")
    values[:] = 3
    assert machine.read("forward.w").tolist() == small.RICH_WEIGHTS
    machine.write("forward.w", values)
    values[:] = 4
    assert machine.read("forward.w").tolist() == [3] * 8


def test_histogram_counts_only_in_items_that_name_it(backend: Any) -> None:
    (machine,) = start(small.rich(), backend)
    machine.begin_item([], {})
    machine.advance(10)
    assert machine.histogram("busy").sum() == 0
    machine.begin_item(["busy"], {})
    machine.advance(9)
    assert machine.histogram("busy").sum() == 4
    machine.clear_histogram("busy")
    assert machine.histogram("busy").sum() == 0


def test_sums_of_real_numbers_are_made_in_the_order_of_the_synapses(backend: Any) -> None:
    values = [1e16, 1.0, -1e16, 1.0]
    arrays = [
        array("s.v", "neuron", "state", [0.0] * 4, REAL),
        array("p.i", "neuron", "input", [0.0], REAL),
        array("p.v", "neuron", "state", [0.0], REAL),
        array("c.w", "synapse", "weight", values, REAL),
    ]
    source = Population("s", 4, (Spike(const(True)),), (), True, 1)
    target = Population("p", 1, (Store("p.v", read("p.i", type=REAL)),), ("p.i",), False, 0)
    made = projection("c", source, target, [(k, 0) for k in range(4)], arrive=(Send("p.i", read("c.w", type=REAL)),))
    (machine,) = start(program(arrays, [source, target], (made,)), backend)
    machine.advance(2)
    assert machine.read("p.v").tolist() == [((1e16 + 1.0) - 1e16) + 1.0]


def test_empty_projections_and_populations(backend: Any) -> None:
    arrays = [array("p.i", "neuron", "input", []), array("c.w", "synapse", "weight", [])]
    cells = Population("p", 0, (Spike(const(True)),), ("p.i",), True, 1)
    send = (Send("p.i", read("c.w")),)
    made = program(arrays, [cells], (projection("c", cells, cells, [], step=send, arrive=send, post_body=send),))
    if backend.name == "genn":
        assert "the population 'p' has no neurons; GeNN needs at least one." in backend.check(made)
        return
    (machine,) = start(made, backend)
    machine.advance(3)
    assert machine.spike_counts() == {"p": 0}
    assert machine.drain().spikes["p"][0].tolist() == []


def test_events_of_synapses_see_what_the_last_step_left(backend: Any) -> None:
    """At the end of a step as well as between two: of a source, what has come to the synapse by then."""
    arrays = [
        *(array(f"{name}.v", "neuron", "state", [0, 0], history=3) for name in "pq"),
        *(array(f"w.{name}", "synapse", role, [0, 0]) for name, role in (("w", "weight"), ("late", "state"))),
    ]
    cells = [Population(n, 2, (Store(f"{n}.v", apply("add", read(f"{n}.v"), k)),), (), False, 3) for n, k in PACES]
    seen = apply("add", apply("mul", read("p.v", "pre", lag=2), 1000), read("q.v", "post"))
    events = tuple(
        Event(name, "w", "synapse", (Store(f"w.{to}", seen),), every_step)
        for name, to, every_step in (("learn", "w", False), ("each_step", "late", True))
    )
    there = projection("w", *cells, [(0, 1), (1, 0)], 3)
    (machine,) = start(program(arrays, cells, (there,), events=events), backend)

    def found(steps: int, *actions: Any) -> list[int]:
        machine.advance(steps)
        for what, *arguments in actions:
            getattr(machine, what)(*arguments)
        machine.trigger("learn")
        return [*machine.read("w.w").tolist(), *machine.read("w.late").tolist()]

    assert found(1) == [10, 10, 10, 10]
    assert found(4) == [3050, 3050, 3050, 3050]
    assert found(0, ("write", "q.v", np.array([7, 8]))) == [3008, 3007, 3050, 3050]
    assert found(0, ("reset", "p")) == [8, 7, 3050, 3050]
    assert found(1) == [18, 17, 18, 17]
    assert found(3) == [2048, 2047, 2048, 2047]
    machine.trigger("each_step")
    assert machine.read("w.late").tolist() == [2048, 2047]


PACES = (("p", 1), ("q", 10))


def test_an_event_reads_the_twins_of_its_synapses(backend: Any) -> None:
    arrays = [array("a.w", "synapse", "weight", [1, 2, 3]), array("b.w", "synapse", "weight", [10, 20, 30])]
    cells, others = Population("p", 2, (), (), False, 0), Population("q", 2, (), (), False, 0)
    there = projection("a", cells, others, [(0, 0), (0, 1), (1, 0)])
    back = projection("b", others, cells, [(0, 0), (0, 1), (1, 0)], twin=np.array([0, 2, 1]))
    event = Event("tie", "b", "synapse", (Store("b.w", apply("add", read("b.w"), read("a.w", "twin"))),))
    (machine,) = start(program(arrays, [cells, others], (there, back), events=(event,)), backend)
    machine.trigger("tie")
    assert machine.read("b.w").tolist() == [11, 23, 32]
