"""Walking through a protocol: each item in turn, and within long ones piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroport.program.names import LENGTH
from neuroport.program.plan import (
    Anneal,
    Capture,
    If,
    Item,
    Measure,
    Present,
    Repeat,
    Reset,
    Run,
    Set,
    Trigger,
    number_of_patterns,
    patterns_of,
)
from neuroport.session.controls import Controls
from neuroport.session.measure import Measuring
from neuroport.session.patterns import PatternTables
from neuroport.session.protocol import schedule
from neuroport.session.record import Chunk, Recorder


@dataclass
class _Plateau:
    """How an anneal item has seen its metric: measurements looked at, the least, and how many since were no less."""

    seen: int = 0
    least: float = float("inf")
    above: int = 0


class Walk:
    """A protocol's items on one executor, with what they remember of earlier ones."""

    def __init__(
        self, controls: Controls, recorder: Recorder, patterns: PatternTables, measuring: Measuring, seed: int
    ) -> None:
        self.controls, self.recorder, self.patterns, self.measuring = controls, recorder, patterns, measuring
        self.program, self.executor = controls.program, controls.executor
        self.sampler, self.switchboard, self.seed = recorder.sampler, controls.switchboard, seed
        self._item_length: int | None = None
        self._presentations: dict[str, int] = {}
        self._plateaus: dict[int, _Plateau] = {}

    def through(self, items: Sequence[Item], variables: dict[str, int], chunk: Chunk | None) -> Iterator[None]:
        """Do these items, stopping after each and within long ones. `variables`: those of the repeats around them."""
        for item in items:
            match item:
                case Repeat():
                    for k in range(item.count):
                        yield from self.through(item.do, variables | {item.variable: k}, chunk)
                case If():
                    chosen = item.then if item.condition.holds(variables) else item.otherwise
                    yield from self.through(chosen, variables, chunk)
                case Run():
                    yield from self._run(item, chunk)
                case Present():
                    yield from self._present(item, chunk)
                case _:
                    self._at_once(item)
                    yield

    def _at_once(self, item: Trigger | Set | Reset | Capture | Anneal | Measure) -> None:
        """An item that takes no steps."""
        match item:
            case Trigger():
                self.controls.trigger(item.event)
            case Set():
                for name, value in item.values:
                    self.controls.set(name, value)
            case Reset():
                self.controls.reset(item.populations, item.keep_learned)
            case Capture():
                for stimulus, readout in item.rows:
                    self.patterns.capture(stimulus, readout, self.sampler.rows[readout], item)
                for readout in {readout for _, readout in item.rows}:
                    self.sampler.clear(readout)
            case Anneal():
                self.anneal(item)
            case Measure():
                self.measuring.measure(item.metrics)

    def _run(self, item: Run, chunk: Chunk | None) -> Iterator[None]:
        self.sampler.begin(self.executor.step, item.steps, item.readouts)
        self._begin(item.steps, item.readouts, {})
        yield from self.recorder.advance(item.steps, chunk)
        self.sampler.finish()

    def _present(self, item: Present, chunk: Chunk | None) -> Iterator[None]:
        name, copies = item.patterns, self.program.copies
        number = self._presentations.get(name, 0)
        self._presentations[name] = number + 1
        patterns = number_of_patterns(patterns_of(name, self.program))
        rows = schedule(name, item.order, patterns, item.holds * copies, self.seed, number)
        if copies > 1:
            rows = rows.reshape(-1, copies)
        self.sampler.begin(self.executor.step, item.steps, item.readouts, name, rows, item.hold)
        self._begin(item.steps, item.readouts, dict.fromkeys(item.series, rows))
        yield from self.recorder.advance(item.steps, chunk)
        self.sampler.finish()

    def _begin(self, steps: int, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """Start an item of that many steps, its length T being the nearest one that the program was compiled for.

        Every length in the protocol that it was compiled for is; one in a shortened protocol or by hand may not be.
        """
        if LENGTH in self.program.arrays and steps != self._item_length:
            low, high = self.program.arrays[LENGTH].range or (steps, steps)
            self.switchboard.set(self.executor, {LENGTH: float(min(max(steps, low), high))})
            self._item_length = steps
        self.executor.begin_item(readouts, schedules)

    def anneal(self, item: Anneal) -> None:
        """Multiply parameters, each element by itself, if the metric's new measurements say so."""
        plateau = self._plateaus.setdefault(id(item), _Plateau())
        factor = 1.0
        for _, value in self.measuring.results[item.when][plateau.seen :]:
            plateau.seen += 1
            if not isinstance(value, list) and value < plateau.least:
                plateau.least, plateau.above = value, 0
                continue
            plateau.above += 1
            if plateau.above > item.patience:
                factor, plateau.above = factor * item.by, 0
        if factor != 1.0:
            changes = {name: self.switchboard.value(name) * factor for name in item.parameters}
            self.switchboard.set(self.executor, changes)
