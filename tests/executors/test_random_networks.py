"""Random networks are the same integers on every executor; a wrong rounding in one of them is noticed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import pytest

import neuroport
from neuroport import backends
from neuroport.api import run as api
from neuroport.backends.genn import Genn
from neuroport.backends.genn.code import Writer
from neuroport.backends.genn.spelling import Value
from neuroport.chips import description as chips
from neuroport.files import network as reader
from neuroport.program.ir import Round
from tests.support.planning import open_session
from tests.support.random_files import network

CASES = int(os.environ.get("NEUROPORT_RANDOM_CASES", "6"))
"""How many networks are tried; each is compiled for each executor, a few seconds each."""


def outcomes(seed: int, names: Sequence[str] = ()) -> dict[str, tuple[str, dict[str, int], dict[str, int]]]:
    net = reader.loads(network(seed).encode(), f"random{seed}.yaml")
    chip_seed = seed if chips.load(net.chip).mismatch else None
    runs = {name: api.run(net, name, chip_seed=chip_seed) for name in names or backends.ready()}
    return {name: (run.digest, run.spikes, run.overflows) for name, run in runs.items()}


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(CASES))
def test_all_executors_agree(seed: int) -> None:
    found = outcomes(seed)
    expected = found["reference"]
    assert sum(expected[1].values()) > 0
    for name, outcome in found.items():
        assert outcome == expected, name


@pytest.mark.dear
def test_a_rounding_that_is_emitted_wrongly_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    if missing := Genn().missing():
        pytest.skip(missing)
    right = Writer._round

    def wrong(writer: Writer, expr: Round) -> Value:
        return right(writer, replace(expr, mode="floor") if expr.mode == "nearest" else expr)

    monkeypatch.setattr(Writer, "_round", wrong)
    found = outcomes(0, ("reference", "genn"))
    assert found["genn"] != found["reference"]


def test_splitting_a_run_changes_nothing() -> None:
    net = reader.loads(network(4).encode(), "random4.yaml")
    program = neuroport.compile(net)
    digests = []
    for pieces in ((90,), (1, 2, 87), (45, 45)):
        with open_session(net, program, backends.load("reference")) as session:
            for steps in pieces:
                session.run(steps)
            digests.append(session.digest())
    assert len(set(digests)) == 1
