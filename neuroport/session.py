"""A session: a network whose program is being executed, driven by its protocol or by hand."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuroport import metrics, targets, units
from neuroport.derived import Switchboard, raw
from neuroport.errors import InvalidInput, Unsupported
from neuroport.executor import Backend, Capture, Executor
from neuroport.materialise import Materialiser
from neuroport.naming import FACTOR
from neuroport.network import (
    Anneal,
    If,
    Item,
    Measure,
    Metric,
    Network,
    Patterns,
    Present,
    Repeat,
    Reset,
    Run,
    Set,
    Trigger,
)
from neuroport.network import Capture as CaptureItem
from neuroport.program import Array, Int, Program
from neuroport.protocol import (
    holds,
    patterns_of,
    present_holds,
    present_steps,
    protocol_steps,
    schedule,
    steps_of,
    walk,
    whole_steps,
)
from neuroport.samples import Sampler
from neuroport.stimuli import labels_of
from neuroport.switches import Owner, matching
from neuroport.values import Quantity

Values = NDArray[np.float64] | NDArray[np.int64]
Progress = Callable[[int, int], None]
Chunk = Callable[[int], int]


class Sink(Protocol):
    """Takes what a run records while it goes on, e.g. a trace writer."""

    def capture(self, capture: Capture) -> None:
        """Take spikes and sampled states, raw."""

    def metric(self, name: str, step: int, value: float | list[float]) -> None:
        """Take one measurement, made before step `step`."""

    def weights(self, name: str, step: int, values: NDArray[Any]) -> None:
        """Take one sample of a projection's array, raw, as it was after step `step`."""


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
class _Plateau:
    """How an anneal item has seen its metric: measurements looked at, the least, and how many since were no less."""

    seen: int = 0
    least: float = float("inf")
    above: int = 0


@dataclass
class _Kept:
    """What was recorded so far, piece by piece."""

    spikes: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = field(default_factory=dict)
    records: dict[str, list[tuple[NDArray[np.int64], NDArray[Any]]]] = field(default_factory=dict)


def open_session(
    network: Network,
    program: Program,
    backend: Backend,
    seed: int | None = None,
    sink: Sink | None = None,
    keep: bool | None = None,
) -> Session:
    """A session on a backend. Unsupported when the backend lacks something or cannot execute the program.

    `seed` None is the program's own. See Session for `sink` and `keep`.
    """
    seed = program.seed if seed is None else seed
    executor = usable(backend, program).open(program, seed, spiking(program))
    return Session(network, program, executor, seed=seed, backend=backend.name, sink=sink, keep=keep)


def usable(backend: Backend, program: Program) -> Backend:
    """The backend, if it can execute the program on this machine; else Unsupported with all reasons."""
    missing = backend.missing()
    reasons = (missing,) if missing else backend.check(program)
    if reasons:
        raise Unsupported("\n".join(f"backend '{backend.name}': {reason}" for reason in reasons))
    return backend


def spiking(program: Program) -> tuple[str, ...]:
    """The populations that can spike: an executor has to record them all, for the digest."""
    return tuple(p.name for p in program.populations if p.spiking)


