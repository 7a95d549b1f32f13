"""Every executor does with a program what the oracle does, whatever is asked of it between steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from neuroport.program.machine import Program
from tests.support import small_programs as small
from tests.support.batches import integers, layers
from tests.support.everything import everything, real_program
from tests.support.executors import beside_the_oracle, difference, drive, everywhere, executable, start
from tests.support.oracle import Literal
from tests.support.programs import sampling
from tests.support.random_expressions import expressions
from tests.support.random_programs import networks
from tests.support.reaching import copies, forked, shown, twins

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
}
OF_COPIES: dict[str, Callable[[], Program]] = {
    "sums, guards and overflows": lambda: integers(3),
    "dense synapses": lambda: integers(8, sparse=False),
}
"""GeNN refuses them: their synapses see a neuron of two steps ago, though nothing has a delay."""

REAL: dict[str, Callable[[], Program]] = {
    "all real functions": real_program,
    "sampling": small.sampling,
    "copies that learn together": lambda: small.learning(3, real=True),
    "more copies than the lanes of a sum": lambda: small.learning(9, real=True),
    "layers of copies": lambda: layers((1, 4, 3, 2), 2),
}
CLASH = 29
"""The random network in which GeNN would merge the spike counters of two populations wrongly."""
EMULATOR_SLOW = pytest.mark.parametrize(
    "backend", ["reference", "genn", pytest.param("emulator", marks=pytest.mark.slow)], indirect=True
)
"""Random programs take the emulator tens of seconds to compile; in the usual run it has those of random files."""

EXPRESSIONS = {"reference": 60, "emulator": 30, "genn": 60}


@pytest.mark.parametrize("what", PROGRAMS)
def test_integers_are_those_of_the_oracle(what: str, backend: Any) -> None:
    machines = beside_the_oracle(backend, PROGRAMS[what](), seed=5)
    assert drive(machines, seed=1) is None


@pytest.mark.dear
@pytest.mark.parametrize("what", OF_COPIES)
def test_copies_are_those_of_the_oracle(what: str, backend: Any) -> None:
    p = OF_COPIES[what]()
    if backend.name == "genn":
        assert "steps back" in str(backend.check(p))
        return
    machines = beside_the_oracle(backend, p, seed=5)
    assert drive(machines, seed=1) is None
    assert set(machines[1].overflows()) >= {"a.v", "b.u", "ab.w", "ab.x"}


@pytest.mark.parametrize("what", REAL)
def test_real_numbers_are_those_of_the_oracle_within_rounding(what: str, backend: Any) -> None:
    machines = beside_the_oracle(backend, REAL[what](), seed=5)
    assert drive(machines, seed=1, actions=15, tolerance=1e-11) is None


@pytest.mark.dear
@EMULATOR_SLOW
def test_random_networks(backend: Any) -> None:
    machines = beside_the_oracle(backend, networks([*range(10), CLASH]), seed=5)
    assert drive(machines, seed=1, actions=20) is None
    at = {machines[0].program.arrays[name].at for name in machines[0].overflows()}
    assert at == {"neuron", "synapse"}


@pytest.mark.slow
@pytest.mark.parametrize("ten", range(1, 20))
def test_many_random_networks(ten: int, backend: Any) -> None:
    machines = beside_the_oracle(backend, networks([*range(10 * ten, 10 * ten + 10), CLASH]), seed=ten)
    assert drive(machines, seed=ten) is None


@pytest.mark.parametrize("ten", [0, *(pytest.param(ten, marks=pytest.mark.slow) for ten in range(1, 10))])
@EMULATOR_SLOW
def test_random_copies(ten: int, backend: Any) -> None:
    """Events that read what synapses see late, that store it, and sums over neurons at both ends."""
    machines = beside_the_oracle(backend, executable(10 * ten), seed=ten)
    assert drive(machines, seed=ten, actions=15) is None


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 6))])
def test_random_expressions(seed: int, backend: Any) -> None:
    """With all overflow rules, and draws of all kinds."""
    machines = beside_the_oracle(backend, expressions(seed, EXPRESSIONS[backend.name]), seed=seed)
    everywhere(machines, "advance", 3)
    assert difference(machines) is None


def test_machines_of_one_program_do_not_touch_each_other(backend: Any) -> None:
    """Two at the same time are each what the oracle is, however their steps mix."""
    oracle, one, other = start(everything(), Literal(), backend, backend, seed=5)
    for steps in (3, 5):
        other.advance(20)
        everywhere([oracle, one], "advance", steps)
    other.reset("a")
    assert difference([oracle, one]) is None
