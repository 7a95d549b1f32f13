"""Computing steps in pieces, and what becomes of that which was recorded in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuroport.disk.tree import Tree
from neuroport.errors import InvalidInput
from neuroport.numerics.given import found, whole
from neuroport.program.constants import real
from neuroport.program.executor import Capture, Executor
from neuroport.program.machine import Program
from neuroport.program.memory import NUMBERS, recorded
from neuroport.program.plan import Plan
from neuroport.session.digest import Chain, Links
from neuroport.session.kept import Kept, Taken, Trail, label
from neuroport.session.sample import Sampler
from neuroport.session.tallies import Tallies

Chunk = Callable[[int], int]
Train = tuple[NDArray[np.int64], NDArray[Any]]


class Sink(Protocol):
    """Takes what a run records while it goes on, e.g. a trace writer."""

    def capture(self, capture: Capture) -> None:
        """Take spikes and sampled states, raw."""

    def metric(self, name: str, step: int, value: float | list[float]) -> None:
        """Take one measurement, made before step `step`."""

    def weights(self, name: str, step: int, values: NDArray[Any]) -> None:
        """Take one sample of a projection's array, raw, as it was after step `step`."""

    def checkpoint(self, tree: Tree) -> None:
        """Take what the run can go on from, with all that was taken before: it takes the place of an earlier one."""

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""

    def close(
        self,
        *,
        steps: int,
        digest: str = "",
        final: Mapping[str, NDArray[Any]] | None = None,
        settings: Mapping[str, NDArray[Any]] | None = None,
        spike_counts: Mapping[str, int] | None = None,
        overflows: Mapping[str, int] | None = None,
        build_s: float = 0.0,
        run_s: float = 0.0,
        complete: bool = True,
    ) -> str:
        """Take what the end of the run tells; `complete` is false after an error. Where all is now, as a sentence."""


def spiking(program: Program) -> tuple[str, ...]:
    """The populations that can spike: an executor has to record them all, for the digest."""
    return tuple(p.name for p in program.populations if p.spiking)


