"""A session: a program being executed, driven by the protocol of its plan or by hand."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroport.errors import InvalidInput, NotWritten, RunFailed, Unsupported, together
from neuroport.numerics.given import FLAG, FUNCTION, PATH, TEXT, WHOLE, Kind, takes
from neuroport.numerics.units import Quantity
from neuroport.pages.html import html
from neuroport.pages.plain import brief
from neuroport.program import fixed
from neuroport.program.executor import Backend, Capture, Executor
from neuroport.program.identity import Identity, identity
from neuroport.program.machine import Program
from neuroport.program.names import of_run
from neuroport.program.plan import Plan, total_steps
from neuroport.session import checkpoint as checkpoints
from neuroport.session.checkpoint import Checkpoint
from neuroport.session.controls import Ready
from neuroport.session.describe import described
from neuroport.session.exchange import LATENESS_BINS, Exchange, Steps, Train, Write, writes_of
from neuroport.session.executing import forkable, opened
from neuroport.session.final import Final
from neuroport.session.fitting import fitting
from neuroport.session.heard import Heard
from neuroport.session.horizon import Horizon
from neuroport.session.kept import kept_steps
from neuroport.session.names import Wanted
from neuroport.session.parts import Parts
from neuroport.session.record import Chunk, Sink, spiking
from neuroport.session.summary import page, summary
from neuroport.version import __version__

CHECKPOINT = Kind("a checkpoint, or the path of one", lambda value: isinstance(value, Checkpoint) or PATH.fits(value))
Values = NDArray[np.float64] | NDArray[np.int64]
Progress = Callable[[int, int], None]
ALWAYS_THERE = 2**24
"""Bytes for which nobody asks whether there is room."""
MOST_KNOWN = 64
"""So many lists of outputs are looked up once."""


def open_session(
    program: Program,
    plan: Plan,
    backend: Backend,
    seed: int | None = None,
    sink: Sink | None = None,
    keep: bool | int | str | None = None,
) -> Session:
    """A session on a backend. Unsupported when the backend lacks something or cannot execute the program.

    `seed` None is the program's own. See Session for `sink` and `keep`.
    """
    return Session(
        program,
        plan,
        opened(program, backend, seed),
        seed=seed,
        backend=backend.name,
        sink=sink,
        keep=keep,
        again=lambda: opened(program, backend, seed),
    )


class Session:
    """A program being executed as its plan says.

    `executor` must record the spikes of all of `spiking(program)`. `sink` receives what the plan says is to be
    recorded, and is closed when the session is left, marked incomplete after an error. `keep` says for how long spikes
    and records also stay here for `spikes`, `records` and `take`: "all" (or True), 0 (or False), a number of steps, or
    a time such as "1 s"; None: "all" when there is no sink, else 0. `chip_seed`: that of the specimen, if it is one.
    `again` makes another executor of the same kind, for `fork`.
    """

    def __init__(
        self,
        program: Program,
        plan: Plan,
        executor: Executor,
        *,
        seed: int | None = None,
        backend: str = "",
        sink: Sink | None = None,
        keep: bool | int | str | None = None,
        chip_seed: int | None = None,
        again: Callable[[], Executor] | None = None,
    ) -> None:
        self.chip_seed = chip_seed
        self.program, self.plan, self.executor = program, plan, executor
        self._again = again
        self.seed = program.seed if seed is None else seed
        self.backend = backend
        self._closed = self._rests = False
        self._sink, self._keep = sink, kept_steps(sink is None if keep is None else keep, plan.dt)
        self._horizon = Horizon(program, plan.dt, self._keep)
        self._parts = parts = Parts(program, plan, executor, sink, self._keep, self.seed)
        self._controls, self._recorder, self._walk = parts.controls, parts.recorder, parts.walk
        self._heard = Heard(parts.controls, parts.recorder, plan.dt)
        self._final = Final(program, executor)

    def __repr__(self) -> str:
        return brief("Session", summary(self))

    def _repr_html_(self) -> str:
        return html(page(self), "Session")

    def __enter__(self) -> Session:
        self._must_be_open()
        return self

    def __exit__(self, kind: object = None, error: BaseException | None = None, *_: object) -> None:
        """Close; after an error the sink is incomplete, and the error gets a note that says where what it has is."""
        try:
            if self._sink is not None and kind is not None:
                self._save(self._sink, error)
        finally:
            self.close()

    def close(self) -> None:
        """Close the sink if nobody has, and let go of the executor's memory and files, if it has a way to.

        A closed session refuses everything but this.
        """
        if self._closed:
            return
        try:
            if self._sink is not None and self._sink.is_open:
                self.finish(self.digest())
        finally:
            self._closed = True
            close = getattr(self.executor, "close", None)
            if close is not None:
                close()

    def _save(self, sink: Sink, error: BaseException | None) -> None:
        """Close the sink after an error, of which a second one must not take the place.

        Between two pieces of a protocol, what it goes on from is saved first.
        """
        note = ""
        try:
            if self._rests:
                self._save_in(sink)
        except NotWritten as second:
            note = "" if isinstance(error, NotWritten) else f"{second}; "
        try:
            note += sink.close(steps=self._recorder.taken, settings=self.settings(), complete=False)
        except NotWritten as second:
            note += str(second)
        if error is not None and note:
            error.add_note(note)

    def finish(self, digest: str, build_s: float = 0.0, run_s: float = 0.0) -> None:
        """Give the sink, if there is one, the final state and how long building and running took, and close it."""
        if self._sink is not None:
            self._sink.close(
                steps=self.step,
                digest=digest,
                final=self._final,
                settings=self.settings(),
                spike_counts=self.spike_counts(),
                overflows=self.overflows(),
                build_s=build_s,
                run_s=run_s,
            )

    @property
    def dt(self) -> float:
        """The time step in ms."""
        return self.program.dt

    @property
    def closed(self) -> bool:
        """Whether the session was left, and refuses everything."""
        return self._closed

    @property
    def step(self) -> int:
        """The number of the step that comes next; 0 at the start."""
        return self.executor.step

    @property
    def latest(self) -> Capture:
        """What the executor recorded in the last piece of a run."""
        return self._recorder.latest

    @property
    def results(self) -> dict[str, list[tuple[int, float | list[float]]]]:
        """The measurements: metric name -> list of (step, value)."""
        return self._parts.measuring.results

    # ------------------------------------------------------------------------------------------------ the protocol

    def _save_in(self, sink: Sink) -> None:
        if getattr(self.executor, "save", None) is not None and sink.is_open:
            sink.checkpoint(self.checkpoint().tree())

    @takes(progress=FUNCTION.or_none, chunk=FUNCTION.or_none, due=FUNCTION.or_none)
    def run_protocol(
        self, progress: Progress | None = None, chunk: Chunk | None = None, due: Callable[[int], bool] | None = None
    ) -> None:
        """Do everything that the protocol says; `progress(steps done, steps in all)` is told first and on the way.

        See walk_protocol for `chunk`, and for a protocol of which a part was done. Where `due(step)` says so, the trace
        gets a checkpoint to go on from; without `chunk` also where `progress` raises an exception.
        """
        total = total_steps(self.plan.protocol)
        start = self._walk.begun
        self._horizon.foresee(total)
        self._rests = chunk is None
        if progress is not None:
            progress(self.step - start, total)
        self._rests = False
        for _ in self.walk_protocol(chunk):
            self._rests = chunk is None
            if due is not None and self._sink is not None and due(self.step):
                self._save_in(self._sink)
            if progress is not None:
                progress(self.step - start, total)
            self._rests = False

    @takes(chunk=FUNCTION.or_none)
    def walk_protocol(self, chunk: Chunk | None = None) -> Iterator[None]:
        """Do everything that the protocol says, stopping after every item and within long ones.

        `chunk(step)` says how many steps to compute at most from there, so that sessions on several executors can be
        walked in step; None: as many as take a fraction of a second. A protocol of which only a part was done, here or
        before a checkpoint that was restored, goes on from there. Steps that were run by hand in the middle of an item
        are steps of it, at which nothing else is done.
        """
        self._must_be_open()
        yield from self._walk.through(chunk)

    # --------------------------------------------------------------------------------------------------- by hand

    @takes(progress=FUNCTION.or_none)
    def run(self, duration: int | str | Quantity, progress: Progress | None = None) -> None:
        """Simulate for a number of steps, or a time such as "100 ms".

        The step count of the model language's `item_step` goes on, and `T` stays what it was: the length of the last
        protocol item, at first the longest; `set("run.T", steps)` gives it another value.
        """
        self._must_be_open()
        steps = self._horizon.steps(duration, self.step)
        start = self.step
        for _ in self._recorder.advance(steps, None):
            if progress is not None:
                progress(self.step - start, steps)

    @property
    def last_step(self) -> int:
        """The step up to which the step counters of the program go."""
        return self._horizon.last

    @property
    def recorded(self) -> list[str]:
        """The names under which something is recorded: populations that spike, and variables."""
        return self._controls.names.recorded

    @takes(event=TEXT)
    def trigger(self, event: str) -> None:
        """Run every triggered block of that name."""
        self._must_be_open()
        self._controls.trigger(event)

    @takes(populations=TEXT, keep_learned=FLAG)
    def reset(self, *populations: str, keep_learned: bool = False) -> None:
        """Put populations back to their initial state and discard their spikes in flight.

        `keep_learned`: their variables of class plastic stay as they are.
        """
        self._must_be_open()
        self._controls.reset(populations, keep_learned)

    @takes(name=TEXT)
    def inject(self, name: str, neurons: Any, values: Any, at: Steps | None = None, hold: Steps = 1) -> None:
        """Add values (real units) to an input, POPULATION.INPUT, of some neurons (None: of all).

        They are added in step `at` (None: the coming one; one that has passed: late, in the coming one), and again in
        the `hold` - 1 steps after it. All that is injected into a neuron for one step must lie in the declared range of
        the input, on a chip without one in what its format holds. Otherwise, and for values that are not finite,
        InvalidInput; nothing has changed.
        """
        self._must_be_open()
        self._controls.inject(Write(name, values, neurons, at, hold))

    @takes(name=TEXT)
    def check_input(self, name: str) -> None:
        """InvalidInput for a name to which `inject` cannot add."""
        self._must_be_open()
        self._controls.names.input(name)

    def exchange(
        self,
        inputs: Sequence[Write] | Mapping[str, ArrayLike] = (),
        steps: int | str | Quantity = 1,
        outputs: Sequence[str] = (),
        *,
        clip: bool = False,
    ) -> Exchange:
        """Give inputs, simulate for a number of steps or a time, and take outputs (see `take`): all of it, or nothing.

        `inputs`: see Write; or values by name. With `clip` those outside their range are put to its end and counted;
        otherwise, as for all that is wrong, InvalidInput, and nothing has changed.
        """
        ready, many, wanted = self._checked(inputs, steps, outputs, clip)
        oldest = self._recorder.oldest
        self._controls.make(ready)
        self._recorder.advance_wanting(many, wanted.of, oldest)
        taken, dropped = self._heard.take(wanted, oldest, self.step)
        return Exchange(self.step, taken, ready.late, dropped, ready.clipped)

    @takes(ends=FUNCTION)
    def end_when(self, ends: Callable[[], bool]) -> None:
        """Have `ends()` asked, within long exchanges some times a second, whether the exchange is to end there."""
        self._must_be_open()
        self._recorder.ends = ends

    def check(
        self,
        inputs: Sequence[Write] | Mapping[str, ArrayLike] = (),
        steps: int | str | Quantity = 0,
        outputs: Sequence[str] = (),
        *,
        clip: bool = False,
    ) -> None:
        """InvalidInput for what `exchange` would refuse; nothing has changed."""
        self._checked(inputs, steps, outputs, clip)

    def _checked(self, inputs: Any, steps: Any, outputs: Any, clip: Any) -> tuple[Ready, int, Wanted]:
        """What an exchange does, for how many steps, and what is heard; InvalidInput with all that is wrong."""
        self._must_be_open()
        errors: list[InvalidInput] = []
        try:
            ready = self._controls.ready(writes_of(inputs), clip is not False and FLAG.checked("clip", clip))
        except InvalidInput as error:
            errors.append(error)
        try:
            many = self._horizon.steps(steps, self.step)
        except InvalidInput as error:
            errors.append(error)
        try:
            wanted = self._heard.wanted(outputs)
        except InvalidInput as error:
            errors.append(error)
        if errors:
            raise together(errors)
        return ready, many, wanted

    @takes(name=TEXT)
    def get(self, name: str) -> NDArray[np.float64]:
        """The values of OBJECT.VARIABLE in real units (ms, mV, nA, …), (size,), or (size, copies) in a batch."""
        self._must_be_open()
        return self._controls.get(name)

    @takes(name=TEXT, clip=FLAG)
    def set(self, name: str, value: Any, clip: bool = False) -> None:
        """Give OBJECT.VARIABLE new values: one for all or an array of its shape, in real units, or a quantity.

        Of parameters only dynamic ones can be set; what is derived from them follows. A specimen's circuits deviate
        from what parameters and static weights are set to. A value outside the declared range, or that the chip's
        format cannot hold, is refused: InvalidInput; nothing has changed. With `clip` it stands at the end of what is
        allowed, and is counted (`stats`).
        """
        self._must_be_open()
        try:
            self._controls.set(name, value, clip)
        except RunFailed as error:
            raise InvalidInput.one(None, str(error)) from None

    # ----------------------------------------------------------------------------------------------------- looking

    @takes(population=TEXT)
    def spikes(
        self, population: str, since: int | str | Quantity | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Steps and neurons of the spikes of a population that are kept, sorted by (step, neuron).

        `since`: a step, or a time from the start: those from there on; InvalidInput where they are no longer kept.
        """
        self._must_be_open()
        name, population = population, self._controls.names.target(population)
        self._controls.check_known(population, list(spiking(self.program)), "spiking population")
        self._must_keep("spikes")
        train = self._recorder.spikes(population, self._heard.first(since, f"spikes of '{population}'"))
        return self._controls.names.output(name).chosen(train, self.program.copies)

    @takes(name=TEXT)
    def records(
        self, name: str, since: int | str | Quantity | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Steps (k,) and values (k, size) of a recorded state that are kept, in real units. `since`: see spikes."""
        self._must_be_open()
        given, name = name, self._controls.names.target(name)
        self._controls.check_known(name, [r.array for r in self.program.records if not r.readout], "recorded variable")
        self._must_keep("records")
        train = self._recorder.records(name, self._heard.first(since, f"values of '{name}'"))
        return self._controls.names.recorded_of(given).chosen(train, self.program.copies)

    @takes(outputs=TEXT)
    def take(self, *outputs: str) -> dict[str, Train]:
        """What came out under these names (none: all that is recorded) since each was last taken; see Exchange.

        What is no longer kept is left out, and counted as dropped (`stats`).
        """
        self._must_be_open()
        wanted = self._heard.wanted(outputs or self._controls.names.recorded)
        if any(output.kind != "values" for _, output in wanted.by_name):
            self._must_keep("what was recorded")
        return self._heard.take(wanted, self._recorder.oldest, self.step)[0]

    def describe(self) -> dict[str, Any]:
        """What this is and what a host may do with it, in plain values (texts, numbers, lists, None)."""
        self._must_be_open()
        return described(self)

    def stats(self) -> dict[str, Any]:
        """What happened so far, in plain values.

        `steps`, `spikes` and `overflows` by name; `injected`: numbers added to inputs, one per neuron and step; `late`,
        `clipped`, `dropped`: see Exchange; `waiting`: what is to be done in steps to come; `missed_deadlines`: how many
        steps were done late by 2**k to 2**(k + 1) us, none where nobody waits for a clock.
        """
        self._must_be_open()
        tally = self._controls.tally
        return {
            "steps": self.step,
            "spikes": self.spike_counts(),
            "overflows": self.overflows(),
            "injected": tally.injected,
            "late": tally.late,
            "dropped": tally.dropped,
            "clipped": tally.clipped,
            "waiting": self._controls.waiting,
            "missed_deadlines": [0] * LATENESS_BINS,
        }

    @takes(readout=TEXT)
    def rows(self, readout: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Pattern numbers (k,) and rows (k, cells) of a samples readout since it was last measured or captured.

        The number is -1 for a `run` item.
        """
        self._must_be_open()
        self._controls.check_known(readout, list(self._parts.sampler.rows), "samples readout")
        return self._parts.sampler.joined(readout)

    @takes(projection=TEXT)
    def weights(self, projection: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Presynaptic neurons, postsynaptic neurons and weights (real units) of a projection's synapses."""
        self._must_be_open()
        self._controls.check_known(projection, [p.name for p in self.program.projections], "projection")
        synapses = self.program.projection(projection)
        name = next(a.name for a in self.program.arrays.values() if a.owner == projection and a.role == "weight")
        weights = self.get(name)
        if synapses.wiring.entry is not None:
            weights = weights[synapses.wiring.entry]
        return synapses.pre.copy(), synapses.post.copy(), weights

    def final(self) -> dict[str, Values]:
        """Every array of state and weights as it is now, raw, in the program's order."""
        self._must_be_open()
        return dict(self._final)

    def settings(self) -> dict[str, Values]:
        """What was set while the network ran: dynamic parameters and static weights, by name, as they are set now.

        In coherent units, before any circuit deviates: one number, or one per element.
        """
        self._must_be_open()
        run = {n: v for n, v in self._parts.switchboard.settings().items() if not of_run(n)}
        return run | self._controls.given

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        self._must_be_open()
        return self.executor.spike_counts()

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range (arrays with none are absent).

        What the host stored for deviating circuits, or captured for patterns, counts like any other store.
        """
        self._must_be_open()
        counts = Counter(self.executor.overflows())
        counts.update(self._parts.switchboard.saturated)
        counts.update(self._parts.patterns.saturated)
        return dict(counts)

    def digest(self) -> str:
        """SHA-256, in hexadecimal, over all spikes and the state and weights as they are now.

        For every spiking population in program order: its name in UTF-8, a zero byte, and the digest (32 bytes) of its
        spikes, sorted by (step, neuron); see `session.digest.Chain`. Then for every array of role state, weight or
        visible in program order: its name, a zero byte, and the SHA-256 (32 bytes) of its elements as little-endian
        int64 (raw integers) or float64. It is taken in pieces, once only where nothing changes an array.
        """
        self._must_be_open()
        self._recorder.drain()
        whole = hashlib.sha256()
        for name, spikes in self._recorder.spike_digests():
            whole.update(name.encode() + b"\0" + spikes)
        for name in self._final:
            whole.update(name.encode() + b"\0" + self._final.fingerprint(name, self._controls.given.get(name)))
        return whole.hexdigest()

    # ----------------------------------------------------------------------------------------- saving, going on from it

    @takes(path=PATH.or_none)
    def checkpoint(self, path: str | Path | None = None) -> Checkpoint:
        """All that this session goes on from, as a value; with a path also as a file, which replaces an earlier one.

        What was recorded and is still kept is part of it: open what runs long with a `keep` that is not "all".
        Unsupported where the executor cannot save its state.
        """
        self._must_be_open()
        save = getattr(self.executor, "save", None)
        if save is None:
            raise Unsupported(f"backend '{self.backend}' cannot save what it holds; take another one")
        host = self._parts.saved()
        made = Checkpoint(
            format=checkpoints.FORMAT,
            network=self.program.name,
            chip=self.program.chip,
            backend=self.backend,
            seed=self.seed,
            arithmetic="integer" if self.program.integer else self.program.precision,
            arithmetic_version=fixed.VERSION,
            version=__version__,
            identity=self._identity,
            state=save(),
            host=host,
        )
        if path is not None:
            checkpoints.save(made, path)
        return made

    @cached_property
    def _identity(self) -> Identity:
        return identity(self.program, self.plan)

    @takes(checkpoint=CHECKPOINT)
    def restore(self, checkpoint: Checkpoint | str | Path) -> None:
        """Go on from a checkpoint of the same program and seed, or from its file: with the same bits.

        A chip's program goes on on any executor, one of real numbers only on the kind on which it began. `spikes`,
        `records` and `take` go on from what was kept, as far as it is recorded here; a protocol of which a part was
        done goes on with the rest.
        InvalidInput, and nothing has changed, for another program, seed or executor, and in a session with a trace.
        """
        self._must_be_open()
        if self._sink is not None:
            text = "this session writes a trace, whose steps follow each other; open one without a trace to restore it"
            raise InvalidInput.one(None, text)
        self.take_up(checkpoint if isinstance(checkpoint, Checkpoint) else checkpoints.load(checkpoint))

    def take_up(self, checkpoint: Checkpoint) -> None:
        """See restore; also where there is a sink, which then has what was recorded until the checkpoint."""
        checkpoint.require(self.seed, self.backend, self._identity, self.program.integer)
        host, before = checkpoint.host, self._walk.position
        fitting(host, self.program, self.plan, checkpoint.step)
        try:
            self._walk.move(host.position, checkpoint.step)
        except ValueError:
            text = "the checkpoint lies at a place that the protocol does not have; take one that is whole"
            raise InvalidInput.one(None, text) from None
        try:
            self.executor.load(checkpoint.state)
        except BaseException:
            self._walk.move(before, self.step)
            raise
        self._final.forget()
        self._parts.hold(host)

    @takes(n=WHOLE)
    def fork(self, n: int = 1) -> list[Session]:
        """So many other sessions that go on from here by themselves, without a trace; each has to be left.

        InvalidInput for less than one or more than 1,000, and for a session whose executor was made by hand.
        """
        forkable(n)
        if self._again is None:
            raise InvalidInput.one(None, "this session was given an executor, and cannot make another; use restore")
        saved = self.checkpoint()
        with ExitStack() as made:
            sessions = [made.enter_context(self._like(self._again())) for _ in range(n)]
            for session in sessions:
                session.restore(saved)
            made.pop_all()
        return sessions

    def _like(self, executor: Executor) -> Session:
        """Another session of the same kind, at its beginning."""
        more: dict[str, Any] = {"seed": self.seed, "backend": self.backend, "keep": self._keep, "again": self._again}
        more |= {"chip_seed": self.chip_seed}
        return Session(self.program, self.plan, executor, **more)

    # ----------------------------------------------------------------------------------------------------- metrics

    @takes(names=TEXT)
    def measure(self, *names: str) -> None:
        """Evaluate metrics (none named: all) and add them to `results`. Their readouts then start afresh."""
        self._must_be_open()
        for name in names:
            self._controls.check_known(name, list(self.results), "metric")
        self._parts.measuring.measure(names)

    def _must_be_open(self) -> None:
        if self._closed:
            text = "this session is closed, and what executes its program is gone; open another one"
            raise InvalidInput.one(None, text)

    def _must_keep(self, what: str) -> None:
        if self._keep == 0:
            text = f"this session does not keep {what}; read them from its trace, or open it with keep=True"
            raise InvalidInput.one(None, text)
