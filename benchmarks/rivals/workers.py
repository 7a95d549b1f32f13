"""Jobs in several processes that end together: with the first error, with Ctrl-C, and when the bench is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from neuroport.errors import NeuroportError


class Stopped(NeuroportError):
    """A job could not be done for a reason that is not its own, and the bench ends."""


def done(work: Callable[..., str], jobs: Iterable[tuple[object, ...]], processes: int) -> Generator[str, None, None]:
    """What `work` says of each job, as they are done. To be closed: what runs still is ended then.

    Stopped where a process was killed.
    """
    if processes == 1:
        yield from (work(*job) for job in jobs)
        return
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processes, initializer=_begin)
    try:
        waiting = [pool.submit(work, *job) for job in jobs]
        for one in as_completed(waiting):
            yield one.result()
    except BaseException as error:
        for child in set(multiprocessing.active_children()) - before:
            child.kill()
        pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            text = "a process of the bench was killed, perhaps because memory was short; the same command goes on"
            raise Stopped(text) from None
        raise
    pool.shutdown()


def _begin() -> None:
    """What each process does first: Ctrl-C is for the bench to hear, and none outlives the bench."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
