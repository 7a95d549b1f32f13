"""Runs of the command line that are killed at random moments and gone on with, again and again until they end.

As a program (`python -m tests.support.resuming N SEED FOLDER [RUN…]`) it kills N times and prints one line of counts,
and after every run that came to its end those so far to stderr.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neuroport.errors import InvalidInput
from neuroport.trace.compare import compare
from neuroport.trace.join import repair
from neuroport.trace.read import open_trace
from neuroport.trace.resume import stopped
from neuroport.trace.segments import has_ended, parts_folder, segments
from tests.support.executors import BACKENDS
from tests.support.killing import start
from tests.support.shortened import SAL_MICRO

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGKILL)
FLUSHED = (0.05, 1e9)
"""So often, in seconds, what was recorded is flushed."""
CODES = {128 + number for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}


COMPILING = tuple(name for name in ("emulator", "genn") if BACKENDS[name].missing() is None)


@dataclass(frozen=True, slots=True)
class Kind:
    """A run, and the executors of which one begins it and any goes on with it."""

    arguments: tuple[str, ...]
    backends: tuple[str, ...] = COMPILING


def sets(*changes: str) -> tuple[str, ...]:
    return tuple(part for change in changes for part in ("--set", change))


RUNS: dict[str, Kind] = {
    "spikes and states": Kind(
        ("loihi_lif", "--for", "2500", *sets("spikes.times=[11 steps, 2100 steps]")), ("reference", *COMPILING)
    ),
    "protocol on the reference": Kind(
        ("sal_pair", *sets("protocol.1.repeat=8", "protocol.1.do.1.run='300 steps'", "record.spikes=all")),
        ("reference",),
    ),
    "events and learned weights": Kind(
        (
            *("sal_pair", "--chip", "generic8_mismatch10", "--chip-seed", "3"),
            *sets("protocol.1.repeat=1000", "record.spikes=all", "record.weights.recurrent.w='500 steps'"),
        )
    ),
    "histograms": Kind(
        (
            "sal_sampling",
            *sets("protocol.0.repeat=40", "protocol.0.do.1.then.0.run='300000 steps'", "record.spikes=all"),
        )
    ),
    "patterns, captures and switches": Kind(("sal_micro", *sets(*SAL_MICRO, "protocol.6.repeat=60"))),
}


class Hunt:
    """Kills one run of each kind again and again, and looks at what it comes to."""

    def __init__(self, folder: Path, seed: int, runs: Sequence[str] = tuple(RUNS)) -> None:
        self.folder, self.random, self.runs = folder, random.Random(seed), runs
        self.errors, self.counts = folder / "errors.txt", Counter[str]()
        folder.mkdir(parents=True)
        self.whole: dict[str, Path] = {}
        self.seconds: dict[tuple[str, str], float] = {}

    def undisturbed(self, name: str) -> Path:
        """The trace of a run that nobody ended, on the first of its executors; how long it takes on each is known."""
        if name not in self.whole:
            for backend in RUNS[name].backends:
                path = self.folder / f"{self.runs.index(name)}-{backend}.h5"
                for again in ((), ("--overwrite",)):  # the second time nothing is compiled
                    started = time.monotonic()
                    self.finish((*self.begun(name, backend), "-o", str(path), *again))
                    self.seconds[name, backend] = time.monotonic() - started
                self.whole.setdefault(name, path)
        return self.whole[name]

    def begun(self, name: str, backend: str) -> tuple[str, ...]:
        """The command that begins a run, but for its trace."""
        return ("run", "-q", *RUNS[name].arguments, "--backend", backend)

    def finish(self, arguments: Sequence[str]) -> None:
        status = os.waitpid(start(arguments, self.errors), 0)[1]
        assert status == 0, (arguments, self.errors.read_text())

    def run_to_its_end(self, name: str, most: int) -> None:
        """A run that is killed a few times, and that is then the undisturbed one."""
        out = self.folder / "out" / "out.h5"
        out.parent.mkdir()
        whole = open_trace(self.undisturbed(name))
        every = ("--checkpoint-every", str(self.random.choice(["0.1 s", "0.3 s", "2000 steps", "20000 steps"])))
        backend = self.random.choice(RUNS[name].backends)
        command = (*self.begun(name, backend), *every, "-o", str(out))
        while self.counts["kills"] < most and self.random.random() < 0.8:
            self.kill(command, name, backend)
            on = self.random.choice(RUNS[name].backends)
            resume = ("run", "-q", *every, "--resume", str(out), "--backend", on)
            goes_on = not is_whole(out) and self.can_go_on(out)
            if is_whole(out):  # its end was there already, or only the joining was missing
                break
            if goes_on:
                self.counts[f"gone on with, {backend} to {on}"] += 1
                command, backend = resume, on
            else:
                command = (*self.begun(name, backend), *every, "-o", str(out), "--overwrite")
        else:
            self.finish(command)
        self.counts["ends"] += 1
        ended = open_trace(out)
        assert ended.complete and ended.digest == whole.digest, (name, command)
        assert compare(ended, whole).differences == () and ended.metrics == whole.metrics, name
        assert (ended.spike_counts, ended.overflows) == (whole.spike_counts, whole.overflows)
        parts = parts_folder(out)
        assert {path.name for path in out.parent.iterdir()} <= {out.name, parts.name}
        assert not parts.exists() or has_ended(out) or not segments(parts), "killed while it removed them"
        shutil.rmtree(out.parent)

    def kill(self, command: Sequence[str], name: str, backend: str) -> None:
        """End a run by a signal, sometimes two, at a random moment."""
        child = start(command, self.errors, self.random.choice(FLUSHED))
        number = self.random.choice(SIGNALS)
        time.sleep(self.random.uniform(0, self.seconds[name, backend]))
        os.kill(child, number)
        if self.random.random() < 0.2:
            time.sleep(self.random.uniform(0, 0.6))
            os.kill(child, self.random.choice(SIGNALS))
        _, status = os.waitpid(child, 0)
        said = self.errors.read_text()
        assert "Traceback" not in said and "fault" not in said, said
        code = os.waitstatus_to_exitcode(status)
        early = set() if said else {-number for number in SIGNALS}  # before the command is read
        assert code in {0, -signal.SIGKILL, *CODES, *early}, (code, said)
        self.counts["kills"] += 1
        self.counts[f"kills on {backend}"] += 1
        self.counts[f"ended with {code}"] += 1

    def can_go_on(self, out: Path) -> bool:
        """Whether there is something to go on from; sometimes the parts are joined before."""
        if not out.exists() and len(segments(parts_folder(out))) > 1 and self.random.random() < 0.3:
            repair(out)
            self.counts["joined in between"] += 1
            if is_whole(out):
                return False
        try:
            left = stopped(out)
        except InvalidInput as error:
            refused = str(error)
        else:
            left.give_back()
            return True
        assert any(
            text in refused for text in ("no checkpoint", "neither a trace", "stopped before it had recorded anything")
        ), refused
        self.counts["begun again"] += 1
        return False


def is_whole(path: Path) -> bool:
    """Whether there is the trace of a run that came to its end."""
    return path.exists() and open_trace(path).complete


def main(count: int, seed: int, folder: Path, *runs: str) -> None:
    hunt = Hunt(folder, seed, runs or tuple(RUNS))
    while hunt.counts["kills"] < count:
        hunt.run_to_its_end(hunt.random.choice(hunt.runs), count)
        told = ", ".join(f"{what}: {number}" for what, number in sorted(hunt.counts.items()))
        print(told, file=sys.stderr, flush=True)
    print(told)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:])
