"""What tests of sweeps share: a small sweep, as a command that is killed, and what must hold of its lines."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuroport.sweeps.table import TIMES, Table
from tests.support.checkout import ROOT
from tests.support.signals import hearing

NET = "loihi_lif"
"""A network that has a protocol of 30 steps."""
SWEEP = ("sweep", NET, "--backend", "reference", "--set", "cell.vth=[300,400]", "--seed", "0:12", "--for", "40")


def started(*arguments: object, cwd: Path | None = None) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    streams: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "neuroport", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, cwd=cwd, preexec_fn=hearing, **streams)


def lines(folder: Path) -> list[dict[str, Any]]:
    """The lines of a sweep that are whole."""
    file = folder / "runs.jsonl"
    if not file.exists():
        return []
    whole, _, _ = file.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.split(b"\n") if line]


def bare(table: Table) -> list[dict[str, Any]]:
    """The rows of a table without what differs from run to run."""
    return [{name: value for name, value in row.items() if name not in TIMES} for row in table.rows]


class Hunt:
    """Kills sweeps that go on in one folder at moments that a seed chooses, until one comes to its end.

    A kill comes so many seconds after the sweep began, or after it has added so many lines.
    """

    def __init__(self, folder: Path, seed: int, sweep: Sequence[str] = SWEEP) -> None:
        self.folder, self.random, self.sweep = folder, random.Random(seed), sweep
        self.kept: list[dict[str, Any]] = []
        self.kills: Counter[str] = Counter()

    def kill_one(self) -> bool:
        """Whether the sweep was killed; else it has come to its end. What was a whole line before stays one."""
        process = started(*self.sweep, "-o", self.folder, "--workers", "2", "-q")
        more = self.random.choice([0, 1, 1, 2])
        self._wait(process, more, self.random.uniform(0, 0.02))
        ended = process.poll() is not None
        if not ended:
            process.send_signal(signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        assert not ended or process.returncode == 0, errors
        self.kills["ended" if ended else "no line" if not more else "after lines"] += 1
        self.check()
        return not ended

    def _wait(self, process: subprocess.Popen[str], more: int, late: float) -> None:
        before, end = len(lines(self.folder)), time.monotonic() + 60
        if not more:
            time.sleep(self.random.uniform(0.0, 1.5))
        while more and process.poll() is None and len(lines(self.folder)) < before + more:
            assert time.monotonic() < end
            time.sleep(0.001)
        time.sleep(late)

    def check(self) -> None:
        """Lines that were there are there, in their order and unchanged; no point is done twice."""
        found = lines(self.folder)
        assert found[: len(self.kept)] == self.kept
        ids = [row["id"] for row in found]
        assert len(set(ids)) == len(ids), "a point was done twice"
        self.kept = found
