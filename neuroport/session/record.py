"""Computing steps in pieces, and what becomes of that which was recorded in them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.numerics.given import found, whole
from neuroport.program.constants import real
from neuroport.program.executor import Capture, Executor
from neuroport.program.machine import Program
from neuroport.program.plan import Plan
from neuroport.session.digest import Chain
from neuroport.session.sample import Sampler

Chunk = Callable[[int], int]


class Sink(Protocol):
    """Takes what a run records while it goes on, e.g. a trace writer."""

    def capture(self, capture: Capture) -> None:
        """Take spikes and sampled states, raw."""

    def metric(self, name: str, step: int, value: float | list[float]) -> None:
        """Take one measurement, made before step `step`."""

    def weights(self, name: str, step: int, values: NDArray[Any]) -> None:
        """Take one sample of a projection's array, raw, as it was after step `step`."""

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
    """How many steps to compute between two looks at what was recorded: for about 0.2 s and 2**18 numbers."""

    steps: int = 256

    def learn(self, seconds: float, numbers: int) -> None:
        """Adapt to how long that many steps took and how much they recorded."""
        if seconds > 0.4 or numbers > 2**19:
            self.steps = max(1, self.steps // 2)
        elif seconds < 0.1 and numbers < 2**17:
            self.steps = min(2**22, self.steps * 2)


@dataclass
class _Kept:
    """What was recorded so far, piece by piece."""

    spikes: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = field(default_factory=dict)
    records: dict[str, list[tuple[NDArray[np.int64], NDArray[Any]]]] = field(default_factory=dict)


class Recorder:
    """Has an executor compute, and hands what it recorded to the sink and the sampler.

    `keep`: spikes and records also stay here. `latest` is what the executor recorded in the last piece, and `taken` how
    many steps have been computed of which all was taken.
    """

    def __init__(
        self, program: Program, plan: Plan, executor: Executor, sampler: Sampler, sink: Sink | None, keep: bool
    ) -> None:
        self.program, self.executor, self.sampler, self.sink, self.keep = program, executor, sampler, sink, keep
        self.latest, self.taken = Capture(), 0
        self._kept = _Kept()
        self._chains = {name: Chain() for name in spiking(program)}
        self._pace = _Pace()
        self._wanted_spikes, self._weight_records = plan.spikes, plan.weights

    def advance(self, steps: int, chunk: Chunk | None) -> Iterator[None]:
        """Compute that many steps, in pieces that end where weights are to be sampled.

        `chunk(step)`: how many to compute at most from there; None: as many as take a fraction of a second.
        """
        end = self.executor.step + steps
        while self.executor.step < end:
            before = self.executor.step
            size = self._pace.steps if chunk is None else _checked(chunk(before))
            stop = min(end, before + size, *(before // k * k + k for _, k in self._weight_records))
            started = time.perf_counter()
            self.executor.advance(stop - before)
            numbers = self.drain()
            if stop - before == size:
                self._pace.learn(time.perf_counter() - started, numbers)
            step = self.executor.step
            for name, every in self._weight_records:
                if step % every == 0 and self.sink is not None:
                    self.sink.weights(name, step - 1, self.executor.read(name))
            yield

    def drain(self) -> int:
        """Take what the executor recorded; how many numbers that was."""
        capture = self.latest = self.executor.drain()
        numbers = 0
        for name, (steps, neurons) in capture.spikes.items():
            numbers += 2 * len(steps)
            self._chains[name].add(steps, neurons)
            if self.keep and len(steps):
                self._kept.spikes.setdefault(name, []).append((steps, neurons))
        for name, (steps, values) in capture.records.items():
            numbers += values.size
            if name in self.sampler.rows:
                self.sampler.feed(name, steps, values)
            elif self.keep and len(steps):
                self._kept.records.setdefault(name, []).append((steps, values))
        if self.sink is not None:
            wanted = {n: s for n, s in capture.spikes.items() if n in self._wanted_spikes}
            records = {n: r for n, r in capture.records.items() if n not in self.sampler.rows}
            self.sink.capture(Capture(wanted, records))
        self.taken = self.executor.step
        return numbers

    def spikes(self, population: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Steps and neurons of the spikes kept of a population."""
        pieces = self._kept.spikes.get(population, [])
        none = np.zeros(0, np.int64)
        return np.concatenate([none, *(s for s, _ in pieces)]), np.concatenate([none, *(n for _, n in pieces)])

    def records(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Steps (k,) and values (k, size) kept of a recorded state, in real units."""
        array = self.program.arrays[name]
        pieces = self._kept.records.get(name, [])
        steps = np.concatenate([np.zeros(0, np.int64), *(s for s, _ in pieces)])
        values = np.concatenate([np.zeros((0, *array.initial.shape)), *(real(v, array) for _, v in pieces)])
        return steps, values

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
