"""Independent copies of a network beside each other: the same file, each with a run seed and a chip of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from neuroport import backends
from neuroport.api import executor as executors
from neuroport.api import run as api
from neuroport.api.compile import CHIP, NETWORK, Further, lower_and_plan, specimen
from neuroport.api.foresee import Runs
from neuroport.build.copies import PARAMS, with_own_parameters
from neuroport.build.network import written
from neuroport.chips.chip import Chip
from neuroport.copies.given import of_copy
from neuroport.copies.unroll import unroll
from neuroport.copies.views import CopyExecutor, Meeting
from neuroport.disk.output import HDF5, check_ending
from neuroport.errors import InvalidInput, NotWritten
from neuroport.network.network import shares, with_copies
from neuroport.numerics.given import FLAG, FUNCTION, LIST, OUTPUT, TEXT, Kind, checked_seed, takes
from neuroport.numerics.processors import processors
from neuroport.program.machine import Program
from neuroport.program.plan import total_steps
from neuroport.session import counted
from neuroport.session.executing import usable
from neuroport.session.record import spiking
from neuroport.session.session import Progress, Session
from neuroport.trace.segments import Parts, check_trace

if TYPE_CHECKING:
    from neuroport.build.network import Network as Built
    from neuroport.network.network import Network
    from neuroport.numerics.units import Quantity
    from neuroport.program.executor import Backend, Batching, Executor
    from neuroport.program.plan import Plan

MOST_RUNS = 100_000
"""As many independent runs are one call; what they come to is kept until its end."""
CHUNK = 4096
"""Steps that unrolled copies do together before each looks at what it recorded."""


SEEDS = Kind("a seed, or a list of seeds", lambda value: not isinstance(value, Sized) or LIST.fits(value))


def trace_of(trace: str | Path, k: int) -> Path:
    """The trace file of copy k: OUT.h5 becomes OUT.copy0.h5, OUT.copy1.h5, …"""
    path = Path(trace)
    return path.with_name(f"{path.stem}.copy{k}{path.suffix}")


@takes(
    network=NETWORK,
    seeds=SEEDS,
    chip_seeds=SEEDS.or_none,
    params=PARAMS,
    before=FUNCTION.or_none,
    backend=TEXT,
    chip=CHIP,
    trace=OUTPUT.or_none,
    overwrite=FLAG,
    progress=FUNCTION.or_none,
    device=TEXT.or_none,
    choice=FUNCTION.or_none,
)
def run_copies(
    network: Network | Built,
    seeds: int | Sequence[int],
    backend: str = "emulator",
    chip: str | Chip | None = None,
    chip_seeds: int | Sequence[int | None] | None = None,
    duration: int | str | Quantity | None = None,
    trace: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    device: str | None = None,
    before: api.Before | None = None,
    params: Mapping[str, Any] | None = None,
    choice: executors.Told | None = None,
) -> tuple[api.Run, ...]:
    """Run copies; copy k gives the bits of `run(network, seed=seeds[k], chip_seed=chip_seeds[k])`.

    `seeds` and `chip_seeds`: ranges or lists of one length, or a number that stands for every copy: the same run on
    several specimens (`run_copies(network, 1, chip_seeds=range(10))`), or several runs on one specimen
    (`run_copies(network, range(1, 11), chip_seeds=3)`). Without chip seeds every circuit is as designed.
    `params`: values of parameters, one for each copy, as `copies: {params: …}` of a network file has them:
    `run_copies(network, 1, params={"up.rate": [0.1, 0.2]})`; they come before those of the file.
    `progress` counts the steps of all copies. With `trace`, copy k writes `trace_of(trace, k)`. `before` is called with
    the program of copy 0 before anything runs (see `run`, also for `backend` "auto" and `choice`). Copies that share
    what they learn are not meant here: they are one run (`api.run`), and of a network with such copies each seed runs
    all of them. InvalidInput for seeds that make no pairs or are none, and for more than MOST_RUNS copies.
    """
    network = _given(written(network), seeds, chip_seeds, params)
    own = bool(network.own_parameters) and not shares(network)
    chosen_seeds, chosen = paired(seeds, chip_seeds, network.copies if own else 1)
    if own:
        network = with_copies(network, len(chosen_seeds))
    auto = None
    if backend == backends.AUTO:
        first = network if duration is None else api.lasting(network, duration)
        auto = executors.chosen(*lower_and_plan(first, *specimen(first, chip, chosen[0])), device, runs=len(chosen))
        backend, device = auto.backend, auto.device

    def begins(program: Program, plan: Plan, batch: Program | str | None = None) -> None:
        if choice is not None:
            made = auto or executors.judged(program, plan, backend, device, runs=len(chosen))
            choice(replace(made, copies=executors.form_of_copies(batch)))
        if before is not None:
            before(program)

    unrolls = getattr(backends.load(backend, device), "unrolls", False) and not shares(network)
    at_once = len(chosen) if unrolls else min(len(chosen), processors())
    runs = Runs(len(chosen), at_once, len(set(chosen)), trace is not None)
    traces = [None if trace is None else trace_of(trace, k) for k in range(len(chosen))]
    if trace is not None:
        check_ending(trace, "a trace", HDF5)
    for path in traces:
        if path is not None:
            check_trace(path, overwrite, network.files)
    one = _Copies(network, backend, chip, duration, overwrite, _Total(progress, len(chosen)), device, runs)
    if unrolls:
        return one.unrolled(chosen_seeds, chosen, traces, begins)
    ready = one.ready(chosen[0])  # what cannot be is refused once, before there are threads
    begins(ready.program, ready.plan)
    return one.side_by_side(chosen_seeds, chosen, traces)


def _given(
    network: Network,
    seeds: int | Sequence[int],
    chip_seeds: int | Sequence[int | None] | None,
    params: Mapping[str, Any] | None,
) -> Network:
    """The network whose copies have parameters of their own, where these are given."""
    if params is None:
        return network
    lengths = [_length(given) for given in (seeds, chip_seeds) if isinstance(given, Sized) and _length(given)]
    count = network.copies if shares(network) else next(iter(lengths), None)
    return with_own_parameters(network, params, count, "run_copies")


def paired(
    seeds: int | Sequence[int], chip_seeds: int | Sequence[int | None] | None = None, copies: int = 1
) -> tuple[list[int], list[int | None]]:
    """The run seed and the chip seed of every copy; see run_copies. `copies`: how many there are, if neither says."""
    if isinstance(chip_seeds, Sized) and not _length(chip_seeds):
        chip_seeds = None
    count = _count(seeds, chip_seeds, copies)
    each: Sequence[Any] = seeds if isinstance(seeds, Sized) else [seeds] * count
    chips: Sequence[Any] = chip_seeds if isinstance(chip_seeds, Sized) else [chip_seeds] * count
    return (
        [checked_seed(seed) for seed in each],
        [None if seed is None else checked_seed(seed, "a chip seed") for seed in chips],
    )


def _count(seeds: object, chip_seeds: object, copies: int) -> int:
    """How many copies are meant, before any list of them is made."""
    lengths = [_length(given) for given in (seeds, chip_seeds) if isinstance(given, Sized)]
    if len(set(lengths)) > 1:
        text = f"{lengths[0]:,} seeds and {lengths[1]:,} chip seeds make no pairs"
        raise InvalidInput.one(None, f"{text}; give as many of both, or one number that stands for every copy")
    count = lengths[0] if lengths else copies
    if count > MOST_RUNS:
        text = f"{count:,} copies are more than the {MOST_RUNS:,} that can be run at once"
        raise InvalidInput.one(None, f"{text}; run them in parts, each with its range of seeds or chip seeds")
    if not count:
        raise InvalidInput.one(None, "without a seed there is no copy to run; give at least one seed")
    return count


def _length(given: Sized) -> int:
    """Of ranges that are longer than len can say, too."""
    return 1 + (given[-1] - given[0]) // given.step if isinstance(given, range) and given else len(given)


class _Total:
    """Adds up the progress of all copies, and interrupts them all once they are to stop."""

    def __init__(self, progress: Progress | None, copies: int) -> None:
        self._progress = progress
        self._done = [0] * copies
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Interrupt every copy after the piece that it is computing."""
        self._stopped.set()

    def check(self) -> None:
        """Interrupt a copy if all are to stop."""
        if self._stopped.is_set():
            raise KeyboardInterrupt

    def of(self, k: int) -> Progress:
        """Where copy k reports."""

        def tell(done: int, total: int) -> None:
            self._done[k] = done
            self.check()
            if self._progress is not None:
                with self._lock:
                    self._tell(self._progress, total)

        return tell

    def _tell(self, progress: Progress, total: int) -> None:
        """An interrupt that is told in one copy is meant for all."""
        try:
            progress(sum(self._done), total * len(self._done))
        except KeyboardInterrupt:
            self.stop()
            raise


