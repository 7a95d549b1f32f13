"""A protocol that executors hand on to each other has the results of one that stays with one executor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import neuroport
from neuroport.files import network as reader
from neuroport.program.machine import Program
from neuroport.program.plan import Plan
from neuroport.session.session import open_session
from tests.support.executors import BACKENDS
from tests.support.planning import shortened
from tests.support.random_files import network
from tests.support.relay import Relay
from tests.support.shortened import SAL_MICRO

SHIPPED = ["pal_yinyang", "sal_micro", "gle_lagline", "stdp_pair", "balanced", "gle_lagline_batch", "pal_teacher"]
SHIPPED += ["sal_layers", "sal_sampling", "loihi_lif"]
PUBLISHED = ["clopath", "dopamine", "eprop", "triplet", "tsodyks_markram", "vogels"]
CHANGES: dict[str, Sequence[str]] = {"sal_micro": SAL_MICRO, "gle_lagline_batch": ["copies=3"]}


class InTurn:
    """A backend whose executor is a relay of those of others."""

    name = "relay"

    def __init__(self, backends: Sequence[Any], seed: int) -> None:
        self._backends, self._seed = backends, seed
        self.relay: Relay | None = None

    def missing(self) -> str | None:
        """Nothing."""
        return None

    def check(self, program: Program) -> tuple[str, ...]:
        """Every reason why one of them cannot execute the program."""
        return tuple(reason for backend in self._backends for reason in backend.check(program))

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Relay:
        """Two machines of each."""
        self.relay = Relay([b.open(program, seed, record_spikes) for b in [*self._backends] * 2], self._seed)
        return self.relay


def outcome(program: Program, plan: Plan, backend: Any) -> dict[str, Any]:
    """All that a run of a protocol ends with."""
    with open_session(program, plan, backend) as session:
        session.run_protocol(chunk=lambda step: 1 + 7919 * step % 12)
        arrays = {name: (values.dtype, values.tobytes()) for name, values in session.final().items()}
        rows = {r.name: [part.tobytes() for part in session.rows(r.name)] for r in program.records if r.readout}
        numbers = {"spikes": session.spike_counts(), "overflows": session.overflows(), "results": session.results}
        return {"digest": session.digest(), **numbers, "arrays": arrays, "rows": rows}


def goes_on(program: Program, plan: Plan, backends: Sequence[Any], seed: int = 1) -> None:
    """Nothing differs, though executors have handed on."""
    usable = [backend for backend in backends if not backend.missing() and not backend.check(program)]
    together = InTurn(usable, seed)
    expected, found = outcome(program, plan, usable[0]), outcome(program, plan, together)
    assert [what for what in expected if expected[what] != found[what]] == []
    assert together.relay is not None
    assert len(together.relay.handed) > 3


def random_file(seed: int) -> tuple[Program, Plan]:
    return shortened(reader.loads(network(seed).encode(), f"random{seed}.yaml"), steps=10**9)


@pytest.mark.parametrize("seed", range(2))
def test_random_files_go_on(seed: int) -> None:
    goes_on(*random_file(seed), [BACKENDS["reference"]])


@pytest.mark.dear
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 100))])
def test_random_files_go_on_in_any_executor(seed: int) -> None:
    goes_on(*random_file(seed), list(BACKENDS.values()), seed)


def shipped(name: str) -> tuple[Program, Plan]:
    return shortened(neuroport.load(name, CHANGES.get(name, ())), "generic16", steps=60)


def test_a_shipped_network_goes_on() -> None:
    goes_on(*shipped("stdp_pair"), [BACKENDS["reference"]])


@pytest.mark.slow
@pytest.mark.dear
@pytest.mark.parametrize("name", SHIPPED + [f"published/{name}" for name in PUBLISHED])
def test_shipped_networks_go_on_in_any_executor(name: str) -> None:
    goes_on(*shipped(name), list(BACKENDS.values()))