class Session:
    """A network whose program is being executed.

    `executor` must record the spikes of all of `spiking(program)`. `sink` receives what the network file says is to be
    recorded. `keep` says whether spikes and records also stay here for `spikes` and `records`; by default they do when
    there is no sink. `results` holds the measurements: metric name -> list of (step, value). `latest` is what the
    executor recorded in the last piece of a run.
    """

    def __init__(
        self,
        network: Network,
        program: Program,
        executor: Executor,
        *,
        seed: int | None = None,
        backend: str = "",
        sink: Sink | None = None,
        keep: bool | None = None,
    ) -> None:
        self.network, self.program, self.executor = network, program, executor
        self.seed = program.seed if seed is None else seed
        self.backend = backend
        self.results: dict[str, list[tuple[int, float | list[float]]]] = {m.name: [] for m in network.metrics}
        self._sink = sink
        self._keep = sink is None if keep is None else keep
        self.latest = Capture()
        self._kept = _Kept()
        self._switchboard = Switchboard(program)
        self._hashes = {name: hashlib.sha256() for name in spiking(program)}
        self._pace = _Pace()
        self._item_length: int | None = None
        self._presentations: dict[str, int] = {}
        self._last_rates: dict[str, tuple[int, int]] = {}
        self._targets: dict[str, dict[str, NDArray[np.float64]]] = {}
        self._sampler = Sampler(network, program)
        self._tables: dict[str, NDArray[np.float64]] = {}
        self._labels: dict[str, NDArray[np.int64]] = {}
        self._plateaus: dict[int, _Plateau] = {}
        dt = network.dt
        self._weight_records = [(r.of, max(1, whole_steps(r.every, dt))) for r in network.record.weights]

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the executor's memory and files, if it has a way to."""
        close = getattr(self.executor, "close", None)
        if close is not None:
            close()

    @property
    def step(self) -> int:
        """The number of the step that comes next; 0 at the start."""
        return self.executor.step

    # ------------------------------------------------------------------------------------------------ the protocol

    def run_protocol(self, progress: Progress | None = None, chunk: Chunk | None = None) -> None:
        """Do everything that the network's protocol says; `progress(steps done, steps in all)` is told on the way.

        See walk_protocol for `chunk`.
        """
        total = protocol_steps(self.network, self.program)
        start = self.step
        for _ in self.walk_protocol(chunk):
            if progress is not None:
                progress(self.step - start, total)

    def walk_protocol(self, chunk: Chunk | None = None) -> Iterator[None]:
        """Do everything that the protocol says, stopping after every item and within long ones.

        `chunk(step)` says how many steps to compute at most from there, so that sessions on several executors can be
        walked in step; None: as many as take a fraction of a second.
        """
        yield from self._do(self.network.protocol, {}, chunk)
        if not _measures(self.network.protocol):
            self.measure()
            yield

    def _do(self, items: Sequence[Item], variables: dict[str, int], chunk: Chunk | None) -> Iterator[None]:
        for item in items:
            match item:
                case Repeat():
                    for k in range(item.count):
                        yield from self._do(item.do, variables | {item.variable: k}, chunk)
                case If():
                    chosen = item.then if holds(item.condition, variables) else item.otherwise
                    yield from self._do(chosen, variables, chunk)
                case Run():
                    length = whole_steps(item.duration, self.network.dt)
                    self._sampler.begin(self.step, length, item.readouts)
                    self._begin(length, item.readouts, {})
                    yield from self._advance(length, chunk)
                    self._sampler.finish()
                case Present():
                    yield from self._present(item, chunk)
                case Trigger():
                    self.trigger(item.event)
                    yield
                case Set():
                    for text, quantity in item.values:
                        for name in self._dynamic(text):
                            self.set(name, quantity)
                    yield
                case Reset():
                    self.reset(*item.populations, keep_learned=item.keep_learned)
                    yield
                case CaptureItem():
                    for stimulus, readout in item.rows:
                        self._capture(stimulus, readout, item)
                    for readout in {readout for _, readout in item.rows}:
                        self._sampler.clear(readout)
                    yield
                case Anneal():
                    self._anneal(item)
                    yield
                case Measure():
                    self.measure(*item.metrics)
                    yield

    def _present(self, item: Present, chunk: Chunk | None) -> Iterator[None]:
        name, program = item.patterns, self.program
        series = patterns_of(name, program)
        shown = [s.name for s in self.network.stimuli if isinstance(s, Patterns) and name in (s.name, s.beside)]
        number = self._presentations.get(name, 0)
        self._presentations[name] = number + 1
        count = present_holds(item, program) * program.copies
        rows = schedule(self.network.patterns(name), series, count, self.seed, number)
        if program.copies > 1:
            rows = rows.reshape(-1, program.copies)
        steps = present_steps(item, program)
        self._sampler.begin(self.step, steps, item.readouts, name, rows, series.hold)
        self._begin(steps, item.readouts, dict.fromkeys(shown, rows))
        yield from self._advance(steps, chunk)
        self._sampler.finish()

    def _capture(self, stimulus: str, readout: str, item: CaptureItem) -> None:
        """The rows of a readout become the patterns of a stimulus."""
        table = self._table(stimulus).copy()
        series = patterns_of(stimulus, self.program)
        given = np.zeros(len(table), bool)
        for shown in self._sampler.rows[readout]:
            if len(shown.patterns) and not 0 <= shown.patterns.min() <= shown.patterns.max() < len(table):
                what = f"pattern {shown.patterns.max()} of '{shown.stimulus}'" if shown.stimulus else "a run"
                text = f"'{stimulus}' cannot take what readout '{readout}' saw of {what}; it has {len(table)} patterns"
                raise InvalidInput.one(item.place, text)
            table[shown.patterns] = shown.values
            given[shown.patterns] = True
        if item.all_shown and not given.all():
            first = int(np.argmin(given))
            text = f"readout '{readout}' has rows of {given.sum()} of the {len(table)} patterns of '{stimulus}'; the "
            text += f"first that was not shown is {first}; present all of them before 'capture'"
            raise InvalidInput.one(item.place, text)
        array = self.program.arrays[series.input]
        numbers = raw(table, array.type)
        self._tables[stimulus] = real(numbers, array)
        self.executor.load_series(stimulus, numbers)

    def _table(self, stimulus: str) -> NDArray[np.float64]:
        """The patterns of a stimulus as they are now, in real units."""
        if stimulus not in self._tables:
            series = patterns_of(stimulus, self.program)
            self._tables[stimulus] = real(series.table, self.program.arrays[series.input])
        return self._tables[stimulus]

    def _anneal(self, item: Anneal) -> None:
        """Multiply parameters if the metric's new measurements say so."""
        plateau = self._plateaus.setdefault(id(item), _Plateau())
        factor = 1.0
        for _, value in self.results[item.when][plateau.seen :]:
            plateau.seen += 1
            if not isinstance(value, list) and value < plateau.least:
                plateau.least, plateau.above = value, 0
                continue
            plateau.above += 1
            if plateau.above > item.patience:
                factor, plateau.above = factor * item.by, 0
        if factor != 1.0:
            names = dict.fromkeys(name for text in item.parameters for name in self._dynamic(text))
            self._switchboard.set(self.executor, {n: self._switchboard.value(n) * factor for n in names})

    def _dynamic(self, text: str) -> list[str]:
        """The dynamic parameters that a text means; of those that * stands for only what the program has."""
        if "*" not in text:
            return [text]
        owners: list[Owner] = [*self.network.populations, *self.network.projections]
        names = [f"{owner.name}.{parameter.name}" for owner, parameter in matching(owners, text)]
        return [name for name in names if name in self.program.arrays or name in self.program.constants]

    def _begin(self, steps: int, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """Start an item of that many steps, its length T being the nearest one that the program was compiled for.

        Every length in the protocol of the program's network is; one in a shortened protocol or by hand may not be.
        """
        if "run.T" in self.program.arrays and steps != self._item_length:
            low, high = self.program.arrays["run.T"].range or (steps, steps)
            self._switchboard.set(self.executor, {"run.T": float(min(max(steps, low), high))})
            self._item_length = steps
        self.executor.begin_item(readouts, schedules)

    def _advance(self, steps: int, chunk: Chunk | None) -> Iterator[None]:
        """Compute that many steps, in pieces that end where weights are to be sampled."""
        end = self.step + steps
        while self.step < end:
            size = self._pace.steps if chunk is None else chunk(self.step)
            stop = min(end, self.step + size, *(self.step // k * k + k for _, k in self._weight_records))
            before, started = self.step, time.perf_counter()
            self.executor.advance(stop - before)
            numbers = self._drain()
            if stop - before == size:
                self._pace.learn(time.perf_counter() - started, numbers)
            for name, every in self._weight_records:
                if self.step % every == 0 and self._sink is not None:
                    self._sink.weights(name, self.step - 1, self.executor.read(name))
            yield

    def _drain(self) -> int:
        """Take what the executor recorded; how many numbers that was."""
        capture = self.latest = self.executor.drain()
        numbers = 0
        for name, (steps, neurons) in capture.spikes.items():
            numbers += 2 * len(steps)
            self._hashes[name].update(np.stack([steps, neurons], axis=1).astype("<i8").tobytes())
            if self._keep and len(steps):
                self._kept.spikes.setdefault(name, []).append((steps, neurons))
        for name, (steps, values) in capture.records.items():
            numbers += values.size
            if name in self._sampler.rows:
                self._sampler.feed(name, steps, values)
            elif self._keep and len(steps):
                self._kept.records.setdefault(name, []).append((steps, values))
        if self._sink is not None:
            wanted = {n: s for n, s in capture.spikes.items() if n in self.network.record.spikes}
            records = {n: r for n, r in capture.records.items() if n not in self._sampler.rows}
            self._sink.capture(Capture(wanted, records))
        return numbers

    # --------------------------------------------------------------------------------------------------- by hand

    def run(self, duration: int | str | Quantity, progress: Progress | None = None) -> None:
        """Simulate for a number of steps, or a time such as "100 ms".

        The step count of the model language's `item_step` goes on, and `T` stays what it was: the length of the last
        protocol item, at first the longest; `set("run.T", steps)` gives it another value.
        """
        steps = self._steps(duration)
        start = self.step
        for _ in self._advance(steps, None):
            if progress is not None:
                progress(self.step - start, steps)

    def _steps(self, duration: int | str | Quantity) -> int:
        steps = steps_of(duration, self.network.dt)
        if steps < 0:
            text = f"a run cannot last {steps} steps; give a number of steps from 0"
            raise InvalidInput.one(None, text)
        return steps

    def trigger(self, event: str) -> None:
        """Run every triggered block of that name."""
        names = sorted({e.name for e in self.program.events})
        self._known(event, names, "event")
        self.executor.trigger(event)

    def reset(self, *populations: str, keep_learned: bool = False) -> None:
        """Put populations back to their initial state and discard their spikes in flight.

        `keep_learned`: their variables of class plastic stay as they are.
        """
        for name in populations:
            self._known(name, [p.name for p in self.program.populations], "population")
            arrays = self.program.arrays
            plastic = [n for n, a in arrays.items() if a.owner == name and a.kind_class == "plastic"]
            kept = [n for n in plastic if arrays[n].role in ("state", "visible")]
            kept += [f"{n}.visible" for n in kept if f"{n}.visible" in arrays]
            before = {n: self.executor.read(n) for n in kept} if keep_learned else {}
            self.executor.reset(name)
            for array, values in before.items():
                self.executor.write(array, values)

    def inject(self, population: str, input: str, neurons: Any, values: Any) -> None:
        """Add values (real units) to an input of some neurons in the coming step."""
        name = f"{population}.{input}"
        array = self._array(name)
        if array.role != "input":
            raise InvalidInput.one(None, f"'{name}' is not an input; use `set` to change a variable")
        total = self.executor.read(name)
        added = raw(np.asarray(values), array.type)
        added = added[..., None] if total.ndim == 2 and added.ndim == 1 else added
        np.add.at(total, np.asarray(neurons, np.int64), added)
        self.executor.write(name, total)

    def get(self, name: str) -> NDArray[np.float64]:
        """The values of OBJECT.VARIABLE in real units (ms, mV, nA, …), (size,), or (size, copies) in a batch."""
        array = self._array(name)
        return np.asarray(real(self.executor.read(name), array), np.float64)

    def set(self, name: str, value: Any) -> None:
        """Give OBJECT.VARIABLE new values: one for all or an array of its shape, in real units, or a quantity.

        Of parameters only dynamic ones can be set; what is derived from them follows.
        """
        number = self._number(name, value)
        array = self.program.arrays.get(name)
        if name in self.program.constants or (array is not None and array.role == "parameter"):
            if array is not None and not array.dynamic:
                text = f"'{name}' is fixed while the network runs; declare the parameter `dynamic: true` with a range"
                raise InvalidInput.one(None, text)
            if np.size(number) != 1:
                text = f"'{name}' is switched with one value for all, and {np.size(number)} were given; give one number"
                raise InvalidInput.one(None, text)
            self._switchboard.set(self.executor, {name: float(np.ravel(number)[0])})
            return
        array = self._array(name)
        self._write(array, number)
        visible = self.program.arrays.get(f"{name}.visible")
        if visible is not None:
            self._write(visible, number)

    def _write(self, array: Array, number: Any) -> None:
        values = raw(np.asarray(number), array.type)
        if array.initial.ndim == 2 and values.ndim == 1:
            values = values[:, None]  # the same in all copies
        values = np.broadcast_to(values, array.initial.shape)
        self.executor.write(array.name, values.astype(array.initial.dtype))

    def _number(self, name: str, value: Any) -> Any:
        """A value in the coherent system."""
        if isinstance(value, str):
            value = units.parse(value)
        if not isinstance(value, Quantity):
            return np.asarray(value)
        unit = self._declared_unit(name)
        if units.is_step(unit):
            return float(units.steps(value, self.network.dt)) if value.unit else value.number
        return units.coherent(value.number, value.unit)[0]

    def _declared_unit(self, name: str) -> str:
        owner, _, variable = name.partition(".")
        parameters = [d for p in self.network.populations if p.name == owner for d in p.neuron.parameters]
        parameters += [d for p in self.network.projections if p.name == owner for d in p.synapse.parameters]
        return next((d.unit for d in parameters if d.name == variable), "")

    # ----------------------------------------------------------------------------------------------------- looking

    def spikes(self, population: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Steps and neurons of all spikes of a population so far, sorted by (step, neuron)."""
        self._known(population, list(self._hashes), "spiking population")
        self._must_keep("spikes")
        pieces = self._kept.spikes.get(population, [])
        none = np.zeros(0, np.int64)
        return np.concatenate([none, *(s for s, _ in pieces)]), np.concatenate([none, *(n for _, n in pieces)])

    def records(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Steps (k,) and values (k, size) of a recorded state so far, in real units."""
        self._known(name, [r.array for r in self.program.records if not r.readout], "recorded variable")
        self._must_keep("records")
        array = self.program.arrays[name]
        pieces = self._kept.records.get(name, [])
        steps = np.concatenate([np.zeros(0, np.int64), *(s for s, _ in pieces)])
        values = np.concatenate([np.zeros((0, *array.initial.shape)), *(real(v, array) for _, v in pieces)])
        return steps, values

    def rows(self, readout: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Pattern numbers (k,) and rows (k, cells) of a samples readout since it was last measured or captured.

        The number is -1 for a `run` item.
        """
        self._known(readout, list(self._sampler.rows), "samples readout")
        shown = self._sampler.rows[readout]
        record = next(r for r in self.program.records if r.readout == readout)
        cells = self.program.arrays[record.array].initial.shape[0]
        numbers = np.concatenate([np.zeros(0, np.int64), *(s.patterns for s in shown)])
        return numbers, np.concatenate([np.zeros((0, cells)), *(s.values for s in shown)])

    def weights(self, projection: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Presynaptic neurons, postsynaptic neurons and weights (real units) of a projection's synapses."""
        self._known(projection, [p.name for p in self.program.projections], "projection")
        synapses = self.program.projection(projection)
        name = next(a.name for a in self.program.arrays.values() if a.owner == projection and a.role == "weight")
        return synapses.pre.copy(), synapses.post.copy(), self.get(name)

    def final(self) -> dict[str, Values]:
        """Every array of state and weights as it is now, raw, in the program's order."""
        roles = ("state", "weight", "visible")
        return {n: self.executor.read(n) for n, a in self.program.arrays.items() if a.role in roles}

    def spike_counts(self) -> dict[str, int]:
        """Spikes of each spiking population since the start."""
        return self.executor.spike_counts()

    def overflows(self) -> dict[str, int]:
        """How often a store into each array met a value outside its range (arrays with none are absent)."""
        return self.executor.overflows()

    def digest(self) -> str:
        """SHA-256, in hexadecimal, over all spikes and the state and weights as they are now.

        For every spiking population in program order: its name in UTF-8, a zero byte, and the SHA-256 (32 bytes) of
        its spikes, each as two little-endian int64, step and neuron, sorted by (step, neuron). Then for every array of
        role state, weight or visible in program order: its name, a zero byte, and its elements as little-endian int64
        (raw integers) or float64.
        """
        self._drain()
        whole = hashlib.sha256()
        for name, spikes in self._hashes.items():
            whole.update(name.encode() + b"\0" + spikes.digest())
        for name, values in self.final().items():
            number = "<i8" if values.dtype.kind == "i" else "<f8"
            whole.update(name.encode() + b"\0" + np.ascontiguousarray(values, number).tobytes())
        return whole.hexdigest()

    # ----------------------------------------------------------------------------------------------------- metrics

    def measure(self, *names: str) -> None:
        """Evaluate metrics (none named: all) and add them to `results`. Their readouts then start afresh."""
        chosen = [m for m in self.network.metrics if not names or m.name in names]
        for metric in chosen:
            value = self._measure(metric)
            self.results[metric.name].append((self.step, value))
            if self._sink is not None:
                self._sink.metric(metric.name, self.step, value)
        for readout in {m.of for m in chosen if m.kind == "dkl"}:
            self.executor.clear_histogram(readout)
        for readout in {m.of for m in chosen if m.of in self._sampler.rows}:
            self._sampler.clear(readout)

    def _measure(self, metric: Metric) -> float | list[float]:
        match metric.kind:
            case "dkl":
                name, _, quantity = metric.target.partition(".")
                return metrics.dkl(self.executor.histogram(metric.of), self._target(name)[quantity], metric.floor)
            case "accuracy" | "cross_entropy" | "squared_error":
                return self._of_rows(metric)
            case "asymmetry":
                projection = self.program.projection(metric.of.partition(".")[0])
                values = self._variable(metric.of, metric.effective)
                return _over_copies(lambda w: metrics.asymmetry(projection.pre, projection.post, w), values)
            case "angle" | "distance":
                return self._compared(metric)
            case "rate":
                count = self.executor.spike_counts()[metric.of]
                last_step, last_count = self._last_rates.get(metric.name, (0, 0))
                self._last_rates[metric.name] = (self.step, count)
                size = self.program.population(metric.of).size * self.program.copies
                return metrics.rate(count - last_count, size, self.step - last_step, self.program.dt)
            case _:
                if metric.of in self._sampler.rows:
                    return metrics.over_elements(metric.kind, self.rows(metric.of)[1])
                return metrics.over_elements(metric.kind, self._variable(metric.of, metric.effective))

    def _of_rows(self, metric: Metric) -> float:
        """A metric of the rows of a samples readout and the patterns that were shown."""
        shown = self._sampler.rows[metric.of]
        numbers, rows = self.rows(metric.of)
        if metric.kind == "squared_error":
            return metrics.squared_error(rows, self._table(metric.target)[numbers])
        labels = [self._labels_of(s.stimulus)[s.patterns] for s in shown]
        function = metrics.accuracy if metric.kind == "accuracy" else metrics.cross_entropy
        return function(rows, np.concatenate([np.zeros(0, np.int64), *labels]))

    def _labels_of(self, stimulus: str) -> NDArray[np.int64]:
        if stimulus not in self._labels:
            materialiser = Materialiser(self.network)
            labels = labels_of(self.network.patterns(stimulus), materialiser)
            if materialiser.problems or labels is None:
                raise InvalidInput(materialiser.problems)
            self._labels[stimulus] = labels
        return self._labels[stimulus]

    def _variable(self, name: str, effective: bool) -> NDArray[np.float64]:
        """A variable's values; `effective`: as they act on this chip, visible and times their circuits' deviation."""
        if not effective:
            return self.get(name)
        visible = f"{name}.visible"
        values = self.get(visible if visible in self.program.arrays else name)
        factor = self.program.constants.get(f"{name}_{FACTOR}")
        if factor is None:
            return values
        return values * (factor[..., None] if values.ndim == 2 and factor.ndim == 1 else factor)

    def _compared(self, metric: Metric) -> float:
        """One matrix against another, transposed when it goes the other way; the mean over the copies."""
        projections = [self.program.projection(name.partition(".")[0]) for name in (metric.of, metric.target)]
        one, other = (self._variable(name, metric.effective) for name in (metric.of, metric.target))
        same_way = projections[0].source == projections[1].source
        function = metrics.angle if metric.kind == "angle" else metrics.distance

        def value(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
            first, second = (
                metrics.matrix(p.pre, p.post, w, (p.source_size, p.target_size))
                for p, w in zip(projections, (a, b), strict=True)
            )
            return function(first, second if same_way else second.T)

        return _over_copies(value, one, other)

    def _target(self, name: str) -> dict[str, NDArray[np.float64]]:
        if name not in self._targets:
            target = next(t for t in self.network.targets if t.name == name)
            self._targets[name] = targets.boltzmann(target.weights.array, target.biases.array)
        return self._targets[name]

    # ------------------------------------------------------------------------------------------------------ errors

    def _array(self, name: str) -> Array:
        self._known(name, list(self.program.arrays), "variable")
        return self.program.arrays[name]

    def _known(self, name: str, choices: Sequence[str], what: str) -> None:
        if name not in choices:
            near = units.suggestion(name, list(choices)).strip()
            listed = ", ".join(choices) or "none"
            text = f"there is no {what} '{name}' in network '{self.network.name}'; there are: {listed}"
            raise InvalidInput.one(None, f"{text}; {near}" if near else text)

    def _must_keep(self, what: str) -> None:
        if not self._keep:
            text = f"this session does not keep {what}; read them from its trace, or open it with keep=True"
            raise InvalidInput.one(None, text)


def real(values: Values | NDArray[Any], array: Array) -> NDArray[np.float64]:
    """Raw values of an array as real numbers."""
    frac = array.type.frac if isinstance(array.type, Int) else 0
    return np.ldexp(np.asarray(values, np.float64), -frac)


def _over_copies(function: Callable[..., float], *values: NDArray[np.float64]) -> float:
    """The mean over copies of a number computed from each copy's values; what has no copies is the same for all."""
    copies = max((v.shape[1] for v in values if v.ndim == 2), default=0)
    if not copies:
        return function(*values)
    return float(np.mean([function(*(v[:, c] if v.ndim == 2 else v for v in values)) for c in range(copies)]))


def _measures(items: tuple[Item, ...]) -> bool:
    """Whether a protocol has `measure` items."""
    return any(isinstance(item, Measure) for item in walk(items))
