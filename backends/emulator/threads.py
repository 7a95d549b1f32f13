"""One running program on several threads: a machine for each block of its neurons, and what they are together."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.emulator.blocks import (
    SMALLEST,
    Block,
    blocks,
    cut,
    inside,
    lightened,
    of_source,
    read_of_sources,
    shared,
    sources,
    synapses,
    whole,
)
from neuroport.backends.emulator.emit_threads import emit_threads
from neuroport.backends.emulator.gathering import in_order
from neuroport.backends.emulator.layout import Module, held
from neuroport.backends.emulator.machine import (
    SAMPLE_BUFFER,
    SPIKE_BUFFER,
    Machine,
    aligned,
    events_of,
    fed,
    outside,
)
from neuroport.errors import RunFailed
from neuroport.program.executor import Capture
from neuroport.program.fingerprint import cut as pieces_of
from neuroport.program.machine import Array, Program, Record
from neuroport.program.past import fitting, lags_delivered, packed, rows_read
from neuroport.program.state import Raw, State, Whole
from neuroport.program.stated import checked, within_bounds
from neuroport.signals import told_to

LINE = 8
"""int64 numbers of a cache line."""


class Threads:
    """A program being executed by several threads (neuroport.program.executor.Executor).

    smallest: the least number of neurons of a block.
    """

    def __init__(
        self,
        program: Program,
        seed: int,
        record_spikes: Sequence[str],
        threads: int,
        *,
        module: Module | None = None,
        boundscheck: bool = False,
        smallest: int = SMALLEST,
        spike_buffer: int = SPIKE_BUFFER,
        sample_buffer: int = SAMPLE_BUFFER,
    ) -> None:
        self.program, self.step = program, 0
        self._blocks = blocks(program, threads, smallest)
        self._halt = aligned(np.zeros(LINE, np.int64))
        self._module = module or emit_threads(program)
        all_have = self._common()
        whole_too = shared(program)
        self._remembered = {read.array for read in whole_too.reads() if read.lag != 0}
        self._machines: list[Machine] = []
        for number, block in enumerate(self._blocks):
            machine = Machine(
                cut(whole_too, block),
                seed,
                record_spikes,
                module=self._module,
                boundscheck=boundscheck,
                spike_buffer=spike_buffer,
                sample_buffer=sample_buffer,
                shared=all_have | self._own(all_have, number, block),
            )
            machine.program = lightened(machine.program)
            self._machines.append(machine)
        self._sources = sources(program)
        self._pool = _started(threads - 1)

    def _common(self) -> dict[tuple[str, str], NDArray[Any]]:
        """The arrays that all machines have."""
        program = self.program
        found: dict[tuple[str, str], NDArray[Any]] = {
            ("halt", ""): self._halt,
            ("meeting", ""): aligned(np.zeros(LINE, np.int64)),
        }
        for name in read_of_sources(program):
            array = program.arrays[name]
            found["array", of_source(name)] = aligned(array.initial.astype(held(array, program)))
        for population in program.populations:
            starts = [block.of(population.name).start for block in self._blocks]
            found["told", population.name] = aligned(np.zeros(population.size, np.uint32))
            found["told_count", population.name] = np.zeros(len(starts), np.int64)
            found["told_start", population.name] = np.array(starts, np.int64)
        return found

    def _own(
        self, all_have: Mapping[tuple[str, str], NDArray[Any]], number: int, block: Block
    ) -> dict[tuple[str, str], NDArray[Any]]:
        """The arrays of one machine that others see part of, or that tell it from them."""
        seat = np.zeros(LINE, np.int64)
        seat[1:3] = len(self._blocks), number
        found: dict[tuple[str, str], NDArray[Any]] = {("seat", ""): aligned(seat)}
        for name in read_of_sources(self.program):
            neurons = block.of(self.program.arrays[name].owner)
            found["array", name] = all_have["array", of_source(name)][neurons]
        return found

    # ------------------------------------------------------------------------------------------------------ running

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """Start an item: item_step is 0 again; these readouts and `item` series (patterns by hold) are active."""
        for machine in self._machines:
            machine.begin_item(readouts, schedules)

    def advance(self, steps: int) -> None:
        """Compute that many steps. Signals that come meanwhile are handled after them."""
        raised: list[BaseException] = []
        with told_to(raised.append):
            self._advance(steps)
        if raised:
            raise raised[0]

    def _advance(self, steps: int) -> None:
        while steps > 0:
            if any(machine.full for machine in self._machines):
                self._collect()
            done = self._together(steps)
            self.step += done
            for machine in self._machines:
                machine.step = self.step
            steps -= done
            self._look()

    def _together(self, steps: int) -> int:
        """Have all machines compute up to that many steps; how many."""
        self._halt[:] = 0
        first, *others = self._machines
        running = [self._pool.submit(machine.compute, steps) for machine in others]
        done = first.compute(steps)
        for other in running:
            other.result()
        return done

    def _collect(self) -> None:
        for machine in self._machines:
            machine.collect()

    def _look(self) -> None:
        """Raise what generated code noted: of the array that is computed last, the first element."""
        noted = [(machine.failed(), block) for machine, block in zip(self._machines, self._blocks, strict=True)]
        found = [(note, block) for note, block in noted if note is not None]
        if not found:
            return
        last = max(number for (number, _), _ in found)
        array = self.program.arrays[self._module.counters[last]]
        elements = [int(self._numbers(array, block)[element]) for (number, element), block in found if number == last]
        raise outside(self.program, array.name, min(elements), self.step)

    def trigger(self, event: str) -> None:
        """Run every event body of that name, in program order, on the state left by the last step."""
        for number in events_of(self.program, event):
            for machine in self._machines:
                machine.do(number)
            self._look()

    def reset(self, population: str) -> None:
        """Give the population's states, their history and its inputs their initial values; drop spikes in flight."""
        for machine in self._machines:
            machine.reset(population)
            if population in self._sources:
                machine.reset(whole(population))

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown()

    # ------------------------------------------------------------------------------------------------------- values

    def _numbers(self, array: Array, block: Block) -> NDArray[np.int64]:
        """The numbers of the elements of an array that a machine has."""
        if array.at == "synapse":
            return synapses(self.program.projection(array.owner), block)
        neurons = block.of(array.owner)
        return np.arange(neurons.start, neurons.stop)

    def _at(self, array: Array, block: Block) -> slice | NDArray[np.int64]:
        """Where the elements are that a machine has; all have the whole of a kernel."""
        if array.at == "kernel":
            return slice(None)
        return self._numbers(array, block) if array.at == "synapse" else block.of(array.owner)

    def _parts(self) -> Iterator[tuple[Machine, Block]]:
        return zip(self._machines, self._blocks, strict=True)

    def _joined(self, array: Array, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """What machines have of an array, or of rows of it, as one."""
        if array.at == "neuron":
            return np.concatenate(parts, axis=-1)
        if array.at == "kernel":
            return parts[0]
        joined = np.empty((*parts[0].shape[:-1], *array.initial.shape), parts[0].dtype)
        for part, block in zip(parts, self._blocks, strict=True):
            joined[..., self._at(array, block)] = part
        return joined

    def read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """A copy of an array; of an input, what the coming step will read so far."""
        declared = self.program.arrays[array]
        if declared.at == "scalar":
            return self._machines[0].read(array)
        return self._joined(declared, [machine.read(array) for machine in self._machines])

    def pieces(self, array: str) -> Iterator[Raw]:
        """What `read` gives of anything but inputs, some rows after the other."""
        declared = self.program.arrays[array]
        if declared.at != "synapse":
            return pieces_of(self.read(array))
        projection = self.program.projection(declared.owner)
        if projection.redrawn:
            value = next(self._machines[0].pieces(array), np.zeros(1, np.int64))[:1]
            return pieces_of(np.broadcast_to(value, (projection.synapses,)))
        parts = [(machine.pieces(array), block.of(projection.target)) for machine, block in self._parts()]
        return in_order(projection, declared.dtype, parts)

    def add(self, input: str, values: NDArray[np.int64]) -> None:
        """Add raw integers, in all within the bounds of its type, to what the coming step will read of an input."""
        for machine, block in self._parts():
            machine.add(input, values[block.of(self.program.arrays[input].owner)])

    def write(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array's values (same shape); of an input, what the coming step will read so far."""
        declared = self.program.arrays[array]
        values = checked(self.program, declared, values)
        for machine, block in self._parts():
            machine.write(array, values if declared.at == "scalar" else values[self._at(declared, block)])

    def load_series(self, series: str, table: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace the table of a series (same shape, raw numbers)."""
        array = fed(self.program, series, table)
        within_bounds(self.program, array, table)
        for machine, block in self._parts():
            machine.load_series(series, table[:, block.of(array.owner)])

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """The counts of a readout since `clear_histogram`, shape (2**population size,)."""
        return self._machines[0].histogram(readout)

    def clear_histogram(self, readout: str) -> None:
        """Put a readout's counts to zero."""
        self._machines[0].clear_histogram(readout)

    # --------------------------------------------------------------------------------------------------- recordings

    def drain(self) -> Capture:
        """Hand over what was recorded since the last call."""
        parts = [machine.drain() for machine in self._machines]
        joined = Capture()
        for name in parts[0].spikes:
            starts = [block.of(name).start for block in self._blocks]
            steps = np.concatenate([part.spikes[name][0] for part in parts])
            neurons = [part.spikes[name][1] + start for part, start in zip(parts, starts, strict=True)]
            order = np.argsort(steps, kind="stable")
            joined.spikes[name] = steps[order], np.concatenate(neurons)[order]
        for record in self.program.records:
            steps = parts[0].records[record.name][0]
            samples = [part.records[record.name][1] for part in parts]
            joined.records[record.name] = steps, self._sampled(record, samples)
        return joined

    def _sampled(self, record: Record, parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """What machines have sampled, as one."""
        array = self.program.arrays[record.array]
        if record.neurons is None or array.at == "neuron":
            return self._joined(array, parts)
        joined = np.empty((len(parts[0]), len(record.neurons)), parts[0].dtype)
        for part, block in zip(parts, self._blocks, strict=True):
            joined[:, np.isin(record.neurons, self._numbers(array, block))] = part
        return joined

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        counts = [machine.spike_counts() for machine in self._machines]
        return {p.name: sum(count[p.name] for count in counts) for p in self.program.populations if p.spiking}

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range (arrays with none are absent)."""
        counts = [machine.overflows() for machine in self._machines]
        names = dict.fromkeys(name for count in counts for name in count)
        return {name: sum(count.get(name, 0) for count in counts) for name in names}

    # -------------------------------------------------------------------------------------------------- saving, loading

    def save(self) -> State:
        """A copy of all that it holds; what was recorded and not drained is not part of it."""
        rows, lags = rows_read(self.program), lags_delivered(self.program)
        parts = [
            machine.kept(
                {self._remembered_as(name): most for name, most in rows.items()},
                {self._delivered_as(name): most for name, most in lags.items()},
            )
            for machine in self._machines
        ]
        first, arrays = parts[0], self.program.arrays
        inputs = {name for name, array in arrays.items() if array.role == "input"}
        return replace(
            first,
            arrays={n: self._whole(n, [p.arrays for p in parts]) for n, array in arrays.items() if array.held},
            inputs={name: self._whole(name, [p.inputs for p in parts]) for name in inputs},
            histories={name: self._past(name, [p.histories for p in parts]) for name in rows},
            spikes={name: self._delivered(name, [p.spikes for p in parts]) for name in lags},
            tables={name: np.concatenate([p.tables[name] for p in parts], axis=1) for name in first.tables},
            counts=self.spike_counts(),
            overflows=self.overflows(),
        )

    def _remembered_as(self, array: str) -> str:
        """The name under which machines have the past of an array."""
        return array if array in self._remembered else of_source(array)

    def _delivered_as(self, population: str) -> str:
        """The name under which machines have the spikes of a population that are on their way."""
        return whole(population) if population in self._sources else population

    def _whole(self, name: str, parts: Sequence[Mapping[str, Raw]]) -> Raw:
        array = self.program.arrays[name]
        return parts[0][name] if array.at == "scalar" else self._joined(array, [part[name] for part in parts])

    def _past(self, name: str, parts: Sequence[Mapping[str, Raw]]) -> Raw:
        return self._whole(name, parts) if name in self._remembered else parts[0][of_source(name)]

    def _delivered(self, name: str, parts: Sequence[Mapping[str, tuple[Whole, Whole]]]) -> tuple[Whole, Whole]:
        """The spikes of a population; those that only go back to the synapses onto it are of the last step."""
        if name in self._sources:
            return parts[0][whole(name)]
        starts = [block.of(name).start for block in self._blocks]
        return packed([np.concatenate([part[name][1] + start for part, start in zip(parts, starts, strict=True)])])

    def load(self, state: State) -> None:
        """Hold what another executor of the same program held; what was recorded and not drained is dropped."""
        fitting(self.program, state)
        self.drain()
        self.step = state.step
        for number, (machine, block) in enumerate(self._parts()):
            machine.hold(self._part(state, block, first=number == 0))

    def _part(self, state: State, block: Block, first: bool) -> State:
        """What one machine holds of a state; the first has what is counted."""
        program, arrays = self.program, self.program.arrays

        def cut(values: Mapping[str, Raw]) -> dict[str, Raw]:
            return {
                name: rows if arrays[name].at == "scalar" else rows[..., self._at(arrays[name], block)]
                for name, rows in values.items()
            }

        histories = cut(state.histories)
        histories |= {of_source(n): rows for n, rows in state.histories.items() if of_source(n) in self._remembered}
        spikes = {whole(name): found for name, found in state.spikes.items() if name in self._sources}
        inputs = {series.name: arrays[series.input].owner for series in program.series}
        return replace(
            state,
            arrays=cut(state.arrays),
            inputs=cut(state.inputs),
            histories=histories,
            spikes=spikes | {name: _of_block(found, block.of(name)) for name, found in state.spikes.items()},
            tables={name: table[:, block.of(inputs[name])] for name, table in state.tables.items()},
            histograms=state.histograms if first else {},
            counts={name: count if first else 0 for name, count in state.counts.items()},
            overflows=state.overflows if first else {},
        )


def _of_block(spikes: tuple[Whole, Whole], neurons: slice) -> tuple[Whole, Whole]:
    """The spikes of the last step in a block."""
    lags, numbers = spikes
    here = (lags == 0) & inside(numbers, neurons)
    return lags[here], numbers[here] - neurons.start


def _started(threads: int) -> ThreadPoolExecutor:
    """So many threads that wait for work; one that does not start would have the others wait for it for ever."""
    pool = ThreadPoolExecutor(threads, "neuroport")
    here = threading.Barrier(threads + 1)
    try:
        for _ in range(threads):
            pool.submit(here.wait)
    except RuntimeError as error:
        here.abort()
        raise RunFailed(f"{threads + 1} threads cannot be started: {error}. Take fewer, or one") from None
    here.wait()
    return pool
