"""What stands before a session and is one itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self, cast

from neuroport.numerics.given import FUNCTION, takes
from neuroport.numerics.steps import steps_of
from neuroport.numerics.units import Quantity
from neuroport.pages.html import html
from neuroport.pages.plain import brief
from neuroport.session.describe import described
from neuroport.session.summary import told, told_page

if TYPE_CHECKING:
    from neuroport.session.session import Session

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

    def __repr__(self) -> str:
        return brief(type(self).__name__, told(self._described(), self.closed))

    def _repr_html_(self) -> str:
        return html(told_page(self._described(), self.closed))

    def _described(self) -> dict[str, Any]:
        """What the session is, a closed one, too."""
        more = {name: getattr(self, name, None) for name in ("link", "pace")}
        return described(cast("Session", self)) | {
            k: None if one is None else one.described() for k, one in more.items()
        }

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
