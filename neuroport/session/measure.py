"""Evaluating the metrics of a network while its program is executed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from neuroport.metrics.following import Followed, Following
from neuroport.numerics.parts import Part
from neuroport.program.machine import Projection
from neuroport.session.controls import Controls
from neuroport.session.patterns import PatternTables
from neuroport.session.record import Sink
from neuroport.session.sample import Sampler
from neuroport.session.tallies import Tallies

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measured:
    """Results by metric, and of metrics of rates the step and the spikes when they were last measured.

    For a metric of some neurons alone, whose spikes are counted from here on, those since then are below 0. `followed`:
    by metric that follows items.
    """

    results: Mapping[str, Sequence[tuple[int, float | list[float]]]] = field(default_factory=dict)
    counted: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    followed: Mapping[str, Followed] = field(default_factory=dict)


class Measuring:
    """Metrics of counts, variables and samples as they are when asked for.

    `results` holds the measurements: metric name -> list of (step, value).
    """

    def __init__(
        self, controls: Controls, sampler: Sampler, patterns: PatternTables, tallies: Tallies, sink: Sink | None
    ) -> None:
        self.sampler, self.sink, self.executor = sampler, sink, controls.executor
        self.metrics = controls.plan.metrics
        self.results: dict[str, list[tuple[int, float | list[float]]]] = {m.name: [] for m in self.metrics}
        self._seen = Observation(controls, sampler, patterns, tallies)

    @property
    def measured(self) -> Measured:
        """What was measured so far."""
        results = {name: tuple(found) for name, found in self.results.items()}
        return Measured(results, self._seen.last_counted, dict(self._seen.items))

    def hold(self, measured: Measured) -> None:
        """Hold what was measured in another session with the same metrics."""
        for name, found in self.results.items():
            found[:] = measured.results.get(name, ())
        self._seen.hold(measured.counted, measured.followed)

    def begin(self, readouts: Collection[str]) -> None:
        """An item begins during which these readouts are active."""
        self._seen.begin(self._follow(readouts))

    def finish(self) -> None:
        """An item has ended, and its readouts have their rows."""
        self._seen.finish(self._follow(self.sampler.ended))

    def _follow(self, readouts: Collection[str]) -> list[Following]:
        """The metrics that follow items with these readouts."""
        return [m for m in self.metrics if isinstance(m, Following) and set(m.readouts) <= set(readouts)]

    def measure(self, names: Sequence[str]) -> None:
        """Add the values of these metrics (none named: all) to the results. Their readouts then start afresh."""
        chosen = [m for m in self.metrics if not names or m.name in names]
        for metric in chosen:
            with np.errstate(over="ignore", invalid="ignore"):  # a network whose numbers grow without end
                step, value = self.executor.step, metric.value(self._seen)
            self.results[metric.name].append((step, value))
            if self.sink is not None:
                self.sink.metric(metric.name, step, value)
        self._seen.forget(metric.name for metric in chosen)
        for readout in {readout for m in chosen for readout in m.readouts}:
            if readout in self.sampler.rows:
                self.sampler.clear(readout)
            else:
                self.executor.clear_histogram(readout)


class Observation:
    """What metrics may look at in a run that goes on; see metrics.metric.Observed."""

    def __init__(self, controls: Controls, sampler: Sampler, patterns: PatternTables, tallies: Tallies) -> None:
        self._controls, self._sampler, self._patterns = controls, sampler, patterns
        self._program, self._plan, self._executor = controls.program, controls.plan, controls.executor
        self._tallies = tallies
        self._counted: dict[str, tuple[int, int]] = {}
        """By metric of rates: step and spikes when it was last measured."""
        self.items: dict[str, Followed] = {}
        """By metric that follows items."""

    @property
    def last_counted(self) -> dict[str, tuple[int, int]]:
        """See Measured."""
        counts = self._tallies.counts
        known = dict.fromkeys(counts, (0, 0)) | self._counted
        return {name: (step, spikes - counts.get(name, 0)) for name, (step, spikes) in known.items()}

    def hold(self, counted: Mapping[str, tuple[int, int]], items: Mapping[str, Followed]) -> None:
        """Go on from what `last_counted` and `items` of another one gave."""
        self._counted, self.items = dict(counted), dict(items)
        self._tallies.clear()

    def begin(self, metrics: Iterable[Following]) -> None:
        """An item begins that these follow."""
        for metric in metrics:
            began = metric.taken(self)
            known = self.items.get(metric.name, Followed(first=began))
            self.items[metric.name] = replace(known, began=began)

    def finish(self, metrics: Iterable[Following]) -> None:
        """An item has ended that these follow."""
        for metric in metrics:
            known = self.items.get(metric.name)
            if known is not None:
                with np.errstate(over="ignore", invalid="ignore"):
                    more = metric.gained(self, known.began)
                    sums = {name: known.gained[name] + value if known.gained else value for name, value in more.items()}
                self.items[metric.name] = replace(known, gained=sums)

    def forget(self, metrics: Iterable[str]) -> None:
        """These were measured."""
        for name in metrics:
            self.items.pop(name, None)

    @property
    def dt(self) -> float:
        """See Observed."""
        return self._program.dt

    def spikes_since(self, metric: str, population: str, part: Part | None = None) -> tuple[int, int, int]:
        """See Observed."""
        if part is None:
            count, neurons = self._executor.spike_counts()[population], self._program.population(population).size
        else:
            count, neurons = self._tallies.counts[metric], len(part)
        step = self._executor.step
        last_step, last_count = self._counted.get(metric, (0, 0))
        self._counted[metric] = (step, count)
        return count - last_count, neurons * self._program.copies, step - last_step

    def variable(self, name: str, effective: bool) -> Real:
        """See Observed."""
        if not effective:
            return self._controls.get(name)
        array = self._program.arrays[name]
        values = self._controls.get(array.visible or name)
        factor = self._program.constants.get(array.factor)
        if factor is None:
            return values
        return values * (factor[..., None] if values.ndim == 2 and factor.ndim == 1 else factor)

    def of_synapses(self, name: str, effective: bool) -> Real:
        """See Observed."""
        values, entry = self.variable(name, effective), self.entry(name)
        return values if entry is None else values[entry]

    def entry(self, name: str) -> NDArray[np.int64] | None:
        """See Observed."""
        array = self._program.arrays[name]
        return self._program.projection(array.owner).wiring.entry if array.at == "kernel" else None

    def synapses(self, projection: str) -> Projection:
        """See Observed."""
        return self._program.projection(projection)

    def histogram(self, readout: str) -> NDArray[np.int64]:
        """See Observed."""
        return self._executor.histogram(readout)

    def rows(self, readout: str) -> tuple[NDArray[np.int64], Real]:
        """See Observed."""
        return self._sampler.joined(readout)

    def latest(self, readout: str) -> Real:
        """See Observed."""
        return self._sampler.ended[readout]

    def followed(self, metric: str) -> Followed:
        """See Observed."""
        return self.items.get(metric, Followed())

    def labels(self, readout: str) -> NDArray[np.int64]:
        """See Observed."""
        labels = [self._plan.labels[s.stimulus][s.patterns] for s in self._sampler.rows[readout]]
        return np.concatenate([np.zeros(0, np.int64), *labels])

    def patterns(self, stimulus: str) -> Real:
        """See Observed."""
        return self._patterns.table(stimulus)

    def distribution(self, target: str) -> Real:
        """See Observed."""
        return self._plan.distributions[target]
