"""One direction of a link at work: when what is sent arrives, and what never does.

Every draw is a function of (seed, direction, port, message number, event number), so that neither wall time, nor in
which pieces steps are computed, nor the executor can change it. `send` is told everything in the order in which it is
sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neuroport.hil.link import Direction
from neuroport.numerics import rng
from neuroport.numerics.draws import Source, uniform

Whole = NDArray[np.int64]
LOST = -1


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """What is sent through one port in one step: the number of the message, and how many events it has."""

    port: str
    number: int
    step: int
    events: int


@dataclass(frozen=True, slots=True)
class Carried:
    """What a direction remembers.

    dropped: how many events. step, gone: when the next one leaves, and how many have left in that step already.
    last: the step of the last arrival. bad: whether the next loss of a port belongs to a burst, 0 or 1.
    """

    dropped: int
    step: int
    gone: int
    last: int
    bad: Mapping[str, int]


@dataclass(slots=True)
class _Door:
    """Where messages leave: the step in which the next event can, and how many have left in it already."""

    step: int = 0
    gone: int = 0

    def pass_through(self, step: int, events: int, rate: int, queue: int, whole: bool) -> Whole:
        """The steps in which the events leave that are sent in `step`; LOST for those that find the queue full."""
        if self.step < step:
            self.step, self.gone = step, 0
        first = (self.step - step) * rate + self.gone
        fit = min(events, max(0, rate + queue - first))
        if whole and fit < events:
            fit = 0
        leaves = np.full(events, LOST, np.int64)
        leaves[:fit] = step + (first + np.arange(fit)) // rate
        self.step, self.gone = self.step + (self.gone + fit) // rate, (self.gone + fit) % rate
        return leaves


@dataclass(slots=True)
class Wire:
    """One direction. `name` and `seed` key its draws; `whole`: messages are lost and delayed whole.

    `dropped`: how many events were lost on their way or found the queue full.
    """

    way: Direction
    name: str
    seed: int
    whole: bool
    dropped: int = 0
    _door: _Door = field(default_factory=_Door)
    _last: int = 0
    _bad: dict[str, bool] = field(default_factory=dict)

    def send(self, message: Message) -> Whole:
        """The steps (events,) in which the events of a message arrive; LOST for those that do not."""
        way, units = self.way, 1 if self.whole else message.events
        leaves = np.full(message.events, message.step, np.int64)
        if way.bandwidth is not None:
            leaves = self._door.pass_through(message.step, message.events, way.bandwidth, way.queue, self.whole)
        leaves = leaves[-1:] if self.whole else leaves
        if not message.events:
            leaves = np.full(units, message.step, np.int64)
        arrives = np.where(leaves == LOST, LOST, leaves + way.latency + self._jitter(message, units))
        arrives[self._lost(message, units)] = LOST
        arrives = self._ordered(arrives)
        arrives = np.repeat(arrives, message.events) if self.whole else arrives
        self.dropped += int(np.count_nonzero(arrives == LOST))
        return arrives

    def _draws(self, message: Message, what: str, units: int) -> NDArray[np.float64]:
        source = Source(self.seed, f"{self.name}\0{message.port}", what)
        return uniform(rng.words(source.key(message.number), np.arange(units, dtype=np.uint64)))

    def _jitter(self, message: Message, units: int) -> Whole | int:
        jitter = self.way.jitter
        if len(jitter.steps) == 1:
            return jitter.steps[0]
        draws = self._draws(message, "jitter", units)
        chosen = np.searchsorted(np.cumsum(jitter.chances), draws, side="right")
        return np.asarray(jitter.steps, np.int64)[np.minimum(chosen, len(jitter.steps) - 1)]

    def _lost(self, message: Message, units: int) -> NDArray[np.bool_]:
        if not self.way.drop:
            return np.zeros(units, np.bool_)
        draws = self._draws(message, "drop", units)
        if self.way.burst is None:
            return draws < self.way.drop
        return np.array([self._bursting(message.port, draw) for draw in draws.tolist()], np.bool_)

    def _bursting(self, port: str, draw: float) -> bool:
        """Whether the next unit of a port is lost, losses coming in a row (Gilbert's two states)."""
        drop, mean = self.way.drop, self.way.burst or 1.0
        before = self._bad.get(port)
        if before is None:
            bad = draw < drop
        elif before:
            bad = draw >= 1 / mean
        else:
            bad = draw < drop / (mean * (1 - drop))
        self._bad[port] = bad
        return bad

    def _ordered(self, arrives: Whole) -> Whole:
        """Let nothing arrive before what was sent before it, where the order is kept."""
        if self.way.order == "free":
            return arrives
        there = arrives != LOST
        if there.any():
            arrives[there] = np.maximum.accumulate(np.maximum(arrives[there], self._last))
            self._last = int(arrives[there][-1])
        return arrives

    def saved(self) -> Carried:
        """What the direction remembers."""
        bad = {port: int(is_bad) for port, is_bad in self._bad.items()}
        return Carried(self.dropped, self._door.step, self._door.gone, self._last, bad)

    def restore(self, saved: Carried) -> None:
        """Go on from what was remembered."""
        self.dropped, self._last = saved.dropped, saved.last
        self._bad = {port: bool(is_bad) for port, is_bad in saved.bad.items()}
        self._door = _Door(saved.step, saved.gone)
