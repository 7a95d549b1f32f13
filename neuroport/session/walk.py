"""Walking through a protocol: each item in turn, and within long ones piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics.steps import MOST
from neuroport.program.names import LENGTH
from neuroport.program.plan import (
    Anneal,
    Capture,
    Item,
    Measure,
    Present,
    Reset,
    Run,
    Set,
    Trigger,
    number_of_patterns,
    patterns_of,
    walk,
)
from neuroport.session.controls import Controls
from neuroport.session.measure import Measuring
from neuroport.session.patterns import PatternTables
from neuroport.session.position import Cursor, Path, Plateau, Position
from neuroport.session.protocol import continued, schedule
from neuroport.session.record import Chunk, Recorder


class Walk:
    """The protocol of a plan on one executor, where in it that is, and what its items remember of earlier ones.

    A protocol without `measure` ends in the measurement of all metrics.
    """

    def __init__(
        self, controls: Controls, recorder: Recorder, patterns: PatternTables, measuring: Measuring, seed: int
    ) -> None:
        self.controls, self.recorder, self.patterns, self.measuring = controls, recorder, patterns, measuring
        self.program, self.executor = controls.program, controls.executor
        self.sampler, self.switchboard, self.seed = recorder.sampler, controls.switchboard, seed
        self._items = _with_a_measurement(controls.plan.protocol)
        self._cursor: Cursor | None = None
        self._begun = 0
        self._item_began: int | None = None
        self._acted = (0, 0)
        self._item_length: int | None = None
        self._presentations: dict[str, int] = {}
        self._gone_on: dict[str, int] = {}
        self._plateaus: dict[Path, Plateau] = {}

    @property
    def begun(self) -> int:
        """The step at which the protocol that is under way began; the next step if none is."""
        return self._begun if self._cursor is not None else self.executor.step

    @property
    def position(self) -> Position:
        """Where it is. Between two pieces of `through` that, and what the executor holds, is all to go on from."""
        path = () if self._cursor is None else self._cursor.path
        item = None if self._cursor is None else self._cursor.item
        steps, acted = self._done(item) if isinstance(item, Run | Present) else (0, 0)
        kept = dict(self._presentations), dict(self._plateaus), acted, dict(self._gone_on)
        return Position(path, steps, self._begun, self._item_length, *kept)

    def move(self, to: Position, step: int) -> None:
        """Be where another session was with the same plan, before that step.

        ValueError for a place that its protocol does not have.
        """
        cursor = Cursor(self._items, to.path) if to.path else None
        if cursor is not None:
            cursor.check(to.steps, to.acted)
        if not all(0 <= shown <= MOST for shown in to.gone_on.values()):
            raise ValueError(to.gone_on)
        self._cursor = cursor
        self._item_began = step - to.steps if to.steps or to.acted else None
        self._acted, self._begun, self._item_length = (step, to.acted), to.begin, to.length
        self._presentations, self._plateaus = dict(to.presentations), dict(to.plateaus)
        self._gone_on = dict(to.gone_on)

    def through(self, chunk: Chunk | None) -> Iterator[None]:
        """Do the protocol, or the rest of it, stopping after each item and within long ones."""
        if self._cursor is None:
            self._cursor, self._begun = Cursor(self._items), self.executor.step
        cursor = self._cursor
        while (item := cursor.item) is not None:
            if isinstance(item, Run | Present):
                yield from self._compute(item, chunk)
                cursor.advance()
            else:
                self._at_once(item, cursor.place)
                cursor.advance()
                yield
        self._cursor = None

    def _compute(self, item: Run | Present, chunk: Chunk | None) -> Iterator[None]:
        """The steps of an item, or the rest of them, and what is to be done in its patterns."""
        if self._item_began is None:
            self._begin(item)
            self.measuring.begin(item.readouts)
            self._item_began, self._acted = self.executor.step, (0, 0)
        yield from self._act(item)
        while (steps := self._done(item)[0]) < item.steps:
            for _ in self.recorder.advance(item.next(steps) - steps, chunk):
                yield
            yield from self._act(item)
        self.sampler.finish()
        self.measuring.finish()
        self._item_began = None

    def _done(self, item: Run | Present) -> tuple[int, int]:
        """How many steps of the item were computed, by hand or not, and how much was done in its patterns after them.

        What is to be done at steps that were passed by hand counts as done.
        """
        if self._item_began is None:
            return 0, 0
        steps, (step, acted) = self.executor.step - self._item_began, self._acted
        if steps > item.steps:
            return item.steps, len(item.due(item.steps))
        return steps, acted if step == self.executor.step else 0

    def _act(self, item: Run | Present) -> Iterator[None]:
        """What is to be done in the patterns of an item before its next step, or the rest of that."""
        at, (steps, acted) = self.executor.step, self._done(item)
        for number, action in enumerate(item.due(steps)[acted:], acted + 1):
            self._at_once(action, ())
            self._acted = (at, number)
            yield
            if self.executor.step != at:
                break

    def _at_once(self, item: Trigger | Set | Reset | Capture | Anneal | Measure, place: Path) -> None:
        """An item that takes no steps, and where it stands."""
        match item:
            case Trigger():
                self.controls.trigger(item.event)
            case Set():
                for name, value in item.values:
                    self.controls.set(name, value)
                for name, part, value in item.some:
                    self.controls.set_some(name, part, value)
            case Reset():
                self.controls.reset(item.populations, item.keep_learned)
                for name, part in item.some:
                    self.controls.reset_some(name, part, item.keep_learned)
            case Capture():
                for stimulus, readout in item.rows:
                    self.patterns.capture(stimulus, readout, self.sampler.rows[readout], item)
                for readout in {readout for _, readout in item.rows}:
                    self.sampler.clear(readout)
            case Anneal():
                self.anneal(item, place)
            case Measure():
                self.measuring.measure(item.metrics)

    def _begin(self, item: Run | Present) -> None:
        if isinstance(item, Run):
            self.sampler.begin(self.executor.step, item.steps, item.readouts)
            self._start(item.steps, item.readouts, {})
            return
        name, copies = item.patterns, self.program.copies
        rows = self._next(item, item.holds * copies)
        if copies > 1:
            rows = rows.reshape(-1, copies)
        self.sampler.begin(self.executor.step, item.steps, item.readouts, name, rows, item.hold)
        self._start(item.steps, item.readouts, dict.fromkeys(item.series, rows))

    def _next(self, item: Present, shown: int) -> NDArray[np.int64]:
        """The patterns that an item shows."""
        name, counts = item.patterns, self._gone_on if item.goes_on else self._presentations
        before = counts.get(name, 0)
        counts[name] = before + (shown if item.goes_on else 1)
        patterns = number_of_patterns(patterns_of(name, self.program))
        return (continued if item.goes_on else schedule)(name, item.order, patterns, shown, self.seed, before)

    def _start(self, steps: int, readouts: Sequence[str], schedules: Mapping[str, NDArray[np.int64]]) -> None:
        """Start an item of that many steps, its length T being the nearest one that the program was compiled for.

        Every length in the protocol that it was compiled for is; one in a shortened protocol or by hand may not be.
        """
        if LENGTH in self.program.arrays and steps != self._item_length:
            low, high = self.program.arrays[LENGTH].range or (steps, steps)
            self.switchboard.set(self.executor, {LENGTH: float(min(max(steps, low), high))})
            self._item_length = steps
        self.executor.begin_item(readouts, schedules)

    def anneal(self, item: Anneal, place: Path) -> None:
        """Multiply parameters, each element by itself, if the metric's new measurements say so."""
        plateau = self._plateaus.get(place, Plateau())
        least, above, factor = plateau.least, plateau.above, 1.0
        measured = self.measuring.results[item.when]
        for _, value in measured[plateau.seen :]:
            if not isinstance(value, list) and value < least:
                least, above = value, 0
                continue
            above += 1
            if above > item.patience:
                factor, above = factor * item.by, 0
        self._plateaus[place] = Plateau(len(measured), least, above)
        if factor != 1.0:
            changes = {name: self.switchboard.value(name) * factor for name in item.parameters}
            self.switchboard.set(self.executor, changes)


def _with_a_measurement(protocol: Sequence[Item]) -> tuple[Item, ...]:
    """The protocol, ending in a measurement of all metrics if it has none."""
    measures = any(isinstance(item, Measure) for item in walk(tuple(protocol)))
    return (*protocol,) if measures else (*protocol, Measure(()))
