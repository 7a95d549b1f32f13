"""A process that runs points of a sweep, seen from the one that began it: with limits of time and memory.

What happens to it (it is killed, it crashes, it takes too long or too much) is the row of the point that it was at.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from neuroport.errors import RunFailed
from neuroport.program.room import ALLOWED, shown
from neuroport.sweeps.asked import Limits
from neuroport.sweeps.forms import KILLED, TIMEOUT
from neuroport.sweeps.runner import Order, failed

LOOK = 0.05
"""Seconds between two looks at how much memory a process takes,"""
LONG = 3600.0
"""and at most between two at whether its time is over."""
LAST_WORDS = 200
"""Characters of what a process said last that are told."""
TRIES = 3
"""So often a process may end before it is ready."""
_BOOT = """import os, pickle, sys
rows = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
sys.path[:] = pickle.load(sys.stdin.buffer)
from neuroport.sweeps.worker import main
main(rows)
"""
"""What a process does first: only rows go where its parent listens, and what anybody prints to its standard error."""


class Process:
    """One process, begun anew where it ended: `with Process(limits) as process: row = process.run(order)`."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._running: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  it is closed with the process
        self._known = ""
        self._closed = False
        self._doom: tuple[str, str] | None = None

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, order: Order) -> dict[str, Any] | None:
        """The row of a point; None where the process was closed meanwhile. RunFailed where none can be begun."""
        for _ in range(TRIES):
            running = self._ready()
            started = time.perf_counter()
            if running is not None and self._sent(running, order):
                break
        else:
            if self._closed:
                return None
            raise RunFailed(f"a process of the sweep ended before it could begin{self._last_words()}")
        with self._watched(running):
            row = self._heard(running)
        if row is not None and self._doom is None:
            return row
        if row is None and not self._closed:
            status, text = self._doom or (KILLED, self._ending(running))
            row = failed(order.head(), text, started, status)
        self._let_go()
        return row

    def close(self) -> None:
        """End it at once, whatever it is at."""
        self._closed = True
        self._let_go()
        self._errors.close()

    def _ready(self) -> subprocess.Popen[bytes] | None:
        """The process, begun where there is none; None where it ends before it is ready."""
        if self._running is not None:
            return self._running
        if self._closed:
            return None
        self._errors.seek(0)
        self._errors.truncate()
        environment = dict(os.environ)
        if self._limits.memory is not None:
            environment[ALLOWED] = f"{self._limits.memory / 1e6:.3f} MB"
        running = subprocess.Popen(
            [sys.executable, "-c", _BOOT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            start_new_session=True,
        )
        self._running, self._known, self._doom = running, "", None
        begun = self._told(running, list(sys.path)) and self._heard(running) is not None
        if begun and not self._closed:
            return running
        self._let_go()
        return None

    def _sent(self, running: subprocess.Popen[bytes], order: Order) -> bool:
        """Whether the process took an order; where it could not, it is gone, and the next one is to be asked."""
        known = order.network == self._known
        if self._told(running, replace(order, pickled=None) if known else order):
            self._known = order.network
            return True
        self._let_go()
        return False

    def _told(self, running: subprocess.Popen[bytes], what: Any) -> bool:
        assert running.stdin is not None
        try:
            running.stdin.write(pickle.dumps(what))
            running.stdin.flush()
        except (OSError, ValueError):
            return False
        return True

    def _heard(self, running: subprocess.Popen[bytes]) -> dict[str, Any] | None:
        """What the process says next; None where it is gone."""
        assert running.stdout is not None
        try:
            said = running.stdout.readline()
            row: Mapping[str, Any] = json.loads(said) if said.endswith(b"\n") else {}
        except (OSError, ValueError):
            return None
        return dict(row) or None

    def _let_go(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        running.kill()
        running.wait()
        for stream in (running.stdin, running.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    # ------------------------------------------------------------------------------------------------------- its end

    @contextlib.contextmanager
    def _watched(self, running: subprocess.Popen[bytes]) -> Iterator[None]:
        """Have the process killed that takes longer or more than it may."""
        if self._limits == Limits():
            yield
            return
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(running, over), daemon=True)
        watch.start()
        try:
            yield
        finally:
            over.set()
            watch.join()

    def _watch(self, running: subprocess.Popen[bytes], over: threading.Event) -> None:
        within, most = self._limits.seconds or math.inf, self._limits.memory or math.inf
        end = time.monotonic() + within
        while not over.wait(min(LONG, max(0.0, end - time.monotonic()), LOOK if most < math.inf else LONG)):
            if time.monotonic() >= end:
                self._doom = TIMEOUT, f"it took longer than the limit of {within:g} s, building included"
            elif most < math.inf and (size := resident(running.pid)) > most:
                self._doom = KILLED, f"its process took {shown(size)} of memory, and the limit is {shown(most)}"
            if self._doom is not None:
                running.kill()
                return

    def _ending(self, running: subprocess.Popen[bytes]) -> str:
        """How a process ended by itself, and what it said last."""
        running.kill()
        code = running.wait()
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        short = ", perhaps because memory was short" if code == -9 else ""
        return f"its process was ended {how}{short}{self._last_words()}"

    def _last_words(self) -> str:
        try:
            self._errors.seek(0)
            words = " ".join(self._errors.read()[-4096:].decode("utf-8", "replace").split())
        except (OSError, ValueError):
            return ""
        return f"; it said last: …{words[-LAST_WORDS:]}" if words else ""


def resident(pid: int) -> float:
    """Bytes of memory that a process has; 0 where nobody can tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return float(pages * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, IndexError):
        pass
    try:
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
        return float(said) * 1024
    except (OSError, ValueError):
        return 0.0
