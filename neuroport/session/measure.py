"""Evaluating the metrics of a network while its program is executed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from neuroport.elaborate import targets
from neuroport.network.results import Metric
from neuroport.session import metrics
from neuroport.session.controls import Controls
from neuroport.session.patterns import PatternTables
from neuroport.session.record import Sink
from neuroport.session.sample import Sampler


class Measuring:
    """Metrics of counts, variables and samples as they are when asked for.

    `results` holds the measurements: metric name -> list of (step, value).
    """

    def __init__(self, controls: Controls, sampler: Sampler, patterns: PatternTables, sink: Sink | None) -> None:
        self.controls, self.sampler, self.patterns, self.sink = controls, sampler, patterns, sink
        self.network, self.program, self.executor = controls.network, controls.program, controls.executor
        self.results: dict[str, list[tuple[int, float | list[float]]]] = {m.name: [] for m in self.network.metrics}
        self._last_rates: dict[str, tuple[int, int]] = {}
        self._targets: dict[str, dict[str, NDArray[np.float64]]] = {}

    def measure(self, names: Sequence[str]) -> None:
        """Add the values of these metrics (none named: all) to the results. Their readouts then start afresh."""
        chosen = [m for m in self.network.metrics if not names or m.name in names]
        for metric in chosen:
            step, value = self.executor.step, self._value(metric)
            self.results[metric.name].append((step, value))
            if self.sink is not None:
                self.sink.metric(metric.name, step, value)
        for readout in {m.of for m in chosen if m.kind == "dkl"}:
            self.executor.clear_histogram(readout)
        for readout in {m.of for m in chosen if m.of in self.sampler.rows}:
            self.sampler.clear(readout)

    def _value(self, metric: Metric) -> float | list[float]:
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
                return self._rate(metric)
            case _:
                if metric.of in self.sampler.rows:
                    return metrics.over_elements(metric.kind, self.sampler.joined(metric.of)[1])
                return metrics.over_elements(metric.kind, self._variable(metric.of, metric.effective))

    def _rate(self, metric: Metric) -> float:
        """The rate since the previous measurement."""
        step, count = self.executor.step, self.executor.spike_counts()[metric.of]
        last_step, last_count = self._last_rates.get(metric.name, (0, 0))
        self._last_rates[metric.name] = (step, count)
        size = self.program.population(metric.of).size * self.program.copies
        return metrics.rate(count - last_count, size, step - last_step, self.program.dt)

    def _of_rows(self, metric: Metric) -> float:
        """A metric of the rows of a samples readout and the patterns that were shown."""
        shown = self.sampler.rows[metric.of]
        numbers, rows = self.sampler.joined(metric.of)
        if metric.kind == "squared_error":
            return metrics.squared_error(rows, self.patterns.table(metric.target)[numbers])
        labels = [self.patterns.labels(s.stimulus)[s.patterns] for s in shown]
        function = metrics.accuracy if metric.kind == "accuracy" else metrics.cross_entropy
        return function(rows, np.concatenate([np.zeros(0, np.int64), *labels]))

    def _variable(self, name: str, effective: bool) -> NDArray[np.float64]:
        """A variable's values; `effective`: as they act on this chip, visible and times their circuits' deviation."""
        if not effective:
            return self.controls.get(name)
        array = self.program.arrays[name]
        values = self.controls.get(array.visible or name)
        factor = self.program.constants.get(array.factor)
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


def _over_copies(function: Callable[..., float], *values: NDArray[np.float64]) -> float:
    """The mean over copies of a number computed from each copy's values; what has no copies is the same for all."""
    copies = max((v.shape[1] for v in values if v.ndim == 2), default=0)
    if not copies:
        return function(*values)
    return float(np.mean([function(*(v[:, c] if v.ndim == 2 else v for v in values)) for c in range(copies)]))
