"""What the host gives to arrays is refused alike by every executor; sums that one would round end the run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.errors import InvalidInput, RunFailed
from neuroport.program.ir import Apply, Expr, Int, Read, Send, Store
from neuroport.program.machine import Population, Program
from tests.support.executors import BACKENDS, needs_genn
from tests.support.programs import array, pairs, program

V = Read("p.v", "own", Int(0, 100))
WIDE = Int(-(2**63), 2**63 - 1)


def storing(value: Expr) -> Program:
    """A neuron that stores one value."""
    arrays = (array("p.v", "neuron", "state", V.type, [1]), array("p.w", "neuron", "state", WIDE, [0]))
    body = (Store("p.w", value),)
    p = program(arrays=arrays, populations=(Population("p", 1, body, (), False, 0),))
    return replace(p, tables={"steps": np.arange(100)})


def test_values_from_the_host_are_refused_alike(backend: Any) -> None:
    machine = backend.open(storing(V), 1, [])
    for values, found in (
        (
            [101],
            "the raw value 101 is outside 0..100, the range of its format. Give it a wider range or smaller values",
        ),
        ([-1], "the raw value -1 is outside 0..100, the range of its format. Give it a wider range or smaller values"),
        ([0.5], "fractions were given; the array takes whole numbers"),
        ([1, 2], "the values have shape (2,); the array has (1,)"),
    ):
        with pytest.raises(InvalidInput) as error:
            machine.write("p.v", np.array(values))
        assert str(error.value) == f"p.v: {found}"
    machine.write("p.v", np.array([100]))
    machine.advance(1)
    assert machine.read("p.w").tolist() == [100]


LARGE = 2**52 + 1


@needs_genn
def test_sums_of_whole_numbers_that_genn_would_round_end_the_run() -> None:
    v, w = Read("p.v", "own", Int()), Read("w.w", "own", Int())
    arrays = (
        array("p.v", "neuron", "state", Int(), [0, 0]),
        array("p.i", "neuron", "input", Int(), [0, 0]),
        array("w.w", "synapse", "weight", Int(), [3, LARGE]),
    )
    body = (Store("p.v", Apply("add", (v, Read("p.i", "own", Int())), Int())),)
    wires = pairs("w", "p", "p", (2, 2), [(0, 1), (1, 1)], step=(Send("p.i", w),))
    p = program(integer=False, arrays=arrays, populations=(Population("p", 2, body, ("p.i",), False, 0),),
                projections=(wires,))  # fmt: skip
    machines = {name: backend.open(p, 1, []) for name, backend in BACKENDS.items()}
    for machine in machines.values():
        machine.advance(2)
    assert [m.read("p.v").tolist() for m in machines.values()] == 3 * [[0, 2 * LARGE + 6]]
    for machine in machines.values():
        machine.write("w.w", np.array([LARGE, LARGE]))
    with pytest.raises(RunFailed) as error:
        machines["genn"].advance(1)
    assert str(error.value) == (
        "step 2: the sum for 'p.i' reached 2**53, up to which GeNN adds whole numbers exactly; give the weights a "
        "smaller range, or take another backend"
    )
