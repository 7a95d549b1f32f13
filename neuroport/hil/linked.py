"""A session behind a link: what goes to the chip and comes from it is delayed and lost as the link says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroport.errors import InvalidInput
from neuroport.hil.behind import Behind
from neuroport.hil.checkpoints import GIVEN, Arrivals, LinkedCheckpoint, UnderWay
from neuroport.hil.link import Link
from neuroport.hil.wire import LOST, Carried, Message, Wire
from neuroport.numerics.given import FLAG, PATH, TEXT, TEXTS, Kind, takes
from neuroport.numerics.units import Quantity
from neuroport.session.checkpoint import Checkpoint
from neuroport.session.exchange import Exchange, Steps, Train, Write, span, writes_of

if TYPE_CHECKING:
    from neuroport.session.session import Session

LINK = Kind.of("a link, as neuroport.hil.link.load(FILE, dt) gives it", Link)
MOST_WAITING = 1_000_000
"""So many rows that arrived through a port wait to be taken; of more, the oldest are dropped."""


class Linked(Behind):
    """A session as a host has it that reaches the chip through a link; the same methods as those of a session.

    `exchange`, `inject` and `take` pass the link. A write sent while the session stands at step s acts in the step in
    which it arrives, or at `at` where that is later; what arrives after its `at` is counted as late. What the chip does
    in step t is sent when the session stands at t + 1. All else is the bench's own access, which passes no link; `set`
    does where the link says `configure`.
    """

    _session: Session

    def __init__(self, session: Session, link: Link) -> None:
        super().__init__(session)
        self.link = LINK.checked("link", link)
        self._to = Wire(link.to_chip, "to_chip", link.seed, link.whole_messages)
        self._from = Wire(link.from_chip, "from_chip", link.seed, link.whole_messages)
        self._sent: dict[str, int] = {}
        self._late = 0
        self._waiting: dict[str, Arrivals] = {}
        self._targets = {port.name: port.target for port in session.program.ports}
        self._of_parts = {port.name: port.size for port in session.program.ports if port.part is not None}
        self._recorded = frozenset(session.recorded)

    def exchange(
        self,
        inputs: Sequence[Write] | Mapping[str, ArrayLike] = (),
        steps: int | str | Quantity = 1,
        outputs: Sequence[str] = (),
        *,
        clip: bool = False,
    ) -> Exchange:
        """Send inputs, compute that many steps, and take what has arrived until then; see Session.exchange.

        `late` and `dropped` of the reply also count what the link delayed and lost in both directions.
        """
        step, before, late, dropped = self._session.step, self._remembered(), self._late, self._dropped()
        try:
            sent = list(self._passed(writes_of(inputs), clip))
            names = list(dict.fromkeys((*filter(self._lasting, self._waiting), *TEXTS.checked("outputs", outputs))))
            answer = self._session.exchange(sent, steps, names, clip=clip)
        except BaseException:
            if self._session.step == step:  # else what was sent has acted
                self._recall(before)
            raise
        self._receive(answer.outputs)
        taken = {name: self._arrived(name, answer.step) for name in dict.fromkeys(outputs)}
        late, dropped = self._late - late + answer.late, self._dropped() - dropped + answer.dropped
        return replace(answer, outputs=taken, late=late, dropped=dropped)

    @takes(name=TEXT, clip=FLAG)
    def set(self, name: str, value: Any, clip: bool = False) -> None:
        """Give OBJECT.VARIABLE new values; see Session.set. Where the link says `configure`, they are sent."""
        if self.link.configure:
            self.exchange([Write(name, value)], 0, clip=clip)
        else:
            self._session.set(name, value, clip)

    @takes(name=TEXT)
    def inject(self, name: str, neurons: Any, values: Any, at: Steps | None = None, hold: Steps = 1) -> None:
        """Send values for an input; see Session.inject."""
        self._session.check_input(name)
        self.exchange([Write(name, values, neurons, at, hold)], 0)

    @takes(outputs=TEXT)
    def take(self, *outputs: str) -> dict[str, Train]:
        """What has arrived through these outputs since they were last taken."""
        return self.exchange((), 0, outputs or tuple(self._session.recorded)).outputs

    def describe(self) -> dict[str, Any]:
        """What the session is, with its link."""
        return self._session.describe() | {"link": self.link.described()}

    def stats(self) -> dict[str, Any]:
        """The session's counts, with what the link delayed and lost."""
        counts = self._session.stats()
        late, dropped = counts.get("late", 0) + self._late, counts.get("dropped", 0) + self._dropped()
        return counts | {"late": late, "dropped": dropped}

    def _lasting(self, name: str) -> bool:
        """Whether an output is recorded in every step, whether somebody asks for it or not."""
        return self._targets.get(name, name) in self._recorded

    # ------------------------------------------------------------------------------------------------------ sending

    def _passed(self, writes: Sequence[Write], clip: bool) -> Iterator[Write]:
        """The writes as they arrive, each with its step; what is lost is refused like what arrives."""
        for write in writes:
            number = self._sent.get(write.name, 0)
            self._sent[write.name] = number + 1
            step = self._session.step
            at, first, _ = span(write, step, self._session.plan.dt)
            events = events_of(write)
            arrives = self._to.send(Message(write.name, number, step, events)) if events else np.zeros(0, np.int64)
            if (arrives == LOST).any():
                self._session.check([write], clip=clip)
            acts = np.where(arrives == LOST, LOST, np.maximum(arrives, first))
            if at is not None:
                self._late += int(np.count_nonzero(acts > at)) * self._numbers(write) // max(1, events)
            yield from _at_their_steps(write, acts)

    def _numbers(self, write: Write) -> int:
        """How many numbers a write comes to at the chip, where one may be sent for all neurons."""
        array = self._session.program.arrays.get(self._targets.get(write.name, write.name))
        if array is None or not array.initial.ndim:
            return 1
        every = self._of_parts.get(write.name, len(array.initial))
        neurons = every if write.neurons is None else events_of(write)
        return neurons * (array.initial.size // max(1, len(array.initial)))

    # ---------------------------------------------------------------------------------------------------- receiving

    def _receive(self, outputs: Mapping[str, Train]) -> None:
        """Send what came out of the chip through the link, in the order of steps and outputs."""
        rows = {name: _rows(steps) for name, (steps, _) in outputs.items()}
        order = sorted((step, k, name) for k, name in enumerate(rows) for step in rows[name])
        arrives = {name: np.empty(len(steps), np.int64) for name, (steps, _) in outputs.items()}
        for step, _, name in order:
            begin, end = rows[name][step]
            arrives[name][begin:end] = self._carried(name, step, end - begin, outputs[name][1])
        for name, (steps, values) in outputs.items():
            there = arrives[name] != LOST
            more = Arrivals(arrives[name], steps, values).chosen(there)
            if name in self._waiting:
                self._waiting[name].add(more)
            else:
                self._waiting[name] = more
            self._bound(name)

    def _carried(self, name: str, step: int, rows: int, values: NDArray[Any]) -> NDArray[np.int64]:
        """When the rows of one step arrive: spikes each, or the values of one row together."""
        if values.ndim == 1:
            return self._from.send(Message(name, step, step + 1, rows))
        width = max(1, int(np.prod(values.shape[1:])))
        arrives = self._from.send(Message(name, step, step + 1, rows * width))
        lost = (arrives == LOST).any()
        return np.full(rows, LOST if lost else arrives.max(), np.int64)

    def _arrived(self, name: str, step: int) -> Train:
        """What has arrived through a port before the session stands at `step`, by step; it waits no longer."""
        waiting = self._waiting[name]
        there = waiting.arrives <= step
        taken = waiting.chosen(there)
        self._waiting[name] = waiting.chosen(~there)
        order = np.lexsort((taken.values, taken.steps)) if taken.values.ndim == 1 else np.argsort(taken.steps)
        return taken.steps[order], taken.values[order]

    def _bound(self, name: str) -> None:
        """Let go of the oldest of what nobody takes."""
        surplus = len(self._waiting[name].steps) - MOST_WAITING
        if surplus > 0:
            self._waiting[name] = self._waiting[name].chosen(np.arange(surplus, surplus + MOST_WAITING))
            self._from.dropped += surplus

    # ------------------------------------------------------------------------------------------------------- saving

    def _dropped(self) -> int:
        return self._to.dropped + self._from.dropped

    def _remembered(self) -> tuple[Carried, dict[str, int], int]:
        return self._to.saved(), dict(self._sent), self._late

    def _recall(self, before: tuple[Carried, dict[str, int], int]) -> None:
        self._to.restore(before[0])
        self._sent, self._late = dict(before[1]), before[2]

    def saved(self) -> UnderWay:
        """The state of the link, beside that of the session: numbers of messages, counts, and what is under way."""
        to_chip, sent, late = self._remembered()
        waiting = {name: one.chosen(np.arange(len(one.steps))) for name, one in self._waiting.items()}
        return UnderWay(to_chip, self._from.saved(), sent, late, waiting)

    @takes(path=PATH.or_none)
    def checkpoint(self, path: str | Path | None = None) -> LinkedCheckpoint:
        """All that this session and its link go on from; with a path also as a file. See Session.checkpoint."""
        made = LinkedCheckpoint(self._session.checkpoint(), self.saved())
        if path is not None:
            made.save(path)
        return made

    @takes(checkpoint=GIVEN)
    def restore(self, checkpoint: LinkedCheckpoint | Checkpoint | str | Path) -> None:
        """Go on from a checkpoint of a session behind the same link, or from its file. See Session.restore."""
        given = checkpoint
        if not isinstance(given, Checkpoint | LinkedCheckpoint):
            given = LinkedCheckpoint.load(given)
        if not isinstance(given, LinkedCheckpoint):
            text = "this session is behind a link, and the checkpoint is of one that is not; open one without a link"
            raise InvalidInput.one(None, text)
        self._session.restore(given.session)
        self._hold(given.link)

    def fork(self, n: int = 1) -> list[Linked]:
        """So many other sessions behind such a link that go on from here by themselves. See Session.fork."""
        forks = [Linked(session, self.link) for session in self._session.fork(n)]
        for fork in forks:
            fork._hold(self.saved())
        return forks

    def _hold(self, saved: UnderWay) -> None:
        self._recall((saved.to_chip, dict(saved.sent), saved.late))
        self._from.restore(saved.from_chip)
        self._waiting = {name: one.chosen(np.arange(len(one.steps))) for name, one in saved.waiting.items()}


def events_of(write: Write) -> int:
    """How many numbers a write has; one, where it has what the session refuses."""
    given = write.values if write.neurons is None else write.neurons
    if isinstance(given, list | tuple):
        return len(given)
    shape = getattr(given, "shape", ())
    return int(shape[0]) if shape else 1


def _rows(steps: NDArray[np.int64]) -> dict[int, tuple[int, int]]:
    """Where the rows of each step begin and end."""
    found, begins, counts = np.unique(steps, return_index=True, return_counts=True)
    rows = zip(found.tolist(), begins.tolist(), counts.tolist(), strict=True)
    return {step: (begin, begin + count) for step, begin, count in rows}


def _at_their_steps(write: Write, acts: NDArray[np.int64]) -> Iterator[Write]:
    """A write in the steps in which its numbers act: one, or one for each of these steps."""
    there = np.unique(acts[acts != LOST]).tolist()
    if not len(acts) or (len(there) == 1 and (acts != LOST).all()):
        yield replace(write, at=there[0]) if there else write
        return
    values = np.asarray(write.values)
    neurons = np.arange(len(acts)) if write.neurons is None else np.atleast_1d(np.asarray(write.neurons))
    for step in there:
        which = acts == step
        yield replace(write, neurons=neurons[which], values=values[which] if values.ndim else values, at=step)
