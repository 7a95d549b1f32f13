"""Points of a sweep in several processes of this machine."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from neuroport.errors import NeuroportError
from neuroport.sweeps.asked import Limits
from neuroport.sweeps.forms import FAILED
from neuroport.sweeps.planned import Job
from neuroport.sweeps.process import Process
from neuroport.sweeps.runner import Order, head

Ordered = Callable[[Job], Order]
"""Makes the order for a job, just before it is given out."""
Jobs = deque[Job]
Rows = Generator[list[dict[str, Any]], None, None]
"""Rows as they come, those that are there together; to be closed by who does not want the rest."""


class Agenda:
    """What is still to be run, in parts that have one specimen: who has run a point of a part goes on with it.

    Where all parts are begun, others help with the longest.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        parts = groupby(jobs, lambda job: (job.network, job.point.chip, job.point.chip_seed))
        self._fresh = deque(deque(part) for _, part in parts)
        self._begun: list[Jobs] = []
        self._lock = threading.Lock()

    def take(self, last: Jobs | None) -> tuple[Jobs, Job] | None:
        """The next job for who has run one of `last`; None where nothing is left."""
        with self._lock:
            if not last:
                self._begun = [part for part in self._begun if part]
                if self._fresh:
                    self._begun.append(self._fresh.popleft())
                    last = self._begun[-1]
                else:
                    last = max(self._begun, key=len, default=None)
            return None if last is None else (last, last.popleft())


@dataclass(slots=True)
class _Workers:
    agenda: Agenda
    ordered: Ordered
    said: queue.SimpleQueue[dict[str, Any] | BaseException | None] = field(default_factory=queue.SimpleQueue)

    def work(self, process: Process) -> None:
        """Give a process one point after another until nothing is left; None says that it has ended."""
        last: Jobs | None = None
        try:
            while (taken := self.agenda.take(last)) is not None:
                last, job = taken
                row = self.row(process, job)
                if row is None:
                    break
                self.said.put(row)
            self.said.put(None)
        except BaseException as error:
            self.said.put(error)

    def row(self, process: Process, job: Job) -> dict[str, Any] | None:
        """The row of a job; None where the sweep is being ended."""
        try:
            order = self.ordered(job)
        except NeuroportError as error:
            return {**head(job.id, job.point.plain(), job.chip), "status": FAILED, "error": str(error)}
        return process.run(order)


def run(jobs: Sequence[Job], ordered: Ordered, workers: int, limits: Limits) -> Rows:
    """The rows of jobs as they end, those that are there together. To be closed: what runs still is ended then."""
    one = _Workers(Agenda(jobs), ordered)
    with ExitStack() as stack:
        processes = [stack.enter_context(Process(limits)) for _ in range(min(workers, len(jobs)))]
        threads = [threading.Thread(target=one.work, args=(process,), daemon=True) for process in processes]
        for thread in threads:
            thread.start()
        working = len(threads)
        while working:
            said = list(_heard(one.said))
            working -= said.count(None)
            if rows := [row for row in said if isinstance(row, dict)]:
                yield rows
            for error in said:
                if isinstance(error, BaseException):
                    raise error


def _heard(said: queue.SimpleQueue[Any]) -> Iterator[Any]:
    """What was said, at least one thing."""
    yield said.get()
    while not said.empty():
        yield said.get_nowait()
