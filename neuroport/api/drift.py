"""A network in real numbers and on chips, run beside each other and compared as they go: how far the chips drift away.

Nothing is kept but what comes out: spikes are compared piece by piece, arrays where `trace.drift` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neuroport import backends
from neuroport.api import run as api
from neuroport.api.compile import CHIP, NETWORK, lower_and_plan, specimen
from neuroport.api.copies import SEEDS, paired
from neuroport.api.foresee import Runs
from neuroport.build.network import written
from neuroport.chips.chip import Chip, ChipInstance
from neuroport.copies.given import of_copy
from neuroport.disk.output import HDF5, check_ending
from neuroport.numerics.given import FLAG, FUNCTION, NUMBER, OUTPUT, TEXT, checked_seed, takes
from neuroport.program.ir import Int
from neuroport.program.machine import Array, Program
from neuroport.program.plan import Plan, total_steps
from neuroport.session.executing import opened, usable
from neuroport.session.record import spiking
from neuroport.session.session import Progress, Session
from neuroport.trace.drift import Drift, Growth, is_compared, paired_metrics, unit_of, until_compared, window
from neuroport.trace.segments import check_trace
from neuroport.trace.trains import TAU, WITHIN, Trains

if TYPE_CHECKING:
    from neuroport.build.network import Network as Built
    from neuroport.network.network import Network
    from neuroport.numerics.units import Quantity

REFERENCE = "ideal"
TOGETHER = 4
"""Chips that are compared with one run in real numbers; the next ones are with another, so that memory is bounded."""
EVEN_AFTER = 10_000
"""Steps after which arrays are compared so seldom that the pace is about that of the rest."""
CHUNK = 256
"""Steps between two looks at spikes, at most."""


@takes(
    network=NETWORK,
    chip=CHIP,
    chip_seeds=SEEDS.or_none,
    backend=TEXT,
    trace=OUTPUT.or_none,
    overwrite=FLAG,
    progress=FUNCTION.or_none,
    device=TEXT.or_none,
    tau=NUMBER,
    within=NUMBER,
    before=FUNCTION.or_none,
)
def drift(
    network: Network | Built,
    chip: str | Chip | None = None,
    chip_seeds: int | Sequence[int | None] | None = None,
    backend: str = "emulator",
    seed: int | None = None,
    duration: int | str | Quantity | None = None,
    trace: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    device: str | None = None,
    tau: float = TAU,
    within: float = WITHIN,
    before: api.Before | None = None,
) -> tuple[Drift, ...]:
    """Run a network on the chip `ideal` and, with the same run seed, on specimens of another; one Drift per chip seed.

    `chip_seeds`: see `run_copies`; by default the chip as designed. `tau`, `within` (ms): see `trace.trains`. With
    `trace`, the runs are also written, to `trace_of(trace, None)` that in real numbers, to `trace_of(trace, label)`
    the others. `before` is called with the first chip's program before anything runs. Network and chip are refused as
    by `run`.
    """
    network = api.to_run(written(network), duration)
    seeds, specimens = paired(checked_seed(network.seed if seed is None else seed), chip_seeds)
    if trace is not None:
        check_ending(trace, "a trace", HDF5)
        for label in (REFERENCE, *map(label_of, specimens)):
            check_trace(trace_of(trace, label), overwrite, network.files)
    beside = _Beside(network, chip, backend, seeds[0], trace, overwrite, device, (tau, within), before)
    found: list[Drift] = []
    for start in range(0, len(specimens), TOGETHER):
        found += beside.run(specimens[start : start + TOGETHER], start, len(specimens), progress)
    return tuple(found)


def label_of(chip_seed: int | None) -> str:
    """What stands in the name of a chip's trace."""
    return "chip" if chip_seed is None else f"chip{chip_seed}"


def trace_of(trace: str | Path, label: str) -> Path:
    """The trace file of one of the runs: OUT.h5 becomes OUT.ideal.h5, OUT.chip.h5 or OUT.chip0.h5, OUT.chip1.h5, …"""
    path = Path(trace)
    return path.with_name(f"{path.stem}.{label}{path.suffix}")


