"""What signals do to a command: it ends with nothing half done and says what is left, even when it ends at once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from neuroport.signals import SIGNALS

ONE_SIGNAL = 0.5
"""Within so many seconds, signals are one: who closes a terminal may send several."""
ENDED = 128
"""A command that a signal ended has this exit code plus the number of the signal."""


@contextmanager
def handled(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Have signals that ask for an end handled, but those that this process was told to ignore, as by nohup."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    taken = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in taken:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in taken.items():
            signal.signal(number, old)


class Signalled(KeyboardInterrupt):
    """A signal asked for an end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code(error: BaseException) -> int:
    """What a command ends with that a signal ended: 128 and its number, as a shell tells it; 130 for Ctrl-C."""
    return ENDED + (error.number if isinstance(error, Signalled) else signal.SIGINT)


def like_ctrl_c() -> Any:
    """Signals that ask for an end do what Ctrl-C does."""
    return handled(_interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Signalled(number)


class Stopping:
    """How a run ends on signals: `with Stopping(traces) as stopping: run(progress=stopping.watched(progress))`.

    While it computes, the first only has it end after the piece at hand, so that its trace is closed in good order. The
    next ends the process at once: parts of traces are whole at any moment, and it is said what to do with them.
    `number`: the signal that came first.
    """

    def __init__(self, traces: Iterable[str | Path]) -> None:
        self._traces = traces
        self._asked = 0.0
        self.number = int(signal.SIGINT)
        self._computes = False

    def __enter__(self) -> Stopping:
        self._context = handled(self._signalled)
        self._context.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(None, None, None)

    def watched(self, progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
        """The progress that also stops the run, in whichever thread it is told."""

        def tell(done: int, total: int) -> None:
            self._computes = True
            progress(done, total)
            if self._asked and done < total:
                raise Signalled(self.number)

        return tell

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked and now - self._asked < ONE_SIGNAL:
            return
        if self._asked:
            self._leave()
        self._asked, self.number = now, number
        if not self._computes:
            raise Signalled(number)
        _say("stopping; a second signal ends it at once")

    def _leave(self) -> None:
        from neuroport.trace.segments import left

        _say("ended at once")
        for text in filter(None, map(left, self._traces)):
            _say(text)
        os._exit(ENDED + self.number)


def _say(text: str) -> None:
    """Write to stderr from a handler of signals, which may have come in the middle of such a writing."""
    with suppress(OSError):
        os.write(2, f"{text}\n".encode())
