"""Signals in the processes that tests start."""

from __future__ import annotations

import signal


def hearing() -> None:
    """Signals are heard, also where these tests run under nohup."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
