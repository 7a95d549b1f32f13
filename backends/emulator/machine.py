"""The machine: the arrays of one running program, and the calls into its compiled module."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.emulator import cache
from neuroport.backends.emulator.cache import Called
from neuroport.backends.emulator.emit import emit
from neuroport.backends.emulator.layout import Argument, Entry, Module, held, power_of_two, sums, terms, width
from neuroport.backends.emulator.native.kinds import array_of
from neuroport.backends.emulator.native.translate import OUTSIDE
from neuroport.backends.emulator.redrawing import of_law, one_for_all
from neuroport.backends.emulator.sums import narrow
from neuroport.backends.emulator.synapses import asked, connections
from neuroport.backends.emulator.timed import work
from neuroport.backends.generated import integer_dtype, storage, uncommented
from neuroport.errors import InvalidInput, RunFailed, located
from neuroport.numerics import rng
from neuroport.program.executor import Capture, Timed
from neuroport.program.fingerprint import cut
from neuroport.program.ir import Real
from neuroport.program.machine import Array, Program
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.past import ahead, back, dealt, fitting, lags_delivered, next_time, packed, rows_read, unpacked
from neuroport.program.places import refusing
from neuroport.program.repeated import once
from neuroport.program.state import Raw, State, raw
from neuroport.program.stated import checked, within_bounds
from neuroport.program.wiring import Kernel

SPIKE_BUFFER = 1 << 18
"""Spikes kept per population between two visits of Python."""
SAMPLE_BUFFER = 1 << 24
"""Bytes of samples kept per recorded array between two visits of Python."""

Places = Callable[[NDArray[Any], int, int], NDArray[np.int64]]
"""Where so many rows of steps are in a ring."""


class Table(NamedTuple):
    """Where each array of a function is, and its lengths: the numbers, and where these are."""

    words: NDArray[np.int64]
    address: int


def aligned(values: NDArray[Any]) -> NDArray[Any]:
    """A copy that begins at a cache line: what generated code and hosts write is not written into the program."""
    room = np.empty(values.nbytes + 64, np.uint8)
    first = -room.ctypes.data % 64
    copy = room[first : first + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


class Machine:
    """A program being executed by compiled code (neuroport.program.executor.Executor)."""

    def __init__(
        self,
        program: Program,
        seed: int,
        record_spikes: Sequence[str],
        *,
        module: Module | None = None,
        boundscheck: bool = False,
        spike_buffer: int = SPIKE_BUFFER,
        sample_buffer: int = SAMPLE_BUFFER,
        shared: Mapping[tuple[str, str], NDArray[Any]] | None = None,
        wrote: float = 0.0,
    ) -> None:
        """`shared`: arrays that other machines have, too, by kind and name. wrote: seconds to write the module."""
        self.program = program
        self.step = 0
        self._spike_buffer, self._sample_buffer = spike_buffer, sample_buffer
        self._recorded = tuple(p.name for p in program.populations if p.spiking and p.name in set(record_spikes))
        self._width = width(program)
        self._module = module or emit(program)
        self._seconds = 0.0
        self._scalars: dict[str, Any] = {}
        self._values: dict[tuple[str, str], NDArray[Any]] = {}
        self._kept_spikes: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {}
        self._kept_samples: dict[str, list[tuple[NDArray[np.int64], NDArray[np.generic]]]] = {}
        self._ctl = np.zeros(len(self._module.control), np.int64)
        self._overflow = np.zeros(max(1, len(self._module.counters)), np.int64)
        self._ints = np.zeros(max(1, len(self._module.ints)), np.int64)
        self._reals = np.zeros(max(1, len(self._module.reals)), program.precision)
        keys = [rng.stream_key(seed, stream) for stream in self._module.streams]
        self._values["overflow", ""] = self._overflow
        self._values["keys", ""] = np.array(keys or [0], np.uint64)
        self._values["ctl", ""] = self._ctl
        self._values["laps", ""] = np.zeros(max(1, len(self._module.parts)), np.int64)
        self._values["ints", ""], self._values["reals", ""] = self._ints, self._reals
        self._readouts: tuple[str, ...] = ()
        self._schedules: dict[str, NDArray[np.int64]] = {}
        self._replaced: set[str] = set()
        self._overflows_before: dict[str, int] = {}
        self._begun: dict[str, list[tuple[Array, NDArray[Any]]]] = {}
        self._boundscheck = boundscheck
        self._narrow = narrow(program)
        redrawn = {p.name for p in program.projections if p.redrawn}
        self._common = {a.name for a in program.arrays.values() if a.at == "synapse" and a.owner in redrawn}
        self._allocate()
        self._values |= shared or {}
        self._start_control()
        started = time.process_time()
        self._link()
        self._built = {"writing code": wrote, "compiling": time.process_time() - started}
        self._filled = tuple((name, self._control("filled", name)) for name in self._recorded)
        self._sampled = tuple((r.name, self._control("samples", r.name), r.array) for r in program.records)

    def _link(self) -> None:
        """Compile the module for the arrays that there are, and bind them to its functions."""
        called = tuple(self._called(entry) for entry in (self._module.run, *self._module.events))
        self._library = cache.load(uncommented(self._module.text, "#"), called, self._boundscheck)
        self._outside = self._library.number(OUTSIDE) if self._boundscheck else None
        self._run = self._library.function(self._module.run.ident, 2, returns=True)
        self._table = self._bind(self._module.run.arguments)
        self._events = [
            (self._library.function(entry.ident, 1, returns=False), self._bind(entry.arguments))
            for entry in self._module.events
        ]

    def _widen(self, input: str) -> None:
        """Hold the sums of an input in full from now on: what the host adds is not among what they were made for."""
        if input in self._narrow:
            self._narrow -= {input}
            sums = self._values["array", input]
            self._values["array", input] = aligned(sums.astype(held(self.program.arrays[input], self.program)))
            self._link()

    # --------------------------------------------------------------------------------------------------- allocation

    def _called(self, entry: Entry) -> Called:
        """A function of the module and the types of the arrays that it gets."""
        numbers = 2 if entry is self._module.run else 1
        return Called(entry.ident, numbers, tuple(array_of(self._values[a.kind, a.name]) for a in entry.arguments))

    def _bind(self, arguments: tuple[Argument, ...]) -> Table:
        """The table of a function."""
        arrays = [self._values[a.kind, a.name] for a in arguments]
        words = np.array([word for array in arrays for word in (array.ctypes.data, *array.shape)], np.int64)
        return Table(words, words.ctypes.data)

    def _call(self, function: Callable[..., int], table: Table, *numbers: int) -> int:
        """Call a function of the module."""
        result = function(*numbers, table.address)
        if self._outside is not None and self._outside.value:
            raise IndexError(f"{self._outside.value} indices of generated code are outside their arrays")
        return result

    def _allocate(self) -> None:
        """Make every array that generated code may ask for."""
        program, values = self.program, self._values
        sizes = {p.name: p.size for p in program.populations}
        for name, array in program.arrays.items():
            if array.single:
                self._set_scalar(name, array.initial)
                continue
            initial = self._flat(array, once(array.initial) if name in self._common else array.initial)
            if array.role == "input":
                initial = np.full_like(initial, array.nothing)
                values["array", name] = aligned(np.tile(initial, (power_of_two(array.slots), 1)))
            else:
                values["array", name] = aligned(initial)
            if array.history:
                values["history", name] = aligned(np.tile(initial, (power_of_two(array.history), 1)))
        for name, table in program.tables.items():
            narrow = integer_dtype(int(table.min(initial=0)), int(table.max(initial=0)))
            values["table", name] = np.ascontiguousarray(table, narrow)
        for population in program.populations:
            name, size = population.name, population.size
            self._set_int("size", name, size)
            self._set_int("first", name, population.first_element)
            flags = np.zeros(-(-max(size, 1) // 8) * 8, np.bool_)
            delays = [p.delay for p in program.projections if p.source == name]
            ring = power_of_two(max([population.spike_slots, *delays]))
            room = max(size, self._spike_buffer) if name in self._recorded else 0
            values["flags", name], values["words", name] = flags, flags.view(np.uint64)
            values["spikes", name] = np.zeros((ring, size), np.uint32)
            values["spike_count", name] = np.zeros(ring, np.int64)
            values["spike_steps", name] = np.zeros(room, np.int64)
            values["spike_neurons", name] = np.zeros(room, np.uint32)
        wanted = asked(self._module)
        for projection in program.projections:
            self._set_int("delay", projection.name, projection.delay)
            if not (projection.shares or projection.redrawn):
                self._set_int("first_column", projection.name, int(projection.wiring.kept[:1].sum()))
            if isinstance(projection.wiring, Kernel):
                self._set_int("run_width", projection.name, projection.wiring.width)
                self._set_int("entry_step", projection.name, projection.wiring.step)
            self._set_int("entries", projection.name, projection.wiring.entries)
            self._set_int("first_entry", projection.name, projection.wiring.first_entry)
            for kind, numbers in of_law(projection).items():
                if (kind, projection.name) in wanted:
                    values[kind, projection.name] = numbers
            for kind, index in connections(program, projection).items():
                if (kind, projection.name) in wanted:
                    values[kind, projection.name] = np.ascontiguousarray(index.made(), index.dtype)
        for readout in program.readouts:
            self._set_int("every", readout.name, readout.every)
            values["histogram", readout.name] = np.zeros(readout.states(sizes[readout.population]), np.int64)
            if readout.neurons is not None:
                values["counted", readout.name] = readout.neurons
        for record in program.records:
            recorded = values["array", record.array]
            if record.neurons is not None:
                width = self._width if program.arrays[record.array].initial.ndim == 2 else 1
                places = record.neurons[:, None] * width + np.arange(width)
                values["record_places", record.name] = places.reshape(-1)
                recorded = recorded[places.reshape(-1)]
            self._set_int("record_every", record.name, record.every)
            rows = max(1, self._sample_buffer // max(recorded.nbytes, 1024))
            values["record_steps", record.name] = np.zeros(rows, np.int64)
            values["record_values", record.name] = np.zeros(
                (rows, len(recorded)), storage(program.arrays[record.array], program)
            )
        for injection in program.injections:
            dtype = values["array", injection.input].dtype
            places = injection.neurons[:, None] * self._width + np.arange(self._width)
            values["injection_steps", injection.name] = np.repeat(injection.steps.astype(np.int64), self._width)
            values["injection_neurons", injection.name] = places.reshape(-1).astype(np.int64)
            values["injection_values", injection.name] = np.repeat(injection.values.astype(dtype), self._width)
        for series in program.series:
            self._set_int("hold", series.name, series.hold)
            self._set_int("loop", series.name, int(series.loop))
            self._set_int("frames", series.name, series.frames)
            self._set_int("start", series.name, 0 if series.start is None else int(series.start[0]))
            dtype = values["array", series.input].dtype
            values["series_table", series.name] = np.array(series.table, dtype, order="C")
            starts = np.zeros(program.copies, np.int64) if series.start is None else series.start
            values["starts", series.name] = np.ascontiguousarray(self._padded(starts), np.int64)
            values["series_schedule", series.name] = self._schedule(np.zeros(0, np.int64))
        self._set_int("copies", "", program.copies)
        self._set_int("width", "", self._width)
        values["sums", ""] = aligned(np.zeros(sums(program), program.precision))
        values["whole_sums", ""] = aligned(np.zeros(sums(program), np.int64))
        values["terms", ""] = aligned(np.zeros((terms(program), self._width), program.precision))

    def _padded(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values by copy, the last one repeated for the copies that only fill up."""
        extra = self._width - self.program.copies
        return np.concatenate([values, *[values[..., -1:]] * extra], axis=-1) if extra else values

    def _flat(self, array: Array, values: NDArray[Any]) -> NDArray[Any]:
        """An array's values as generated code has them."""
        stored = self._stored(array, values)
        return self._padded(stored).reshape(-1) if self._by_copy(array) else stored

    def _shown(self, array: Array, values: NDArray[Any]) -> NDArray[Any]:
        """The values of an array as a program has them, by step before all else."""
        if array.name in self._common:
            return np.broadcast_to(values, (*values.shape[:-1], *array.initial.shape))
        if not self._by_copy(array):
            return values
        copies = self.program.copies
        if array.at == "scalar":
            return values[..., :copies]
        return values.reshape(*values.shape[:-1], values.shape[-1] // self._width, self._width)[..., :copies]

    def _by_copy(self, array: Array) -> bool:
        """Whether there is a value of an array for each of several copies."""
        return self.program.copies > 1 and array.own

    def _schedule(self, patterns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pattern numbers by hold and, in a program of several copies, copy."""
        if self.program.copies > 1:
            each = patterns if patterns.ndim == 2 else patterns[:, None]
            patterns = self._padded(np.broadcast_to(each, (len(patterns), self.program.copies)))
        return np.ascontiguousarray(patterns, np.int64)

    def _start_control(self) -> None:
        for (topic, name), index in self._module.control.items():
            if topic == "error_array" or topic == "due":
                self._ctl[index] = -1
            elif topic == "sample_due":
                record = next(r for r in self.program.records if r.name == name)
                self._ctl[index] = -1 if record.readout else next_time(self.step, record.every - 1, record.every)

    def _stored(self, array: Array, values: NDArray[Any]) -> NDArray[Any]:
        """The values in the array's storage format, which may be the same array; refuses what it cannot hold."""
        dtype = np.int16 if array.name in self._narrow else held(array, self.program)
        values = np.asarray(values)
        within_bounds(self.program, array, array.arrived(values))
        return values.astype(dtype, copy=False)

    def _set_int(self, kind: str, name: str, value: int) -> None:
        if (kind, name) in self._module.ints:
            self._ints[self._module.ints.index((kind, name))] = value

    def _set_scalar(self, name: str, values: NDArray[Any]) -> None:
        value = self._stored(self.program.arrays[name], values).copy()
        self._scalars[name] = value
        if ("scalar", name) in self._module.reals:
            self._reals[self._module.reals.index(("scalar", name))] = value
        else:
            self._set_int("scalar", name, int(value))

    def _control(self, topic: str, name: str = "") -> int:
        return self._module.control[topic, name]

    # ------------------------------------------------------------------------------------------------------ running

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """Start an item: item_step is 0 again; these readouts and `item` series (patterns by hold) are active."""
        self._readouts, self._schedules = tuple(readouts), {n: np.array(s, np.int64) for n, s in schedules.items()}
        self._start_item(self.step)

    def _start_item(self, start: int) -> None:
        """Look and show patterns from the coming step on, in an item that began at a step."""
        self._ctl[self._control("item_start")] = start
        for readout in self.program.readouts:
            self._look(self._control("due", readout.name), readout.name, start + readout.phase, readout.every)
        for record in (r for r in self.program.records if r.readout):
            self._look(self._control("sample_due", record.name), record.readout, start + record.phase, record.every)
        for series in self.program.series:
            schedule = self._schedule(self._schedules.get(series.name, np.zeros(0, np.int64)))
            patterns = len(series.table) // series.frames
            if schedule.size and not (schedule.min() >= 0 and schedule.max() < patterns):
                raise InvalidInput.one(
                    None,
                    f"{series.name}: the schedule names a pattern outside 0..{patterns - 1}. "
                    "Use the numbers of patterns that the series has",
                )
            self._values["series_schedule", series.name] = schedule
        if self.program.series:
            self._table = self._bind(self._module.run.arguments)

    def _look(self, control: int, readout: str, first: int, every: int) -> None:
        """When a readout is due first, if it is active."""
        self._ctl[control] = next_time(self.step, first, every) if readout in self._readouts else -1

    def load_series(self, series: str, table: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace the table of a series (same shape, raw numbers)."""
        self._values["series_table", series][...] = self._stored(fed(self.program, series, table), table)
        self._replaced.add(series)

    def advance(self, steps: int) -> None:
        """Compute that many steps."""
        while steps > 0:
            done = self.compute(steps)
            self.step += done
            steps -= done
            if self._ctl[self._control("error_array")] >= 0:
                self._fail()
            if steps:
                self.collect()

    def compute(self, steps: int) -> int:
        """Compute up to that many steps; how many."""
        if not self._module.parts:
            return self._call(self._run, self._table, self.step, steps)
        started = time.thread_time()
        done = self._call(self._run, self._table, self.step, steps)
        self._seconds += time.thread_time() - started
        return done

    @property
    def full(self) -> bool:
        """Whether there may be no room for what one more step records, until it is collected."""
        return bool(self._ctl[self._control("pause")])

    def trigger(self, event: str) -> None:
        """Run every event body of that name, in program order, on the state left by the last step."""
        for number in events_of(self.program, event):
            self.do(number)
            if self._ctl[self._control("error_array")] >= 0:
                self._fail()

    def do(self, event: int) -> None:
        """Run the body of the event of that number."""
        self._call(*self._events[event], self.step)

    def failed(self) -> tuple[int, int] | None:
        """What generated code noted of a value outside its range, once: the number of its array, and its element."""
        array, element = (int(self._ctl[self._control(topic)]) for topic in ("error_array", "error_element"))
        self._ctl[self._control("error_array")] = -1
        return (array, element) if array >= 0 else None

    def _fail(self) -> None:
        """Raise what generated code noted."""
        found = self.failed()
        assert found is not None
        raise outside(self.program, self._module.counters[found[0]], found[1], self.step)

    def reset(self, population: str) -> None:
        """Give the population's states, their history and its inputs their initial values; drop spikes in flight."""
        if population not in self._begun:
            self._begun[population] = list(self._initial(population))
        for array, initial in self._begun[population]:
            if array.single:
                self._set_scalar(array.name, initial)
                continue
            self._values["array", array.name][...] = array.nothing if array.role == "input" else initial
            if array.history:
                self._values["history", array.name][...] = initial
        self._values["spike_count", population][...] = 0

    def _initial(self, population: str) -> Iterator[tuple[Array, NDArray[Any]]]:
        """What a reset gives initial values, with these as generated code has them."""
        for array in self.program.arrays.values():
            if array.owner == population and array.role in ("state", "input"):
                yield array, array.initial if array.single else self._flat(array, array.initial)

    def built(self) -> dict[str, float]:
        """The seconds of the passes from a program to machine code."""
        return dict(self._built)

    def times(self) -> tuple[Timed, ...]:
        """The seconds that each part of the steps took, and how much there was to do; empty unless it is `timed`."""
        laps = self._values["laps", ""]
        cycles = max(1, int(laps.sum()))
        return tuple(
            Timed(part.what, part.of, self._seconds * int(lap) / cycles, *work(self.program, part, self.step, counts))
            for counts in [self.spike_counts()]
            for part, lap in zip(self._module.parts, laps.tolist(), strict=False)
        )

    # ------------------------------------------------------------------------------------------------------- values

    def read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """A copy of an array; of an input, what the coming step will read so far."""
        declared = self.program.arrays[array]
        if array == STEP:
            return np.array(self.step, np.int64)
        if array == ITEM_STEP:
            return np.array(self.step - self._ctl[self._control("item_start")], np.int64)
        if declared.single:
            values = self._scalars[array]
        else:
            values = self._values["array", array]
            if declared.role == "input":
                values = declared.arrived(values[self.step % len(values)])
            values = self._shown(declared, values)
        if isinstance(declared.type, Real):
            return np.array(values, np.float64)
        return np.array(values, np.int64)

    def pieces(self, array: str) -> Iterator[Raw]:
        """What `read` gives of anything but inputs, some rows after the other."""
        there = self._values.get(("array", array))
        return map(raw, cut(self.read(array) if there is None else self._shown(self.program.arrays[array], there)))

    def add(self, input: str, values: NDArray[np.int64]) -> None:
        """Add raw integers, in all within the bounds of its type, to what the coming step will read of an input."""
        self._widen(input)
        target = self._values["array", input]
        target = target[self.step % len(target)]
        flat = values if values.ndim == 1 else self._padded(values).reshape(-1)
        np.add(target, flat, out=target, casting="same_kind")

    def write(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array's values (same shape); of an input, what the coming step will read so far."""
        declared = self.program.arrays[array]
        values = checked(self.program, declared, values)
        if declared.single:
            self._set_scalar(array, values)
            return
        if array in self._common:
            values = one_for_all(array, values)
        self._widen(array)
        target = self._values["array", array]
        if declared.role == "input":
            target = target[self.step % len(target)]
        target[...] = self._padded(values).reshape(-1) if self._by_copy(declared) else values

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """The counts of a readout since `clear_histogram`, shape (2**population size,)."""
        return np.array(self._values["histogram", readout])

    def clear_histogram(self, readout: str) -> None:
        """Put a readout's counts to zero."""
        self._values["histogram", readout][...] = 0

    # --------------------------------------------------------------------------------------------------- recordings

    def collect(self) -> None:
        """Take over what generated code has recorded, and empty its buffers."""
        self._ctl[self._control("pause")] = 0
        for name, index in self._filled:
            n = int(self._ctl[index])
            if n:
                steps = self._values["spike_steps", name][:n].copy()
                neurons = self._values["spike_neurons", name][:n].astype(np.int64)
                self._kept_spikes.setdefault(name, []).append((steps, neurons))
                self._ctl[index] = 0
        for name, index, _ in self._sampled:
            n = int(self._ctl[index])
            if n:
                steps = self._values["record_steps", name][:n].copy()
                samples = self._values["record_values", name][:n].copy()
                self._kept_samples.setdefault(name, []).append((steps, samples))
                self._ctl[index] = 0

    def drain(self) -> Capture:
        """Hand over what was recorded since the last call."""
        self.collect()
        capture = Capture()
        empty = np.zeros(0, np.int64)
        for name in self._recorded:
            parts = self._kept_spikes.pop(name, [])
            capture.spikes[name] = _joined(parts) if parts else (empty, empty.copy())
        for name, _, array in self._sampled:
            chunks = self._kept_samples.pop(name, [])
            none = (empty.copy(), self._values["record_values", name][:0].copy())
            steps, samples = _joined(chunks or [none])
            capture.records[name] = (steps, self._shown(self.program.arrays[array], samples))
        return capture

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        totals = [(name, index) for (topic, name), index in self._module.control.items() if topic == "total"]
        return {name: int(self._ctl[index]) for name, index in totals}

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range (arrays with none are absent)."""
        counts = dict(self._overflows_before)
        for name, count in zip(self._module.counters, self._overflow.tolist(), strict=False):
            counts[name] = counts.get(name, 0) + count
        return {name: count for name, count in counts.items() if count}

    # -------------------------------------------------------------------------------------------------- saving, loading

    def save(self) -> State:
        """A copy of all that it holds; what was recorded and not drained is not part of it."""
        return self.kept(rows_read(self.program), lags_delivered(self.program))

    def kept(self, rows: Mapping[str, int], lags: Mapping[str, int]) -> State:
        """A copy of all that it holds, with so much of the past of arrays and of spikes."""
        program, step, values = self.program, self.step, self._values
        inputs = {name: array.slots for name, array in program.arrays.items() if array.role == "input"}
        return State(
            step=step,
            item_step=step - int(self._ctl[self._control("item_start")]),
            readouts=self._readouts,
            schedules=dealt(program, self._schedules),
            arrays={name: self.read(name) for name, array in program.arrays.items() if array.held},
            inputs={name: self._rows("array", name, ahead, step, rows) for name, rows in inputs.items()},
            histories={name: self._rows("history", name, back, step - 2, n) for name, n in rows.items()},
            spikes={name: packed(self._spiked(name, lag) for lag in range(most)) for name, most in lags.items()},
            tables={name: raw(values["series_table", name]) for name in sorted(self._replaced)},
            histograms={r.name: self.histogram(r.name) for r in program.readouts},
            counts=self.spike_counts(),
            overflows=self.overflows(),
        )

    def load(self, state: State) -> None:
        """Hold what another executor of the same program held; what was recorded and not drained is dropped."""
        fitting(self.program, state)
        self.drain()
        self.hold(state)

    def hold(self, state: State) -> None:
        """Hold what a fitting state says."""
        self.step, self._readouts, self._schedules = state.step, state.readouts, dict(state.schedules)
        self._start_control()
        self._start_item(state.step - state.item_step)
        for name, values in state.arrays.items():
            self.write(name, values)
        for name, rows in state.inputs.items():
            if rows.any():
                self._widen(name)
            self._values["array", name][...] = self.program.arrays[name].nothing
            self._put_rows("array", name, ahead, state.step, rows)
        for name, rows in state.histories.items():
            self._put_rows("history", name, back, state.step - 2, rows)
        for name, spikes in state.spikes.items():
            self._values["spike_count", name][...] = 0
            for lag, numbers in enumerate(unpacked(spikes, int(spikes[0].max(initial=-1)) + 1)):
                self._put_spikes(name, lag, numbers)
        self._load_stimuli(state)
        for name, counts in state.histograms.items():
            self._values["histogram", name][...] = counts
        for name, count in state.counts.items():
            self._ctl[self._control("total", name)] = count
        self._overflow[:], self._overflows_before = 0, dict(state.overflows)

    def _load_stimuli(self, state: State) -> None:
        """The tables of all series, and where the coming step is in the lists of injections."""
        for series in self.program.series:
            self.load_series(series.name, state.tables.get(series.name, series.table))
        self._replaced = set(state.tables)
        for injection in self.program.injections:
            steps = self._values["injection_steps", injection.name]
            self._ctl[self._control("next", injection.name)] = np.searchsorted(steps, state.step)

    def _rows(self, kind: str, name: str, places: Places, step: int, rows: int) -> Raw:
        """Rows of a ring by step, as a program has them."""
        ring = self._values[kind, name]
        return raw(self._shown(self.program.arrays[name], ring[places(ring, step, rows)]))

    def _put_rows(self, kind: str, name: str, places: Places, step: int, rows: Raw) -> None:
        ring, array = self._values[kind, name], self.program.arrays[name]
        for place, row in zip(places(ring, step, len(rows)), rows, strict=True):
            ring[place] = self._flat(array, row)

    def _spiked(self, population: str, lag: int) -> NDArray[np.uint32]:
        """The neurons that spiked in the last step, or so many steps before it."""
        ring = self._values["spikes", population]
        slot = (self.step - 1 - lag) % len(ring)
        spiked: NDArray[np.uint32] = ring[slot, : self._values["spike_count", population][slot]]
        return spiked

    def _put_spikes(self, population: str, lag: int, neurons: NDArray[np.int64]) -> None:
        ring = self._values["spikes", population]
        slot = (self.step - 1 - lag) % len(ring)
        ring[slot, : len(neurons)] = neurons
        self._values["spike_count", population][slot] = len(neurons)


def events_of(program: Program, name: str) -> list[int]:
    """The numbers of all events of a name; InvalidInput where there are none."""
    found = [number for number, event in enumerate(program.events) if event.name == name]
    if not found:
        names = ", ".join(sorted({event.name for event in program.events})) or "none"
        raise InvalidInput.one(None, f"The network has no event {name!r}. Its events are: {names}.")
    return found


def fed(program: Program, series: str, table: NDArray[Any]) -> Array:
    """The input into which a series goes; InvalidInput where there is none, or a table that is not for it."""
    declared = next((s for s in program.series if s.name == series), None)
    if declared is None:
        names = ", ".join(s.name for s in program.series) or "none"
        raise InvalidInput.one(None, f"The network has no series {series!r}. Its series are: {names}.")
    if table.shape != declared.table.shape:
        raise InvalidInput.one(
            None, f"{series}: the table has shape {table.shape}; the series has {declared.table.shape}"
        )
    array = program.arrays[declared.input]
    if not isinstance(array.type, Real) and table.dtype.kind == "f" and not (table == np.floor(table)).all():
        raise InvalidInput.one(None, f"{series}: fractions were given; the series takes whole numbers")
    return array


def outside(program: Program, array: str, element: int, step: int) -> RunFailed:
    """What is said of a value outside its range where the program must not go on."""
    text = (
        f"{array}: the value of element {element} left its range in step {step}, and the overflow rule "
        "is `error`. Widen the range, or choose a chip that saturates"
    )
    return RunFailed(located(refusing(program, array), text))


def _joined(parts: Sequence[tuple[NDArray[np.int64], NDArray[Any]]]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Parts of what was recorded, one after another."""
    if len(parts) == 1:
        return parts[0]
    steps, values = zip(*parts, strict=True)
    return np.concatenate(steps), np.concatenate(values)
