"""What is no legal program with synapses that share the entries of a kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.connections.convolution import Convolution, wiring
from neuroport.connections.windows import Windows
from neuroport.program.ir import Int, Read, Reduce, Store
from neuroport.program.machine import Event, Population, Program, Projection
from neuroport.program.verify import verify
from neuroport.program.wiring import Kernel
from tests.support.programs import array, program

KERNEL = wiring(Convolution(windows=Windows((3, 3), (2, 2)), channels=(1, 2)))
BYTE = Int(-128, 127)
W, X = Read("p.w", "own", BYTE), Read("p.x", "own", BYTE)
POST = Read("b.v", "post", BYTE)


def small(wired: Kernel = KERNEL, **more: Any) -> Program:
    given: dict[str, Any] = {"step": (), "arrive": (), "post_body": (), "dendritic": None}
    events = more.pop("events", ())
    projection = Projection("p", "a", "b", 9, 8, 1, wired, **(given | more))
    return program(
        arrays=(
            array("a.v", "neuron", "state", BYTE, [0] * 9),
            array("b.v", "neuron", "state", BYTE, [0] * 8),
            array("p.w", "kernel", "weight", BYTE, [0] * 8),
            array("p.x", "synapse", "state", BYTE, [0] * 32),
        ),
        populations=(Population("a", 9, (), (), False, 1), Population("b", 8, (), (), False, 1)),
        projections=(projection,),
        events=events,
    )


def learning(value: Any, array: str = "p.w") -> Program:
    return small(events=(Event("learn", "p", "kernel", (Store(array, value, None, "saturate", -128, 127),)),))


def added(x: Any, op: Any = "sum", terms: int = 4) -> Reduce:
    return Reduce(x, Int(-128 * terms, 127 * terms), op, "shared", terms)


def test_a_program_with_a_kernel_is_legal() -> None:
    assert verify(learning(added(POST))) == verify(learning(added(X))) == ()


ILLEGAL: dict[str, tuple[Callable[[], Program], str]] = {
    "another population": (lambda: small(replace(KERNEL, targets=9)), "its kernel joins 9 neurons with 9"),
    "a template that is not there": (
        lambda: small(replace(KERNEL, template=KERNEL.template + 9)),
        "not every presynaptic neuron has a template",
    ),
    "runs that overlap": (
        lambda: small(replace(KERNEL, target_ahead=np.zeros_like(KERNEL.target_ahead))),
        "are not sorted by postsynaptic neuron, or overlap",
    ),
    "an entry outside": (
        lambda: small(replace(KERNEL, entry_base=KERNEL.entry_base + 1)),
        "lies outside of its population or of the kernel",
    ),
    "a target outside": (
        lambda: small(replace(KERNEL, target=KERNEL.target + 2)),
        "lies outside of its population or of the kernel",
    ),
    "a twin for each synapse": (
        lambda: small(twin=np.arange(32)),
        "twin has shape (32,) and numbers of int64, for 8 entries",
    ),
    "a step that stores what is shared": (
        lambda: small(step=(Store("p.w", X, None, "saturate", -128, 127),)),
        "p.w, weight of p, cannot be assigned here",
    ),
    "an entry that reads a neuron": (lambda: learning(POST), "b.v cannot be read at 'post' here"),
    "an entry that reads a synapse": (lambda: learning(X), "p.x cannot be read at 'own' here"),
    "an entry that stores into synapses": (lambda: learning(W, "p.x"), "p.x, state of p, cannot be assigned here"),
    "fewer terms than there are": (lambda: learning(added(POST, terms=3)), "has 4 terms, and is said to have 3"),
    "the largest over an entry": (lambda: learning(added(POST, "max")), "max_shared stands here"),
}


@pytest.mark.parametrize("what", ILLEGAL)
def test_what_is_not_legal_is_told(what: str) -> None:
    program, text = ILLEGAL[what]
    assert any(text in problem.text for problem in verify(program()))
