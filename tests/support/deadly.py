"""A backend that computes as the reference does, but whose runs with some seeds end badly; and how it is installed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neuroport.backends.reference import Reference
from neuroport.program.machine import Program

KILLED, SLOW, RAISING, LARGE, CRASHING = 3, 4, 5, 6, 7
"""What runs with these seeds do."""
WORDS = "the last words"


class Deadly(Reference):
    """Run seeds say how a run ends."""

    name = "deadly"

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Any:
        if seed == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)
        if seed == SLOW:
            time.sleep(100)
        if seed == RAISING:
            raise ValueError("a fault that was planted")
        if seed == LARGE:
            held = bytearray(2**29)
            held[:: 2**12] = b"x" * 2**17
            time.sleep(100)
        if seed == CRASHING:
            sys.stderr.write(WORDS + "\n")
            sys.stderr.flush()
            os._exit(9)
        return super().open(program, seed, record_spikes)


def installed(folder: Path) -> Path:
    """A folder that makes it a backend of the name `deadly` where it is in sys.path."""
    told = folder / "deadly-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[neuroport.backends]\ndeadly = tests.support.deadly:Deadly\n")
    return folder