@dataclass
class _Pace:
    """How many steps to compute between two looks at what was recorded: for about 0.2 s and NUMBERS numbers."""

    steps: int = 256

    def learn(self, seconds: float, numbers: int) -> None:
        """Adapt to how long that many steps took and how much they recorded."""
        if seconds > 0.4 or numbers > 2 * NUMBERS:
            self.steps = max(1, self.steps // 2)
        elif seconds < 0.1 and numbers < NUMBERS // 2:
            self.steps = min(2**22, self.steps * 2)


class Agenda(Protocol):
    """What is to happen before steps to come."""

    @property
    def next(self) -> int:
        """The step before which something is to happen, after the one before which the executor stands."""

    def arrive(self) -> None:
        """Do what is to happen before the step that comes next."""


class Recorder:
    """Has an executor compute, and hands what it recorded to the sink and the sampler.

    `keep`: for how many steps spikes and records also stay here (None: all). `latest` is what the executor recorded in
    the last piece, and `taken` how many steps have been computed of which all was taken. `ends` is asked between two
    pieces of an exchange whether it is to end there.
    """

    def __init__(
        self,
        program: Program,
        plan: Plan,
        executor: Executor,
        sampler: Sampler,
        sink: Sink | None,
        keep: int | None,
        agenda: Agenda,
        tallies: Tallies,
    ) -> None:
        self.program, self.executor, self.sampler, self.sink, self.keep = program, executor, sampler, sink, keep
        self.latest, self.taken = Capture(), 0
        self._agenda, self._tallies = agenda, tallies
        self.ends: Callable[[], bool] | None = None
        self.begin_keeping()
        self._wanted: frozenset[str] = frozenset()
        self._wanted_from = 0
        self._chains = {name: Chain() for name in spiking(program)}
        self._pace = _Pace()
        self._pace.steps = max(1, min(self._pace.steps, int(NUMBERS / max(recorded(program), 1.0))))
        self._wanted_spikes, self._weight_records = plan.spikes, plan.weights if sink is not None else ()
        self._parts = plan.parts
        parts = {r.array: r.neurons for r in program.records if not r.readout and r.neurons is not None}
        self._labels = {name: label(name, neurons) for name, neurons in parts.items()}

    def begin_keeping(self) -> None:
        """Keep only what is recorded from here on; nothing of it was taken."""
        program = self.program
        self._first = self.executor.step
        self._cursors: dict[tuple[str, str], int] = {}
        self._spikes = {name: Trail((), np.int64) for name in spiking(program)}
        records = [(r, program.arrays[r.array]) for r in program.records if not r.readout]
        self._records = {r.array: Trail(r.of(array.initial).shape, array.dtype) for r, array in records}

    def advance(self, steps: int, chunk: Chunk | None) -> Iterator[None]:
        """Compute that many steps, in pieces that end where weights are to be sampled.

        `chunk(step)`: how many to compute at most from there; None: as many as take a fraction of a second.
        """
        end = self.executor.step + steps
        while self.executor.step < end:
            before = self.executor.step
            size = self._pace.steps if chunk is None else _checked(chunk(before))
            due = self._agenda.next
            stop = min(end, before + size, due)
            for _, every in self._weight_records:
                stop = min(stop, before // every * every + every)
            started = time.perf_counter()
            self.executor.advance(stop - before)
            numbers = self.drain()
            if stop - before == size:
                self._pace.learn(time.perf_counter() - started, numbers)
            step = self.executor.step
            for name, every in self._weight_records:
                if step % every == 0 and self.sink is not None:
                    self.sink.weights(name, step - 1, self.executor.read(name))
            if step == due:
                self._agenda.arrive()
            yield
            if step < end and self.executor.step != step:
                text = f"in the middle of a run, after step {step - 1}, the session was moved to step "
                text += f"{self.executor.step}; run by hand between items, and not from a progress function"
                raise InvalidInput.one(None, text)

    def advance_wanting(self, steps: int, names: frozenset[str], oldest: int) -> None:
        """Compute that many steps, during which what has these names is kept from step `oldest` on."""
        self._wanted, self._wanted_from = names, oldest
        end = self.executor.step + steps
        try:
            for _ in self.advance(steps, None):
                if self.ends is not None and self.executor.step < end and self.ends():
                    break
        finally:
            self._wanted = frozenset()

    def drain(self) -> int:
        """Take what the executor recorded; how many numbers that was."""
        capture = self.latest = self.executor.drain()
        numbers = 0
        for name, (steps, neurons) in capture.spikes.items():
            if not len(steps):
                continue
            numbers += 2 * len(steps)
            self._chains[name].add(steps, neurons)
            self._tallies.feed(name, neurons)
            self._stays(name, self._spikes[name], steps, neurons)
        for name, (steps, values) in capture.records.items():
            if not len(steps):
                continue
            numbers += values.size
            if name in self.sampler.rows:
                self.sampler.feed(name, steps, values)
            else:
                self._stays(name, self._records[name], steps, values)
        if self.sink is not None:
            wanted = {n: self._in_part(n, s) for n, s in capture.spikes.items() if n in self._wanted_spikes}
            records = {n: r for n, r in capture.records.items() if n not in self.sampler.rows}
            self.sink.capture(Capture(wanted, records))
        self.taken = self.executor.step
        return numbers

    def _in_part(self, name: str, spikes: Train) -> Train:
        """The spikes of the neurons of a population that are recorded."""
        if name not in self._parts:
            return spikes
        steps, neurons = spikes
        kept = np.isin(neurons // self.program.copies, self._parts[name])
        return steps[kept], neurons[kept]

    @property
    def oldest(self) -> int:
        """The first step of which what was recorded is still here."""
        return self._first if self.keep is None else max(self._first, self.executor.step - self.keep)

    @property
    def chains(self) -> dict[str, Links]:
        """The digest of the spikes so far, by population, to go on from."""
        return {name: chain.links for name, chain in self._chains.items()}

    @property
    def kept(self) -> Kept:
        """What is still here of what was recorded, and what of it was taken."""
        oldest = self.oldest
        left = {self._labels.get(name, name): trail.left(oldest) for name, trail in self._trails()}
        taken = {name: Taken(self._labels.get(of, of), rows) for (name, of), rows in self._cursors.items()}
        return Kept(oldest, left, taken)

    def hold(self, chains: Mapping[str, Links], kept: Kept) -> None:
        """Go on from the digest of another recorder's spikes, and from what it kept of what is recorded here, too."""
        self._chains = {name: Chain(chains[name]) for name in self._chains}
        self.latest, self.taken = Capture(), self.executor.step
        self.begin_keeping()
        self._first = kept.first
        trails = {name: trail for name, trail in self._trails() if self._labels.get(name, name) in kept.left}
        for name, trail in trails.items():
            trail.hold(kept.left[self._labels.get(name, name)])
        held = {self._labels.get(name, name): name for name in trails}
        self._cursors = {(name, held[one.of]): one.rows for name, one in kept.taken.items() if one.of in held}

    def _trails(self) -> Iterator[tuple[str, Trail]]:
        """All that is recorded and may stay here, by population or array."""
        yield from self._spikes.items()
        yield from self._records.items()

    def _stays(self, name: str, trail: Trail, steps: NDArray[np.int64], values: NDArray[Any]) -> None:
        """Keep what is to be kept of a piece."""
        wanted = name in self._wanted
        if self.keep == 0 and not wanted:
            trail.skip(len(steps))
        else:
            trail.add(steps, values, self._wanted_from if wanted else self.oldest)

    def spikes(self, population: str, since: int) -> Train:
        """Steps and neurons of the spikes of a population from a step on."""
        return self._spikes[population].since(max(since, self.oldest))

    def records(self, name: str, since: int) -> Train:
        """Steps (k,) and values (k, size) of a recorded state from a step on, in real units."""
        steps, values = self._records[name].since(max(since, self.oldest))
        return steps, real(values, self.program.arrays[name])

    def take(self, name: str, of: str, oldest: int) -> tuple[Train, int]:
        """What was recorded of something since it was last taken under that name, and how much of it is gone.

        `oldest`: the first step that may be told of.
        """
        trail = self._spikes.get(of) or self._records[of]
        (steps, values), gone = trail.after(self._cursors.get((name, of), 0), oldest)
        self._cursors[name, of] = trail.count
        return (steps, real(values, self.program.arrays[of]) if of in self._records else values), gone

    def spike_digests(self) -> Iterator[tuple[str, bytes]]:
        """Every spiking population in program order, with the digest of the spikes taken so far; see Chain."""
        for name, chain in self._chains.items():
            yield name, chain.digest()


def _checked(steps: Any) -> int:
    """The number of steps that a caller's function gave."""
    size = whole(steps)
    if size is None or size < 1:
        raise InvalidInput.one(None, f"chunk must give a number of steps from 1; it gave {found(steps)}")
    return size
