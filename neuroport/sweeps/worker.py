"""What a process of a sweep does: it runs the points that it is told, one after another, until nobody tells it more.

It reads orders from its standard input and writes a row for each as a line of JSON. It ends with the process that began
it, however that ends.
"""

from __future__ import annotations

import json
import os
import pickle
import queue
import sys
import threading
from typing import IO, Any

from neuroport.sweeps.runner import Order, Runner

READY = {"ready": True}


def main(rows: IO[bytes]) -> None:
    """Run points until there are no more."""
    orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()
    runner = Runner()
    _say(rows, READY)
    while (order := orders.get()) is not None:
        _say(rows, runner.run(order))


def _say(rows: IO[bytes], row: dict[str, Any]) -> None:
    rows.write(json.dumps(row).encode() + b"\n")
    rows.flush()


def _listen(stream: IO[bytes], orders: queue.SimpleQueue[Order | None]) -> None:
    """Take orders as they come; without the one who gives them there is nothing to run for."""
    while True:
        try:
            order: Order | None = pickle.load(stream)
        except (EOFError, OSError, pickle.UnpicklingError):
            os._exit(1)
        orders.put(order)
        if order is None:
            return