class _Copies:
    def __init__(
        self,
        network: Network,
        backend: str,
        chip: str | Chip | None,
        duration: int | str | Quantity | None,
        overwrite: bool,
        total: _Total,
        device: str | None,
        runs: Runs,
    ) -> None:
        self.network = network if duration is None else api.lasting(network, duration)
        self.backend, self.chip, self.overwrite, self.total = backend, chip, overwrite, total
        self.device, self.runs = device, runs
        self._lock = threading.Lock()
        self._ready: tuple[int | None, api.Prepared] | None = None
        self._alike: api.Alike | None = None

    def ready(self, chip_seed: int | None) -> api.Prepared:
        """What copies on this specimen have in common; that of the last specimen is kept for the next copy."""
        with self._lock:
            if self._ready is None or self._alike is None:
                what = self.network, self.backend, self.chip, chip_seed
                first = api.prepare(*what, device=self.device, runs=self.runs)
                self._ready, self._alike = (chip_seed, first), api.Alike(first)
            elif self._ready[0] != chip_seed:
                _, one = specimen(self.network, self._ready[1].chip, chip_seed)
                self._ready = chip_seed, self._alike.on(one)
            return self._ready[1]

    def side_by_side(
        self, seeds: Sequence[int], chip_seeds: Sequence[int | None], traces: Sequence[Path | None]
    ) -> tuple[api.Run, ...]:
        """Each copy has an executor; as many threads as there are cores."""

        def run_one(k: int) -> api.Run:
            self.total.check()
            started = time.perf_counter()
            with api.claimed(traces[k], self.overwrite, self.network) as parts:
                session = self.ready(chip_seeds[k]).session(seeds[k], parts, self.overwrite, False, k)
            with session:
                return api.done(session, started, traces[k], self.total.of(k))

        return _together(run_one, len(seeds), min(len(seeds), processors()), self.total)

    def unrolled(
        self,
        seeds: Sequence[int],
        chip_seeds: Sequence[int | None],
        traces: Sequence[Path | None],
        begins: Callable[[Program, Plan, Program | str | None], None],
    ) -> tuple[api.Run, ...]:
        """All copies are one program, and each copy's session a thread that waits for the others at every piece."""
        started = time.perf_counter()
        with ExitStack() as stack:
            claimed = [None if path is None else self._claim(path, stack) for path in traces]
            specimens = [specimen(self.network, self.chip, seed) for seed in chip_seeds]
            backend = backends.load(self.backend, self.device)
            all_of_them = [backend] * self.runs.at_once
            program, plan = lower_and_plan(self.network, *specimens[0], all_of_them, self.runs)
            known, items = {chip_seeds[0]: program}, plan.protocol
            further = Further(self.network, specimens[0][0], program, items, total_steps(items))
            for seed, (_, one) in zip(chip_seeds, specimens, strict=True):
                if seed not in known:
                    known[seed] = further.lower(one)
            programs = [known[seed] for seed in chip_seeds]
            programs = [of_copy(one, k) for k, one in enumerate(programs)]
            batch = executors.batch_of(programs, backend)
            begins(programs[0], plan, batch)
            meeting = Meeting(_opened(backend, programs, batch, seeds), len(seeds))
            sessions: list[Session] = []
            for k, program in enumerate(programs):
                view, what = CopyExecutor(meeting, k), (self.network, program, *specimens[k])
                sink = api.trace_writer(*what, self.backend, seeds[k], claimed[k], self.overwrite, k)
                session = Session(program, plan, view, seed=seeds[k], backend=self.backend, sink=sink, keep=False)
                sessions.append(session)
            stack.pop_all()
        built = time.perf_counter() - started

        def run_one(k: int) -> api.Run:
            with sessions[k] as session:
                try:
                    run_s, digest = _protocol(session, self.total.of(k))
                except BaseException:
                    meeting.abandon()
                    raise
                outcome = replace(api.result(session, digest, chip_seeds[k]), build_s=built, run_s=run_s)
                api.finish(session, outcome)
            path = traces[k]
            return replace(outcome, trace=None if path is None else str(path))

        try:
            return _together(run_one, len(seeds), len(seeds), self.total, meeting.abandon)
        finally:
            close = getattr(meeting.executor, "close", None)
            if close is not None:
                close()

    def _claim(self, path: Path, stack: ExitStack) -> Parts:
        """What a copy writes to, given back with the stack if it comes to nothing."""
        parts = Parts.claim(path, self.overwrite, self.network.files)
        stack.callback(parts.let_go)
        return parts


