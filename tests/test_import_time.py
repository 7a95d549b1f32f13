"""Importing neuroport is quick, because what is slow to import comes only when it is needed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

import neuroport

HEAVY = ("llvmlite", "h5py", "matplotlib", "rich")
FOLDER = Path(neuroport.__file__).parent.parent


def imported_by(statement: str) -> set[str]:
    """The heavy modules that a fresh interpreter holds after a statement."""
    program = f"{statement}; import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], cwd=FOLDER, capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize("module", ["neuroport", "neuroport.cli", "neuroport.backends"])
def test_heavy_modules_come_late(module: str) -> None:
    assert imported_by(f"import {module}") == set()


def test_import_is_quick() -> None:
    """Under 0.3 s beyond numpy's own import, measured as the best of three so that a busy machine does not fail it."""
    program = "import numpy, time; start = time.perf_counter(); import neuroport; print(time.perf_counter() - start)"
    times = []
    deadline = time.monotonic() + 60
    while len(times) < 3 and time.monotonic() < deadline:
        run = subprocess.run([sys.executable, "-c", program], cwd=FOLDER, capture_output=True, text=True, check=True)
        times.append(float(run.stdout))
    assert min(times) < 0.3
