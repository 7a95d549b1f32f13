"""What is the emulator's own about series, samples and twins: its limits, buffers and the order of twins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.emit import module_text, twin_order
from neuroport.backends.emulator.machine import Machine
from neuroport.errors import InvalidInput
from neuroport.program.ir import Int, Read, Store
from neuroport.program.machine import Event, Population, Program, Projection, Record, Series
from tests.support.programs import array, c, call, pairs, program

ACC = Int(-(2**30), 2**30)


def start(p: Program, **options: int) -> Machine:
    """A machine for a program that the emulator accepts."""
    assert Emulator().check(p) == ()
    return Machine(p, 1, [], **options)


def shown(*series: Series, records: tuple[Record, ...] = (Record("p.v", 1),)) -> Program:
    """Two neurons that keep what a series gave them in the last step."""
    body = (Store("p.v", Read("p.i", "own", ACC)),)
    return program(
        arrays=(array("p.v", "neuron", "state", ACC, [0, 0]), array("p.i", "neuron", "input", ACC, [0, 0])),
        populations=(Population("p", 2, body, ("p.i",), False, 0),),
        series=series,
        records=records,
    )


TABLE = np.arange(12).reshape(6, 2) + 1


@pytest.mark.dear
@pytest.mark.parametrize(
    ("name", "table", "text"),
    [
        ("goal", TABLE, "The network has no series 'goal'. Its series are: goals."),
        ("goals", TABLE[1:], "goals: the table has shape (5, 2); the series has (6, 2)"),
        ("goals", TABLE / 2, "goals: fractions were given; the series takes whole numbers"),
        (
            "goals",
            TABLE + 2**30,
            "p.i: the raw value 1073741836 is outside -1073741824..1073741824, the range of its format. "
            "Give it a wider range or smaller values",
        ),
    ],
)
def test_a_wrong_table_is_refused(name: str, table: np.ndarray, text: str) -> None:
    machine = start(shown(Series("goals", "p.i", TABLE, 1, "item")))
    with pytest.raises(InvalidInput) as error:
        machine.load_series(name, table)
    assert str(error.value) == text


@pytest.mark.dear
@pytest.mark.parametrize("buffer", [1, 1 << 20])
def test_samples_of_a_readout_only_in_items_that_name_it(buffer: int) -> None:
    answer, last = Record("p.v", 3, "answer", 1), Record("p.v", 100, "last", 4)
    machine = start(
        shown(Series("ramp", "p.i", TABLE, 1, loop=True), records=(Record("p.v", 4), answer, last)),
        sample_buffer=buffer,
    )
    machine.advance(5)
    machine.begin_item(["answer"], {})
    machine.advance(6)
    machine.begin_item([], {})
    machine.advance(7)
    machine.begin_item(["answer", "last"], {})
    machine.advance(5)
    records = machine.drain().records
    assert {name: steps.tolist() for name, (steps, _) in records.items()} == {
        "p.v": [3, 7, 11, 15, 19],
        "answer": [6, 9, 19, 22],
        "last": [22],
    }
    assert records["answer"][1][:, 0].tolist() == [1, 7, 3, 9]


# ---------------------------------------------------------------- twins


def tied(down: Projection, up: Projection, twin: list[int] | None) -> Program:
    """Synapses that take over 10 times the weight of their twins at an event."""
    body = (Store("down.w", call("mul", Read("up.w", "twin", ACC), c(10))),)
    sizes = [down.source_size, down.target_size]
    return program(
        arrays=(
            array("down.w", "synapse", "weight", ACC, [0] * down.synapses),
            array("up.w", "synapse", "weight", ACC, 1 + np.arange(up.synapses)),
        ),
        populations=tuple(Population(name, n, (), (), False, 0) for name, n in zip("ab", sizes, strict=True)),
        projections=(replace(down, twin=None if twin is None else np.array(twin, np.int64)), up),
        events=(Event("tie", "down", "synapse", body),),
    )


def everyone(n: int, m: int) -> list[tuple[int, int]]:
    """All pairs."""
    return [(i, j) for i in range(n) for j in range(m)]


@pytest.mark.dear
@pytest.mark.parametrize(
    ("twin", "order"),
    [([0, 1, 2, 3, 4, 5], "same"), ([0, 2, 4, 1, 3, 5], "transposed"), ([5, 5, 0, 1, 2, 3], "any")],
)
def test_a_synapse_reads_its_twin(twin: list[int], order: str) -> None:
    up = pairs("up", "a", "b", (2, 3), everyone(2, 3))
    if order == "transposed":
        up = pairs("up", "b", "a", (3, 2), everyone(3, 2))
    p = tied(pairs("down", "a", "b", (2, 3), everyone(2, 3)), up, twin)
    assert twin_order(p.projections[0]) == order
    assert ("down_twin" in module_text(p)) == (order == "any")
    machine = start(p)
    machine.trigger("tie")
    assert machine.read("down.w").tolist() == [10 * (1 + k) for k in twin]


@pytest.mark.dear
def test_twins_of_sparse_projections() -> None:
    chosen = [(0, 1), (1, 0), (1, 2)]
    up = pairs("up", "b", "a", (3, 2), [(0, 1), (1, 0), (2, 1)])
    p = tied(pairs("down", "a", "b", (2, 3), chosen), up, [1, 0, 2])
    machine = start(p)
    machine.trigger("tie")
    assert machine.read("down.w").tolist() == [20, 10, 30]


def test_twins_that_are_read_and_assigned_have_no_order() -> None:
    down, up = (pairs(name, "a", "b", (2, 2), everyone(2, 2)) for name in ("down", "up"))
    p = tied(down, up, [0, 1, 2, 3])
    own = (Store("down.w", Read("down.w", "twin", ACC)),)
    assert Emulator().check(replace(p, events=(Event("tie", "down", "synapse", own),))) == (
        "event tie of down: down.w is read from the twin and assigned in the same block; the order decides.",
    )


@pytest.mark.dear
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64])
@pytest.mark.parametrize("writeable", [True, False])
def test_another_table_leaves_the_program_as_it_is(kind: type, writeable: bool) -> None:
    """Whatever number type a program's table has: some are those in which the emulator holds it."""
    table = TABLE.astype(kind)
    table.flags.writeable = writeable
    machine = start(shown(Series("goals", "p.i", table, 1, "item")))
    machine.load_series("goals", TABLE + 1)
    assert np.array_equal(table, TABLE)
    machine.load(machine.save())
    assert np.array_equal(machine.save().tables["goals"], TABLE + 1)
