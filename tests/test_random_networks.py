"""Random networks are the same integers on every executor; a wrong rounding in one of them is noticed."""

from __future__ import annotations

import os

import pytest

from neuroport import api, backends, chips, reader
from neuroport.session import open_session
from tests.random_files import network

CASES = int(os.environ.get("NEUROPORT_RANDOM_CASES", "6"))
"""How many networks are tried; each is compiled for each executor, a few seconds each."""


def outcomes(seed: int) -> dict[str, tuple[str, dict[str, int], dict[str, int]]]:
    net = reader.loads(network(seed).encode(), f"random{seed}.yaml")
    chip_seed = seed if chips.load(net.chip).mismatch else None
    runs = {name: api.run(net, name, chip_seed=chip_seed) for name in backends.ready()}
    return {name: (run.digest, run.spikes, run.overflows) for name, run in runs.items()}


@pytest.mark.parametrize("seed", range(CASES))
def test_all_executors_agree(seed: int) -> None:
    found = outcomes(seed)
    expected = found["reference"]
    assert sum(expected[1].values()) > 0
    for name, outcome in found.items():
        assert outcome == expected, name


def test_splitting_a_run_changes_nothing() -> None:
    net = reader.loads(network(4).encode(), "random4.yaml")
    program = api.compile(net)
    digests = []
    for pieces in ((90,), (1, 2, 87), (45, 45)):
        with open_session(net, program, backends.load("reference")) as session:
            for steps in pieces:
                session.run(steps)
            digests.append(session.digest())
    assert len(set(digests)) == 1
