"""A session: a program being executed, driven by the protocol of its plan or by hand."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput, NotWritten, Unsupported
from neuroport.numerics.given import FLAG, FUNCTION, TEXT, checked_seed, takes
from neuroport.numerics.steps import MOST, steps_of
from neuroport.numerics.units import Quantity
from neuroport.program.executor import Backend, Capture, Executor
from neuroport.program.ir import Int
from neuroport.program.machine import Program
from neuroport.program.names import ITEM_STEP, STEP, of_run
from neuroport.program.plan import Plan, total_steps
from neuroport.program.room import Part
from neuroport.program.room import require as require_room
from neuroport.program.verify import require
from neuroport.session.controls import Controls
from neuroport.session.measure import Measuring
from neuroport.session.patterns import PatternTables
from neuroport.session.record import Chunk, Recorder, Sink, spiking
from neuroport.session.sample import Sampler
from neuroport.session.switchboard import Switchboard
from neuroport.session.walk import Walk

Values = NDArray[np.float64] | NDArray[np.int64]
Progress = Callable[[int, int], None]


def open_session(
    program: Program,
    plan: Plan,
    backend: Backend,
    seed: int | None = None,
    sink: Sink | None = None,
    keep: bool | None = None,
) -> Session:
    """A session on a backend. Unsupported when the backend lacks something or cannot execute the program.

    `seed` None is the program's own. See Session for `sink` and `keep`.
    """
    executor = opened(program, backend, seed)
    return Session(program, plan, executor, seed=seed, backend=backend.name, sink=sink, keep=keep)


def opened(program: Program, backend: Backend, seed: int | None = None) -> Executor:
    """An executor for a session. Unsupported when the backend lacks something or cannot execute the program."""
    seed = checked_seed(program.seed if seed is None else seed)
    return usable(backend, program).open(program, seed, spiking(program))


def usable(backend: Backend, program: Program) -> Backend:
    """The backend, if it can execute the program on this machine; else Unsupported with all reasons.

    InternalError for a program that is not legal: a backend looks at nothing that every pass must keep.
    """
    require(program, f"the program '{program.name}' given to backend '{backend.name}'")
    missing = backend.missing()
    reasons = (missing,) if missing else backend.check(program)
    if reasons:
        raise Unsupported("\n".join(f"backend '{backend.name}': {reason}" for reason in reasons))
    return backend


class Session:
    """A program being executed as its plan says.

    `executor` must record the spikes of all of `spiking(program)`. `sink` receives what the plan says is to be
    recorded, and is closed when the session is left, marked incomplete after an error. `keep` says whether spikes and
    records also stay here for `spikes` and `records`; by default they do when there is no sink.
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
        keep: bool | None = None,
    ) -> None:
        self.program, self.plan, self.executor = program, plan, executor
        self.seed = program.seed if seed is None else seed
        self.backend = backend
        self._left = False
        self._sink, self._keep = sink, sink is None if keep is None else keep
        self._switchboard = Switchboard(program)
        self._sampler = Sampler(plan.windows, program)
        self._controls = Controls(program, plan, executor, self._switchboard)
        self._recorder = Recorder(program, plan, executor, self._sampler, sink, self._keep)
        self._patterns = PatternTables(program, executor)
        self._measuring = Measuring(self._controls, self._sampler, self._patterns, sink)
        self._walk = Walk(self._controls, self._recorder, self._patterns, self._measuring, self.seed)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: object = None, error: BaseException | None = None, *_: object) -> None:
        """Close the sink if nobody has, and let go of the executor's memory and files, if it has a way to.

        An error gets a note that says where what was recorded is.
        """
        try:
            if self._sink is not None and kind is not None:
                self._save(self._sink, error)
            elif self._sink is not None and self._sink.is_open:
                self.finish(self.digest())
        finally:
            self._left = True
            close = getattr(self.executor, "close", None)
            if close is not None:
                close()

    def _save(self, sink: Sink, error: BaseException | None) -> None:
        """Close the sink after an error, of which a second one must not take the place."""
        try:
            note = sink.close(steps=self._recorder.taken, settings=self.settings(), complete=False)
        except NotWritten as second:
            note = str(second)
        if error is not None and note:
            error.add_note(note)

    def finish(self, digest: str, build_s: float = 0.0, run_s: float = 0.0) -> None:
        """Give the sink, if there is one, the final state and how long building and running took, and close it."""
        if self._sink is not None:
            self._sink.close(
                steps=self.step,
                digest=digest,
                final=self.final(),
                settings=self.settings(),
                spike_counts=self.spike_counts(),
                overflows=self.overflows(),
                build_s=build_s,
                run_s=run_s,
            )

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
        return self._measuring.results

    # ------------------------------------------------------------------------------------------------ the protocol

    @takes(progress=FUNCTION.or_none, chunk=FUNCTION.or_none)
    def run_protocol(self, progress: Progress | None = None, chunk: Chunk | None = None) -> None:
        """Do everything that the protocol says; `progress(steps done, steps in all)` is told first and on the way.

        See walk_protocol for `chunk`, and for a protocol of which a part was done.
        """
        total = total_steps(self.plan.protocol)
        start = self._walk.begun
        self._foresee(total)
        if progress is not None:
            progress(self.step - start, total)
        for _ in self.walk_protocol(chunk):
            if progress is not None:
                progress(self.step - start, total)

    @takes(chunk=FUNCTION.or_none)
    def walk_protocol(self, chunk: Chunk | None = None) -> Iterator[None]:
        """Do everything that the protocol says, stopping after every item and within long ones.

        `chunk(step)` says how many steps to compute at most from there, so that sessions on several executors can be
        walked in step; None: as many as take a fraction of a second. A protocol of which only a part was done, here or
        before a checkpoint that was restored, goes on from there.
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
        steps = self._steps(duration)
        self._foresee(steps)
        start = self.step
        for _ in self._recorder.advance(steps, None):
            if progress is not None:
                progress(self.step - start, steps)

    def _steps(self, duration: int | str | Quantity) -> int:
        steps = steps_of(duration, self.plan.dt)
        if not 0 <= steps <= MOST - self.step:
            many = steps if steps < 0 else "so many"
            raise InvalidInput.one(None, f"a run cannot last {many} steps; give a number of steps from 0 to 2**62")
        self._within_horizon(steps)
        return steps

    def _within_horizon(self, steps: int) -> None:
        """Refuse to run longer than the step counters of an integer program go."""
        counter = self.program.arrays.get(STEP) or self.program.arrays.get(ITEM_STEP)
        kind = None if counter is None or not self.program.integer else counter.type
        if isinstance(kind, Int) and self.step + steps > kind.hi:
            text = (
                f"step {self.step + steps} is beyond {kind.hi}, for which the program's step counters are made; "
                f"a longer protocol in the network file makes them longer"
            )
            raise InvalidInput.one(None, text)

    def _foresee(self, steps: int) -> None:
        """Refuse to run so long that what is recorded and stays here does not fit into memory."""
        kept = [r for r in self.program.records if self._keep and not r.readout]
        sizes = {r.array: float(self.program.arrays[r.array].initial.size) * 8 * (steps // r.every) for r in kept}
        parts = [Part(f"what is recorded of '{name}'", size) for name, size in sizes.items()]
        require_room(f"a run of {steps:,} steps that keeps what is recorded", parts)

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

    @takes(population=TEXT, input=TEXT)
    def inject(self, population: str, input: str, neurons: Any, values: Any) -> None:
        """Add values (real units) to an input of some neurons in the coming step.

        All that is injected into a neuron for one step must lie in the declared range of the input, on a chip without
        one in what its format holds. Otherwise, and for values that are not finite, InvalidInput; nothing has changed.
        """
        self._must_be_open()
        self._controls.inject(population, input, neurons, values)

    @takes(name=TEXT)
    def get(self, name: str) -> NDArray[np.float64]:
        """The values of OBJECT.VARIABLE in real units (ms, mV, nA, …), (size,), or (size, copies) in a batch.

        After the session was left, too, where the executor keeps them (genn does not).
        """
        self._must_be_readable()
        return self._controls.get(name)

    @takes(name=TEXT)
    def set(self, name: str, value: Any) -> None:
        """Give OBJECT.VARIABLE new values: one for all or an array of its shape, in real units, or a quantity.

        Of parameters only dynamic ones can be set; what is derived from them follows. A specimen's circuits deviate
        from what parameters and static weights are set to. A value outside the declared range, or that the chip's
        format cannot hold, is refused: InvalidInput, of a parameter RunFailed; nothing has changed.
        """
        self._must_be_open()
        self._controls.set(name, value)

    # ----------------------------------------------------------------------------------------------------- looking

    @takes(population=TEXT)
    def spikes(self, population: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Steps and neurons of all spikes of a population so far, sorted by (step, neuron)."""
        self._controls.check_known(population, list(spiking(self.program)), "spiking population")
        self._must_keep("spikes")
        return self._recorder.spikes(population)

    @takes(name=TEXT)
    def records(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Steps (k,) and values (k, size) of a recorded state so far, in real units."""
        self._controls.check_known(name, [r.array for r in self.program.records if not r.readout], "recorded variable")
        self._must_keep("records")
        return self._recorder.records(name)

    @takes(readout=TEXT)
    def rows(self, readout: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Pattern numbers (k,) and rows (k, cells) of a samples readout since it was last measured or captured.

        The number is -1 for a `run` item.
        """
        self._controls.check_known(readout, list(self._sampler.rows), "samples readout")
        return self._sampler.joined(readout)

    @takes(projection=TEXT)
    def weights(self, projection: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Presynaptic neurons, postsynaptic neurons and weights (real units) of a projection's synapses."""
        self._controls.check_known(projection, [p.name for p in self.program.projections], "projection")
        synapses = self.program.projection(projection)
        name = next(a.name for a in self.program.arrays.values() if a.owner == projection and a.role == "weight")
        return synapses.pre.copy(), synapses.post.copy(), self.get(name)

    def final(self) -> dict[str, Values]:
        """Every array of state and weights as it is now, raw, in the program's order; see get."""
        self._must_be_readable()
        roles = ("state", "weight", "visible")
        return {n: self.executor.read(n) for n, a in self.program.arrays.items() if a.role in roles}

    def settings(self) -> dict[str, Values]:
        """What was set while the network ran: dynamic parameters and static weights, by name, as they are set now.

        In coherent units, before any circuit deviates: one number, or one per element.
        """
        run = {n: v for n, v in self._switchboard.settings().items() if not of_run(n)}
        return run | self._controls.given

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        return self.executor.spike_counts()

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range (arrays with none are absent).

        What the host stored for deviating circuits, or captured for patterns, counts like any other store.
        """
        counts = Counter(self.executor.overflows())
        counts.update(self._switchboard.saturated)
        counts.update(self._patterns.saturated)
        return dict(counts)

    def digest(self) -> str:
        """SHA-256, in hexadecimal, over all spikes and the state and weights as they are now.

        For every spiking population in program order: its name in UTF-8, a zero byte, and the digest (32 bytes) of its
        spikes, sorted by (step, neuron); see `session.digest.Chain`. Then for every array of role state, weight or
        visible in program order: its name, a zero byte, and its elements as little-endian int64 (raw integers) or
        float64.
        """
        self._recorder.drain()
        whole = hashlib.sha256()
        for name, spikes in self._recorder.spike_digests():
            whole.update(name.encode() + b"\0" + spikes)
        for name, values in self.final().items():
            number = "<i8" if values.dtype.kind == "i" else "<f8"
            whole.update(name.encode() + b"\0" + np.ascontiguousarray(values, number).tobytes())
        return whole.hexdigest()

    # ----------------------------------------------------------------------------------------------------- metrics

    @takes(names=TEXT)
    def measure(self, *names: str) -> None:
        """Evaluate metrics (none named: all) and add them to `results`. Their readouts then start afresh."""
        self._must_be_open()
        for name in names:
            self._controls.check_known(name, list(self.results), "metric")
        self._measuring.measure(names)

    def _must_be_open(self) -> None:
        if self._left:
            text = "this session was left, and what executes its program is gone; open another one"
            raise InvalidInput.one(None, text)

    def _must_be_readable(self) -> None:
        if getattr(self.executor, "close", None) is not None:
            self._must_be_open()

    def _must_keep(self, what: str) -> None:
        if not self._keep:
            text = f"this session does not keep {what}; read them from its trace, or open it with keep=True"
            raise InvalidInput.one(None, text)
