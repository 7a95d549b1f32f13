"""What no machine word holds is refused before anything is executed, by every executor, with the statement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from emulator_programs import array, c, program
from test_integers import BACKENDS, EXECUTORS

from neuroport.program import Apply, Const, Expr, Int, Lookup, Population, Program, Read, Store

V = Read("p.v", "own", Int(0, 100))
WIDE = Int(-(2**63), 2**63 - 1)


def storing(value: Expr) -> Program:
    """A neuron that stores one value."""
    arrays = (array("p.v", "neuron", "state", V.type, [1]), array("p.w", "neuron", "state", WIDE, [0]))
    body = (Store("p.w", value),)
    p = program(arrays=arrays, populations=(Population("p", 1, body, (), False, 0),))
    return replace(p, tables={"steps": np.arange(100)})


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize(
    ("value", "found"),
    [
        (
            Apply("mul", (V, c(2**62)), Int(0, 100 * 2**62)),
            f"(p.v * {2**62}) is said to lie in 0..{100 * 2**62}, which 64 bits do not hold",
        ),
        (Const(2**63, WIDE), f"{2**63} is said to lie in {2**63}..{2**63}, which 64 bits do not hold"),
        (Apply("shl", (c(0), V), Int(0, 0)), "(0 << p.v) shifts by 0..100 bits; shifts go from 0 to 62"),
        (Apply("shr", (V, c(-1)), Int(0, 200)), "(p.v >> -1) shifts by -1..-1 bits; shifts go from 0 to 62"),
        (Lookup("steps", V, Int(0, 99)), "p.v is said to lie in 0..100, but steps has 100 entries"),
    ],
)
def test_values_counts_and_indices_beyond_machines_are_refused(executor: str, value: Expr, found: str) -> None:
    (problem,) = BACKENDS[executor].check(storing(value))
    assert problem.startswith("population p, `p.w := ")
    assert problem.endswith(f"`: {found}. This is a fault of neuroport, not of the network")
