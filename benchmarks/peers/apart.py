"""Contestants in environments of their own."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import numpy as np

from benchmarks.peers.measuring import Run, Took
from benchmarks.peers.networks import DECAY_U, DECAY_V, THRESHOLD, Balanced

PROGRAM = Path(__file__).parent / "brian.py"


def brian(network: Balanced, python: str, folder: str, steps: int, closing: contextlib.ExitStack) -> Run:
    """A repeat of `balanced` in Brian2, from the start; its result is how often neurons spiked."""
    where = Path(folder) / f"brian_{network.size}_{network.delay.max()}"
    where.mkdir()
    np.savez(
        where / "network.npz", size=network.size, pre=network.pre, post=network.post, weight=network.weight,
        delay=network.delay, v=network.v, bias=network.bias, decay_u=DECAY_U / 4096, decay_v=DECAY_V / 4096,
        limit=64 * THRESHOLD,
    )  # fmt: skip
    command = [python, str(PROGRAM), str(where / "network.npz"), str(where / "built"), str(steps)]
    process = closing.enter_context(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    asked, answers = process.stdin, process.stdout
    if not any(line == "READY\n" for line in answers):
        raise OSError(f"Brian2 does not build: {process.stderr.read().strip().splitlines()[-1]}")

    def run() -> Took:
        asked.write("\n")
        asked.flush()
        _, cpu, wall, spikes = answers.readline().split()
        return Took(float(cpu), float(wall), int(spikes))

    return run
