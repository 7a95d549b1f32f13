"""Sessions and whole runs of networks, and what came out. The command line is a thin skin over them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroport import backends
from neuroport.api import executor as executors
from neuroport.api.compile import CHIP, INSTANCE, NETWORK, Further, lower_and_plan, specimen
from neuroport.api.foresee import Runs
from neuroport.api.summary import page, summary
from neuroport.build.network import written
from neuroport.chips.chip import Chip, ChipInstance
from neuroport.copies.given import of_copy
from neuroport.errors import InvalidInput, NotWritten
from neuroport.files import apart
from neuroport.files.protocol import MAX_COUNT
from neuroport.network.protocol import Run as Item
from neuroport.numerics.given import COUNT, FLAG, FUNCTION, PATH, TEXT, TEXTS, checked_seed, takes
from neuroport.numerics.steps import steps_of
from neuroport.numerics.units import Quantity
from neuroport.pages.html import html
from neuroport.pages.plain import brief
from neuroport.program import fixed as arithmetic
from neuroport.program.plan import total_steps
from neuroport.session.executing import opened
from neuroport.session.finite import not_finite
from neuroport.session.kept import kept_steps
from neuroport.session.session import Progress, Session
from neuroport.trace.segments import Parts
from neuroport.trace.write import Provenance, Writer

if TYPE_CHECKING:
    import pandas

    from neuroport.build.network import Network as Built
    from neuroport.network.network import Network
    from neuroport.program.executor import Backend, Executor
    from neuroport.program.machine import Program, ReportLine
    from neuroport.program.plan import Plan

Before = Callable[["Program"], None]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came out of a run; the fields of `neuroport run --json`, and what a summary for people needs besides.

    `spikes`: spikes of each spiking population. `rates`: mean rate per neuron in Hz. `metrics`: name -> (step, value).
    `not_finite`: array -> how many of its elements are infinite or not a number at the end and were not at the start.
    `copies`: how many copies of the network, which share what they learn, this run had; spikes are those of all.
    `own_parameters`: parameter of which copies have their own -> its value in each copy of this run, coherent units.
    `run_s`: of a run that was gone on with the seconds of all its parts, `build_s` those of the last.
    """

    network: str
    backend: str
    arithmetic: str
    arithmetic_version: int | None  # of the integer arithmetic; None for real numbers
    chip: str
    chip_seed: int | None
    seed: int
    dt: float  # ms
    copies: int
    own_parameters: dict[str, list[float]]
    steps: int
    spikes: dict[str, int]
    rates: dict[str, float]
    metrics: dict[str, list[tuple[int, Any]]]
    overflows: dict[str, int]
    not_finite: dict[str, int]
    digest: str
    build_s: float = 0.0
    run_s: float = 0.0
    trace: str | None = None
    report: tuple[ReportLine, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        return brief("Run", summary(self))

    def _repr_html_(self) -> str:
        return html(page(self), "Run")

    def metric_frame(self) -> pandas.DataFrame:
        """A row for every number that was measured: metric, element, step, time_ms, value (a frame of pandas)."""
        from neuroport.trace.tables import metric_frame

        return metric_frame(self.metrics, self.dt)


@takes(
    network=NETWORK,
    backend=TEXT,
    chip=CHIP,
    instance=INSTANCE,
    trace=PATH.or_none,
    overwrite=FLAG,
    device=TEXT.or_none,
    before=FUNCTION.or_none,
    threads=COUNT,
    choice=FUNCTION.or_none,
    genn=TEXTS,
)
def open(
    network: Network | Built,
    backend: str = "emulator",
    chip: str | Chip | None = None,
    chip_seed: int | None = None,
    instance: str | Path | ChipInstance | None = None,
    seed: int | None = None,
    trace: str | Path | None = None,
    overwrite: bool = False,
    keep: bool | int | str | None = True,
    device: str | None = None,
    before: Before | None = None,
    threads: int = 1,
    choice: executors.Told | None = None,
    genn: Sequence[str] = (),
) -> Session:
    """Open a session to run a network by hand: `with neuroport.open(network) as session: session.run("100 ms")`.

    `keep`: for how long spikes and records stay for the session's `spikes`, `records` and `take`: "all" (or True), 0
    (or False), a number of steps, or a time such as "1 s", with which memory does not grow.
    With `trace`, what the network file says is to be recorded goes there; the file is there when the session is left.
    `device` (cpu, cuda, hip) is for backends that can run on several; None is what is there.
    `before` is called with the program before anything runs; what it raises ends the call.
    `threads`: on how many the emulator computes; the numbers are the same. Unsupported for networks that need one.
    `backend` "auto": the emulator, unless another executor that is here is clearly faster for the network's protocol.
    `choice` is called with a `neuroport.api.executor.Choice` before anything runs: what was chosen and why, or whether
    another than the one that was named is clearly better.
    `genn`: settings of the backend genn for a GPU, such as "parallelism=pre:32" or "PROJECTION.parallelism=post".
    """
    network = written(network)
    seed = None if seed is None else checked_seed(seed)
    if keep is not None:
        kept_steps(keep, network.dt)
    with claimed(trace, overwrite, network) as parts:
        ready = prepare(
            network, backend, chip, chip_seed, instance, device, threads, genn, runs=Runs(trace=trace is not None)
        )
        if choice is not None:
            choice(ready.choice or executors.judged(ready.program, ready.plan, backend, device, threads))
        if before is not None:
            before(ready.program)
        return ready.session(seed, parts, overwrite, keep)


@contextmanager
def claimed(trace: str | Path | None, overwrite: bool, network: Network) -> Iterator[Parts | None]:
    """What will become a trace, if one is wanted; given back where the block comes to nothing."""
    parts = None if trace is None else Parts.claim(trace, overwrite, network.files)
    try:
        yield parts
    except BaseException:
        if parts is not None:
            parts.let_go()
        raise


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network on a chip and a backend: all that runs have in common which differ in their seeds only.

    `choice`: why it is this backend, where nobody named one.
    """

    network: Network
    backend: Backend
    chip: Chip
    instance: ChipInstance | None
    program: Program
    plan: Plan
    choice: executors.Choice | None = None

    def session(
        self, seed: int | None, parts: Parts | None, overwrite: bool, keep: bool | int | str | None, copy: int = 0
    ) -> Session:
        """A session with a run seed, which writes what is recorded where parts were claimed.

        `copy`: which of independent copies it is, and so has the parameters of.
        """
        chosen = self.program.seed if seed is None else seed
        program = of_copy(self.program, copy)
        what = self.network, program, self.chip, self.instance

        def executor() -> Executor:
            """One of the program that all copies have, so that it is written once, with what this one has."""
            made = opened(self.program, self.backend, chosen)
            for array in program.arrays.values():
                if array is not self.program.arrays[array.name]:
                    made.write(array.name, array.initial)
            return made

        return Session(
            program,
            self.plan,
            executor(),
            seed=chosen,
            backend=self.backend.name,
            sink=trace_writer(*what, self.backend.name, chosen, parts, overwrite, copy),
            keep=keep,
            chip_seed=None if self.instance is None else self.instance.seed,
            again=executor,
        )


class Alike:
    """A network on specimens of one chip: what is prepared for the first, with the numbers of another's circuits."""

    def __init__(self, first: Prepared) -> None:
        items = first.plan.protocol
        self._first = first
        self._further = Further(first.network, first.chip, first.program, items, total_steps(items))

    def on(self, instance: ChipInstance | None) -> Prepared:
        """What is prepared for a specimen."""
        return replace(self._first, instance=instance, program=self._further.lower(instance))


def prepare(
    network: Network,
    backend: str,
    chip: str | Chip | None = None,
    chip_seed: int | None = None,
    instance: str | Path | ChipInstance | None = None,
    device: str | None = None,
    threads: int = 1,
    genn: Sequence[str] = (),
    runs: Runs = Runs(),  # noqa: B008  it is frozen
) -> Prepared:
    """Read the chip, load the backend and lower the network; or choose the backend for what that comes to.

    runs: for what there has to be memory.
    """
    chosen, one = specimen(network, chip, chip_seed, instance)
    if backend == backends.AUTO:
        program, plan = lower_and_plan(network, chosen, one, [backends.load("emulator", threads=threads)], runs)
        choice = executors.chosen(program, plan, device, threads)
        loaded = backends.load(choice.backend, choice.device, threads, genn)
        return Prepared(network, loaded, chosen, one, program, plan, choice)
    loaded = backends.load(backend, device, threads, genn)
    how = [loaded] * runs.at_once, runs
    return Prepared(network, loaded, chosen, one, *lower_and_plan(network, chosen, one, *how))


def trace_writer(
    network: Network,
    program: Program,
    chip: Chip,
    instance: ChipInstance | None,
    backend: str,
    seed: int,
    trace: str | Path | Parts | None,
    overwrite: bool,
    copy: int = 0,
) -> Writer | None:
    """What writes the trace of a session, if one is wanted; what was claimed for it is given back on failure."""
    if trace is None:
        return None
    text, arrays = apart.written(network)
    source = Provenance(
        network=network,
        text=text,
        arrays=arrays,
        program=program,
        chip=chip,
        instance=instance,
        backend=backend,
        seed=seed,
        copy=copy,
    )
    return Writer(trace, source, overwrite=overwrite)


@takes(
    network=NETWORK,
    backend=TEXT,
    chip=CHIP,
    instance=INSTANCE,
    trace=PATH.or_none,
    overwrite=FLAG,
    progress=FUNCTION.or_none,
    before=FUNCTION.or_none,
    device=TEXT.or_none,
    due=FUNCTION.or_none,
    threads=COUNT,
    choice=FUNCTION.or_none,
    genn=TEXTS,
)
def run(
    network: Network | Built,
    backend: str = "emulator",
    chip: str | Chip | None = None,
    chip_seed: int | None = None,
    instance: str | Path | ChipInstance | None = None,
    seed: int | None = None,
    duration: int | str | Quantity | None = None,
    trace: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    device: str | None = None,
    before: Before | None = None,
    due: Callable[[int], bool] | None = None,
    threads: int = 1,
    choice: executors.Told | None = None,
    genn: Sequence[str] = (),
) -> Run:
    """Run a network: its protocol, or with `duration` (steps or a time) that long without it. See Run.

    `before`: called with the program before anything runs, for example to look at `program.notices`: what the chip
    changes of what the network computes. What it raises ends the call.
    `trace`: an HDF5 file for what the network file says is to be recorded; an existing one is an error unless
    `overwrite`, and then stays until the new one is whole. `progress(steps done, steps in all)` is called about five
    times a second. When the run fails or is interrupted, the trace holds what was recorded until then and says that it
    is incomplete; beside an existing one, parts are left. A run that `progress` interrupts can be gone on with
    (`resume`), and one that is killed from its last checkpoint, which it gets wherever `due(step)` is true. The
    error has a note that says where. NotWritten when only the trace could not be written: its `results` has the
    Run. `threads`: on how many the emulator computes, with the same numbers; see `open`, also for `backend` "auto",
    `choice` and `genn`.
    """
    network = to_run(written(network), duration)
    started = time.perf_counter()
    given = (network, backend, chip, chip_seed, instance, seed, trace, overwrite, False, device, before)
    with open(*given, threads, choice, genn) as session:
        return done(session, started, trace, progress, due)


def done(
    session: Session,
    started: float,
    trace: str | Path | None,
    progress: Progress | None,
    due: Callable[[int], bool] | None = None,
) -> Run:
    """What a session that begins now comes to, when its building began and where its trace is written."""
    built = time.perf_counter()
    session.run_protocol(progress, due=due)
    digest = session.digest()
    outcome = result(session, digest, session.chip_seed)
    outcome = replace(outcome, build_s=built - started, run_s=time.perf_counter() - built)
    finish(session, outcome)
    return replace(outcome, trace=None if trace is None else str(trace))


def finish(session: Session, outcome: Run) -> None:
    """Close the trace of a session that has run; where that is impossible, NotWritten has what came out."""
    try:
        session.finish(outcome.digest, outcome.build_s, outcome.run_s)
    except NotWritten as error:
        raise NotWritten(error.place, error.text, (outcome,)) from None


def to_run(network: Network, duration: int | str | Quantity | None) -> Network:
    """The network with its own protocol, or for that long without it. InvalidInput when it has neither."""
    if duration is not None:
        return lasting(network, duration)
    if not network.protocol:
        text = "the network has no protocol; say how long it is to run (on the command line --for TIME, in Python "
        text += "duration=…)"
        raise InvalidInput.one(network.place, text)
    return network


def lasting(network: Network, duration: int | str | Quantity) -> Network:
    """The network with a protocol that only runs for that long: a number of steps, or a time such as "100 ms"."""
    steps = steps_of(duration, network.dt)
    if not 1 <= steps <= MAX_COUNT:
        many = steps if steps < 1 else "so many"
        raise InvalidInput.one(None, f"a run cannot last {many} steps; give a number of steps from 1 to 2**62")
    return replace(network, protocol=(Item(duration=Quantity(steps, "steps")),))


def result(session: Session, digest: str, chip_seed: int | None) -> Run:
    """What a session that has run came to."""
    program, spikes = session.program, session.spike_counts()
    seconds = session.step * program.dt / 1000
    neurons = {p.name: p.size * program.copies for p in program.populations}
    rates = {name: count / (neurons[name] * seconds) if seconds else 0.0 for name, count in spikes.items()}
    return Run(
        network=program.name,
        backend=session.backend,
        arithmetic="integer" if program.integer else program.precision,
        arithmetic_version=arithmetic.VERSION if program.integer else None,
        chip=program.chip,
        chip_seed=chip_seed,
        seed=session.seed,
        dt=program.dt,
        copies=program.copies,
        own_parameters={name: values.tolist() for name, values in program.per_copy.items()},
        steps=session.step,
        spikes=spikes,
        rates=rates,
        metrics={name: list(values) for name, values in session.results.items()},
        overflows=session.overflows(),
        not_finite=not_finite(program, session.executor),
        digest=digest,
        report=program.report,
    )
