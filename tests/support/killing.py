"""Runs of the command line in processes of their own that are killed at random moments, and what must hold then.

As a program (`python -m tests.support.killing N SEED FOLDER`) it kills N runs and prints one line of counts; forks are
cheap, since nothing is imported anew.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from neuroport.cli import main as cli
from neuroport.errors import InvalidInput
from neuroport.trace import write
from neuroport.trace.join import repair
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.segments import check_trace, parts_folder, segments

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
RUN = ("run", "loihi_lif", "--backend", "reference", "-q", "--set", "spikes.times=[11 steps, 900 steps]")
STEPS = 2000


def start(arguments: Sequence[str], errors: Path, segment_seconds: float = 0.01) -> int:
    """The process id of a command whose stderr goes to a file."""
    child = os.fork()
    if child:
        return child
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    write.SEGMENT_SECONDS = segment_seconds
    try:
        for number in SIGNALS[:3]:  # as in a process that has just begun
            signal.signal(number, signal.SIG_DFL)
        cli.main(list(arguments), prog_name="neuroport", ends=True)
    except SystemExit as end:
        os._exit(int(end.code or 0))
    finally:
        os._exit(70)
    raise AssertionError


def is_prefix(trace: Trace, whole: Trace) -> bool:
    """Whether a trace has everything of the whole one up to its steps, and nothing else."""
    same = trace.seed == whole.seed and trace.steps <= whole.steps
    for name in whole.records:
        all_of, some = whole.record(name), trace.record(name) if name in trace.records else None
        count = int(np.sum(all_of.steps < trace.steps))
        if some is None:
            same &= count == 0
        else:
            same &= np.array_equal(some.steps, all_of.steps[:count]) and np.array_equal(some.raw, all_of.raw[:count])
    for name in whole.recorded:
        steps = whole.spikes(name).steps
        same &= np.array_equal(trace.spikes(name).steps, steps[steps < trace.steps])
    return bool(same)


class Hunt:
    """Kills runs that write `out.h5` in a folder and looks at what each leaves."""

    def __init__(self, folder: Path, seed: int, run: Sequence[str] = RUN, steps: int = STEPS) -> None:
        self.folder, self.random, self.run = folder, random.Random(seed), (*run, "--for", str(steps))
        self.out, self.errors = folder / "out" / "out.h5", folder / "errors.txt"
        self.out.parent.mkdir(parents=True)
        self.counts: Counter[str] = Counter()
        self.old, self.whole = self._finished("old.h5", 1), self._finished("whole.h5", 2)
        started = time.monotonic()
        self._finished("again.h5", 2)
        self.seconds = time.monotonic() - started

    def _finished(self, name: str, seed: int) -> Path:
        child = start((*self.run, "--seed", str(seed), "-o", str(self.folder / name)), self.errors)
        assert os.waitpid(child, 0)[1] == 0, self.errors.read_text()
        return self.folder / name

    def kill_one(self) -> None:
        """One run, one or two signals, and everything that must hold afterwards."""
        overwrites, number = self.random.random() < 0.5, self.random.choice(SIGNALS)
        if overwrites:
            self.out.write_bytes(self.old.read_bytes())
        child = start((*self.run, "--seed", "2", "-o", str(self.out), "--overwrite"), self.errors)
        self.wait()
        twice = self.random.random() < 0.3
        os.kill(child, number)
        if twice:
            time.sleep(self.random.uniform(0, 0.05))
            os.kill(child, self.random.choice(SIGNALS))
        _, status = os.waitpid(child, 0)
        said = self.errors.read_text()
        self.counts[number.name] += 1
        self.counts["twice"] += twice
        self.check(overwrites, said, was_killed=os.WIFSIGNALED(status))
        for path in self.out.parent.iterdir():
            assert path == self.out, f"{path} is left"
        self.out.unlink(missing_ok=True)

    def wait(self) -> None:
        """Until a random moment, or a random number of parts."""
        end = time.monotonic() + self.random.uniform(0, 1.1 * self.seconds)
        many = self.random.randrange(1, 7) if self.random.random() < 0.7 else None
        while time.monotonic() < (end if many is None else end + 5 * self.seconds):
            if many is not None and len(list(parts_folder(self.out).glob("0*.h5"))) >= many:
                break
            time.sleep(0.002)

    def check(self, overwrites: bool, said: str, was_killed: bool) -> None:
        """What must hold after a run was killed; the folder has no parts then."""
        assert "Traceback" not in said, said
        parts, whole = parts_folder(self.out), open_trace(self.whole)
        names = {path.name for path in self.out.parent.iterdir()} - {self.out.name, parts.name}
        assert not names, names
        if self.out.exists():
            if overwrites and self.out.read_bytes() == self.old.read_bytes():
                self.counts["old file kept"] += 1
            else:
                trace = open_trace(self.out)
                assert is_prefix(trace, whole)
                assert trace.complete or not overwrites
                assert not trace.complete or trace.digest == whole.digest
                assert not parts.exists() or was_killed
                self.counts["complete" if trace.complete else "incomplete"] += 1
        else:
            assert not overwrites
            self.counts["nothing yet" if not parts.exists() else "parts alone"] += 1
        if parts.exists():
            self.join(parts, whole, said, was_killed)

    def join(self, parts: Path, whole: Trace, said: str, was_killed: bool) -> None:
        """What the run left joins to what it computed, and the command that does it was told."""
        worth = len(segments(parts)) > 1
        if not was_killed and worth:
            other = " -o OTHER.h5" if self.out.exists() else ""
            assert f"join it with 'neuroport join {parts}{other}'" in said, said
        if worth and not self.out.exists():
            with pytest.raises(InvalidInput, match="join its parts with"):
                check_trace(self.out)
        if segments(parts):
            trace = open_trace(repair(parts, output=self.folder / "joined.h5", overwrite=True))
            assert is_prefix(trace, whole), (trace.steps, said)
            self.counts["joined"] += 1
        else:
            for path in parts.iterdir():
                path.unlink()
            parts.rmdir()
            self.counts["empty parts"] += 1


def main(count: int, seed: int, folder: Path) -> None:
    hunt = Hunt(folder, seed)
    for _ in range(count):
        hunt.kill_one()
    print(", ".join(f"{what}: {number}" for what, number in sorted(hunt.counts.items())))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
