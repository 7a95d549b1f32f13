"""The network being executed: steps on GeNN, everything that happens between steps on the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.generated import storage
from neuroport.backends.genn import places
from neuroport.backends.genn.batch import parted
from neuroport.backends.genn.build import assemble
from neuroport.backends.genn.devices import CPU
from neuroport.backends.genn.emit import emit, writable
from neuroport.backends.genn.model import GlobalArray, Group, Parameter, Synapses, Update
from neuroport.backends.genn.parallelism import Asked, spread
from neuroport.backends.genn.rings import Rings
from neuroport.backends.genn.watch import Watch, keep
from neuroport.copies.axis import sum_over_copies
from neuroport.copies.rolled import Tallies
from neuroport.errors import InvalidInput, RunFailed, located
from neuroport.program.executor import Capture
from neuroport.program.fingerprint import cut
from neuroport.program.ir import Real
from neuroport.program.machine import Array, Program, Readout, Record, Series, Total
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.past import back, dealt, fitting, lags_delivered, packed, rows_read, unpacked
from neuroport.program.places import refusing
from neuroport.program.reductions import groups_of, reduced
from neuroport.program.state import Raw, State, raw
from neuroport.program.stated import checked

Indices = NDArray[np.int64]
NEVER = 2**63 - 1
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
        self._given, self._split = program, parted(program)
        self._summed = self._split.summed
        program = self.program = self._split.program
        self._copies = program.copies
        self.step = 0
        self._item_start = 0
        self._model = emit(program, bool(seeds), self._summed).uncommented()
        if device != CPU:
            spread(self._model, program, wanted)
        largest = max((p.size for p in program.populations), default=1)
        self._recording = max(1, min(RECORDING, 2**25 // max(largest * program.copies, 1)))
        self._built = assemble(self._model, program, seeds or (seed,), device, self._recording)
        self._genn = self._built.genn
        self._watch = None if device == CPU else Watch(device)
        self._step_time = self._genn._runtime.step_time
        self._rings = Rings(self._built, self._model)
        self._changing = writable(program)
        self._scalars = {a.name: a.initial.copy() for a in program.arrays.values() if a.at == "scalar"}
        self._find_variables()
        self._find_settings()
        self._patterns = [s for s in program.series if s.order == "item"]
        self._every_step = [u for u in self._model.updates if u.every_step]
        self._shown = [u for u in self._model.updates if u.shows]
        self._recorded = tuple(p.name for p in program.populations if p.spiking and p.name in set(record_spikes))
        self._start_recording()

    def _find_variables(self) -> None:
        """Where every array lives: in a variable of neurons, or of synapses with the places of its elements there."""
        self._variables: dict[str, tuple[Any, Indices | None]] = {}
        self._open: dict[str, tuple[Any, Indices]] = {}
        self._past: dict[str, Any] = {}
        self._idle: dict[str, NDArray[Any]] = {}
        self._bits: dict[str, Any] = {}
        for neurons in self._model.neurons:
            for variable in neurons.variables:
                made = self._built.neurons[neurons.name].vars[variable.ident]
                if variable.holds == "array":
                    self._variables[variable.name] = (made, None)
                elif variable.holds == "bit":
                    self._bits[variable.name] = made
            for held in neurons.arrays:
                if held.kind == "array":
                    self._open[held.name] = (self._global(neurons, held), np.arange(neurons.size))
                elif held.kind == "past":
                    self._past[held.name] = self._global(neurons, held)
        for synapses in self._model.synapses:
            group = self._built.synapses[synapses.name]
            where = places.of_synapses(self.program.projection(synapses.owner))
            for variable in synapses.variables:
                if variable.holds == "array":
                    self._variables[variable.name] = (group.vars[variable.ident], where)
            for held in synapses.arrays:
                if held.kind == "array":
                    self._open[held.name] = (self._global(synapses, held), where)
        self._mirrors: dict[str, list[tuple[str, Indices]]] = {}
        for array in self.program.arrays.values():
            if array.mirror:
                entry = self.program.projection(array.owner).wiring.entry
                assert entry is not None
                self._mirrors.setdefault(array.mirror, []).append((array.name, entry))
        known = self._variables.keys() | self._open.keys()
        for array in self.program.arrays.values():
            if array.at != "scalar" and array.role != "input" and array.name not in known:
                self._idle[array.name] = array.initial.copy()

    def _find_settings(self) -> None:
        """Which groups hold a scalar, the row of a series, or an input that is written by hand."""
        self._settings: dict[tuple[str, str], list[tuple[Group, Parameter | GlobalArray]]] = {}
        for group in self._model.groups():
            for parameter in group.parameters:
                if parameter.dynamic:
                    self._settings.setdefault((parameter.of, parameter.name), []).append((group, parameter))
            for array in group.arrays:
                if array.kind in ("wide", "rows"):
                    of = "row" if array.kind == "rows" else "scalar"
                    self._settings.setdefault((of, array.name), []).append((group, array))
        self._by_hand: dict[str, Any] = {}
        self._tables: dict[str, Any] = {}
        for group in self._model.groups():
            for array in group.arrays:
                if array.kind == "late":
                    self._by_hand[array.name] = self._global(group, array)
                elif array.kind == "series":
                    self._tables[array.name] = self._global(group, array)
        self._written: set[str] = set()
        self._delayed: dict[str, list[Synapses]] = {}
        inputs = {(n.name, ident): name for n in self._model.neurons for ident, name in n.inputs.items()}
        for synapses in self._model.synapses:
            if synapses.slots > 1 and synapses.post_input and "addToPostDelay" in synapses.step + synapses.arrive:
                self._delayed.setdefault(inputs[synapses.target, synapses.post_input], []).append(synapses)
        self._delayed = {name: list(filter(self._rings.sums, groups)) for name, groups in self._delayed.items()}
        self._cursors = [(n.name, v) for n in self._model.neurons for v in n.variables if v.holds == "cursor"]
        self._counters = [(g, a) for g in self._model.groups() for a in g.arrays if a.kind == "overflow"]
        self._failures = [(g, a) for g in self._model.groups() for a in g.arrays if a.kind == "failed"]

    def _start_recording(self) -> None:
        self._counts = {p.name: np.zeros(self._copies, np.int64) for p in self.program.populations if p.spiking}
        self._kept: dict[str, list[tuple[Indices, Indices]]] = {name: [] for name in self._recorded}
        self._samples: dict[str, list[tuple[int, NDArray[Any]]]] = {r.name: [] for r in self.program.records}
        self._collected = 0
        self._replaced: set[str] = set()
        self._overflows_before: dict[str, Indices] = {}
        self._readouts: tuple[str, ...] = ()
        self._schedules: dict[str, Indices] = {}
        self._rows: dict[str, Indices] = {}
        self._active: tuple[Readout, ...] = ()
        self._sampling: tuple[Record, ...] = ()
        self._histograms = {
            r.name: np.zeros((self._copies, r.states(self.program.population(r.population).size)), np.int64)
            for r in self.program.readouts
        }

    def close(self) -> None:
        """Free GeNN's memory, but for that on a GPU which failed."""
        if self._watch is not None:
            self._watch.close()
            if self._watch.failed:
                keep(self._built)
                return
        self._genn.unload()

    # ------------------------------------------------------------------------------------------------------ settings

    def _global(self, group: Group, array: GlobalArray) -> Any:
        return self._built.group(group).extra_global_params[array.ident]

    def _set(self, of: str, name: str, value: float | int | NDArray[Any]) -> None:
        """Give a setting its value in all groups that have it."""
        for group, where in self._settings.get((of, name), ()):
            if isinstance(where, Parameter):
                number = float(value) if where.type in ("float", "double") else int(value)
                self._built.group(group).set_dynamic_param_value(where.ident, number)
            else:
                held = self._global(group, where)
                held.view[:] = value
                held.push_to_device()

    # ------------------------------------------------------------------------------------------------------- running

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, Indices]) -> None:
        """Start a protocol item: item_step is 0 again; these readouts and `item` series (patterns) are active."""
        self._start_item(self.step, readouts, schedules)

    def _start_item(self, step: int, readouts: Sequence[str], schedules: Mapping[str, Indices]) -> None:
        self._item_start, self._readouts = step, tuple(readouts)
        self._active = tuple(r for r in self.program.readouts if r.name in readouts)
        self._sampling = tuple(r for r in self.program.records if r.readout in readouts)
        self._schedules = {name: np.asarray(rows, np.int64) for name, rows in schedules.items()}
        self._set("scalar", ITEM_STEP, step)

    def advance(self, steps: int) -> None:
        """Compute that many steps."""
        if self._watch is None:
            self._advance(steps)
            return
        with self._watch.computing(lambda: self._genn.timestep):
            self._advance(steps)

    def _advance(self, steps: int) -> None:
        end = self.step + steps
        for update in self._shown:
            self._genn.custom_update(update.name)
        while self.step < end:
            stop = min(end, self._show_rows(), self._next_look(), self._collected + self._recording)
            if self._every_step or self._written:
                stop = self.step + 1
            step_time = self._step_time
            for _ in range(stop - self.step):
                step_time()
            if self._watch is not None:
                self._watch.settle(stop)
            self._rings.turns += stop - self.step
            self.step = stop
            for update in self._every_step:
                self._do(update)
            self._look(stop - 1)
            if self._written:
                self._forget_writing()
            if stop == self._collected + self._recording:
                self._collect()
            if self._failures:
                self._fail()

    def _show_rows(self) -> int:
        """Set the row of every series of patterns for the coming step; up to which step the rows stay."""
        until = NEVER
        for series in self._patterns:
            row, last = self._row(series)
            until = min(until, last)
            if not np.array_equal(self._rows.get(series.name, ()), row):
                self._rows[series.name] = row
                self._set("row", series.name, row if row.ndim else row.item())
        return until

    def _row(self, series: Series) -> tuple[Indices, int]:
        """The row of the coming step, -1 for none, and the step from which on it may be another one."""
        schedule = self._schedules.get(series.name)
        done, frame = self.step - self._item_start, series.hold // series.frames
        at = done // series.hold
        if schedule is None or at >= len(schedule):
            return np.array(-1), NEVER
        row = np.asarray(schedule[at] * series.frames + done % series.hold // frame)
        return row, self._item_start + (done // frame + 1) * frame

    def _next_look(self) -> int:
        """The step after which something is to be recorded or counted."""
        looks = [self.step // r.every * r.every + r.every for r in self.program.records if not r.readout]
        done = self.step - self._item_start
        rhythms = [(r.every, r.phase) for r in self._active] + [(r.every, r.phase) for r in self._sampling]
        looks += [self.step + (phase - done) % every + 1 for every, phase in rhythms if phase < every]
        return min(looks, default=NEVER)

    def _look(self, t: int) -> None:
        """Count and record after step t."""
        for readout in self._active:
            if (t - self._item_start) % readout.every == readout.phase:
                bits = self._bits[readout.name]
                bits.pull_from_device()
                seen = bits.current_view.reshape(self._copies, -1)
                seen = seen if readout.neurons is None else seen[:, readout.neurons]
                powers = 2 ** np.arange(seen.shape[1])[::-1]
                self._histograms[readout.name][np.arange(self._copies), (seen != 0) @ powers] += 1
        for record in self.program.records:
            if not record.readout and (t + 1) % record.every == 0:
                self._samples[record.name].append((t, record.of(self.read(record.array))))
        for record in self._sampling:
            if (t - self._item_start) % record.every == record.phase:
                self._samples[record.name].append((t, record.of(self.read(record.array))))

    def trigger(self, event: str) -> None:
        """Run every event body of that name, in program order, on the state left by the last step."""
        with nullcontext() if self._watch is None else self._watch.computing(lambda: self._genn.timestep):
            self._trigger(event)

    def _trigger(self, event: str) -> None:
        for update in self._model.updates:
            if update.event == event and update.triggered:
                self._do(update)
        if self._failures:
            self._fail()

    def _do(self, update: Update) -> None:
        """Reduce what an update needs, which GeNN cannot do in all groups at once, and run it."""
        for total in update.totals:
            self._reduce(total)
        self._genn.custom_update(update.name)
        for name in update.renewed:
            self._renew(name, self.read(name))

    def _renew(self, array: str, values: NDArray[Any]) -> None:
        """Give synapses what the entries of their kernel have."""
        for mirror, entry in self._mirrors.get(array, ()):
            self.write(mirror, values[entry])

    def _reduce(self, total: Total) -> None:
        """Reduce an array on the host; neurons without synapses get a value that none reads."""
        values, into = self.read(total.of), self.program.arrays[total.into]
        owner = self.program.arrays[total.of].owner
        real = isinstance(into.type, Real)
        terms = values.astype(self.program.precision) if real else values
        found = reduced(total.op, terms, groups_of(self.program, owner, total.axis))
        found = found if real else np.clip(found, *_bounds(into))
        self.write(total.into, np.broadcast_to(found, into.initial.shape))

    def _fail(self) -> None:
        """Raise when a value left its range and the chip has no rule for that."""
        found = []
        for group, array in self._failures:
            held = self._global(group, array)
            held.pull_from_device()
            if held.view[0]:
                found.append((int(held.view[0]) - 1, array.name))
        if found:
            step, name = min(found, key=lambda failure: failure[0])
            if self.program.arrays[name].role == "input" and not self.program.integer:
                text = (
                    f"step {step}: the sum for '{name}' reached 2**53, up to which GeNN adds whole numbers exactly; "
                    f"give the weights a smaller range, or take another backend"
                )
                raise RunFailed(located([self.program.arrays[name].place], text))
            low, high = _bounds(self.program.arrays[name])
            text = (
                f"step {step}: a value for '{name}' lies outside {low}..{high}, and this chip has no rule for that; "
                f"give the variable a larger range"
            )
            raise RunFailed(located(refusing(self.program, name), text))

    def reset(self, population: str) -> None:
        """Give the population's states, their history and its inputs their initial values; drop spikes in flight."""
        for array in self.program.arrays.values():
            if array.owner != population or array.role not in ("state", "input"):
                continue
            if array.role == "input":
                self._give(array.name, np.zeros_like(array.initial))
                for synapses in self._delayed.get(array.name, ()):
                    self._rings.send(synapses, np.zeros((0, *array.initial.shape)))
            elif array.at == "scalar":
                self.write(array.name, array.initial)
            if array.name in self._open:
                self._write_open(array.name, array.initial)
            if array.name in self._past:
                self._ring(array.name)[:] = self._each(array)
                self._past[array.name].push_to_device()
            if array.name in self._variables:
                variable, _ = self._variables[array.name]
                variable.view[...] = self._in_view(variable, array.initial)
                variable.push_to_device()
        self._rings.deliver(population, [])

    # -------------------------------------------------------------------------------------------------------- values

    def read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """A copy of an array; of an input, what has been sent to it for the coming step."""
        return sum_over_copies(self._read(array)) if array in self._summed else self._read(array)

    def _read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """The same with what each copy contributes to a sum."""
        declared = self.program.arrays[array]
        dtype = _shown(declared)
        if array == STEP:
            return np.array(self.step, np.int64)
        if array == ITEM_STEP:
            return np.array(self.step - self._item_start, np.int64)
        if declared.at == "scalar":
            return np.array(self._scalars[array], dtype)
        if declared.role == "input":
            return np.array(self._by_element(self._by_hand[array].view) + self._pending(array), dtype)
        values, at = self._held(array)
        return np.array(values if at is None else values[at], dtype)

    def pieces(self, array: str) -> Iterator[Raw]:
        """What `read` gives of anything but inputs, some rows after the other."""
        declared = self.program.arrays[array]
        if declared.at == "scalar" or array in self._summed:
            return cut(self.read(array))
        values, at = self._held(array)
        rows = cut(values) if at is None else (values[some] for some in cut(at))
        return (row.astype(_shown(declared)) for row in rows)

    def _held(self, array: str) -> tuple[NDArray[Any], Indices | None]:
        """Where the values of an array are on the host, as the device has them, and in which places of it."""
        if array in self._idle:
            return self._idle[array], None
        each = self.program.arrays[array].own
        if array in self._open:
            held, where = self._open[array]
            held.pull_from_device()
            return self._rows_of(held.view, where, each)
        variable, at = self._variables[array]
        variable.pull_from_device()
        return self._rows_of((variable.current_view if at is None else variable._view).ravel(), at, each)

    def _rows_of(self, flat: NDArray[Any], at: Indices | None, each: bool) -> tuple[NDArray[Any], Indices | None]:
        """See `_held`."""
        return (self._by_element(flat) if each else flat), at

    def _by_element(self, flat: NDArray[Any]) -> NDArray[Any]:
        """What GeNN has of copies, one behind the other, as a program has it: a view (elements, copies)."""
        return flat.ravel() if self._copies == 1 else flat.reshape(self._copies, -1).T

    def _in_view(self, variable: Any, values: NDArray[Any]) -> NDArray[Any]:
        """Values of neurons in the shape of a variable: of copies, and of steps."""
        if values.ndim == 1:
            return values
        return values.T if variable.view.ndim == 2 else values.T[:, None]

    def _each(self, array: Array) -> NDArray[Any]:
        """The initial values of an array of neurons, of every copy."""
        return array.initial[:, None] if self._copies > array.initial.ndim == 1 else array.initial

    def write(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array's values (same shape); of an input, what has been sent to it for the coming step."""
        declared = self.program.arrays[array]
        if array in self._summed:
            whole = np.zeros(declared.initial.shape, declared.initial.dtype)
            whole[..., 0] = values
            values = whole
        values = checked(self.program, declared, np.asarray(values))
        if declared.at == "scalar":
            if array not in self._changing:
                raise self._compiled(declared)
            self._scalars[array] = values.copy()
            self._set("scalar", array, values if values.ndim else values.item())
        elif declared.role == "input":
            self._give(array, values - self._pending(array))
        elif array in self._idle:
            self._write_idle(array, values)
        for equal in self._split.twice.get(array, ()):
            self.write(equal, values)
        self._renew(array, values)
        if array in self._open:
            self._write_open(array, values)
        if array in self._variables:
            variable, at = self._variables[array]
            variable.pull_from_device()
            if at is not None:
                flat = variable._view.ravel()
                (self._by_element(flat) if declared.own else flat)[at] = values
            elif declared.role == "parameter":
                variable.view[...] = self._in_view(variable, values)
            else:
                variable.current_view[...] = values.T
            variable.push_to_device()

    def load_series(self, series: str, table: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace the table of a series (same shape, raw numbers)."""
        known = next(s.table for s in self.program.series if s.name == series)
        if np.shape(table) != known.shape:
            raise InvalidInput.one(
                None, f"{series}: the new table has shape {np.shape(table)}; the series has {known.shape}"
            )
        held = self._tables[series]
        held.view[:] = table.ravel()
        held.push_to_device()
        self._replaced.add(series)

    def _write_open(self, array: str, values: NDArray[Any]) -> None:
        """Replace an array that events of other objects need."""
        held, where = self._open[array]
        (self._by_element(held.view) if self.program.arrays[array].own else held.view)[where] = values
        held.push_to_device()

    def _write_idle(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array that GeNN has as one number for all synapses, or not at all."""
        if ("uniform", array) in self._settings:
            self._alike(array, values)
            self._set("uniform", array, values.flat[0].item())
        self._idle[array][...] = values

    def _alike(self, array: str, values: NDArray[Any]) -> None:
        """InvalidInput for several values where GeNN has one number for all synapses."""
        if not np.all(values == values.flat[0]):
            raise InvalidInput.one(
                None,
                f"{array}: all of these were equal when the network was compiled, and GeNN has one number for "
                f"them; give them one value again, or different ones in the network file",
            )

    def _compiled(self, array: Array) -> InvalidInput:
        text = f"{array.name}: this parameter is part of the compiled code; declare it `dynamic: true`"
        return InvalidInput.one(array.place, text)

    def _pending(self, array: str) -> NDArray[np.float64]:
        """What delayed sends will add to an input in the coming step."""
        total: NDArray[Any] = np.zeros(self.program.arrays[array].initial.shape)
        for synapses in self._delayed.get(array, ()):
            total = total + self._rings.sent(synapses)[0]
        return total

    def _forget_writing(self) -> None:
        for array in self._written:
            self._by_hand[array].view[:] = 0
            self._set("late", self.program.arrays[array].owner, 0)
        self._written.clear()

    # ---------------------------------------------------------------------------------------------------- recordings

    def _collect(self) -> None:
        """Take over the spikes that GeNN has recorded since the last call."""
        count = self.step - self._collected
        if not count:
            return
        if self._counts:
            self._genn.pull_recording_buffers_from_device()
        rows = np.arange(self._collected, self.step) % self._recording
        for population in self._model.neurons:
            if not population.spiking:
                continue
            kept = self._genn._runtime.get_array(self._built.neurons[population.name], "recordSpk")
            words = np.frombuffer(kept.host_view, np.uint32).reshape(self._recording, -1)[rows]
            steps, neurons = spikes_in(words)
            if self._copies > 1:
                steps, neurons, copies = of_copies(steps, neurons, words.shape[1] // self._copies, self._copies)
                self._counts[population.owner] += np.bincount(copies, minlength=self._copies)
            else:
                self._counts[population.owner] += len(steps)
            if population.owner in self._kept and len(steps):
                self._kept[population.owner].append((steps + self._collected, neurons))
        self._collected = self.step

    def drain(self) -> Capture:
        """Hand over what was recorded since the last call."""
        self._collect()
        capture = Capture()
        none = np.zeros(0, np.int64)
        for name, parts in self._kept.items():
            capture.spikes[name] = (
                np.concatenate([none, *(p[0] for p in parts)]),
                np.concatenate([none, *(p[1] for p in parts)]),
            )
            self._kept[name] = []
        for record in self.program.records:
            samples, self._samples[record.name] = self._samples[record.name], []
            values = np.array([v for _, v in samples]) if samples else record.of(self.read(record.array))[None][:0]
            capture.records[record.name] = (np.array([t for t, _ in samples], np.int64), values)
        return capture

    def histogram(self, readout: str) -> Indices:
        """The counts of a readout since `clear_histogram`, shape (2**population size,)."""
        return np.asarray(self._histograms[readout].sum(axis=0))

    def clear_histogram(self, readout: str) -> None:
        """Put a readout's counts to zero."""
        self._histograms[readout][...] = 0

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        self._collect()
        return {name: int(counts.sum()) for name, counts in self._counts.items()}

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range (arrays with none are absent)."""
        return {name: int(counts.sum()) for name, counts in self._overflows().items()}

    def tallies(self) -> Tallies:
        """What it has counted for each copy; what all share counts as of copy 0."""
        self._collect()
        histograms = {name: counts.copy() for name, counts in self._histograms.items()}
        return Tallies({name: counts.copy() for name, counts in self._counts.items()}, self._overflows(), histograms)

    def count_on(self, tallies: Tallies) -> None:
        """Go on counting from there."""
        self._counts |= tallies.counts
        self._histograms |= tallies.histograms
        self._overflows_before = dict(tallies.overflows)

    def _overflows(self) -> dict[str, Indices]:
        """How often, by array and copy."""
        counts = {name: before.copy() for name, before in self._overflows_before.items()}
        hidden = self._split.hidden()
        for group, array in self._counters:
            held = self._global(group, array)
            held.pull_from_device()
            found = held.view.reshape(self._copies if array.each else 1, -1).sum(axis=1, dtype=np.int64)
            found = found[:1] if array.name in self._summed else found
            if found.any() and array.name not in hidden:
                counts.setdefault(array.name, np.zeros(self._copies, np.int64))[: len(found)] += found
        return counts

    # ------------------------------------------------------------------------------------------------ saving, loading

    def save(self) -> State:
        """A copy of all that it holds; what was recorded and not drained is not part of it."""
        program = self._given
        inputs = {name: array for name, array in program.arrays.items() if array.role == "input"}
        histories, lags = rows_read(program).items(), lags_delivered(program).items()
        return State(
            step=self.step,
            item_step=self.step - self._item_start,
            readouts=self._readouts,
            schedules=dealt(program, self._schedules),
            arrays={name: self.read(name) for name in program.arrays if name not in inputs},
            inputs={name: self._arrived(array) for name, array in inputs.items()},
            histories={name: raw(self._before(name, rows)) for name, rows in histories},
            spikes={name: packed(self._rings.spikes(name, most)) for name, most in lags},
            tables={s.name: self._table(s) for s in program.series if s.name in self._replaced},
            histograms={name: self.histogram(name) for name in self._histograms},
            counts=self.spike_counts(),
            overflows=self.overflows(),
            apart={} if program.integer else self._apart(),
        )

    def _before(self, name: str, rows: int) -> NDArray[Any]:
        """What an array of neurons was before the last step, (rows, neurons), the latest first."""
        if name not in self._past:
            return self._rings.past(self._variables[name][0], rows)
        self._past[name].pull_from_device()
        ring = self._ring(name)
        kept: NDArray[Any] = ring[back(ring, self.step - 2, rows)]
        return kept if self._copies == 1 or self.program.arrays[name].own else kept[..., 0]

    def _remember(self, name: str, rows: Raw) -> None:
        """Let it have been that."""
        if name in self._variables:
            self._rings.remember(self._variables[name][0], rows)
        if name in self._past:
            ring = self._ring(name)
            ring[back(ring, self.step - 2, len(rows))] = rows if rows.ndim == ring.ndim else rows[..., None]
            self._past[name].push_to_device()

    def _ring(self, name: str) -> NDArray[Any]:
        """What events see of earlier steps, row S modulo their number after step S."""
        kept: NDArray[Any] = self._past[name].view.reshape(self._copies, self.program.arrays[name].history, -1)
        return np.moveaxis(kept, 0, -1) if self._copies > 1 else kept[0]

    def _arrived(self, array: Array) -> Raw:
        """What has arrived at an input for the coming steps."""
        total = np.zeros((array.slots, *array.initial.shape))
        for synapses in self._delayed.get(array.name, ()):
            sent = self._rings.sent(synapses)[: array.slots]
            total[: len(sent)] += sent
        rows = total if isinstance(array.type, Real) else total.astype(np.int64)
        rows[0] = self.read(array.name)
        return rows

    def _apart(self) -> dict[str, Raw]:
        """The same of every group, and what was written by hand."""
        sent = {_part(group, name): raw(self._rings.sent(group)) for name, group in self._senders()}
        return sent | {name: raw(self._by_element(held.view)[None]) for name, held in self._by_hand.items()}

    def _senders(self) -> list[tuple[str, Synapses]]:
        return [(name, group) for name, groups in self._delayed.items() for group in groups]

    def _table(self, series: Series) -> Raw:
        held: NDArray[Any] = self._tables[series.name].view
        return raw(held.reshape(series.table.shape))

    def load(self, state: State) -> None:
        """Hold what another executor of the same program held; what was recorded and not drained is dropped."""
        fitting(self._given, state)
        changed = {name: values for name, values in state.arrays.items() if self._takes(name, values)}
        self.drain()
        self.step = self._collected = self._genn.timestep = state.step
        self._start_item(state.step - state.item_step, state.readouts, state.schedules)
        for name, values in changed.items():
            self.write(name, values)
        for name, rows in state.histories.items():
            self._remember(name, rows)
        self._load_inputs(state)
        for name, most in lags_delivered(self._given).items():
            self._rings.deliver(name, unpacked(state.spikes[name], most))
        self._load_stimuli(state)
        for name, counts in state.histograms.items():
            self._histograms[name][:] = 0
            self._histograms[name][0] = counts
        self._counts |= {name: self._of_first(count) for name, count in state.counts.items()}
        self._load_overflows(state)

    def _takes(self, name: str, values: Raw) -> bool:
        """Whether an array can be written; InvalidInput where it is compiled with another value."""
        array = self.program.arrays[name]
        if name in (STEP, ITEM_STEP):
            return False
        if ("uniform", name) in self._settings:
            self._alike(name, values)
        if array.at != "scalar" or name in self._changing:
            return True
        dtype = storage(array, self.program)
        if values.astype(dtype) != array.initial.astype(dtype):
            raise self._compiled(array)
        return False

    def _load_inputs(self, state: State) -> None:
        """Let what has arrived be on its way: from every group where it is known by group, else from the longest."""
        mine = {} if self.program.integer else self._apart()
        known = {n: rows.shape for n, rows in mine.items()} == {n: rows.shape for n, rows in state.apart.items()}
        apart = state.apart if known else {}
        for name, groups in self._delayed.items():
            later = state.inputs[name].copy()
            later[0] = 0
            longest = max(groups, key=lambda group: group.slots)
            for group in groups:
                self._rings.send(group, apart.get(_part(group, name), later if group is longest else later[:0]))
        for name in self._by_hand:
            self._give(name, apart.get(name, state.inputs[name])[0])

    def _give(self, name: str, values: Raw) -> None:
        """Let an input get values in the coming step, besides what is sent to it."""
        held = self._by_hand[name]
        self._by_element(held.view)[:] = values
        held.push_to_device()
        if values.any():
            self._written.add(name)
            self._set("late", self.program.arrays[name].owner, 1)

    def _load_stimuli(self, state: State) -> None:
        """The tables of all series; injections are looked for from the start of their lists."""
        for series in self._given.series:
            self.load_series(series.name, state.tables.get(series.name, series.table))
        self._replaced = set(state.tables)
        for neurons, cursor in self._cursors:
            variable = self._built.neurons[neurons].vars[cursor.ident]
            variable.view[...] = variable.init_values
            variable.push_to_device()

    def _of_first(self, count: int) -> Indices:
        """A count of all copies, which copy 0 gets whole."""
        counts = np.zeros(self._copies, np.int64)
        counts[0] = count
        return counts

    def _load_overflows(self, state: State) -> None:
        self._overflows_before = {name: self._of_first(count) for name, count in state.overflows.items()}
        for group, array in self._counters + self._failures:
            held = self._global(group, array)
            held.view[:] = 0
            held.push_to_device()


def _part(group: Synapses, name: str) -> str:
    """What a group sends to an input, by the names of the projection and of its variable."""
    return f"{group.owner.partition('~')[0]}.{name.partition('.')[2]}"


def spikes_in(words: NDArray[np.uint32]) -> tuple[Indices, Indices]:
    """The set bits of words (steps, words of 32 neurons), lowest first: their rows and neurons, sorted."""
    flat = words.ravel()
    places = np.flatnonzero(flat != 0)  # of truth values: several times as fast as of numbers
    rows, columns = np.divmod(places, max(words.shape[1], 1))
    bits = np.unpackbits(flat[places].astype("<u4").view(np.uint8), bitorder="little")
    at, bit = np.divmod(np.flatnonzero(bits.view(np.bool_)), 32)
    return rows[at], 32 * columns[at] + bit


def of_copies(steps: Indices, places: Indices, words: int, copies: int) -> tuple[Indices, Indices, Indices]:
    """Spikes of a batch, by step and number, from places in the words of all copies, so many for each; their copies."""
    copy, neurons = np.divmod(places, 32 * words)
    numbers = neurons * copies + copy
    order = np.lexsort((numbers, steps))
    return steps[order], numbers[order], copy[order]


def _shown(array: Array) -> Any:
    """The dtype in which an array's values go in and out."""
    return np.float64 if isinstance(array.type, Real) else np.int64


def _bounds(array: Array) -> tuple[float, float]:
    """The range of an array."""
    return getattr(array.type, "lo", -np.inf), getattr(array.type, "hi", np.inf)
