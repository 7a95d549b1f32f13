"""What the time of a run is spent on."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from neuroport import backends
from neuroport.api.compile import alone, on_chip, specimen
from neuroport.api.foresee import foreseen, require_room
from neuroport.api.run import Prepared, Run, result, to_run
from neuroport.elaborate.network import experiment
from neuroport.errors import InvalidInput
from neuroport.numerics.units import Quantity
from neuroport.program.building import Peak
from neuroport.program.executor import Timed, TimedExecutor
from neuroport.session.session import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from neuroport.chips.chip import Chip, ChipInstance
    from neuroport.network.network import Network


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A run and its processor time in seconds: what it took to come to the first step, and the parts of the steps.

    `building`: the passes from a network to its first step, in their order; compiled code that is found is only loaded.
    `between`: what is not in the steps, such as collecting what is recorded, measuring, and the digest.
    `memory`: how much it takes at its peak, about.
    """

    run: Run
    building: dict[str, float]
    parts: tuple[Timed, ...]
    between: float
    memory: Peak | None


def profiled(
    network: Network,
    chip: str | Chip | None = None,
    chip_seed: int | None = None,
    instance: str | Path | ChipInstance | None = None,
    seed: int | None = None,
    duration: int | str | Quantity | None = None,
    backend: str = "emulator",
    progress: Progress | None = None,
) -> Profile:
    """Run a network on a backend that takes the time of its parts; see `neuroport.run`. Nothing is written."""
    network = to_run(network, duration)
    timed = getattr(backends.load(backend), "timed", None)
    if timed is None:
        raise InvalidInput.one(None, f"backend '{backend}' does not take the time of its parts; the emulator does")
    marks = [time.process_time()]
    chosen, one = specimen(network, chip, chip_seed, instance)
    memory = require_room(network, chosen, one, [timed()])
    real, plan = experiment(network, chosen, one)
    marks.append(time.process_time())
    program = alone(on_chip(real, network, chosen))
    del real
    ready = Prepared(network, timed(), chosen, one, program, plan)
    marks.append(time.process_time())
    with ready.session(seed, None, False, False) as session:
        marks.append(time.process_time())
        session.run_protocol(progress)
        digest = session.digest()
        marks.append(time.process_time())
        outcome = result(session, digest, session.chip_seed)
        executor = cast(TimedExecutor, session.executor)
        parts = tuple(executor.times())
    real_s, chip_s, code_s, run_s = (after - before for before, after in pairwise(marks))
    passes = executor.built()
    return Profile(
        run=replace(outcome, build_s=real_s + chip_s + code_s, run_s=run_s),
        building={
            "elaborating": real_s,
            "fitting to the chip": chip_s,
            **passes,
            "imports and memory": code_s - sum(passes.values()),
        },
        parts=parts,
        between=run_s - sum(part.seconds for part in parts),
        memory=memory or foreseen(network, chosen, one, [ready.backend]),
    )
