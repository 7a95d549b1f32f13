"""Going on with a run that was stopped, from the last checkpoint in its trace."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neuroport import backends
from neuroport.api import executor as executors
from neuroport.api.compile import NETWORK, lower_and_plan
from neuroport.api.foresee import Runs
from neuroport.api.run import Before, Run, finish, result
from neuroport.build.network import written
from neuroport.chips import description as chips
from neuroport.chips.chip import ChipInstance
from neuroport.copies.given import of_copy
from neuroport.errors import InvalidInput, Place
from neuroport.files import apart
from neuroport.files import network as reader
from neuroport.numerics.given import COUNT, FLAG, FUNCTION, PATH, TEXT, TEXTS, takes
from neuroport.session.checkpoint import Checkpoint
from neuroport.session.executing import opened
from neuroport.session.session import Progress, Session
from neuroport.trace.resume import Stopped, stopped
from neuroport.trace.write import Provenance, Writer

if TYPE_CHECKING:
    from neuroport.build.network import Network as Built
    from neuroport.network.network import Network

Due = Callable[[int], bool]


@takes(
    trace=PATH,
    network=NETWORK.or_none,
    backend=TEXT.or_none,
    overwrite=FLAG,
    progress=FUNCTION.or_none,
    device=TEXT.or_none,
    before=FUNCTION.or_none,
    due=FUNCTION.or_none,
    threads=COUNT,
    choice=FUNCTION.or_none,
    genn=TEXTS,
)
def resume(
    trace: str | Path,
    network: Network | Built | None = None,
    backend: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    device: str | None = None,
    before: Before | None = None,
    due: Due | None = None,
    threads: int = 1,
    choice: executors.Told | None = None,
    genn: Sequence[str] = (),
) -> Run:
    """Go on with the run that was to write a trace, from its last checkpoint; see `run`, and what comes of it is alike.

    What was recorded after the checkpoint is computed again. `network`: the one that was run, to be sure; None: as it
    stands in the trace. `backend` None: that of the run. `threads`, `choice`, `genn`: see `run`, which may have had
    others. `overwrite`: replace a trace of another run, as the one that was stopped was told to. InvalidInput where
    nothing was stopped, or nothing is there to go on from.
    """
    return take(trace, network, overwrite).run(backend, progress, device, before, due, threads, choice, genn)


@takes(trace=PATH, network=NETWORK.or_none, overwrite=FLAG)
def take(trace: str | Path, network: Network | Built | None = None, overwrite: bool = False) -> Resumption:
    """What `resume` goes on with. Until it was `run` or given back, no other process can have it."""
    network = None if network is None else written(network)
    left = stopped(trace, overwrite)
    try:
        text, folder = left.header["network_text"], left.header["folder"] or "."
        stored = reader.loads(text, f"{trace} (network)", folder, arrays=left.array)
        if network is not None and network.record != stored.record:
            text = f"its run records something else than '{network.name}' does now; leave the network out"
            raise InvalidInput.one(Place(str(trace)), text)
    except BaseException:
        left.give_back()
        raise
    return Resumption(left, Path(trace), stored if network is None else network)


@dataclass(frozen=True, eq=False, slots=True)
class Resumption:
    """A run that was stopped, about to be gone on with: its trace, and the network that it runs."""

    left: Stopped
    trace: Path
    network: Network

    def run(
        self,
        backend: str | None = None,
        progress: Progress | None = None,
        device: str | None = None,
        before: Before | None = None,
        due: Due | None = None,
        threads: int = 1,
        choice: executors.Told | None = None,
        genn: Sequence[str] = (),
    ) -> Run:
        """Go on to the end; see `resume`."""
        started = time.perf_counter()
        try:
            session = self._session(backend or self.left.header["backend"], device, before, threads, choice, genn)
        except BaseException:
            self.left.give_back()
            raise
        with session:
            built = time.perf_counter()
            session.run_protocol(progress, due=due)
            digest = session.digest()
            ended = time.perf_counter()
            outcome = result(session, digest, self.left.header["chip_seed"])
            run_s = self.left.resumed.run_s + ended - built
            outcome = replace(outcome, build_s=built - started, run_s=run_s, trace=str(self.trace))
            finish(session, outcome)
        return outcome

    def _session(
        self,
        backend: str,
        device: str | None,
        before: Before | None,
        threads: int,
        told: executors.Told | None,
        genn: Sequence[str],
    ) -> Session:
        """The session that stands where the run was stopped."""
        left, seed = self.left, self.left.header["seed"]
        chip, chip_seed = chips.read(left.chip, f"{self.trace} (chip)"), left.header["chip_seed"]
        is_specimen = chip_seed is not None or bool(left.factors)
        instance = ChipInstance(chip, chip_seed, left.factors) if is_specimen else None
        loaded = None if backend == backends.AUTO else backends.load(backend, device, threads, genn)
        foreseen = loaded or backends.load("emulator", threads=threads)
        program, plan = lower_and_plan(self.network, chip, instance, [foreseen], Runs(trace=True))
        auto = None
        if loaded is None:
            auto = executors.chosen(program, plan, device, threads)
            loaded = backends.load(auto.backend, auto.device, threads, genn)
        if told is not None:
            told(auto or executors.judged(program, plan, backend, device, threads))
        program = of_copy(program, left.header["copy"])
        if before is not None:
            before(program)
        executor = opened(program, loaded, seed)
        text, arrays = apart.written(self.network)
        source = Provenance(
            network=self.network,
            text=text,
            arrays=arrays,
            program=program,
            chip=chip,
            instance=instance,
            backend=loaded.name,
            seed=seed,
            copy=left.header["copy"],
        )
        sink = Writer(left.parts, source, resumed=left.resumed)
        session = Session(program, plan, executor, seed=seed, backend=loaded.name, sink=sink, keep=False)
        session.take_up(Checkpoint.of_tree(left.checkpoint, Place(str(self.trace))))
        sink.go_on()
        return session
