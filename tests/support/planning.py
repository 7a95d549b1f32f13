"""What runs programs, for tests that have a network and its program: the plan is made between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neuroport import backends
from neuroport.api.compile import lower, lower_and_plan, specimen
from neuroport.elaborate.plan import planned
from neuroport.network.network import Network
from neuroport.program.executor import Backend
from neuroport.program.machine import Program
from neuroport.program.plan import Plan
from neuroport.session import session
from neuroport.session import verify as verification
from neuroport.session.session import Session
from neuroport.session.verify import Verification, shorten


def open_session(network: Network, program: Program, backend: Backend, **more: Any) -> Session:
    return session.open_session(program, planned(network, program), backend, **more)


def verify(network: Network, program: Program, backends: Sequence[Backend | str], **more: Any) -> Verification:
    return verification.verify(program, planned(network, program), backends, **more)


def shortened(network: Network, *chip: Any, steps: int) -> tuple[Program, Plan]:
    """The program and the plan for the shortened protocol."""
    one = specimen(network, *chip)
    plan = shorten(lower_and_plan(network, *one)[1], steps=steps)
    return lower(network, *one, protocol=plan.protocol), plan


def identical(
    network: Network,
    chip: str | None,
    which: Sequence[str] = (),
    *,
    steps: int,
    least: int = 1000,
    chip_seed: int = 1,
) -> None:
    """Executors, all that are ready if none are named, take the shortened protocol and have the same bits in it.

    least: the fewest steps that it has. chip_seed: the specimen of a chip whose circuits deviate.
    """
    which = which or backends.ready()
    seed = chip_seed if chip is not None and "mismatch" in chip else None
    result = verification.verify(*shortened(network, chip, seed, steps=steps), which, full=True)
    assert result.identical, result.first_difference
    assert set(result.executors) == set(which), result.skipped
    assert result.steps >= least
