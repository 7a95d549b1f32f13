"""Signals that ask a process to end, kept from libraries within which no handler may raise an exception.

What calls back into Python from compiled code (HDF5) has no way for an exception: it is printed and lost there,
or looks like a failure of the library. So handlers are called at once, and what they raise is raised afterwards.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Those by which a person or a system asks a process to end."""


@contextmanager
def told_to(note: Callable[[BaseException], None]) -> Iterator[None]:
    """Give what handlers of signals raise within the block to `note`, instead of raising it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def told(number: int, frame: Any) -> None:
        handler = before[signal.Signals(number)]
        assert callable(handler)
        try:
            handler(number, frame)
        except BaseException as error:
            note(error)

    try:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, told)
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
