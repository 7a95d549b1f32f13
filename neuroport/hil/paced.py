"""When replies are given: as soon as they are there, or by a clock. Never what is in them.

What happens between two replies nobody sees, so a paced exchange computes its steps at once and then gives its reply in
the time of its last step: no reply is given before the time that it tells of.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from numpy.typing import ArrayLike

from neuroport.errors import RunFailed
from neuroport.hil.behind import Behind
from neuroport.numerics.given import NUMBER, Kind, takes
from neuroport.numerics.units import Quantity
from neuroport.session.exchange import LATENESS_BINS, Exchange, Steps, Train, Write

if TYPE_CHECKING:
    from neuroport.hil.linked import Linked
    from neuroport.session.session import Session

MODES = ("free", "locked", "real_time")
POLICIES = ("slip", "stop")
NEAR = 0.0005
"""Seconds before a time from which on a clock is looked at all the time: sleeping is not more exact than that."""

LONGEST_WAIT = 60.0
"""Seconds for which is waited at most for something to come out."""
WAIT = Kind(
    f"a number of seconds from 0 to {LONGEST_WAIT:.0f}",
    lambda value: NUMBER.fits(value) and 0 <= value <= LONGEST_WAIT,
)
PIECE = 0.1
"""Seconds for which a clock sleeps at most before it asks whether to go on waiting."""


Told = TypeVar("Told", Train, dict[str, Train])


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a session goes by the clock.

    mode: `free`, as fast as asked; `locked`, no step is done before its time, and the host says how many come;
    `real_time`, steps also come while the host says nothing. rate: seconds of the network in one of the clock.
    late: what is done later than its time lets the clock `slip`, or the session `stop`.
    """

    mode: Literal["free", "locked", "real_time"] = "free"
    rate: float = 1.0
    late: Literal["slip", "stop"] = "slip"

    def described(self) -> dict[str, Any]:
        """The pace as plain values."""
        return {"mode": self.mode, "rate": self.rate, "late": self.late}