def _opened(
    backend: Backend, programs: Sequence[Program], batch: Program | str | None, seeds: Sequence[int]
) -> Executor:
    """All copies as one program: the batch that the backend made of them, else written out."""
    if isinstance(batch, Program):
        return cast("Batching", usable(backend, programs[0])).open_batch(batch, seeds, spiking(programs[0]))
    whole = unroll(programs, seeds)
    return counted.opened(usable(backend, whole), whole, seeds[0], spiking(whole))


def _together(
    work: Callable[[int], api.Run],
    count: int,
    threads: int,
    total: _Total,
    give_up: Callable[[], None] = lambda: None,
) -> tuple[api.Run, ...]:
    """What work(0), work(1), … come to, in so many threads. An interrupt stops them all, and is raised when they ended.

    `give_up` lets those go on to their end that wait for others.
    """
    runs: list[Future[api.Run]] = []
    interrupts: list[BaseException] = []
    with ThreadPoolExecutor(threads) as pool:
        try:
            runs += (pool.submit(work, k) for k in range(count))
            for run in as_completed(runs):
                if isinstance(run.exception(), KeyboardInterrupt):
                    raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            interrupts.append(error)
            total.stop()
            give_up()
            for run in runs:
                run.cancel()
        wait(runs)
    return _gathered([run.exception() or run.result() for run in runs if not run.cancelled()], interrupts)


