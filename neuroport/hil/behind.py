"""What stands before a session and is one itself."""

from __future__ import annotations

from typing import Any, Self


class Behind:
    """A session that does some things in another way; all that it does not say itself is that of the one behind it."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @property
    def step(self) -> int:
        """The number of the step that comes next; 0 at the start."""
        return int(self._session.step)

    def __getattr__(self, name: str) -> Any:
        """What is not said here."""
        return getattr(self._session, name)

    def __enter__(self) -> Self:
        self._session.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._session.__exit__(*error)