class Clock:
    """The time of every step, in seconds of `now`, since the first one; and how often it was missed, by how much."""

    def __init__(
        self,
        step_s: float,
        now: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._step_s, self._now, self._sleep = step_s, now, sleep
        self._origin: float | None = None
        self.missed = [0] * LATENESS_BINS
        self.slipped = 0.0

    def of(self, step: int) -> float:
        """The time at which a step begins; the clock starts when it is first asked."""
        if self._origin is None:
            self.start(step)
        return (self._origin or 0.0) + step * self._step_s

    def start(self, step: int) -> None:
        """Have a step begin now."""
        self._origin = self._now() - step * self._step_s

    def begin(self, step: int) -> None:
        """A step begins now: a clock that is ahead of it, because nobody asked for it before, slips."""
        self._slip(self._now() - self.of(step))

    def due(self, step: int) -> int:
        """How many steps from this one on have begun by now."""
        return max(0, int((self._now() - self.of(step)) / self._step_s))

    def left(self, step: int) -> float:
        """Seconds until a step begins; negative when it has."""
        return self.of(step) - self._now()

    def reach(self, step: int, ends: Callable[[], bool] = lambda: False) -> float:
        """Wait until a step begins; when it has, the one before it was done late: by how much (s), which is counted.

        Where `ends()`, which is asked within long waits now and then, says so, the step begins now.
        """
        late = -self.left(step)
        if late > 0:
            self.missed[min(LATENESS_BINS - 1, max(0, int(late * 1e6).bit_length() - 1))] += 1
            self._slip(late)
            return late
        while (left := self.left(step)) > 0:
            if left > PIECE and ends():
                self.start(step)
            elif left > NEAR:
                self._sleep(min(left - NEAR, PIECE))
        return 0.0

    def rest(self, until: float, step: int) -> bool:
        """Sleep until a time of the clock, a step, or for a piece of time; whether that time is still to come."""
        now = self._now()
        if now >= until:
            return False
        self._sleep(max(0.0, min(until - now, self.left(step), PIECE)))
        return True

    def after(self, seconds: float) -> float:
        """The time of the clock in so many seconds."""
        return self._now() + seconds

    def _slip(self, seconds: float) -> None:
        if seconds > 0 and self._origin is not None:
            self._origin += seconds
            self.slipped += seconds


class Paced(Behind):
    """A session by the clock; the same methods as those of a session.

    In real time whoever hears the host calls `tick` before each message, and at the latest after `wait` seconds.
    """

    _session: Session | Linked

    def __init__(self, session: Session | Linked, pace: Pace, clock: Clock | None = None) -> None:
        super().__init__(session)
        self.pace = pace
        self._clock = Clock(session.program.dt / 1000 / pace.rate) if clock is None else clock
        self._stopped = ""
        self._ends: Callable[[], bool] = lambda: False

    def end_when(self, ends: Callable[[], bool]) -> None:
        """Have `ends()` asked now and then whether an exchange that computes, or waits for the clock, is to end.

        The clock goes on from where it ended. See Session.end_when.
        """
        self._session.end_when(ends)
        self._ends = ends

    def exchange(
        self,
        inputs: Sequence[Write] | Mapping[str, ArrayLike] = (),
        steps: int | str | Quantity = 1,
        outputs: Sequence[str] = (),
        *,
        clip: bool = False,
    ) -> Exchange:
        """Give inputs, and outputs when their time has come; see Session.exchange."""
        self._must_go()
        before = self._session.step
        if self.pace.mode == "locked":
            self._clock.begin(before)
        answer = self._session.exchange(inputs, steps, outputs, clip=clip)
        if answer.step > before and self.pace.mode != "free":
            self._reach(answer.step)
        return answer

    def inject(self, name: str, neurons: Any, values: Any, at: Steps | None = None, hold: Steps = 1) -> None:
        """Add values to an input of some neurons; see Session.inject."""
        self._session.check_input(name)
        self.exchange([Write(name, values, neurons, at, hold)], 0)

    @takes(wait=WAIT)
    def take(self, *outputs: str, wait: float = 0.0) -> dict[str, Train]:
        """See Session.take; in real time, when something is there, or after `wait` seconds."""
        return self.awaited(lambda: self._session.take(*outputs), wait)

    @takes(wait=WAIT)
    def spikes(self, population: str, since: int | str | Quantity | None = None, wait: float = 0.0) -> Train:
        """See Session.spikes; in real time, when something is there, or after `wait` seconds."""
        return self.awaited(lambda: self._session.spikes(population, since), wait)

    @takes(wait=WAIT)
    def records(self, name: str, since: int | str | Quantity | None = None, wait: float = 0.0) -> Train:
        """See Session.records; in real time, when something is there, or after `wait` seconds."""
        return self.awaited(lambda: self._session.records(name, since), wait)

    def awaited(self, read: Callable[[], Told], wait: float) -> Told:
        """What `read` gives; in real time as soon as there is something in it, at the latest after `wait` seconds."""
        told, end = read(), self._clock.after(wait)
        while self.pace.mode == "real_time" and not _something(told) and not self._stopped and not self._ends():
            if not self._clock.rest(end, self._session.step + 1):
                break
            self.tick()
            told = read()
        return told

    def tick(self) -> None:
        """Do the steps whose time is over, where the chip does not wait for its host."""
        if self.pace.mode == "real_time" and not self._stopped:
            due = self._clock.due(self._session.step)
            if due:
                self._session.run(due)
                late = -self._clock.left(self._session.step + 1)
                if late > 0:
                    self._reach(self._session.step + 1)

    def wait(self) -> float:
        """Seconds until something is to be done while the host says nothing; infinite where it is to say something."""
        if self.pace.mode != "real_time" or self._stopped:
            return float("inf")
        return max(0.0, self._clock.left(self._session.step + 1))

    def _reach(self, step: int) -> None:
        late = self._clock.reach(step, self._ends)
        if late and self.pace.late == "stop":
            self._stopped = f"step {step - 1} was done {late * 1000:.3g} ms after its time, and the session stopped"

    def _must_go(self) -> None:
        if self._stopped:
            raise RunFailed(f"{self._stopped}; open one with a lower rate, or let the clock slip")

    def restore(self, checkpoint: Any) -> None:
        """Go on from a checkpoint; the clock starts with its step. See Session.restore."""
        self._session.restore(checkpoint)
        self._clock.start(self._session.step)

    def fork(self, n: int = 1) -> list[Paced]:
        """So many other sessions that go on from here by themselves, at the same pace. See Session.fork."""
        return [Paced(session, self.pace) for session in self._session.fork(n)]

    def describe(self) -> dict[str, Any]:
        """What the session is, with its pace."""
        return {**self._session.describe(), "pace": self.pace.described()}

    def stats(self) -> dict[str, Any]:
        """The session's counts, with deadlines that were missed and how far the clock slipped."""
        clock = {"missed_deadlines": list(self._clock.missed), "slipped_s": self._clock.slipped}
        return {**self._session.stats(), **(clock if self.pace.mode != "free" else {})}


def _something(told: Train | dict[str, Train]) -> bool:
    """Whether there is anything in what was read."""
    trains = told.values() if isinstance(told, dict) else [told]
    return any(len(steps) for steps, _ in trains)
