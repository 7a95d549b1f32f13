"""Signals in the processes that tests start."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def hearing() -> None:
    """Signals are heard, also where these tests run under nohup."""
    for number in NUMBERS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@contextmanager
def heard() -> Iterator[None]:
    """The same in this process, for a while."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    hearing()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