class _Beside:
    """Runs in real numbers and on chips."""

    def __init__(
        self,
        network: Network,
        chip: str | Chip | None,
        backend: str,
        seed: int,
        trace: str | Path | None,
        overwrite: bool,
        device: str | None,
        scales: tuple[float, float],
        before: api.Before | None,
    ) -> None:
        self.network, self.chip, self.seed, self.trace, self.overwrite = network, chip, seed, trace, overwrite
        self.backend, self.scales, self.before = backends.load(backend, device), scales, before

    def run(self, chip_seeds: Sequence[int | None], start: int, count: int, progress: Progress | None) -> list[Drift]:
        """Compare some specimens, from number `start` of `count`, with a run in real numbers."""
        first = None if start else REFERENCE
        many = 1 + len(chip_seeds)
        made = [(first, *self._made(REFERENCE, None, many))]
        made += [(label_of(seed), *self._made(self.chip, seed, many)) for seed in chip_seeds]
        if self.before is not None and not start:
            self.before(made[1][3])
        with ExitStack() as stack:
            sessions = [stack.enter_context(self._session(*one)) for one in made]
            watches = [Watch(sessions[0], other, *self.scales) for other in sessions[1:]]

            def tell(done: int, total: int) -> None:
                if progress is not None:
                    progress(start * total + done * len(watches), count * total)

            _walk(sessions, watches, tell)
            return [watch.drift() for watch in watches]

    def _made(
        self, chip: str | Chip | None, seed: int | None, many: int
    ) -> tuple[Chip, ChipInstance | None, Program, Plan]:
        """What is run on a chip, beside so many runs in all."""
        chosen, one = specimen(self.network, chip, seed)
        runs = Runs(many, many, trace=self.trace is not None)
        program, plan = lower_and_plan(self.network, chosen, one, [self.backend] * many, runs)
        program = of_copy(program, 0)
        usable(self.backend, program)
        return chosen, one, program, plan

    def _session(
        self, label: str | None, chip: Chip, instance: ChipInstance | None, program: Program, plan: Plan
    ) -> Session:
        executor = opened(program, self.backend, self.seed)
        name, path = self.backend.name, None if self.trace is None or label is None else trace_of(self.trace, label)
        sink = api.trace_writer(self.network, program, chip, instance, name, self.seed, path, self.overwrite)
        return Session(program, plan, executor, seed=self.seed, backend=name, sink=sink, keep=False)


def _walk(sessions: Sequence[Session], watches: Sequence[Watch], progress: Progress) -> None:
    """Walk all sessions through the protocol in step, and have them compared on the way, at the start and the end."""
    first, seen = sessions[0], 0
    total = total_steps(first.plan.protocol)
    for watch in watches:
        watch.arrays()
    for _ in zip(*[session.walk_protocol(_piece) for session in sessions], strict=True):
        if first.step > seen:
            seen = first.step
            for watch in watches:
                watch.spikes()
                watch.changing()
        progress(seen, total)
    for watch in watches:
        watch.arrays()


def _piece(step: int) -> int:
    return min(CHUNK, until_compared(step))


class Watch:
    """Compares two sessions that are walked in step; `tau` and `within` in ms."""

    def __init__(self, a: Session, b: Session, tau: float, within: float) -> None:
        self._sessions = a, b
        ours, theirs = a.program, b.program
        common = [array for name, array in theirs.arrays.items() if _comparable(ours.arrays.get(name), array)]
        self._growths = [Growth(array.name, _unit(ours.arrays[array.name], array)) for array in common]
        self._changing = ours.stored() | theirs.stored()
        dt, copies = ours.dt, ours.copies
        sizes = {p.name: p.size * copies for p in ours.populations if p.name in spiking(ours)}
        self._trains = [Trains(n, size, tau / dt, window(within, dt)) for n, size in sizes.items()]

    def spikes(self) -> None:
        """Take the spikes of the last piece."""
        a, b = self._sessions
        for trains in self._trains:
            name = trains.population
            trains.take(a.latest.spikes[name], b.latest.spikes[name], a.step)

    def changing(self) -> None:
        """Take the arrays as they are now, if it is time to: those that the network changes."""
        step = self._sessions[0].step
        if is_compared(step):
            self._take(g for g in self._growths if g.array in self._changing and g.is_due(step))

    def arrays(self) -> None:
        """Take all arrays as they are now."""
        self._take(self._growths)

    def _take(self, growths: Iterable[Growth]) -> None:
        steps = np.array([self._sessions[0].step])
        for growth in growths:
            ours, theirs = (session.get(growth.array).reshape(1, -1) for session in self._sessions)
            growth.take(steps, ours, theirs)

    def drift(self) -> Drift:
        """What there was."""
        a, b = self._sessions
        (ours, theirs), dt = (a.overflows(), b.overflows()), a.program.dt
        return Drift(
            a.step,
            dt,
            tuple(growth.course() for growth in self._growths),
            tuple(trains.distance(a.step, dt) for trains in self._trains),
            {name: paired_metrics(values, b.results[name]) for name, values in a.results.items()},
            {name: (ours.get(name, 0), theirs.get(name, 0)) for name in dict.fromkeys((*ours, *theirs))},
        )


def _comparable(ours: Array | None, theirs: Array) -> bool:
    """Whether both programs have the array, as a variable of the network."""
    kinds = ("state", "weight")
    return ours is not None and ours.role == theirs.role in kinds and ours.initial.shape == theirs.initial.shape


def _unit(*arrays: Array) -> float | None:
    return unit_of(*(array.type.frac if isinstance(array.type, Int) else None for array in arrays))
