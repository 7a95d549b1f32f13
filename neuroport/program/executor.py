"""What a backend is, and what a program being executed can do. Backends implement these; the session uses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from neuroport.program.machine import Program
from neuroport.program.state import State


@dataclass(eq=False)
class Capture:
    """What was recorded since the last drain.

    spikes: population -> (steps int64, neurons int64), sorted by (step, neuron).
    records: name of the Record (array or readout) -> (steps int64 (k,), values (k, size), or (k, size, copies) of what
    every copy has of its own).
    """

    spikes: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=dict)
    records: dict[str, tuple[NDArray[np.int64], NDArray[np.generic]]] = field(default_factory=dict)


class Executor(Protocol):
    """A program being executed. Arrays go in and out raw: int64 for integer types, float64 for real ones.

    What one may have besides: a method `close()`, after which nothing is asked of it; a method `add(input, values)`
    that adds raw integers to what the coming step will read of an input, faster than `read` and `write` do; and a
    method `pieces(array)` that gives what `read` does of anything but inputs, some rows after the other, without a copy
    of all of it.
    """

    @property
    def step(self) -> int:
        """The number of the step that comes next; 0 at the start."""

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """Start a protocol item: item_step is 0 again; these readouts and `item` series (patterns by hold) are active.

        `readouts` names histograms and sampling Records; `schedules` is described at Series.
        """

    def advance(self, steps: int) -> None:
        """Compute that many steps."""

    def trigger(self, event: str) -> None:
        """Run every event body of that name, in program order, on the state left by the last step."""

    def reset(self, population: str) -> None:
        """Give the population's states, their history and its inputs their initial values; discard spikes in flight.

        Arrays of role "state" whose owner is the population (its outgoing traces are among them).
        """

    def read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """A copy of an array."""

    def write(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array's values (same shape)."""

    def load_series(self, series: str, table: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace the table of a series (same shape, raw numbers)."""

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """The counts of a readout since `clear_histogram`, of all copies together, shape (2**population size,)."""

    def clear_histogram(self, readout: str) -> None:
        """Put a readout's counts to zero."""

    def drain(self) -> Capture:
        """Hand over what was recorded since the last call."""

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range (arrays with none are absent)."""

    def save(self) -> State:
        """A copy of all that it holds; what was recorded and not drained is not part of it."""

    def load(self, state: State) -> None:
        """Hold what another executor of the same program held, and go on from its step; see `neuroport.program.past`.

        Of an integer program any executor's state; of a real one only that of its own kind goes on with the same bits.
        What was recorded and not drained is dropped. InvalidInput, before anything has changed, for a state of another
        program, with what differs first.
        """


@dataclass(frozen=True, slots=True)
class Timed:
    """The processor time of a part of all steps. `units`: how many neurons, synaptic events … it was, all together."""

    what: str
    of: str
    seconds: float
    units: float
    unit: str


class TimedExecutor(Executor, Protocol):
    """An executor that takes times; see `Backend`."""

    def built(self) -> Mapping[str, float]:
        """The seconds of the passes from a program to its first step, in their order."""

    def times(self) -> Sequence[Timed]:
        """What the steps so far were spent on."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a backend needs on a machine: whether it is there, and what was found or what to do."""

    name: str
    found: bool
    text: str


class Batching(Protocol):
    """A backend that may compute copies of a network as one batch."""

    def batches(self) -> bool:
        """Whether it has such a form here at all."""

    def batched(self, programs: Sequence[Program]) -> Program | str:
        """Copies as one program, or why they are no batch, as a part of a sentence.

        programs: that of each independent copy, or one program of several copies, which is what they are as a batch.
        """

    def open_batch(self, batch: Program, seeds: Sequence[int], record_spikes: Sequence[str]) -> Executor:
        """Prepare what `batched` made of independent copies, each with a run seed of its own.

        An executor of the program in which all are written out (`neuroport.copies.unroll.unroll`). record_spikes:
        populations as one copy calls them.
        """


class Backend(Protocol):
    """A way to execute programs.

    What a backend may have besides: an attribute `unrolls = True` says that copies of a network run best as one
    program; otherwise each copy has an executor of its own, and executors of different threads work at the same time.
    A method `on(device: str) -> Backend` gives the backend on that device, `tuned(settings: Sequence[str]) -> Backend`
    one with settings of its own, `threaded(threads: int) -> Backend` one whose executors compute on so many threads
    with the same bits, `source(program: Program) -> str` what it makes of a program, for `neuroport compile --emit
    NAME`, and `examine() -> Sequence[Part]` what it needs and what of it is there, for `neuroport doctor`. A method
    `timed() -> Backend` gives one whose executors are a `TimedExecutor`, for `neuroport run --profile`. One that is a
    `Batching` may compute copies as a batch. A method `not_promised(program: Program) -> str | None` says, in a
    sentence for `neuroport verify`, which bits of a program may differ from run to run. A method `room(program:
    Program, synapses: Mapping[str, float], full: Collection[str]) -> Iterable[room.Part]` tells what memory an
    executor takes, by object, for `neuroport.api.foresee`: of a program whose projections in `synapses` have few
    synapses and will have so many, those in `full` between all of their neurons.

    A backend may rely on every rule of `neuroport.program.verify`: sessions verify what they give to it. One that is
    also opened by hand calls `verify.given` first in `open`.
    """

    @property
    def name(self) -> str:
        """What the command line calls it."""

    def missing(self) -> str | None:
        """A sentence saying what must be installed before this backend can run, or None."""

    def check(self, program: Program) -> tuple[str, ...]:
        """Every reason why this backend cannot execute the program."""

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Executor:
        """Prepare the program for execution with a run seed, keeping the spikes of these populations."""
