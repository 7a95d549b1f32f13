"""The time step: a program being executed on NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.reference import arithmetic
from neuroport.backends.reference.streams import Stream
from neuroport.backends.reference.text import Identifiers, Site, Written, initial, namespace, write
from neuroport.copies.axis import elements_of_copies, sum_over_copies
from neuroport.errors import RunFailed, located
from neuroport.program.executor import Capture
from neuroport.program.fingerprint import cut
from neuroport.program.ir import Body, Expr, Int, Read, Reduce, parts, reads, with_children
from neuroport.program.machine import Event, Population, Program, Projection, Series
from neuroport.program.names import ITEM_STEP, STEP
from neuroport.program.past import ahead, back, dealt, fitting, lags_delivered, packed, rows_read, unpacked
from neuroport.program.places import refusing
from neuroport.program.reductions import groups_of, reduced, spread
from neuroport.program.state import Raw, State, raw
from neuroport.program.stated import checked

Numbers = NDArray[Any]
Indices = NDArray[np.int64]
Function = Callable[..., Any]


@dataclass(frozen=True)
class Rows:
    """Synapses by the neuron they start from (or end at): `order[indptr[i]:indptr[i + 1]]` are those of neuron i."""

    neuron: Indices
    indptr: Indices
    order: Indices | None

    def pairs(self, numbers: Indices, copies: int) -> tuple[Indices, ...]:
        """The synapses of the neurons with these numbers and, if there are several copies, the copy of each.

        A number is neuron * copies + copy. The synapses of a copy are ascending.
        """
        if copies == 1:
            return (self.of(numbers),)
        found = [self.of(numbers[numbers % copies == c] // copies) for c in range(copies)]
        return np.concatenate(found), np.repeat(np.arange(copies), [len(of_copy) for of_copy in found])

    def of(self, neurons: Indices) -> Indices:
        """The synapses of these neurons, ascending."""
        size = len(self.indptr) - 1
        if not len(neurons):
            return _NONE
        if len(self.neuron) <= 4096 or 8 * len(neurons) > size:
            chosen = np.zeros(size, bool)
            chosen[neurons] = True
            return np.flatnonzero(chosen[self.neuron])
        counts = self.indptr[neurons + 1] - self.indptr[neurons]
        ends = np.cumsum(counts)
        found = np.arange(ends[-1]) + np.repeat(self.indptr[neurons] - (ends - counts), counts)
        return found if self.order is None else np.sort(self.order[found])


class Machine:
    """Executes a program step by step (see `neuroport.program.executor.Executor`)."""

    def __init__(self, program: Program, seed: int, record_spikes: Sequence[str], checked: bool) -> None:
        self.program, self.seed, self.checked = program, seed, checked
        self.copies = program.copies
        self.step = 0
        self._item_step = 0
        self._names = Identifiers()
        self._globals: dict[str, Any] = self._vocabulary()
        self._texts: list[str] = []
        self._arrays: dict[str, Numbers] = {}
        self._histories: dict[str, Numbers] = {}
        self._overflows: dict[str, int] = {}
        self._make_arrays()
        self._make_spikes(record_spikes)
        self._make_bodies()
        self._make_readouts()
        self.source = "\n".join(self._texts)

    # ---------------------------------------------------------------------------------------------------- building

    def _vocabulary(self) -> dict[str, Any]:
        """What the text of every body may call."""
        real = np.float32 if self.program.precision == "float32" else np.float64
        return {
            "np": np,
            **{name: f for name, f in vars(arithmetic).items() if callable(f)},
            **arithmetic.real_functions(real),
            "sum_over_copies": sum_over_copies,
            "spread": spread,
            "reduced": reduced,
            "to_real": lambda x: np.array(x, dtype=real),
            "saturate": self._saturate,
            "wrap_into": self._wrap_into,
            "refuse": self._refuse,
            "check_bounds": _check_bounds,
        }

    def _bind(self, sort: str, name: str, value: Any, stem: str = "") -> None:
        self._globals[self._names(sort, name, stem)] = value

    def _make_arrays(self) -> None:
        """Arrays; inputs with one row per slot; histories with one row per slot, all initial; indices; tables."""
        for array in self.program.arrays.values():
            values = initial(array, self.program)
            if array.role == "input":
                values = np.repeat(np.full_like(values, array.nothing)[None], array.slots, axis=0)
            self._arrays[array.name] = values
            self._bind("array", array.name, values)
            if array.history:
                self._histories[array.name] = np.repeat(values[None], array.history, axis=0)
                self._bind("history", array.name, self._histories[array.name], f"{array.name}.past")
        for projection in self.program.projections:
            for what in ("pre", "post", "dendritic", "twin"):
                self._bind("index", f"{projection.name}.{what}", getattr(projection, what))
            self._bind("index", f"{projection.name}.entry", projection.wiring.entry)
        for name, table in self.program.tables.items():
            self._bind("table", name, table)
        for event in self.program.events:
            for axis in dict.fromkeys(part.axis for part in parts(event.body) if isinstance(part, Reduce)):
                self._bind("groups", f"{event.owner}.{axis}", groups_of(self.program, event.owner, axis))

    def _make_spikes(self, record_spikes: Sequence[str]) -> None:
        """For every population the neurons that spiked in the last steps, by step modulo the number kept."""
        kept = {p.name: max(1, p.spike_slots) for p in self.program.populations}
        for projection in self.program.projections:
            kept[projection.source] = max(kept[projection.source], projection.delay)
        self._spikes = {name: [_NONE] * count for name, count in kept.items()}
        self._counts = {p.name: 0 for p in self.program.populations if p.spiking}
        self._recorded: dict[str, list[tuple[int, Indices]]] = {name: [] for name in record_spikes}

    def _make_bodies(self) -> None:
        """Compile every body once."""
        self._step_bodies: list[tuple[Function, Function | None, Rows]] = []
        self._arrive_bodies: list[tuple[Function, Projection, Rows]] = []
        self._post_bodies: list[tuple[Function, Projection, Rows]] = []
        for p in self.program.projections:
            post = p.post
            outgoing = Rows(p.pre, p.indptr, None)
            ends = np.concatenate([[0], np.cumsum(np.bincount(post, minlength=p.target_size))])
            incoming = Rows(post, ends.astype(np.int64), np.argsort(post, kind="stable"))
            if p.step:
                condition = None if p.row_condition is None else self._condition(p, p.row_condition)
                self._step_bodies.append((self._body(p, "step", p.step, condition is not None), condition, outgoing))
            if p.arrive:
                self._arrive_bodies.append((self._body(p, "arrive", p.arrive, True), p, outgoing))
            if p.post_body:
                self._post_bodies.append((self._body(p, "post", p.post_body, True), p, incoming))
        self._population_bodies = [(self._body(p, "update", p.body, False), p) for p in self.program.populations]
        owners: dict[str, Population | Projection] = {p.name: p for p in self.program.populations}
        owners |= {p.name: p for p in self.program.projections}
        self._events = [
            (event, self._body(owners[event.owner], f"event {event.name}", event.body, False, event))
            for event in self.program.events
        ]
        self._every_step = [
            self._body(owners[event.owner], f"event {event.name} late", event.body, False, event, late=True)
            if any(read.lag for read in reads(event.body))
            else body
            for event, body in self._events
            if event.every_step
        ]

    def _body(
        self,
        owner: Population | Projection,
        what: str,
        body: Body,
        selected: bool,
        event: Event | None = None,
        late: bool = False,
    ) -> Function:
        function = self._names("function", f"{owner.name} {what}")
        projection = owner if isinstance(owner, Projection) else None
        kernel = event is not None and event.over == "kernel"
        if isinstance(owner, Projection):
            size = owner.wiring.entries if kernel else owner.synapses
        else:
            size = owner.size
        block: Literal["event", "step"] = "step" if event is None else "event"
        once = event is not None and event.once and self.copies > 1
        place = Site(owner.name, size, projection, selected, self._names, block, once, late, kernel)
        return self._compile(function, write(function, body, place, self.program, self.checked), place)

    def _condition(self, projection: Projection, condition: Expr) -> Function:
        """A function that gives the presynaptic neurons for which a row condition holds."""
        function = self._names("function", f"{projection.name} rows")
        size = projection.source_size
        place = Site(projection.source, size, None, False, self._names)
        written = write(function, (), place, self.program, self.checked, result=_of_source(condition))
        return self._compile(function, written, place)

    def _compile(self, function: str, written: Written, place: Site) -> Function:
        for name, (stream, part, real, each, kernel) in written.streams.items():
            elements = self._elements(place, kernel)
            if self.copies > 1:
                elements = elements_of_copies(elements, self.copies if each else 1)
            block = 1 if place.block == "event" else max(1, min(256, 2**16 // max(1, elements.size)))
            precision = np.float32 if self.program.precision == "float32" else np.float64
            scale = None if not real else 2.0**-32 if part is None else 2.0**-16
            self._globals[name] = Stream(self.seed, stream, part, elements, scale, precision, block)
        self._globals |= namespace(self.program, written.constants)
        exec(compile(written.text, f"<reference {function}>", "exec"), self._globals)
        self._texts.append(written.text)
        compiled: Function = self._globals[function]
        return compiled

    def _elements(self, place: Site, kernel: bool) -> NDArray[np.uint64]:
        """The numbers by which the random draws of a body's elements, or of a kernel's, are keyed, in copy 0."""
        if place.projection is not None and not kernel:
            return place.projection.element
        if place.projection is not None:
            return np.arange(place.size, dtype=np.uint64) + np.uint64(place.projection.wiring.first_entry)
        first = self.program.population(place.owner).first_element
        return np.arange(place.size, dtype=np.uint64) + np.uint64(first)

    def _make_readouts(self) -> None:
        self._histograms: dict[str, Indices] = {}
        self._bits: dict[str, Function] = {}
        for readout in self.program.readouts:
            population = self.program.population(readout.population)
            function = self._names("function", f"readout {readout.name}")
            place = Site(population.name, population.size, None, False, self._names)
            written = write(function, (), place, self.program, self.checked, result=readout.bit)
            self._bits[readout.name] = self._compile(function, written, place)
            self._histograms[readout.name] = np.zeros(readout.states(population.size), np.int64)
        self._active: tuple[str, ...] = ()
        self._schedules: dict[str, Indices] = {}
        self._tables = {series.name: series.table for series in self.program.series}
        self._samples: dict[str, list[tuple[int, Numbers]]] = {r.name: [] for r in self.program.records}

    # ----------------------------------------------------------------------------------------------------- running

    def begin_item(self, readouts: Sequence[str], schedules: Mapping[str, Indices]) -> None:
        """Start a protocol item."""
        self._active = tuple(readouts)
        self._schedules = dict(schedules)
        self._item_step = 0
        self._write_clock()

    def advance(self, steps: int) -> None:
        """Compute that many steps."""
        with np.errstate(all="ignore"):
            for _ in range(steps):
                self._compute(self.step)
                self.step += 1
                self._item_step += 1
                self._write_clock()

    def _compute(self, t: int) -> None:
        """Step t, in the order that `neuroport.program.ir` states."""
        for name, ring in self._histories.items():
            ring[(t - 1) % len(ring)] = self._arrays[name]

        for body, condition, rows in self._step_bodies:
            if condition is None:
                body(t)
            elif len(active := np.flatnonzero(condition(t))):
                body(t, *rows.pairs(active, self.copies))
        for body, projection, rows in self._arrive_bodies:
            if len(spiked := self._spiked(projection.source, t - projection.delay)):
                body(t, *rows.pairs(spiked, self.copies))
        for body, projection, rows in self._post_bodies:
            if len(spiked := self._spiked(projection.target, t - 1)):
                body(t, *rows.pairs(spiked, self.copies))

        self._add_stimuli(t)
        for body, population in self._population_bodies:
            for name in population.inputs:
                slot = self._arrays[name][t % len(self._arrays[name])]
                slot[...] = self.program.arrays[name].arrived(slot)
            if self.checked:
                self._check_inputs(population, t)
            spiked = body(t)
            for name in population.inputs:
                values = self._arrays[name]
                values[t % len(values)] = self.program.arrays[name].nothing
            if population.spiking:
                self._keep_spikes(population.name, t, spiked)
        for body in self._every_step:
            body(t)
        self._read_out()
        self._sample(t)

    def _check_inputs(self, population: Population, t: int) -> None:
        """Check that what has arrived lies inside the bounds of the inputs."""
        for name in population.inputs:
            type_ = self.program.arrays[name].type
            if isinstance(type_, Int) and self.program.integer:
                arrived = self._arrays[name][t % len(self._arrays[name])]
                _check_bounds(arrived, type_.lo, type_.hi, f"the input of population {population.name}", t, name)

    def _spiked(self, population: str, step: int) -> Indices:
        ring = self._spikes[population]
        return ring[step % len(ring)]

    def _keep_spikes(self, population: str, t: int, spiked: Indices) -> None:
        ring = self._spikes[population]
        ring[t % len(ring)] = spiked
        if len(spiked):
            self._counts[population] += len(spiked)
            if population in self._recorded:
                self._recorded[population].append((t, spiked))

    def _add_stimuli(self, t: int) -> None:
        for injection in self.program.injections:
            first, last = injection.steps.searchsorted([t, t + 1])
            if first < last:
                values = self._arrays[injection.input]
                added = injection.values[first:last]
                added = added if self.copies == 1 else added[:, None]
                np.add.at(values[t % len(values)], injection.neurons[first:last], added)
        for series in self.program.series:
            row = self._row(series, t)
            if row is not None:
                values = self._arrays[series.input]
                rows = self._tables[series.name][np.broadcast_to(row, self.copies)]
                values[t % len(values)] += rows.T.reshape(values.shape[1:])

    def _row(self, series: Series, t: int) -> int | Indices | None:
        """Which row of its table a series gives at step t, to all copies or to each."""
        if series.order == "item":
            if self._item_step // series.hold >= len(self._schedules.get(series.name, ())):
                return None
            pattern: Indices = self._schedules[series.name][self._item_step // series.hold]
            return pattern * series.frames + self._item_step % series.hold // (series.hold // series.frames)
        row, rows = t // series.hold, len(series.table)
        if series.loop:
            return (row + (0 if series.start is None else series.start)) % rows
        return row if row < rows else None

    def _read_out(self) -> None:
        for readout in self.program.readouts:
            if readout.name in self._active and self._item_step % readout.every == readout.phase:
                bits = self._bits[readout.name](self.step)
                bits = bits if readout.neurons is None else bits[readout.neurons]
                states = np.zeros(self.copies, np.int64)
                for bit in bits.reshape(len(bits), self.copies):
                    states = 2 * states + bit
                np.add.at(self._histograms[readout.name], states, 1)

    def _sample(self, t: int) -> None:
        for record in self.program.records:
            if record.readout:
                due = record.readout in self._active and self._item_step % record.every == record.phase
            else:
                due = (t + 1) % record.every == 0
            if due:
                self._samples[record.name].append((t, np.array(record.of(self._arrays[record.array]))))

    def _write_clock(self) -> None:
        for name, value in ((STEP, self.step), (ITEM_STEP, self._item_step)):
            if name in self._arrays:
                self._arrays[name][()] = value

    def trigger(self, event: str) -> None:
        """Run every event body of that name, in program order."""
        with np.errstate(all="ignore"):
            for candidate, body in self._events:
                if candidate.name == event:
                    body(self.step)

    def reset(self, population: str) -> None:
        """Put a population back to its initial state and discard its spikes in flight."""
        for array in self.program.arrays.values():
            if array.owner == population and array.role in ("state", "input"):
                self._arrays[array.name][...] = array.nothing if array.role == "input" else array.initial
                if array.name in self._histories:
                    self._histories[array.name][...] = array.initial
        self._spikes[population] = [_NONE] * len(self._spikes[population])

    # ------------------------------------------------------------------------------------------------ stored values

    def _saturate(self, x: Any, lo: int, hi: int, array: str, guard: Any, n: int) -> Any:
        clipped = np.minimum(np.maximum(x, lo), hi)
        self._count(np.not_equal(clipped, x), array, guard, n)
        return clipped

    def _wrap_into(self, x: Any, lo: int, hi: int, array: str, guard: Any, n: int) -> Any:
        self._count(np.less(x, lo) | np.greater(x, hi), array, guard, n)
        return arithmetic.wrap_into(x, lo, hi)

    def _refuse(self, x: Any, lo: int, hi: int, array: str, guard: Any, n: int) -> Any:
        outside = np.less(x, lo) | np.greater(x, hi)
        if outside.any() and np.any(outside if guard is None else outside & guard):
            text = (
                f"step {self.step}: a value for '{array}' lies outside {lo}..{hi}, and this chip has no rule for that; "
                f"give the variable a larger range"
            )
            raise RunFailed(located(refusing(self.program, array), text))
        return x

    def _count(self, outside: Any, array: str, guard: Any, n: int) -> None:
        if outside.any():
            met = np.broadcast_to(outside if guard is None else outside & guard, n)
            if count := int(np.count_nonzero(met)):
                self._overflows[array] = self._overflows.get(array, 0) + count

    # ------------------------------------------------------------------------------------------------------ looking

    def read(self, array: str) -> NDArray[np.float64] | NDArray[np.int64]:
        """A copy of an array; of an input, what has been sent to it for the coming step."""
        values = self._arrays[array]
        if self.program.arrays[array].role == "input":
            values = self.program.arrays[array].arrived(values[self.step % len(values)])
        return raw(values)

    def pieces(self, array: str) -> Iterator[Raw]:
        """What `read` gives of anything but inputs, some rows after the other."""
        return map(raw, cut(self._arrays[array]))

    def write(self, array: str, values: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace an array's values (of an input: what has been sent to it for the coming step)."""
        target = self._arrays[array]
        values = checked(self.program, self.program.arrays[array], np.asarray(values))
        if self.program.arrays[array].role == "input":
            target[self.step % len(target)] = values
        else:
            target[...] = values

    def load_series(self, series: str, table: NDArray[np.float64] | NDArray[np.int64]) -> None:
        """Replace the table of a series."""
        expected = self._tables[series].shape
        if table.shape != expected:
            raise ValueError(f"the series '{series}' has a table of shape {expected}; found {table.shape}")
        self._tables[series] = table.copy()

    def histogram(self, readout: str) -> Indices:
        """The counts of a readout since they were cleared."""
        return self._histograms[readout].copy()

    def clear_histogram(self, readout: str) -> None:
        """Put a readout's counts to zero."""
        self._histograms[readout][:] = 0

    def drain(self) -> Capture:
        """Hand over what was recorded since the last call."""
        capture = Capture()
        for name, spikes in self._recorded.items():
            steps = np.repeat(np.array([t for t, _ in spikes], np.int64), [len(n) for _, n in spikes])
            capture.spikes[name] = (steps, np.concatenate([_NONE, *(n for _, n in spikes)]))
            self._recorded[name] = []
        for name, sampled in {r.name: r.of(self._arrays[r.array]) for r in self.program.records}.items():
            samples = self._samples[name]
            shape = (len(samples), *sampled.shape)
            rows = np.array([values for _, values in samples], sampled.dtype).reshape(shape)
            capture.records[name] = (np.array([t for t, _ in samples], np.int64), rows)
            self._samples[name] = []
        return capture

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        return dict(self._counts)

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range."""
        return dict(self._overflows)

    # -------------------------------------------------------------------------------------------------- saving, loading

    def save(self) -> State:
        """A copy of all that it holds; what was recorded and not drained is not part of it."""
        step, lags = self.step, lags_delivered(self.program).items()
        arrays = {name: array for name, array in self.program.arrays.items() if array.role != "input"}
        inputs = {name: self._arrays[name] for name in self.program.arrays if name not in arrays}
        histories = {name: (self._histories[name], rows) for name, rows in rows_read(self.program).items()}
        return State(
            step=step,
            item_step=self._item_step,
            readouts=self._active,
            schedules=dealt(self.program, self._schedules),
            arrays={name: self.read(name) for name in arrays},
            inputs={name: raw(ring[ahead(ring, step, len(ring))]) for name, ring in inputs.items()},
            histories={name: raw(ring[back(ring, step - 2, rows)]) for name, (ring, rows) in histories.items()},
            spikes={name: packed(self._spiked(name, step - 1 - lag) for lag in range(n)) for name, n in lags},
            tables={s.name: raw(t) for s in self.program.series if (t := self._tables[s.name]) is not s.table},
            histograms={name: counts.copy() for name, counts in self._histograms.items()},
            counts=self.spike_counts(),
            overflows=self.overflows(),
        )

    def load(self, state: State) -> None:
        """Hold what another executor of the same program held; what was recorded and not drained is dropped."""
        fitting(self.program, state)
        self.drain()
        self.step = state.step
        self.begin_item(state.readouts, state.schedules)
        self._item_step = state.item_step
        for name, values in state.arrays.items():
            self._arrays[name][...] = values
        for name, values in state.inputs.items():
            ring = self._arrays[name]
            ring[ahead(ring, self.step, len(ring))] = values
        for name, values in state.histories.items():
            ring = self._histories[name]
            ring[back(ring, self.step - 2, len(values))] = values
        for name, lags in lags_delivered(self.program).items():
            for lag, numbers in enumerate(unpacked(state.spikes[name], lags)):
                self._spikes[name][(self.step - 1 - lag) % len(self._spikes[name])] = numbers
        self._tables = {s.name: s.table for s in self.program.series}
        for name, table in state.tables.items():
            self.load_series(name, table)
        for name, counts in state.histograms.items():
            self._histograms[name][:] = counts
        self._counts |= state.counts
        self._overflows = dict(state.overflows)


_NONE = np.zeros(0, np.int64)


def _of_source(condition: Expr) -> Expr:
    """A condition on the presynaptic neuron, as one that this neuron reads of itself."""
    if isinstance(condition, Read):
        return replace(condition, at="own") if condition.at == "pre" else condition
    return with_children(condition, _of_source)


def _check_bounds(values: Any, lo: int, hi: int, where: str, t: int, what: str) -> None:
    """Raise AssertionError when an integer lies outside the bounds that its type states."""
    outside = np.less(values, lo) | np.greater(values, hi)
    if outside.any():
        element = int(np.flatnonzero(outside)[0])
        found = int(np.ravel(values)[element])
        place = f"{where}, step {t}, element {element} of those computed"
        raise AssertionError(f"{place}: {what} is {found}, and is said to lie in {lo}..{hi}")
