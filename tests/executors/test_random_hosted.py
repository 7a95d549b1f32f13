"""Random models on chips of odd words, with a host that writes: executors hold the same integers at every moment."""

from __future__ import annotations

import pytest

from neuroport import backends
from tests.support import oracle, random_models
from tests.support.planning import open_session
from tests.support.random_hosted import CASES, agree, cases, chip, compiled, moments, network

SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 40))]
GENN = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))]


@pytest.mark.dear
@pytest.mark.parametrize("seed", SEEDS)
def test_the_emulator_agrees_at_every_moment(seed: int) -> None:
    agree(seed, "emulator")


@pytest.mark.dear
@pytest.mark.parametrize("seed", GENN)
def test_genn_agrees_at_every_moment(seed: int) -> None:
    if missing := backends.load("genn").missing():
        pytest.skip(missing)
    agree(seed, "genn")


@pytest.mark.parametrize("seed", SEEDS)
def test_no_value_leaves_the_type_that_the_program_states(seed: int) -> None:
    on = chip(seed)
    oracle.check(compiled(cases(seed, on, CASES), on), min(random_models.RUNS))


def test_most_chips_take_most_programs() -> None:
    found = [len(cases(seed, chip(seed), 9)) for seed in range(4)]
    assert sum(found) > 0.9 * 9 * len(found)


def test_every_write_reaches_the_executors() -> None:
    """The same run without the host's writes ends differently."""
    on = chip(0)
    some = cases(0, on, CASES)
    with open_session(network(some), compiled(some, on), backends.load("reference")) as session:
        session.run_protocol()
        plain = session.final()
    written = moments(0, "reference")[-1].arrays
    assert any((plain[name] != written[name]).any() for name in plain)
