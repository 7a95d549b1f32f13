"""A population limits what arrives for it: a store into an input at the head of its body, on every executor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.copies.axis import with_copies
from neuroport.errors import RunFailed
from neuroport.program.ir import Int, Overflow, Read, Send, Spike, Store
from neuroport.program.machine import Injection, Population, Program, Record, Series
from tests.support.executors import BACKENDS
from tests.support.oracle import Oracle
from tests.support.programs import array, c, call, pairs, program, test

SUM, WORD, CARD = Int(-100000, 100000), Int(-128, 127), Int(-(2**40), 2**40)
STEPS = 12


def limited(rule: Overflow, slots: int = 1, sum_: Int = SUM, spiking: bool = True) -> Program:
    """Five neurons that send to each other, to an input that is limited to 8 bits before anything reads it."""
    drive, v = Read("p.drive", "own", sum_), Read("p.v", "own", WORD)
    other = Read("p.other", "own", sum_)
    rows = np.array([[40, 0, -90, 500, 1], [3, 3, 90, -500, -1], [127, 128, -128, -129, 0]])
    late = [k % slots for k in range(10)] if slots > 1 else None
    chosen = [(i, j) for i in range(5) for j in range(5) if (i + 2 * j) % 2]
    weights = [(-1) ** k * (11 * k) for k in range(10)]
    body = (
        Store("p.drive", drive, None, rule, WORD.lo, WORD.hi),
        Store("p.seen", Read("p.drive", "own", WORD)),
        Store("p.both", call("add", Read("p.drive", "own", WORD), other)),
        Store("p.v", call("add", v, Read("p.drive", "own", WORD)), None, "wrap", WORD.lo, WORD.hi),
        *((Spike(test("gt", v, c(20))),) if spiking else ()),
    )
    send = Send("p.drive", Read("w.w", "own", Int(-200, 200)), None, "post", "synapse" if slots > 1 else 0)
    return program(
        arrays=(
            array("p.drive", "neuron", "input", sum_, [0] * 5, slots=slots),
            array("p.other", "neuron", "input", sum_, [0] * 5),
            array("p.seen", "neuron", "state", sum_, [0] * 5),
            array("p.both", "neuron", "state", Int(), [0] * 5),
            array("p.v", "neuron", "state", WORD, [0, 30, -7, 100, -100]),
            array("w.w", "synapse", "weight", Int(-200, 200), weights),
        ),
        populations=(Population("p", 5, body, ("p.drive", "p.other"), spiking, 2),),
        projections=(
            pairs(
                "w",
                "p",
                "p",
                (5, 5),
                chosen,
                dendritic=late,
                arrive=(send,) if spiking else (),
                step=(Send("p.other", c(3)), *(() if spiking else (send,))),
            ),
        ),
        injections=(Injection("kick", "p.drive", np.array([1, 1, 5]), np.array([0, 0, 4]), np.array([99, 30, -1000])),),
        series=(Series("wave", "p.drive", rows, 2, loop=True),),
        records=(Record("p.seen", 1), Record("p.v", 1), Record("p.both", 1)),
    )


def measured(backend: Any, p: Program) -> Any:
    """What an executor recorded and counted, and what is left in the input."""
    assert backend.check(p) == ()
    machine = backend.open(p, 1, ["p"] if p.populations[0].spiking else [])
    for steps in (1, 4, STEPS - 5):
        machine.advance(steps)
    records = {name: values.tolist() for name, (_, values) in machine.drain().records.items()}
    return records, machine.overflows(), machine.spike_counts(), machine.read("p.drive").tolist()


def expected(p: Program) -> Any:
    """The same of the machine in plain Python."""
    oracle = Oracle(p, 1)
    records: dict[str, list[Any]] = {r.array: [] for r in p.records}
    for _ in range(STEPS):
        oracle.advance(1)
        for name, rows in records.items():
            rows.append(oracle.a[name])
            oracle.a[name] = list(oracle.a[name])
    counts = {q.name: len(oracle.spikes(q.name)) for q in p.populations if q.spiking}
    return records, oracle.over, counts, oracle.inputs["p.drive"].get(STEPS, [0] * 5)


@pytest.mark.parametrize(("rule", "slots", "sum_"), [("saturate", 1, SUM), ("wrap", 4, SUM), ("saturate", 5, CARD)])
def test_a_limited_input_is_what_the_body_reads_and_is_counted(
    backend: Any, rule: Overflow, slots: int, sum_: Int
) -> None:
    p = limited(rule, slots, sum_)
    found = measured(backend, p)
    assert found == expected(p)
    seen, counted = np.array(found[0]["p.seen"]), found[1]
    assert -128 <= seen.min() < -100
    assert seen.max() == 127
    assert counted["p.drive"] > 10


def test_inputs_of_several_copies_are_limited_alike(backend: Any) -> None:
    for spiking in (True, False):
        p = limited("saturate", 1 if not spiking else 3, spiking=spiking)
        assert measured(backend, with_copies(p, 3)) == measured(BACKENDS["reference"], with_copies(p, 3))
        records, counts, *_ = measured(backend, with_copies(p, 3))
        assert counts["p.drive"] == 3 * expected(p)[1]["p.drive"]
        assert np.array(records["p.seen"])[..., 2].tolist() == expected(p)[0]["p.seen"]


def test_an_input_whose_rule_is_error_ends_the_run(backend: Any) -> None:
    p = replace(limited("error"), injections=(), series=())
    machine = backend.open(p, 1, [])
    machine.advance(1)
    machine.write("p.drive", np.array([0, 0, 200, 0, 0]))
    with pytest.raises(RunFailed) as error:
        machine.advance(1)
    assert "p.drive" in str(error.value)
