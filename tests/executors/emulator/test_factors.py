"""Synapses whose weights are scaled by a factor that is one: the same numbers by a shorter way."""

from __future__ import annotations

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.emit import module_text
from neuroport.backends.emulator.factors import common_factor, without_factor
from neuroport.program.ir import ROUNDINGS, Expr, Int, Read, Round, Send, Spike, Store
from neuroport.program.machine import Population, Program
from tests.support.oracle import Literal
from tests.support.programs import array, c, call, pairs, program, test

WEIGHTS = [-128, -127, -3, -1, 0, 1, 2, 126, 127]
SCALES = (256, 255, 1, 0, 512, 1024, 256)
W = Read("p.w", "own", Int(-128, 127))
SCALE = Read("p.scale", "scalar", Int(0, 1024))
PRODUCT = call("mul", W, SCALE, lo=-(2**17), hi=2**17)
SENT = Int(-512, 511)


def scaled(mode: str) -> Expr:
    """The weight times a scale of 8 fractional bits."""
    if mode == "trunc_div":
        return call("trunc_div", PRODUCT, c(256), lo=-512, hi=511)
    return Round(PRODUCT, 8, mode, SENT, 5)  # type: ignore[arg-type]


def sending(*values: Expr, dendritic: list[int] | None = None) -> Program:
    """A neuron that spikes in every step, and synapses that send these values."""
    sent = Int(-(2**20), 2**20)
    targets = len(WEIGHTS)
    delay = "synapse" if dendritic else 0
    return program(
        arrays=(
            array("b.v", "neuron", "input", sent, [0] * targets, slots=4),
            array("b.seen", "neuron", "state", sent, [0] * targets),
            array("p.w", "synapse", "weight", W.type, WEIGHTS),
            array("p.scale", "scalar", "parameter", SCALE.type, 256),
        ),
        populations=(
            Population("a", 1, (Spike(test("eq", c(0), c(0))),), (), True, 0),
            Population("b", targets, (Store("b.seen", Read("b.v", "own", sent)),), ("b.v",), False, 1),
        ),
        projections=(
            pairs(
                "p", "a", "b", (1, targets), [(0, j) for j in range(targets)], dendritic=dendritic,
                arrive=tuple(Send("b.v", value, delay=delay) for value in values),
            ),
        ),
    )  # fmt: skip


@pytest.mark.dear
@pytest.mark.parametrize("mode", [*ROUNDINGS, "trunc_div"])
def test_every_factor_gives_the_numbers_of_the_oracle(mode: str) -> None:
    """Also one that changes while the network runs."""
    seen = []
    for backend in (Emulator(boundscheck=True), Literal()):
        machine = backend.open(sending(scaled(mode)), 1, [])
        found = []
        for scale in SCALES:
            machine.write("p.scale", np.array(scale))
            machine.advance(2)
            found.append(machine.read("b.seen").tolist())
        seen.append(found)
    assert seen[0] == seen[1]
    assert seen[0][0] == seen[0][-1] == WEIGHTS


@pytest.mark.dear
def test_synapses_with_delays_and_a_factor_are_those_of_the_oracle() -> None:
    p = sending(scaled("trunc_div"), dendritic=[k % 4 for k in range(len(WEIGHTS))])
    machines = [backend.open(p, 1, []) for backend in (Emulator(boundscheck=True), Literal())]
    for _ in range(6):
        for machine in machines:
            machine.advance(1)
        assert machines[0].read("b.seen").tolist() == machines[1].read("b.seen").tolist()
    assert machines[0].read("b.seen").tolist() == WEIGHTS


def test_what_is_sent_when_the_factor_is_one() -> None:
    body = sending(scaled("floor"), scaled("trunc_div")).projections[0].arrive
    factor = common_factor(body)
    assert factor is not None
    assert (factor.scalar, factor.one) == (SCALE, 256)
    assert without_factor(body) == (Send("b.v", W), Send("b.v", W))


@pytest.mark.parametrize(
    "values",
    [
        (W,),
        (scaled("floor"), W),
        (PRODUCT,),
        (scaled("floor"), Round(PRODUCT, 7, "floor", SENT)),
        (call("trunc_div", PRODUCT, c(-256)),),
        (call("trunc_div", call("mul", W, W), c(256)),),
    ],
)
def test_no_common_factor(values: tuple[Expr, ...]) -> None:
    assert common_factor(sending(*values).projections[0].arrive) is None


def test_the_row_of_a_coming_spike_is_asked_for_whole() -> None:
    """Every array with a value for each synapse that the body reads, and no other; where it begins, before that."""
    text = module_text(sending(scaled("floor"), dendritic=[k % 4 for k in range(len(WEIGHTS))]))
    assert sorted(line.strip() for line in text.splitlines() if "prefetch" in line and "p_rows" in line) == [
        "prefetch(p_rows, np.int64(a_spikes[past, spike + 16]))",
        "prefetch_row(p_dendritic, p_rows, a_spikes[past, spike + 8])",
        "prefetch_row(p_w, p_rows, a_spikes[past, spike + 8])",
    ]


@pytest.mark.dear
def test_a_full_matrix_of_synapses_that_read_nothing_asks_for_nothing_ahead() -> None:
    type_ = Int(0, 100)
    p = program(
        arrays=(
            array("p.n", "neuron", "state", type_, [0, 1, 2]),
            array("q.v", "neuron", "state", type_, [0] * 4),
            array("q.i", "neuron", "input", type_, [0] * 4),
        ),
        populations=(
            Population("p", 3, (Spike(test("lt", Read("p.n", "own", type_), c(2))),), (), True, 1),
            Population("q", 4, (Store("q.v", Read("q.i", "own", type_)),), ("q.i",), False, 0),
        ),
        projections=(
            pairs("pq", "p", "q", (3, 4), [(i, j) for i in range(3) for j in range(4)], arrive=(Send("q.i", c(7)),)),
        ),
    )
    oracle, machine = (b.open(p, 1, []) for b in (Literal(), Emulator()))
    for m in (oracle, machine):
        m.advance(3)
    assert machine.read("q.v").tolist() == oracle.read("q.v").tolist() == [14] * 4
