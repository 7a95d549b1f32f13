"""Runs to which signals come in a phase that is chosen: what each ends with, what it says and what it leaves.

As a program (`python -m tests.support.phases FOLDER`) it prints that as JSON; every run has a process of its own, which
is a fork, since nothing is imported anew.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import neuroport
import neuroport.api.run
from neuroport.cli import main as cli
from neuroport.commands import run as command
from neuroport.commands import stopping, summary
from neuroport.session import record
from neuroport.session.session import Session
from neuroport.trace import join, write
from neuroport.trace.read import open_trace
from neuroport.trace.segments import Parts, parts_folder, segments
from tests.support.counted import NET
from tests.support.signals import hearing

FIRST, SECOND = signal.SIGHUP, signal.SIGTERM
PHASES: dict[str, tuple[Any, str, int]] = {
    "reading": (command, "load_network", 0),
    "compiling": (neuroport.api.run, "lower_and_plan", 0),
    "building": (neuroport.api.run, "opened", 0),
    "before the first piece": (command.Progress, "__call__", 0),
    "a piece": (record.Recorder, "drain", 4),
    "flushing": (write.Writer, "_write_segment", 4),
    "a checkpoint": (write, "write_tree", 4),
    "told": (command.Progress, "__call__", 4),
    "the last piece": (Session, "digest", 0),
    "the end": (write.Writer, "_write_final", 0),
    "joining": (join, "join", 0),
    "removing parts": (Parts, "remove", 0),
    "printing": (summary, "_counts", 0),
    "after printing": (stopping.Stopping, "__exit__", 0),
    "leaving": (cli, "main", 0),
}
"""Where each begins: something that is called, and how many times before."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run ended with; `digest`: what it comes to in the end, gone on with if need be.

    `left`: what there is afterwards, "complete" or "incomplete" (a trace), "parts", or "nothing". `steps`: of a trace.
    """

    path: str
    code: int
    errors: list[str]
    is_printed: bool
    left: str
    steps: str
    digest: str | None


def _tell(signals: int, dropped: bool) -> None:
    """Have the signals sent; the second comes while the first is being answered."""
    if dropped:
        _dropping()
        return
    try:
        signal.raise_signal(FIRST)
    finally:
        if signals == 2:
            signal.raise_signal(SECOND)


def _dropping() -> None:
    """Have the first sent where Python drops exceptions, and wait for the time when it is answered."""

    class Thing:
        pass

    thing = Thing()
    keeps = weakref.ref(thing, lambda _: signal.raise_signal(FIRST))
    del thing
    assert keeps() is None
    time.sleep(10)


def _hooked(phase: str, tell: Callable[[], None]) -> None:
    owner, name, before = PHASES[phase]
    original, calls = getattr(owner, name), iter(range(10**9))

    def hooked(*arguments: Any, **options: Any) -> Any:
        if next(calls) != before:
            return original(*arguments, **options)
        if phase == "leaving":
            try:
                return original(*arguments, **options)
            finally:
                tell()
        if phase == "after printing":
            done = original(*arguments, **options)
            tell()
            return done
        tell()
        return original(*arguments, **options)

    setattr(owner, name, hooked)


def ran(folder: Path, phase: str, signals: int, dropped: bool = False) -> Outcome:
    """A run to which so many signals come in a phase."""
    folder.mkdir(parents=True)
    net, path, errors, output = (folder / name for name in ("counted.yaml", "k.h5", "errors.txt", "output.txt"))
    net.write_text(NET)
    child = os.fork()
    if not child:
        _child(net, path, errors, output, phase, lambda: _tell(signals, dropped))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    steps = f"{open_trace(path).steps:,}" if path.exists() else ""
    is_printed = "digest" in output.read_text()
    return Outcome(str(path), code, errors.read_text().splitlines(), is_printed, _left(path), steps, _comes_to(path))


def _child(net: Path, path: Path, errors: Path, output: Path, phase: str, tell: Callable[[], None]) -> None:
    try:
        for number, file in ((1, output), (2, errors)):
            os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        hearing()
        write.SEGMENT_SECONDS = stopping.ONE_SIGNAL = 0.0
        record._Pace = lambda: SimpleNamespace(steps=40, learn=lambda *_: None)  # type: ignore[assignment,misc]
        _hooked(phase, tell)
        cli.main(
            ["run", "-q", "--backend", "reference", str(net), "-o", str(path), "--checkpoint-every", "40"],
            prog_name="neuroport",
            ends=True,
        )
    except SystemExit as end:
        os._exit(int(end.code or 0))
    finally:
        os._exit(70)


def _left(path: Path) -> str:
    if path.exists():
        return "complete" if open_trace(path).complete else "incomplete"
    return "parts" if len(segments(parts_folder(path))) > 1 else "nothing"


def _comes_to(path: Path) -> str | None:
    """The digest that the run comes to in the end, gone on with if need be; None where that is impossible."""
    if path.exists() and open_trace(path).complete:
        return open_trace(path).digest
    try:
        return neuroport.resume(path).digest
    except neuroport.InvalidInput:
        return None


def main(folder: Path) -> None:
    found = {
        f"{phase}, {n}": asdict(ran(folder / f"{k}-{n}", phase, n)) for k, phase in enumerate(PHASES) for n in (1, 2)
    }
    found["building, dropped"] = asdict(ran(folder / "dropped", "building", 1, dropped=True))
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
