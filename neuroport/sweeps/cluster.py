"""Points of a sweep on a cluster: Dask places them, and each runs in a process of its own there, as it would here."""

from __future__ import annotations

import contextlib
import queue
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from neuroport.errors import RunFailed, Unsupported
from neuroport.sweeps.asked import Limits
from neuroport.sweeps.forms import FAILED, KILLED
from neuroport.sweeps.planned import Job
from neuroport.sweeps.pool import Ordered, Rows
from neuroport.sweeps.process import Process
from neuroport.sweeps.runner import Order, head
from neuroport.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future

PLUGIN = "neuroport-sweep"
"""How the name begins of what a worker of Dask has for a sweep."""
ANSWERS = "20s"
"""Within which a scheduler must answer."""
AHEAD = 2
"""So many points a thread of the cluster is given at a time."""


class Processes:
    """What a worker of Dask has for the time of a sweep: processes that run points, one for each of its threads."""

    def __init__(self, limits: Limits, name: str) -> None:
        self._limits, self.name = limits, name

    def setup(self, worker: Any) -> None:
        """Begin with none."""
        self._free: queue.SimpleQueue[Process] = queue.SimpleQueue()
        self._all: list[Process] = []

    def teardown(self, worker: Any) -> None:
        """End all of them."""
        for process in self._all:
            process.close()

    def run(self, order: Order) -> dict[str, Any] | None:
        """The row of a point."""
        try:
            process = self._free.get_nowait()
        except queue.Empty:
            process = Process(self._limits)
            self._all.append(process)
        try:
            return process.run(order)
        finally:
            self._free.put(process)


def run(jobs: Sequence[Job], ordered: Ordered, address: str, limits: Limits) -> Rows:
    """The rows of jobs as they end. To be closed: what runs still is given up then.

    Unsupported without Dask, or where no scheduler answers; RunFailed where it is lost.
    """
    client = _connected(address)
    with client:
        name = f"{PLUGIN}-{secrets.token_hex(4)}"
        client.register_plugin(_plugin(limits, name), name=name)
        try:
            yield from _rows(client, name, deque(jobs), ordered)
        finally:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                client.unregister_worker_plugin(name)


def check(address: str) -> None:
    """Raise Unsupported without Dask, or where no scheduler answers."""
    _connected(address).close()


def _connected(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        text = "a sweep on a cluster needs the packages dask and distributed; install them with: "
        raise Unsupported(f"{text}pip install 'neuroport[cluster]'") from None
    try:
        return Client(address, timeout=ANSWERS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        text = f"no scheduler of Dask answers at '{address}': {error or type(error).__name__}; give its address, such "
        raise Unsupported(f"{text}as tcp://HOST:8786") from None


def _plugin(limits: Limits, name: str) -> Any:
    from distributed import WorkerPlugin

    made = type("Processes", (Processes, WorkerPlugin), {})
    return made(limits, name)


def _rows(client: Client, name: str, jobs: deque[Job], ordered: Ordered) -> Rows:
    from distributed import as_completed

    waiting: dict[str, Job] = {}
    networks: dict[str, Future] = {}
    ended = as_completed(loop=client.loop)
    while jobs or waiting:
        room = AHEAD * max(1, sum(client.nthreads().values()))
        while jobs and len(waiting) < room:
            job = jobs.popleft()
            order = ordered(job)
            if order.network not in networks:
                networks = {order.network: client.scatter(order.pickled, hash=False)}
            given = replace(order, pickled=None), networks[order.network], name, __version__
            future = client.submit(_run, *given, key=f"{name}-{job.id}", pure=False)
            waiting[future.key] = job
            ended.add(future)
        batch = ended.next_batch(block=True)
        yield [_row(future, waiting.pop(future.key)) for future in batch]


def _run(order: Order, pickled: bytes, name: str, version: str) -> dict[str, Any] | None:
    """Run a point, on a worker of Dask."""
    from distributed import get_worker

    if version != __version__:
        text = f"this worker of Dask has neuroport {__version__}, and the sweep {version}; install the same on both"
        return {**order.head(), "status": FAILED, "error": text}
    row: dict[str, Any] | None = get_worker().plugins[name].run(replace(order, pickled=pickled))
    return row


def _row(future: Future, job: Job) -> dict[str, Any]:
    ended = head(job.id, job.point.plain(), job.chip)
    error = future.exception() if future.status == "error" else None
    if error is not None:
        kind = KILLED if type(error).__name__ == "KilledWorker" else FAILED
        text = f"Dask could not run it: {type(error).__name__}: {' '.join(str(error).split())}"
        return {**ended, "status": kind, "error": text}
    if future.status != "finished":
        raise RunFailed(f"the scheduler of Dask was lost, or gave a point up ({future.status}); start the sweep again")
    row = future.result()
    if row is None:
        return {**ended, "status": KILLED, "error": "the worker of Dask on which it ran was ended"}
    return dict(row)