def _gathered(results: Sequence[api.Run | BaseException], interrupts: Sequence[BaseException]) -> tuple[api.Run, ...]:
    """What came out of all copies; else the error to tell, with what the others say about their traces."""
    errors = [*interrupts, *(result for result in results if isinstance(result, BaseException))]
    if not errors:
        return tuple(result for result in results if isinstance(result, api.Run))
    unwritten = [error for error in errors if isinstance(error, NotWritten)]
    if all(error.results for error in unwritten) and len(unwritten) == len(errors):
        runs = [result.results[0] if isinstance(result, NotWritten) else result for result in results]
        others = "".join(f"\n{error}" for error in unwritten[1:])
        raise NotWritten(unwritten[0].place, unwritten[0].text + others, tuple(runs))
    first = next((error for error in errors if not isinstance(error, threading.BrokenBarrierError)), errors[0])
    for error in errors:
        if error is not first:
            for note in getattr(error, "__notes__", ()):
                first.add_note(note)
    raise first


def _protocol(session: Session, progress: Progress) -> tuple[float, str]:
    """Do the whole protocol in pieces that are the same for every copy; the seconds it took and the digest."""
    started = time.perf_counter()
    session.run_protocol(progress, chunk=lambda step: CHUNK)
    digest = session.digest()
    return time.perf_counter() - started, digest
