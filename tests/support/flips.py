"""Changes bytes of a file and has commands read it, each mutant in a process of its own with limits of time and memory.

Run as a program: `python -m tests.support.flips FOLDER FIRST COUNT CASE...` prints what went wrong as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.damage import flipped
from tests.support.damaged_cases import CASES

SECONDS, BYTES = 20, 8 * 2**30


def alone(task: Callable[[], Sequence[str]], report: Path) -> list[str]:
    """What a task gives in a process of its own, or how that ended."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        report.write_text(json.dumps([text for text in task() if text]))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return [f"ended by signal {os.WTERMSIG(status)}"]
    return list(json.loads(report.read_text())) if os.WEXITSTATUS(status) == 0 else ["ended with an exception"]


def main(folder: Path, first: int, count: int, names: Sequence[str]) -> None:
    """Print what went wrong."""
    warnings.simplefilter("error")
    found: list[str] = []
    for name in names:
        case, here = CASES[name], folder / name
        here.mkdir()
        whole, mutant = case.write(here), here / "mutant.h5"
        case.read(whole, whole)  # everything that is imported late
        content = whole.read_bytes()
        for seed in range(first, first + count):
            mutant.write_bytes(flipped(content, seed))
            answers = alone(lambda c=case, m=mutant, w=whole: c.read(m, w), here / "report.json")
            found += [f"{name} {seed}: {text}" for text in answers]
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
