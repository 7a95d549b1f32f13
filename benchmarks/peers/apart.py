"""Contestants in environments of their own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.measuring import Run, Took
from benchmarks.peers.networks import DECAY_U, DECAY_V, THRESHOLD, Balanced

PROGRAMS = Path(__file__).parent


def brian(network: Balanced, python: str, folder: str, steps: int, closing: contextlib.ExitStack) -> Run:
    """A repeat of `balanced` in Brian2, from the start; its result is how often neurons spiked."""
    where = _saved(network, Path(folder) / f"brian_{network.size}_{network.delay.max()}")
    return repeats(python, "brian.py", where, where / "built", steps, closing, lambda count: count)


def exact(program: str, network: Balanced, python: str, folder: str, steps: int, closing: contextlib.ExitStack) -> Run:
    """A repeat of `balanced` in a program that computes as Loihi does, from the start; its result is all spikes."""
    where = _saved(network, Path(folder) / program)
    spikes = where / "spikes.npy"

    def found(_: int) -> NDArray[np.int64]:
        rows: NDArray[np.int64] = np.load(spikes)
        return rows[np.lexsort((rows[:, 1], rows[:, 0]))]

    return repeats(python, program, where, spikes, steps, closing, found)


def _saved(network: Balanced, where: Path) -> Path:
    where.mkdir()
    np.savez(
        where / "network.npz", size=network.size, excitatory=network.excitatory, pre=network.pre, post=network.post,
        weight=network.weight, delay=network.delay, v=network.v, bias=network.bias, decay_u=DECAY_U, decay_v=DECAY_V,
        threshold=THRESHOLD,
    )  # fmt: skip
    return where


def repeats(
    python: str, program: str, where: Path, output: Path, steps: int, closing: contextlib.ExitStack,
    result: Callable[[int], Any],
) -> Run:  # fmt: skip
    """What a program does for every line that it gets, once it has said that it is ready."""
    command = [python, str(PROGRAMS / program), str(where / "network.npz"), str(output), str(steps)]
    errors = closing.enter_context((where / "errors.txt").open("w+"))
    pipe = subprocess.PIPE
    process = closing.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True))
    assert process.stdin is not None
    assert process.stdout is not None
    asked, answers = process.stdin, process.stdout

    def answer(word: str) -> list[str]:
        for line in answers:
            if line.startswith(word):
                return line.split()
        errors.seek(0)
        raise OSError(f"{program} does not run: {(errors.read().strip() or 'it ended').splitlines()[-1]}")

    def run() -> Took:
        asked.write("\n")
        asked.flush()
        _, cpu, wall, count = answer("RAN")
        return Took(float(cpu), float(wall), result(int(count)))

    answer("READY")
    return run
