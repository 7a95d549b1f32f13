"""What stands before a session and is one itself."""

from __future__ import annotations

import time
from typing import Any, Self

from neuroport.numerics.given import FUNCTION, takes
from neuroport.numerics.steps import steps_of
from neuroport.numerics.units import Quantity

SOON, LATE = 0.1, 0.4
"""Seconds that a piece of a run takes, whose progress is told, at least and at most once it is known how fast it is."""


class Behind:
    """A session that does some things in another way; all that it does not say itself is that of the one behind it.

    `exchange` is one of them.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        """What is not said here."""
        return getattr(self._session, name)

    def __enter__(self) -> Self:
        self._session.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._session.__exit__(*error)

    @takes(progress=FUNCTION.or_none)
    def run(self, duration: int | str | Quantity, progress: Any = None) -> None:
        """Simulate for a number of steps, or a time such as "100 ms", in exchanges of nothing; see Session.run."""
        if progress is None:
            self.exchange((), duration)
            return
        self._session.check((), duration)
        steps, start, piece = steps_of(duration, self._session.plan.dt), self._session.step, 1
        while (left := start + steps - self._session.step) > 0:
            begin = time.perf_counter()
            self.exchange((), min(piece, left))
            took = time.perf_counter() - begin
            piece = 2 * piece if took < SOON else max(1, piece // 2) if took > LATE else piece
            progress(self._session.step - start, steps)
