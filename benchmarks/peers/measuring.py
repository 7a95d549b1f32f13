"""Contestants take turns; what each took, and how that is told."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

BUSY = 1.1
"""The machine is busy when one thread's run takes so much longer by the clock than of the processor."""


@dataclass(frozen=True)
class Took:
    """Seconds of the processor and by the clock, and what came of it."""

    cpu: float
    wall: float
    result: Any = None


Run = Callable[[], Took]
"""One repeat."""
Results = list[dict[str, Any]]
"""What came of each round, by contestant."""


def timed(work: Callable[[], Any]) -> Run:
    """A repeat that is done in this process."""

    def run() -> Took:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        return Took(time.process_time() - cpu, time.perf_counter() - wall, result)

    return run


@dataclass
class Cell:
    """What one contestant took, in the units of its row."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def add(self, took: Took, scale: float) -> None:
        """One more repeat."""
        self.cpu.append(took.cpu * scale)
        self.wall.append(took.wall * scale)

    @property
    def median(self) -> float:
        """Of the processor's time."""
        return statistics.median(self.cpu)

    @property
    def busy(self) -> bool:
        """Whether others had the processor, too."""
        return statistics.median(self.wall) > BUSY * self.median


def in_turns(
    contestants: Mapping[str, Run], repeats: int, scale: float, *, warm: bool
) -> tuple[dict[str, Cell], Results]:
    """What everybody took, and what came of it; `warm`: after a round in which code is compiled, and not counted."""
    cells: dict[str, Cell] = {name: Cell() for name in contestants}
    results = []
    for number in range(repeats + warm):
        found = {}
        for name, run in contestants.items():
            took = run()
            found[name] = took.result
            if number >= warm:
                cells[name].add(took, scale)
        results.append(found)
    return cells, results


PACKAGES = ("llvmlite", "numpy", "numba", "pygenn")


def machine() -> str:
    """The processor, and the versions of what is installed here."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="ascii") as lines:
            model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    there = [name for name in PACKAGES if importlib.util.find_spec(name)]
    versions = (f"{name} {importlib.metadata.version(name)}" for name in there)
    return ", ".join([model, platform.system(), f"Python {platform.python_version()}", *versions])
