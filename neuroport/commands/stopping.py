"""What signals do to a command: it ends with nothing half done and says what is left, even when it ends at once.

Commands that are short or only look have the signal raised wherever they are. A run (`Stopping`) goes through phases,
and docs/reliability.md says what a first and a second signal do in each.
"""

from __future__ import annotations

import os
import signal
import sys
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
ONCE_MORE = 0.02
"""So many seconds after it was dropped, a signal is sent once more."""


def is_main_thread() -> bool:
    """Whether signals can be handled here: Python has them in the main thread alone."""
    return threading.current_thread() is threading.main_thread()


@contextmanager
def handled(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Have signals that ask for an end handled, but those that this process was told to ignore, as by nohup.

    Where they were `ignored` within the block, they stay so.
    """
    if not is_main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    taken = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in taken:
            signal.signal(number, handler)
        with _not_dropped():
            yield
    finally:
        for number, old in taken.items():
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, old)


def ignore() -> None:
    """From here on no signal asks for an end: what was to be done is done, and its exit code stands."""
    if is_main_thread():
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def restored() -> Iterator[None]:
    """Have signals handled after the block as before it."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, old in before.items():
            if is_main_thread() and old is not None:
                signal.signal(number, old)


class Signalled(KeyboardInterrupt):
    """A signal asked for an end. `dropped` is called where Python drops what was raised."""

    def __init__(self, number: int, dropped: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.number, self.dropped = number, dropped


@contextmanager
def _not_dropped() -> Iterator[None]:
    """Have a signal sent once more that came where Python drops exceptions, as while an object is being deleted."""
    before, later = sys.unraisablehook, list[threading.Timer]()

    def hook(what: Any) -> None:
        if not isinstance(what.exc_value, Signalled):
            before(what)
            return
        what.exc_value.dropped()
        later.append(threading.Timer(ONCE_MORE, os.kill, (os.getpid(), what.exc_value.number)))
        later[-1].start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
        for timer in later:
            timer.cancel()


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

    Before it computes, a signal is raised. While it computes, the first only has it end after the piece at hand, so
    that its trace is closed in good order; one that comes in the last piece or later does not keep it from its end.
    Another one ends the process at once: parts of traces are whole at any moment, and it is said what to do with them.
    When the run has come to its end (`ended`), one signal does nothing, so that what came out is printed, and a second
    ends that; when that is done too (`over`), none does anything.
    `number`: the signal that came first.
    """

    def __init__(self, traces: Iterable[str | Path]) -> None:
        self._traces = traces
        self._asked = 0.0
        self.number = int(signal.SIGINT)
        self._computes = self._finishes = self._ended = False

    def __enter__(self) -> Stopping:
        self._context = handled(self._signalled)
        self._context.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(None, None, None)

    def watched(self, progress: Callable[[int, int], None]) -> Callable[[int, int], None]:
        """The progress that also stops the run, in whichever thread it is told."""

        def tell(done: int, total: int) -> None:
            self._computes, self._finishes = True, done >= total
            progress(done, total)
            if self._asked and done < total:
                raise Signalled(self.number)

        return tell

    def ended(self) -> None:
        """The run has come to its end, and its trace is whole; what signals asked for until now is answered."""
        self._ended, self._asked = True, 0.0

    def over(self) -> None:
        """All has been said, too."""
        ignore()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked and now - self._asked < ONE_SIGNAL:
            return
        if self._asked:
            self._leave()
        self._asked, self.number = now, number
        if self._ended:
            _say("the run has come to its end; a second signal ends the printing of what came out")
        elif self._finishes:
            _say("the run has computed all its steps and ends by itself; a second signal ends it at once")
        elif self._computes:
            _say("stopping; a second signal ends it at once")
        else:
            raise Signalled(number, self._forget)

    def _forget(self) -> None:
        self._asked = 0.0

    def _leave(self) -> None:
        from neuroport.trace.segments import left

        _say("ended at once; the run had come to its end" if self._ended else "ended at once")
        for text in filter(None, map(left, self._traces)):
            _say(text)
        os._exit(ENDED + self.number)


def _say(text: str) -> None:
    """Write to stderr from a handler of signals, which may have come in the middle of such a writing."""
    with suppress(OSError):
        os.write(2, f"{text}\n".encode())
