"""Every executor does with a program what the oracle does, whatever is asked of it between steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from neuroport.program.machine import Program
from tests.support import small_programs as small
from tests.support.batches import integers, layers
from tests.support.everything import everything, real_program
from tests.support.executors import beside_the_oracle, drive
from tests.support.programs import sampling
from tests.support.random_programs import batched, networks
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
    "learning copies": lambda: small.learning(3, real=False),
    "more copies than lanes": lambda: small.learning(9, real=False),
    "sums, guards and overflows in copies": lambda: integers(3),
    "dense copies": lambda: integers(8, sparse=False),
    "random networks": lambda: networks([0, 1, 29]),
    "random copies": lambda: batched(4, 3),
}
REAL: dict[str, Callable[[], Program]] = {
    "all real functions": real_program,
    "sampling": small.sampling,
    "learning copies": lambda: small.learning(3, real=True),
    "layers of copies": lambda: layers((1, 4, 3, 2), 2),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_integers_are_those_of_the_oracle(what: str, backend: Any) -> None:
    machines = beside_the_oracle(backend, PROGRAMS[what](), seed=5)
    assert drive(machines, seed=1) is None


@pytest.mark.parametrize("what", REAL)
def test_real_numbers_are_those_of_the_oracle_within_rounding(what: str, backend: Any) -> None:
    machines = beside_the_oracle(backend, REAL[what](), seed=5)
    assert drive(machines, seed=1, actions=15, tolerance=1e-11) is None
