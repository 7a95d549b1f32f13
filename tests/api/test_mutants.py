"""Whatever is wrong in a network file, loading and compiling it gives a program or a sentence with a place."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import neuroport
from neuroport.errors import InvalidInput, Problem
from neuroport.files import network as reader
from tests.support.checkout import NETWORKS
from tests.support.network_mutants import extreme, mutant

SAMPLE, PART = 25, 500
"""How many of each kind the usual run tries, and how many one slow test does."""


def answers(text: str, chip: str) -> bool:
    """Whether it can be compiled; fails the test for any other exception than InvalidInput with places."""
    try:
        neuroport.compile(reader.loads(text, "net.yaml", str(NETWORKS)), chip or None)
    except InvalidInput as error:
        assert_told(error.problems)
        return False
    return True


def assert_told(problems: tuple[Problem, ...]) -> None:
    assert problems
    for problem in problems:
        assert problem.place is not None, problem.text
        assert problem.text.strip() and "\n" not in problem.text


def tried(make: Callable[[int], tuple[str, str]], seeds: range) -> int:
    """How many of the files can be compiled."""
    return sum(answers(*make(seed)) for seed in seeds)


def test_a_sample_of_shipped_networks_with_changes() -> None:
    assert 0 < tried(mutant, range(SAMPLE)) < SAMPLE


def test_a_sample_of_networks_with_numbers_of_any_magnitude() -> None:
    assert 0 < tried(extreme, range(2 * SAMPLE)) < 2 * SAMPLE


@pytest.mark.slow
@pytest.mark.parametrize("part", range(12))
def test_shipped_networks_with_changes(part: int) -> None:
    assert 0 < tried(mutant, range(PART * part, PART * (part + 1))) < PART


@pytest.mark.slow
@pytest.mark.parametrize("part", range(12))
def test_networks_with_numbers_of_any_magnitude(part: int) -> None:
    assert 0 < tried(extreme, range(PART * part, PART * (part + 1))) < PART
