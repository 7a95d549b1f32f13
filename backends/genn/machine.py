"""The network being executed: steps on GeNN, everything that happens between steps on the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.generated import storage
from neuroport.backends.genn.alarms import Alarms, bounds_of
from neuroport.backends.genn.batch import parted
from neuroport.backends.genn.build import assemble
from neuroport.backends.genn.devices import CPU
from neuroport.backends.genn.emit import emit
from neuroport.backends.genn.homes import Homes
from neuroport.backends.genn.model import Update
from neuroport.backends.genn.parallelism import Asked, spread
from neuroport.backends.genn.recorded import NEVER, Recorded
from neuroport.backends.genn.rings import Rings
from neuroport.backends.genn.saved import Saved
from neuroport.backends.genn.values import Clock, Values, compiled
from neuroport.backends.genn.watch import Watch, keep
from neuroport.copies.rolled import Tallies
from neuroport.program.executor import Capture
from neuroport.program.ir import Real
from neuroport.program.machine import Program, Series, Total
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.past import dealt, fitting
from neuroport.program.reductions import groups_of, reduced
from neuroport.program.state import Raw, State

Indices = NDArray[np.int64]
RECORDING = 1024
"""Steps of spikes that GeNN keeps; fewer in large networks (2**25 bits per population)."""


class Machine:
    """A program being executed by GeNN (neuroport.program.executor.Executor)."""

    def __init__(
        self,
        program: Program,
        seed: int,
        record_spikes: Sequence[str],
        device: str,
        wanted: Sequence[Asked] = (),
        seeds: Sequence[int] = (),
    ) -> None:
        self._given, split = program, parted(program)
        program = self.program = split.program
        self._copies = program.copies
        self._model = emit(program, bool(seeds), split.summed).uncommented()
        if device != CPU:
            spread(self._model, program, wanted)
        largest = max((p.size for p in program.populations), default=1)
        room = max(1, min(RECORDING, 2**25 // max(largest * program.copies, 1)))
        built = self._built = assemble(self._model, program, seeds or (seed,), device, room)
        self._genn = built.genn
        self._watch = None if device == CPU else Watch(device)
        self._step_time = self._genn._runtime.step_time
        self._clock = Clock()
        self._rings = Rings(built, self._model)
        self._homes = Homes(program, self._model, built, self._rings)
        self._values = Values(split, self._homes, self._rings, self._clock)
        self._saved = Saved(self._given, self._values, self._homes, self._rings)
        self._alarms = Alarms(split, self._homes)
        self._recorded = Recorded(program, self._model, built, self._homes, self._values, self._clock, room)
        self._recorded.keep(record_spikes)
        self._patterns = [s for s in program.series if s.order == "item"]
        self._schedules: dict[str, Indices] = {}
        self._rows: dict[str, Indices] = {}
        self._every_step = [u for u in self._model.updates if u.every_step]
        self._shown = [u for u in self._model.updates if u.shows]

    @property
    def step(self) -> int:
        """The number of the step that comes next."""
        return self._clock.step

    def close(self) -> None:
        """Free GeNN's memory, but for that on a GPU which failed."""
        if self._watch is not None:
            self._watch.close()
            if self._watch.failed:
                keep(self._built)
                return
        self._genn.unload()

    # ------------------------------------------------------------------------------------------------------- running

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, Indices]) -> None:
        """Start a protocol item: item_step is 0 again; these readouts and `item` series (patterns) are active."""
        self._start_item(self.step, readouts, schedules)

    def _start_item(self, step: int, readouts: Sequence[str], schedules: Mapping[str, Indices]) -> None:
        self._clock.item_start = step
        self._recorded.activate(readouts)
        self._schedules = {name: np.asarray(rows, np.int64) for name, rows in schedules.items()}
        self._homes.set("scalar", ITEM_STEP, step)

    def _watched(self) -> AbstractContextManager[None]:
        return nullcontext() if self._watch is None else self._watch.computing(lambda: self._genn.timestep)

    def advance(self, steps: int) -> None:
        """Compute that many steps."""
        with self._watched():
            self._advance(steps)

    def _advance(self, steps: int) -> None:
        clock, recorded = self._clock, self._recorded
        end = clock.step + steps
        for update in self._shown:
            self._genn.custom_update(update.name)
        while clock.step < end:
            stop = min(end, self._show_rows(), recorded.next_look(), recorded.full())
            if self._every_step or self._values.written:
                stop = clock.step + 1
            step_time = self._step_time
            for _ in range(stop - clock.step):
                step_time()
            if self._watch is not None:
                self._watch.settle(stop)
            self._rings.turns += stop - clock.step
            clock.step = stop
            for update in self._every_step:
                self._do(update)
            recorded.look(stop - 1)
            if self._values.written:
                self._values.forget_writing()
            if stop == recorded.full():
                recorded.collect()
            self._alarms.check()

    def _show_rows(self) -> int:
        """Set the row of every series of patterns for the coming step; up to which step the rows stay."""
        until = NEVER
        for series in self._patterns:
            row, last = self._row(series)
            until = min(until, last)
            if not np.array_equal(self._rows.get(series.name, ()), row):
                self._rows[series.name] = row
                self._homes.set("row", series.name, row if row.ndim else row.item())
        return until

    def _row(self, series: Series) -> tuple[Indices, int]:
        """The row of the coming step, -1 for none, and the step from which on it may be another one."""
        schedule = self._schedules.get(series.name)
        done, frame = self._clock.item_step, series.hold // series.frames
        at = done // series.hold
        if schedule is None or at >= len(schedule):
            return np.array(-1), NEVER
        row = np.asarray(schedule[at] * series.frames + done % series.hold // frame)
        return row, self._clock.item_start + (done // frame + 1) * frame

    def trigger(self, event: str) -> None:
        """Run every event body of that name, in program order, on the state left by the last step."""
        with self._watched():
            for update in self._model.updates:
                if update.event == event and update.triggered:
                    self._do(update)
            self._alarms.check()

    def _do(self, update: Update) -> None:
        """Reduce what an update needs, which GeNN cannot do in all groups at once, and run it."""
        for total in update.totals:
            self._reduce(total)
        self._genn.custom_update(update.name)
        for name in update.renewed:
            self._values.renew(name, self.read(name))

    def _reduce(self, total: Total) -> None:
        """Reduce an array on the host; neurons without synapses get a value that none reads."""
        values, into = self.read(total.of), self.program.arrays[total.into]
        owner = self.program.arrays[total.of].owner
        real = isinstance(into.type, Real)
        terms = values.astype(self.program.precision) if real else values
        found = reduced(total.op, terms, groups_of(self.program, owner, total.axis))
        found = found if real else np.clip(found, *bounds_of(into))
        self.write(total.into, np.broadcast_to(found, into.initial.shape))

    def reset(self, population: str) -> None:
        """Give the population's states, their history and its inputs their initial values; drop spikes in flight."""
        for array in self.program.arrays.values():
            if array.owner == population and array.role in ("state", "input"):
                self._values.restart(array)
        self._rings.deliver(population, [])

    # -------------------------------------------------------------------------------------------------------- values

    def read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """A copy of an array; of an input, what has been sent to it for the coming step."""
        return self._values.read(array)

    def pieces(self, array: str) -> Iterator[Raw]:
        """What `read` gives of anything but inputs, some rows after the other."""
        return self._values.pieces(array)

    def write(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array's values (same shape); of an input, what has been sent to it for the coming step."""
        self._values.write(array, values)

    def load_series(self, series: str, table: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace the table of a series (same shape, raw numbers)."""
        self._values.load_series(series, table)

    # ------------------------------------------------------------------------------------------------------ recorded

    def drain(self) -> Capture:
        """Hand over what was recorded since the last call."""
        return self._recorded.drain()

    def histogram(self, readout: str) -> Indices:
        """The counts of a readout since `clear_histogram`, shape (2**population size,)."""
        return np.asarray(self._recorded.histograms[readout].sum(axis=0))

    def clear_histogram(self, readout: str) -> None:
        """Put a readout's counts to zero."""
        self._recorded.histograms[readout][...] = 0

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        self._recorded.collect()
        return {name: int(counts.sum()) for name, counts in self._recorded.counts.items()}

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range (arrays with none are absent)."""
        return {name: int(counts.sum()) for name, counts in self._alarms.overflows().items()}

    def tallies(self) -> Tallies:
        """What it has counted for each copy; what all share counts as of copy 0."""
        recorded = self._recorded
        recorded.collect()
        histograms = {name: counts.copy() for name, counts in recorded.histograms.items()}
        spikes = {name: counts.copy() for name, counts in recorded.counts.items()}
        return Tallies(spikes, self._alarms.overflows(), histograms)

    def count_on(self, tallies: Tallies) -> None:
        """Go on counting from there."""
        self._recorded.counts |= tallies.counts
        self._recorded.histograms |= tallies.histograms
        self._alarms.before = dict(tallies.overflows)

    # ------------------------------------------------------------------------------------------------ saving, loading

    def save(self) -> State:
        """A copy of all that it holds; what was recorded and not drained is not part of it."""
        program, saved = self._given, self._saved
        return State(
            step=self.step,
            item_step=self._clock.item_step,
            readouts=self._recorded.readouts,
            schedules=dealt(program, self._schedules),
            arrays=saved.arrays(),
            inputs=saved.inputs(),
            histories=saved.histories(),
            spikes=saved.spikes(),
            tables=saved.tables(),
            histograms={name: self.histogram(name) for name in self._recorded.histograms},
            counts=self.spike_counts(),
            overflows=self.overflows(),
            apart={} if program.integer else saved.apart(),
        )

    def load(self, state: State) -> None:
        """Hold what another executor of the same program held; what was recorded and not drained is dropped."""
        fitting(self._given, state)
        changed = {name: values for name, values in state.arrays.items() if self._takes(name, values)}
        self.drain()
        self._clock.step = self._genn.timestep = state.step
        self._recorded.begin_at(state.step)
        self._start_item(state.step - state.item_step, state.readouts, state.schedules)
        self._saved.load(state, changed)
        for name, counts in state.histograms.items():
            self._recorded.histograms[name][:] = 0
            self._recorded.histograms[name][0] = counts
        self._recorded.counts |= {name: self._of_first(count) for name, count in state.counts.items()}
        self._alarms.before = {name: self._of_first(count) for name, count in state.overflows.items()}
        self._alarms.silence()

    def _takes(self, name: str, values: Raw) -> bool:
        """Whether an array can be written; InvalidInput where it is compiled with another value."""
        array = self.program.arrays[name]
        if name in (STEP, ITEM_STEP):
            return False
        self._values.alike(name, values)
        if array.at != "scalar" or name in self._values.changing:
            return True
        dtype = storage(array, self.program)
        if values.astype(dtype) != array.initial.astype(dtype):
            raise compiled(array)
        return False

    def _of_first(self, count: int) -> Indices:
        """A count of all copies, which copy 0 gets whole."""
        counts = np.zeros(self._copies, np.int64)
        counts[0] = count
        return counts
